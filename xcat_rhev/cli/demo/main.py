"""`xcat-rhev demo`: the options, the start and the end; the scenes are in scenes.py."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ...errors import RhevError
from ...files import typed_path
from ..connect import login
from .real import RealEngine, run_on
from .record import DemoRecord, Failed
from .scenes import DemoStage, install, manage, prepare


def main(argv: Sequence[str]) -> int:
    """Run the demo.

    Args:
        argv: Its options.

    Returns:
        0 only if every step did what it names.
    """
    options = _options(argv)
    if options.iso and not options.iso.is_file():
        print(f"xcat-rhev demo: --iso {options.iso}: there is no such file", file=sys.stderr)
        return 1
    try:
        real = RealEngine.from_options(options) if options.engine else None
    except (RhevError, EOFError, KeyboardInterrupt) as problem:
        print(f"xcat-rhev demo: {problem or 'stopped'}", file=sys.stderr)
        return 1
    home = Path(tempfile.mkdtemp(prefix="xcat-rhev-demo-"))
    home.chmod(0o755)  # the web server runs as another user; what is secret below has modes of its own
    record = DemoRecord(options.json)
    stage = DemoStage(home, record)
    signal.signal(signal.SIGTERM, _leave)
    begin = time.monotonic()
    try:
        if real:
            run_on(stage, real)
        else:
            _demonstrate_simulator(stage, options)
        _summary(record, time.monotonic() - begin, options.json)
        if options.keep:
            _keep(stage)
        return 0
    except Failed as problem:
        print(f"xcat-rhev demo: stopped, because this step failed: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        stage.end()
        shutil.rmtree(home, ignore_errors=True)


def _demonstrate_simulator(stage: DemoStage, options: argparse.Namespace) -> None:
    prepare(stage, options.iso)
    install(stage)
    for api in ("4", "3") if options.api == "both" else (options.api,):
        manage(stage, api)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xcat-rhev demo",
        description="Go from an ISO to an installed hypervisor and running machines, on this machine only.",
    )
    parser.add_argument("--iso", type=typed_path, metavar="FILE", help="install from this ISO, not from one made here")
    parser.add_argument("--api", choices=("3", "4", "both"), default="both", help="which API to speak (default: both)")
    parser.add_argument("--keep", action="store_true", help="leave everything running, show how to type at it")
    parser.add_argument("--json", action="store_true", help="print the record of steps, one JSON object a line")
    real = parser.add_argument_group(
        "on a real engine", "Machines and a network with names of their own are made there, and removed at the end."
    )
    add = real.add_argument
    add("--engine", default="", metavar="URL", help="its name, host:port, or the address of its web page")
    login.add_options(real)
    add("--cluster", default="Default", help="the cluster of the machines, with a host that is up (default: Default)")
    add("--domain", default="", help="the data domain of their disks (default: the first that is active)")
    return parser.parse_args(list(argv))


def _summary(record: DemoRecord, seconds: float, as_json: bool) -> None:
    if not as_json:
        print(f"\nAll {len(record.steps)} steps did what they name, in {seconds:.0f} s.")


def _keep(stage: DemoStage) -> None:
    """Wait until the person has played enough."""
    print(f"\nEverything is still running, below {stage.home}. In another terminal:\n", file=sys.stderr)
    for key, value in stage.environment().items():
        print(f"    export {key}={value}", file=sys.stderr)
    program = Path(sys.executable).with_name("xcat-rhev")
    for typed in ("nodels all nodelist.status", "mkvm vm1-vm3", "rpower vm1-vm3 on", "lsvm vm1"):
        print(f"    {program} run {typed}", file=sys.stderr)
    print(f"\nThe page of the installs: http://127.0.0.1:{stage.web_port}/xcatrhevh/", file=sys.stderr)
    print("Ctrl-C here ends it and removes the folder.", file=sys.stderr)
    signal.pause()


def _leave(number: int, frame: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)
