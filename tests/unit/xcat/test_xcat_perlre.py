"""Perl's patterns: what is understood, what is refused, and that what is accepted ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.xcat import perlre

ACCEPTED = [
    ("fx\\d+", "fx12"), ("(\\D+)(\\d+)(\\D+)(\\d+)(\\D+)(\\d+)", "r1c2n3"), ("(rack|row)\\d+", "row5"),
    ("[[:alpha:]]+", "ab"),
    ("[^[:digit:]]", "x"), ("a\\z", "a"), ("\\Aab\\Z", "ab"), ("[a[b]", "["), ("[]a]", "]"), ("[^]a]", "b"),
    ("a&&b", "a&&b"),
    ("[a&&b]", "&"), ("(?<n>a)b", "ab"), ("(?i)ABC", "abc"), ("(x\\d+)+", "x1x22"), ("(?:n\\d{1,3}){2}", "n1n22"),
    ("\\x{41}", "A"),
    ("a|b|c", "b"), ("(?=a)a", "a"), ("(a)\\1", "aa"), (".*", "anything"), ("d(1.?.?|200)", "d1ab"), ("\\h", " "),
    ("[~|]", "|"),
    ("\\w+@\\w+", "a@b"), ("(?:ab|cd)*", "abcd"), ("[a-z]*[0-9]*[a-z]*[0-9]*", "a1b2"), ("^(?:a|b)?c{0,3}$", "acc"),
    ("node[0-9]+\\.example\\.com", "node1.example.com"), ("\\[x\\]", "[x]"),
]
REFUSED = [
    "(a+)+$", "(a*)*", "(a|a)*b", "(a|aa)+$", "(.*)*x", "(a?){50}", "a?" * 40, ".*.*.*.*.*.*x", "(\\w+\\s?)*$",
    "(?:a+){10}b",
    "((a+)b?)+c", "(x+x+)+y", "a*a*a*a*a*a*b", "(?:(?:a{0,9}){0,9}){0,9}", "(?=(a+)+)b", "(a|b|ab)*c", "(.+)+",
    "(", ")", "*a", "[", "a{2,1}", "\\q", "(?P<", "[z-a]", "[[:nothing:]]", "[[:^digit:]]", "(?x", "\\1", "a" * 1001,
    "\\x{110000}",
]


@pytest.mark.parametrize(("pattern", "text"), ACCEPTED)
def test_understood(pattern: str, text: str) -> None:
    found = perlre.compile(pattern, "a test").search(text)
    assert found
    assert found[0] == text


@pytest.mark.parametrize("pattern", REFUSED)
def test_refused(pattern: str) -> None:
    with pytest.raises(Usage, match="^a test has"):
        perlre.compile(pattern, "a test")


def test_digits_are_ascii() -> None:
    assert not perlre.compile(r"\d", "a test").search("\u0663")
    assert not perlre.compile(r"\w", "a test").search("\u00e9")


def test_a_text_can_be_too_long_for_a_pattern() -> None:
    pattern = perlre.compile("a*a*b", "a test")
    assert not pattern.search("a" * 100)
    with pytest.raises(Usage, match="too long on a text of 100000 characters"):
        pattern.search("a" * 100_000)
    assert perlre.compile("abc", "a test").search("x" * 1_000_000 + "abc")


ATOMS = st.sampled_from(["a", "b", "[ab]", ".", "\\d", "\\w", "x", "[^a]", "\\D"])
GROWN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,3}", "{1,20}", "*?"])).map(
            lambda p: f"(?:{p[0]}){p[1]}"),
        st.tuples(inner, inner).map("".join), st.tuples(inner, inner).map(lambda p: f"({p[0]}|{p[1]})"),
    ),
    max_leaves=8,
)
EVIL = ["a" * 64, "a" * 63 + "!", "ab" * 32, "1" * 64, "ax" * 31 + "!!", "abababababab" + "a" * 52]


@given(GROWN)
def test_what_is_accepted_ends(pattern: str) -> None:
    try:
        compiled = perlre.compile(pattern + "!$", "a test")
    except Usage:
        return
    for text in EVIL:  # one that got through by mistake takes hours
        assert not compiled.search(text) or text.endswith("!")
