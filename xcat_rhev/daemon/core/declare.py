"""How a command of the daemon's own declares itself, and what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

from ... import __version__
from ...declare.command import Command, CommandWords, Option, Place
from ...declare.parsing import parse
from ...errors import Usage
from ...messages import Data
from ...xcat.host import Request
from ...xcat.wire import WireRequest
from ..home import Home
from ..reply import Output, Reply
from ..tables import Tables

if TYPE_CHECKING:
    from ..host import DaemonHost


#: nodehm.power or nodehm.mgt of machines that `rpower` of this product knows.
OURS = "rhevm"


@dataclass(frozen=True)
class CommandCall:
    """What a command gets.

    Attributes:
        request: What was asked, with its nodes.
        tables: The tables.
        host: The rest of xCAT.
        home: Where things are.
        wire: The request as it came, for what only few commands need; of a sub-request, one with nothing in it.
        options: The options that were given, by their names.
        words: The other arguments.
        module: Which of the modules that the command has was chosen by the nodes' attributes.
    """

    request: Request
    tables: Tables
    host: DaemonHost
    home: Home
    wire: WireRequest = WireRequest()
    options: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    module: str = ""


Run = Callable[[CommandCall], Iterator[Output]]
Describe = Callable[[Mapping[str, Any]], "Reply | None"]


#: Options that every command of the daemon's own has, as all of xCAT's have them.
SHARED = (
    Option(("-h", "--help", "-?"), "help", "show this text"),
    Option(("-v", "--version"), "version", "show the version"),
    Option(("-V", "--verbose"), "verbose", "show more"),
)


def own_command(
    name: str, summary: str, usage: Sequence[str], options: Sequence[Option], words: CommandWords
) -> Command:
    """Declare a command of xCAT's own, which is read and explained as xCAT does it.

    Args:
        name: The command.
        summary: What it does, in one line.
        usage: The lines that `-h` shows behind `Usage: `; `-v` and `-h` are added. Lines of which the first begins with
            `Usage` are shown as they are.
        options: Its own options.
        words: The words that it takes besides options.
    """
    lines = list(usage)
    if not lines[0].startswith("Usage"):
        lines += [f"{name} {{-v|--version}}", f"{name} [-?|-h|--help]"]
        lines = [f"Usage: {lines[0]}", *(f"       {line}" for line in lines[1:])]
    return Command(
        name,
        summary,
        usage="",
        place=Place.HERE,
        routes=(),
        options=tuple(options),
        words=words,
        common=SHARED,
        help_text="\n".join(lines),
        xcat_style=True,
    )


@dataclass(frozen=True)
class Core:
    """A command of the daemon's own.

    Attributes:
        spec: How it is declared.
        run: Does it.
        routes: Pairs of module and spec, for commands that are chosen by the nodes' attributes; else it takes all.
        waits: It waits for others, such as nodes or a medium.
        describe: Answers `-h` with other options; gives None for the usage.
        remedy: What to set for nodes that none of its routes leads on.
    """

    spec: Command
    run: Run
    routes: tuple[tuple[str, str], ...] = ()
    waits: bool = False
    describe: Describe | None = None
    remedy: str = ""

    def help(self, code: int = 0) -> Reply:
        """The usage, as an answer to `-h` or to a mistake."""
        lines = self.spec.help_text.split("\n")
        return Reply({"data": lines, **({"errorcode": str(code)} if code else {})})


def invoke(core: Core, call: CommandCall) -> Iterator[Output]:
    """Run a command after reading its options; `-h` and `-v` are answered here."""
    try:
        options, words = parse(core.spec, call.request.args)
    except Usage as problem:
        yield refusal(str(problem))
        return
    if "help" in options:
        yield core.describe and core.describe(options) or core.help()
    elif "version" in options:
        yield version()
    else:
        yield from core.run(
            CommandCall(call.request, call.tables, call.host, call.home, call.wire, options, words, call.module)
        )


def version() -> Data:
    """The answer to `-v`."""
    return Data(f"Version {__version__} (xcat-rhev)")


def refusal(text: str, code: int = 1) -> Reply:
    """An error in the form in which xCAT's own table commands give it: without a node."""
    return Reply({"error": text, "errorcode": str(code)})
