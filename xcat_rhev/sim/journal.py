"""Keep the world in a file: a change is appended before it is answered, as an engine's database commits it first.

What happens by itself, such as machines that come up, is appended twice a second.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import Any

from ..errors import Usage
from .world import World

log = logging.getLogger(__name__)

PERIOD = 0.4
#: The file is written again when it has grown so many times as large as the world in it, and is worth the effort.
GROWTH, WORTH = 4, 16 << 20


class Journal:
    """The file behind a world.

    Each line is a JSON object: `put` (things that were made or changed), `del` (kind and id of those that went),
    `due` (what is planned), `meta` (counters), `now` (the world's date). A last line that is cut short is left out.

    Args:
        path: The file.
        world: What is kept.
    """

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._file: Any = None
        self._limit = WORTH
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="journal")

    def load(self) -> bool:
        """Fill the world from the file.

        Returns:
            False if there is no such file.

        Raises:
            Usage: It is not a journal.
        """
        if not self._path.exists() or not self._path.stat().st_size:
            return False
        things: dict[tuple[str, str], Any] = {}
        last: Any = None
        for number, line in enumerate(self._path.read_bytes().splitlines(), 1):
            try:
                last = self._apply(json.loads(line), things)
            except (ValueError, KeyError, TypeError) as error:
                if last is None:
                    raise Usage(f"--state {self._path}: line {number} is not a state file of a simulator") from error
                break  # the last line was cut short by a hard end
        self._fill(things, last)
        return True

    def _apply(self, entry: Any, things: dict[tuple[str, str], Any]) -> Any:
        for thing in entry["put"]:
            things[thing["kind"], thing["id"]] = thing
        for kind, thing_id in entry["del"]:
            things.pop((kind, thing_id), None)
        return {"due": entry["due"], "meta": entry["meta"], "now": entry["now"]}

    def _fill(self, things: dict[tuple[str, str], Any], last: Any) -> None:
        for thing in things.values():
            self._world.put(thing)
        self._world.schedule.load(last["due"])
        self._world.meta = last["meta"]
        self._world.resume_at(last["now"])
        # ids must not come twice: go on with a stream that depends on how far the world has come
        self._world.random.seed(f"{len(things)} {last['now']}")

    def start(self) -> None:
        """Write everything once, and go on with what changes."""
        self._rewrite()
        self._world.commit = self._write
        self._thread.start()

    def _rewrite(self) -> None:
        """Write the whole world into a new file and let it take the place of the old one."""
        fresh = self._path.with_name(self._path.name + ".new")
        with self._world.lock:
            self._world.dirty = {(kind, one): None for kind, all_ in self._world.things.items() for one in all_}
            if self._file is not None:
                self._file.close()
            self._file = fresh.open("wb")
            self.flush()
        os.replace(fresh, self._path)
        self._limit = max(GROWTH * self._file.tell(), WORTH)

    def flush(self) -> None:
        """Append what changed since the last time."""
        with self._world.lock:
            world = self._world
            world.settle()
            if not world.dirty:
                return
            dirty, world.dirty = world.dirty, {}
            put = [world.things[kind][one] for kind, one in dirty if one in world.things[kind]]
            gone = [[kind, one] for kind, one in dirty if one not in world.things[kind]]
            entry = {"put": put, "del": gone, "due": world.schedule.dump(), "meta": world.meta, "now": world.now()}
            self._file.write(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
            self._file.flush()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            self._write()

    def _write(self) -> None:
        """Append what changed, or write everything again: when the file has grown, and after a write that failed."""
        with self._world.lock:
            try:
                if self._limit < 0 or self._file.tell() > self._limit:
                    self._rewrite()
                else:
                    self.flush()
            except OSError as error:
                log.error("The state is not kept: %s", error)
                self._limit = -1

    def stop(self) -> None:
        """Write the rest and close the file."""
        if self._file is None:
            return
        if self._thread.ident is None:  # the first write has failed, and that is said already
            with contextlib.suppress(OSError):
                self._file.close()
            return
        self._stop.set()
        self._thread.join()
        self._world.commit = lambda: None
        self._write()
        self._file.close()
