"""`xcat-rhev engine wait`: wait until a manager that a kit installs is up, take its CA, and look at the whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ...clock import Clock, SystemClock
from ...commands.finish.reports import notes
from ...commands.finish.setups import FAILED, SETUP, UP
from ...errors import FailedState, NotFound, RhevError, TimedOut
from .. import homes
from ..setup.doctor import examine
from ..setup.site import site_of
from ..xcatd import AskedXcatd
from .managerkit import manager_node

#: Seconds between two looks.
PAUSE = 5.0


def make(options: argparse.Namespace) -> Iterator[str]:
    """Wait, and say what the manager answers.

    Args:
        options: node, timeout in seconds.

    Raises:
        FailedState: Its setup failed.
        NotFound: No kit was made for it.
        TimedOut: It is not up in time.
    """
    yield from wait(AskedXcatd(), options.node, options.timeout, SystemClock())


def wait(xcatd: AskedXcatd, name: str, timeout: float, clock: Clock) -> Iterator[str]:
    """As `make`, with a clock of one's own."""
    node, end, told = manager_node(xcatd, name), clock.now() + timeout, ""
    while (state := _state(xcatd, name)) != UP:
        if state == FAILED:
            raise FailedState(
                f"the setup of {name} failed", f"See /var/log/xcat/rhevmsetup.log there, then run: updatenode {name} -P"
            )
        if clock.now() >= end:
            raise TimedOut(
                f"the setup of {name} is {state} after {timeout:.0f} s", f"Look at its console: rcons {name}"
            )
        if state != told:
            yield f"{name}: {state}"
            told = state
        clock.sleep(PAUSE)
    yield f"{name}: up"
    yield from _first_contact(xcatd, node.fqdn, end, clock)
    yield from diagnose(xcatd)


def _state(xcatd: AskedXcatd, name: str) -> str:
    row = xcatd.node(name, "nodelist.appstatus", "nodelist.node")
    state = notes({"appstatus": row.get("nodelist.appstatus", "")}).get(SETUP, "")
    if not state:
        raise NotFound(f"no kit was made for {name}", f"Run: xcat-rhev engine kit VERSION --node {name}")
    return state


def diagnose(xcatd: AskedXcatd) -> Iterator[str]:
    """What the doctor finds: of the embedded xcatd that is asked, else of the Perl xCAT of this machine."""
    if home := homes.of_certificates(xcatd.certificates):
        from ..setup.doctor_home import examine as embedded  # the daemon is a package of its own

        yield from (finding.line() for finding in embedded(home))
        return
    site = site_of(argparse.Namespace(xcatroot=None, confdir=None, prefix=Path("/")))
    try:
        site.role()
    except RhevError:
        return
    yield from (finding.line() for finding in examine(site))


def _first_contact(xcatd: AskedXcatd, manager: str, end: float, clock: Clock) -> Iterator[str]:
    """The first command to a manager fetches its CA, shows and keeps it, and logs in."""
    while True:
        try:
            yield from (message.text for message in xcatd.ask("lsve", "-t", "dc", "-m", manager))
            return
        except RhevError as problem:
            if clock.now() >= end or "refused the login" in problem.text:
                raise
        clock.sleep(PAUSE)
