"""Perl's patterns: what is understood, what is refused, and that what is accepted ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.xcat import perlre

ACCEPTED = [
    ("fx\\d+", "fx12"),
    ("(\\D+)(\\d+)(\\D+)(\\d+)(\\D+)(\\d+)", "r1c2n3"),
    ("(rack|row)\\d+", "row5"),
    ("[[:alpha:]]+", "ab"),
    ("[^[:digit:]]", "x"),
    ("a\\z", "a"),
    ("\\Aab\\Z", "ab"),
    ("[a[b]", "["),
    ("[]a]", "]"),
    ("[^]a]", "b"),
    ("a&&b", "a&&b"),
    ("[a&&b]", "&"),
    ("(?<n>a)b", "ab"),
    ("(?i)ABC", "abc"),
    ("(x\\d+)+", "x1x22"),
    ("(?:n\\d{1,3}){2}", "n1n22"),
    ("\\x{41}", "A"),
    ("a|b|c", "b"),
    ("(?=a)a", "a"),
    ("(a)\\1", "aa"),
    (".*", "anything"),
    ("d(1.?.?|200)", "d1ab"),
    ("\\h", " "),
    ("[~|]", "|"),
    ("\\w+@\\w+", "a@b"),
    ("(?:ab|cd)*", "abcd"),
    ("[a-z]*[0-9]*[a-z]*[0-9]*", "a1b2"),
    ("^(?:a|b)?c{0,3}$", "acc"),
    ("node[0-9]+\\.example\\.com", "node1.example.com"),
    ("\\[x\\]", "[x]"),
    ("[[:^digit:]]", "x"),
    ("(?<n>a)\\k<n>", "aa"),
    ("(?<n>a)\\k{n}", "aa"),
    ("\\Qa.b[\\E+", "a.b["),
    ("a{e}", "a{e}"),
    ("a{e<=1}b", "a{e<=1}b"),
    ("x{,2}y", "xxy"),
    ("\\o{101}", "A"),
    ("\\cA", "\x01"),
    ("\\p{Lu}", "A"),
    ("(?|(a)|(b))\\1", "bb"),
    ("a++b", "aab"),
    ("(?>a|ab)c", "ac"),
    ("[\\]]", "]"),
]
SLOW = [
    "(a+)+$",
    "(a*)*",
    "(a|a)*b",
    "(a|aa)+$",
    "(.*)*x",
    "(a?){50}",
    "a?" * 40,
    ".*.*.*.*.*.*x",
    "(\\w+\\s?)*$",
    "(?:a+){10}b",
    "((a+)b?)+c",
    "(x+x+)+y",
    "a*a*a*a*a*a*b",
    "(?:(?:a{0,9}){0,9}){0,9}",
    "(?=(a+)+)b",
    "(a|b|ab)*c",
    "(.+)+",
]
REFUSED = [
    "(",
    ")",
    "*a",
    "[",
    "a{2,1}",
    "\\q",
    "(?P<",
    "[z-a]",
    "[[:nothing:]]",
    "(?x",
    "\\1",
    "a" * 1001,
    "\\x{110000}",
]

EVIL = ["a" * 64, "a" * 63 + "!", "ab" * 32, "1" * 64, "ax" * 31 + "!!", "abababababab" + "a" * 52]


@pytest.mark.parametrize(("pattern", "text"), ACCEPTED)
def test_understood(pattern: str, text: str) -> None:
    found = perlre.prepare(pattern, "a test").search(text)
    assert found
    assert found[0] == text


@pytest.mark.parametrize("pattern", REFUSED)
def test_refused(pattern: str) -> None:
    with pytest.raises(Usage, match="^a test has"):
        perlre.prepare(pattern, "a test")


def test_digits_are_ascii() -> None:
    assert not perlre.prepare(r"\d", "a test").search("\u0663")
    assert not perlre.prepare(r"\w", "a test").search("\u00e9")


@pytest.mark.parametrize("pattern", SLOW)
def test_what_could_take_for_ever_ends(pattern: str) -> None:
    slow = perlre.prepare(pattern, "a test")
    for text in EVIL:
        try:
            slow.search(text)
        except Usage as problem:
            assert "takes too long" in str(problem)


def test_a_pattern_that_took_too_long_is_not_tried_again() -> None:
    slow = perlre.prepare("(a|aa)+$", "a table value")
    with pytest.raises(Usage, match="a table value has a pattern that takes too long: "):
        slow.search("a" * 63 + "!")
    with pytest.raises(Usage, match="takes too long"):
        slow.search("a")


def test_a_long_text_wears_no_pattern_out() -> None:
    pattern = perlre.prepare("(b|bb)+$", "a policy row")
    with pytest.raises(Usage, match="takes too long"):
        pattern.search("b" * 200 + "!")
    assert pattern.search("bb")


def test_a_long_text_is_no_reason_to_refuse() -> None:
    assert perlre.prepare("abc", "a test").search("x" * 1_000_000 + "abc")


ATOMS = st.sampled_from(["a", "b", "[ab]", ".", "\\d", "\\w", "x", "[^a]", "\\D"])
GROWN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,20}", "*?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"
        ),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}|{p[1]})"),
    ),
    max_leaves=8,
)


@given(GROWN)
def test_what_is_accepted_ends(pattern: str) -> None:
    try:
        compiled = perlre.prepare(pattern + "!$", "a test")
        for text in EVIL:  # one that got through by mistake takes hours
            assert not compiled.search(text) or text.endswith("!")
    except Usage as problem:
        assert "takes too long" in str(problem)
