"""Writes the part of share/perl/rhevm.pm that follows from the commands' declarations."""

from __future__ import annotations

import sys
from pathlib import Path

from ..declare.command import Place
from ..run.registry import COMMANDS

SHIM = Path(__file__).parents[2] / "share" / "perl" / "rhevm.pm"
BEGIN, END = "# BEGIN GENERATED", "# END GENERATED"


def generate() -> str:
    """The Perl that says which commands are ours, and which belong to their nodes' manager or to a named one."""
    lines = ["my %HANDLED = ("]
    for name, command in sorted(COMMANDS.items()):
        routes = ", ".join(f"'{route}'" for route in command.routes)
        lines.append(f"    {name} => " + (f"[{routes}]," if len(command.routes) > 1 else f"{routes},"))
    lines.append(");")
    for name, place in (("BY_MANAGER", Place.MANAGER), ("NAMED", Place.NAMED)):
        words = " ".join(word for word, command in sorted(COMMANDS.items()) if command.place is place)
        lines.append(f"my %{name} = map {{ $_ => 1 }} qw({words});")
    return "\n".join(lines) + "\n"


def with_generated(text: str) -> str:
    """The shim's text with that part as it should be.

    Args:
        text: The shim as it is.
    """
    head, _, rest = text.partition(BEGIN)
    marker, _, rest = rest.partition("\n")
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{marker}\n{generate()}{END}{tail}"


def main() -> int:
    """Bring share/perl/rhevm.pm up to date."""
    SHIM.write_text(with_generated(SHIM.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
