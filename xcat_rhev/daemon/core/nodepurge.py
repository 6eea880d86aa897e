"""nodepurge: nodes out of the tables and out of all that was made of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...declare.command import CommandWords
from ...messages import Error, Info, Warn
from ..reply import Output, Reply
from .declare import CommandCall, Core, own_command, refusal

#: What to say before -> the command and its arguments. They read the tables, so the nodes leave those last.
_BEFORE = (
    ("Configuring nodes...", "nodeset", ("offline",)),
    ("Updating DHCP entries", "makedhcp", ("-d",)),
    ("Updating DNS entries", "makedns", ("-d",)),
    ("Updating hosts entries", "makehosts", ("-d",)),
)
#: Files of a node that an installation leaves below `installdir/autoinst`.
_ENDINGS = ("", ".pre", ".post")


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `nodepurge NODERANGE`."""
    nodes = call.request.nodes
    if not nodes:
        yield NODEPURGE.help()
        return
    for text, command, args in _BEFORE:
        yield Info(text)
        if any(_is_failure(said) for said in call.host.ask(command, nodes, args)):
            yield Warn(
                f"{command} {' '.join(args)} failed, so that something of these nodes is still there. "
                "Run it again before other nodes get these names"
            )
    yield Info("Removing nodes...")
    yield from call.host.ask("noderm", nodes)
    yield Info("Removing configuration files...")
    yield from _without_files(Path(call.tables.site("installdir", str(call.home.install))) / "autoinst", nodes)
    yield Info("Removed all nodes.")


def _is_failure(said: Output) -> bool:
    """Whether something is left. A node without boot loader or address has nothing anywhere."""
    return isinstance(said, Reply) and "error" in said.fields or (isinstance(said, Error) and not said.node)


def _without_files(folder: Path, nodes: Sequence[str]) -> Iterator[Output]:
    for name in (f"{node}{ending}" for node in nodes for ending in _ENDINGS):
        try:
            os.unlink(folder / name)
        except FileNotFoundError:
            continue
        except OSError as problem:
            yield refusal(f"{folder / name} cannot be removed: {problem.strerror}")


NODEPURGE = Core(
    own_command(
        "nodepurge",
        "remove nodes from the tables and from all files that were made for them",
        (
            "Usage: nodepurge <noderange>",
            "       nodepurge [-h|--help]",
            "       nodepurge [-v|--version]",
        ),
        (),
        CommandWords(),
    ),
    run,
)
