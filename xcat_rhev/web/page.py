"""The page that shows people how far the nodes are: plain HTML, no scripts, made again for each request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from .metrics import CertificateEnd
from .notify import BOOTED, InstallProgress, Overview

REFRESH = 10
#: What a node becomes that was booted, away, and back (xcat-rhev events).
ALIVE = "alive"
HEADERS = (
    ("Refresh", str(REFRESH)),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
#: Shown in this order: what needs somebody first.
KINDS = (FAILED, INSTALLING, BOOTED_KIND, OTHER) = ("failed", "installing", "booted", "other")

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1c2733 }
h1 { font-size: 1.4rem; margin: 0 0 1rem }
p.counts span { margin-right: 1.5rem; display: inline-block } p.counts b { font-size: 1.3rem }
div { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; white-space: nowrap; border-bottom: 1px solid #d9e0e7 }
thead th { border-bottom: 2px solid #8896a5 }
.failed { color: #a3121f; font-weight: 600 } .installing { color: #8a5a00 } .booted { color: #1b6e34 }
footer, .note { color: #566573; font-size: .9rem; margin-top: 1.5rem }
@media (prefers-color-scheme: dark) {
  body { background: #14191f; color: #dfe6ed } th, td { border-color: #2c3640 }
  .failed { color: #ff8a8f } .installing { color: #f0bd5c } .booted { color: #7fd69a } footer, .note { color: #9aa8b5 }
}
"""


_NOBODY = "<p>No hypervisor has been set up for an install yet.</p>"


def kind_of(progress: InstallProgress) -> str:
    """Tell which of KINDS a node belongs to; one that its manager did not take is failed, although it booted."""
    if progress.status == "failed" or progress.manager.startswith("failed-"):
        return FAILED
    if progress.state.startswith("install"):
        return INSTALLING
    return BOOTED_KIND if progress.status in (BOOTED, ALIVE) else OTHER


def render(overview: Overview, now: str, wrong: str = "", ends: Sequence[CertificateEnd] = ()) -> str:
    """Write the page.

    Args:
        overview: How far each node is.
        now: The time of day on this machine.
        wrong: Why there may be none, or empty.
        ends: Certificates that end soon.
    """
    ordered = sorted(overview.nodes, key=lambda node: (KINDS.index(kind_of(node)), _sort_key(node.node)))
    kinds = [kind_of(node) for node in ordered]
    counts = "".join(f'<span class="{kind}"><b>{kinds.count(kind)}</b> {kind}</span>' for kind in KINDS)
    note = "".join(f'<p class="note">{escape(text)}</p>' for text in _notes(overview, wrong))
    note += "".join(f'<p class="failed">{escape(text)}</p>' for text in map(_end_text, ends))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Hypervisor installs</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>Hypervisor installs</h1>
<p class="counts">{counts}</p>{note}
{_table(ordered) if ordered else _NOBODY if not note else ""}
<footer>As of {escape(now)}. This page loads itself again every {REFRESH} seconds.</footer></body></html>
"""


def _notes(overview: Overview, wrong: str) -> Iterator[str]:
    """What is not as it should be."""
    if wrong:
        yield f"No node map: {wrong}"
    if overview.unknown:
        yield f"In the node map, but no nodes: {', '.join(overview.unknown)}"
    if overview.reason:
        yield f"xcatd says: {overview.reason}"


def _end_text(each: CertificateEnd) -> str:
    when = f"ended {each.ends}" if each.left < 0 else f"ends {each.ends}, in {each.left} days"
    return f"The certificate of {each.whose} {when}."


def _sort_key(name: str) -> str:
    """A name as it sorts where rhevh10 comes after rhevh9."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(9), name)


def _table(nodes: Sequence[InstallProgress]) -> str:
    heads = ("Node", "Status", "Since", "Reported from", "Boots", "In the manager")
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    return f"<div><table><thead><tr>{head}</tr></thead><tbody>\n{''.join(map(_row, nodes))}</tbody></table></div>"


def _row(node: InstallProgress) -> str:
    kind = kind_of(node)
    status = node.status or "not known"
    shown = kind if kind != OTHER else status
    boots = "from its disk" if node.state == "boot" else node.state or "not set"
    cells = (node.since, node.address, boots, node.manager)
    rest = "".join(f"<td>{escape(cell) or '&ndash;'}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(node.node)}</th><td class="{kind}">{escape(shown)}</td>{rest}</tr>\n'
