"""The entry point, and what an engine says about itself."""

from __future__ import annotations

from xml.sax.saxutils import escape

from ..answers import Raw
from ..call import ApiCall
from ..dialect import SimDialect
from ..faults import Gone, NotHere
from ..levels import cpus, newest, supported_levels
from ..render import document, iso, link
from ..routing import get
from ..systems import architecture, systems
from ..world import ROOT_USER, ZERO
from .rights import ADMINS, NUMBERS
from .vmshape import LARGE_ICON, SMALL_ICON

SEARCHABLE = frozenset("clusters datacenters events hosts storagedomains templates vms disks networks".split())


def root(call: ApiCall) -> Raw:
    """Say what is here: links, special objects, product, summary."""
    text = _root3(call) if call.dialect.number == 3 else _root4(call)
    headers = {}
    if call.dialect.number == 3:
        headers["Link"] = ",".join(f"<{where}>; rel={rel}" for rel, where in _links(call))
    return Raw(document(f"<api>{text}</api>"), headers=headers)


def _links(call: ApiCall) -> list[tuple[str, str]]:
    found = []
    for rel, word in call.routes.offers("", call.dialect)[1]:
        found.append((rel, f"{call.dialect.base}/{word}"))
        if rel in SEARCHABLE and (call.dialect.version >= (3, 2) or rel not in {"networks", "disks"}):
            found.append((f"{rel}/search", f"{call.dialect.base}/{word}?search={{query}}"))
    return found


def _root3(call: ApiCall) -> str:
    dialect = call.dialect
    special = link("templates/blank", f"{dialect.base}/templates/{ZERO}") + link(
        "tags/root", f"{dialect.base}/tags/{ZERO}"
    )
    major, minor = dialect.version
    name = "Red Hat Enterprise Virtualization Manager" if dialect.version < (3, 1) else "oVirt Engine"
    full = f"<full_version>{major}.{minor}.5-0.1.el6</full_version>" if dialect.version >= (3, 3) else ""
    vendor = "Red Hat" if dialect.version < (3, 1) else "ovirt.org"
    version = f'<version major="{major}" minor="{minor}" build="0" revision="0"/>'
    name = escape(call.settings.product or name)
    product = f"<product_info><name>{name}</name><vendor>{vendor}</vendor>{version}{full}</product_info>"
    time = f"<time>{iso(call.world.now())}</time>" if dialect.version >= (3, 1) else ""
    links = "".join(link(rel, where) for rel, where in _links(call))
    return f"{links}<special_objects>{special}</special_objects>{product}<summary>{_summary(call)}</summary>{time}"


def _root4(call: ApiCall) -> str:
    dialect = call.dialect
    base, (major, minor) = dialect.base, dialect.version
    user = f'href="{base}/users/{ROOT_USER}" id="{ROOT_USER}"'
    special = (
        f'<blank_template href="{base}/templates/{ZERO}" id="{ZERO}"/><root_tag href="{base}/tags/{ZERO}" id="{ZERO}"/>'
    )
    shown = call.settings.number or (major, minor)
    version = (
        f"<version><build>0</build><full_version>{shown[0]}.{shown[1]}.0-1.el8</full_version><major>{shown[0]}</major>"
        f"<minor>{shown[1]}</minor><revision>0</revision></version>"
    )
    instance = f"<instance_id>{ROOT_USER}</instance_id>" if call.dialect.version >= (4, 4) else ""
    vendor = "<vendor>ovirt.org</vendor>" if call.settings.product else ""
    product = (
        f"<product_info><name>{escape(call.settings.product or 'oVirt Engine')}</name>{vendor}"
        f"{instance}{version}</product_info>"
    )
    links = "".join(link(rel, where) for rel, where in _links(call))
    users = f"<authenticated_user {user}/><effective_user {user}/>" if call.dialect.version >= (4, 2) else ""
    backup = "<engine_backup/>" if call.dialect.version >= (4, 5) else ""
    return (
        f"{links}<special_objects>{special}</special_objects>{product}<summary>{_summary(call)}</summary>"
        f"<time>{iso(call.world.now())}</time>{users}{backup}"
    )


def _summary(call: ApiCall) -> str:
    world = call.world
    off = {"down", "suspended", "image_locked"}
    counts = {
        "vms": (len(world.things["vm"]), sum(vm["status"] not in off for vm in world.all("vm"))),
        "hosts": (len(world.things["host"]), sum(host["status"] == "up" for host in world.all("host"))),
        "users": (1, 1),
        "storage_domains": (
            len(world.things["storage_domain"]),
            sum(sd["status"] == "active" for sd in world.all("storage_domain")),
        ),
    }
    order = ("vms", "hosts", "users", "storage_domains") if call.dialect.number == 3 else sorted(counts)
    return "".join(_count(call.dialect, tag, *counts[tag]) for tag in order)


def _count(dialect: SimDialect, tag: str, total: int, active: int) -> str:
    words = (f"<total>{total}</total>", f"<active>{active}</active>")
    return f"<{tag}>{''.join(words if dialect.number == 3 else reversed(words))}</{tag}>"


def capabilities(call: ApiCall) -> Raw:
    """Say which levels there are and what each knows (v3)."""
    versions = []
    for level in reversed(supported_levels(call.dialect)):
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


def levels(call: ApiCall) -> Raw:
    """List the compatibility levels (v4), in no order, as engines do."""
    oldest, *others = supported_levels(call.dialect)
    texts = [_level(call, *level) for level in (oldest, *reversed(others))]
    return Raw(document(f"<cluster_levels>{''.join(texts)}</cluster_levels>"))


def level(call: ApiCall) -> Raw:
    """Show one compatibility level with its CPU types (v4)."""
    for major, minor in supported_levels(call.dialect):
        if f"{major}.{minor}" == call.things["level"]["id"]:
            return Raw(document(_level(call, major, minor)))
    raise Gone


def _level(call: ApiCall, major: int, minor: int) -> str:
    kinds = "".join(
        f"<cpu_type><architecture>{cpu.architecture}</architecture><level>{cpu.level}</level>"
        f"<name>{escape(cpu.name)}</name></cpu_type>"
        for cpu in cpus((major, minor))
    )
    name = f"{major}.{minor}"
    return (
        f'<cluster_level href="{call.dialect.base}/clusterlevels/{name}" id="{name}"><cpu_types>{kinds}</cpu_types>'
        f"<permits>{_permits()}</permits></cluster_level>"
    )


def _permits() -> str:
    """What roles may permit; who makes a role looks for the numbers there."""
    return "".join(
        f'<permit id="{number}"><name>{name}</name><administrative>{administrative}</administrative></permit>'
        for name, number in NUMBERS.items()
        for administrative in ("true" if name in ADMINS else "false",)
    )


def operating_systems(call: ApiCall) -> Raw:
    """List the operating systems that can be named; v4's element is spelled like no other."""
    plural = "operation_systems" if call.dialect.number == 4 else "operating_systems"
    found = "".join(_system(call, number, name) for number, name in systems(call.dialect.version))
    return Raw(document(f"<{plural}>{found}</{plural}>"))


def operating_system(call: ApiCall) -> Raw:
    """Show one operating system, which is addressed by its number."""
    for number, name in systems(call.dialect.version):
        if str(number) == call.things["system"]["id"]:
            return Raw(document(_system(call, number, name)))
    raise Gone


def _system(call: ApiCall, number: int, name: str) -> str:
    where = f'href="{call.dialect.base}/operatingsystems/{number}" id="{number}"'
    more = f"<architecture>{architecture(name)}</architecture>" if call.dialect.number == 4 else ""
    more += "<tpm_support>unsupported</tpm_support>" if call.dialect.version >= (4, 4) else ""
    if call.dialect.number == 4:
        for size, icon in (("large", LARGE_ICON), ("small", SMALL_ICON)):
            more += f'<{size}_icon href="{call.dialect.base}/icons/{icon}" id="{icon}"/>'
    words = f"<name>{name}</name><description>{name.replace('_', ' ').title()}</description>"
    return f"<operating_system {where}>{words}{more}</operating_system>"


def posted_only(call: ApiCall) -> Raw:
    """Answer as 4.5.8 does: the root leads here, and there is nothing to read."""
    raise NotHere


_IMPORTED = "405, as engines answer; the root alone matters"
ROUTES = (
    get("/", root, "say what is here"),
    get("/capabilities", capabilities, "levels, CPU types and words that v3 knows", since4=(99, 0)),
    get("/clusterlevels", levels, "compatibility levels", since3=(99, 0)),
    get("/clusterlevels/{level}", level, "one level with its CPU types", since3=(99, 0)),
    get("/operatingsystems", operating_systems, "operating systems that can be named", since3=(3, 4)),
    get("/operatingsystems/{system}", operating_system, "one operating system", since3=(3, 4)),
    get("/externalvmimports", posted_only, _IMPORTED, since3=(99, 0), since4=(4, 1)),
    get("/externaltemplateimports", posted_only, _IMPORTED, since3=(99, 0), since4=(4, 4)),
)
