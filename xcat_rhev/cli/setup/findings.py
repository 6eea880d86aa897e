"""What the doctor finds, and how it is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ..colours import GREEN, RED, paint


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        what: What was looked at.
        well: Whether it is as it should be.
        says: What it is, or what is wrong.
        mend: The command that mends it, or empty.
        later: It is left to a person, who has to type it once; a fresh installation is well without.
    """

    what: str
    well: bool
    says: str
    mend: str = ""
    later: bool = False

    def line(self) -> str:
        """The finding as a person reads it."""
        mark = "ok  " if self.well else "BAD "
        mark = paint(mark, GREEN if self.well else RED, sys.stdout)
        return f"{mark} {self.what}: {self.says}" + (f". Run: {self.mend}" if self.mend and not self.well else "")


def show(findings: Iterator[Finding], fresh: bool = False) -> int:
    """Print findings as they come, and what to type last; gives 1 when one was bad.

    Args:
        findings: What the checks found.
        fresh: After an installation, which is well without what is left to a person.
    """
    bad, later = 0, list[Finding]()
    for finding in findings:
        if fresh and finding.later and not finding.well:
            later.append(finding)
            continue
        print(finding.line(), flush=True)
        bad |= not finding.well
    for finding in later:
        print(f"Type next, for {finding.what} ({finding.says}): {finding.mend}")
    return bad
