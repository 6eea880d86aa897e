"""How a command of the daemon's own declares itself, and what it gets."""

from __future__ import annotations

import getopt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Union

from ... import __version__
from ...messages import Data, Message
from ...xcat.host import Request
from ...xcat.wire import WireRequest
from ..home import Home
from ..tables import Tables

if TYPE_CHECKING:
    from ..host import DaemonHost


@dataclass(frozen=True)
class Shape:
    """An answer of a shape that messages do not have: one document.

    Attributes:
        fields: As `wire.write_response` takes them.
    """

    fields: Mapping[str, Any]


#: nodehm.power or nodehm.mgt of machines that `rpower` of this product knows.
OURS = "rhevm"
#: What a command of the daemon answers.
Said = Union[Message, Shape]


@dataclass(frozen=True)
class Call:
    """What a command gets.

    Attributes:
        request: What was asked, with its nodes.
        tables: The tables.
        host: The rest of xCAT.
        home: Where things are.
        wire: The request as it came, for what only few commands need; of a sub-request, one with nothing in it.
        options: Option letter -> its values; a switch has one empty value for each time it was given.
        words: The other arguments.
        module: Which of the modules that the command has was chosen by the nodes' attributes.
    """

    request: Request
    tables: Tables
    host: DaemonHost
    home: Home
    wire: WireRequest = WireRequest()
    options: Mapping[str, list[str]] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    module: str = ""

    def last(self, letter: str, default: str = "") -> str:
        """The value of an option, the last one if it was given several times."""
        return self.options.get(letter, [default])[-1]


Run = Callable[[Call], Iterator[Said]]
Describe = Callable[[Mapping[str, "list[str]"]], "Shape | None"]


@dataclass(frozen=True)
class Core:
    """A command of the daemon's own.

    Attributes:
        name: The command.
        usage: The lines that `-h` shows behind `Usage: `; `-v` and `-h` are added, but to those that begin with
            `Usage`, which are shown as they are.
        run: Does it.
        letters: Its options as getopt takes them: `dw:`.
        long: Long options -> letter, with `=` at the end of those that have a value.
        routes: Pairs of module and spec, for commands that are chosen by the nodes' attributes; else it takes all.
        mixed: Options may follow words. Not for commands whose words begin with a minus.
        waits: It waits for others, such as nodes or a medium.
        describe: Answers `-h` with other options; gives None for the usage.
    """

    name: str
    usage: tuple[str, ...]
    run: Run
    letters: str = ""
    long: Mapping[str, str] = field(default_factory=dict)
    routes: tuple[tuple[str, str], ...] = ()
    mixed: bool = True
    waits: bool = False
    describe: Describe | None = None

    def options(self, args: tuple[str, ...]) -> tuple[dict[str, list[str]], tuple[str, ...]]:
        """Split arguments into options and words.

        Raises:
            getopt.GetoptError: An unknown option, or one without its value.
        """
        long = {**self.long, "help": "h", "version": "v", "verbose": "V"}
        split = getopt.gnu_getopt if self.mixed else getopt.getopt
        letters = "h?V" + ("" if "v" in self.letters else "v") + self.letters
        found, words = split(list(args), letters, list(long))
        options: dict[str, list[str]] = {}
        names = {f"--{name.rstrip('=')}": letter for name, letter in long.items()}
        for name, value in found:
            letter = names.get(name, name[1:])
            options.setdefault("h" if letter == "?" else letter, []).append(value)
        return options, tuple(words)

    def help(self, code: int = 0) -> Shape:
        """The usage, as an answer to `-h` or to a mistake."""
        lines = list(self.usage)
        if not lines[0].startswith("Usage"):
            lines += [f"{self.name} {{-v|--version}}", f"{self.name} [-?|-h|--help]"]
            lines = [f"Usage: {lines[0]}", *(f"       {line}" for line in lines[1:])]
        return Shape({"data": lines, **({"errorcode": str(code)} if code else {})})


def invoke(core: Core, call: Call) -> Iterator[Said]:
    """Run a command after reading its options; `-h` and `-v` are answered here."""
    try:
        options, words = core.options(call.request.args)
    except getopt.GetoptError as problem:
        yield Shape({"error": str(problem), "errorcode": "1"})
        yield core.help(1)
        return
    if "h" in options:
        yield core.describe and core.describe(options) or core.help()
    elif "v" in options and "v" not in core.letters:
        yield version()
    else:
        yield from core.run(
            Call(call.request, call.tables, call.host, call.home, call.wire, options, words, call.module)
        )


def version() -> Data:
    """The answer to `-v`."""
    return Data(f"Version {__version__} (xcat-rhev)")


def refused(text: str, code: int = 1) -> Shape:
    """An error in the form in which xCAT's own table commands give it: without a node."""
    return Shape({"error": text, "errorcode": str(code)})
