"""xCAT's words for where on a hypervisor a machine is: sets of CPUs and NUMA nodes, devices, huge pages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import Usage
from ..units import GIB, KIB, MIB, show_size

NONE = "none"
_SET = re.compile(r"[0-9]{1,4}(-[0-9]{1,4})?(,\^?[0-9]{1,4}(-[0-9]{1,4})?)*")
#: Names that libvirt gives: `pci_0000_3b_00_0`, `usb_1_4`, `scsi_2_0_0_0`; and PCI addresses, as lspci shows them.
_DEVICE = re.compile(r"[a-z][a-z0-9]*_[a-zA-Z0-9_]+")
_ADDRESS = re.compile(r"([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
#: Bytes of the huge pages that processors have: x86, POWER and ARM.
PAGES = (2 * MIB, 16 * MIB, 32 * MIB, 512 * MIB, GIB, 16 * GIB)


@dataclass(frozen=True)
class HugePages:
    """What `hugepage` says: xCAT's number of pages, or their size.

    Attributes:
        size: Bytes of each; 0 where the number says it.
        count: How many make up the machine's memory; 0 where the size is given.
    """

    size: int = 0
    count: int = 0

    def size_for(self, memory: int | None) -> int:
        """The size in bytes for a machine with so much memory; 0 for none at all.

        Raises:
            Usage: No processor has such pages.
        """
        if not self.count:
            return self.size
        if not memory:
            raise Usage(f"{self.count} pages need vm.memory, which gives their size", "Write it, or hugepage:1g")
        size, left = divmod(memory, self.count)
        if left or size not in PAGES:
            raise Usage(
                f"{show_size(memory)} of memory cannot be {self.count} huge pages",
                f"Their number is vm.memory by their size, one of {_sizes()}; or write the size, as hugepage:1g",
            )
        return size


def cpu_set(text: str) -> str:
    """CPUs of a host as libvirt and engines write them: `0-15,^8`; xCAT's manual has them in quotes.

    Args:
        text: Numbers, ranges, and what a ^ takes out of those before it, joined by commas.

    Raises:
        Usage: It is otherwise, or there is none.
    """
    bare = text.strip("'\"")
    if not _SET.fullmatch(bare):
        raise Usage(f"'{text}' is not a set of CPUs", "Write numbers and ranges, as 0-15,^8")
    return bare


def node_set(text: str) -> str:
    """NUMA nodes of a host in the same form, written without a ^ and in order; or `none`.

    Raises:
        Usage: It is otherwise, or there is none.
    """
    bare = text.strip("'\"")
    if bare == NONE:
        return bare
    found = numbers(bare) if _SET.fullmatch(bare) else ()
    if not found:
        raise Usage(f"'{text}' is not a set of NUMA nodes", f"Write numbers and ranges, as 0-1, or {NONE}")
    return write_set(found)


def numbers(text: str) -> tuple[int, ...]:
    """The numbers of such a set, read from left to right."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.lstrip("^").partition("-")
        span = range(int(first), int(last or first) + 1)
        if part.startswith("^"):
            found.difference_update(span)
        else:
            found.update(span)
    return tuple(sorted(found))


def write_set(found: tuple[int, ...]) -> str:
    """Numbers in order as such a set: `0-3,8`."""
    spans: list[list[int]] = []
    for number in found:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def device(text: str) -> str:
    """A device's name as libvirt has it; a PCI address becomes one.

    Raises:
        Usage: Neither.
    """
    bare = text.strip("'\"")
    if _ADDRESS.fullmatch(bare):
        whole = bare if bare.count(":") == 2 else f"0000:{bare}"
        return f"pci_{re.sub('[:.]', '_', whole.lower())}"
    if not _DEVICE.fullmatch(bare):
        raise Usage(f"'{text}' is not a device of a hypervisor", "Write it as pci_0000_3b_00_0, or 0000:3b:00.0")
    return bare


def with_devices(text: str, added: Iterable[str], away: Iterable[str]) -> str:
    """What `devpassthrough` says, with some devices more and without others.

    Args:
        text: As it is written.
        added: Names.
        away: Names.
    """
    there = [part.strip() for part in text.split(",") if part.strip()]
    gone = {*away, *(f"-{name}" for name in added)}
    kept = [part for part in there if (part if part.startswith("-") else device(part)) not in gone]
    known = {device(part) for part in kept if not part.startswith("-")}
    return ",".join([*kept, *(name for name in added if name not in known)])


def huge_pages(text: str) -> HugePages:
    """Huge pages: their number as xCAT has it, or their size with a suffix; `none` for none.

    Raises:
        Usage: Neither.
    """
    if text == NONE:
        return HugePages()
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text):
        return HugePages(count=int(text))
    found = re.fullmatch(r"([0-9]{1,7})([kmg])b?", text, re.IGNORECASE)
    size = int(found[1]) * {"k": KIB, "m": MIB, "g": GIB}[found[2].lower()] if found else 0
    if size not in PAGES:
        raise Usage(
            f"'{text}' is not a size or number of huge pages",
            f"Write their number, or their size: {_sizes()}, or {NONE}",
        )
    return HugePages(size)


def page_word(size: int) -> str:
    """A size as `hugepage` takes it."""
    return f"{size // GIB}g" if size % GIB == 0 else f"{size // MIB}m"


def _sizes() -> str:
    return ", ".join(map(page_word, PAGES))
