"""The machines of a command: found with one search, and what to say about those that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...engine.nouns import Vm
from ...errors import Usage
from ...messages import Error
from ..common import Context

#: rhevm.pm's text, which people's scripts look for.
NOT_DEFINED = "node was not defined in the rhevm."


def find(context: Context, details: bool = False) -> dict[str, Vm]:
    """The machines of this group that the manager has, by node.

    Args:
        context: The command's.
        details: With their disks and NICs.
    """
    return context.manager.find(Vm, context.nodes, details=details)


def stored(context: Context, vm: Vm) -> Vm:
    """A machine with the settings that it keeps: engines show those of this run, and keep changes for the next."""
    if not (vm.next_run or vm.run_once):
        return vm
    kept = context.manager.pending(vm).values()
    return vm.replace(**{name: value for name, value in kept.items() if name not in ("disks", "nics", "status")})


def missing(context: Context, node: str) -> Error:
    """What to say about a node that the manager has no machine for."""
    return Error(f"{NOT_DEFINED} The manager is {context.manager.name}. Run: mkvm {node}", node)


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
