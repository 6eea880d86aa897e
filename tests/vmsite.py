"""A site with hypervisors and nodes for virtual machines, and a look into the simulator's world past the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vesim import VERSIONS, Site
from vesim import each_version as each

#: The versions that have what came between 3.0 and 3.6.
MODERN = ((3, 6), (4, 5))


class VmSite(Site):
    """A manager with three hypervisors and the storage domain data1.

    Args:
        factory: pytest's maker of folders.
        version: The engine's version.
        options: As for `Site`.
    """

    def __init__(self, factory: pytest.TempPathFactory, version: tuple[int, int], **options: Any) -> None:
        super().__init__(factory, version, **{"hosts": 3, **options})
        self.network = "rhevm" if version < (4, 0) else "ovirtmgmt"

    def node(self, name: str, **columns: str) -> str:
        """Make a node for a machine, with columns of the vm table."""
        self.row("vm", name, mgr=self.manager, **columns)
        return name

    def nodes(self, *names: str, **columns: str) -> list[str]:
        """Make several alike."""
        return [self.node(name, **columns) for name in names]

    def hypervisor(self, name: str) -> str:
        """Make a node for a hypervisor."""
        self.row("hypervisor", name, mgr=self.manager, type="rhevh")
        return name

    def made(self, *names: str, **columns: str) -> list[str]:
        """Make machines; the default is one small disk."""
        columns.setdefault("storage", "data1:1g")
        found = self.nodes(*names, **columns)
        self.ok("mkvm", found)
        return found

    def running(self, *names: str, **columns: str) -> list[str]:
        """Make machines and start them."""
        found = self.made(*names, **columns)
        self.ok("rpower on", found)
        self.clock.advance(60)
        return found

    def vm(self, name: str) -> dict[str, Any]:
        """A machine as the engine has it."""
        self.world.settle()
        return self.thing("vm", name)

    def count(self, kind: str, name: str) -> int:
        """How many things have that name."""
        self.world.settle()
        return len(self.world.by_name(kind, name))

    def parts(self, kind: str, vm: str) -> list[dict[str, Any]]:
        """Disks, NICs or snapshots of a machine, by name."""
        found: list[dict[str, Any]] = self.world.of(kind, "vm", self.vm(vm)["id"])
        return sorted(found, key=lambda each: str(each.get("name")))

    def host_of(self, vm: str) -> str:
        """The name of the hypervisor that a machine runs on."""
        on = self.vm(vm).get("host")
        return str(self.world.the("host", on)["name"]) if on else ""

    def row_of(self, node: str, table: str = "vm") -> dict[str, str]:
        """A node's row without its manager."""
        return {key: value for key, value in self.host.row(table, node).items() if key not in ("node", "mgr")}


def each_version(versions: Sequence[tuple[int, int]] = VERSIONS, kind: type[VmSite] = VmSite, **options: Any) -> Any:
    """A fixture, as `vesim.each_version`."""
    return each(versions, kind, **options)
