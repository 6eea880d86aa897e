"""`xcat-rhev engine hostkit`: all that xCAT needs to install hosts with a full Linux for a manager."""

from __future__ import annotations

import argparse
import re
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from ...errors import NotFound, RhevError
from ...rows.manager import manager_folder
from ..xcatd import AskedXcatd
from .files import postscripts, write_all
from .image import KitImage, base_image
from .managerkit import kit_files
from .releases import host_on, release

#: Where managers give their public SSH key, newest first (`pki-resource` from 3.4 on).
_KEY_PATHS = (
    "/ovirt-engine/services/pki-resource?resource=engine-certificate&format=OPENSSH-PUBKEY",
    "/engine.ssh.key.txt",
)
_KEY = re.compile(r"ssh-\w+ [A-Za-z0-9+/=]+( [^\n]*)?\n?")
#: The folder of keys in xCAT's folder of postscripts; nodes fetch it with the rest.
KEYS = "rhevmkeys"


def make(options: argparse.Namespace) -> Iterator[str]:
    """Write the kit and say what was written and what comes next.

    Args:
        options: version, image, manager, output.

    Raises:
        RhevError: What has to be changed first.
    """
    xcatd, chosen = AskedXcatd(), release(options.version)
    base = base_image(xcatd, options.image)
    installdir = Path(xcatd.site("installdir", "/install"))
    packages = installdir / "post/otherpkgs/rhevm" / f"{chosen.name}-host"
    role = f"host-{options.manager.partition('.')[0].replace(':', '_')}" if options.manager else "host"
    kit = KitImage(base, role, chosen, host_on(chosen, base.major), Path(), packages)
    image = kit._replace(folder=options.output or installdir / "custom/rhevm" / kit.name)
    key = f"{KEYS}/{options.manager}.pub" if options.manager else "-"
    files = {**kit_files(image, (f"rhevmhost {key}",)), **postscripts(installdir)}
    if options.manager:
        files[installdir / "postscripts" / key] = public_key(xcatd, options.manager)
    for path in write_all(files):
        yield f"written: {path}"
    yield "Next:"
    yield from (f"  {step}" for step in _steps(image, options.manager or "MANAGER"))


def public_key(xcatd: AskedXcatd, manager: str) -> str:
    """The key with which a manager logs in to its hosts, read over the connection that its pinned CA vouches for.

    Raises:
        NotFound: Its CA is not known yet.
        RhevError: It gives no key.
    """
    authority = manager_folder(xcatd, manager) / "ca.crt"
    if not authority.exists():
        raise NotFound(f"the CA of {manager} is not known yet", f"Run: lsve -t dc -m {manager}")
    handler = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(authority)))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
    problem = ""
    for path in _KEY_PATHS:
        try:
            with opener.open(f"https://{manager}{path}", timeout=30) as answer:
                text = str(answer.read(8192), "ascii", "replace")
        except OSError as failure:
            problem = str(getattr(failure, "reason", failure))
            continue
        if _KEY.fullmatch(text):
            return text.rstrip("\n") + "\n"
        problem = "its answer is not an SSH key"
    raise RhevError(f"{manager} does not give its public SSH key: {problem}", "Leave --manager out to use a password")


def _steps(image: KitImage, manager: str) -> Iterator[str]:
    yield f"sh {image.folder}/mirror.sh        # on a machine that can read the repositories, into {image.packages}"
    yield f"mkdef -z < {image.folder}/osimage.stanza"
    kind = "rhev" if image.chosen.product in ("RHEV", "RHV") else "ovirt"
    yield f"chdef HOSTS hostmanager={manager} hosttype={kind} hostcluster=CLUSTER"
    yield "chtab key=rhevhautoapprove site.value=yes        # or: rhevhjoin HOSTS, once they are up"
    yield f"nodeset HOSTS osimage={image.name}"
    yield "rpower HOSTS boot"
