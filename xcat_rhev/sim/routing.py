"""Addresses as a table: which call exists since when, in which dialect, and what handles it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .dialect import ALWAYS, NEVER, SimDialect, Version
from .faults import Gone, NotHere

Handler = Callable[[Any], Any]


@dataclass(frozen=True)
class Route:
    """One call of the engine's API.

    Attributes:
        method: GET, POST, PUT or DELETE.
        path: Below the base address; `{vm}` is the id of a thing of that kind.
        handler: Takes a `Call`, gives one of the answers of `answers`.
        about: What it does, for the list of calls.
        since3, until3: The v3 engines that have it; since3 `NEVER`: none.
        since4: The v4 engines that have it; `NEVER`: none.
        action: A POST that is a verb, shown among the resource's actions.
        rels: Under which names a collection is linked from its owner; its last word if not given.
    """

    method: str
    path: str
    handler: Handler
    about: str
    since3: Version = ALWAYS
    until3: Version = NEVER
    since4: Version = ALWAYS
    action: bool = False
    rels: tuple[str, ...] = ()

    def there(self, dialect: SimDialect) -> bool:
        """Tell whether the engine that is pretended has this call."""
        if dialect.number == 3:
            return dialect.knows(self.since3, self.until3)
        return dialect.knows(self.since4)


def get(path: str, handler: Handler, about: str, **more: Any) -> Route:
    """Declare a GET."""
    return Route("GET", path, handler, about, **more)


def post(path: str, handler: Handler, about: str, **more: Any) -> Route:
    """Declare a POST which creates."""
    return Route("POST", path, handler, about, **more)


def put(path: str, handler: Handler, about: str, **more: Any) -> Route:
    """Declare a PUT."""
    return Route("PUT", path, handler, about, **more)


def delete(path: str, handler: Handler, about: str, **more: Any) -> Route:
    """Declare a DELETE."""
    return Route("DELETE", path, handler, about, **more)


def verb(path: str, handler: Handler, about: str, **more: Any) -> Route:
    """Declare an action."""
    return Route("POST", path, handler, about, action=True, **more)


class Routes:
    """Find what handles a call, and what a resource offers.

    Args:
        routes: The table.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.table = tuple(routes)
        self._tree: dict[str, Any] = {}
        self._offers: dict[tuple[str, int, Version], tuple[list[str], list[tuple[str, str]]]] = {}
        for route in self.table:
            node = self._tree
            for step in filter(None, route.path.split("/")):
                node = node.setdefault("{}" if step.startswith("{") else step, {})
            node.setdefault("", []).append(route)

    def find(self, method: str, path: str, dialect: SimDialect) -> tuple[Route, dict[str, str]]:
        """Find the route of a call.

        Args:
            method: As in HTTP.
            path: Below the base address.
            dialect: Routes that its version lacks are not there.

        Returns:
            The route, and the ids of its path by kind.

        Raises:
            Gone: No such address.
            NotHere: The address exists, but not for this method.
        """
        steps = [step for step in path.split("/") if step]
        there = [route for route in self._at(self._tree, steps) if route.there(dialect)]
        if not there:
            raise Gone
        for route in there:
            if route.method == method:
                return route, _ids(route, steps)
        raise NotHere

    def _at(self, node: dict[str, Any], steps: list[str]) -> list[Route]:
        if not steps:
            return list(node.get("", ()))
        found: list[Route] = []
        for key in (steps[0], "{}"):
            if key and key in node and not found:
                found = self._at(node[key], steps[1:])
        return found

    def offers(self, path: str, dialect: SimDialect) -> tuple[list[str], list[tuple[str, str]]]:
        """Give the verbs and the links (rel, last word) of a resource.

        Args:
            path: The path of its shape, e.g. `/vms/{vm}`.
            dialect: Decides what is there.
        """
        key = (path, dialect.number, dialect.version)
        if key not in self._offers:
            below = [route for route in self.table if _below(route.path, path) and route.there(dialect)]
            verbs = [route.path.rpartition("/")[2] for route in below if route.action]
            links = [
                (rel, route.path.rpartition("/")[2])
                for route in below
                if route.method == "GET"
                for rel in route.rels or (route.path.rpartition("/")[2],)
            ]
            self._offers[key] = (verbs, links)
        return self._offers[key]

    def under(self, path: str, word: str, dialect: SimDialect) -> Route | None:
        """Find the collection that a link of a resource leads to; underscores and case do not count."""
        wanted = word.replace("_", "").lower()
        for rel, last in self.offers(path, dialect)[1]:
            if rel == wanted:
                return self.find("GET", f"{path}/{last}".replace("{", "").replace("}", ""), dialect)[0]
        return None


def _below(path: str, parent: str) -> bool:
    rest = path[len(parent) + 1 :]
    return bool(path.startswith(parent + "/") and rest and "/" not in rest and "{" not in rest)


def _ids(route: Route, steps: list[str]) -> dict[str, str]:
    words = route.path.strip("/").split("/")
    return {word[1:-1]: step for word, step in zip(words, steps) if word.startswith("{")}
