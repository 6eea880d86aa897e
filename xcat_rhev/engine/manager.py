"""The facade of one manager: all that a command may ask of it, with lists of its own for the time of one request."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import RhevError
from ..secret import Secret
from .api import Api
from .nouns import (
    DataCenter,
    Disk,
    DiskImage,
    EngineJob,
    FenceAgent,
    Host,
    HostNic,
    ImageTransfer,
    NetworkAttachment,
    Nic,
    Noun,
    OvaImport,
    Ref,
    StorageDomain,
    Template,
    Vm,
    VnicProfile,
)
from .parts import certificates, hostnetworks, storage
from .parts import host as host_parts
from .parts import vm as vm_parts
from .parts.certificates import HostCertificate
from .parts.console import BrowserConsole, Console, WebsocketProxy
from .search import any_of, quote
from .templates import Templates
from .vm_update import is_launching, too_early
from .wire.images import Extent, ImageChannel

__all__ = [
    "BrowserConsole",
    "Console",
    "Extent",
    "HostCertificate",
    "ImageChannel",
    "Manager",
    "Templates",
    "WebsocketProxy",
    "any_of",
    "quote",
]


class Manager(Api):
    """One manager, for the time of one request: all that `Api` can do, and what single kinds of things need."""

    def add_disk(self, vm: Vm, disk: Disk) -> Disk:
        """Make a disk for a VM, or attach one that is there; it is locked for a while."""
        return vm_parts.add_disk(self, vm, disk)

    def channel_of(self, transfer: ImageTransfer) -> ImageChannel:
        """The line to the host that takes or gives an image; the manager passes it on where the host is out of reach.

        Args:
            transfer: As it is when it is `transferring`.
        """
        urls = [url for url in (transfer.url, transfer.proxy_url) if url]
        return ImageChannel(urls, self._http.trust, self.name, self.patience)

    def import_ova(self, wanted: OvaImport) -> Vm:
        """Begin to make a machine of a file on a host; if the answer was lost, by looking whether it is there."""

        def settle() -> OvaImport | None:
            found = self.look(Vm, [wanted.name])
            return wanted.replace(vm=found[0].ref) if found else None

        made = self.calls.create(wanted, self.calls.collection(OvaImport), settle)
        self.catalog.forget(Vm)
        return Vm(id=made.vm.id if made.vm else "", name=wanted.name)

    def change_disk(self, vm: Vm, disk: Disk, **wanted: Any) -> Disk | None:
        """Change a disk; None if nothing differed. The answer shows it as it was while the manager is at work on it."""
        differing = disk.differences(wanted)
        return self.calls.change(disk, self.calls.path(disk, vm), differing, check=False) if differing else None

    def change_image(self, image: DiskImage, **wanted: Any) -> None:
        """Change a disk by itself; it is locked for a moment, and the answer shows it as it was."""
        differing = image.differences(wanted)
        if differing:
            self.calls.change(image, self.calls.path(image), differing, check=False)

    def work_on_disk(self, disk: Disk | DiskImage, verb: str, vm: Vm | None = None, **params: Any) -> None:
        """Begin to move, sparsify or reduce a disk.

        Args:
            disk: The disk, as a machine's or by itself.
            verb: move, sparsify, reduce.
            vm: Its machine; engines before 3.4 move disks there alone.
            params: storage_domain (a Ref).
        """
        vm_parts.work_on_disk(self, disk, verb, vm, params)

    def remove_disk(self, vm: Vm, disk: Disk, *, keep: bool = False) -> None:
        """Remove a disk, or with `keep` only take it off the VM."""
        vm_parts.remove_disk(self, vm, disk, keep)

    def add_nic(self, vm: Vm, nic: Nic) -> Nic:
        """Make a NIC for a VM.

        Args:
            vm: With its cluster.
            nic: `network` may hold a name alone; it is looked up in the VM's data center.

        Raises:
            NotFound: No such network there, or none for VMs.
        """
        return vm_parts.add_nic(self, vm, nic)

    def vnic_profiles(self, network: Noun | Ref) -> builtins.list[VnicProfile]:
        """The vNIC profiles of a network; in v4 the first is what a NIC gets whose network alone is named."""
        return vm_parts.profiles_of(self, network.id)

    def change_nic(self, vm: Vm, nic: Nic, **wanted: Any) -> Nic | None:
        """Change a NIC; None if nothing differed. A `vnic_profile` says the network as well."""
        return vm_parts.change_nic(self, vm, nic, wanted)

    def change_cdrom(self, vm: Vm, iso: str = "", *, current: bool = False) -> None:
        """Put an ISO into a VM's drive, or take it out.

        Args:
            vm: The machine whose drive it is.
            iso: The id of a file on an ISO domain, which is its name; empty for none.
            current: For this run alone.
        """
        vm_parts.change_cdrom(self, vm, iso, current)

    def attach_storage(self, data_center: DataCenter, domain: StorageDomain) -> StorageDomain:
        """Attach a storage domain to a data center; wait for `maintenance` or `active` there."""
        return storage.attach(self, data_center, domain)

    def activate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Activate a storage domain in its data center."""
        storage.switch(self, data_center, domain, "activate")

    def deactivate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Put a storage domain into maintenance."""
        storage.switch(self, data_center, domain, "deactivate")

    def detach_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Detach a storage domain; refused for a local one where that would format it."""
        storage.detach(self, data_center, domain)

    def unregistered_domains(
        self, host: Host, portal: Mapping[str, Any] | None = None, targets: Sequence[str] = ()
    ) -> builtins.list[StorageDomain]:
        """Find block domains that a host sees and the manager does not have, with id, name and volume group.

        Args:
            host: The hypervisor that looks.
            portal: For iSCSI: address, port, username, password (a Secret). None looks at Fibre Channel.
            targets: The portal's targets to log in to.

        Raises:
            Usage: The engine is older than 3.5.
        """
        return storage.unregistered_domains(self, host, dict(portal or {}), targets)

    def unregistered_templates(self, domain: StorageDomain) -> builtins.list[Template]:
        """List the templates on a data domain that the manager does not have; `act` with `register` takes one in.

        Raises:
            Usage: The engine is older than 3.5.
        """
        return storage.unregistered_templates(self, domain)

    def set_fencing(self, host: Host, agent: FenceAgent) -> bool:
        """Set and enable a host's fence agent; False if it was so already, its password aside."""
        return host_parts.set_fencing(self, host, agent)

    def fence(self, host: Host, kind: str) -> str:
        """Fence a host: manual, restart, start, stop; or status, which answers on or off."""
        return host_parts.fence(self, host, kind)

    def reinstall(self, host: Host, activate: bool, **login: Any) -> None:
        """Install a host again.

        Args:
            host: In maintenance, or one whose installation failed.
            activate: It should be up afterwards. False leaves that to the engine: up before 4.3, in maintenance since.
            login: root_password (a Secret), or ssh (an `Ssh`).
        """
        host_parts.reinstall(self, host, activate, login)

    def deactivate(self, host: Host, *, stop_gluster: bool = False) -> None:
        """Take a host to maintenance.

        Args:
            host: Which one.
            stop_gluster: With the Gluster services on it; refused while something on its bricks is not healed.
        """
        host_parts.deactivate(self, host, stop_gluster)

    def upgrade_of(self, host: Host, image: str = "") -> tuple[str, dict[str, Any]]:
        """How a host is upgraded: the action for `act`, and its parameters.

        Args:
            host: Which one.
            image: For a RHEV-H: the ISO's file name on the manager.

        Raises:
            Usage: The engine cannot do it, or needs an image, or has no use for one.
        """
        return host_parts.upgrade_of(self, host, image)

    def certificates_of(self, hosts: Sequence[Host]) -> dict[str, HostCertificate]:
        """What is known of hosts' certificates, by the host's id; nothing before 3.6."""
        return certificates.certificates(self, hosts)

    def enrolment_outcome(self, host: Host, event_id: int) -> str | None:
        """How an enrolment ended that began after an event: empty for well, the manager's words for badly.

        None while it has not ended.
        """
        return certificates.enrolment_outcome(self, host, event_id)

    @property
    def lists_virtual_gpus(self) -> bool:
        """Whether machines have a list of virtual GPUs. Before 4.5 the custom property mdev_type holds them."""
        return self.calls.dialect.has("mediated_devices")

    @property
    def tunes_numa_nodes(self) -> bool:
        """Whether each NUMA node of a machine has a mode of its own. Before 4.4 the machine has one for all."""
        return self.calls.dialect.has("numa_tuned_each")

    @property
    def enrolls_silent_hosts(self) -> bool:
        """Whether a host that does not answer can be enrolled. Before 4.5 it has to be in maintenance."""
        return self.calls.dialect.has("silent_enrolment")

    @property
    def can_use_ssh_users(self) -> bool:
        """Whether it can log in to hosts by its SSH key, or as another user than root.

        Before 3.3 it needs root's password.
        """
        return self.calls.dialect.has("ssh")

    @property
    def stops_gluster(self) -> bool:
        """Whether it can stop Gluster for maintenance, after a check that all is healed. Before 4.0 it cannot."""
        return self.calls.dialect.has("stopping_gluster")

    @property
    def can_look_at_healing(self) -> bool:
        """Whether it can check on request that Gluster volumes are healed. Before 4.4 it checks by itself."""
        return self.calls.dialect.has("gluster_heal_look")

    @property
    def takes_events(self) -> bool:
        """Whether others can write into its log. Before 3.2 nobody can."""
        return self.calls.dialect.has("own_events")

    @property
    def can_look_for_upgrades(self) -> bool:
        """Whether it has the action `upgradecheck` for hosts. Before 4.1 it checks by itself, daily."""
        return self.calls.dialect.has("upgrade_check")

    def host_networks(self, host: Host) -> builtins.list[NetworkAttachment]:
        """Which logical network is on which NIC of a host, with names."""
        return hostnetworks.host_networks(self, host)

    def set_host_networks(
        self,
        host: Host,
        wanted: Sequence[NetworkAttachment],
        *,
        bonds: Sequence[HostNic] = (),
        removed: Sequence[NetworkAttachment] = (),
        unbound: Sequence[HostNic] = (),
        check: bool = True,
    ) -> bool:
        """Put networks on a host's NICs and save that; False if all was so already.

        Args:
            host: Which host.
            wanted: Made by `NetworkAttachment.on`; networks that are not named stay as they are.
            bonds: To make or change, as `HostNic(name="bond0", bonding=Bonding(options=..., slaves=...))`.
            removed: From `host_networks`, to take off first.
            unbound: Bonds to take apart; networks on them have to be among those that are moved or removed.
            check: Let the engine take the change back when it loses the host by it.
        """
        todo = hostnetworks.WantedNetworks(wanted, bonds, removed, unbound, check)
        return hostnetworks.set_host_networks(self, host, todo)

    def next_run_of(self, vm: Vm) -> Vm:
        """A VM as it will be from its next start on; the same as it is where the engine keeps no such thing."""
        return vm_parts.next_run_of(self, vm)

    def is_too_early(self, vm: Vm, wanted: Mapping[str, Any]) -> bool:
        """Whether a VM has to be up, or completely off, before that change."""
        if not self.calls.dialect.has("jobs"):
            return too_early(vm, vm.differences(wanted), tuple)
        return too_early(vm, vm.differences(wanted), lambda: self.catalog.all(EngineJob).values())

    def has_written(self, vm: Vm) -> bool | None:
        """Has the engine written what waited until a VM was off? It says that nothing waits any more before it does,
        and notes the change when it has. None if its events do not tell."""
        try:
            return self.catalog.has_written(vm)
        except RhevError:
            return None

    def is_launching(self, vm: Vm) -> bool:
        """Whether a VM that is up is still being started; False where the manager does not show it."""
        try:
            return is_launching(vm, self.list(EngineJob)) if self.calls.dialect.has("jobs") else False
        except RhevError:
            return False

    def plug_disk(self, vm: Vm, disk: Disk, active: bool) -> None:
        """Let the guest see a disk, or not; a running VM's disk has to be unplugged before it is taken off."""
        vm_parts.plug_disk(self, vm, disk, active)

    def websocket_proxy(self) -> WebsocketProxy:
        """Where the proxy is that brings consoles into browsers."""
        return vm_parts.websocket_proxy(self)

    def browser_console(self, vm: Vm, seconds: int, proxy: WebsocketProxy) -> BrowserConsole:
        """A running VM's VNC console behind the engine's websocket proxy, with fresh tickets."""
        return vm_parts.browser_console(self, vm, seconds, proxy)

    def console(self, vm: Vm, seconds: int, password: Secret | None = None) -> Console:
        """Where a running VM's console is, with a fresh ticket that lives so many seconds, or with that password."""
        return vm_parts.console(self, vm, seconds, password)

    def cpu_types(self, version: str = "") -> builtins.list[str]:
        """The CPU families that clusters of a compatibility level may have: maker by maker, of each the weakest first.

        Args:
            version: The level, as `4.7`; empty for the newest.

        Raises:
            NotFound: The manager knows no such level.
        """
        return self.catalog.level(version).families
