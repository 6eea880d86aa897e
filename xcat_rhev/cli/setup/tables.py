"""xCAT's tables, as its own tabdump shows them."""

from __future__ import annotations

import csv
import subprocess
from itertools import dropwhile

from .site import XcatSite


class XcatTables:
    """xCAT's tables, read by its own tabdump.

    Args:
        site: The machine.
    """

    def __init__(self, site: XcatSite) -> None:
        self._site = site
        self._read: dict[str, list[dict[str, str]]] = {}

    def rows(self, table: str) -> list[dict[str, str]]:
        """All rows that are not disabled."""
        if table not in self._read:
            lines = self._site.run("tabdump", table).stdout.splitlines()
            # Under XCATBYPASS xCAT's client says before the header which plugins it could not load.
            dump = [*dropwhile(lambda line: not line.startswith("#"), lines)]
            reader = csv.DictReader([line.lstrip("#") for line in dump[:1]] + dump[1:])
            self._read[table] = [row for row in reader if (row.get("disable") or "0").lower() in ("0", "no")]
        return self._read[table]

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another of xCAT's commands."""
        return self._site.run(*words)

    def site(self, key: str, default: str = "") -> str:
        """One value of the site table."""
        return next((row["value"] for row in self.rows("site") if row["key"] == key), "") or default
