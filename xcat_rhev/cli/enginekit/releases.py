"""Which releases there are, and what each is made of: packages, repositories, the system below it, where that is said.

Names of Red Hat's repositories are those of RHN's channels for RHEV 3.0, and subscription-manager's from 3.1 on.
"""

from __future__ import annotations

from typing import NamedTuple

from ...errors import Usage
from .repositories import OLVM, OLVM45_9, OVIRT44, OVIRT45, Repository, ovirt7, repositories_of

#: Where facts come from; each release names those it was read from.
SOURCES = {
    "xcat": "xCAT's own page XCAT_Virtualization_with_RHEV (channels, package, answer file of RHEV 3.0)",
    "rhn": "the channel lists of RHN and Satellite 5 (rhel-x86_64-server-6-rhevm-3 and later)",
    "cdn": "the repositories that Red Hat's CDN lists, as subscription-manager names them",
    "guide": "Red Hat's Installation Guide of the release, section on entitlements and repositories",
    "manifest": "Red Hat's Package Manifest of the release, packages by repository",
    "spec": "ovirt-engine.spec.in, vdsm.spec.in and ovirt-host.spec of the release's branch",
    "release": "the repository files of ovirt-release of the release's branch; for 4.5 its repoclosure-45.yml",
    "site": "oVirt's pages on installing a standalone engine and on Enterprise Linux 9 and 10, its notes of 4.5.7",
    "oracle": "Oracle's guide Getting Started with Oracle Linux Virtualization Manager",
}


class KitSystem(NamedTuple):
    """What one machine of a release is made of.

    Attributes:
        major: The major version of Enterprise Linux below it.
        packages: What is installed.
        repositories: Where that comes from, the first one has `packages`.
        modules: Streams of modules that have to be enabled first.
    """

    major: int
    packages: tuple[str, ...]
    repositories: tuple[Repository, ...]
    modules: tuple[str, ...] = ()


class EngineRelease(NamedTuple):
    """One release of a product.

    Attributes:
        product: RHEV, RHV, oVirt or OLVM.
        version: Of the product; that of the engine inside is the same.
        managers: The manager's machine, best first.
        hosts: Hosts with a full Linux, best first.
        setup: The command that configures the manager.
        sources: Where this is said: keys of `SOURCES`.
    """

    product: str
    version: str
    managers: tuple[KitSystem, ...]
    hosts: tuple[KitSystem, ...]
    setup: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is typed: `rhev3.6`, `ovirt4.5`."""
        return f"{self.product.lower()}{self.version}"


def _rhev(version: str) -> KitSystem:
    return KitSystem(
        6,
        ("rhevm",),
        repositories_of(
            f"rhel-6-server-rhevm-{version}-rpms", "jb-eap-6-for-rhel-6-server-rpms", "rhel-6-server-supplementary-rpms"
        ),
    )


def _rhv(version: str, package: str, *more: str) -> KitSystem:
    return KitSystem(7, (package,), repositories_of(f"rhel-7-server-rhv-{version}-rpms", *more))


#: Hosts: vdsm alone up to 4.1, whose manager brings the rest; ovirt-host from 4.2 on.
_RHEL6 = KitSystem(6, ("vdsm",), repositories_of("rhel-6-server-rhev-mgmt-agent-rpms"))
_RHEL7 = KitSystem(7, ("vdsm",), repositories_of("rhel-7-server-rhev-mgmt-agent-rpms"))
_RHEL7_RHV = KitSystem(7, ("vdsm",), repositories_of("rhel-7-server-rhv-4-mgmt-agent-rpms"))
_RHEL7_RHV_HOST = KitSystem(
    7, ("ovirt-host",), repositories_of("rhel-7-server-rhv-4-mgmt-agent-rpms", "rhel-7-server-ansible-2-rpms")
)
_RHEL8 = KitSystem(
    8,
    ("ovirt-host",),
    repositories_of(
        "rhv-4-mgmt-agent-for-rhel-8-x86_64-rpms",
        "fast-datapath-for-rhel-8-x86_64-rpms",
        "advanced-virt-for-rhel-8-x86_64-rpms",
        "openstack-16.2-cinderlib-for-rhel-8-x86_64-rpms",
        "rhceph-4-tools-for-rhel-8-x86_64-rpms",
    ),
    ("virt:av",),
)
_MODULES_8 = ("javapackages-tools", "pki-deps", "postgresql:12")
_MODULES_45 = (*_MODULES_8, "mod_auth_openidc:2.3", "nodejs:14")
_RHVM_8 = KitSystem(
    8,
    ("rhvm",),
    repositories_of(
        "rhv-4.4-manager-for-rhel-8-x86_64-rpms",
        "fast-datapath-for-rhel-8-x86_64-rpms",
        "ansible-2.9-for-rhel-8-x86_64-rpms",
        "jb-eap-7.4-for-rhel-8-x86_64-rpms",
        "openstack-16.2-cinderlib-for-rhel-8-x86_64-rpms",
        "rhceph-4-tools-for-rhel-8-x86_64-rpms",
    ),
    ("pki-deps", "postgresql:12"),
)


def _rhev_release(version: str, *sources: str) -> EngineRelease:
    hosts = (_RHEL7, _RHEL6) if version in ("3.5", "3.6") else (_RHEL6,)
    setup = ("rhevm-setup", "--answer-file=") if version in ("3.1", "3.2") else _ENGINE_SETUP
    return EngineRelease("RHEV", version, (_rhev(version),), hosts, setup, (*sources, "cdn", "spec"))


#: The command, the option before the answer file, and those after it. Packages are there when setup runs: --offline.
_ENGINE_SETUP = ("engine-setup", "--config-append=", "--offline")
#: Setup takes the default for what no answer is for, which nothing should be: known from 4.1 on.
_ACCEPTING = (*_ENGINE_SETUP, "--accept-defaults")
_SUPPLEMENT = "rhel-7-server-supplementary-rpms"
_EAP7 = (_SUPPLEMENT, "jb-eap-7-for-rhel-7-server-rpms")
_TOOLS = ("rhel-7-server-rhv-4-manager-tools-rpms",)
_RHV_SOURCES = ("cdn", "guide", "manifest", "spec")
#: Systems of oVirt 4.5, best first: 10 came with 4.5.7.
_MAJORS_45 = (9, 10, 8)

RELEASES: tuple[EngineRelease, ...] = (
    EngineRelease(
        "RHEV",
        "3.0",
        (
            KitSystem(
                6,
                ("rhevm",),
                repositories_of(
                    "rhel-x86_64-server-6-rhevm-3",
                    "jbappplatform-5-x86_64-server-6-rpm",
                    "rhel-x86_64-server-supplementary-6",
                ),
            ),
        ),
        (KitSystem(6, ("vdsm",), repositories_of("rhel-x86_64-rhev-mgmt-agent-6")),),
        ("rhevm-setup", "--answer-file="),
        ("xcat", "rhn", "spec"),
    ),
    *(_rhev_release(version) for version in ("3.1", "3.2", "3.3", "3.4", "3.5", "3.6")),
    EngineRelease("RHV", "4.0", (_rhv("4.0", "rhevm", *_EAP7),), (_RHEL7_RHV,), _ENGINE_SETUP, _RHV_SOURCES),
    EngineRelease("RHV", "4.1", (_rhv("4.1", "rhevm", *_EAP7),), (_RHEL7_RHV,), _ACCEPTING, _RHV_SOURCES),
    EngineRelease(
        "RHV",
        "4.2",
        (_rhv("4.2-manager", "rhvm", *_EAP7, *_TOOLS, "rhel-7-server-ansible-2-rpms"),),
        (_RHEL7_RHV_HOST,),
        _ACCEPTING,
        _RHV_SOURCES,
    ),
    EngineRelease(
        "RHV",
        "4.3",
        (
            _rhv(
                "4.3-manager",
                "rhvm",
                _SUPPLEMENT,
                *_TOOLS,
                "rhel-7-server-ansible-2.9-rpms",
                "jb-eap-7.2-for-rhel-7-server-rpms",
            ),
        ),
        (_RHEL7_RHV_HOST,),
        _ACCEPTING,
        _RHV_SOURCES,
    ),
    EngineRelease("RHV", "4.4", (_RHVM_8,), (_RHEL8,), _ACCEPTING, _RHV_SOURCES),
    *(
        EngineRelease(
            "oVirt",
            version,
            (KitSystem(7, ("ovirt-engine",), ovirt7(version, gluster)),),
            (KitSystem(7, ("ovirt-host",), ovirt7(version, gluster)),),
            _ACCEPTING,
            ("release", "spec"),
        )
        for version, gluster in (("4.2", "gluster-3.12"), ("4.3", "gluster-6"))
    ),
    EngineRelease(
        "oVirt",
        "4.4",
        (KitSystem(8, ("ovirt-engine",), OVIRT44, _MODULES_8),),
        (KitSystem(8, ("ovirt-host",), OVIRT44),),
        _ACCEPTING,
        ("release", "site", "spec"),
    ),
    EngineRelease(
        "oVirt",
        "4.5",
        tuple(
            KitSystem(major, ("ovirt-engine",), OVIRT45[major], _MODULES_45 if major == 8 else ())
            for major in _MAJORS_45
        ),
        tuple(KitSystem(major, ("ovirt-host",), OVIRT45[major]) for major in _MAJORS_45),
        _ACCEPTING,
        ("release", "site", "spec"),
    ),
    EngineRelease(
        "OLVM",
        "4.4",
        (KitSystem(8, ("ovirt-engine",), OLVM["4.4"], _MODULES_8),),
        (KitSystem(8, ("ovirt-host",), OLVM["4.4"]),),
        _ACCEPTING,
        ("oracle", "spec"),
    ),
    EngineRelease(
        "OLVM",
        "4.5",
        (KitSystem(8, ("ovirt-engine",), OLVM["4.5"], _MODULES_45),),
        (KitSystem(8, ("ovirt-host",), OLVM["4.5"]), KitSystem(9, ("ovirt-host",), OLVM45_9)),
        _ACCEPTING,
        ("oracle", "spec"),
    ),
)


def release(text: str) -> EngineRelease:
    """The release that somebody means.

    Args:
        text: `rhev3.6`, `ovirt-4.5`, or a version alone where only one product has it.

    Raises:
        Usage: No release is called so, or several.
    """
    wanted = text.lower().replace("-", "").replace(" ", "")
    found = [each for each in RELEASES if wanted in (each.name, each.version)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in found or RELEASES)
    raise Usage(f"'{text}' {'fits several releases' if found else 'is not a release'}", f"Give one of {names}")


def manager_on(chosen: EngineRelease, major: int) -> KitSystem:
    """The manager of a release on a system.

    Args:
        chosen: The release.
        major: The major version of Enterprise Linux.

    Raises:
        Usage: The release does not run there.
    """
    return _on(f"the manager of {chosen.name} does not", chosen.managers, major)


def host_on(chosen: EngineRelease, major: int) -> KitSystem:
    """A host of a release on a system.

    Args:
        chosen: The release of the manager.
        major: The major version of Enterprise Linux.

    Raises:
        Usage: Its hosts do not run there.
    """
    return _on(f"hosts of {chosen.name} do not", chosen.hosts, major)


def _on(who: str, systems: tuple[KitSystem, ...], major: int) -> KitSystem:
    for system in systems:
        if system.major == major:
            return system
    numbers = " or ".join(str(system.major) for system in systems)
    raise Usage(f"{who} run on Enterprise Linux {major}", f"Take an osimage of Enterprise Linux {numbers}")
