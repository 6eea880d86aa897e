"""One command at a time on a node: in this process, in two, and after one that was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xcat_rhev.run.nodelocks import NodeLocks

TAKER = """
import sys
from pathlib import Path
from xcat_rhev.run.nodelocks import NodeLocks
held = NodeLocks()
print(held.take(Path(sys.argv[1]), sys.argv[2:], "mkvm"), flush=True)
sys.stdin.readline()
"""


@contextmanager
def another(folder: Path, *nodes: str) -> Iterator[subprocess.Popen[str]]:
    """Another process, which takes nodes and ends when the block does."""
    taker = subprocess.Popen(
        [sys.executable, "-c", TAKER, str(folder), *nodes], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with taker:
        yield taker


def said(taker: subprocess.Popen[str]) -> str:
    """Whom it found in its way."""
    assert taker.stdout
    return taker.stdout.readline().strip()


def test_in_one_process_the_first_has_it_until_it_leaves(tmp_path: Path) -> None:
    held = NodeLocks()
    assert held.take(tmp_path, ["vm1", "vm2"], "mkvm") == {}
    assert held.take(tmp_path, ["vm2", "vm3"], "rmvm") == {"vm2": "mkvm"}
    held.leave(tmp_path, ["vm1", "vm2"])
    assert held.take(tmp_path, ["vm2", "vm3"], "chvm") == {"vm3": "rmvm"}


def test_the_same_name_on_another_manager_is_another_machine(tmp_path: Path) -> None:
    held = NodeLocks()
    for manager in ("m1", "m2"):
        (tmp_path / manager).mkdir()
        assert held.take(tmp_path / manager, ["vm1"], "mkvm") == {}


def test_another_process_has_it_until_it_leaves(tmp_path: Path) -> None:
    held = NodeLocks()
    held.take(tmp_path, ["vm1", "vm2"], "mkvm")
    held.leave(tmp_path, ["vm2"])
    with another(tmp_path, "vm1", "vm2", "vm3") as taker:
        assert said(taker) == "{'vm1': 'command'}"
        assert held.take(tmp_path, ["vm2", "vm3", "vm4"], "chvm") == {"vm2": "command", "vm3": "command"}
    assert held.take(tmp_path, ["vm2", "vm3"], "chvm") == {}


def test_a_process_that_was_killed_has_nothing(tmp_path: Path) -> None:
    held = NodeLocks()
    with another(tmp_path, "vm1") as taker:
        assert said(taker) == "{}"
        taker.kill()
    assert held.take(tmp_path, ["vm1"], "mkvm") == {}


def test_before_a_manager_was_ever_reached_one_process_knows_its_own(tmp_path: Path) -> None:
    held, nowhere = NodeLocks(), tmp_path / "not yet"
    assert held.take(nowhere, ["vm1"], "mkvm") == {}
    assert held.take(nowhere, ["vm1"], "chvm") == {"vm1": "mkvm"}
    held.leave(nowhere, ["vm1"])
    assert held.take(nowhere, ["vm1"], "chvm") == {}
