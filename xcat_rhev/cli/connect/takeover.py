"""What the engine has becomes nodes: its hypervisors and machines are written to the tables, as rscan does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ...errors import FailedState, Unreachable
from ...messages import Data
from ...ordering import natural
from ...secret import Secret
from ..asking import ask, must
from ..client import Target

#: rscan asks the manager of a node. There may be none yet, so one is made for that moment.
SCOUT = "xcat-rhev-connect"
WRITTEN = "written to the tables"


class Taken(NamedTuple):
    """What became nodes.

    Attributes:
        machines, hypervisors: Their names in the order in which people count.
        left: Why others did not.
    """

    machines: list[str]
    hypervisors: list[str]
    left: list[str]


def log_in(where: Target, engine: str, user: str, password: Secret) -> None:
    """Write the password to the passwd table and try it; one that is refused does not stay there.

    Raises:
        FailedState: The engine said no, or did not answer.
    """
    key = f"key={engine}"
    before = ask(where, "gettab", key, "passwd.username", "passwd.password").texts()
    must(where, "chtab", f"{key},username={user}", f"passwd.password={password.reveal()}")
    tried = ask(where, "lsve", "-m", engine, "-t", "dc")
    if tried.code:
        if not any(before):
            ask(where, "chtab", "-d", key, "passwd")
        raise FailedState("; ".join(tried.errors()))


def take_over(where: Target, engine: str) -> Taken:
    """Make nodes of all that the engine has; what is somebody else's is left alone."""
    with _scout(where, engine):
        answer = ask(where, "rscan", SCOUT, "-w")
    written = {each.node for each in answer.messages if isinstance(each, Data) and each.text == WRITTEN}
    if not written and answer.code:
        raise FailedState("; ".join(answer.errors()))
    hypervisors = written & {line.split()[1] for line in answer.texts() if line.startswith("rhevh ")}
    return Taken(sorted(written - hypervisors, key=natural), sorted(hypervisors, key=natural), answer.errors())


@contextmanager
def _scout(where: Target, engine: str) -> Iterator[None]:
    must(where, "nodeadd", SCOUT, f"groups={SCOUT}", "nodehm.mgt=rhevm", f"vm.mgr={engine}")
    try:
        yield
    finally:
        try:
            ask(where, "noderm", SCOUT)
        except Unreachable:
            pass  # xcatd ended; the next connect removes the node
