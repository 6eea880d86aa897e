"""The leaves: what everybody may use."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from argparse import ArgumentTypeError
from dataclasses import FrozenInstanceError, asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev import clock, errors, messages, units
from xcat_rhev.errors import Locked, RhevError, Usage, one_line
from xcat_rhev.jsonlines import SCHEMA, line_of
from xcat_rhev.messages import Data
from xcat_rhev.ordering import natural
from xcat_rhev.ports import port
from xcat_rhev.secret import STARS, Secret

KINDS = [getattr(errors, name) for name in errors.__all__]
SENTINEL = "s3ntinel-pa55word"


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_shows_its_text_and_hint_in_one_line(kind: type[RhevError]) -> None:
    problem = kind("vm1 is\n\tlocked", "Wait\x1b[0m for it")
    assert str(problem) == "vm1 is locked. Wait [0m for it"
    assert str(kind("vm1 is locked")) == "vm1 is locked"
    assert 1 <= problem.exit_code <= 127
    assert isinstance(problem, RhevError)


def test_the_drawn_tree_names_every_kind() -> None:
    drawn = (errors.__doc__ or "").split()
    assert [name for name in errors.__all__ if name not in drawn] == []
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, RhevError)}
    assert kinds == set(errors.__all__)


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_be_repeated(kind: type[RhevError]) -> None:
    assert kind.may_retry is (kind.__name__ in ("Locked", "Unreachable"))


def test_locked_is_a_conflict_of_the_moment() -> None:
    assert issubclass(Locked, errors.Conflict)
    assert not errors.Conflict.may_retry


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line.isprintable()
    assert line == line.strip()
    assert "  " not in line
    assert one_line(line) == line


def test_a_line_has_an_end() -> None:
    line = one_line("x" * (1 << 20))
    assert line.endswith("x... (1048576 characters)") and len(line) < 1 << 17
    assert one_line(line) == line


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4g", 4 << 30),
        ("4G", 4 << 30),
        ("4GB", 4 << 30),
        ("4 GiB", 4 << 30),
        (" 4gib ", 4 << 30),
        ("512", 512 << 20),
        ("512m", 512 << 20),
        ("1.5g", 3 << 29),
        (".5t", 1 << 39),
        ("64k", 64 << 10),
        ("1048576b", 1 << 20),
        ("1t", 1 << 40),
        ("0.1k", 102),
        ("1.", None),
        ("4 g b", None),
        ("-1g", None),
        ("", None),
        ("g", None),
        ("4x", None),
        ("4gg", None),
        ("1e3", None),
        ("0", None),
        ("0g", None),
        ("0.1b", None),
        ("4bb", None),
        ("nan", None),
        ("4g 4g", None),
        ("0x10", None),
        ("4,5g", None),
        ("4\n", 4 << 20),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    if size is not None:
        assert units.parse_size(text) == size
        return
    with pytest.raises(Usage) as caught:
        units.parse_size(text, "vm.memory of vm1")
    assert str(caught.value).startswith(f"vm.memory of vm1: '{text}' is n")
    assert "4g" in caught.value.hint


@given(st.integers(1, 1 << 20), st.sampled_from("bkmgt"), st.booleans())
def test_whole_sizes_are_exact(number: int, suffix: str, upper: bool) -> None:
    text = f"{number}{suffix.upper() if upper else suffix}"
    assert units.parse_size(text) == number * {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}[suffix]


@given(st.text(max_size=20))
def test_a_size_is_positive_or_refused(text: str) -> None:
    try:
        assert units.parse_size(text) >= 1
    except Usage as problem:
        assert problem.exit_code == 1


def test_memory_is_whole_mib() -> None:
    assert units.parse_memory("1.5m") == 1 << 20
    assert units.parse_memory("2047k") == 1 << 20
    with pytest.raises(Usage, match="less than 1 MiB"):
        units.parse_memory("1023k")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (17, "17 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (512 << 20, "512 MiB"),
        (4 << 30, "4 GiB"),
        (10 << 40, "10 TiB"),
        (3 << 29, "1.5 GiB"),
        (5000 << 40, "5000 TiB"),
        (99.9, "99 B"),
    ],
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert units.show_size(size) == text


def test_a_secret_does_not_show_itself(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(SENTINEL)
    logging.getLogger("test").warning("%s %r %s", secret, secret, {"password": secret})
    shown = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>30}",
        f"{secret:>20}",
        "%s" % secret,  # noqa: UP031
        str([secret]),
        caplog.text,
        json.dumps(str(secret)),
    ]
    assert not [text for text in shown if SENTINEL in text]
    assert str(secret) == STARS
    assert secret.reveal() == SENTINEL


def test_a_secret_does_not_show_its_length() -> None:
    assert str(Secret("a")) == str(Secret("a" * 40)) == f"{Secret('')}"


def test_a_secret_stays_in_this_process() -> None:
    for leave in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError) as caught:
            leave(Secret(SENTINEL))
        assert SENTINEL not in str(caught.value)


def test_a_secret_in_a_trace_is_stars() -> None:
    def fail(password: Secret) -> None:
        raise ValueError(f"cannot log in with {password}")

    try:
        fail(Secret(SENTINEL))
    except ValueError:
        assert SENTINEL not in traceback.format_exc()


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not Secret("")
    assert not hasattr(Secret("a"), "__dict__")


def test_a_manual_clock_moves_only_when_told() -> None:
    manual = clock.ManualClock(10.0)
    assert manual.now() == manual.now() == 10.0
    manual.sleep(2.5)
    manual.advance(1.0)
    assert manual.now() == 13.5
    assert manual.slept == [2.5]


def test_the_system_clock_never_goes_back() -> None:
    system = clock.SystemClock()
    before = system.now()
    system.sleep(0.0)
    assert system.now() >= before


@pytest.mark.parametrize(
    "message",
    [
        messages.Info("a"),
        messages.Data("a", "vm1", "power"),
        messages.Warn("a"),
        messages.Error("a"),
        messages.Note("a"),
        messages.Progress("1%"),
    ],
)
def test_messages_are_values(message: messages.Message) -> None:
    assert type(message)(**asdict(message)) == message
    with pytest.raises(FrozenInstanceError):
        message.text = "b"  # type: ignore[misc]


def test_an_error_becomes_its_message() -> None:
    problem = errors.NotFound("vm1 is not there", "Run mkvm vm1")
    problem.exit_code = 7
    assert messages.error_of(problem, "vm1") == messages.Error("vm1 is not there. Run mkvm vm1", "vm1", 7)
    assert messages.error_of(problem).node == ""


def test_names_are_sorted_as_people_count() -> None:
    assert sorted(["n10", "n2", "n1a", "n", "m3", "n02"], key=natural) == ["m3", "n", "n1a", "n02", "n2", "n10"]
    assert sorted(["n" + "9" * 5000, "n1"], key=natural)[0] == "n1"


@pytest.mark.parametrize("text", ["-1", "65536", "9" * 5000, "http", ""])
def test_what_is_no_port_is_said(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="Write a number from 0"):
        port(text)


def test_every_field_of_a_message_is_in_the_schema() -> None:
    said = json.loads(line_of(Data("on", "vm1", "power", 1, (("state", "on"),))))
    assert said == {"kind": "data", "node": "vm1", "desc": "power", "text": "on", "code": 1, "state": "on"}
    assert said.keys() <= SCHEMA.keys()
