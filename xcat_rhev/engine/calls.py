"""What can be asked of a manager about any noun: list, get, create, change, remove, act.

A create whose answer was lost is settled by looking for the thing, not by creating it twice.
"""

from __future__ import annotations

import builtins
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from ..errors import BadAnswer, Conflict, NotFound, RhevError, TimedOut, Unreachable, Usage
from ..secret import Secret
from .documents.bodies import action, document, removal
from .documents.dialect import ROWS, Dialect
from .documents.noun import N
from .documents.parsing import ListReader, parse, read_one, unexpected_document
from .nouns import Answer, Event, Network, Noun, Ref
from .states import ActionStatus
from .untaken import explain, untaken
from .wire.faults import refusal
from .wire.layers import TRIES
from .wire.login import ALWAYS
from .wire.patience import Patience
from .wire.transport import HttpRequest, Response, Sender
from .wire.unknown import unknown

#: More rows than any engine holds, for versions that cut lists unless told otherwise.
_ALL_ROWS = "1000000"
_EVERYTHING = {"All-Content": "true"}
#: What an engine does before it answers: it switches a host, sets its networks up, speaks with a host about storage.
_SLOW = re.compile(
    r"/(fence|setupnetworks|commitnetconfig|restore|iscsi(discover|login)|discoveriscsi)$"
    r"|/storagedomains(/[^/?]+(/activate)?)?(\?|$)"
    r"|/hosts(\?|$)"  # it logs in to a new host first, and has five minutes of patience with a wrong address
)
#: How the Correlation-Id of our requests begins.
OURS = "xcat-"
#: How often one looks for a thing whose create may still be under way.
_LOOKS = 3


@dataclass(frozen=True)
class _How:
    """How a list is asked for and read."""

    headers: Mapping[str, str]
    only: frozenset[str]


class Calls:
    """One manager's collections.

    Args:
        sender: Sends, tries again, and makes errors of refusals.
        base: The API's path, as `/ovirt-engine/api`.
        dialect: What it speaks.
        name: The manager's name.
        patience: How one waits.
    """

    def __init__(self, sender: Sender, base: str, dialect: Dialect, name: str, patience: Patience) -> None:
        self._sender, self._base, self._patience = sender, base, patience
        self.dialect, self.name = dialect, name

    def collection(self, noun: type[Noun], under: Noun | Ref | None = None) -> str:
        """The path of a collection, below another thing or at the top."""
        above = self._base if under is None else self.path(under)
        return f"{above}/{noun.collection(self.dialect.major)}"

    def path(self, obj: Noun | Ref, under: Noun | Ref | None = None) -> str:
        """The path of a thing. A kind with a collection of its own is addressed there, wherever it was seen."""
        if under is not None and isinstance(obj, Noun):
            return f"{self.collection(type(obj), under)}/{_plain_id(obj.id)}"
        if isinstance(obj, Noun) and obj.TOP:
            return f"{self.collection(type(obj))}/{_plain_id(obj.id)}"
        if not obj.href or not obj.href.startswith("/") or obj.href.startswith("//"):
            raise BadAnswer(f"manager {self.name} gives no address for {obj}")
        return obj.href

    def searchable(self, noun: type[Noun]) -> bool:
        """Whether the kind's collection can be searched. Such lists are the ones that old engines cut."""
        return noun.SEARCHABLE and (noun is not Network or self.dialect.has("networks_searchable"))

    def list(
        self,
        noun: type[N],
        path: str,
        search: str = "",
        *,
        detail: str = "",
        limit: int = 0,
        everything: bool = False,
        only: frozenset[str] = frozenset(),
        **params: str,
    ) -> builtins.list[N]:
        """Read a collection, all of it.

        Args:
            noun: Of what.
            path: Its path.
            search: In the search language.
            detail: v3's way to have sub-collections put inside: `disks; detail=nics`.
            limit: At most so many; 0 for all.
            everything: Also what engines leave out because it costs them more, such as a VM's serial console.
            only: The attributes that are wanted; none for all.
            params: `follow`, `current` ...

        Raises:
            RhevError: As `send`.
        """
        accept = {"Accept": f"application/xml; detail={detail}" if detail else "application/xml"}
        how = _How({**ALWAYS, **accept, **(_EVERYTHING if everything else {})}, only)
        cut = self.searchable(noun) and path == self.collection(noun) and not self.dialect.has("unlimited")
        if cut:
            if not self.dialect.has("max_matrix"):
                return self._pages(noun, path, search, how, limit)
            params = {"max": str(limit) if limit else _ALL_ROWS, **params}
        elif limit:
            params = {"max": str(limit), **params}
        return self._read(noun, self.dialect.address(path, search, **params), how)

    def get(self, noun: type[N], path: str, *, everything: bool = False, **params: str) -> N:
        """Read one thing.

        Args:
            noun: Of what.
            path: Its path.
            everything: As for `list`.
            params: `next_run` ...

        Raises:
            NotFound: It is not there.
        """
        headers = {**ALWAYS, **_EVERYTHING} if everything else ALWAYS
        response = self._sender.send(HttpRequest("GET", self.dialect.address(path, **params), headers=headers))
        return read_one(noun, response.body, self.dialect)

    def create(self, new: N, path: str, settle: Callable[[], N | None], **params: Any) -> N:
        """Make a thing.

        Args:
            new: What it should be.
            path: Its collection's path.
            settle: Looks for it among what is there; asked when an answer was lost.
            params: v4's query parameters, as `clone=True`.

        Raises:
            Unreachable: The answer was lost, and the thing is not there.
            RhevError: The manager refused.
        """
        if params and self.dialect.major == 3:
            raise Usage(f"API v3 takes no {', '.join(sorted(params))} when a {new.word()} is made")
        query = {name: "true" if value is True else str(value) for name, value in params.items()}
        sent, shown = document(new, self.dialect)
        request = self._write("POST", self.dialect.address(path, **query), sent, shown)
        tries = 0
        while True:
            tries += 1
            try:
                return read_one(type(new), self._sender.send(request).body, self.dialect)
            except (Unreachable, BadAnswer) as problem:
                with _in_doubt(problem):
                    found = self._find_made(problem, settle)
                if found is not None:
                    return found
                if tries >= TRIES or _open(problem) or not problem_may_pass(problem):
                    raise
                self._patience.back_off(tries)
            except Conflict:
                found = settle() if tries > 1 else None
                if found is None:
                    raise
                return found

    def _find_made(self, problem: RhevError, settle: Callable[[], N | None]) -> N | None:
        """Look whether a thing was made after all; more than once if the engine may still be at it."""
        for look in range(_LOOKS if _open(problem) else 1):
            if look:
                self._patience.back_off(look)
            found = settle()
            if found is not None:
                return found
        return None

    def change(self, current: N, path: str, wanted: dict[str, Any], *, check: bool = True) -> N:
        """Send changes of a thing; a lost answer is settled by looking whether they are there.

        Args:
            current: The thing as it is.
            path: Its path.
            wanted: What should differ, by attribute.
            check: What the answer does not show is looked for, and its lack is an error.

        Raises:
            Conflict: The manager says that it is done, and it is not.
            RhevError: The manager refused, or no answer came and nothing was changed.
        """
        sent, shown = document(current, self.dialect, wanted)
        try:
            response = self._sender.send(self._write("PUT", path, sent, shown))
            changed = read_one(type(current), response.body, self.dialect)
        except (Unreachable, BadAnswer) as problem:
            with _in_doubt(problem):
                changed = self.get(type(current), path)
            readable = {name: value for name, value in wanted.items() if not isinstance(value, Secret)}
            if not readable and _open(problem):
                raise unknown(problem) from None
            if not readable or changed.differences(readable):
                raise
        if check and untaken(changed, wanted, self.dialect):
            self.refuse_untaken(self.get(type(current), path, everything=True), wanted)
        return changed

    def refuse_untaken(self, now: Noun, wanted: dict[str, Any]) -> None:
        """Hold a thing against what was asked for.

        Raises:
            Conflict: Something of it is not there.
        """
        left = untaken(now, wanted, self.dialect)
        if left:
            raise explain(now, left)

    def remove(self, obj: Noun, path: str, **params: Any) -> None:
        """Remove a thing; one that is gone already is fine, and so a removal whose answer was lost can be repeated.

        Raises:
            RhevError: The manager refused, or no answer came and the thing is still there.
        """
        query, (sent, shown) = removal(self.dialect, obj, params)
        request = self._write("DELETE", self.dialect.address(path, **query), sent, shown)
        tries = 0
        while True:
            tries += 1
            try:
                response = self._sender.send(request)
                break
            except (NotFound, Unreachable, BadAnswer) as problem:
                # What was not found need not be the thing itself: it may be the host that should do it.
                with _in_doubt(problem):
                    gone = self._is_absent(obj, path)
                if gone:
                    return
                if isinstance(problem, NotFound) or tries >= TRIES or not problem_may_pass(problem):
                    raise
                self._patience.back_off(tries)
        # 3.0 and 3.1 answer with nothing, later ones with an action.
        if response.body.strip():
            self._answer(response)

    def act(self, path: str, **params: Any) -> Answer:
        """Carry out an action. That it is complete means that it was accepted.

        Args:
            path: The thing's path and the verb.
            params: See `bodies.action`.

        Raises:
            RhevError: The manager refused.
        """
        sent, shown = action(self.dialect, params)
        request = self._write("POST", path, sent, shown)
        try:
            response = self._sender.send(request)
        except Unreachable as problem:
            if not problem.sent:
                raise
            return self._find_answer(request.headers["Correlation-Id"], problem)
        return self._answer(response)

    def _find_answer(self, correlation: str, problem: Unreachable) -> Answer:
        """An action's answer was lost: the manager's events tell whether it was carried out.

        Raises:
            Conflict: It was, and failed.
            Unreachable: Nobody knows.
        """
        with _in_doubt(problem):
            events = self._events_of(correlation)
        failed = [event for event in events if event.severity in ("error", "alert")]
        if failed:
            raise Conflict(failed[0].description or problem.text)
        if not events:
            raise unknown(problem)
        return Answer(status="complete")

    def _events_of(self, correlation: str) -> builtins.list[Event]:
        """What the manager noted of one request; it may need a moment for it."""
        if not self.dialect.has("correlation"):
            return []
        for look in range(_LOOKS):
            if look:
                self._patience.back_off(look)
            found = self.list(Event, self.collection(Event), f"correlation_id={correlation}", limit=20)
            if found:
                return found
        return []

    def _answer(self, response: Response) -> Answer:
        """Read an action's answer: it may hold a fault in spite of a good status."""
        root = parse(response.body)
        if root.tag != "action":
            raise unexpected_document(root, "action")
        answer = Answer.read(root, self.dialect)
        if answer.status == ActionStatus.FAILED or answer.detail or answer.reason:
            raise refusal(answer.detail or answer.reason or "the action failed", 0, self.name)
        return answer

    def _is_absent(self, obj: Noun, path: str) -> bool:
        try:
            self.get(type(obj), path)
        except NotFound:
            return True
        return False

    def _read(self, noun: type[N], address: str, how: _How) -> builtins.list[N]:
        reader = partial(ListReader, noun, self.dialect, how.only)
        request = HttpRequest("GET", address, headers=how.headers, reader=reader)
        response = self._sender.send(request)
        if not isinstance(response.result, list):
            raise BadAnswer(f"manager {self.name} answers HTTP {response.status} without a list")
        return response.result

    def _pages(self, noun: type[N], path: str, search: str, how: _How, limit: int) -> builtins.list[N]:
        """Read a list that engine 3.0 cuts: page by page, in the order of names so that nothing moves meanwhile."""
        found: dict[str, N] = {}
        page = 0
        order = f" sortby {noun.SEARCH_NAME} asc" if noun.NAMED else ""
        while not limit or len(found) < limit:
            page += 1
            address = self.dialect.address(path, f"{search}{order} page {page}".strip())
            rows = self._read(noun, address, how)
            fresh = {each.id: each for each in rows if each.id not in found}
            found.update(fresh)
            if len(rows) < ROWS or not fresh:
                break
        every = builtins.list(found.values())
        return every[:limit] if limit else every

    def _write(self, method: str, path: str, sent: bytes, shown: str) -> HttpRequest:
        headers = {**ALWAYS, "Correlation-Id": f"{OURS}{uuid.uuid4().hex[:20]}"}
        if sent:
            headers["Content-Type"] = "application/xml"
        return HttpRequest(method, path, sent, shown, headers, slow=bool(_SLOW.search(path)))


@contextmanager
def _in_doubt(problem: RhevError) -> Iterator[None]:
    """Within this one looks whether something was done whose answer was lost; a manager that is away leaves it open.

    Raises:
        Unreachable: Nobody knows.
    """
    try:
        yield
    except (Unreachable, TimedOut):
        # An engine that stops answers with failures to what it has carried out.
        raise (unknown(problem) if _open(problem) or isinstance(problem, BadAnswer) else problem) from None


def problem_may_pass(problem: RhevError) -> bool:
    """Whether the same create may work in a moment. The engine answered that it failed, or could not be asked."""
    return problem.may_retry or isinstance(problem, BadAnswer)


def _open(problem: RhevError) -> bool:
    """Whether the engine may still be working on the request."""
    return isinstance(problem, Unreachable) and problem.sent


def _plain_id(ident: str) -> str:
    """An id as a part of a path; only a hostile answer has one that would lead elsewhere."""
    if not ident or not all(letter.isalnum() or letter in "-_." for letter in ident) or ident in (".", ".."):
        raise BadAnswer(f"'{ident[:40]}' is not an id")
    return ident
