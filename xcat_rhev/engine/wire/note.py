"""What was found out about a manager, noted for the next process."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from ...files import write_whole
from ..documents.dialect import Dialect

#: Where the API is, newest first: 4.x has only the first, 3.0 to 3.3 only the second (API guide, entry points).
API_PATHS = ("/ovirt-engine/api", "/api")


@dataclass(frozen=True)
class ManagerNote:
    """What worked last.

    Attributes:
        origin: `https://host:port`.
        path: The API's path.
        user: What the user is called there; empty if not known.
        tokens: Does it give tokens? None if not known.
    """

    origin: str
    path: str
    user: str = ""
    tokens: bool | None = None


def read_note(folder: Path) -> ManagerNote | None:
    """The note in a manager's folder, if there is a usable one."""
    try:
        told = json.loads((folder / "api").read_text("utf-8"))
        origin, path = told["origin"], told["path"]
        user, tokens = told.get("user", ""), told.get("tokens")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    fits = isinstance(origin, str) and path in API_PATHS and re.fullmatch(r"https://[\w.:\[\]-]+:\d+", origin)
    user = user if isinstance(user, str) else ""
    return ManagerNote(origin, path, user, tokens if isinstance(tokens, bool) else None) if fits else None


def write_note(folder: Path, note: ManagerNote, dialect: Dialect) -> None:
    """Note what worked; a folder that cannot be written costs a few requests next time and nothing else."""
    major, minor = dialect.version
    told = {
        "origin": note.origin,
        "path": note.path,
        "dialect": dialect.major,
        "version": f"{major}.{minor}",
        "user": note.user,
        "tokens": note.tokens,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "api", json.dumps(told).encode())
    except OSError:
        return
