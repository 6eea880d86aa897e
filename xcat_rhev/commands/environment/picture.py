"""lsve --graph: a virtual environment as one picture, laid out and drawn by Graphviz.

Nested boxes: data centers hold their storage, their networks and their clusters; clusters hold hosts; hosts hold
virtual machines. A few machines are shown by name; many are squares with their names as tool tips.
"""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ...engine.nouns import Cluster, DataCenter, Host, Network, StorageDomain, Vm
from ...engine.states import DomainStatus, HostStatus, VmStatus
from ...errors import NotFound, RhevError
from ...ordering import natural
from ...units import show_size
from .inventory import Environment

#: Up to this number machines are shown by name.
NAMED_VMS = 200
#: Hosts in a row at least, and how many more in a row than in a column; because a box is wider than high.
_LEAST_COLUMNS, _SHAPE = 4, 0.9
#: How wide a host's box is where names are short, in points; where they are long fewer fit in a row.
_USUAL_WIDTH = 150
#: Squares in a row within a host at least, and data centers in a row.
_SQUARES, _HOMES_IN_A_ROW = 12, 2

GOOD, RESTING, BAD, COMING, NONE = "#d9f2d9", "#e6e6e6", "#f7c6c5", "#fdeeba", "#ffffff"
_STRONG = {GOOD: "#3c9d3c", RESTING: "#9a9a9a", BAD: "#d0312d", COMING: "#e0a800", NONE: "#ffffff"}
_COLORS: dict[str, str] = {
    **dict.fromkeys(("up", "active", "ok", "operational", "powering_up"), GOOD),
    **dict.fromkeys(("down", "maintenance", "suspended", "paused", "unattached", "uninitialized"), RESTING),
    **dict.fromkeys(
        (
            "non_operational",
            "non_responsive",
            "install_failed",
            "error",
            "inactive",
            "not_responding",
            "unknown",
            "not_operational",
            "problematic",
        ),
        BAD,
    ),
}
_LEGEND = ((GOOD, "up, active"), (RESTING, "down, maintenance"), (COMING, "in between"), (BAD, "in trouble"))
_FONT = "Helvetica,Arial,sans-serif"


def color(status: str | None) -> str:
    """The colour of a state; an unknown state gets the middle one."""
    return _COLORS.get(status or "unknown", COMING)


def draw(environment: Environment) -> str:
    """Draw it.

    Args:
        environment: What there is.

    Returns:
        An SVG document.

    Raises:
        NotFound: Graphviz, or its Python package, is not installed.
        RhevError: Graphviz failed.
    """
    try:
        graphviz: Any = importlib.import_module("graphviz")
    except ImportError:
        raise NotFound("--graph needs the Python package graphviz", "Run: pip install graphviz") from None
    graph = _graph(graphviz, environment)
    try:
        return str(graph.pipe(format="svg", encoding="utf-8", quiet=True))
    except graphviz.ExecutableNotFound:
        raise NotFound(
            "--graph needs the program dot of Graphviz", "Run: apt-get install graphviz, or dnf install graphviz"
        ) from None
    except graphviz.CalledProcessError as problem:
        raise RhevError(f"Graphviz could not draw the picture: exit status {problem.returncode}") from None


def _graph(graphviz: Any, environment: Environment) -> Any:
    """One table per data center; Graphviz measures the texts and fits the boxes, osage lays the tables side by side."""
    homes = sorted(environment.homes, key=lambda home: natural(home.name or ""))
    cells = _Cells(environment)
    tables = [cells.data_center(home) for home in homes]
    if environment.loose:
        tables.append(_table("storage attached nowhere", _storage_rows(environment.loose)))
    columns = math.ceil(math.sqrt(len(tables))) if len(tables) > _HOMES_IN_A_ROW else max(len(tables), 1)
    graph = graphviz.Digraph(
        engine="osage",
        graph_attr={
            "bgcolor": "white",
            "packmode": f"array_tu{columns}",
            "fontname": _FONT,
            "labelloc": "t",
            "label": f"<{_title(environment)}>",
        },
        node_attr={"shape": "plain", "fontname": _FONT, "fontsize": "11"},
    )
    for number, table in enumerate(tables):
        graph.node(f"box{number}", f"<{table}>", sortv=str(number))
    return graph


def _title(environment: Environment) -> str:
    title = _text(f"{environment.manager}: {_count(environment)}")
    return (
        f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="6"><TR><TD><FONT POINT-SIZE="20">{title}</FONT></TD></TR>'
        f"<TR><TD>{_legend(environment)}</TD></TR></TABLE>"
    )


def _count(environment: Environment) -> str:
    return ", ".join(
        (
            count_text(len(environment.homes), "data center"),
            count_text(len(environment.clusters), "cluster"),
            count_text(len(environment.hosts), "host"),
            count_text(len(environment.vms), "virtual machine"),
        )
    )


def count_text(number: int, word: str) -> str:
    """A number with its noun: `1 host`, `2 hosts`."""
    return f"{number} {word}{'s'[: number != 1]}"


@dataclass
class _Cells:
    """Makes the boxes of an environment.

    Attributes:
        environment: What there is.
    """

    environment: Environment

    def __post_init__(self) -> None:
        self._on = self.environment.vms_on()
        self._names = len(self.environment.vms) <= NAMED_VMS
        self._width = max((self._box_width(host) for host in self.environment.hosts), default=0)
        self._squares = max(_SQUARES, self._width // _PITCH)

    def _box_width(self, host: Host) -> int:
        """How wide a host's box is, in points: its name is bold in 11 points, the line below has 9."""
        on = self._on.get(host.id or "", ())
        return max(8 * len(host.name or ""), 6 * len(self._below(host, on)))

    def data_center(self, home: DataCenter) -> str:
        """A box with storage and networks side by side, and the clusters below."""
        storage = _storage_rows(self.environment.storage_of(home))
        networks = _network_rows(self.environment.networks_of(home))
        lines = max(len(storage), len(networks), 1)
        own = self.environment.clusters_of(home)
        largest = max((len(self.environment.hosts_of(cluster)) for cluster in own), default=0)
        # The same number in all clusters makes all hosts equally wide.
        shape = _SHAPE * min(1.0, _USUAL_WIDTH / max(self._width, 1))
        columns = max(_LEAST_COLUMNS, math.ceil(math.sqrt(largest * shape)))
        room = columns * self._width - _table_width(storage) - _table_width(networks)
        top = _side_by_side([_table("storage", storage, lines), _table("networks", networks, lines)], room)
        clusters = [self._cluster(cluster, columns) for cluster in own]
        below = "".join(f'<TR><TD ALIGN="LEFT">{cluster}</TD></TR>' for cluster in clusters)
        state = ", ".join(filter(None, (home.status or "unknown", home.version)))
        title = f'<FONT POINT-SIZE="16">data center {_text(home.name)}</FONT>  {_text(state)}'
        return (
            f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="6" CELLPADDING="0" COLOR="#5a6b7b" BGCOLOR="#f6f8fa" '
            f'STYLE="ROUNDED"><TR><TD ALIGN="LEFT">{title}</TD></TR><TR><TD ALIGN="LEFT">{top}</TD></TR>{below}</TABLE>'
        )

    def _cluster(self, cluster: Cluster, columns: int) -> str:
        hosts = self.environment.hosts_of(cluster)
        used = ", ".join(
            sorted((network.name or "" for network in self.environment.used.get(cluster.id or "", ())), key=natural)
        )
        title = f"<B>cluster {_text(cluster.name)}</B>  {_text(cluster.cpu_type)}"
        rows = "".join(self._hosts(hosts[begin : begin + columns], columns) for begin in range(0, len(hosts), columns))
        return (
            f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="4" CELLPADDING="0" COLOR="#8899aa" BGCOLOR="white" '
            f'STYLE="ROUNDED"><TR><TD COLSPAN="{columns}" ALIGN="LEFT">{title}<BR ALIGN="LEFT"/>'
            f"{_break_lines('networks: ' + (used or 'none'))}</TD></TR>{rows}{self._idle(cluster, columns)}</TABLE>"
        )

    def _hosts(self, hosts: Sequence[Host], columns: int) -> str:
        """A row of hosts, filled up so that all have the same height and line up."""
        vms = [self._on.get(host.id or "", []) for host in hosts]
        lines = max(self._lines(each) for each in vms)
        boxes = [self._host(host, on, lines) for host, on in zip(hosts, vms)]
        return _row(boxes + [" "] * (columns - len(boxes)), f'VALIGN="TOP" WIDTH="{self._width}" ')

    def _host(self, host: Host, vms: Sequence[Vm], lines: int) -> str:
        return self._box(host.name or "", self._below(host, vms), color(host.status), self._vms(vms, lines))

    @staticmethod
    def _below(host: Host, vms: Sequence[Vm]) -> str:
        words = (
            "" if host.status == HostStatus.UP else host.status or "unknown",
            count_text(len(vms), "VM"),
            "SPM" * host.spm,
        )
        return ", ".join(filter(None, words))

    def _idle(self, cluster: Cluster, columns: int) -> str:
        """The machines that run nowhere, in a row of their own."""
        vms = self.environment.idle_vms(cluster)
        if not vms:
            return ""
        wide = columns * self._squares
        if self._names:
            names = ", ".join(_with_state(vm, VmStatus.DOWN) for vm in vms)
            inside = f'<TR><TD ALIGN="LEFT">{_break_lines(names)}</TD></TR>'
        else:
            inside = _squares(vms, math.ceil(len(vms) / wide), wide)
        box = self._box("not running", count_text(len(vms), "VM"), NONE, inside)
        return f'<TR><TD COLSPAN="{columns}" ALIGN="LEFT">{box}</TD></TR>'

    def _lines(self, vms: Sequence[Vm]) -> int:
        return len(vms) if self._names else math.ceil(len(vms) / self._squares)

    def _vms(self, vms: Sequence[Vm], lines: int) -> str:
        return _name_table(vms, lines) if self._names else _squares(vms, lines, self._squares)

    def _box(self, name: str, below: str, background: str, inside: str) -> str:
        return (
            f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2" COLOR="#b0b8c0" '
            f'BGCOLOR="{background}"><TR><TD ALIGN="LEFT"><B>{_text(name)}</B></TD></TR>'
            f'<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="9">{_text(below)}</FONT></TD></TR>{inside}</TABLE>'
        )


def _name_table(vms: Sequence[Vm], lines: int) -> str:
    cells = [(f' BGCOLOR="{color(vm.status)}"', _text(_with_state(vm, VmStatus.UP))) for vm in vms]
    cells += [("", " ")] * (lines - len(vms))
    return "".join(f'<TR><TD ALIGN="LEFT"{look}><FONT POINT-SIZE="9">{name}</FONT></TD></TR>' for look, name in cells)


def _with_state(vm: Vm, usual: VmStatus) -> str:
    """Its name, and its state where that is not the usual one."""
    return f"{vm.name}" if vm.status == usual else f"{vm.name} ({vm.status or 'unknown'})"


def _squares(vms: Sequence[Vm], lines: int, columns: int) -> str:
    """Machines as squares; empty ones keep the others in their places."""
    if not lines:
        return ""
    cells = [_square(vm) for vm in vms] + [_NOTHING] * (lines * columns - len(vms))
    rows = "".join(f"<TR>{''.join(cells[begin : begin + columns])}</TR>" for begin in range(0, len(cells), columns))
    # Graphviz gives spare space to all columns alike, unless the size is fixed.
    size = f'FIXEDSIZE="TRUE" WIDTH="{_PITCH * columns + 1}" HEIGHT="{_PITCH * lines + 1}"'
    table = f'<TABLE ALIGN="LEFT" BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0" {size}>{rows}</TABLE>'
    return f'<TR><TD ALIGN="LEFT">{table}</TD></TR>'


#: Points from one square to the next.
_PITCH = 8
_NOTHING = '<TD FIXEDSIZE="TRUE" WIDTH="7" HEIGHT="7"></TD>'


def _square(vm: Vm) -> str:
    shade, tip = _STRONG[color(vm.status)], _text(f"{vm.name}: {vm.status or 'unknown'}")
    return f'<TD FIXEDSIZE="TRUE" WIDTH="7" HEIGHT="7" BGCOLOR="{shade}" HREF="#{_text(vm.id)}" TITLE="{tip}"></TD>'


def _side_by_side(tables: Sequence[str], room: int) -> str:
    """Tables in a row, with an empty cell that takes the spare space, in points."""
    cells = "".join(f'<TD VALIGN="TOP">{table}</TD>' for table in tables)
    rest = f'<TD FIXEDSIZE="TRUE" WIDTH="{room}" HEIGHT="1"></TD>' if room > 0 else ""
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>{cells}{rest}</TR></TABLE>'


def _table_width(rows: Sequence[tuple[str, ...]]) -> int:
    """About how wide a table is, in points: its text has 11."""
    columns = list(zip(*rows))[1:]
    return sum(7 * max(map(len, column)) + 8 for column in columns if any(column)) + 20


def _storage_rows(domains: Sequence[StorageDomain]) -> list[tuple[str, ...]]:
    return [
        (
            color(each.status or DomainStatus.UNATTACHED),
            f"{each.name}{' (master)' if each.master else ''}",
            f"{each.type} {each.storage_type}",
            each.status or DomainStatus.UNATTACHED,
            _space(each),
        )
        for each in domains
    ]


def _space(domain: StorageDomain) -> str:
    if domain.available is None or domain.used is None:
        return ""
    return f"{show_size(domain.used)} of {show_size(domain.used + domain.available)}"


def _network_rows(networks: Sequence[Network]) -> list[tuple[str, ...]]:
    return [
        (
            color(each.status or "up"),
            each.name or "",
            f"VLAN {each.vlan}" if each.vlan else "",
            f"MTU {each.mtu}" if each.mtu else "",
            "" if each.vm_network else "hosts only",
        )
        for each in networks
    ]


def _table(title: str, rows: Sequence[tuple[str, ...]], lines: int = 1) -> str:
    """A small table.

    Args:
        title: Its title.
        rows: Of each the background, then the cells; columns that are empty in all rows are left out.
        lines: Fill it up to so many lines.
    """
    kept = [column for column in range(1, len(rows[0])) if any(row[column] for row in rows)] if rows else [0]
    body = [[row[0], *(row[column] for column in kept)] for row in rows] or [[NONE, "none"]]
    body += [[NONE, *("" for _ in kept)]] * (lines - len(body))
    cells = "".join(_row((_text(cell) or " " for cell in line[1:]), f'BGCOLOR="{line[0]}" ') for line in body)
    return (
        f'<TABLE BORDER="1" CELLBORDER="0" CELLSPACING="1" CELLPADDING="3" COLOR="#8899aa" BGCOLOR="white" '
        f'STYLE="ROUNDED"><TR><TD ALIGN="LEFT" COLSPAN="{len(kept)}"><B>{_text(title)}</B></TD></TR>{cells}</TABLE>'
    )


def _legend(environment: Environment) -> str:
    """What the colours mean, and how many hosts and machines have each."""
    hosts = Counter(color(host.status) for host in environment.hosts)
    vms = Counter(color(vm.status) for vm in environment.vms)
    cells = "".join(
        f'<TD BGCOLOR="{shade}">{text}: {count_text(hosts[shade], "host")}, {count_text(vms[shade], "VM")}</TD>'
        for shade, text in _LEGEND
    )
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="4" CELLPADDING="4" COLOR="#b0b8c0"><TR>{cells}</TR></TABLE>'


def _row(cells: Iterable[str], look: str = 'VALIGN="TOP" ') -> str:
    return "<TR>" + "".join(f'<TD {look}ALIGN="LEFT">{cell}</TD>' for cell in cells) + "</TR>"


def _break_lines(text: str, width: int = 120) -> str:
    """A text broken at commas."""
    lines, line = [], ""
    for word in text.split(", "):
        if line and len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line}, {word}" if line else word
    return "".join(f'{_text(each)}<BR ALIGN="LEFT"/>' for each in (*lines, line))


def _text(text: str | None) -> str:
    """A text as Graphviz takes it inside a table: nothing in it is markup, nor a control character."""
    return escape("".join(char if char.isprintable() else "?" for char in text or ""))
