"""The list of engine calls that the simulator covers, written from its own tables.

`python -m xcat_rhev.sim.calls > share/engine-calls.md` brings the file up to date; a test compares them.
"""

from __future__ import annotations

import sys

from .dialect import NEVER, Version
from .plan import CALLS
from .register import OPEN
from .resources import ROUTES
from .routing import Route
from .states import FAILURES, PATHS

HEAD = """# Engine calls

What the engine simulator (`xcat-rhev sim`) answers. Written by `python -m xcat_rhev.sim.calls` from the tables that it
runs on. A version is the first engine that has the call; `-` means that the dialect does not have it.
"""


def text() -> str:
    """Give the whole list as Markdown."""
    return "\n".join([HEAD, *_routes(), *_open(), *_states(), *_faults()]) + "\n"


def _routes() -> list[str]:
    lines = [
        "## Calls below the base address",
        "",
        "| call | v3 since | v4 since | what it does |",
        "|---|---|---|---|",
    ]
    return [*lines, *(_row(route) for route in sorted(ROUTES, key=_order)), ""]


def _order(route: Route) -> tuple[str, int]:
    return route.path, ("GET", "POST", "PUT", "DELETE").index(route.method)


def _row(route: Route) -> str:
    call = f"`{route.method} {route.path}`"
    three = _since(route.since3) + (f" to {_since(route.until3)}" if route.until3 < NEVER else "")
    return f"| {call} | {three} | {_since(route.since4, (4, 0))} | {route.about} |"


def _since(version: Version, first: Version = (3, 0)) -> str:
    return "-" if version == NEVER else f"{max(version, first)[0]}.{max(version, first)[1]}"


def _open() -> list[str]:
    lines = ["## Addresses that need no login", "", "| address | what it does |", "|---|---|"]
    rows = [f"| `{path}` | {_first(answer.__doc__)} |" for path, answer in OPEN.items()]
    own = [
        "| `GET /-/stats` | requests by kind, connections, bytes; `DELETE` begins at zero |",
        "| `GET /-/faults` | the plan of faults and how often each rule struck; `PUT` a list of rules replaces it |",
    ]
    own.append('| `PUT /-/clock` | `{"advance": SECONDS}` lets so much time pass at once |')
    return [*lines, *rows, *own, ""]


def _first(doc: str | None) -> str:
    return (doc or "").partition("\n")[0].rstrip(".")


def _states() -> list[str]:
    lines = [
        "## States",
        "",
        "Seconds with `--delays 1`; `--delays FILE` takes a JSON object of operation: list of seconds.",
        "",
        "| operation | states | when a plan lets it fail |",
        "|---|---|---|",
    ]
    for name, path in PATHS.items():
        words = [f"{word} {seconds:g} s" if seconds else word or "gone or as before" for word, seconds in path]
        lines.append(f"| `{name}` | {' -> '.join(words)} | {FAILURES.get(name, 'down')} |")
    return [*lines, ""]


def _faults() -> list[str]:
    lines = ["## Faults on command", "", "| `do` | what happens |", "|---|---|"]
    rows = [f"| `{name}` | {about} |" for name, about in CALLS.items()]
    more = [
        "| `never` | the next state of the operation `state` never comes |",
        "| `fail` | the operation `state` ends in its failure state, and an event says `text` |",
        "| `duplicate` | there is a second thing of kind `kind` with the name `name` |",
    ]
    return [*lines, *rows, *more]


if __name__ == "__main__":
    sys.stdout.write(text())
