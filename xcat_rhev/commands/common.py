"""How a command declares itself, and what the dispatcher makes of the declaration: parsing, usage, routing, man page.

A command is a module with two names: `SPEC`, a `Command`, and `plan(context)`, a generator of jobs and messages.
`plan` reads tables and managers and changes nothing; the jobs' steps change things, one each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Union

from ..clock import Clock
from ..errors import Bug, NotFound, Usage
from ..jobs import Job
from ..messages import Message
from ..xcat.host import Host, Request, Row

if TYPE_CHECKING:
    from ..engine.manager import Manager


class Place(Enum):
    """Where a command runs, and so how its nodes are grouped before `plan` is called."""

    #: Once per manager of the nodes (`vm.mgr`, else `hypervisor.mgr`), managers in parallel.
    MANAGER = "manager"
    #: Once for the manager that `-m` names; no nodes.
    NAMED = "named"
    #: Once, on the host that got the request, without a manager.
    HERE = "here"


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes:
        flags: How it is written, e.g. `("-f", "--force")`.
        name: The key in `Context.options`.
        help: One line for `-h` and the man page.
        value: The name of its value, e.g. `SIZE`; empty for a switch.
        many: It may be given several times; the option is then a tuple.
        choices: The only values it takes; empty means any.
    """

    flags: tuple[str, ...]
    name: str
    help: str
    value: str = ""
    many: bool = False
    choices: tuple[str, ...] = ()


#: Which nodes are virtual machines of ours. Power and boot order follow nodehm alone: hypervisor.type may stand on a
#: host whose power is another plugin's, and both would act.
VM_ROUTES = ("nodehm:mgt", "hypervisor:type=rhevm")

#: Options that every command has. The dispatcher acts on them; `plan` sees them too.
COMMON_OPTIONS = (
    Option(("-h", "--help"), "help", "show this text"),
    Option(("-v", "--version"), "version", "show the version"),
    Option(("-V", "--verbose"), "verbose", "show the requests to the manager, without secrets, and their count"),
    Option(("--dry-run",), "dry_run", "show what would be done and do nothing"),
    Option(("--nowait",), "nowait", "end when the manager has accepted the work"),
    Option(("--timeout",), "timeout", "wait at most so long for each state", value="SECONDS"),
    Option(("--json",), "json", "answer with one JSON object a line on standard output, failures too"),
)


@dataclass(frozen=True)
class Command:
    """What a command is, apart from what it does.

    Attributes:
        name: The xCAT command as it travels on the wire, e.g. `rpower`, `copycd`.
        summary: One line for the man page.
        usage: The words after the name, e.g. `noderange [on|off|stat]`.
        place: Where it runs.
        routes: xCAT's `handled_commands` specs, e.g. `nodehm:power,mgt` or `nodetype:os=(rhevh.*)`; a word without a
            colon is a command without nodes.
        options: Its own options; `COMMON_OPTIONS` come on top.
        verbs: If it takes exactly one word that says what to do: the words it knows. Empty: `plan` reads the words.
        arguments: The words it takes besides options: name -> one line of help.
        description: Paragraphs for the man page.
        examples: Pairs of a command line and what it does, for the man page.
        alone: It makes, changes or removes things by what it saw of them, so a node has one such command at a time.
    """

    name: str
    summary: str
    usage: str
    place: Place
    routes: tuple[str, ...]
    options: tuple[Option, ...] = ()
    verbs: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    alone: bool = False

    def all_options(self) -> tuple[Option, ...]:
        """Its own options and the common ones; its own win where both claim a flag."""
        own = {flag for option in self.options for flag in option.flags}
        kept = tuple(option for option in COMMON_OPTIONS if not own.intersection(option.flags))
        return self.options + kept


@dataclass(frozen=True)
class Context:
    """What `plan` gets.

    Attributes:
        request: What was asked.
        nodes: The nodes of this group, a part of `request.nodes`.
        options: Option name -> value: True for a switch that was given, text, or a tuple of texts; absent if not given.
        words: The arguments that are no options, in order.
        host: The xCAT around.
        clock: Time.
        managed_by: The manager of this group, or None for `Place.HERE`.
    """

    request: Request
    nodes: tuple[str, ...]
    options: Mapping[str, Any]
    words: tuple[str, ...]
    host: Host
    clock: Clock
    managed_by: Manager | None = None

    @property
    def manager(self) -> Manager:
        """The manager of this group.

        Raises:
            Bug: The command declared that it needs none.
        """
        if self.managed_by is None:
            raise Bug(f"{self.request.command} asks for a manager but is declared to run without")
        return self.managed_by

    def limit(self, usual: float) -> float:
        """How long to wait for a state: `--timeout` if given, else what is usual for it, in seconds."""
        return float(self.options.get("timeout", usual))

    def attrs(self, table: str, *columns: str) -> dict[str, Row]:
        """Read columns of this group's nodes, as `Host.node_attrs` does."""
        return self.host.node_attrs(table, self.nodes, columns)


#: What `plan` yields.
Planned = Union[Job, Message]
Plan = Iterator[Planned]


def parse(command: Command, args: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Split a command's arguments into options and words, as getopt does with permutation.

    Short switches may be joined (`-rf`), a value may follow in the same word (`-t4`, `--timeout=4`); `--` ends options.

    Args:
        command: The declaration.
        args: The words as typed.

    Returns:
        Options by name, and the remaining words.

    Raises:
        Usage: Unknown option, missing or surplus value, value not among the choices.
    """
    known = {flag: option for option in command.all_options() for flag in option.flags}
    options: dict[str, Any] = {}
    words: list[str] = []
    left = list(args)
    while left:
        word = left.pop(0)
        if word == "--":
            words += left
            break
        if word.startswith("-") and word != "-":
            _take(command, known, word, left, options)
        else:
            words.append(word)
    _check_numbers(options)
    if command.verbs and not {"help", "version"} & set(options):
        _check_verb(command, words)
    return options, tuple(words)


def _check_verb(command: Command, words: Sequence[str]) -> None:
    word = " ".join(words)
    if word not in command.verbs:
        what = f"does not know '{word}'" if word else "needs a word that says what to do"
        raise Usage(f"{command.name} {what}", f"Usage: {command.name} {command.usage}")


def _take(command: Command, known: Mapping[str, Option], word: str, left: list[str], into: dict[str, Any]) -> None:
    flag, given, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
    option = known.get(flag)
    if option is None:
        raise Usage(f"{command.name} has no option {flag}", f"Type '{command.name} -h' for those it has")
    if not option.value:
        if word.startswith("--") and given:
            raise Usage(f"{flag} takes no value")
        into[option.name] = True
        if given:
            left.insert(0, "-" + given)
        return
    if not given:
        if not left:
            raise Usage(f"{flag} needs a value: {option.value}")
        value = left.pop(0)
    if not value.strip():
        raise Usage(f"{flag} needs a value: {option.value}")
    if option.choices and value not in option.choices:
        raise Usage(f"{flag} {value}: not one of {', '.join(option.choices)}")
    into[option.name] = (*into.get(option.name, ()), value) if option.many else value


def _check_numbers(options: Mapping[str, Any]) -> None:
    limit = options.get("timeout")
    if limit is not None and not (limit.isdigit() and 0 < int(limit) <= 86400):
        raise Usage(f"--timeout {limit}: not a number of seconds", "Write a number from 1 to 86400")


def usage_text(command: Command) -> str:
    """Write what `-h` shows: the usage line, then one line per option."""
    lines = [f"Usage: {command.name} {command.usage}".rstrip()]
    rows = [(word, text) for word, text in command.arguments.items()]
    for option in command.all_options():
        rows.append((", ".join(option.flags) + (f" {option.value}" if option.value else ""), option.help))
    width = max(len(left) for left, _ in rows)
    return "\n".join(lines + [f"  {left:<{width}}  {text}" for left, text in rows])


def required(row: Row, node: str, table: str, column: str, example: str) -> str:
    """Take a value that a command cannot do without.

    Args:
        row: The node's attributes.
        node: Its name.
        table: The table they come from.
        column: The column.
        example: A value that would do, for the hint.

    Raises:
        NotFound: The column is empty.
    """
    value = row.get(column, "")
    if not value:
        raise NotFound(
            f"{table}.{column} is not set", f"Run: chtab node={node} {table}.{column}={example}"
        )
    return value
