"""One request from its bytes to its last document: who asks, whether they may, and who answers."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from .. import __version__
from ..errors import Aborted, BadAnswer, Bug, Denied, RhevError, Usage
from ..messages import Warning, error_of
from ..xcat import policy
from ..xcat.addresses import my_addresses
from ..xcat.host import Request, Row
from ..xcat.wire import WireRequest, read_request
from . import identity
from .answers import Answers
from .audit import Entry
from .connection import Connection
from .nodefiles import Reach
from .tables import Tables
from .xcatd import Xcatd

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
            fields = Session(self._xcatd, connection, wire, answers).run()
        except Aborted:
            log.info("a request of %s ended because its client went away", connection.address)
        except RhevError as problem:
            answers.say(error_of(problem))
            leave = isinstance(problem, BadAnswer)
        except Exception as problem:  # a mistake of ours must not end the daemon
            log.exception("a request of %s failed", connection.address)
            answers.say(error_of(Bug(f"xcatd failed inside: {type(problem).__name__}", "Its log has the details")))
        answers.done(transid, fields)
        connection.finish(leave)


@dataclass(frozen=True)
class Session:
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
        user = self._user(tables)
        if user is None:
            return _error("Authentication failure")
        tables = tables.within(_reach(tables, user))
        if self.wire.gettoken:
            token, expire = identity.new_token(tables, self.wire.gettoken.name)
            return {"data": {"token": {"id": token, "expire": expire}}}
        if self.wire.version and self.wire.version != __version__:
            self.answers.say(Warning(f"xCAT Version mismatch! {self.wire.version} asks {__version__}"))
        if not self._allowed(tables, user):
            return _error("Permission denied for request")
        return self._answer(tables, user)

    def _user(self, tables: Tables) -> str | None:
        """Who asks; empty for nobody in particular, None when anything that they say about themselves is not true."""
        user: str | None = self.connection.peer
        for login in filter(None, (self.wire.becomeuser, self.wire.gettoken)):
            knows = partial(identity.knows, tables, login)
            if not self.xcatd.guesses.right(self.connection.address, login.name, knows):
                # one line for each, in one shape, for whoever watches for those who guess
                log.warning("authentication failure of %a from %s", login.name[:NAME], self.connection.address)
                return None
            user = login.name
        if self.wire.token is not None and not self.wire.gettoken:
            user = identity.owner(tables, self.wire.token)
            if user is None:
                log.warning("authentication failure of a token from %s", self.connection.address)
        return user

    def _allowed(self, tables: Tables, user: str) -> bool:
        """Ask the policy table, and have the decision written down."""
        rows = tables.policy()
        host = self._peer_host(rows, tables)
        asker = policy.Asker(user or None, host, self._remote(rows, user))
        allowed = False
        try:
            allowed = self._decided(rows, asker, tables)
        finally:  # a row that cannot be read denies, too
            named = self.wire.noderange or ",".join(self.wire.nodes)
            entry = Entry(
                self._acting(tables, user), host or self.connection.address, self.wire.clienttype, self.wire.command,
                named, self.wire.args, "allowed" if allowed else "denied",
            )
            self.xcatd.audit.note(entry, tables.site("auditskipcmds"))
        return allowed

    def _decided(self, rows: Sequence[Row], asker: policy.Asker, tables: Tables) -> bool:
        asked, everything = policy.Asked(self.wire.command, (), self.wire.args), tables.within(Reach.ALL)
        if policy.needs_nodes(rows, asker, asked):
            asked = asked._replace(nodes=self._nodes(tables))
        return policy.decide(rows, asker, asked, lambda text: everything.expand(text).nodes).allowed

    def _acting(self, tables: Tables, user: str) -> str:
        """For whom a trusted peer asks, such as another daemon; else who asks."""
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

    def _peer_host(self, rows: Sequence[Row], tables: Tables) -> str:
        """The client's host name as policy rows have it; looked up only if one of them asks for it."""
        if not any(row.get("host", "*") != "*" for row in rows):
            return ""
        return _short(_reverse(self.connection.address), tables)

    def _answer(self, tables: Tables, user: str) -> Fields:
        command = self.wire.command
        if command == "authcheck":
            name = {"username": user} if user else {}
            return {**name, "data": "Authenticated" if user else "Unauthenticated"}
        if self.xcatd.knows(command):
            return self._perform(tables, user)
        if command in ("noderange", "extnoderange"):
            return _noderange(tables, self.wire)
        return {"error": "Unsupported request"}  # without an errorcode, as xcatd has always answered it

    def _perform(self, tables: Tables, user: str) -> Fields:
        wire = self.wire
        nodes, missing = wire.nodes, tuple(node for node in wire.nodes if node not in tables.nodes())
        if not nodes and wire.noderange:
            nodes, missing = tables.expand(wire.noderange)
        if missing:
            return _error(f"Invalid nodes and/or groups in noderange: {','.join(missing)}")
        request = Request(
            wire.command, nodes, wire.args, wire.cwd or "/", self._acting(tables, user), self.connection.address,
            wire.stdin or "", wire.environment, self.connection.aborted,
        )
        if self.xcatd.waits(wire.command):
            self.connection.takes_long()
        for said in self.xcatd.perform(request, tables, settled=wire.preprocessed, wire=wire):
            self.answers.say(said)
            if request.aborted.is_set():
                raise Aborted("the client went away")
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
        fields["intersectinggroups"] = sorted(
            name for name, members in tables.groups().items() if not chosen.isdisjoint(members)
        )
    return fields


@lru_cache(maxsize=1024)
def _reverse(address: str) -> str:
    try:
        return socket.gethostbyaddr(address)[0]
    except OSError:
        return ""


def _short(name: str, tables: Tables) -> str:
    """Cut a host name as xCAT does: the cluster's domain or everything after the first dot, then interface suffixes."""
    domain = tables.site("domain")
    short = name.removesuffix(f".{domain}") if domain and name.endswith(f".{domain}") else name.partition(".")[0]
    return re.sub(r"-(eth|myri|ib)\d+$", "", short)
