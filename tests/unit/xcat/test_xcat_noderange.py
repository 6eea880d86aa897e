"""Noderanges: the whole grammar on a small world, and hostile ones on it and on a large one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xcat_rhev.errors import Usage
from xcat_rhev.xcat import noderange
from xcat_rhev.xcat.noderange import Expanded, expand


@dataclass
class World:
    """Nodes with groups, counted looks at attributes, and files."""

    members: Mapping[str, tuple[str, ...]]
    attributes: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    dynamic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    without: str = ""

    def __post_init__(self) -> None:
        self._nodes = frozenset(self.members)
        self._groups: dict[str, list[str]] = {}
        for node, groups in self.members.items():
            for group in groups:
                self._groups.setdefault(group, []).append(node)

    def nodes(self) -> AbstractSet[str]:
        return self._nodes

    def groups(self) -> Mapping[str, Collection[str]]:
        return self._groups

    def empty_group(self, name: str) -> bool:
        return name in self.named

    def dynamic_group(self, name: str) -> Collection[str] | None:
        return self.dynamic.get(name)

    def attribute(self, table: str, column: str) -> Mapping[str, str] | None:
        return self.attributes.get((table, column))

    def read_file(self, path: str) -> str | None:
        return self.files.get(path)

    def exclusion(self) -> str:
        return self.without


def numbered(form: str, count: int, *groups: str) -> dict[str, tuple[str, ...]]:
    return {form.format(number): groups for number in range(1, count + 1)}


FX = World(
    members={
        **numbered("fx{}", 5, "fxa", "fxall"),
        **numbered("fxb{:02d}", 12, "fxb", "fxall"),
        **{f"fxr{row}n{place}": ("fxr", "fxall") for row in (1, 2) for place in (1, 2, 3)},
        "fxc1-ib0": (),
        "fxd-1": (),
    },
    attributes={
        ("nodetype", "os"): {"fx1": "fxos1", "fx2": "fxos1", "fx3": "fxos2", "fxb01": "rhels-9.4"},
        ("nodelist", "groups"): {"fx1": "fxa,fxall", "fxd-1": "fxz"},
        ("nodehm", "mgt"): {"fxb01": "ipmi", "fxb02": "ipmi"},
    },
    named=("fxempty", "fxa"),
    dynamic={"fxdyn": ("fx1", "fx2"), "fxdynempty": ()},
    files={"/nodes": "fx1\n# fx2\n^/nodes\nfx3: a comment\nfx4 fx5\nfx5\tfx2\n\nnope\n"},
)
FX_A = "fx1,fx2,fx3,fx4,fx5"
FX_B = ",".join(f"fxb{number:02d}" for number in range(1, 13))
FX_R = "fxr1n1,fxr1n2,fxr1n3,fxr2n1,fxr2n2,fxr2n3"

#: Noderange, the nodes, and what is missing. The first part is what a Perl xcatd was seen to answer.
OBSERVED: list[tuple[str, str, str]] = [
    ("fx1,fx2", "fx1,fx2", ""),
    ("fx1,,fx2", "fx1,fx2", ""),
    ("fx1-fx3", "fx1,fx2,fx3", ""),
    ("fx1:fx3", "fx1,fx2,fx3", ""),
    ("fx[1-3]", "fx1,fx2,fx3", ""),
    ("fx1-3", "", "fx1-3"),
    ("fx[1,3,5]", "fx1,fx3,fx5", ""),
    ("fx[1-3,5]", "fx1,fx2,fx3,fx5", ""),
    ("fxb01-fxb03", "fxb01,fxb02,fxb03", ""),
    ("fxb[01-03]", "fxb01,fxb02,fxb03", ""),
    ("fxb1-fxb3", "", "fxb1,fxb2,fxb3"),
    ("fx[01-03]", "", "fx01,fx02,fx03"),
    ("fxr[1-2]n[1-3]", FX_R, ""),
    ("fxr[1-2]n1", "fxr1n1,fxr2n1", ""),
    ("fxr1n1-fxr2n1", "fxr1n1,fxr2n1", ""),
    ("fxr1n1-fxr1n3", "fxr1n1,fxr1n2,fxr1n3", ""),
    ("fxr1n1-fxr2n3", "", "fxr1n1-fxr2n3"),
    ("fx1+2", "fx1,fx2,fx3", ""),
    ("fxb01+3", "fxb01,fxb02,fxb03,fxb04", ""),
    ("fxb09+3", "fxb09,fxb10,fxb11,fxb12", ""),
    ("fx1-fx7", FX_A, "fx6,fx7"),
    ("fx5-fx1", "", ""),
    ("fxall@fxa", FX_A, ""),
    ("fxall@fxa,-fx1", "fx2,fx3,fx4,fx5", ""),
    ("fxa@fx1,fx2", "fx1,fx2", ""),
    ("fxall,fxa@fxb", f"{FX_A},{FX_B},{FX_R}", ""),
    ("fxa,-fx1,fx1", "fx2,fx3,fx4,fx5", ""),
    ("fxall,-fxb,-fxr", FX_A, ""),
    ("(fxa)", FX_A, ""),
    ("fxall@(fxa,fxb)", f"{FX_A},{FX_B}", ""),
    ("fxall,-(fxa,fxb)", FX_R, ""),
    (r"/fx\d", FX_A, ""),
    ("/fx1|.*n3", "fx1,fxr1n3,fxr2n3", ""),
    ("/fx1|n3", "fx1,fxr1n3,fxr2n3", ""),
    ("fx[1-2,]", "fx1,fx2", ""),
    ("/fxb0.*", FX_B[:53], ""),
    ("/fxb.*@fxall", FX_B, ""),
    ("/nothing", "", ""),
    ("nodetype.os==fxos1", "fx1,fx2", ""),
    ("nodetype.os=fxos1", "fx1,fx2", ""),
    ("nodetype.os=~/fxos/", "fx1,fx2,fx3", ""),
    ("nodetype.os=~fxos", "fx1,fx2,fx3", ""),
    ("fxa@nodetype.os!=fxos1", "fx3,fx4,fx5", ""),
    ("fxa@nodetype.os!~/fxos/", "fx4,fx5", ""),
    ("groups==fxz", "fxd-1", ""),
    ("mgt==ipmi", "fxb01,fxb02", ""),
    ("tags==fxz", "fxd-1", ""),
    ("nosuch.col==x", "", ""),
    ("fxdyn", "fx1,fx2", ""),
    ("all", "", "all"),
    ("nope", "", "nope"),
    (" fx1", "", " fx1"),
    ("fx1 fx2", "", "fx1 fx2"),
    ("5", "", "node5"),
    ("1-3", "", "node1,node2,node3"),
    ("", "", ""),
    (",", "", ""),
    ("a-b-c", "", "a-b-c"),
    ("fxc1-ib0", "fxc1-ib0", ""),
    ("fxd-1", "fxd-1", ""),
    ("fxempty", "", ""),
]
#: What follows from the rules, odd corners included.
DERIVED: list[tuple[str, str, str]] = [
    ("'fx1',\"fx2\"", "fx1,fx2", ""),
    ("^/nodes", "fx1,fx3,fx4,fx5", "nope"),
    ("fxa,-^/nodes", "fx2", "nope"),
    ("fxa@^/nodes", "fx1,fx3,fx4,fx5", "nope"),
    ("^/none", "", ""),
    ("fxdynempty", "", ""),
    ("-fx1", "", ""),
    ("-fx1,fxa", "fx2,fx3,fx4,fx5", ""),
    ("-(fx1),fxa", FX_A, ""),
    ("fxa,-fx[1-3]", "fx4,fx5", ""),
    ("fxa,-fx1-fx3", "fx4,fx5", ""),
    ("fxa,-nope", FX_A, "nope"),
    ("fxa@", FX_A, ""),
    ("@fxa", "", ""),
    ("fx1,@fxa", "fx1", ""),
    ("fxa@fxb", "", ""),
    ("fxall@fxa@fx1", "fx1", ""),
    ("fxall@-fx1", "fx1", ""),
    ("fx1,(fx2),(fx3,(fx4))", "fx1,fx2,fx3,fx4", ""),
    ("(fxa)@(fx1,fxb)", "fx1", ""),
    ("fx1,(fxa)@fx2", "fx2", ""),
    ("((((fx1))))", "fx1", ""),
    ("fx1)", "", "fx1)"),
    ("()", "", ""),
    ("fx[1-3", "", "fx[1-3"),
    ("fx]1[", "", "fx]1["),
    ("[1-3]", "", "[1-3]"),
    ("fx[]", "", "fx[]"),
    ("fx[a]", "", "fxa"),
    ("fx[1][2]", "", "fx12"),
    ("fxr[1,2]n[1,3]", "fxr1n1,fxr1n3,fxr2n1,fxr2n3", ""),
    ("fx[1:3]", "fx1,fx2,fx3", ""),
    ("fx[1-]", "", "fx1-"),
    ("fx1-fx1", "fx1", ""),
    ("nope-nope", "", "nope"),
    ("fx1-", "", "fx1-"),
    ("-", "", ""),
    ("--", "", "-"),
    (":", "", ":"),
    ("fx1:", "", "fx1:"),
    ("fx1+", "", "fx1+"),
    ("fx1+x", "", "fx1+x"),
    ("fx+1", "", "fx+1"),
    ("fx1+0", "fx1", ""),
    ("fxr1n1+1", "fxr1n1,fxr1n2", ""),
    ("1+1", "", "node1,node2"),
    ("fx1.dom+1", "", "fx1.dom,fx2.dom"),
    ("fxb03-fxb01", "", ""),
    ("fxb08-fxb10", "fxb08,fxb09,fxb10", ""),
    ("fx01-fx1", "", ""),
    ("fx1-fxb2", "", "fx1-fxb2"),
    ("fxc1-ib0-fxc1-ib0", "fxc1-ib0", ""),
    ("fxd-1-fxd-2", "fxd-1", "fxd-2"),
    ("fxa=", "", ""),
    ("=", "", ""),
    ("~", "", ""),
    ("nodetype.os!=", "fx1,fx2,fx3,fxb01", ""),
    ("nodetype.os==rhels-9.4", "fxb01", ""),
    ("os==fxos1", "", ""),
    ("knöten", "", "knöten"),
    ("/", "", ""),
    ("fx１", "", "fx１"),
    ("１", "", "１"),
]


@pytest.mark.parametrize(("text", "nodes", "missing"), OBSERVED + DERIVED)
def test_the_grammar(text: str, nodes: str, missing: str) -> None:
    wanted = Expanded(tuple(filter(None, nodes.split(","))), tuple(missing.split(",")) if missing else ())
    found = expand(text, FX)
    if text == "fx[a]":  # a group may come out of brackets as well
        wanted = Expanded(tuple(FX_A.split(",")))
    assert found.missing == wanted.missing
    assert found.nodes == tuple(sorted(wanted.nodes))


@pytest.mark.parametrize("text", ["fxall@(fxa", "(", "((fxa)", "fx1,(", "x(", "(fx1)(fx2"])
def test_parentheses_that_do_not_close(text: str) -> None:
    with pytest.raises(Usage, match="Unbalanced parentheses in noderange"):
        expand(text, FX)


@pytest.mark.parametrize("text", ["/(", r"/fx\q", "nodetype.os=~/*/", "/" + "a" * 2000])
def test_impossible_patterns(text: str) -> None:
    with pytest.raises(Usage, match=r"pattern|Unbalanced|noderange"):
        expand(text, FX)


def test_files_that_name_each_other() -> None:
    world = World(FX.members, files={"/a": "fx1,^/b\n" * 9, "/b": "fx2,^/a\n" * 9, "/c": "fx1,^/d\n", "/d": "fx2\n"})
    assert expand("^/c", world).nodes == ("fx1", "fx2")
    with pytest.raises(Usage, match="files inside each other|too many"):
        expand("^/a", world)


def test_excluded_nodes_go_from_every_noderange() -> None:
    world = World(FX.members, without="fx[1-4],nope")
    assert expand("fxa", world) == Expanded(("fx5",))
    assert expand("fx1", world) == Expanded(())


def test_names_are_taken_as_they_are_without_verification() -> None:
    assert expand("a[1-2]b[01-02],x-y-z,fxa@fx1,9", FX, verify=False) == Expanded(
        ("a1b01", "a1b02", "a2b01", "a2b02", "fx1", "node9", "x-y-z")
    )
    assert expand("fx5-fx6,fx9+1", FX, verify=False).nodes == ("fx5", "fx6", "fx9", "fx10")


def test_the_result_is_in_the_order_in_which_people_count() -> None:
    world = World(numbered("vm{}", 10))
    assert expand("vm1-vm10", world).nodes[:3] == ("vm1", "vm2", "vm3")


HOSTILE = [
    "vm[1-1000000000]",
    "vm[1-99999999999999999999999999999999]",
    "vm1-vm999999999",
    "vm1+999999999",
    "5+9999999999",
    "a[1-1000][1-1000]",
    "a" + "[1-9]" * 40,
    "a" + "[1]" * 3000,
    "(" * 5000 + "vm1" + ")" * 5000,
    "@".join(["x"] * 50 + ["(" * 40 + "a" + ")" * 40]),
    ",".join(["big"] * 2000),
    ",".join(["/.*"] * 2500),
    ",".join(["nodetype.os!=x"] * 700),
    ",".join(["vm[1-90000]"] * 800),
    "[" * 10000,
    "]" * 10000,
    "," * 10000,
    "@" * 10000,
    "-" * 10000,
    "+" * 10000,
    "1" * 10000,
    "1" * 9000 + "+1",
    "a-" * 5000,
    "a[1," * 2500,
    "=" * 10000,
    "~" * 10000,
    "!=" * 5000,
    "^" * 10000,
    "a1+" * 3000,
    "a.1" * 3000 + "+x",
    "(a)" * 3000,
    "(a),-" * 2000,
    "a" * 10000,
    "a[" + "1," * 4900 + "]",
    "a[" + "1-" * 4900 + "]",
    ":" * 10000,
    "a:" * 5000,
    "1-" + "1" * 5000,
    "vm" + "0" * 5000 + "1-vm" + "0" * 5000 + "2",
    "/" + "(" * 900 + ")" * 900,
    "/" + "a*" * 400,
    "/" + "a?" * 300,
    "^/long",
    "big@" * 2000 + "big",
]


def of_size(nodes: int) -> World:
    """So many nodes in one group, and a file that names them again and again."""
    return World(
        numbered("vm{}", nodes, "big"),
        attributes={("nodetype", "os"): {}},
        files={"/long": f"vm[1-{nodes}]\n" * 10_000},
    )


@pytest.fixture(scope="module")
def large() -> World:
    return of_size(20_000)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_noderanges_end(number: int, large: World) -> None:
    text = HOSTILE[number]
    assert len(text) <= 12_000
    try:
        found = expand(text, large)
    except Usage as problem:
        assert len(str(problem)) < 300
    else:
        assert len(found.nodes) + len(found.missing) <= noderange.MOST_NAMES


@pytest.mark.parametrize("text", ["vm1," * (1 << 18) + "vm1", "(" * ((1 << 20) + 1)])
def test_a_noderange_beyond_all_use_is_not_even_begun(text: str, large: World) -> None:
    with pytest.raises(Usage, match="the noderange has more than 1048576 characters"):
        expand(text, large)


@pytest.mark.parametrize("text", ["vm[1-1000000000]", "vm1-vm500002", "vm1+999999", "a[1-1000][1-1000]"])
def test_huge_ranges_are_refused_in_words(text: str, large: World) -> None:
    with pytest.raises(Usage, match="makes more than 500000 names"):
        expand(text, large)


@pytest.mark.slow
def test_patterns_pay_for_what_they_may_try() -> None:
    names = numbered("rhevh-compute-{:04d}", 1000)
    comments = dict.fromkeys(names, "a word or two, written by somebody long ago")
    world = World(names, attributes={("nodelist", "comments"): comments})
    hard = "(([a-z]+)?[-0-9]*)*.*.*x{}(.)\\1!"
    for text in (f"/{hard}", f"nodelist.comments=~{hard}"):
        with pytest.raises(Usage, match="a pattern that takes too long|too many groups, patterns or attributes"):
            expand(",".join(text.format(number) for number in range(2000)), world)
    for usual in ("/rhevh-.*-00{:02d}", "nodelist.comments=~/long a{}/"):
        assert expand(",".join(usual.format(number) for number in range(200)), world).missing == ()


@pytest.mark.slow
def test_what_is_asked_again_and_again_has_its_price() -> None:
    for text in ("^/nodes,", "/fx{}.*,", "nodetype.os=~x{},"):
        with pytest.raises(Usage, match="too many groups, patterns or attributes"):
            expand("".join(text.format(number) for number in range(20_000)), FX)


@pytest.mark.slow
def test_a_hundred_thousand_nodes() -> None:
    large = of_size(100_000)
    for text in ("vm1-vm100000", "vm[1-100000]", "big", "/vm.*", "big@vm[1-100000]"):
        assert len(expand(text, large).nodes) == 100_000
    assert expand("big,-vm[2-100000]", large).nodes == ("vm1",)


PIECES = st.sampled_from(
    [
        "fx1",
        "fx2",
        "fx[1-3]",
        "fxa",
        "fxall",
        "fxb",
        "nope",
        "fx1-fx4",
        "fxb01+2",
        "/fx.*",
        "fxdyn",
        "fxempty",
        "^/nodes",
        "nodetype.os!=fxos1",
        "groups==fxz",
        "5",
        "",
    ]
)


@given(st.lists(st.tuples(st.sampled_from([",", ",-"]), PIECES), max_size=8))
def test_union_and_exclusion_are_set_arithmetic(elements: list[tuple[str, str]]) -> None:
    union: set[str] = set()
    excluded: set[str] = set()
    for sign, piece in elements:
        (excluded if sign == ",-" else union).update(expand(piece, FX).nodes)
    found = expand("".join(sign + piece for sign, piece in elements), FX)
    assert found.nodes == tuple(sorted(union - excluded))


@given(PIECES, PIECES)
def test_intersection(left: str, right: str) -> None:
    both = set(expand(left, FX).nodes) & set(expand(right, FX).nodes)
    if left and right:
        assert set(expand(f"{left}@{right}", FX).nodes) == both
        assert set(expand(f"({left})@({right})", FX).nodes) == both


@given(PIECES, PIECES)
def test_parentheses_group(left: str, right: str) -> None:
    assert expand(f"({left},{right})", FX).nodes == expand(f"{left},{right}", FX).nodes


@given(st.integers(0, 200), st.integers(0, 30), st.integers(0, 4))
def test_the_ways_to_write_a_range_agree(first: int, more: int, width: int) -> None:
    start, end = f"{first:0{width}d}", f"{first + more:0{width}d}"
    names = {f"n{number:0{width}d}" for number in range(first, first + more + 1)}
    for text in (f"n{start}-n{end}", f"n{start}:n{end}", f"n[{start}-{end}]", f"n{start}+{more}"):
        assert set(expand(text, FX, verify=False).nodes) == names


@given(st.text(alphabet="fxab01-9,@+-:[]()/^=~!. '\"*?\\", max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    try:
        found = expand(text, FX)
    except Usage:
        return
    assert set(found.nodes) <= FX.nodes()
    assert list(found.nodes) == sorted(set(found.nodes))
