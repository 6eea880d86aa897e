"""The `xcat-rhev` program: a subcommand that says what to start, the rest belongs to what is started."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import textwrap
from collections.abc import Sequence

from .. import __version__
from ..xcat.commandnames import PERL, TYPED, nearest
from . import background

#: The subcommand, the module whose `main(argv) -> exit code` it starts, and what it is for.
PARTS: tuple[tuple[str, str, str], ...] = (
    ("connect", "xcat_rhev.cli.connect", "make nodes of what an engine has: connect ENGINE, and rpower works"),
    ("demo", "xcat_rhev.cli.demo", "from an ISO to a hypervisor and running machines, on this machine only"),
    ("run", "xcat_rhev.cli.run", "run one xCAT command: run COMMAND [NODERANGE] [ARGS]"),
    ("xcatd", "xcat_rhev.daemon.main", "the embedded xcatd: --home DIR [--serve IFACE] [--port N] [--host ADDR]"),
    ("netservices", "xcat_rhev.daemon.netservices.supervisor", "DHCP, DNS, TFTP and HTTP beside it: --home DIR"),
    ("sim", "xcat_rhev.sim.__main__", "the engine simulator: sim --help"),
    ("web", "xcat_rhev.cli.web", "the finish URL without Apache or nginx: [--host ADDR] [--port N]"),
    ("events", "xcat_rhev.cli.events", "pass on the events of managers: to nodelist.status and to a site's programs"),
    ("agent", "xcat_rhev.bridge.agent", "the worker behind a Perl xCAT"),
    ("engine", "xcat_rhev.cli.enginekit.main", "install managers and their hosts: engine kit|hostkit|wait"),
    ("site", "xcat_rhev.cli.sitefile.main", "everything that a file describes: site FILE.yaml [--dry-run]"),
    ("install", "xcat_rhev.cli.setup.install", "put the product into a Perl xCAT"),
    ("uninstall", "xcat_rhev.cli.setup.uninstall", "remove the product from it"),
    ("doctor", "xcat_rhev.cli.setup.doctor", "check an installation"),
)

#: What people look for -> the commands.
KINDS = {
    "virtual machines": "mkvm chvm rmvm lsvm clonevm rpower rshutdown rsetboot rmigrate rinv rvitals rscan reventlog "
    "getrvidparms getcons",
    "hypervisors": "chhypervisor rmhypervisor revacuate rhevhjoin rpower rbeacon rinv rvitals reventlog lsvm rscan",
    "the environment (data centers, clusters, storage, networks, templates)": "cfgve lsve",
    "installing": "copycds nodeset rinstall nodestat makenetworks makedhcp makedns getmacs",
    "nodes and tables": "lsdef mkdef chdef rmdef nodels nodeadd nodech nodegrpch noderm nodepurge tabdump chtab tabch "
    "gettab tabgrep tabrestore tabprune makehosts makeknownhosts rmimage chkosimage lsxcatd",
}
#: Packages that a part needs and that may be missing -> the extra of setup.cfg that brings them, empty for none.
EXTRAS = {
    **dict.fromkeys(("cheroot", "pycdlib"), "sim"),
    **dict.fromkeys(("requests", "urllib3", "lxml", "sqlalchemy", "cryptography", "regex"), ""),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Start a part of the product.

    Args:
        argv: The words after the program's name; taken from the process when not given.

    Returns:
        The exit code: that of the part, 2 for a subcommand that is not known, 1 where the system refuses something.
        Ctrl-C before the part knows what to do with it ends the process as it ends others, without a word.
    """
    _open_streams()
    try:
        code = _begin(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read our output has seen enough
        _close_output()
        return 128 + signal.SIGPIPE
    except OSError as problem:
        _close_output()
        where = f"{problem.filename}: " if problem.filename else ""
        print(f"xcat-rhev: {where}{problem.strerror or problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 128 + signal.SIGINT


def _close_output() -> None:
    """What is still to be written goes nowhere; Python would try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _begin(argv: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    called = os.path.basename(sys.argv[0]) if argv is None else ""
    if called in TYPED:  # a link of that name
        words = ["run", called, *words]
    word = words[0] if words else "--help"
    if word in ("--version", "version"):
        print(f"xcat-rhev {__version__}")
        return 0
    if word in ("-h", "--help", "help"):
        print(_help())
        return 0
    for name, module, _ in PARTS:
        if word == name:
            return _start(name, module, words[1:])
    print(f"xcat-rhev: {_unknown(words)}", file=sys.stderr)
    return 2


def _unknown(words: Sequence[str]) -> str:
    """What to type instead of a first word that is not a part."""
    names = [name for name, _, _ in PARTS]
    meant = nearest(words[0], [*names, "help", "version"])
    if words[0] in PERL:
        return f"{words[0]} is an xCAT command. Run: xcat-rhev run {' '.join(words)}"
    if meant:
        return f"there is no '{words[0]}'. Did you mean {meant}?"
    return f"'{words[0]}' is not one of {', '.join(names)}. Run: xcat-rhev help"


def _start(name: str, module: str, words: Sequence[str]) -> int:
    try:
        part = importlib.import_module(module)
    except ModuleNotFoundError as problem:
        package = (problem.name or "").split(".")[0]
        if package not in (*EXTRAS, "xcat_rhev"):
            raise
        print(f"xcat-rhev {name}: {_install_hint(name, package)}", file=sys.stderr)
        return 1
    if name in background.PARTS and "--background" in words:
        return background.main(name, [word for word in words if word != "--background"])
    code: int = part.main(words)
    return code


def _install_hint(name: str, package: str) -> str:
    """What to install so that a part can be started."""
    if package == "xcat_rhev":
        return f"this part is not installed. Install the package xcat-rhev-{name}"
    extra = EXTRAS[package]
    into = f"pip install '.[{extra}]' in the checkout" if extra else "pip install . in the checkout"
    return (
        f"the Python package {package} is missing. Run: {into}, or install the distribution's python3-{package.lower()}"
    )


def _open_streams() -> None:
    """A standard stream that is closed becomes an empty one, so that no file or connection takes its number.

    What the terminal's character set lacks is shown as a question mark.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin, sys.stdout, sys.stderr = (
        stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _help() -> str:
    lines = ["Usage: xcat-rhev SUBCOMMAND ...", ""]
    lines += [f"  {name:<11} {text}" for name, _, text in PARTS]
    lines += ["  help        show this text", "  version     show the version", "", "Commands for run, by kind:"]
    for kind, commands in KINDS.items():
        lines += [f"  {kind}:", *textwrap.wrap(commands, 100, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join([*lines, "", "Each says more with -h, and has a man page: man xcat-rhev-rpower"])
