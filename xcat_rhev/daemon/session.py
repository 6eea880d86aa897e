"""One request from its bytes to its last document: who asks, whether they may, and who answers."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import __version__
from ..abort import check
from ..addresses import my_addresses
from ..errors import Aborted, BadAnswer, Bug, Denied, RhevError, Usage
from ..messages import Warn, error_of
from ..ordering import natural
from ..xcat import policy
from ..xcat.host import Request, Row
from ..xcat.wire import WireRequest, read_request
from . import identity
from .answers import Answers
from .audit import AuditEntry
from .connection import Connection
from .login_throttle import source
from .nodefiles import Reach
from .tables import Tables
from .xcatd import UNKNOWN, Xcatd, unknown

log = logging.getLogger(__name__)

#: Characters of a name that get into the log.
NAME = 64
#: Elements of the last document.
Fields = Mapping[str, Any]


class Sessions:
    """Serves requests; its `serve` is what the server calls.

    Args:
        xcatd: The daemon.
    """

    def __init__(self, xcatd: Xcatd) -> None:
        self._xcatd = xcatd

    def serve(self, connection: Connection, raw: bytes) -> None:
        """Answer one request; nothing is raised."""
        answers = Answers(connection, self._xcatd.source)
        transid, leave = "", False
        fields: Fields = {}
        try:
            wire = read_request(raw)
            transid = wire.transid
            fields = RequestSession(self._xcatd, connection, wire, answers).run()
        except Aborted:
            log.info("a request of %s ended because its client went away", connection.address)
        except RhevError as problem:
            answers.say(error_of(problem))
            leave = isinstance(problem, BadAnswer)
        except Exception:  # a mistake of ours must not end the daemon
            log.exception("a request of %s failed", connection.address)
            answers.say(error_of(Bug("xcatd failed because of a mistake in it", Bug.LOGS)))
        answers.finish(transid, fields)
        connection.finish(leave)


@dataclass(frozen=True)
class RequestSession:
    """One request under way.

    Attributes:
        xcatd: The daemon.
        connection: The client's.
        wire: What came.
        answers: The way back.
    """

    xcatd: Xcatd
    connection: Connection
    wire: WireRequest
    answers: Answers

    def run(self) -> Fields:
        """Serve it.

        Returns:
            What the last document holds besides its mark.

        Raises:
            RhevError: The request was refused as a whole.
        """
        tables = self.xcatd.tables()
        tables.aborted = self.connection.aborted
        user = self._user(tables)
        if user is None:
            return _error("Authentication failure")
        tables = tables.within(_reach(tables, user))
        if self.wire.gettoken:
            token, expire = identity.new_token(tables, self.wire.gettoken.name)
            return {"data": {"token": {"id": token, "expire": expire}}}
        if self.wire.version and self.wire.version != __version__:
            self.answers.say(Warn(f"xCAT Version mismatch! {self.wire.version} asks {__version__}"))
        if not self._ask_policy(tables, user):
            return _error("Permission denied for request")
        return self._answer(tables, user)

    def _user(self, tables: Tables) -> str | None:
        """The user that asks; empty for none in particular, None when a password or token is wrong."""
        user: str | None = self.connection.peer
        for login in filter(None, (self.wire.becomeuser, self.wire.gettoken)):
            knows = partial(identity.knows, tables, login)
            if not self.xcatd.guesses.right(self.connection.address, login.name, knows):
                self._log_failure(f"{login.name[:NAME]!a}")
                return None
            user = login.name
        if self.wire.token is not None and not self.wire.gettoken:
            user = identity.owner(tables, self.wire.token)
            if user is None:
                self._log_failure("a token")
        return user

    def _log_failure(self, what: str) -> None:
        """One line for each, in one shape, for programs such as fail2ban; of a flood, the number."""
        if self.xcatd.audit.failures.take(source(self.connection.address)):
            log.warning("authentication failure of %s from %s", what, self.connection.address)

    def _ask_policy(self, tables: Tables, user: str) -> bool:
        """Ask the policy table, and have the decision written down."""
        rows, peer = tables.policy(), _Peer(self.xcatd, self.connection.address, tables)
        asker = policy.Asker(user or None, peer.host, self._remote(rows, user))
        allowed = False
        try:
            allowed = self._decide(rows, asker, tables)
        finally:  # a row that cannot be read denies, too
            named = self.wire.noderange or ",".join(self.wire.nodes)
            entry = AuditEntry(
                self._acting_user(tables, user),
                peer.known or self.connection.address,
                self.wire.clienttype,
                self.wire.command,
                named,
                self.wire.args,
                "allowed" if allowed else "denied",
                "" if user else source(self.connection.address),
            )
            self.xcatd.audit.note(entry, tables.site("auditskipcmds"))
        return allowed

    def _decide(self, rows: Sequence[Row], asker: policy.Asker, tables: Tables) -> bool:
        asked, everything = policy.Query(self.wire.command, (), self.wire.args), tables.within(Reach.ALL)
        if policy.needs_nodes(rows, asker, asked):
            asked = asked._replace(nodes=self._nodes(tables))
        return policy.decide(rows, asker, asked, lambda text: everything.expand(text).nodes).allowed

    def _acting_user(self, tables: Tables, user: str) -> str:
        """The user for whom a trusted peer asks, such as another daemon; else the user that asks."""
        return self.wire.username if self.wire.username and policy.trusted(tables.policy(), user) else user

    def _remote(self, rows: Sequence[Row], user: str) -> tuple[str, ...]:
        """The hosts for which a front end asks. Anybody can write such names, so it must be here or be trusted."""
        hosts = tuple(filter(None, self.wire.remote_client.split(",")))
        return hosts if hosts and (policy.trusted(rows, user) or self.connection.address in my_addresses()) else ()

    def _nodes(self, tables: Tables) -> tuple[str, ...]:
        """The nodes that the command will get."""
        if self.wire.nodes or not self.wire.noderange:
            return tuple(dict.fromkeys(self.wire.nodes))
        try:
            return tables.expand(self.wire.noderange).nodes
        except (Usage, Denied):
            return ()  # it is not run: the same is found, and said, after the policy

    def _answer(self, tables: Tables, user: str) -> Fields:
        command = self.wire.command
        if command == "authcheck":
            name = {"username": user} if user else {}
            return {**name, "data": "Authenticated" if user else "Unauthenticated"}
        if self.xcatd.knows(command):
            return self._perform(tables, user)
        if command in ("noderange", "extnoderange"):
            return _noderange(tables, self.wire)
        return {"error": unknown(command), "errorcode": str(UNKNOWN)}

    def _perform(self, tables: Tables, user: str) -> Fields:
        wire = self.wire
        nodes, missing = wire.nodes, tuple(node for node in wire.nodes if node not in tables.nodes())
        if not nodes and wire.noderange:
            nodes, missing = tables.expand(wire.noderange)
        if missing:
            return _error(f"Invalid nodes and/or groups in noderange: {','.join(missing)}")
        request = Request(
            wire.command,
            nodes,
            wire.args,
            wire.cwd or "/",
            self._acting_user(tables, user),
            self.connection.address,
            wire.stdin or "",
            wire.environment,
            self.connection.aborted,
        )
        if self.xcatd.waits(wire.command):
            self.connection.takes_long()
        for said in self.xcatd.perform(request, tables, settled=wire.preprocessed, wire=wire):
            self.answers.say(said)
            check(request.aborted)
        return {}


def _reach(tables: Tables, user: str) -> Reach:
    if user == "root" or policy.trusted(tables.policy(), user):
        return Reach.ALL
    return Reach.PUBLIC if user else Reach.NONE


def _error(text: str) -> Fields:
    return {"error": text, "errorcode": "1"}


def _noderange(tables: Tables, wire: WireRequest) -> Fields:
    """Answer the commands `noderange` and `extnoderange`, which show what a noderange stands for."""
    found = tables.expand(wire.noderange or "")
    fields: dict[str, Any] = {"node": list(found.nodes)}
    if found.missing:
        fields["warning"] = f"Invalid nodes in noderange:{','.join(found.missing)}"
    if wire.command == "extnoderange" and any("subgroups" in arg for arg in wire.args):
        chosen = set(found.nodes)
        names = [name for name, members in tables.groups().items() if not chosen.isdisjoint(members)]
        fields["intersectinggroups"] = sorted(names, key=natural)
    return fields


class _Peer:
    """The host that a request came from, looked up when a policy row asks for it and not before.

    Args:
        xcatd: The daemon, which knows names.
        address: The client's.
        tables: For the cluster's domain.
    """

    def __init__(self, xcatd: Xcatd, address: str, tables: Tables) -> None:
        self._xcatd, self._address, self._tables = xcatd, address, tables
        self._asked = False
        #: The host's name, if it was looked up.
        self.known = ""

    def host(self) -> str:
        """Its short name, as policy rows have it; empty if it has none."""
        if not self._asked:
            self._asked, self.known = True, _short(self._xcatd.names.of(self._address), self._tables)
        return self.known


def _short(name: str, tables: Tables) -> str:
    """Cut the cluster's domain off a host name, then interface suffixes, as xCAT does.

    A name of another domain stays whole, where xCAT cuts it at the first dot: anybody may own `localhost.example`.
    """
    domain = tables.site("domain")
    return re.sub(r"-(eth|myri|ib)\d+$", "", name.removesuffix(f".{domain}") if domain else name)
