"""How a command declares itself, and what the dispatcher makes of the declaration: parsing, usage, routing, man page.

A command is a module with two names: `SPEC`, a `Command`, and `plan(context)`, a generator of jobs and messages.
`plan` reads tables and managers and changes nothing; the jobs' steps change things, one each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


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


@dataclass(frozen=True)
class CommandWords:
    """The words that a command takes besides its options.

    Attributes:
        least: How many it needs.
        most: How many it takes; None for any number.
        known: The only words it takes; empty means any, and the command reads them.
    """

    least: int = 0
    most: int | None = 0
    known: tuple[str, ...] = ()


#: Which nodes are virtual machines of ours. Power and boot order follow nodehm alone: hypervisor.type may be on a
#: host whose power is another plugin's, and both would act.
VM_ROUTES = ("nodehm:mgt", "hypervisor:type=rhevm")
#: Which nodes are hypervisors of ours, or whatever else nodehm brings here.
HYPERVISOR_ROUTES = ("hypervisor:type=(rhev.*|ovirt.*)", "nodehm:mgt")
#: What nodetype.os of a full Enterprise Linux is.
FULL_LINUX = "rhel.*|centos.*|rocky.*|alma.*|ol[0-9].*|sl[0-9].*"
#: Which nodes are, or shall become, hosts of a manager: by nodetype.os also those with a full Linux.
HOST_ROUTES = (
    "hypervisor:type=(rhev.*|ovirt.*)",
    f"nodetype:os=(rhev.*|rhvh.*|ovirt.*|{FULL_LINUX})",
)

#: Options that every command has. The dispatcher acts on them; `plan` sees them too.
COMMON_OPTIONS = (
    Option(("-h", "--help"), "help", "show this text"),
    Option(("-v", "--version"), "version", "show the version"),
    Option(("-V", "--verbose"), "verbose", "show the requests to the manager, without secrets, and their count"),
    Option(("--dry-run",), "dry_run", "show what would be done and do nothing"),
    Option(("--nowait",), "nowait", "end when the manager has accepted the work"),
    Option(("--timeout",), "timeout", "end after this time at most, also when the work is not done", value="SECONDS"),
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
        embedded_routes: More of these, for what a Perl xCAT has a plugin of its own.
        options: Its own options.
        common: The options that it shares with its like.
        words: The words that it takes besides options; none unless it says so.
        arguments: The words it takes besides options: name -> one line of help.
        description: Paragraphs for the man page.
        settings: What a column of its own holds, for the man page: name -> (what it means, an example).
        examples: Pairs of a command line and what it does, for the man page.
        alone: It makes, changes or removes things by what it saw of them, so a node has one such command at a time.
        help_text: What `-h` shows; empty for the text that is made from the declaration.
        xcat_style: It is read as xCAT's own commands are: a long option may be cut short (`--data` for `--database`),
            and a value may be empty.
    """

    name: str
    summary: str
    usage: str
    place: Place
    routes: tuple[str, ...]
    options: tuple[Option, ...] = ()
    words: CommandWords = CommandWords()
    arguments: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    settings: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    examples: tuple[tuple[str, str], ...] = ()
    alone: bool = False
    common: tuple[Option, ...] = COMMON_OPTIONS
    help_text: str = ""
    xcat_style: bool = False
    embedded_routes: tuple[str, ...] = ()

    def all_options(self) -> tuple[Option, ...]:
        """Its own options and the common ones; its own win where both claim a flag."""
        own = {flag for option in self.options for flag in option.flags}
        kept = tuple(option for option in self.common if not own.intersection(option.flags))
        return self.options + kept
