"""What rows mean for a node, regular-expression values, and the CSV of tables."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.xcat import rows
from xcat_rhev.xcat.expressions import formula
from xcat_rhev.xcat.rows import enabled, expand_value, hierarchical, node_attrs, origins, read_csv, write_csv
from xcat_rhev.xcat.schema import TABLES

#: Node, value, result: what a Perl xcatd was seen to answer, then what follows from the rules.
VALUES: list[tuple[str, str, str]] = [
    ("fx1", r"|fx(\d+)|10.9.0.($1+10)|", "10.9.0.11"),
    ("fxb12", r"|\D+(\d+)|10.9.($1/5).($1%5+1)|", "10.9.2.3"),
    ("fxr1n2", "|10.7.($1).($2)|", "10.7.1.2"),
    ("fxb03", r'|\D+(\d+)|h(sprintf("%03d",$1))|', "h003"),
    ("fxb12", r"|\D+0*(\d+)|(ipadd(10,0,0,250,$1,0,0))|", "10.0.1.6"),
    ("fxb03", "/$/-x/", "fxb03-x"),
    ("fxb03", r"|(\D+)(\d+)|ip-$2-$1|", "ip-$2-$1"),
    ("fxb12", r"|nomatch(\d+)|x($1)|", "fxb12"),
    ("fxb12", "/nomatch/x/", "fxb12"),
    ("fx1", "|^.*$||", ""),
    ("fx1", "plain", "plain"),
    ("fx1", "", ""),
    ("fx1", "/", "/"),
    ("fx1", "|", "|"),
    ("fx1", "||", ""),
    ("fx1", "/install/post", "/install/post"),
    ("fx1", "/a/b/c/", "/a/b/c/"),
    ("fx1", "a|b|", "a|b|"),
    ("fx1", "/x/y/", "fy1"),
    ("fx1", "/fx1//", ""),
    ("fx1", r"/\d/$1/", "fx$1"),
    ("fxb012", "|(10+$1)|", "22"),
    ("fxb000", "|n($1)|", "n0"),
    ("nodigits", "|a(1+1)|", "a2"),
    ("r01c02n010", "|($1).($2).($3)|", "1.2.10"),
    ("fx1.dom", r"|fx(\d+)|ip($1)|", "ip1.dom"),
    ("n7", r"|n(\d+)|a($1*(2+$1))b(-$1)|", "a63b-7"),
    ("n7", r"|n(\d+)|($1 > 5 ? 'high' : 'low')|", "high"),
    ("n07", r"|n(\d+)|(010+$1)|", "15"),
    ("n7", r"|n(\d+)|(0x10)|", "16"),
    ("n7", r"|n(\d+)|(\(7)|", r"(\(7)"),
    ("n7", r"|n(\d+)|x(nothing($1))y|", "xy"),
    ("n7", r"|n(\d+)|x($1/0)y|", "xy"),
    ("n7", r"|n(\d+)|x($1|", "x($1"),
    ("n7", r"|n(\d+)|x)y|", "x)y"),
    ("n7", r"|n(\d+)|(system('id'))|", ""),
    ("n7", r"|n(\d+)|(`id`)|", ""),
    ("n7", r"|n(\d+)|($9)|", ""),
    ("rack-c", r"|rack-(\w)|u(a2idx($1))-(a2zidx($1))|", "u3-2"),
    ("fred", r"|(.*)|(mknum($1)%4)|", "1"),
    ("n10", r"|n(\d+)|(skip($1,'3:2,6'))|", "7"),
    ("n10", r"|n(\d+)|(skip($1,'3'))|", "9"),
    ("n4", r"|n(\d+)|(skip($1,'3:2,6'))|", "-1"),
    ("n1", r"|n(\d+)|(dim2idx(2,10,3,8,4,8,5))|", "797"),
    ("n246", r"|n(\d+)|(ipadd(10,10,10,10,$1,0,0))|", "10.10.11.0"),
    ("n245", r"|n(\d+)|(ipadd(10,10,10,10,$1,0,0))|", "10.10.10.255"),
    ("n255", r"|n(\d+)|(ipadd(10,0,0,1,$1,1,1))|", "10.0.1.2"),
]


@pytest.mark.parametrize(("node", "value", "result"), VALUES)
def test_values(node: str, value: str, result: str) -> None:
    assert expand_value(value, node) == result


@pytest.mark.parametrize("value", ["/(/x/", r"|(\d|x|", r"|*|x|", r"|(a|aa)+$|x|", "|" + "(a|b)*" * 30 + "|"])
def test_impossible_patterns_are_said(value: str) -> None:
    with pytest.raises(Usage, match="a table value has"):
        expand_value(value if value.count("|") != 61 else "/" + "(ab?)+" * 9 + "/x/", "a" * 63 + "b")


@pytest.mark.parametrize(
    ("text", "parts", "value"),
    [
        ("1+2*3", (), 7),
        ("(1+2)*3", (), 9),
        ("7/2", (), 3),
        ("-7/2", (), -3),
        ("-7%3", (), -1),
        ("7%-3", (), 1),
        ("10-3-2", (), 5),
        ("$1+1", ("009",), 10),
        ("$1+1", ("9z",), 10),
        ("$1+1", ("z",), 1),
        ("$1.$2", ("a", "b"), "ab"),
        ("'a'.1+2", (), 2),
        ("1 == 1 && 2 < 3", (), 1),
        ("0 || 5", (), 5),
        ("!1", (), ""),
        ("!0", (), 1),
        ("--2", (), 2),
        ("$1 eq 'a' ? 1 : $1 eq 'b' ? 2 : 3", ("b",), 2),
        ('"n$1-${2}"', ("1", "2"), "n1-2"),
        ("'n$1'", ("1",), "n$1"),
        ("sprintf('%s-%02d-%x-%%-%5s|%-3d|', 'a', 7, 255, 'b', 4)", (), "a-07-ff-%-    b|4  |"),
        ("sprintf('%05b', 5)", (), "00101"),
        ("sprintf('%d %d', 1)", (), "1 0"),
        ("sprintf('%c', 65)", (), "A"),
        ("int($1/2)", ("5",), 2),
        ("abs(-3)", (), 3),
        ("length('abc')", (), 3),
        ("lc('AB').uc('cd')", (), "abCD"),
        ("substr('abcdef', 1, 3)", (), "bcd"),
        ("substr('abcdef', -2)", (), "ef"),
        ("hex('ff')+oct('17')", (), 270),
        ("ord('a')", (), 97),
        ("length $1", ("abc",), 3),
        ("9223372036854775807+1", (), -(1 << 63)),
        ("$1>>8", ("300",), 1),
        ("$1&255", ("300",), 44),
        ("1<<4|3^1", (), 18),
        ("-1>>1", (), -1),
        ("1<<64", (), 0),
        ("1+1<<2", (), 8),
        ("6&3==3", (), 0),
        ("$1**2", ("5",), 25),
        ("-2**2", (), -4),
        ("2**3**2", (), 512),
        ("$1 x 3", ("ab",), "ababab"),
        ("'a' x -1", (), ""),
        ("1 x 2 + 1", (), 12),
        ("dim2idx($1,3,$2)", ("2",), 4),
        ("1 <=> 2", (), -1),
        ("'b' gt 'a'", (), 1),
        ("08", (), 8),
        ("07", (), 7),
    ],
)
def test_expressions(text: str, parts: tuple[str, ...], value: int | str) -> None:
    assert formula(text)(parts) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "(",
        ")",
        "1+",
        "+",
        "1 2",
        "a",
        "a()",
        "system('id')",
        "`id`",
        "$",
        "@x",
        "1;2",
        "1,2",
        "sprintf(",
        "'a",
        "1<<",
        "2" + "**2" * 60,
        "-" * 60 + "1",
        "!" * 990 + "1",
        "1??2",
        "2**",
        "__import__('os')",
        "$x",
        "1?2",
        "(" * 60 + "1" + ")" * 60,
        "1+" * 600 + "1",
        "=1",
        "{1}",
        "x=1",
        "\\1",
        "$1->[0]",
        "eval('1')",
        "open('/etc/passwd')",
        "1..9",
        "qw(a)",
        "-f 'x'",
        "sub {1}",
    ],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(Usage):
        formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "1/0",
        "1%0",
        "5/(1-1)",
        "sprintf('%999999999d', 1)",
        "ipadd(1)",
        "ipadd(1,2,3,4,5,200,56)",
        "a2idx()",
        "hex('zz')",
        "2**64",
        "2**-1",
        "9**99999999",
        "chr(-1)",
        "int(1,2)",
        "sprintf()",
        "chr(99999999)",
    ],
)
def test_expressions_that_fail(text: str) -> None:
    with pytest.raises(Usage):
        formula(text)(())


def test_an_expression_stays_small() -> None:
    grown = formula("$1.$1.$1.$1.$1.$1.$1.$1.$1.$1.$1")
    with pytest.raises(Usage, match="very long"):
        grown(("a" * 1000,))
    assert len(str(formula("'ab' x 999999999999")(()))) == 10_000


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_division_cuts_towards_zero(left: int, right: int) -> None:
    assume(right != 0)
    quotient = formula("$1/$2")((str(left), str(right)))
    rest = formula("$1%$2")((str(left), str(right)))
    assert quotient == int(left / right)
    assert int(quotient) * right + int(rest) == left


@given(st.text(alphabet="0123456789+-*/%().,$'\"abcsprintf ?:<>=!&|", max_size=60))
def test_no_expression_breaks_it(text: str) -> None:
    try:
        value = formula(text)(("7", "x"))
    except Usage:
        return
    assert isinstance(value, (int, str))


@given(st.text(max_size=30), st.text(alphabet="abn-0189.", min_size=1, max_size=15))
def test_no_value_breaks_it(value: str, node: str) -> None:
    for text in (value, f"|{value}|", f"/{value}/", rf"|(\d+)|{value}|", f"|({value})|"):
        try:
            assert isinstance(expand_value(text, node), str)
        except Usage as problem:
            assert "a table value" in str(problem)


@given(st.text(alphabet="ab01[]()*+?{},|.\\^$d", max_size=24), st.text(alphabet="ab01", min_size=1, max_size=63))
def test_every_accepted_pattern_ends(pattern: str, node: str) -> None:
    try:
        expand_value(f"|{pattern.replace('|', '')}|x|", node)
    except Usage as problem:
        assert "pattern" in str(problem)


@pytest.mark.parametrize(
    ("disable", "counts"),
    [
        (None, True),
        ("0", True),
        ("no", True),
        ("NO", True),
        ("nO", True),
        ("", False),
        ("1", False),
        ("yes", False),
        ("n", False),
        (" ", False),
        ("no ", False),
    ],
)
def test_disable(disable: str | None, counts: bool) -> None:
    assert enabled({"node": "a", "disable": disable}) is counts


def test_a_row_without_disable_counts() -> None:
    assert enabled({"node": "a"})


ROWS = {
    "n1": [{"node": "n1", "mgt": "rhevm"}],
    "g1": [{"node": "g1", "mgt": "ipmi", "cons": "kvm", "power": "|p($1)|"}],
    "g2": [{"node": "g2", "cons": "other", "serialport": "0", "getmac": "|^.*$||"}],
}
GROUPS = {"n1": ("g1", "g2"), "n2": ("g2", "g1"), "n3": ("none",), "n4": ()}


def test_values_of_groups_fill_what_a_node_lacks() -> None:
    columns = ("mgt", "cons", "power", "serialport", "getmac")
    found = node_attrs(("n1", "n2", "n3", "n4", "unknown"), columns, ROWS, GROUPS)
    assert found == {
        "n1": {"mgt": "rhevm", "cons": "kvm", "power": "p1", "serialport": "0"},
        "n2": {"mgt": "ipmi", "cons": "other", "power": "p2", "serialport": "0"},
        "n3": {},
        "n4": {},
        "unknown": {},
    }


def test_a_value_that_expands_to_nothing_stops_inheritance() -> None:
    blocked = {**ROWS, "n1": [{"node": "n1", "cons": rows.NOTHING}]}
    assert node_attrs(("n1",), ("cons",), blocked, GROUPS) == {"n1": {}}


def test_a_table_without_inheritance() -> None:
    assert node_attrs(("n1", "n2"), ("mgt",), ROWS, {}) == {"n1": {"mgt": "rhevm"}, "n2": {}}


def test_where_a_value_comes_from() -> None:
    assert origins("n1", "mgt", ROWS, GROUPS["n1"]) == ""
    assert origins("n1", "cons", ROWS, GROUPS["n1"]) == "g1"
    assert origins("n2", "cons", ROWS, GROUPS["n2"]) == "g2"
    assert origins("n2", "nothing", ROWS, GROUPS["n2"]) == ""


@pytest.mark.parametrize(
    ("own", "first", "second", "joined", "value"),
    [
        ("a,+=NEXTRECORD", "b", "c", {}, "a,b"),
        ("a,+=NEXTRECORD", "b,+=NEXTRECORD", "c", {}, "a,b,c"),
        ("a,+=NEXTRECORD", "", "c", {}, "a,c"),
        ("a,+=NEXTRECORD", "", "", {}, "a,"),
        ("", "b+=NEXTRECORD", "c", {}, "bc"),
        ("a", "b", "c", {"postscripts": ","}, "a,b,c"),
        ("a,b", "b", "c,a", {"postscripts": ","}, "a,b,c"),
        ("", "b", "b", {"postscripts": ":"}, "b"),
        ("a", "b", "c", {"other": ","}, "a"),
        ("", "", "", {"postscripts": ","}, None),
    ],
)
def test_values_that_are_joined(
    own: str,
    first: str,
    second: str,
    joined: dict[str, str],
    value: str | None,
) -> None:
    texts = {"n": own, "g": first, "h": second}
    table = {name: [{"node": name, "postscripts": text}] for name, text in texts.items() if text}
    assert node_attrs(("n",), ("postscripts",), table, {"n": ("g", "h")}, joined)["n"].get("postscripts") == value


def test_the_site_says_what_is_joined() -> None:
    assert hierarchical("") == {}
    assert hierarchical(" postscripts , a:;,b : | ,,") == {"postscripts": ",", "a": ";", "b": "|"}


def test_csv_as_tabdump_writes_it() -> None:
    table = TABLES["site"]
    lines = write_csv(table, [{"key": "master", "value": "127.0.0.1"}, {"key": 'a"b', "value": "", "disable": None}])
    assert lines == ["#key,value,comments,disable", '"master","127.0.0.1",,', '"a""b",,,']


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (['"a","b",,'], {"key": "a", "value": "b", "comments": None, "disable": None}),
        (["a,b,,\n"], {"key": "a", "value": "b", "comments": None, "disable": None}),
        (['"a","",,""\n'], {"key": "a", "value": "", "comments": None, "disable": ""}),
        (['"a","say ""hi"", you",,'], {"key": "a", "value": 'say "hi", you', "comments": None, "disable": None}),
        (['"a","one\n', "two\n", '",x,\n'], {"key": "a", "value": "one\ntwo\n", "comments": "x", "disable": None}),
        (["", " \n", "a,,,   \n"], {"key": "a", "value": None, "comments": None, "disable": None}),
    ],
)
def test_csv_is_read(lines: list[str], wanted: dict[str, str | None]) -> None:
    columns, records = read_csv(["#key,value,comments,disable\n", *lines])
    assert columns == ["key", "value", "comments", "disable"]
    assert records == [wanted]
    assert read_csv(["\ufeff#key,value,comments,disable\n", *lines]) == (columns, records), "a byte order mark"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([], "Data missing header line starting with #"),
        (["key,value"], "Data missing header line starting with #"),
        (["#key,value,key", "a,b,c"], "The header line has the column 'key' twice"),
        (["#key,value", '"a'], 'CSV unmatched " in record'),
        (["#key,value", 'a"b,c'], 'CSV missing opening "'),
        (["#key,value", '"a"b,c'], 'CSV unescaped " in record'),
        (["#key,value", "a,b,c"], "Too many fields on line 2: a,b,c | c"),
        (["#key,value", "", '"a', 'b",c', "", "a,b,c"], "Too many fields on line 6: a,b,c | c"),
        (["#key,value", "a,b,"], "Too many fields on line 2: a,b, |"),
        (["#key,value,comments", "a,b"], "Too few fields on line 2: a,b"),
        (["#key,value,comments", "a,b,c", '"a\n', 'b",c'], "Too few fields on line 3"),
        (["#key,value", '"a"'], 'Too few fields on line 2: "a"'),
    ],
)
def test_csv_that_is_wrong(lines: list[str], text: str) -> None:
    with pytest.raises(Usage) as caught:
        read_csv(lines)
    assert str(caught.value).startswith(text)


CELLS = st.text(alphabet='a1,;"\n\u00e9#', max_size=12)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_csv_there_and_back(cells: list[tuple[str, str, str]]) -> None:
    table = TABLES["site"]
    stored = [dict(zip(("key", "value", "comments"), row)) for row in cells]
    columns, records = read_csv(write_csv(table, stored))
    assert columns == list(table.columns)
    assert records == [{column: row.get(column) or None for column in table.columns} for row in stored]


@given(st.lists(CELLS, min_size=4, max_size=4))
def test_other_programs_read_our_csv(cells: list[str]) -> None:
    line = write_csv(TABLES["site"], [dict(zip(TABLES["site"].columns, cells))])[1]
    assert next(csv.reader(io.StringIO(line, newline=""), strict=True)) == cells
