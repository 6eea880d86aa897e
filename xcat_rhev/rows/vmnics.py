"""The NICs of a virtual machine as `vm.nics` has them.

network[/profile]:name[:yes|no[:model]]|...   a vNIC profile of the network; yes marks the NIC that the node is
                                              installed through; a model of its own
-:name                                        connected with no network
*:name                                        connected as it is; when it is made, with the network of the management
none                                          no NIC
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .vmstorage import NONE, Fault

NIC_MODELS = ("virtio", "e1000", "e1000e", "rtl8139", "rtl8139_virtio", "spapr_vlan", "pci_passthrough")
NO_NETWORK, ANY_NETWORK = "-", "*"
_FORM = "network[/profile]:name[:yes|no[:model]]"
_EXAMPLE = "rhevm:eth0:yes|lan2:eth1"


@dataclass(frozen=True)
class NicRow:
    """One part of vm.nics.

    Attributes:
        name: What the NIC is called.
        network: The logical network, as `lan`, or with a vNIC profile of it, as `lan/gold`; empty means that of the
            management of the cluster, None no network.
        install: The node is installed through it, so mac.mac is its address.
        model: virtio, e1000 ...; empty: as vm.nicmodel says, if it says.
    """

    name: str
    network: str | None
    install: bool = False
    model: str = ""


#: What a machine gets that is made from nothing, and whose row does not say.
DEFAULT_NICS = (NicRow("eth0", "", True),)


def read_nics(text: str, fault: Fault) -> tuple[NicRow, ...] | None:
    """Read vm.nics.

    Args:
        text: The column.
        fault: Called for all that is wrong.

    Returns:
        The NICs; None where the row does not say.
    """
    parts = [part.strip() for part in text.split("|") if part.strip()]
    if not parts or [part.lower() for part in parts] == [NONE]:
        return () if parts else None
    nics = [_nic(number, part, fault) for number, part in enumerate(parts)]
    _check(nics, text, fault)
    if not any(nic.install for nic in nics):
        nics[0] = replace(nics[0], install=True)
    return tuple(nics)


def _check(nics: Sequence[NicRow], text: str, fault: Fault) -> None:
    if len({nic.name for nic in nics}) < len(nics):
        fault(f"is '{text}': two NICs have the same name", _EXAMPLE)
    if sum(nic.install for nic in nics) > 1:
        fault(f"is '{text}': a node is installed through one NIC, so one 'yes'", _EXAMPLE)


def _nic(number: int, part: str, fault: Fault) -> NicRow:
    network, name, install, model = [*part.split(":", 3), "", "", ""][:4]
    if not network or install.lower() not in ("", "yes", "no", "1", "0"):
        fault(f"has '{part}', which is not of the form {_FORM}", _EXAMPLE)
    if model and model.lower() not in NIC_MODELS:
        fault(f"has the model '{model}', not one of {', '.join(NIC_MODELS)}", _EXAMPLE)
    reached = {NO_NETWORK: None, ANY_NETWORK: ""}.get(network, network)
    return NicRow(name or f"eth{number}", reached, install.lower() in ("yes", "1"), model.lower())


def writable(text: str) -> bool:
    """Whether vm.nics can hold a name of a network or profile."""
    plain = bool(text) and text.isprintable() and text == text.strip() and not set(text) & set(":|")
    return plain and text not in (NO_NETWORK, ANY_NETWORK)


def write(nic: NicRow) -> str:
    """Write one part of vm.nics."""
    words = [NO_NETWORK if nic.network is None else nic.network or ANY_NETWORK, nic.name]
    if nic.install or nic.model:
        words.append("yes" if nic.install else "no")
    return ":".join(words + ([nic.model] if nic.model else []))
