"""The plain kinds by their words for -t; those that others need come first."""

from __future__ import annotations

from collections.abc import Mapping

from .kinds import (
    affinitygroup,
    affinitylabel,
    diskprofile,
    instancetype,
    macpool,
    permission,
    provider,
    qos,
    quota,
    role,
    schedulingpolicy,
    tag,
    user,
    vmpool,
    vnicprofile,
)
from .plainkind import PlainKind

PLAIN: Mapping[str, PlainKind] = {
    "tag": tag.KIND,
    "macpool": macpool.KIND,
    "provider": provider.KIND,
    "schedulingpolicy": schedulingpolicy.KIND,
    "instancetype": instancetype.KIND,
    "user": user.KIND,
    "role": role.KIND,
    "qos": qos.KIND,
    "quota": quota.KIND,
    "vnicprofile": vnicprofile.KIND,
    "diskprofile": diskprofile.KIND,
    "affinitylabel": affinitylabel.KIND,
    "affinitygroup": affinitygroup.KIND,
    "vmpool": vmpool.KIND,
    "permission": permission.KIND,
}
