"""Which refusals may be none in a moment, for every message that an engine of 3.0 to 4.5 can give.

`tests/data/engine_messages.tsv` holds, per line: `again` or `no`, which is our own decision; the message's key; the
releases whose AppErrors.properties have it in these words; the words. A message is `again` when the engine says that
somebody else is at work on the thing and that this ends by itself, and `no` when somebody has to do something first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from xcat_rhev.engine.wire.faults import error_of
from xcat_rhev.engine.wire.passing import passes
from xcat_rhev.engine.wire.transport import HttpRequest, Response
from xcat_rhev.errors import Locked, RhevError

TABLE = Path(__file__).parents[2] / "data" / "engine_messages.tsv"
#: What stands in the places that the engine fills in: what is numbers, and what is names.
FILLED = re.compile(r"\$\{(\w*)\}")


class Said(NamedTuple):
    """One line of the table."""

    again: bool
    key: str
    releases: str
    text: str

    def filled(self) -> str:
        return FILLED.sub(lambda place: "30" if "second" in place[1] else "web-1", self.text)


def table() -> Iterator[Said]:
    for line in TABLE.read_text("utf-8").splitlines():
        decision, key, releases, text = line.split("\t")
        assert decision in {"again", "no"}
        yield Said(decision == "again", key, releases, text)


def refused(text: str, status: int = 409) -> RhevError:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    body = f"<fault><reason>Operation Failed</reason><detail>[{escaped}]</detail></fault>"
    return error_of(Response(status, body=body.encode()), "m", HttpRequest("POST", "/x"))


def test_the_table_holds_what_engines_can_say() -> None:
    lines = list(table())
    assert len({said.key for said in lines}) > 1900
    assert 90 < sum(said.again for said in lines) < 110
    for release in ("3.0", "3.6", "4.0", "master"):
        assert any(release in said.releases for said in lines)


def test_every_message_is_decided_as_the_table_says() -> None:
    wrong = [said for said in table() if passes(said.filled()) != said.again]
    assert not wrong


@pytest.mark.parametrize("status", [400, 409])
def test_and_so_is_a_refusal_in_either_status(status: int) -> None:
    """What is said of permissions or of a thing's absence is that, before it is anything else."""
    wrong = [said for said in table() if said.again and type(refused(said.filled(), status)) is not Locked]
    assert not wrong


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Cannot suspend VM because the VM is in Reboot in Progress status.", True),
        ("Cannot run VM because VM is in Image Locked status.", True),
        ("Cannot edit VM because the VM is in Saving State status.", True),
        ("Cannot run VM because the VM is in Up status.", False),
        ("Cannot stop VM because the VM is in Down status.", False),
        ("Cannot stop VM because the VM is in Not Responding status.", False),
        ("Cannot stop VM because the VM is in Unknown status.", False),
        ("Cannot detach Storage. The relevant Storage Domain's status is Locked.", True),
        ("Cannot detach Storage. The relevant Storage Domain's status is PreparingForMaintenance.", True),
        ("Cannot deactivate Storage. The relevant Storage Domain's status is Maintenance.", False),
        ("Cannot deactivate Storage. The relevant Storage Domain's status is Unknown.", False),
        ("Cannot restore VM. The snapshot is in LOCKED status.", True),
        ("Cannot cancel migration. Migration not in progress", False),
        ("Cannot edit VM. VM disk1 is being used by another VM.", False),
    ],
)
def test_states_that_pass_by_themselves(text: str, again: bool) -> None:
    assert passes(text) is again
