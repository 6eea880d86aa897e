"""Writes share/man/man1 and share/completion from the commands' declarations: `python -m xcat_rhev.cli.manpages`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .. import __version__
from ..commands import lsve
from ..commands.show.listing import Layout, json_fields
from ..commands.vm.listing import LAYOUTS
from ..daemon.catalog import CORES
from ..declare.command import Command, Place
from ..engine.nouns import Noun
from ..run.registry import COMMANDS
from ..xcat.commandnames import WITHOUT_NODERANGE
from . import overview
from .main import KINDS, PARTS

SHARE = Path(__file__).parents[2] / "share"
PLACES = {
    Place.MANAGER: "The nodes are grouped by the manager that vm.mgr, else hypervisor.mgr names; managers are served "
    "in parallel.",
    Place.NAMED: "The manager is the one that -m names.",
    Place.HERE: "No manager is asked.",
}
#: Commands that answer with objects of their own -> how these are made.
JSON_KINDS: Mapping[str, Mapping[type[Noun], Layout]] = {"lsvm": LAYOUTS, "lsve": lsve.SHOWN}
#: The first line of a page that has man call tbl.
_TBL = "'\\\" t"
#: Sent by xCAT's own plugins and programs; people type copycds, nodeset and rcons.
INTERNAL = frozenset({"copycd", "mkinstall", "rhevhupdateflag", "rhevmupdateflag", "getcons", "getrvidparms"})


def pages() -> Iterator[tuple[Path, str]]:
    """All generated files below share/, with their text."""
    yield Path("man", "man1", "xcat-rhev.1"), overview_page()
    for name, command in sorted(COMMANDS.items()):
        yield Path("man", "man1", f"xcat-rhev-{name}.1"), page(command)
    yield Path("completion", "xcat-rhev.bash"), completion()


def page(command: Command) -> str:
    """The man page of one command, in man(7) format."""
    paragraphs = [*filter(None, command.description.split("\n")), PLACES[command.place]]
    lines = [
        *_head(f"xcat-rhev-{command.name}", command.summary),
        ".SH SYNOPSIS",
        f".B {command.name}",
        escape(command.usage),
        ".SH DESCRIPTION",
        "\n.PP\n".join(map(escape, paragraphs)),
    ]
    if command.arguments:
        lines += _section("ARGUMENTS", command.arguments.items())
    lines.append(".SH OPTIONS")
    for option in command.all_options():
        flags = ", ".join(f"\\fB{escape(flag)}\\fR" for flag in option.flags)
        lines += [".TP", flags + (f" \\fI{escape(option.value)}\\fR" if option.value else ""), escape(option.help)]
    if command.settings:
        lines += _table("OTHERSETTINGS", command.settings)
    if command.name in JSON_KINDS:
        lines += _section("JSON", _json_rows(json_fields(JSON_KINDS[command.name])))
    if command.examples:
        lines += _section("EXAMPLES", command.examples)
    lines += [".SH EXIT STATUS", "0 when all is done, 1 when a node failed; the other nodes are done all the same."]
    return "\n".join([*lines, ".SH SEE ALSO", "\\fBxcat\\-rhev\\fR(1): settings, tables, files"]) + "\n"


def _json_rows(kinds: Mapping[str, Mapping[str, type]]) -> Iterator[tuple[str, str]]:
    """Each kind of object with its fields; what belongs to it is a list below its own kind's name."""
    yield (
        "-",
        (
            "With --json each object has kind, name and id (text), the fields below that have a value, and what "
            "belongs to it as lists of objects under their kinds. lsve adds manager (text). Failures and warnings are "
            "objects as xcat-rhev(1) lists them. Sizes are bytes, times ISO 8601."
        ),
    )
    for kind, its in kinds.items():
        shown = (f"{name} ({overview.TYPES[of]})" for name, of in its.items() if name not in ("kind", "name"))
        yield kind, ", ".join(shown)


def overview_page() -> str:
    """The man page of the program: its subcommands, and what all commands have in common."""
    lines = [
        *_head("xcat-rhev", "RHEV-H, RHVH and oVirt for xCAT"),
        ".SH SYNOPSIS",
        ".B xcat\\-rhev",
        escape("SUBCOMMAND [arguments]"),
        ".SH DESCRIPTION",
        escape(overview.DESCRIPTION),
        *_section("SUBCOMMANDS", ((name, text) for name, _, text in PARTS)),
        *_section("COMMANDS", ((kind, names) for kind, names in KINDS.items())),
    ]
    for title, rows in overview.SECTIONS.items():
        lines += _section(title, rows.items())
    others = ", ".join(f"\\fBxcat\\-rhev\\-{name}\\fR(1)" for name in sorted(COMMANDS))
    return "\n".join([*lines, ".SH SEE ALSO", others]) + "\n"


def _head(name: str, summary: str) -> list[str]:
    """The title and name; lines are left ragged, since stretched synopses are hard to read."""
    title = f'.TH {name.upper()} 1 "" "xcat-rhev {__version__}" "xCAT for RHEV and oVirt"'
    return [_TBL, title, ".nh", ".ad l", ".SH NAME", f"{escape(name)} \\- {escape(summary)}"]


def _section(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    return [f".SH {title}", *(line for word, text in rows for line in (".TP", f".B {escape(word)}", escape(text)))]


def _table(title: str, rows: Mapping[str, tuple[str, str]]) -> list[str]:
    """A table of names, meanings and examples; man calls tbl for it."""
    found = [f".SH {title}", ".TS", "lb lw(24n) lw(22n).", "name\tmeaning\texample", "_"]
    for name, (meaning, example) in rows.items():
        found += [f"{name}\tT{{", escape(meaning), "T}\tT{", _breakable(escape(example)), "T}"]
    return [*found, ".TE"]


def _breakable(text: str) -> str:
    """Let a line end after the colons and commas of a word that is longer than its column."""
    return text.replace(":", ":\\:").replace(",", ",\\:")


def escape(text: str) -> str:
    """Keep text from being read as roff: backslashes, dashes, and a dot or quote at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text


def completion() -> str:
    """The completion for bash: the program's words, after `run` the commands, after a command its words and options."""
    cases = "\n".join(
        f"    {name}) words='{' '.join((*command.words.known, *flags(command)))}' ;;"
        for name, command in sorted(COMMANDS.items())
    )
    return COMPLETION.format(
        words=" ".join([*(name for name, _, _ in PARTS), "--help", "--version"]),
        commands=" ".join(xcat_commands()),
        without=" ".join(sorted(WITHOUT_NODERANGE & set(xcat_commands()))),
        cases=cases,
    )


def xcat_commands() -> list[str]:
    """What people type after `xcat-rhev run`."""
    return sorted({*COMMANDS, *CORES} - INTERNAL)


def flags(command: Command) -> Iterator[str]:
    """Every way to write an option of a command."""
    return (flag for option in command.all_options() for flag in option.flags)


COMPLETION = """\
# Completion for bash; generated from the commands' declarations. A link to xcat-rhev completes as its name does after
# `xcat-rhev run`. The first word of a command is completed from the names of nodes.
_xcat_rhev() {{
    local words='' command=${{COMP_WORDS[0]##*/}} first=1
    if [ "$command" = xcat-rhev ]; then
        command='' first=3
        case $COMP_CWORD in
        1) words='{words}' ;;
        2) [ "${{COMP_WORDS[1]}}" = run ] && words='{commands}' ;;
        *) [ "${{COMP_WORDS[1]}}" = run ] && command=${{COMP_WORDS[2]}} ;;
        esac
    fi
    case $command in
{cases}
    esac
    case " {without} " in
    *" $command "*) ;;
    *)  [ "$COMP_CWORD" = "$first" ] && words="$(xcat-rhev run nodels 2>/dev/null) $words" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -o default -F _xcat_rhev xcat-rhev {commands}
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
