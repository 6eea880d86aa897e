"""`xcat-rhev engine kit`: all that xCAT needs to install a manager on a node."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...addresses import resolve
from ...commands.finish.reports import notes
from ...commands.finish.setups import SETUP, UP, WAITING, answers_path
from ...errors import NotFound, Usage
from ...secret import Secret
from ..xcatd import AskedXcatd
from . import mirror
from .answerfile import Wanted, answer_file, drawn_password
from .answerkeys import number
from .files import postscripts, write_all
from .image import KitImage, base_image
from .releases import EngineRelease, manager_on, release

#: Where a manager says to itself that it is well (`web.xml` of each branch); 3.0 has no such page, its CA is one.
#: It holds no manager's name: the managers of one release have one osimage.
_HEALTH = (
    ((3, 4), "https://localhost/ovirt-engine/services/health"),
    ((3, 1), "https://localhost/OvirtEngineWeb/HealthStatus"),
    ((3, 0), "http://localhost:8080/ca.crt"),
)


class ManagerNode(NamedTuple):
    """The node that becomes a manager.

    Attributes:
        name: Its name.
        fqdn: Its full name, which is the manager's.
        address: Its IP address.
        state: How far its setup is, as nodelist.appstatus says; empty for a new one.
    """

    name: str
    fqdn: str
    address: str
    state: str


def make(options: argparse.Namespace) -> Iterator[str]:
    """Write the kit and say what was written and what comes next.

    Args:
        options: version, node, image, output, organization, keycloak, again.

    Raises:
        RhevError: What has to be changed first.
    """
    xcatd, chosen = AskedXcatd(), release(options.version)
    node = manager_node(xcatd, options.node)
    image = _image(xcatd, chosen, options)
    for path in write_all({**_files(image, chosen), **postscripts(_installdir(xcatd))}):
        yield f"written: {path}"
    yield from _answers(xcatd, chosen, node, image.base.major, options)
    yield "Next:"
    yield from (f"  {step}" for step in _steps(image, node))


def manager_node(xcatd: AskedXcatd, name: str) -> ManagerNode:
    """Read what has to be known of the node.

    Raises:
        NotFound: There is no such node, or it has no address.
    """
    row = xcatd.node(name, "hosts.ip", "nodelist.appstatus")
    domain = xcatd.site("domain")
    fqdn = name if "." in name or not domain else f"{name}.{domain}"
    if "." not in fqdn:
        raise NotFound(
            "site.domain is not set, and a manager needs a full name", "Run: chtab key=domain site.value=DOMAIN"
        )
    address = row.get("hosts.ip") or next(iter(sorted(resolve(name))), "")
    if not address:
        raise NotFound(f"{name} has no address", f"Run: chdef {name} ip=ADDRESS; makehosts {name}; makedns {name}")
    return ManagerNode(name, fqdn, address, notes({"appstatus": row.get("nodelist.appstatus", "")}).get(SETUP, ""))


def _installdir(xcatd: AskedXcatd) -> Path:
    return Path(xcatd.site("installdir", "/install"))


def _image(xcatd: AskedXcatd, chosen: EngineRelease, options: argparse.Namespace) -> KitImage:
    name = options.image or xcatd.node(options.node, "nodetype.provmethod", "nodetype.os").get(
        "nodetype.provmethod", ""
    )
    if not name:
        raise Usage("which Enterprise Linux is below the manager?", "Give --image OSIMAGE; lsdef -t osimage lists them")
    base = base_image(xcatd, name.removesuffix(f"-{chosen.name}-manager"))
    system = manager_on(chosen, base.major)
    installdir = _installdir(xcatd)
    kit = KitImage(base, "manager", chosen, system, Path(), installdir / "post/otherpkgs/rhevm" / chosen.name)
    return kit._replace(folder=options.output or installdir / "custom/rhevm" / kit.name)


def _files(image: KitImage, chosen: EngineRelease) -> dict[Path, str]:
    name, option, *more = chosen.setup
    words = ["rhevmsetup", option, _health(chosen.version), name, *more]
    return kit_files(image, (" ".join(words),))


def kit_files(image: KitImage, boot_scripts: tuple[str, ...]) -> dict[Path, str]:
    """The files that kits of managers and of hosts have in common.

    Args:
        image: The kit's osimage.
        boot_scripts: Its postbootscripts.
    """
    system, folder = image.system, image.folder
    folders = (f"{each.name}:hotfixes" if each.hotfixes else each.name for each in system.repositories)
    repos = " ".join(["rhevmrepos", *folders, *(f"+{module}" for module in system.modules)])
    configuration = folder / "mirror.repo"
    return {
        folder / "pkglist": image.pkglist(),
        folder / "otherpkgs.pkglist": image.otherpkgs(),
        folder / "osimage.stanza": image.stanza((repos,), boot_scripts),
        folder / "mirror.sh": mirror.script(system.repositories, image.base.major, image.packages, configuration),
        configuration: mirror.repository_file(system.repositories),
    }


def _health(version: str) -> str:
    return next(url for first, url in _HEALTH if number(version) >= first)


def _answers(
    xcatd: AskedXcatd, chosen: EngineRelease, node: ManagerNode, major: int, options: argparse.Namespace
) -> Iterator[str]:
    """The answer file, for root only and not below what is served; one that waits already stays."""
    path = answers_path(xcatd.site("xcatconfdir", "/etc/xcat"), node.name)
    if not options.again and (path.exists() or node.state):
        now = "wait already" if path.exists() else f"were handed out: its setup is {node.state}"
        yield f"kept: the answers for {node.name} {now}" + ("" if node.state == UP else "; --again makes new ones")
        if not node.state:  # an earlier run was cut off here
            _note_waiting(xcatd, node.name)
        return
    password, drawn = _password(xcatd, node)
    organization = options.organization or node.fqdn.partition(".")[2]
    wanted = Wanted(chosen.version, node.fqdn, password, organization, node.address, major, options.keycloak)
    text = answer_file(wanted)
    if drawn:
        xcatd.ask("chtab", f"key={node.fqdn},username=admin", f"passwd.password={password.reveal()}")
        yield f"written: passwd, key {node.fqdn}, user admin: a new random password"
    write_all({path: text}, mode=0o600)
    yield f"written: {path}, for root only; {node.name} gets it, at {node.address} alone"
    _note_waiting(xcatd, node.name)


def _password(xcatd: AskedXcatd, node: ManagerNode) -> tuple[Secret, bool]:
    """The administrator's password, and whether it is a new one."""
    for key in (node.fqdn, "rhevm"):
        row = xcatd.row("passwd", key=key, username="admin")
        if row.get("password"):
            return Secret(row["password"]), False
    return drawn_password(), True


def _note_waiting(xcatd: AskedXcatd, node: str) -> None:
    found = notes({"appstatus": xcatd.node(node, "nodelist.appstatus", "nodelist.node").get("nodelist.appstatus", "")})
    text = ",".join(f"{name}={value}" for name, value in {**found, SETUP: WAITING}.items())
    xcatd.ask("chtab", f"node={node}", f"nodelist.appstatus={text}")


def _steps(image: KitImage, node: ManagerNode) -> Iterator[str]:
    yield f"sh {image.folder}/mirror.sh        # on a machine that can read the repositories, into {image.packages}"
    yield f"mkdef -z < {image.folder}/osimage.stanza"
    yield f"nodeset {node.name} osimage={image.name}"
    yield f"rpower {node.name} boot"
    yield f"xcat-rhev engine wait {node.name}"
