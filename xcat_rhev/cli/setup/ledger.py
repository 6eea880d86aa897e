"""What an install replaced: every file we put is in a list, with the bytes that stood there before."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...files import write_whole


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
        if entry is not None and "link" in entry:
            return path.is_symlink() and os.readlink(path) == entry["link"]
        return entry is not None and path.is_file() and entry["sha256"] == digest(path.read_bytes())

    def knows(self, path: Path) -> bool:
        """Whether we ever put a file there."""
        return str(path) in self._entries

    def put(self, path: Path, text: bytes, mode: int = 0o644) -> None:
        """Put a file, and keep what is there unless it is ours.

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

    def link(self, path: Path, to: Path) -> None:
        """Put a link where nothing of somebody else's stands."""
        made = [str(folder) for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        self._entries[str(path)] = {"kept": None, "sha256": "", "link": str(to), "made": made}
        self._write()
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(to)
        os.replace(new, path)

    def _keep(self, path: Path) -> None:
        kept = None
        if path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            kept = self._folder / f"kept-{digest(str(path).encode())[:12]}-{path.name}"
            shutil.copy2(path, kept)
        self._entries[str(path)] = {"kept": str(kept) if kept else None, "sha256": ""}

    def note(self, key: str, value: object) -> None:
        """Keep a fact that is not a file, such as the policy rows that we added."""
        self._entries[key] = {"note": value}
        self._write()

    def fact(self, key: str) -> Any:
        """A fact that was kept, or None."""
        return self._entries.get(key, {}).get("note")

    def files(self) -> list[str]:
        """Every file that we put."""
        return [name for name, entry in self._entries.items() if "note" not in entry]

    def forget(self, key: str) -> None:
        """A fact that was kept is no longer so."""
        if self._entries.pop(key, None) is not None:
            self._write()

    def restore(self) -> Iterator[str]:
        """Take every file of ours away and put back what stood there; says what it did. A changed file stays."""
        for name, entry in reversed(list(self._entries.items())):
            if "note" not in entry:
                yield self._restore_one(Path(name), entry)
                del self._entries[name]
                self._write()
        if not self._entries:
            self._file.unlink(missing_ok=True)
        with suppress(OSError):  # what stood where a changed file is now is still in it
            self._folder.rmdir()

    def _restore_one(self, path: Path, entry: dict[str, Any]) -> str:
        kept = Path(entry["kept"]) if entry["kept"] else None
        if "link" in entry and not self.ours(path):
            return f"left {path}: it was changed after the install" if path.exists() else f"{path} was gone"
        if "link" not in entry and path.exists() and digest(path.read_bytes()) != entry["sha256"]:
            return f"left {path}: it was changed after the install" + (f"; the former file is {kept}" if kept else "")
        if kept and kept.exists():
            back = path.with_name(f".{path.name}.old")
            shutil.copy2(kept, back)
            os.replace(back, path)
            kept.unlink()
            return f"put back {path}"
        path.unlink(missing_ok=True)
        for folder in entry.get("made", []):
            with suppress(OSError):  # something of somebody else's is in it
                Path(folder).rmdir()
        return f"removed {path}" + (f": the former file is lost, {kept} is not there" if kept else "")

    def _write(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._file, json.dumps(self._entries, indent=1, sort_keys=True).encode())


def digest(data: bytes) -> str:
    """The SHA-256 of some bytes, as text."""
    return hashlib.sha256(data).hexdigest()
