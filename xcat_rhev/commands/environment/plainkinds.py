"""The plain kinds by their words for -t."""

from __future__ import annotations

from collections.abc import Mapping

from .kinds import affinitygroup, macpool, tag, vnicprofile
from .plainkind import PlainKind

PLAIN: Mapping[str, PlainKind] = {
    "affinitygroup": affinitygroup.KIND,
    "macpool": macpool.KIND,
    "tag": tag.KIND,
    "vnicprofile": vnicprofile.KIND,
}
