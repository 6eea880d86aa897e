"""What the API's root says: how the manager speaks, and what it can do.

The version is believed where it is one of oVirt's own. Forks count for themselves (zVirt, RED, ROSA, HOSTVM), so that
what a root of v4 holds is the better witness.
"""

from __future__ import annotations

import re
from typing import Any

from ...errors import BadAnswer, Usage
from ..documents.dialect import Dialect, Version
from ..documents.parsing import parse, unexpected_document

#: What came into the root of v4, and with which version (BackendApiResource, ApiRootLinksCreator; 4.0 has none).
_MARKS: tuple[tuple[str, Version], ...] = (
    ("link[@rel='externalvmimports']", (4, 1)),
    ("authenticated_user", (4, 2)),
    ("product_info/instance_id", (4, 4)),
    ("link[@rel='externaltemplateimports']", (4, 4)),
    ("engine_backup", (4, 5)),
)
_NEWEST: Version = (4, 5)


def dialect_of(body: bytes, name: str, wanted: str = "") -> Dialect:
    """Read the dialect off the API's root: the version is in attributes in v3, in elements in v4.

    Args:
        body: The root document.
        name: The manager's name, for errors.
        wanted: `3` or `4` where the site insists on one.

    Raises:
        BadAnswer: It is not an API's root.
        Usage: The site insists on the other dialect.
    """
    root = parse(body)
    if root.tag != "api":
        raise unexpected_document(root, "api")
    version = root.find("product_info/version")
    raw = [] if version is None else [version.get(key) or version.findtext(key) for key in ("major", "minor")]
    if version is None or not all(each and re.fullmatch(r"\d{1,4}", each) for each in raw):
        raise BadAnswer(f"manager {name}: api/product_info/version is missing")
    spoken = 3 if version.get("major") else 4
    if wanted and wanted != str(spoken):
        raise Usage(f"manager {name} does not speak API v{wanted}", "Run: chtab key=rhevmapi site.value=")
    told = int(raw[0] or 0), int(raw[1] or 0)
    return Dialect(spoken, told if spoken == 3 else _level(root, told))


def _level(root: Any, told: Version) -> Version:
    """The oVirt version that an engine of v4 comes up to."""
    shown = max((since for mark, since in _MARKS if root.find(mark) is not None), default=(4, 0))
    return shown if told > _NEWEST else max(told, shown)
