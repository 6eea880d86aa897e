"""How a bond is written for a live image.

Up to ovirt-node 3.2 its set-up code takes one option: commas stay in `BONDING_OPTS`, where `mode=802.3ad,miimon=100`
sets a mode called 100, and nothing on a kernel line can hold a space. There, all options are said as parameters of the
bonding driver as well, which holds them for what every new bond begins with; `modprobe` reads them off the kernel line
(module-init-tools since 3.5, kmod), and the installed system keeps them on its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import Usage
from .cards import Bond
from .grammar import Level

#: Parameters of the bonding driver in RHEL 6 and 7; a module that gets another one is not loaded.
_OF_DRIVER = frozenset((
    "ad_select",
    "arp_interval",
    "arp_ip_target",
    "arp_validate",
    "downdelay",
    "fail_over_mac",
    "lacp_rate",
    "miimon",
    "mode",
    "primary",
    "primary_reselect",
    "resend_igmp",
    "updelay",
    "use_carrier",
    "xmit_hash_policy",
))  # fmt: skip


def bond_words(bond: Bond, level: Level) -> Iterator[str]:
    """The words for a bond.

    Args:
        bond: What it is made of; its options name a mode.
        level: The image's parser.

    Raises:
        Usage: It has an option that this image does not take.
    """
    word = "bond" if level >= Level.NODE_3_2_EL7 else "bond_setup"
    several = level >= Level.NODE_3_6
    said = bond.options if several else tuple(option for option in bond.options if option.startswith("mode="))
    yield f"{word}={bond.name}:{','.join(bond.slaves)}:{','.join(said)}"
    if said != bond.options:
        yield from map(_parameter, bond.options)


def _parameter(option: str) -> str:
    name = option.partition("=")[0]
    if name not in _OF_DRIVER:
        raise Usage(
            f"nics.nicextraparams: this image cannot set '{option}' for a bond",
            f"Leave {name} out there, and let the manager set it, or install over one card",
        )
    return f"bonding.{option}"
