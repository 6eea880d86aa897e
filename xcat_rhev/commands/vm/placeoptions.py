"""chvm's options for the place of a machine on its hypervisor, and the changes of its row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from ...errors import Usage
from ...rows.placement import NONE, device, node_set, with_devices
from ...rows.vm import VmRow
from ...rows.vmsettings import VmSettings, pairs, set_value
from ...rows.vmwords import split_list

T = TypeVar("T")


@dataclass(frozen=True)
class Placing:
    """What --membind, --devpassthru and --devdetach say."""

    membind: str = ""
    devices: tuple[str, ...] = ()
    away: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Placing:
        """Read them.

        Raises:
            Usage: One is not valid, or they contradict each other.
        """
        nodes = _read(options, "membind", node_set) if "membind" in options else ""
        placing = cls(nodes, _read(options, "devpassthru", _devices), _read(options, "devdetach", _devices))
        both = set(placing.devices) & set(placing.away)
        if both:
            raise Usage(f"--devpassthru and --devdetach both name {', '.join(sorted(both))}")
        return placing

    def faults(self, row: VmRow | None, values: Mapping[str, Any]) -> Iterator[str]:
        """What does not go together with a row."""
        if row and row.settings.fit and "cpu_pins" in values:
            yield "--cpupin: fit:numa in vm.othersettings chooses its CPUs. Take that out first"

    def row(self, node: str, row: VmRow | None, values: Mapping[str, Any]) -> VmRow:
        """The changed row; new memory and CPUs are placed as the row says."""
        settings = row.settings if row else VmSettings()
        moved = bool(self.membind or {"memory", "sockets"} & set(values))
        told = VmSettings(
            membind=self.membind or (settings.membind if moved else ""),
            fit=settings.fit and moved,
            devices=self.devices,
            not_devices=self.away,
        )
        sizes = (values["sockets"], values["cores"], values["threads"]) if "sockets" in values else None
        return VmRow(node, memory=values.get("memory"), topology=sizes, settings=told)

    def settings_text(self, text: str, cpus: str) -> str:
        """What vm.othersettings says then.

        Args:
            text: What it says.
            cpus: What --cpupin says.
        """
        there = dict(pairs(text))
        if cpus:
            text = set_value(text, "vcpupin", cpus)
        if self.membind and self.membind != there.get("membind", ""):
            text = set_value(text, "membind", "" if self.membind == NONE else self.membind)
        if self.devices or self.away:
            devices = with_devices(there.get("devpassthrough", ""), self.devices, self.away)
            text = set_value(text, "devpassthrough", devices) if devices != there.get("devpassthrough", "") else text
        return text


def _read(options: Mapping[str, Any], name: str, read: Callable[[str], T]) -> T:
    """Read an option.

    Raises:
        Usage: It is not valid; the error names it.
    """
    try:
        return read(options.get(name, ""))
    except Usage as problem:
        raise Usage(f"--{name}: {problem.text}", problem.hint) from None


def _devices(text: str) -> tuple[str, ...]:
    return tuple(map(device, split_list(text)))
