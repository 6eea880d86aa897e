"""Disks that are named on the command line: added, detached, removed, made larger. vm.storage is changed accordingly.

A disk is named by its name, its id, or its number, which is the N of `vm1_DiskN`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ...engine.nouns import Disk, DiskImage, Ref, StorageDomain
from ...errors import RhevError, Usage
from ...ordering import natural
from ...plan.jobs import Step, Wait
from ...rows.vmstorage import DiskRow, disk_name, parts_of, writable, write, written_size
from ...rows.vmwords import option_size, split_list, with_unit
from ...units import show_size
from .diskmatch import several
from .images import Images
from .leaving import removable_disks, waits
from .make import AT_REST, NO_DISK, Making


@dataclass(frozen=True)
class DiskOptions:
    """The requested changes.

    Attributes:
        add: Sizes, each with its storage domain before a colon if it is another than that of the first disk.
        attach: Disks that are there, to be attached.
        detach: Disks to take off and keep.
        purge: Disks to remove.
        resize: Pairs of a disk and a size.
    """

    add: tuple[str, ...] = ()
    attach: tuple[str, ...] = ()
    detach: tuple[str, ...] = ()
    purge: tuple[str, ...] = ()
    resize: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, options: Mapping[str, str]) -> DiskOptions:
        """Read the options.

        Raises:
            Usage: --resize is not of the form disk=size, or an option names nothing.
        """
        pairs = []
        for text in split_list(options.get("resize", "")):
            disk, mark, size = text.partition("=")
            if not mark or not disk:
                raise Usage(f"--resize {text}: not of the form disk=size", "Write --resize 1=40g")
            pairs.append((disk, size))
        named = {name: split_list(options.get(name, "")) for name in ("add", "attach", "detach", "purge")}
        for name, words in named.items():
            if name in options and not words:
                raise Usage(f"--{name} '{options[name]}' names nothing", "Leave it out, or write a disk or a size")
        return cls(**named, resize=tuple(pairs))

    def __bool__(self) -> bool:
        return bool(self.add or self.attach or self.detach or self.purge or self.resize)


@dataclass
class Editing:
    """The disks of one machine.

    Attributes:
        making: Knows the machine and how to add a disk.
        text: vm.storage as it is.
        images: Disks that are to be attached.
        faults: What cannot be done.
        named: The disks that were named, as often as they were.
    """

    making: Making
    text: str
    images: Images
    faults: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        there = self.making.disks_by_part()
        ids = [there[row.name].id if row.name in there else "" for row in self.making.row.disks]
        #: vm.storage part by part, each with the id of the disk that it is.
        self.parts_of_text = [[id, part] for id, part in zip(ids, parts_of(self.text))]

    def parts(self, asked: DiskOptions) -> list[Step | Wait]:
        """The steps; what cannot be done is in `faults`."""
        found: list[Step | Wait] = []
        for name in asked.detach:
            found += self._removal(name, keep=True)
        for name in asked.purge:
            found += self._removal(name, keep=False)
        for name, size in asked.resize:
            found += self._resize_steps(name, size)
        for name in asked.attach:
            found += self._attach_steps(name)
        for number, text in enumerate(asked.add):
            found += self._add_steps(text, number)
        names = {disk.id: disk.name for disk in self.making.disks}
        for id in sorted({id for id in self.named if self.named.count(id) > 1}):
            self.faults.append(f"disk {names[id] or id} is named twice")
        new = "|".join(part for _, part in self.parts_of_text)
        if self.text and new != "|".join(parts_of(self.text)):
            found.append(Step("write vm.storage", partial(self._write, new)))
        return found

    def _write(self, text: str) -> None:
        self.making.xcat.set_node_attrs("vm", {self.making.row.node: {"storage": text}})

    def disk(self, name: str) -> Disk | None:
        """The disk of that name, id or number; a fault if there is none, or several."""
        hits = next(
            (found for found in map(self._disks_by_name, self._names(name)) if found), self._disks_by_number(name)
        )
        if len(hits) == 1:
            self.named.append(hits[0].id)
            return hits[0]
        if hits:
            self.faults.append(f"disk {name}: {several([self._with_domain_names(disk) for disk in hits])}")
            return None
        there = ", ".join(sorted((disk.name or disk.id for disk in self.making.disks), key=natural)) or "none"
        self.faults.append(f"it has no disk {name}; it has {there}")
        return None

    def _names(self, name: str) -> Sequence[str]:
        """The names to look for, in order."""
        return (name, disk_name(self.making.row.node, int(name)), f"Disk {name}") if name.isdigit() else (name,)

    def _disks_by_name(self, name: str) -> list[Disk]:
        by_id = [disk for disk in self.making.disks if disk.id == name]
        return by_id or [disk for disk in self.making.disks if name in (disk.name, disk.alias)]

    def _disks_by_number(self, name: str) -> list[Disk]:
        """The disk of a part of vm.storage, by the part's number: those of a template keep its names."""
        number = int(name) - 1 if name.isdigit() else -1
        id = self.parts_of_text[number][0] if 0 <= number < len(self.parts_of_text) else ""
        return [disk for disk in self.making.disks if disk.id == id]

    def _with_domain_names(self, disk: Disk) -> Disk:
        """A disk that says the names of its storage domains."""
        named = (Ref(ref.id, self.making.manager.name_of(StorageDomain, ref)) for ref in disk.storage_domains)
        return disk.replace(storage_domains=tuple(named))

    def _removal(self, name: str, keep: bool) -> Iterator[Step | Wait]:
        disk = self.disk(name)
        if disk is None:
            return
        if keep and not self.making.manager.keeps_disks:
            self.faults.append(f"RHEV 3.0 cannot take the disk {name} off and keep it; -p removes it")
        self.parts_of_text = [part for part in self.parts_of_text if part[0] != disk.id]
        if self.making.there.status not in AT_REST:
            yield Step(
                f"unplug disk {disk.name}", partial(self.making.manager.plug_disk, self.making.there, disk, False)
            )
        text = f"take off disk {disk.name} and keep it" if keep else f"remove disk {disk.name}"
        yield Step(text, partial(self.making.manager.remove_disk, self.making.there, disk, keep=keep))
        if not keep:
            making = self.making
            yield from waits(making.manager, making.there, removable_disks(making.manager, [disk]), making.limit)

    def _attach_steps(self, name: str) -> Iterator[Step]:
        fault = self.images.fault(name)
        if fault:
            self.faults.append(fault)
            return
        image = self.images[name]
        if image.id in {disk.id for disk in self.making.disks}:
            return
        yield Step(f"attach the disk {name}", partial(self._attach, image))
        self.parts_of_text.append([image.id, self._column_text(image)])

    def _column_text(self, image: DiskImage) -> str:
        """A disk as vm.storage has it: a shared disk or a LUN is only attached."""
        name = image.name or image.alias or ""
        unique = writable(name) and name not in {disk.name for disk in self.making.disks}
        known = name if unique else image.id
        domain = next((self.making.manager.name_of(StorageDomain, ref) for ref in image.storage_domains), "")
        if image.lun_id or image.shareable or not domain:
            return write("", "", False, image.id)
        return write(domain, written_size(image.size or 0), False, known)

    def _attach(self, image: DiskImage) -> None:
        how = Disk(id=image.id, bootable=False, interface=self.making.row.interface, active=True)
        self.making.disks.append(self.making.manager.add_disk(self.making.there, how))

    def _resize_steps(self, name: str, text: str) -> Iterator[Step]:
        disk = self.disk(name)
        size = self._size(text, "--resize")
        if disk is None or not size:
            return
        if disk.is_lun:
            self.faults.append(f"disk {disk.name} is a LUN; its size is changed on the storage")
        elif (disk.size or 0) > size:
            self.faults.append(f"disk {disk.name} has {show_size(disk.size or 0)}; disks do not shrink")
        elif (disk.size or 0) < size and self.making.no_growth():
            self.faults.append(f"disk {disk.name} stays as it is: {self.making.no_growth()}")
        for part in self.parts_of_text:
            if part[0] == disk.id:
                head, named, known = part[1].partition("=")
                domain, _, rest = head.partition(":")
                kind = rest.partition(":")[2]
                part[1] = ":".join(filter(None, (domain, with_unit(text), kind))) + named + known
        if not disk.is_lun and (disk.size or 0) < size:
            yield Step(f"resize disk {disk.name} to {show_size(size)}", partial(self.making.grow, disk, size))

    def _add_steps(self, text: str, number: int) -> Iterator[Step | Wait]:
        named, _, size_text = text.rpartition(":")
        size = self._size(size_text, "-a")
        domain = self._domain(named)
        if not size or not domain:
            return
        wanted = DiskRow(self._free_name(number), domain, size)
        yield from self.making.between(number)
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
        """Where a new disk goes: as named, else that of the first disk, else the only one."""
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
        """The next of the engine's own names; those below are the numbers of a template's disks."""
        node, first = self.making.row.node, max(len(self.parts_of_text) - number, len(self.making.disks)) + 1
        used = {disk.name for disk in self.making.disks} | {disk.alias for disk in self.making.disks}
        free = (
            disk_name(node, count)
            for count in range(first, first + len(used) + number + 3)
            if disk_name(node, count) not in used and f"Disk {count}" not in used
        )
        return [name for name, _ in zip(free, range(number + 1))][number]
