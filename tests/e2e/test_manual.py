"""Every page of the manual: its commands are typed on a machine of its own and print what the page shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pages

pytestmark = [pytest.mark.root, pytest.mark.slow]

#: How a command, or the doctor, says that something is wrong.
ERROR = re.compile(r'Error: |^BAD |"kind": "error"', re.MULTILINE)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_print(page: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    lines = pages.lines(page.read_text())
    for line, printed in zip(lines, pages.typed([line.command for line in lines])):
        assert pages.same(line.shown, printed.text), (line.command, line.shown, printed.text)
        # An answer with an error has an exit code that says so, and no other has one.
        assert (printed.rc != 0) == bool(ERROR.search(printed.text)), (line.command, printed)


def test_sphinx_makes_html_without_a_warning(tmp_path: Path) -> None:
    """A link that leads nowhere is a warning."""
    pytest.importorskip("furo")
    done = subprocess.run(
        [pages.DOC / "build", tmp_path / "html"],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert {page.stem for page in pages.DOC.glob("*.md")} <= {page.stem for page in (tmp_path / "html").glob("*.html")}
