"""Which releases there are, and what each is made of: packages, repositories, the system below it, where that is said.

Repository names are the vendors' own, so that they can be mirrored: with `rhn-channel` and a copy of the channel for
RHEV 3.0, with subscription-manager's names from 3.1 on, by their URL for oVirt and OLVM.
"""

from __future__ import annotations

from typing import NamedTuple

from ...errors import Usage

#: Where facts come from; each release names those it was read from.
SOURCES = {
    "xcat": "xCAT's own page XCAT_Virtualization_with_RHEV (channels, package, answer file of RHEV 3.0)",
    "rhn": "the channel lists of RHN and Satellite 5 (rhel-x86_64-server-6-rhevm-3 and later)",
    "cdn": "the repositories that Red Hat's CDN lists, as subscription-manager names them",
    "guide": "Red Hat's Installation Guide of the release, section on entitlements and repositories",
    "spec": "ovirt-engine.spec.in and ovirt-host.spec of the release's branch",
    "release": "the repository files of ovirt-release of the release's branch",
    "site": "oVirt's pages on installing a standalone engine",
    "oracle": "Oracle's guide Getting Started with Oracle Linux Virtualization Manager",
}


class Repository(NamedTuple):
    """A repository that a release needs beside the system's own.

    Attributes:
        name: Its name at the vendor, and that of its folder on the management node.
        url: Where it can be read without a subscription; empty where a subscription names it.
    """

    name: str
    url: str = ""


class KitSystem(NamedTuple):
    """What one machine of a release is made of.

    Attributes:
        majors: Major versions of Enterprise Linux below it.
        packages: What is installed.
        repositories: Where that comes from, the first one has `packages`.
        modules: Streams of modules that have to be enabled first.
    """

    majors: tuple[int, ...]
    packages: tuple[str, ...]
    repositories: tuple[Repository, ...]
    modules: tuple[str, ...] = ()


class EngineRelease(NamedTuple):
    """One release of a product.

    Attributes:
        product: RHEV, RHV, oVirt or OLVM.
        version: Of the product; that of the engine inside is the same.
        manager: The manager's machine.
        hosts: Hosts with a full Linux, best first.
        setup: The command that configures the manager.
        sources: Where this is said: keys of `SOURCES`.
    """

    product: str
    version: str
    manager: KitSystem
    hosts: tuple[KitSystem, ...]
    setup: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def name(self) -> str:
        """As it is typed: `rhev3.6`, `ovirt4.5`."""
        return f"{self.product.lower()}{self.version}"


def _repositories(*names: str) -> tuple[Repository, ...]:
    return tuple(map(Repository, names))


def _rhev(version: str) -> KitSystem:
    return KitSystem(
        (6,),
        ("rhevm",),
        _repositories(
            f"rhel-6-server-rhevm-{version}-rpms", "jb-eap-6-for-rhel-6-server-rpms", "rhel-6-server-supplementary-rpms"
        ),
    )


def _rhv(version: str, package: str, *more: str) -> KitSystem:
    return KitSystem((7,), (package,), _repositories(f"rhel-7-server-rhv-{version}-rpms", *more))


#: Hosts: vdsm alone up to 4.1, whose manager brings the rest; ovirt-host from 4.2 on.
_RHEL6 = KitSystem((6,), ("vdsm",), _repositories("rhel-6-server-rhev-mgmt-agent-rpms"))
_RHEL7 = KitSystem((7,), ("vdsm",), _repositories("rhel-7-server-rhev-mgmt-agent-rpms"))
_RHEL7_RHV = KitSystem((7,), ("vdsm",), _repositories("rhel-7-server-rhv-4-mgmt-agent-rpms"))
_RHEL7_RHV_HOST = KitSystem(
    (7,), ("ovirt-host",), _repositories("rhel-7-server-rhv-4-mgmt-agent-rpms", "rhel-7-server-ansible-2-rpms")
)
_RHEL8 = KitSystem(
    (8,),
    ("ovirt-host",),
    _repositories(
        "rhv-4-mgmt-agent-for-rhel-8-x86_64-rpms",
        "fast-datapath-for-rhel-8-x86_64-rpms",
        "advanced-virt-for-rhel-8-x86_64-rpms",
        "openstack-16.2-cinderlib-for-rhel-8-x86_64-rpms",
        "rhceph-4-tools-for-rhel-8-x86_64-rpms",
    ),
    ("virt:av",),
)
_EL7_SUPPLEMENT = "rhel-7-server-supplementary-rpms"
_MODULES_8 = ("javapackages-tools", "pki-deps", "postgresql:12")
_MODULES_45 = (*_MODULES_8, "mod_auth_openidc:2.3", "nodejs:14")


def _ovirt7(version: str, gluster: str, *more: Repository) -> tuple[Repository, ...]:
    mirror = "http://mirror.centos.org/centos/7"
    slot = version.replace(".", "")
    return (
        Repository(f"ovirt-{version}", f"https://resources.ovirt.org/pub/ovirt-{version}/rpm/el7/"),
        Repository(f"centos-ovirt{slot}", f"{mirror}/virt/x86_64/ovirt-{version}/"),
        Repository("centos-qemu-ev", f"{mirror}/virt/x86_64/kvm-common/"),
        Repository(f"centos-{gluster}", f"{mirror}/storage/x86_64/{gluster}/"),
        Repository("centos-opstools", f"{mirror}/opstools/x86_64/"),
        Repository("centos-sclo-rh", f"{mirror}/sclo/x86_64/rh/"),
        Repository("epel-7", "https://dl.fedoraproject.org/pub/epel/7/x86_64/"),
        *more,
    )


_OVIRT44 = (
    Repository("ovirt-4.4", "https://resources.ovirt.org/pub/ovirt-4.4/rpm/el8/"),
    Repository("centos-ovirt44", "http://mirror.centos.org/centos/8-stream/virt/x86_64/ovirt-44/"),
    Repository(
        "centos-advanced-virtualization", "http://mirror.centos.org/centos/8-stream/virt/x86_64/advancedvirt-common/"
    ),
    Repository("centos-gluster8", "http://mirror.centos.org/centos/8-stream/storage/x86_64/gluster-8/"),
    Repository("centos-opstools", "http://mirror.centos.org/centos/8-stream/opstools/x86_64/collectd-5/"),
    Repository("centos-nfv-openvswitch", "http://mirror.centos.org/centos/8-stream/nfv/x86_64/openvswitch-2/"),
    Repository("centos-ceph-pacific", "http://mirror.centos.org/centos/8-stream/storage/x86_64/ceph-pacific/"),
    Repository("epel-8", "https://dl.fedoraproject.org/pub/epel/8/Everything/x86_64/"),
)


def _ovirt45(stream: str, host: str) -> tuple[Repository, ...]:
    base = f"{host}/{stream}"
    return (
        Repository("centos-ovirt45", f"{base}/virt/x86_64/ovirt-45/"),
        Repository("centos-gluster10", f"{base}/storage/x86_64/gluster-10/"),
        Repository("centos-nfv-openvswitch", f"{base}/nfv/x86_64/openvswitch-2/"),
        Repository("centos-opstools", f"{base}/opstools/x86_64/collectd-5/"),
        Repository("centos-ceph-pacific", f"{base}/storage/x86_64/ceph-pacific/"),
        Repository("centos-openstack-yoga", f"{base}/cloud/x86_64/openstack-yoga/"),
    )


_OVIRT45_8 = _ovirt45("8-stream", "http://mirror.centos.org/centos")
_OVIRT45_9 = _ovirt45("SIGs/9-stream", "https://mirror.stream.centos.org")


def _rhev_release(version: str, *sources: str) -> EngineRelease:
    hosts = (_RHEL7, _RHEL6) if version in ("3.5", "3.6") else (_RHEL6,)
    setup = ("rhevm-setup", "--answer-file=") if version in ("3.1", "3.2") else _ENGINE_SETUP
    return EngineRelease("RHEV", version, _rhev(version), hosts, setup, (*sources, "cdn", "spec"))


#: The command, the option before the answer file, and those after it. Packages are there when setup runs: --offline.
_ENGINE_SETUP = ("engine-setup", "--config-append=", "--offline")
#: Setup takes the default for what no answer is for, which nothing should be: known from 4.1 on.
_ACCEPTING = (*_ENGINE_SETUP, "--accept-defaults")
_OLVM_NAMES = ("ol8_kvm_appstream", "ol8_gluster_appstream")

RELEASES: tuple[EngineRelease, ...] = (
    EngineRelease(
        "RHEV",
        "3.0",
        KitSystem(
            (6,),
            ("rhevm",),
            _repositories(
                "rhel-x86_64-server-6-rhevm-3",
                "jbappplatform-5-x86_64-server-6-rpm",
                "rhel-x86_64-server-supplementary-6",
            ),
        ),
        (KitSystem((6,), ("vdsm",), _repositories("rhel-x86_64-rhev-mgmt-agent-6")),),
        ("rhevm-setup", "--answer-file="),
        ("xcat", "rhn", "spec"),
    ),
    *(_rhev_release(version) for version in ("3.1", "3.2", "3.3", "3.4", "3.5", "3.6")),
    EngineRelease(
        "RHV",
        "4.0",
        _rhv("4.0", "rhevm", _EL7_SUPPLEMENT, "jb-eap-7-for-rhel-7-server-rpms"),
        (_RHEL7_RHV,),
        _ENGINE_SETUP,
        ("cdn", "guide", "spec"),
    ),
    EngineRelease(
        "RHV",
        "4.1",
        _rhv("4.1", "rhevm", _EL7_SUPPLEMENT, "jb-eap-7-for-rhel-7-server-rpms"),
        (_RHEL7_RHV,),
        _ACCEPTING,
        ("cdn", "guide", "spec"),
    ),
    EngineRelease(
        "RHV",
        "4.2",
        _rhv(
            "4.2-manager",
            "rhvm",
            _EL7_SUPPLEMENT,
            "rhel-7-server-rhv-4-manager-tools-rpms",
            "rhel-7-server-ansible-2-rpms",
            "jb-eap-7-for-rhel-7-server-rpms",
        ),
        (_RHEL7_RHV_HOST,),
        _ACCEPTING,
        ("cdn", "spec"),
    ),
    EngineRelease(
        "RHV",
        "4.3",
        _rhv(
            "4.3-manager",
            "rhvm",
            _EL7_SUPPLEMENT,
            "rhel-7-server-rhv-4-manager-tools-rpms",
            "rhel-7-server-ansible-2.9-rpms",
            "jb-eap-7.2-for-rhel-7-server-rpms",
        ),
        (_RHEL7_RHV_HOST,),
        _ACCEPTING,
        ("cdn", "spec"),
    ),
    EngineRelease(
        "RHV",
        "4.4",
        KitSystem(
            (8,),
            ("rhvm",),
            _repositories(
                "rhv-4.4-manager-for-rhel-8-x86_64-rpms",
                "fast-datapath-for-rhel-8-x86_64-rpms",
                "ansible-2.9-for-rhel-8-x86_64-rpms",
                "jb-eap-7.4-for-rhel-8-x86_64-rpms",
                "openstack-16.2-cinderlib-for-rhel-8-x86_64-rpms",
                "rhceph-4-tools-for-rhel-8-x86_64-rpms",
            ),
            ("pki-deps", "postgresql:12"),
        ),
        (_RHEL8,),
        _ACCEPTING,
        ("cdn", "guide", "spec"),
    ),
    *(
        EngineRelease(
            "oVirt",
            version,
            KitSystem((7,), ("ovirt-engine",), _ovirt7(version, gluster)),
            (KitSystem((7,), ("ovirt-host",), _ovirt7(version, gluster)),),
            _ACCEPTING,
            ("release", "spec"),
        )
        for version, gluster in (("4.2", "gluster-3.12"), ("4.3", "gluster-6"))
    ),
    EngineRelease(
        "oVirt",
        "4.4",
        KitSystem((8,), ("ovirt-engine",), _OVIRT44, _MODULES_8),
        (KitSystem((8,), ("ovirt-host",), _OVIRT44),),
        _ACCEPTING,
        ("release", "site", "spec"),
    ),
    EngineRelease(
        "oVirt",
        "4.5",
        KitSystem((9, 8), ("ovirt-engine",), _OVIRT45_9),
        (KitSystem((9,), ("ovirt-host",), _OVIRT45_9), KitSystem((8,), ("ovirt-host",), _OVIRT45_8)),
        _ACCEPTING,
        ("release", "site", "spec"),
    ),
    *(
        EngineRelease(
            "OLVM",
            version,
            KitSystem(
                (8,),
                ("ovirt-engine",),
                _repositories(f"ovirt-{version}", f"ovirt-{version}-extra", *_OLVM_NAMES),
                modules,
            ),
            (
                KitSystem(
                    (8,), ("ovirt-host",), _repositories(f"ovirt-{version}", f"ovirt-{version}-extra", *_OLVM_NAMES)
                ),
            ),
            _ACCEPTING,
            ("oracle", "spec"),
        )
        for version, modules in (("4.4", _MODULES_8), ("4.5", _MODULES_45))
    ),
)
#: The same release on an older system.
ON_EL8 = {"ovirt4.5": KitSystem((8,), ("ovirt-engine",), _OVIRT45_8, _MODULES_45)}


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
    for system in (chosen.manager, ON_EL8.get(chosen.name)):
        if system and major in system.majors[:1]:
            return system
    raise Usage(f"the manager of {chosen.name} does not run on Enterprise Linux {major}", _majors(chosen.manager))


def host_on(chosen: EngineRelease, major: int) -> KitSystem:
    """A host of a release on a system.

    Args:
        chosen: The release of the manager.
        major: The major version of Enterprise Linux.

    Raises:
        Usage: Its hosts do not run there.
    """
    for system in chosen.hosts:
        if major in system.majors:
            return system
    raise Usage(f"hosts of {chosen.name} do not run on Enterprise Linux {major}", _majors(*chosen.hosts))


def _majors(*systems: KitSystem) -> str:
    numbers = sorted({major for system in systems for major in system.majors})
    return f"Take an osimage of {' or '.join(map(str, numbers))}"
