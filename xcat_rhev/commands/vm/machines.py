"""The machines of a command: found with one search, and what to say about those that are not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ...engine.nouns import Noun, Vm
from ...errors import Usage
from ...messages import Error
from ..common import Context

#: rhevm.pm's texts, which people's scripts look for; the second is chvm's.
NOT_DEFINED = "node was not defined in the rhevm."
NOT_CREATED = "virtual machine was not created."


class Machines(dict[str, Vm]):
    """Machines by node, and the nodes whose name fits several; those are an error of their own and touched by nobody.

    Args:
        found: What the manager has with these names.
        manager: Its name.
    """

    def __init__(self, found: Iterable[Vm], manager: str) -> None:
        super().__init__()
        self._manager = manager
        self.several: set[str] = set()
        for vm in found:
            if self.setdefault(vm.name, vm).id != vm.id:
                self.several.add(vm.name)
        for name in self.several:
            del self[name]

    def lack(self, node: str, text: str = NOT_DEFINED) -> Error:
        """What to say about a node that has no machine here."""
        if node in self.several:
            return Error(f"the manager {self._manager} has several machines named {node}, so none is touched", node)
        return Error(f"{text} The manager is {self._manager}. Run: mkvm {node}", node)


def find(context: Context, details: bool = False, also: type[Noun] | None = None) -> Machines:
    """The machines of this group that the manager has, by node.

    Args:
        context: The command's.
        details: With their disks and NICs.
        also: With their snapshots, or with their CD drives.
    """
    return find_named(context, context.nodes, details, also=also)


def find_named(
    context: Context, nodes: Sequence[str], details: bool = False, everything: bool = False,
    also: type[Noun] | None = None, only: Collection[str] = (),
) -> Machines:
    """The same for some of the nodes; for none nothing is asked.

    Args:
        context: The command's.
        nodes: Some of its nodes.
        details: With their disks and NICs.
        everything: Serial consoles are told as well.
        also: With their snapshots or CD drives.
        only: The attributes that are wanted besides name and id, in place of all; without details.
    """
    if not nodes:
        return Machines([], context.manager.name)
    found = context.manager.look(Vm, nodes, details=details, everything=everything, also=also, only=only)
    return Machines(found, context.manager.name)


def stored(context: Context, vm: Vm) -> Vm:
    """A machine with the settings that it keeps: engines show those of this run, and keep changes for the next."""
    if not (vm.next_run or vm.run_once):
        return vm
    kept = context.manager.pending(vm).values()
    return vm.replace(**{name: value for name, value in kept.items() if name not in ("disks", "nics", "status")})


def errors(faults: Mapping[str, list[str]]) -> Iterator[Error]:
    """Every fault of every node."""
    for node, texts in faults.items():
        for text in texts:
            yield Error(text, node)


def no_words(context: Context, usage: str) -> None:
    """Refuse words that a command has no use for.

    Raises:
        Usage: There are some.
    """
    if context.words:
        raise Usage(f"{context.request.command} does not know '{' '.join(context.words)}'", f"Usage: {usage}")
