"""Who may do what: users, groups, roles with their permits, and permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref, sim_field
from ..faults import BAD, CONFLICT, Refused
from ..routing import Handler, Route, delete, get, post
from ..world import INTERNAL, ROOT_USER, World
from .common import called_so, lists, shows, with_id
from .plain import Plain
from .vmshape import derive_id

#: The group of all users, the role of an administrator and that of a user, and the directory that every engine has.
EVERYONE, SUPER_USER, USER_ROLE = (
    "eee00000-0000-0000-0000-123456789eee",
    "00000000-0000-0000-0000-000000000001",
    "00000000-0000-0000-0001-000000000001",
)
DOMAIN = "internal-authz"
#: What may be permitted, with its number; those after the bar are an administrator's.
_PERMITS = (
    "create_vm=1 delete_vm=2 edit_vm_properties=3 change_vm_cd=5 migrate_vm=6 connect_to_vm=7 configure_vm_network=9 "
    "configure_vm_storage=10 manipulate_vm_snapshots=12 reconnect_to_vm=13 reboot_vm=17 stop_vm=18 shut_down_vm=19 "
    "hibernate_vm=21 run_vm=22 create_template=200 edit_template_properties=201 delete_template=202 copy_template=203 "
    "create_vm_pool=300 edit_vm_pool_configuration=301 delete_vm_pool=302 vm_pool_basic_operations=303 "
    "manipulate_permissions=502 consume_quota=901 create_disk=1100 attach_disk=1101 edit_disk_properties=1102 "
    "delete_disk=1104 login=1300 | import_export_vm=8 change_vm_custom_properties=14 create_host=100 "
    "edit_host_configuration=101 delete_host=102 manipulate_host=103 configure_host_network=104 create_cluster=400 "
    "edit_cluster_configuration=401 delete_cluster=402 manipulate_users=500 manipulate_roles=501 "
    "create_storage_domain=600 manipulate_storage_domain=603 create_storage_pool=700 configure_engine=800 "
    "configure_quota=900 tag_management=1301 manipulate_affinity_groups=1550"
)
_USERS, ADMINS = (dict(word.split("=") for word in part.split()) for part in _PERMITS.split("|"))
NUMBERS = {**_USERS, **ADMINS}
#: Roles of an installation: name -> (id, description, an administrator's, its permits; empty for all of its sort).
_ROLES = {
    "SuperUser": (SUPER_USER, "Roles management administrator", True, tuple(NUMBERS)),
    "UserRole": (USER_ROLE, "Standard User Role", False, ("login", "run_vm", "stop_vm", "connect_to_vm")),
    "ClusterAdmin": (
        "def00001-0000-0000-0000-def000000001",
        "Administrator Role, permission for all the objects underneath a specific Cluster",
        True,
        ("login", "create_vm", "edit_cluster_configuration"),
    ),
}

ROLE = SimShape(
    "role",
    "role",
    "roles",
    "/roles/{role}",
    (
        sim_field("mutable", "bool", fixed=True),
        sim_field("administrative", "bool"),
        sim_field(
            "permits",
            v3="permits/permit[]",
            v4="permits/permit[]",
            item=(sim_field("id", v3="@id", v4="@id"), sim_field("name"), sim_field("administrative", "bool")),
        ),
    ),
    order36="mutable administrative",
    order30="mutable administrative",
    view=lambda world, thing, call: {key: value for key, value in thing.items() if key != "permits"},
)
PERMIT = SimShape(
    "permit", "permit", "permits", "/roles/{role}/permits/{number}", (sim_field("administrative", "bool"), ref("role"))
)
USER = SimShape(
    "user",
    "user",
    "users",
    "/users/{user}",
    (
        sim_field("domain_entry_id", since3=(3, 3)),
        sim_field("department", usual=""),
        sim_field("namespace", since3=(3, 5)),
        sim_field("last_name", usual=""),
        sim_field("user_name"),
        sim_field("principal", since3=(3, 5)),
        sim_field("email", usual=""),
        sim_field("domain_id", v3="domain@id", v4="domain@id"),
        sim_field("domain_name", v3="domain/name", v4="domain/name"),
        sim_field("domain_href", v3="domain@href", v4="domain@href", since3=(3, 6), fixed=True),
    ),
    view=lambda world, thing, call: {**thing, "domain_href": f"{call.dialect.base}/domains/{INTERNAL}"},
    order36="domain domain_entry_id department namespace last_name user_name principal email",
    order30="domain department last_name user_name email",
)
GROUP = SimShape(
    "group",
    "group",
    "groups",
    "/groups/{group}",
    (sim_field("domain_entry_id", since3=(3, 6)), sim_field("namespace", since3=(3, 6))),
)
#: What permissions are given on: kind -> the word in addresses.
OBJECTS = {
    "vm": "vms",
    "host": "hosts",
    "cluster": "clusters",
    "data_center": "datacenters",
    "storage_domain": "storagedomains",
    "template": "templates",
    "network": "networks",
}
#: ... of which a permission itself says that it is on it.
_SAID = ("data_center", "cluster", "host", "storage_domain", "vm", "template")


def _with_place(permission: Thing, call: ApiCall) -> Thing:
    """What it is on: whoever may do something everywhere is shown with what was asked about, all users are not."""
    if permission.get("object"):
        return {permission["object_kind"]: permission["object"]}
    about = next((kind for kind in OBJECTS if kind in call.things), "")
    return {about: call.things[about]["id"]} if about and permission.get("group") != EVERYONE else {}


def _permission(path: str) -> SimShape:
    return SimShape(
        "permission",
        "permission",
        "permissions",
        f"{path}/permissions/{{permission}}",
        (ref("role"), ref("user"), ref("group"), *(ref(kind) for kind in _SAID)),
        view=lambda world, thing, call: {**thing, **_with_place(thing, call)},
        basics=(),
    )


PERMISSION = _permission("")


def build(world: World) -> None:
    """Make what an installation has: the administrator, the group of everyone, roles, and who may do what."""
    world.add(
        "user",
        id=ROOT_USER,
        name="admin",
        domain_entry_id=INTERNAL,
        namespace="*",
        principal="admin",
        user_name=f"admin@{DOMAIN}",
        email="admin@localhost",
        domain_id=INTERNAL,
        domain_name=DOMAIN,
    )
    world.add("group", id=EVERYONE, name="Everyone", domain_entry_id=INTERNAL, namespace="*")
    for name, (one, about, administrative, permits) in _ROLES.items():
        world.add("role", id=one, name=name, description=about, administrative=administrative, mutable=False)
        _permit(world, one, permits)
    world.add("permission", id=derive_id("permission", EVERYONE), group=EVERYONE, role=USER_ROLE)
    world.add("permission", id=derive_id("permission", ROOT_USER), user=ROOT_USER, role=SUPER_USER)


def _permit(world: World, role: str, names: Iterable[str]) -> None:
    for name in dict.fromkeys(names):
        one = derive_id(f"permit {role}", name)
        world.add("permit", id=one, name=name, number=NUMBERS[name], role=role, administrative=name in ADMINS)


def _may_change(call: ApiCall, values: Thing, there: Thing | None) -> None:
    action = "edit" if there else "add"
    if there is not None and not there.get("mutable", True):
        raise Refused(f"Cannot {action} Role. The Role is Read-Only.")
    if there is not None and values.get("administrative") != there.get("administrative"):
        raise Refused(f"Cannot {action} Role. Changing Role type is not allowed.")


def _check_unused(call: ApiCall, role: Thing) -> None:
    if not role.get("mutable", True):
        raise Refused("Cannot remove Role. The Role is Read-Only.")
    if call.world.of("permission", "role", role["id"]):
        words = "One or more Permissions is still associated with Role.\n- Please remove all Permissions first."
        raise Refused(words)


def _role_made(call: ApiCall) -> One:
    """Make a role with its permits, which are told by number."""
    told = [each.get("id") for each in call.read(ROLE).get("permits") or ()]
    known = {number: name for name, number in NUMBERS.items()}
    if not any(told):
        raise _no_permits(call)
    for number in told:
        if number not in known:
            raise Refused(f"{number} is not a valid permit ID.", BAD, listed=False)
    made = _ROLE.create(call)
    made.thing.pop("permits", None)
    _permit(call.world, made.thing["id"], (known[number] for number in told))
    return made


def _no_permits(call: ApiCall) -> Refused:
    try:
        require({}, ("Role", "Role"), ("permits:permits.id",), call.dialect)
    except Refused as refusal:
        return refusal
    raise AssertionError


_ROLE = Plain(
    *(ROLE, "Role", "Role"),
    usual={"administrative": False, "mutable": True},
    check=_may_change,
    last=_check_unused,
    since3=(3, 0),
)


def _permits(call: ApiCall) -> Many:
    there = call.world.of("permit", "role", call.things["role"]["id"])
    return Many(PERMIT, [with_id(one, one["number"]) for one in there])


def _permit_shown(call: ApiCall) -> One:
    one = called_so(call, "permit", "role", "number", "number")
    return One(PERMIT, with_id(one, one["number"]))


def _add_permit(call: ApiCall) -> One:
    role, said = call.things["role"], call.read(PERMIT)
    _may_change(call, role, role)
    name = said.get("name") or next((one for one, number in NUMBERS.items() if number == said.get("id")), "")
    if name not in NUMBERS:
        raise Refused(f"{said.get('id') or name} is not a valid permit ID.", BAD, listed=False)
    if any(one["name"] == name for one in call.world.of("permit", "role", role["id"])):
        raise Refused("Cannot attach action group to Role. This action group is already attached to Role.")
    _permit(call.world, role["id"], (name,))
    made = call.world.of("permit", "role", role["id"])[-1]
    return One(PERMIT, with_id(made, made["number"]), 201)


def _forbidden(call: ApiCall) -> Removed:
    _may_change(call, call.things["role"], call.things["role"])
    call.world.remove(called_so(call, "permit", "role", "number", "number"))
    return Removed()


def _user_made(call: ApiCall) -> One:
    """Take a user of a directory in; of the one that every engine has, everybody whom the name does not deny."""
    values = call.fresh(USER)
    require(values, ("User", "User"), ("user_name:userName",), call.dialect)
    name, at, domain = values["user_name"].rpartition("@")
    told = values.get("domain_name") or (DOMAIN if values.get("domain_id") == INTERNAL else "")
    if domain != DOMAIN or not at:
        require({"domain": told}, ("User", "User"), ("domain:domain.id|name",), call.dialect)
        name, domain = (name, domain) if domain == told else (values["user_name"], told)
    if domain != DOMAIN or name.startswith("nobody"):
        raise Refused(f"No such user: {values['user_name']} in domain {domain}", BAD, listed=False)
    full = f"{name}@{domain}"
    there = next((one for one in call.world.all("user") if one["user_name"] == full), None)
    if there is not None:
        return One(USER, there, 201)
    entry = derive_id("directory entry", full)
    more = {"namespace": "*", "principal": name, "domain_id": INTERNAL, "domain_entry_id": entry, "email": ""}
    return One(USER, call.world.add("user", name=name, user_name=full, domain_name=DOMAIN, **more), 201)


def _user_gone(call: ApiCall) -> Removed:
    if call.things["user"]["id"] == ROOT_USER:
        raise Refused("Cannot remove internal admin user or its permissions.")
    call.world.remove(call.things["user"])
    return Removed()


def _on(kind: str) -> Handler:
    """Make a handler that lists who may do what with a thing, the system's permissions among them; or everywhere."""
    shape = PERMISSION if not kind else _permission(f"/{OBJECTS[kind]}/{{{kind}}}")

    def handle(call: ApiCall) -> Many:
        everywhere = [one for one in call.world.all("permission") if not one.get("object")]
        mine = call.world.of("permission", "object", call.things[kind]["id"]) if kind else []
        return Many(shape, [*everywhere, *mine])

    return handle


def _of(kind: str) -> Handler:
    """Make a handler that lists what a user or a group may do; what everybody may is a user's as well."""
    shape = _permission(f"/{kind}s/{{{kind}}}")

    def handle(call: ApiCall) -> Many:
        mine = call.world.of("permission", kind, call.things[kind]["id"])
        return Many(shape, mine)

    return handle


def _grant(kind: str) -> Handler:
    """Make a handler that gives somebody a role on a thing, or everywhere."""
    shape = PERMISSION if not kind else _permission(f"/{OBJECTS[kind]}/{{{kind}}}")

    def handle(call: ApiCall) -> One:
        values = call.read(shape)
        require(values, ("Permission", "Permission"), ("role:role.id|name", "user|group:user|group.id"), call.dialect)
        role = call.look_up("role", values["role"])
        who = next(word for word in ("user", "group") if values.get(word))
        if call.world.get(who, values[who].get("id")) is None:
            raise Refused("User must exist in Database.", CONFLICT)
        on: Thing = {"object": call.things[kind]["id"], "object_kind": kind} if kind else {}
        mine = {"role": role["id"], who: values[who]["id"], **on}
        for one in call.world.of("permission", who, values[who]["id"]):
            if one["role"] == role["id"] and one.get("object") == on.get("object"):
                return One(shape, one, 201)
        return One(shape, call.world.add("permission", **mine), 201)

    return handle


def _revoke(call: ApiCall) -> Removed:
    permission = call.things["permission"]
    if permission.get("user") == ROOT_USER:
        raise Refused("Cannot remove internal admin user or its permissions.")
    if permission.get("group") == EVERYONE and not permission.get("object"):
        raise Refused("It's not allowed to remove system permissions assigned to built-in Everyone group")
    call.world.remove(permission)
    return Removed()


def _permissions(kind: str) -> Iterator[Route]:
    """The calls about who may do what with things of a kind; everywhere, for none."""
    path = f"/{OBJECTS[kind]}/{{{kind}}}/permissions" if kind else "/permissions"
    since = {"since3": (3, 0)} if kind and kind != "network" else {"since3": (3, 4)}
    shape = _permission(path.removesuffix("/permissions"))
    yield get(path, _on(kind), "who may do what with it", **since)
    yield post(path, _grant(kind), "give somebody a role", **since)
    yield get(f"{path}/{{permission}}", shows(shape), "show it", **since)
    yield delete(f"{path}/{{permission}}", _revoke, "take the role away", **since)


SHAPES["permission"] = PERMISSION
SHAPES.update(user=USER, group=GROUP)
ROUTES: tuple[Route, ...] = (
    *(
        route if route.method != "POST" else post("/roles", _role_made, "make a role")
        for route in _ROLE.routes("/roles")
    ),
    get("/roles/{role}/permits", _permits, "list its permits"),
    post("/roles/{role}/permits", _add_permit, "permit something"),
    get("/roles/{role}/permits/{number}", _permit_shown, "show a permit"),
    delete("/roles/{role}/permits/{number}", _forbidden, "permit it no more"),
    get("/users", lists(USER, "user"), "list users"),
    post("/users", _user_made, "take a user of a directory in"),
    get("/users/{user}", shows(USER), "show a user"),
    delete("/users/{user}", _user_gone, "forget a user"),
    get("/users/{user}/permissions", _of("user"), "what a user may do"),
    get("/users/{user}/permissions/{permission}", shows(_permission("/users/{user}")), "show it"),
    get("/groups", lists(GROUP, "group"), "list groups"),
    get("/groups/{group}", shows(GROUP), "show a group"),
    get("/groups/{group}/permissions", _of("group"), "what a group may do"),
    get("/groups/{group}/permissions/{permission}", shows(_permission("/groups/{group}")), "show it"),
    *(route for kind in ("", *OBJECTS) for route in _permissions(kind)),
)
