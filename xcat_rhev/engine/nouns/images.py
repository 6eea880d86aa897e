"""Images on their way into an engine and out of it."""

from __future__ import annotations

from ..documents.fields import label, ref, refs, secret, text, whole
from ..documents.noun import Noun


class ImageTransfer(Noun, tag="image_transfer", path="imagetransfers", top=True, named=False):
    """An image that is sent to the engine's hosts, or fetched from them; since 4.0, in v4 alone.

    Attributes:
        image: The disk. Engines say it so, and take it so in all versions.
        direction: upload, download.
        format: raw to see the disk as its guest does, whatever it is kept as, since 4.4; else as it is kept.
        backup: The backup that a download belongs to.
        status: The phase: initializing, transferring, paused_system, finished_success ...
        transferred: Bytes that the host has written or sent, as of some seconds ago.
        url, proxy_url: Where the bytes go, at a host and at the manager. Whoever knows one may use it.
    """

    image = ref(None, "image")
    direction = text(None, "direction")
    format = text(None, "format", since=(4, 4))
    backup = ref(None, "backup", since=(4, 4))
    host = ref(None, "host")
    status = text(None, "phase")
    transferred = whole(None, "transferred")
    url = secret(None, "transfer_url")
    proxy_url = secret(None, "proxy_url")


class Backup(Noun, tag="backup", path="backups", named=False):
    """A backup of a machine under way, or one that was; since 4.4.

    Attributes:
        status: The phase: initializing, starting, ready, finalizing, succeeded, failed.
        disks: Those that are wanted; engines do not say them.
        since: The checkpoint from which it goes on; none for all that is on the disks.
        until: The checkpoint from which the next one may go on; none where all disks are raw.
    """

    since = text(None, "from_checkpoint_id")
    until = text(None, "to_checkpoint_id")
    status = text(None, "phase")
    disks = refs(None, "disks/disk*")


class Checkpoint(Noun, tag="checkpoint", path="checkpoints", named=False):
    """A point from which a backup may go on; since 4.4.

    Attributes:
        status: created, invalid.
    """

    status = text(None, "state")
    parent = text(None, "parent_id")


class OvaImport(Noun, tag="external_vm_import", path="externalvmimports", top=True):
    """A machine that is made of a file on a host; since 4.0.

    Attributes:
        provider: kvm, whatever wrote the file.
        url: `ova://` and the path.
        vm_name: What it is to be called.
        vm: The machine, once it is being made.
    """

    id = label("@id")  # the answer has none
    cluster = ref(None, "cluster")
    host = ref(None, "host")
    provider = text(None, "provider")
    storage_domain = ref(None, "storage_domain")
    url = text(None, "url")
    vm = ref(None, "vm")
