"""The entry point, and what an engine says about itself."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..answers import Raw
from ..call import Call
from ..dialect import Dialect
from ..faults import Gone
from ..levels import cpus, newest, supported
from ..render import document, iso, link
from ..routing import get
from ..world import ZERO

SEARCHABLE = frozenset("clusters datacenters events hosts storagedomains templates vms disks networks".split())
ROOT_USER = "fdfc627c-d875-11e0-90f0-83df133b58cc"


def root(call: Call) -> Raw:
    """Say what is here: links, special objects, product, summary."""
    text = _root3(call) if call.dialect.number == 3 else _root4(call)
    headers = {}
    if call.dialect.number == 3:
        headers["Link"] = ",".join(f"<{where}>; rel={rel}" for rel, where in _links(call))
    return Raw(document(f"<api>{text}</api>"), headers=headers)


def _links(call: Call) -> list[tuple[str, str]]:
    found = []
    for rel, word in call.routes.offers("", call.dialect)[1]:
        found.append((rel, f"{call.dialect.base}/{word}"))
        if rel in SEARCHABLE and (call.dialect.version >= (3, 2) or rel not in {"networks", "disks"}):
            found.append((f"{rel}/search", f"{call.dialect.base}/{word}?search={{query}}"))
    return found


def _root3(call: Call) -> str:
    dialect = call.dialect
    special = link("templates/blank", f"{dialect.base}/templates/{ZERO}") + link(
        "tags/root", f"{dialect.base}/tags/{ZERO}"
    )
    major, minor = dialect.version
    name = "Red Hat Enterprise Virtualization Manager" if dialect.version < (3, 1) else "oVirt Engine"
    full = f"<full_version>{major}.{minor}.5-0.1.el6</full_version>" if dialect.version >= (3, 3) else ""
    vendor = "Red Hat" if dialect.version < (3, 1) else "ovirt.org"
    version = f'<version major="{major}" minor="{minor}" build="0" revision="0"/>'
    product = f"<product_info><name>{name}</name><vendor>{vendor}</vendor>{version}{full}</product_info>"
    time = f"<time>{iso(call.world.now())}</time>" if dialect.version >= (3, 1) else ""
    links = "".join(link(rel, where) for rel, where in _links(call))
    return f"{links}<special_objects>{special}</special_objects>{product}<summary>{_summary(call)}</summary>{time}"


def _root4(call: Call) -> str:
    dialect = call.dialect
    base, (major, minor) = dialect.base, dialect.version
    user = f'href="{base}/users/{ROOT_USER}" id="{ROOT_USER}"'
    special = (
        f'<blank_template href="{base}/templates/{ZERO}" id="{ZERO}"/><root_tag href="{base}/tags/{ZERO}" id="{ZERO}"/>'
    )
    version = (
        f"<version><build>0</build><full_version>{major}.{minor}.0-1.el8</full_version><major>{major}</major>"
        f"<minor>{minor}</minor><revision>0</revision></version>"
    )
    product = (
        "<product_info><name>oVirt Engine</name><vendor>ovirt.org</vendor>"
        f"<instance_id>{ROOT_USER}</instance_id>{version}</product_info>"
    )
    links = "".join(link(rel, where) for rel, where in _links(call))
    return (
        f"{links}<special_objects>{special}</special_objects>{product}<summary>{_summary(call)}</summary>"
        f"<time>{iso(call.world.now())}</time><authenticated_user {user}/><effective_user {user}/>"
    )


def _summary(call: Call) -> str:
    world = call.world
    off = {"down", "suspended", "image_locked"}
    counts = {
        "vms": (len(world.things["vm"]), sum(vm["status"] not in off for vm in world.all("vm"))),
        "hosts": (len(world.things["host"]), sum(host["status"] == "up" for host in world.all("host"))),
        "users": (1, 1),
        "storage_domains": (
            len(world.things["storage_domain"]), sum(sd["status"] == "active" for sd in world.all("storage_domain")),
        ),
    }
    order = ("vms", "hosts", "users", "storage_domains") if call.dialect.number == 3 else sorted(counts)
    return "".join(_counted(call.dialect, tag, *counts[tag]) for tag in order)


def _counted(dialect: Dialect, tag: str, total: int, active: int) -> str:
    words = (f"<total>{total}</total>", f"<active>{active}</active>")
    return f"<{tag}>{''.join(words if dialect.number == 3 else reversed(words))}</{tag}>"


def capabilities(call: Call) -> Raw:
    """Say which levels there are and what each knows (v3)."""
    versions = []
    for level in reversed(supported(call.dialect)):
        current = "true" if level == newest(call.dialect) else "false"
        kinds = "".join(f'<cpu id="{escape(cpu.name)}"><level>{cpu.level}</level></cpu>' for cpu in cpus(level))
        identity = f' id="{level[0]}{level[1]}"' if call.dialect.version >= (3, 6) else ""
        versions.append(
            f'<version{identity} major="{level[0]}" minor="{level[1]}"><current>{current}</current><cpus>{kinds}</cpus>'
            f"{_power_managers()}{_states('storage_types', 'storage_type', 'iscsi fcp nfs localfs')}"
            f"{_states('boot_devices', 'boot_device', 'cdrom hd network')}"
            f"{_states('display_types', 'display_type', 'vnc spice')}</version>"
        )
    return Raw(document(f"<capabilities>{''.join(versions)}</capabilities>"))


def _power_managers() -> str:
    kinds = "apc apc_snmp bladecenter cisco_ucs drac5 drac7 eps hpblade ilo ilo2 ilo3 ilo4 ipmilan rsa rsb wti".split()
    return f"<power_managers>{''.join(f'<power_management type={kind!r}/>' for kind in kinds)}</power_managers>"


def _states(outer: str, inner: str, words: str) -> str:
    return f"<{outer}>{''.join(f'<{inner}>{word}</{inner}>' for word in words.split())}</{outer}>"


def levels(call: Call) -> Raw:
    """List the compatibility levels (v4)."""
    texts = [_level(call, *level) for level in supported(call.dialect)]
    return Raw(document(f"<cluster_levels>{''.join(texts)}</cluster_levels>"))


def level(call: Call) -> Raw:
    """Show one compatibility level with its CPU types (v4)."""
    for major, minor in supported(call.dialect):
        if f"{major}.{minor}" == call.things["level"]["id"]:
            return Raw(document(_level(call, major, minor)))
    raise Gone


def _level(call: Call, major: int, minor: int) -> str:
    kinds = "".join(
        f"<cpu_type><architecture>{cpu.architecture}</architecture><level>{cpu.level}</level>"
        f"<name>{escape(cpu.name)}</name></cpu_type>"
        for cpu in cpus((major, minor))
    )
    name = f"{major}.{minor}"
    return (
        f'<cluster_level href="{call.dialect.base}/clusterlevels/{name}" id="{name}"><cpu_types>{kinds}</cpu_types>'
        f"<permits/></cluster_level>"
    )


SYSTEMS = (
    "other other_linux rhel_6x64 rhel_7x64 rhel_8x64 rhel_9x64 sles_11 ubuntu_12_04 debian_7 windows_2012x64 "
    "windows_2019x64"
).split()


def systems(call: Call) -> Raw:
    """List the operating systems that can be named."""
    return Raw(document(f"<operating_systems>{''.join(_system(call, name) for name in SYSTEMS)}</operating_systems>"))


def system(call: Call) -> Raw:
    """Show one operating system."""
    if call.things["system"]["id"] not in SYSTEMS:
        raise Gone
    return Raw(document(_system(call, call.things["system"]["id"])))


def _system(call: Call, name: str) -> str:
    where = f"{call.dialect.base}/operatingsystems/{name}"
    return f'<operating_system href="{where}" id="{name}"><name>{name}</name></operating_system>'


def pools(call: Call) -> Raw:
    """List the one pool of MAC addresses."""
    return Raw(document(f"<mac_pools>{_pool(call)}</mac_pools>"))


def pool(call: Call) -> Raw:
    """Show the one pool of MAC addresses."""
    if call.things["pool"]["id"] != ROOT_USER:
        raise Gone
    return Raw(document(_pool(call)))


def _pool(call: Call) -> str:
    span = "<range><from>00:1a:4a:16:01:51</from><to>00:1a:4a:16:01:e6</to></range>"
    flags = "<allow_duplicates>false</allow_duplicates><default_pool>true</default_pool>"
    where = f'href="{call.dialect.base}/macpools/{ROOT_USER}" id="{ROOT_USER}"'
    return f"<mac_pool {where}><name>Default</name>{flags}<ranges>{span}</ranges></mac_pool>"


def users(call: Call) -> Raw:
    """List the one user."""
    return Raw(document(f"<users>{_user(call)}</users>"))


def user(call: Call) -> Raw:
    """Show the one user."""
    if call.things["user"]["id"] != ROOT_USER:
        raise Gone
    return Raw(document(_user(call)))


def _user(call: Call) -> str:
    where = f'href="{call.dialect.base}/users/{ROOT_USER}" id="{ROOT_USER}"'
    return f"<user {where}><name>admin</name><user_name>{escape(call.settings.user)}</user_name></user>"


ROUTES = (
    get("/", root, "say what is here"),
    get("/capabilities", capabilities, "levels, CPU types and words that v3 knows", since4=(99, 0)),
    get("/clusterlevels", levels, "compatibility levels", since3=(99, 0)),
    get("/clusterlevels/{level}", level, "one level with its CPU types", since3=(99, 0)),
    get("/operatingsystems", systems, "operating systems that can be named", since3=(3, 4)),
    get("/operatingsystems/{system}", system, "one operating system", since3=(3, 4)),
    get("/macpools", pools, "pools of MAC addresses", since3=(3, 6)),
    get("/macpools/{pool}", pool, "one pool of MAC addresses", since3=(3, 6)),
    get("/users", users, "list the one user"),
    get("/users/{user}", user, "show the one user"),
)
