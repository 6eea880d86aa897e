"""copycds: have each installation medium taken in by whoever knows it, by way of `copycd`. Nothing is mounted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ...declare.command import CommandWords, Option
from ...errors import RhevError
from ...files import open_named
from ...messages import Info
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal

#: Options that go on to copycd, with those that have a value.
PASSED = {"specific": "-s", "inspection": "-i", "noosimage": "-o", "nonoverwrite": "-w"}
VALUED = {"path": "-p", "name": "-n", "arch": "-a"}


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `copycds [OPTIONS] ISO...`."""
    if not call.words:
        yield refusal("copycds needs at least one full path to ISO currently.")
    for word in call.words:
        path = os.path.join(call.request.cwd, word)
        problem = _problem(path)
        if problem:
            yield refusal(problem)
            continue
        if "inspection" in call.options:
            yield Info(f"OS Image:{path}")
        identified = False
        for said in call.host.ask("copycd", (), _arguments(call, path)):
            identified = True
            yield said
        if not identified:
            yield refusal("copycds could not identify the ISO supplied, you may wish to try -n <osver>")


def _problem(path: str) -> str:
    if os.path.isdir(path):
        return f"{path} is a directory; copycds takes ISO images"
    try:
        os.close(open_named(Path(path)))
    except OSError:
        return (
            f"The management server was unable to find/read {path}. "
            "Ensure that file exists on the server at the specified location."
        )
    except RhevError as problem:
        return str(problem)
    return ""


def _arguments(call: CommandCall, path: str) -> list[str]:
    """The words for copycd. `-i` takes the name and architecture away: it should find out itself."""
    args = ["-f", path]
    for name, flag in VALUED.items():
        if name in call.options and not ("inspection" in call.options and name != "path"):
            args += [flag, call.options[name]]
    return args + [flag for name, flag in PASSED.items() if name in call.options]


COPYCDS = Core(
    own_command(
        "copycds",
        "copy installation media into the install folder",
        (
            "copycds [-n|--name|--osver distname] [-a|--arch arch] [-p|--path path] [-i|--inspection] [-o|--noosimage]",
            "        [-s|--specific] [-w|--nonoverwrite] <iso>...",
        ),
        (
            Option(("-n", "--name", "--osver"), "name", "what the system is called", value="NAME"),
            Option(("-a", "--arch"), "arch", "its architecture", value="ARCH"),
            Option(("-p", "--path"), "path", "where it is copied to", value="PATH"),
            Option(("-i", "--inspection"), "inspection", "say what it is and copy nothing"),
            Option(("-o", "--noosimage"), "noosimage", "make no osimage"),
            Option(("-s", "--specific"), "specific", "name images after the whole version"),
            Option(("-w", "--nonoverwrite"), "nonoverwrite", "do not change images that are there"),
        ),
        CommandWords(most=None),
    ),
    run,
    waits=True,
)
