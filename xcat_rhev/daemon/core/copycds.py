"""copycds: have each installation medium taken in by whoever knows it, by way of `copycd`. Nothing is mounted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from ...messages import Info
from .declare import Call, Core, Said, refused

#: Options that go on to copycd, with those that have a value.
PASSED, VALUED = "siow", "pna"


def run(call: Call) -> Iterator[Said]:
    """Answer `copycds [OPTIONS] ISO...`."""
    if not call.words:
        yield refused("copycds needs at least one full path to ISO currently.")
    for word in call.words:
        path = os.path.join(call.request.cwd, word)
        problem = _problem(path)
        if problem:
            yield refused(problem)
            continue
        if "i" in call.options:
            yield Info(f"OS Image:{path}")
        identified = False
        for said in call.host.ask("copycd", (), _arguments(call, path)):
            identified = True
            yield said
        if not identified:
            yield refused("copycds could not identify the ISO supplied, you may wish to try -n <osver>")


def _problem(path: str) -> str:
    try:
        mode = os.stat(path).st_mode
        with open(path, "rb"):
            pass
    except IsADirectoryError:
        return f"{path} is a directory; copycds takes ISO images"
    except OSError:
        return (f"The management server was unable to find/read {path}. "
                "Ensure that file exists on the server at the specified location.")
    return "" if stat.S_ISREG(mode) or stat.S_ISBLK(mode) else f"{path} is no ISO image"


def _arguments(call: Call, path: str) -> list[str]:
    """The words for copycd. `-i` takes the name and architecture away: it shall find out itself."""
    args = ["-f", path]
    for letter in VALUED:
        if letter in call.options and not ("i" in call.options and letter in "na"):
            args += [f"-{letter}", call.last(letter)]
    return args + [f"-{letter}" for letter in PASSED if letter in call.options]


COPYCDS = Core(
    "copycds",
    ("copycds [-n|--name|--osver distname] [-a|--arch arch] [-p|--path path] [-i|--inspection] [-o|--noosimage]",
     "        [-s|--specific] [-w|--nonoverwrite] <iso>..."),
    run, letters="siown:a:p:", long={
        "name=": "n", "osver=": "n", "arch=": "a", "path=": "p", "inspection": "i", "noosimage": "o", "specific": "s",
        "nonoverwrite": "w",
    }, waits=True,
)
