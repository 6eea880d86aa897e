"""`xcat-rhev install` and `uninstall`: into a Perl xCAT by a plan of small items, and out again."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import Conflict, RhevError
from ..files import PACKAGES, find_shared
from . import finishurl, manlinks, webcertificate
from .doctor import examine
from .findings import show
from .ledger import Ledger
from .site import XcatSite, add_options, site_of
from .tables import XcatTables
from .webserver import SNIPPET, configured_server, find_server, kinds

#: The priority of all our rows, as the original design wrote it.
PRIORITY = "5"
#: The narrow row is for the embedded xcatd, which knows the address of who asks. A Perl xcatd knows its reverse name.
POLICIES = {"certificate": "policy.certificate.csv", "original": "policy.original.csv"}
SYSTEM_PYTHON = Path("/usr/bin/python3")
PAGE = "a man page"
#: Commands of ours that xCAT has no link for.
NO_LINK = ("revacuate", "rhevhjoin")


@dataclass(frozen=True)
class Item:
    """One thing that an install does.

    Attributes:
        says: What, for the plan.
        do: Does it.
    """

    says: str
    do: Callable[[], None]


def main(argv: Sequence[str]) -> int:
    """Show the plan, carry it out, look at the result.

    Returns:
        0 when all is well afterwards, 1 when not, 2 when this machine is not one for it.
    """
    options = _options(argv)
    site = site_of(options)
    ledger = Ledger(site.state)
    try:
        role = site.role()
        site.check_rights()
        items = list(plan(site, ledger, options.httpd, options.policy))
        print(f"This is a {role} with xCAT in {site.root}.")
        if not items:
            print("Everything is in its place; nothing to do.")
        for item in items:
            print(f"  {item.says}")
            if not options.dry_run:
                item.do()
        return 0 if options.dry_run else show(examine(site), fresh=True)
    except RhevError as problem:
        print(f"xcat-rhev install: {problem}", file=sys.stderr)
        return 2
    except OSError as problem:
        print(f"xcat-rhev install: {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 1


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="xcat-rhev install", description="Put the product into a Perl xCAT.")
    add_options(parser)
    parser.add_argument(
        "--httpd", choices=("apache", "nginx", "none"), default="", help="the web server (the one that is here)"
    )
    parser.add_argument("--policy", choices=tuple(POLICIES) + ("none",), default="certificate", help="the policy row")
    parser.add_argument("--dry-run", action="store_true", help="only show the plan")
    return parser.parse_args(list(argv))


def plan(site: XcatSite, ledger: Ledger, httpd: str, policy: str) -> Iterator[Item]:
    """What is not yet as it should be."""
    files = [*_files(site), *_manuals(site, ledger), *_snippet(site, httpd)]
    changed = [(path, text, mode, what) for path, text, mode, what in files if not _is_current(ledger, path, text)]
    pages = sorted(each for each in changed if each[3] == PAGE)  # a folder that is made goes with its first
    if pages:
        yield Item(f"{len(pages)} man pages: {pages[0][0].parent}", partial(_put_all, ledger, pages))
    for path, text, mode, what in changed:
        if what == PAGE:
            continue
        kept = " (what is there is kept)" if path.exists() and not ledger.ours(path) else ""
        yield Item(f"{what}: {path}{kept}", partial(ledger.put, path, text, mode))
    yield from _links(site, ledger)
    yield from _policy(site, ledger, policy)
    yield from _selinux(site, ledger)
    if changed:
        yield Item(
            "let xcatd read its plugins again, and the web server its configuration", partial(_reload, site, ledger)
        )


def _reload(site: XcatSite, ledger: Ledger) -> None:
    site.rescan()
    server = configured_server(site, ledger.files())
    if server and server.reload(site):
        finishurl.wait_for(XcatTables(site))


def _put_all(ledger: Ledger, files: Sequence[tuple[Path, bytes, int, str]]) -> None:
    for path, text, mode, _ in files:
        ledger.put(path, text, mode)


def _is_current(ledger: Ledger, path: Path, text: bytes) -> bool:
    return ledger.ours(path) and path.read_bytes() == text


def _files(site: XcatSite) -> Iterator[tuple[Path, bytes, int, str]]:
    shim = find_shared("share/perl/rhevm.pm").read_text()
    yield site.plugin, shim.replace("/usr/bin/xcat-rhev", str(site.program)).encode(), 0o644, "the plugin"
    yield site.script, cgi(), 0o755, "the CGI"
    console = site.root / "share/xcat/cons/rhevm"
    yield console, find_shared("share/cons/rhevm").read_bytes(), 0o755, "the serial console's program"
    completion = site.below("/usr/share/bash-completion/completions/xcat-rhev")
    if completion.parent.is_dir():
        yield completion, find_shared("share/completion/xcat-rhev.bash").read_bytes(), 0o644, "the completion for bash"
    units = site.below("/etc/systemd/system")
    if units.is_dir():
        unit = find_shared("share/systemd/xcat-rhev-agent.service").read_text()
        text = unit.replace("/usr/bin/xcat-rhev", str(site.program)).encode()
        yield units / "xcat-rhev-agent.service", text, 0o644, "the agent's unit (not enabled: the plugin starts it)"


def _manuals(site: XcatSite, ledger: Ledger) -> Iterator[tuple[Path, bytes, int, str]]:
    folder = site.root / "share/man/man1"
    for page in sorted(find_shared("share/man/man1").glob("*.1")):
        yield folder / page.name, page.read_bytes(), 0o644, PAGE
    for path, text in manlinks.pages(folder, ledger):
        yield path, text, 0o644, PAGE


def _links(site: XcatSite, ledger: Ledger) -> Iterator[Item]:
    """What people type: the program itself, and the commands for which xCAT has no link of its own."""
    client = site.root / "bin/xcatclient"
    wanted = {"xcat-rhev": site.program}
    if client.exists():
        wanted.update(dict.fromkeys(NO_LINK, client))
    for name, to in wanted.items():
        path = site.root / "bin" / name
        if not ledger.ours(path) and not (path.exists() or path.is_symlink()):
            yield Item(f"the command {path}", partial(ledger.link, path, to))


def cgi() -> bytes:
    """The CGI for a place outside the package: it names its Python and where the package is.

    Raises:
        Conflict: The web server's user could not start it there.
    """
    first, _, rest = find_shared("cgi-bin/xcatrhevh.cgi").read_text().partition("\n")
    if not _open_to_all(PACKAGES / "xcat_rhev"):
        raise Conflict(f"{PACKAGES} cannot be read by the web server", "Install the package where all may read it")
    rest = rest.replace("os.path.dirname(os.path.dirname(os.path.realpath(__file__)))", repr(str(PACKAGES)))
    return f"#!{_python()} {first.partition(' ')[2]}\n{rest}".encode()


def _python() -> Path:
    """A Python that the web server's user can start; the CGI needs no package of a virtual environment."""
    for python in _pythons():
        if python.exists() and _open_to_all(python.resolve()):
            done = subprocess.run(  # noqa: S603 - a path, no shell
                [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 9))"], check=False, capture_output=True
            )
            if done.returncode == 0:
                return python
    raise Conflict("there is no Python 3.9 that the web server's user may start", "Install python3 for the system")


def _pythons() -> list[Path]:
    """The system's own, then ours by both names: EL8's python3 is 3.6 where its python3.12 runs us."""
    ours = Path(sys.base_prefix, "bin")
    return [SYSTEM_PYTHON, ours / "python3", ours / f"python3.{sys.version_info.minor}"]


def _open_to_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o5 == 0o5 for place in (path, *path.parents))


def _snippet(site: XcatSite, httpd: str) -> Iterator[tuple[Path, bytes, int, str]]:
    if httpd == "none":
        return
    httpd = httpd or next(iter(kinds(site)), "apache")
    server = find_server(site, httpd)
    if server is None:
        here = "".join(f"give --httpd {kind}, which is here, or " for kind in kinds(site))
        raise Conflict(
            f"{httpd} is not installed", f"Install it, or {here}give --httpd none and serve the CGI in another way"
        )
    script = site.script
    name = {"apache": "xcatrhevh.conf", "nginx": "xcatrhevh-nginx-fcgiwrap.conf"}[httpd]
    text = find_shared(f"share/httpd/{name}").read_text()
    for place in ("${XCAT_RHEV}/cgi-bin", "/opt/xcat-rhev/cgi-bin"):
        text = text.replace(place, str(script.parent))
    yield site.below(server.folder) / SNIPPET, text.encode(), 0o644, "the web server's snippet"


def _policy(site: XcatSite, ledger: Ledger, policy: str) -> Iterator[Item]:
    if policy == "none":
        return
    if not webcertificate.is_there(site):
        if webcertificate.file_of(site).exists():
            yield Item("name the certificate in the CGI's settings", partial(webcertificate.tell, site, ledger))
        elif site.role() == "management node":  # where the CA is
            yield Item("the CGI's certificate, signed by xCAT's CA", partial(webcertificate.make, site, ledger))
    there = site.run("tabdump", "policy").stdout
    whole = webcertificate.NAME in there and "rhevmupdateflag" in there  # earlier versions wrote less
    if policy == "certificate" and ledger.fact("policy") and not whole:
        yield Item(
            "policy row for rhevhupdateflag (certificate, instead of ours from before)", partial(_renew, site, ledger)
        )
    elif "rhevhupdateflag" not in there:
        yield Item(f"policy row for rhevhupdateflag ({policy})", partial(_add_rows, site, ledger, POLICIES[policy]))


def _renew(site: XcatSite, ledger: Ledger) -> None:
    """Put the row of the certificate in the place of those that an earlier version added."""
    for priority in ledger.fact("policy"):
        site.run("chtab", "-d", f"priority={priority}", "policy")
    _add_rows(site, ledger, POLICIES["certificate"])


def _add_rows(site: XcatSite, ledger: Ledger, name: str) -> None:
    before = _priorities(site)
    if PRIORITY in before:
        raise Conflict(f"policy has another row of priority {PRIORITY}", "Add ours by hand, see policy/README.md")
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "policy.csv")  # tabrestore takes the table from the file's name
        rows.write_text(find_shared(f"policy/{name}").read_text())
        done = site.run("tabrestore", "-a", str(rows))
    if done.returncode:
        raise Conflict(f"xCAT did not take the policy row: {done.stderr or done.stdout}", "See policy/README.md")
    ledger.note("policy", sorted(_priorities(site) - before))


def _selinux(site: XcatSite, ledger: Ledger) -> Iterator[Item]:
    """The module that lets the CGI connect to xcatd, where SELinux is on and it is not loaded yet."""
    if site.below("/sys/fs/selinux/enforce").exists() and "xcatrhevh" not in site.run("semodule", "-l").stdout:
        yield Item("the SELinux module xcatrhevh", partial(_load_module, site, ledger))


def _load_module(site: XcatSite, ledger: Ledger) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(find_shared("policy/selinux"), folder, dirs_exist_ok=True)
        makefile = "/usr/share/selinux/devel/Makefile"
        for words in (
            ("make", "-C", folder, "-f", makefile, "xcatrhevh.pp"),
            ("semodule", "-i", f"{folder}/xcatrhevh.pp"),
            ("semanage", "port", "-a", "-t", "xcatd_port_t", "-p", "tcp", "3001"),
        ):
            done = site.run(*words)
            if done.returncode:
                hint = "Install selinux-policy-devel and policycoreutils-python-utils, then run it again"
                raise Conflict(f"{words[0]}: {(done.stderr or done.stdout).strip()}", hint)
    ledger.note("selinux", "xcatrhevh")


def _priorities(site: XcatSite) -> set[str]:
    rows = site.run("tabdump", "policy").stdout.splitlines()
    return {row.split(",")[0].strip('"') for row in rows if row and not row.startswith("#")}
