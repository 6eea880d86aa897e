"""The engines' search language: names as values, as many in one search as fit, and which of the hits is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable

from .documents.dialect import percent
from .nouns import Host

#: Names in one search; engines that cut lists get one less than they cut at, which says that there is no second page.
BATCH = 125
#: Bytes of an encoded search; Apache takes 8190 for the whole line.
LONGEST = 4096
#: Names in one search; well below the 4 KiB that every engine's web server takes as an address.
NAMES_IN_ONE = 50


def expressible(name: str) -> bool:
    """Whether the search language can hold this name.

    Its parser stops at quotes and semicolons (SyntaxChecker, 3.0 to 4.5).
    """
    return name.isprintable() and bool(name) and not set(name) & set("\"';\\")


def quote(name: str) -> str:
    """A name as a value of the search language; quoted always, for it may be one of its words."""
    return f'"{name}"'


def batches(names: Sequence[str], term: Callable[[str], str], most: int = BATCH) -> Iterator[str]:
    """Join names to as few searches as fit.

    Args:
        names: All expressible.
        term: Makes one condition of a name.
        most: Names in one search.
    """
    terms: list[str] = []
    length = 0
    for name in names:
        one = term(name)
        size = len(percent(one)) + len("%20or%20")
        if terms and (len(terms) >= most or length + size > LONGEST):
            yield " or ".join(terms)
            terms, length = [], 0
        terms.append(one)
        length += size
    if terms:
        yield " or ".join(terms)


def host_term(name: str) -> str:
    """Names and addresses that begin so; which of them is meant is decided by comparing."""
    value = f"{name}*" if name.replace("-", "").replace(".", "").isalnum() else quote(f"{name}*")
    return f"name={value} or address={value}"


def has_name(host: Host, name: str) -> bool:
    """Whether it is the host's name."""
    return host.name == name


def has_address(host: Host, name: str) -> bool:
    """Whether it is the host's address."""
    return (host.address or "").lower() == name.lower()


def has_short_name(host: Host, name: str) -> bool:
    """Equal up to the domain, on either side; an IP address has none."""

    def short(text: str) -> str:
        return text if text.replace(".", "").isdigit() else text.partition(".")[0]

    return "." not in name and name.lower() in (short(host.name).lower(), short(host.address or "").lower())


def any_of(field: str, names: Sequence[str | None]) -> Iterator[str]:
    """Searches that together find what has one of the names.

    Args:
        field: The search language's word, as `Host.name`.
        names: Exact names.
    """
    for begin in range(0, len(names), NAMES_IN_ONE):
        yield " or ".join(f"{field}={quote(name or '')}" for name in names[begin : begin + NAMES_IN_ONE])
