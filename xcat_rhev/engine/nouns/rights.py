"""Who may do what: users, groups, roles, and what they permit on which things."""

from __future__ import annotations

from ..documents.fields import flag, label, parts, ref, text
from ..documents.noun import Noun
from ..documents.record import Record


class User(Noun, tag="user", path="users", searchable=True, top=True, named=False, search_name="usrname"):
    """Somebody of a directory whom the manager knows.

    Attributes:
        user_name: As `joe@internal-authz`; a user's `name` is the first name alone.
        domain_name: The directory: what comes after the last @ of it.
    """

    domain_name = text("domain/name")
    namespace = text("namespace", since=(3, 5))
    user_name = text("user_name")
    email = text("email")


class Group(Noun, tag="group", path="groups", searchable=True, top=True):
    """A group of a directory whom the manager knows."""


class Permit(Noun, tag="permit", path="permits"):
    """One thing that a role permits; its id is a number.

    Attributes:
        administrative: It is an administrator's; v3's schema wants to be told.
    """

    administrative = flag("administrative", None, quiet=True)


class PermitNumber(Record):
    """A permit as a new role names it."""

    id = label("@id")
    administrative = flag("administrative", None, quiet=True)


class Role(Noun, tag="role", path="roles", top=True):
    """A set of permits.

    Attributes:
        mutable: False for those of an installation.
        administrative: It is for administrators.
        permits: At creation; otherwise they are a collection of the role.
    """

    mutable = flag("mutable")
    administrative = flag("administrative")
    permits = parts(PermitNumber, "permits/permit*")


class Permission(Noun, tag="permission", path="permissions", named=False):
    """Somebody's role on a thing, or everywhere; a collection of each thing, and since 3.4 one at the top."""

    role = ref("role")
    user = ref("user")
    group = ref("group")
    data_center = ref("data_center")
    cluster = ref("cluster")
    host = ref("host")
    storage_domain = ref("storage_domain")
    vm = ref("vm")
    template = ref("template")
