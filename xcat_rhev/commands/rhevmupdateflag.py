"""rhevmupdateflag: a future manager fetches its answers and reports the result of its setup; a host is ready.

The web server's CGI sends it, as rhevhupdateflag. Nothing in it is trusted: the sender and the address are checked
with the tables, and only a node for which a kit was made gets answers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from ..addresses import plain
from ..declare.command import Command, CommandWords, Place
from ..errors import Conflict, RhevError, Usage
from ..messages import Data, Error, error_of
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..xcat.host import Xcat
from .finish.askers import check_address, check_asker
from .finish.fullinstalls import INSTALLED, check_full_install, finish_full_install
from .finish.nodescripts import scripts
from .finish.reports import JOIN, MANAGER, SCRIPTS, nodes_to_join, note, notes
from .finish.setups import FAILED, HOST, READY, SETUP, UP, hand_out, take_away

log = logging.getLogger(__name__)

TAKEN = "taken"
#: The reports of a node, and what is done then.
WORDS = {
    "answers": "hand out the answers for its setup",
    TAKEN: "remove the answers, because the node has them",
    "up": "note that its manager is up",
    "failed": "note that its setup failed",
    "installed": "let a full Linux that the embedded xcatd installs start from its disk",
    READY: "let rhevhjoin add the host to its manager, if the site allows that",
}

SPEC = Command(
    name="rhevmupdateflag",
    summary="answer a node that becomes a manager, or a host with a full Linux",
    usage="noderange address answers|taken|up|failed|installed|ready",
    place=Place.HERE,
    routes=("rhevm",),
    words=CommandWords(least=2, most=2),
    arguments={"address": "the address that the node asks from; it must be the node's", **WORDS},
    description=(
        "Sent by the CGI behind http://<master>/xcatrhevh/, which the postscripts rhevmsetup and rhevmhost ask. The "
        "answers are those that 'xcat-rhev engine kit' has written for the node; they are removed when it reports that "
        "it has them. nodelist.appstatus shows how far a manager is: rhevmsetup=waiting, running, up or failed. Only "
        "this host, a service node or a user with a certificate may ask."
    ),
    examples=(
        ("nodels mgr1 nodelist.appstatus", "how far the manager's setup is"),
        ("rhevmupdateflag mgr1 10.0.0.5 up", "note that the manager on mgr1 is up, as a user"),
        ("rhevmupdateflag host1 10.0.0.9 ready", "let host1 join its manager, as if it had said that it is ready"),
    ),
)


def plan(context: Context) -> Plan:
    """Check the sender and the address, then act on the report."""
    if not context.nodes:
        raise Usage("rhevmupdateflag needs a noderange", f"Usage: rhevmupdateflag {SPEC.usage}")
    check_asker(context.xcat, context.request)
    address, word = plain(context.words[0]), context.words[1]
    if not address or word not in WORDS:
        raise Usage("rhevmupdateflag needs an IP address and one word", f"Usage: rhevmupdateflag {SPEC.usage}")
    for node in context.nodes:
        try:
            check_address(context.xcat, node, address)
            if word in (TAKEN, UP, FAILED):
                _check_setup(context.xcat, node)
            elif word == INSTALLED:
                check_full_install(context.xcat, node)
        except RhevError as problem:
            log.warning("%s: refused '%s' from %s: %s", node, word, address, problem)
            yield error_of(problem, node)
        else:
            yield Job(node, [Step(WORDS[word], partial(_do, context, node, word))])


def _check_setup(xcat: Xcat, node: str) -> None:
    """Check that a kit was made for a node.

    Raises:
        Conflict: None was.
    """
    if SETUP not in notes(xcat.node_attrs("nodelist", [node], ["appstatus"])[node]):
        raise Conflict("no kit was made for it", f"Run: xcat-rhev engine kit VERSION --node {node}")


def _do(context: Context, node: str, word: str) -> Iterator[Data | Error]:
    if word == "answers":
        yield from (Data(line, node) for line in hand_out(context.xcat, node))
        return
    if word == INSTALLED:
        yield finish_full_install(context.xcat, node)
        return
    if word in (TAKEN, UP):
        take_away(context.xcat, node)
    if word == "ready":
        _ready(context.xcat, node)
    elif word != TAKEN:
        note(context.xcat, {node: {SETUP: word}})
    log.info("%s: %s", node, word)
    yield Data(word, node)


def _ready(xcat: Xcat, node: str) -> None:
    """Start the next step of a host with a full Linux, as after the install of a RHEV-H."""
    steps = {**dict.fromkeys(scripts(xcat, [node]), SCRIPTS), **dict.fromkeys(nodes_to_join(xcat, [node]), JOIN)}
    note(xcat, {node: {HOST: READY, MANAGER: steps.get(node, "")}})
