"""Writes share/man/man1 and share/completion from the commands' declarations: `python -m xcat_rhev.cli.manpages`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from .. import __version__
from ..commands.common import Command, Place
from ..dispatch import COMMANDS
from .main import PARTS

SHARE = Path(__file__).parents[2] / "share"
PLACES = {
    Place.MANAGER: "The nodes are grouped by the manager that \\fBvm.mgr\\fR, else \\fBhypervisor.mgr\\fR names; "
                   "managers are served in parallel.",
    Place.NAMED: "The manager is the one that \\fB\\-m\\fR names.",
    Place.HERE: "No manager is asked.",
}


def pages() -> Iterator[tuple[Path, str]]:
    """All generated files below share/, with their text."""
    for name, command in sorted(COMMANDS.items()):
        yield Path("man", "man1", f"xcat-rhev-{name}.1"), page(command)
    yield Path("completion", "xcat-rhev.bash"), completion()


def page(command: Command) -> str:
    """The man page of one command, in man(7) format."""
    lines = [
        f'.TH XCAT-RHEV-{command.name.upper()} 1 "" "xcat-rhev {__version__}" "xCAT for RHEV and oVirt"',
        ".SH NAME", f"xcat-rhev-{command.name} \\- {escaped(command.summary)}",
        ".SH SYNOPSIS", f".B {command.name}", escaped(command.usage),
        ".SH DESCRIPTION", *(escaped(part) for part in command.description.split("\n") if part),
        ".PP", PLACES[command.place],
    ]
    if command.arguments:
        lines.append(".SH ARGUMENTS")
        for word, text in command.arguments.items():
            lines += [".TP", f".B {escaped(word)}", escaped(text)]
    lines.append(".SH OPTIONS")
    for option in command.all_options():
        flags = ", ".join(f"\\fB{escaped(flag)}\\fR" for flag in option.flags)
        lines += [".TP", flags + (f" \\fI{escaped(option.value)}\\fR" if option.value else ""), escaped(option.help)]
    if command.examples:
        lines.append(".SH EXAMPLES")
        for typed, text in command.examples:
            lines += [".TP", f".B {escaped(typed)}", escaped(text)]
    lines += [".SH EXIT STATUS", "0 when all is done, 1 when a node failed; the other nodes are done all the same."]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Keep text from being read as roff: backslashes, dashes, and a dot or quote at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def completion() -> str:
    """The completion for bash: the program's words, after `run` the commands, after a command its long options."""
    cases = "\n".join(
        f"        {name}) words='{' '.join(flag for option in command.all_options() for flag in option.flags)}' ;;"
        for name, command in sorted(COMMANDS.items())
    )
    return COMPLETION.format(
        words=" ".join([*(name for name, _, _ in PARTS), "--help", "--version"]), commands=" ".join(sorted(COMMANDS)),
        cases=cases,
    )


COMPLETION = """\
# Completion for bash; generated from the commands' declarations.
_xcat_rhev() {{
    local words=''
    case $COMP_CWORD in
    1) words='{words}' ;;
    2) [ "${{COMP_WORDS[1]}}" = run ] && words='{commands}' ;;
    *)  case ${{COMP_WORDS[2]}} in
{cases}
        esac ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -F _xcat_rhev xcat-rhev
"""


def main() -> int:
    """Bring the generated files up to date, and remove those of commands that are gone."""
    wanted = {SHARE / path: text for path, text in pages()}
    for old in (SHARE / "man" / "man1").glob("xcat-rhev-*.1"):
        if old not in wanted:
            old.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
