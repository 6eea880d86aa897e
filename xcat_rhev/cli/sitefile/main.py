"""`xcat-rhev site FILE`: everything that a file describes, in the order of what needs what."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ...clock import Clock, SystemClock
from ...errors import RhevError, Usage
from ...files import typed_path
from ..xcatd import AskedXcatd
from .page import StepState, write
from .sitedescription import SiteManager, read
from .steps import ManagerSteps, SiteStep

#: What a dry run says of a step that cannot be looked at yet.
LATER = "looks when its turn comes"


def main(argv: Sequence[str]) -> int:
    """Carry a site out, or show what there is to do.

    Returns:
        0 when all is done, 1 when a manager's steps ended early; those of other managers are done all the same.
    """
    options = _options(argv)
    try:
        managers = read(_text(options.file))
        run = SiteRun(AskedXcatd(), managers, SystemClock(), options.page)
        return run.tree() if options.dry_run else run.carry_out()
    except RhevError as problem:
        print(f"xcat-rhev site: {problem}", file=sys.stderr)
        return 1


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xcat-rhev site",
        description="From bare machines to a data center: managers, hypervisors, data centers, storage, machines.",
    )
    parser.add_argument("file", type=typed_path, metavar="FILE.yaml", help="the site; see share/doc/install-manager.md")
    parser.add_argument("--dry-run", action="store_true", help="show the steps as a tree, and which are done")
    parser.add_argument("--page", type=typed_path, metavar="FILE.html", help="write the progress there, as a page")
    return parser.parse_args(list(argv))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        raise Usage(f"{path} is not text in UTF-8") from None
    except OSError as problem:
        raise RhevError(f"cannot read {path}: {problem.strerror}") from None


class SiteRun:
    """One run over a site.

    Args:
        xcatd: Whom to ask.
        managers: The site.
        clock: Time.
        page: Where the progress is written, if anywhere.
    """

    def __init__(self, xcatd: AskedXcatd, managers: Sequence[SiteManager], clock: Clock, page: Path | None) -> None:
        self._page = page
        self._steps: list[tuple[SiteStep, StepState]] = []
        for manager in managers:
            for step in ManagerSteps(xcatd, manager, clock).all():
                self._steps.append((step, StepState(manager.name, step.says, "to do")))

    def tree(self) -> int:
        """Show all steps, and which are done."""
        for step, progress in self._steps:
            progress.state = LATER if step.done is None else "done" if step.done() else "to do"
        for name in dict.fromkeys(progress.manager for _, progress in self._steps):
            print(name)
            for _, progress in self._steps:
                if progress.manager == name:
                    print(progress.text())
        return 0

    def carry_out(self) -> int:
        """Do what is not done; a step that fails ends those of its manager."""
        failed: set[str] = set()
        for step, progress in self._steps:
            if progress.manager in failed:
                continue
            try:
                self._one(step, progress)
            except RhevError as problem:
                failed.add(progress.manager)
                self._note(progress, "failed", str(problem))
                print(f"{progress.manager}: {progress.says}: {problem}", file=sys.stderr)
        return 1 if failed else 0

    def _one(self, step: SiteStep, progress: StepState) -> None:
        if step.done is not None and step.done():
            self._note(progress, "done", progress.line)
            return
        print(f"{progress.manager}: {progress.says}", flush=True)
        self._note(progress, "running", "")
        for line in step.do():
            print(f"  {line}", flush=True)
            self._note(progress, "running", line)
        self._note(progress, "done", progress.line)

    def _note(self, progress: StepState, state: str, line: str) -> None:
        progress.state, progress.line = state, line
        if self._page:
            write(self._page, [each for _, each in self._steps])
