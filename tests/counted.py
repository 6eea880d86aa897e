"""Count the tests of a run: `counted.py all.xml [again.xml]` prints how many passed and how many failed.

The second file is of the tests that failed in the first and were tried once more. What passed only then is named on
standard error.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as tree
from pathlib import Path


def main(files: list[str]) -> None:
    """Print the two numbers.

    Args:
        files: Reports in JUnit's format, first and again; what was not written counts as a failure.
    """
    reports = {Path(name).stem: tree.parse(name).getroot() for name in files if Path(name).stat().st_size}
    first = _outcomes(reports["all"])
    again = _outcomes(reports["again"]) if "again" in reports else {}
    late = {test for test, good in first.items() if not good and again.get(test)}
    for test in sorted(late):
        print(f"Passed only when tried once more: {test}", file=sys.stderr)
    good = sum(first.values()) + len(late)
    print(good, len(first) - good)


def _outcomes(report: tree.Element) -> dict[str, bool]:
    """Each test that ran, and whether it passed; a test whose clean-up failed is there twice and did not."""
    outcomes: dict[str, bool] = {}
    for case in report.iter("testcase"):
        if case.find("skipped") is None:
            test = f"{case.get('classname')}::{case.get('name')}"
            good = case.find("failure") is None and case.find("error") is None
            outcomes[test] = good and outcomes.get(test, True)
    return outcomes


if __name__ == "__main__":
    main(sys.argv[1:])
