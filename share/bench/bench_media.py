#!/usr/bin/env python3
"""How fast media are taken in and made ready, against the plain tools that do the same bytes.

    python share/bench/bench_media.py [--size MIB] [--nodes N] [--folder FOLDER]

Each row is timed with the files in memory and, as root, after dropping the page cache. The limits are ratios to what
the same run measured, so that they say something on any machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

TOP = Path(__file__).parents[2]
sys.path[:0] = [str(TOP), str(TOP / "tests")]

from fakes import FakeHost  # noqa: E402
from xcat_rhev.clock import SystemClock  # noqa: E402
from xcat_rhev.commands import mkinstall  # noqa: E402
from xcat_rhev.media.identify import identify  # noqa: E402
from xcat_rhev.media.initrd import build  # noqa: E402
from xcat_rhev.media.iso import read_iso  # noqa: E402
from xcat_rhev.media.medium import Medium  # noqa: E402
from xcat_rhev.media.store import MediaStore  # noqa: E402
from xcat_rhev.messages import Error  # noqa: E402
from xcat_rhev.plan.context import Context  # noqa: E402
from xcat_rhev.plan.jobs import Job  # noqa: E402
from xcat_rhev.run.runner import Runner  # noqa: E402
from xcat_rhev.xcat.host import Request  # noqa: E402


def opened(iso: Path, target: Path) -> MediaStore:
    """An ISO that was looked at, ready to be copied."""
    medium = read_iso(iso)
    assert isinstance(medium, Medium)
    release = identify(medium)
    assert release
    return MediaStore(medium, release, target)


def exhaust(work: Iterable[Any]) -> None:
    """Do all of some work."""
    for _ in work:
        pass


def warm(path: Path) -> None:
    """Get a file into memory."""
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True, timeout=600)  # noqa: S603, S607


class Bench:
    """One run.

    Args:
        folder: Holds everything that is written.
        iso: The image.
        nodes: How many nodes `mkinstall` is for.
    """

    def __init__(self, folder: Path, iso: Path, nodes: int) -> None:
        self.folder, self.iso, self.nodes = folder, iso, nodes
        self.image = folder / "install/rhevh6.6/x86_64"

    def timed(self, work: Callable[[], object], cold: bool, clear: Path | None = None) -> float:
        """Seconds that some work takes, from an empty place."""
        if clear:
            shutil.rmtree(clear, ignore_errors=True)
            clear.mkdir(parents=True)
        subprocess.run(["sync"], check=True, timeout=300)  # noqa: S607
        if cold:
            Path("/proc/sys/vm/drop_caches").write_text("3\n")
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    def run(self) -> None:
        """Measure everything, first warm, then cold where that can be had."""
        warm(self.iso)
        for cold in [False, True] if os.geteuid() == 0 else [False]:
            self.copying("cold" if cold else "warm", cold)
            self.building("cold" if cold else "warm", cold)
        self.many_nodes()

    def copying(self, cache: str, cold: bool) -> None:
        """copycds, its second run, and inspection, against cp of the same bytes."""
        place = self.folder / "install"

        def plain() -> None:
            subprocess.run(["cp", self.iso, place / "rhevh.iso"], check=True, timeout=600)  # noqa: S603, S607
            for path in ("isolinux/vmlinuz0", "isolinux/initrd0.img"):
                shutil.copy(self.folder / "parts" / path, place / Path(path).name)

        base = min(self.timed(plain, cold, place) for _ in range(3))
        ours = min(self.timed(lambda: exhaust(opened(self.iso, self.image).copy()), cold, place) for _ in range(3))
        self.row("copycds", cache, ours, base, 1.5, "cp of the ISO and the extracted files")
        again = self.timed(lambda: exhaust(opened(self.iso, self.image).compare()), cold)
        self.row("copycds of the same ISO again", cache, again, None, 1.0, "1 s")
        other = self.folder / "other.iso"
        shutil.copy(self.iso, other)
        again = self.timed(lambda: exhaust(opened(other, self.image).compare()), cold)
        self.row("copycds of another file of it", cache, again, None, 0, "all bytes compared")
        other.unlink()
        self.row("copycds -i", cache, self.timed(lambda: opened(self.iso, self.image), cold), None, 0.5, "0.5 s")

    def building(self, cache: str, cold: bool) -> None:
        """The initrd, against cat and against what rhevm.pm did."""
        place = self.folder / "tftpboot"
        initrd, iso = self.image / "isolinux/initrd0.img", self.image / "rhevh.iso"

        def cat() -> None:
            with (place / "out").open("wb") as out:
                subprocess.run(["cat", initrd, iso], stdout=out, check=True, timeout=600)  # noqa: S603, S607

        def rhevm_pm() -> None:
            line = f"echo rhevh.iso | cpio -H newc --quiet -L -o | gzip -9 | cat {initrd} - > {place}/out"
            subprocess.run(["sh", "-c", line], cwd=self.image, check=True, timeout=3600)  # noqa: S603, S607

        base = min(self.timed(cat, cold, place) for _ in range(3))
        ours = min(self.timed(lambda: exhaust(build(initrd, iso, place / "out")), cold, place) for _ in range(3))
        self.row("initrd", cache, ours, base, 1.3, "cat initrd iso")
        if not cold:
            self.row("initrd", cache, ours, self.timed(rhevm_pm, cold, place), 1 / 20, "cpio | gzip -9")

    def many_nodes(self) -> None:
        """mkinstall of many nodes of one image, the initrd's making included and not."""
        shutil.rmtree(self.folder / "tftpboot")
        warm(self.image / "rhevh.iso")
        for cache in ("initrd to be made", "initrd there"):
            seconds = self.timed(self.prepare, False)
            self.row(f"mkinstall of {self.nodes} nodes", cache, seconds, None, 2.0 * self.nodes / 1000, "2 s per 1,000")

    def prepare(self) -> None:
        """Answer nodeset for all nodes."""
        nodes = tuple(f"n{number}" for number in range(self.nodes))
        image = "rhevh6.6-x86_64-install-compute"
        host = FakeHost(
            {
                "site": [
                    {"key": "installdir", "value": f"{self.folder}/install"},
                    {"key": "domain", "value": "x.example"},
                    {"key": "tftpdir", "value": f"{self.folder}/tftpboot"},
                    {"key": "master", "value": "10.0.0.1"},
                ],
                "passwd": [{"key": "rhevh", "username": user, "password": "secret"} for user in ("admin", "root")],
                "nodetype": [{"node": node, "provmethod": image, "os": "rhevh6.6", "arch": "x86_64"} for node in nodes],
                "mac": [{"node": node, "mac": "52:54:00:00:00:01"} for node in nodes],
                "hosts": [{"node": node, "ip": f"10.1.{at // 250}.{at % 250}"} for at, node in enumerate(nodes)],
                "hypervisor": [{"node": node, "mgr": "rhevm.example.com"} for node in nodes],
            }
        )
        request = Request("mkinstall", nodes)
        context = Context(request, nodes, {}, (), host, SystemClock())
        planned = list(mkinstall.plan(context))
        said = list(Runner(None, 1, request.aborted).run([item for item in planned if isinstance(item, Job)]))
        assert len(host.bootparams) == self.nodes and not [word for word in said if isinstance(word, Error)]

    def row(self, what: str, cache: str, seconds: float, base: float | None, limit: float, against: str) -> None:
        """Print one result."""
        measure = seconds / base if base else seconds
        verdict = "" if not limit else "ok" if measure <= limit else "TOO SLOW"
        ratio = f"{measure:6.2f} x" if base else " " * 8
        bound = "" if not limit else f"<= {limit:.2f}{' x' if base else ' s'}"
        print(
            f"{what:34} {cache:18} {seconds:8.3f} s {ratio} {bound:>10} {verdict:9} {against}"
            + (f" ({base:.3f} s)" if base else ""),
            flush=True,
        )


def peak(iso: Path, folder: Path) -> int:
    """The most memory, in KiB, that a process takes for a copy."""
    code = (
        f"import re, sys; sys.path.insert(0, {str(TOP)!r}); from pathlib import Path\n"
        "from xcat_rhev.media.identify import identify\nfrom xcat_rhev.media.iso import read_iso\n"
        "from xcat_rhev.media.store import MediaStore\n"
        f"m = read_iso(Path({str(iso)!r}))\nfor _ in MediaStore(m, identify(m), Path({str(folder)!r})).copy(): pass\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=600)  # noqa: S603
    return int(done.stdout)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1024, help="MiB of the ISO")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--folder", help="where to work; needs five times the size")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=words.folder) as name:
        folder = Path(name)
        iso = folder / "rhev-hypervisor6-6.6-20150123.iso"
        spec = importlib.util.spec_from_file_location("make_iso", TOP / "share/demo/make_iso.py")
        assert spec and spec.loader
        maker = importlib.util.module_from_spec(spec)
        sys.modules["make_iso"] = maker
        spec.loader.exec_module(maker)
        maker.make(iso, words.size)
        store = opened(iso, folder / "parts")
        exhaust(store.copy())
        print(f"{iso.stat().st_size >> 20} MiB of ISO, Python {sys.version.split()[0]}, {os.cpu_count()} processors")
        Bench(folder, iso, words.nodes).run()
        print(f"memory of a process that copies: {peak(iso, folder / 'again') >> 10} MiB (<= 64)")


if __name__ == "__main__":
    main()
