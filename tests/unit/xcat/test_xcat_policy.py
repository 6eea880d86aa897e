"""Who may do what, by the rows of the policy table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.xcat.host import Row
from xcat_rhev.xcat.policy import Asker, Decision, Query, decide, trusted

STOCK = [
    {"priority": "1", "name": "root", "rule": "allow"},
    {"priority": "1.2", "name": "mn", "rule": "trusted"},
    {"priority": "2", "commands": "getbmcconfig", "rule": "allow"},
    {"priority": "4.4", "commands": "getpostscript", "rule": "allow"},
    {"priority": "5", "commands": "rhevhupdateflag", "rule": "allow"},
]
ROOT, NOBODY = Asker("root", "mn"), Asker(None, "rhevh1")


def expand(text: str) -> list[str]:
    """A noderange of plain names; `bad` is none."""
    if text == "bad":
        raise Usage("Unbalanced parentheses in noderange")
    return text.split(",")


def one(row: Row, asker: Asker = ROOT, asked: Query = Query("rpower")) -> bool:  # noqa: B008
    """Whether a single row allows; what it does not decide is denied, so a denying row is told by its priority."""
    return decide([{"priority": "1", "rule": "allow", **row}], asker, asked, expand).allowed


def test_nothing_is_allowed_without_a_row() -> None:
    assert decide([], ROOT, Query("rpower"), expand) == Decision(False)


@pytest.mark.parametrize(
    ("asker", "command", "allowed", "priority"),
    [
        (ROOT, "rpower", True, "1"),
        (Asker("mn"), "rpower", True, "1.2"),
        (NOBODY, "rpower", False, ""),
        (NOBODY, "getpostscript", True, "4.4"),
        (NOBODY, "rhevhupdateflag", True, "5"),
        (Asker("joe"), "tabdump", False, ""),
        (Asker("ROOT"), "rpower", False, ""),
        (Asker(""), "rpower", False, ""),
        (Asker("root2"), "rpower", False, ""),
    ],
)
def test_the_stock_rows(asker: Asker, command: str, allowed: bool, priority: str) -> None:
    found = decide(STOCK, asker, Query(command), expand)
    assert (found.allowed, found.priority) == (allowed, priority)


def test_the_lowest_number_decides_wherever_it_stands() -> None:
    rows = [
        {"priority": "10", "rule": "allow"},
        {"priority": "9.5", "rule": "deny"},
        {"priority": "1e", "name": "joe", "rule": "allow"},
        {"priority": "-1", "commands": "lsdef", "rule": "allow"},
    ]
    assert decide(rows, ROOT, Query("rpower"), expand) == Decision(False, "9.5", "deny")
    assert decide(rows, ROOT, Query("lsdef"), expand).allowed
    assert decide(rows, Asker("joe"), Query("rpower"), expand).allowed
    late = [{"priority": "1e1", "rule": "allow"}, {"priority": "2", "rule": "deny"}]
    assert not decide(late, ROOT, Query("rpower"), expand).allowed


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("allow", True),
        ("ALLOW", True),
        ("Accept", True),
        ("trusted", True),
        ("please allow it", True),
        ("deny", False),
        ("no", False),
        ("1", False),
        ("alow", False),
    ],
)
def test_rule_words(rule: str, allowed: bool) -> None:
    assert one({"rule": rule}) is allowed


@pytest.mark.parametrize("empty", [{}, {"rule": ""}])
def test_a_row_without_a_rule_denies(empty: Row) -> None:
    rows = [{"priority": "2", "commands": "rpower", **empty}, {"priority": "3", "rule": "allow"}]
    assert decide(rows, ROOT, Query("rpower"), expand) == Decision(False, "2")
    assert decide(rows, ROOT, Query("lsvm"), expand).allowed


@pytest.mark.parametrize(
    ("row", "asker", "allowed"),
    [
        ({"name": "*"}, ROOT, True),
        ({"name": "*"}, NOBODY, False),
        ({}, NOBODY, True),
        ({"name": ""}, NOBODY, True),
        ({"name": "root,joe"}, ROOT, False),
        ({"name": "ro.t"}, ROOT, False),
        ({"host": "mn"}, ROOT, True),
        ({"host": "*"}, ROOT, True),
        ({"host": "other"}, ROOT, False),
        ({"host": "mn"}, Asker("root", "mn", ("far",)), False),
        ({"host": "far"}, Asker("root", "mn", ("x", "far")), True),
        ({"host": "mn"}, Asker("root", ""), False),
        ({"host": "mn,x"}, ROOT, False),
        ({"commands": "rpower"}, ROOT, True),
        ({"commands": "lsvm,rpower"}, ROOT, True),
        ({"commands": "*"}, ROOT, True),
        ({"commands": "rpow"}, ROOT, False),
        ({"commands": "rpower "}, ROOT, False),
        ({"commands": "r.*"}, ROOT, False),
        ({"time": "never"}, ROOT, True),
    ],
)
def test_columns(row: Row, asker: Asker, allowed: bool) -> None:
    assert one(row, asker) is allowed


@pytest.mark.parametrize(
    ("pattern", "args", "allowed"),
    [
        ("stat", ("stat",), True),
        ("^stat$", ("stat",), True),
        ("^stat$", ("stat", "-V"), False),
        ("on|off", ("off",), True),
        ("a b", ("a", "b"), True),
        ("^$", (), True),
        ("*", ("x",), True),
        ("STAT", ("stat",), False),
        ("(?i)STAT", ("stat",), True),
        (r"\bstat\z", ("x", "stat"), True),
        ("[[:digit:]]", ("a1",), True),
        ("[[:digit:]]", ("a",), False),
    ],
)
def test_parameters(pattern: str, args: tuple[str, ...], allowed: bool) -> None:
    assert one({"parameters": pattern}, asked=Query("rpower", (), args)) is allowed


@pytest.mark.parametrize(
    "row",
    [
        {"parameters": "("},
        {"parameters": "*x"},
        {"parameters": "(a|aa)+$"},
        {"noderange": "bad"},
    ],
)
@pytest.mark.parametrize("rule", ["allow", "deny"])
def test_a_broken_row_allows_nothing(row: Row, rule: str) -> None:
    rows = [{"priority": "3", "rule": rule, **row}, {"priority": "4", "rule": "allow"}]
    asked = Query("rpower", ("n1",), ("a" * 80 + "!",))
    with pytest.raises(Usage, match="the policy row 3 has"):
        decide(rows, ROOT, asked, expand)
    first = [{"priority": "1", "rule": "allow"}, *rows]
    assert decide(first, ROOT, asked, expand).allowed


def test_very_long_arguments_are_not_searched_for_ever() -> None:
    with pytest.raises(Usage, match="takes too long"):
        one({"parameters": "(fo+)+.*foo.*(.)\\2bar"}, asked=Query("x", (), ("foo" * 100_000,)))


def test_a_row_for_nodes_does_not_concern_requests_without() -> None:
    assert not one({"noderange": "n1"})
    assert one({"noderange": "*"})
    assert one({"noderange": ""})


@pytest.mark.parametrize(
    ("nodes", "allowed", "priority", "remaining"),
    [
        (("n1",), True, "1", ("n1",)),
        (("n1", "n2"), True, "1", ("n1", "n2")),
        (("n3",), True, "2", ("n3",)),
        (("n1", "n3"), True, "2", ("n3",)),
        (("n1", "n4"), False, "", ("n4",)),
        (("n1", "n5"), False, "3", ("n5",)),
        (("n5", "n9"), False, "3", ("n5", "n9")),
        (("n9",), False, "", ("n9",)),
    ],
)
def test_rows_for_nodes_add_up(
    nodes: tuple[str, ...],
    allowed: bool,
    priority: str,
    remaining: tuple[str, ...],
) -> None:
    rows = [
        {"priority": "1", "noderange": "n1,n2", "rule": "allow"},
        {"priority": "2", "noderange": "n3", "rule": "allow"},
        {"priority": "3", "noderange": "n5,n6", "rule": "deny"},
    ]
    found = decide(rows, ROOT, Query("rpower", nodes), expand)
    assert found == Decision(allowed, priority, found.rule, remaining)


NODES = st.sets(st.sampled_from(["n1", "n2", "n3", "n4"]), min_size=1)
RULES = st.lists(st.tuples(NODES, st.sampled_from(["allow", "deny"])), max_size=5)


@given(RULES, NODES)
def test_every_allowed_node_was_allowed_by_some_row(rules: list[tuple[set[str], str]], nodes: set[str]) -> None:
    rows = [
        {"priority": str(number), "noderange": ",".join(sorted(covered)), "rule": rule}
        for number, (covered, rule) in enumerate(rules)
    ]
    found = decide(rows, ROOT, Query("rpower", tuple(sorted(nodes))), expand)
    granted: set[str] = set()
    for covered, rule in rules:
        if rule == "deny" and covered & (nodes - granted):
            break
        granted |= covered if rule == "allow" else set()
    assert found.allowed is (nodes <= granted)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["priority", "name", "host", "commands", "rule", "parameters"]), st.text(max_size=6)
        ),
        max_size=4,
    ),
    st.text(max_size=10),
)
def test_nothing_breaks_it(rows: list[Row], arg: str) -> None:
    try:
        found = decide(rows, ROOT, Query("rpower", ("n1",), (arg,)), expand)
    except Usage as problem:
        assert "the policy row" in str(problem)
    else:
        assert not found.allowed or any(
            "a" in row.get("rule", "").lower() or "trusted" in row.get("rule", "").lower() for row in rows
        )


def test_who_is_trusted() -> None:
    assert trusted(STOCK, "mn")
    assert not trusted(STOCK, "root")
    assert not trusted([{"rule": "trusted"}, {"name": "", "rule": "trusted"}], None)
    assert not trusted([{"name": "*", "rule": "trusted"}], "joe")
