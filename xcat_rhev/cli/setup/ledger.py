"""What an install replaced: every file we put stands in a list, with the bytes that stood there before."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any


class Ledger:
    """The list of one machine, in `<confdir>/xcat-rhev`.

    Args:
        folder: That folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "installed.json"
        self._entries: dict[str, dict[str, Any]] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def ours(self, path: Path) -> bool:
        """Whether a file is as we put it."""
        entry = self._entries.get(str(path))
        return entry is not None and path.is_file() and entry["sha256"] == digest(path.read_bytes())

    def knows(self, path: Path) -> bool:
        """Whether we ever put a file there."""
        return str(path) in self._entries

    def put(self, path: Path, text: bytes, mode: int = 0o644) -> None:
        """Put a file, and keep what stands there unless it is ours.

        A file that somebody else has put over ours since (an upgrade of xCAT) is what is kept from then on.
        """
        if not self.ours(path):
            self._keep(path)
        new = path.with_name(f".{path.name}.new")  # the plugin folder is read by a glob of *.pm
        made = [str(folder) for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(text)
        new.chmod(mode)
        entry = self._entries.setdefault(str(path), {"kept": None})
        entry["sha256"] = digest(text)
        entry["made"] = made or entry.get("made", [])
        self._write()  # first: a crash between the two leaves a file that uninstall restores, not one that it forgets
        os.replace(new, path)

    def _keep(self, path: Path) -> None:
        kept = None
        if path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = self._folder / f"kept-{digest(str(path).encode())[:12]}-{path.name}"
            shutil.copy2(path, kept)
        self._entries[str(path)] = {"kept": str(kept) if kept else None, "sha256": ""}

    def note(self, key: str, value: object) -> None:
        """Keep a fact that is no file, such as the policy rows that we added."""
        self._entries[key] = {"note": value}
        self._write()

    def noted(self, key: str) -> Any:
        """A fact that was kept, or None."""
        return self._entries.get(key, {}).get("note")

    def files(self) -> list[str]:
        """Every file that we put."""
        return [name for name, entry in self._entries.items() if "note" not in entry]

    def restore(self) -> Iterator[str]:
        """Take every file of ours away and put back what stood there; says what it did. A changed file stays."""
        for name, entry in reversed(list(self._entries.items())):
            if "note" not in entry:
                yield self._restore_one(Path(name), entry)
            del self._entries[name]
            self._write()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _restore_one(self, path: Path, entry: dict[str, Any]) -> str:
        kept = entry["kept"]
        if path.exists() and digest(path.read_bytes()) != entry["sha256"]:
            return f"left {path}: it was changed since"
        if kept:
            shutil.copy2(kept, path.with_name(f".{path.name}.old"))
            os.replace(path.with_name(f".{path.name}.old"), path)
            return f"put back {path}"
        path.unlink(missing_ok=True)
        for folder in entry.get("made", []):
            with suppress(OSError):  # something of somebody else's is in it
                Path(folder).rmdir()
        return f"removed {path}"

    def _write(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self._entries, indent=1, sort_keys=True))
        os.replace(new, self._file)


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes, as text."""
    return hashlib.sha256(data).hexdigest()
