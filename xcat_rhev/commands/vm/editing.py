"""Disks that are named on the command line: added, detached, removed, made larger. vm.storage follows suit.

A disk is named by its name, its id, or its number, which is the N of `vm1_DiskN`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from ...engine.nouns import Disk
from ...errors import RhevError, Usage
from ...jobs import Step, Wait
from ...units import show_size
from .making import NO_DISK, Making
from .rows import DiskRow, disk_name
from .words import listed, option_size, with_unit


@dataclass(frozen=True)
class Asked:
    """What was asked.

    Attributes:
        add: Sizes, each with its storage domain before a colon if it is another than that of the first disk.
        detach: Disks to take off and keep.
        purge: Disks to remove.
        resize: Pairs of a disk and a size.
    """

    add: tuple[str, ...] = ()
    detach: tuple[str, ...] = ()
    purge: tuple[str, ...] = ()
    resize: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Asked:
        """Read the options.

        Raises:
            Usage: --resize is not of the form disk=size, or an option names nothing.
        """
        pairs = []
        for text in listed(options.get("resize", "")):
            disk, mark, size = text.partition("=")
            if not mark or not disk:
                raise Usage(f"--resize {text}: not of the form disk=size", "Write --resize 1=40g")
            pairs.append((disk, size))
        named = {name: listed(options.get(name, "")) for name in ("add", "detach", "purge")}
        for name, words in named.items():
            if name in options and not words:
                raise Usage(f"--{name} '{options[name]}' names nothing", "Leave it away, or write a disk or a size")
        return cls(**named, resize=tuple(pairs))

    def __bool__(self) -> bool:
        return bool(self.add or self.detach or self.purge or self.resize)


@dataclass
class Editing:
    """The disks of one machine.

    Attributes:
        making: Knows the machine and how to add a disk.
        text: vm.storage as it stands.
        faults: What cannot be done.
        named: The disks that were named, as often as they were.
    """

    making: Making
    text: str
    faults: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = self.text.split("|") if self.text else []
        there = self.making.assigned()
        names = [disk_name(self.making.row.node, number) for number in range(1, len(parts) + 1)]
        #: vm.storage part by part, each with the id of the disk that it is.
        self.parts_of_text = [[there[name].id if name in there else "", part] for name, part in zip(names, parts)]

    def parts(self, asked: Asked) -> list[Step | Wait]:
        """The steps; what cannot be done is in `faults`."""
        found: list[Step | Wait] = []
        for name in asked.detach:
            found += self._taken(name, keep=True)
        for name in asked.purge:
            found += self._taken(name, keep=False)
        for name, size in asked.resize:
            found += self._resized(name, size)
        for number, text in enumerate(asked.add):
            found += self._added(text, number)
        for name in sorted({name for name in self.named if self.named.count(name) > 1}):
            self.faults.append(f"disk {name} is named twice")
        new = "|".join(part for _, part in self.parts_of_text)
        if self.text and new != self.text:
            found.append(Step("write vm.storage", partial(self._write, new)))
        return found

    def _write(self, text: str) -> None:
        self.making.xcat.set_node_attrs("vm", {self.making.row.node: {"storage": text}})

    def disk(self, name: str) -> Disk | None:
        """The disk of that name, id or number; a fault if there is none."""
        node = self.making.row.node
        names = (name, disk_name(node, int(name)), f"Disk {name}") if name.isdigit() else (name,)
        for disk in self.making.disks:
            if {disk.name, disk.alias, disk.id} & set(names):
                self.named.append(disk.name or disk.id)
                return disk
        there = ", ".join(sorted(disk.name or disk.id for disk in self.making.disks)) or "none"
        self.faults.append(f"it has no disk {name}; it has {there}")
        return None

    def _taken(self, name: str, keep: bool) -> Iterator[Step]:
        disk = self.disk(name)
        if disk is None:
            return
        if keep and not self.making.manager.keeps_disks:
            self.faults.append(f"RHEV 3.0 cannot take the disk {name} off and keep it; -p removes it")
        self.parts_of_text = [part for part in self.parts_of_text if part[0] != disk.id]
        if self.making.there.status not in ("down", "image_locked"):
            yield Step(f"unplug disk {disk.name}",
                       partial(self.making.manager.plug_disk, self.making.there, disk, False))
        text = f"take off disk {disk.name} and keep it" if keep else f"remove disk {disk.name}"
        yield Step(text, partial(self.making.manager.remove_disk, self.making.there, disk, keep=keep))

    def _resized(self, name: str, text: str) -> Iterator[Step]:
        disk = self.disk(name)
        size = self._size(text, "--resize")
        if disk is None or not size:
            return
        if (disk.size or 0) > size:
            self.faults.append(f"disk {disk.name} has {show_size(disk.size or 0)}; disks do not shrink")
        elif (disk.size or 0) < size and self.making.no_growth():
            self.faults.append(f"disk {disk.name} stays as it is: {self.making.no_growth()}")
        for part in self.parts_of_text:
            if part[0] == disk.id:
                domain, _, rest = part[1].partition(":")
                kind = rest.partition(":")[2]
                part[1] = ":".join(filter(None, (domain, with_unit(text), kind)))
        if (disk.size or 0) < size:
            yield Step(f"resize disk {disk.name} to {show_size(size)}", partial(self.making.grow, disk, size))

    def _added(self, text: str, number: int) -> Iterator[Step | Wait]:
        named, _, size_text = text.rpartition(":")
        size = self._size(size_text, "-a")
        domain = self._domain(named)
        if not size or not domain:
            return
        wanted = DiskRow(self._free_name(number), domain, size)
        if number:
            yield Wait("wait until the disk is made", self.making.settled, self.making.see)
        yield Step(f"add disk {wanted.name} of {show_size(size)} on {domain}", partial(self._add, wanted), NO_DISK)
        self.parts_of_text.append(["", f"{domain}:{with_unit(size_text)}:data"])

    def _add(self, wanted: DiskRow) -> None:
        making = self.making
        making.disks.append(making.manager.add_disk(making.there, making.new_disk(wanted)))

    def _size(self, text: str, what: str) -> int:
        try:
            return option_size(text, what)
        except RhevError as problem:
            self.faults.append(str(problem))
            return 0

    def _domain(self, named: str) -> str:
        """Where a new disk goes: as named, else where the first disk is, else the only one there is."""
        place = self.making.place
        known = {domain.id: domain.name for domain in place.domains.values()}
        first = next((ref for disk in self.making.disks for ref in disk.storage_domains), None)
        fit = place.fit()
        name = named or (first and known.get(first.id, first.name)) or (fit[0] if len(fit) == 1 else "")
        if name in fit:
            return name
        what = f"Could not get the storage domain {name}" if name else "-a does not say on which storage domain"
        self.faults.append(f"{what}. Write -a DOMAIN:SIZE with one of: {', '.join(fit) or 'none is active'}")
        return ""

    def _free_name(self, number: int) -> str:
        """The next of the engine's own names."""
        node = self.making.row.node
        used = {disk.name for disk in self.making.disks} | {disk.alias for disk in self.making.disks}
        free = (disk_name(node, count) for count in range(1, len(used) + number + 3)
                if disk_name(node, count) not in used and f"Disk {count}" not in used)
        return [name for name, _ in zip(free, range(number + 1))][number]
