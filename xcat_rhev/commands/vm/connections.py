"""What a NIC is connected to, in the notation of vm.nics: a logical network, and a vNIC profile of it.

lan             the network; the profile is not named
lan/gold        its profile gold
lan/1c9e...     names that vm.nics cannot hold are written as ids, and ids are taken for names

Since 4.1 names may hold any character: a text that is the name of a network means that, otherwise the longest part
before a slash that is one. A profile's name is unique within its network only, a network's within its data center.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import Network, Nic, Noun, Ref, VnicProfile
from ...errors import NotFound, Usage
from ...ordering import natural
from ...rows.vm import VmRow
from ...rows.vmnics import NO_NETWORK, NicRow, writable

#: The names of the management network over the versions, for clusters that do not name it.
MANAGEMENT_NETWORKS = ("rhevm", "ovirtmgmt")
#: The model of a NIC that is a part of a card of the hypervisor, and of no other.
PASSED = "pci_passthrough"


@dataclass(frozen=True)
class NicConnection:
    """Where a NIC goes.

    Attributes:
        network: The network.
        profile: The profile that the row names, else the one that such a NIC gets; None where the engine chooses.
        named: The row names the profile.
    """

    network: Network
    profile: VnicProfile | None = None
    named: bool = False

    @property
    def passes_through(self) -> bool:
        """Whether it is for NICs that are parts of a hypervisor's card."""
        return self.profile is not None and self.profile.passes_through

    def __str__(self) -> str:
        return f"{self.network.name}/{self.profile.name}" if self.named and self.profile else self.network.name


@dataclass(frozen=True)
class Connections:
    """The networks of a cluster, with their profiles.

    Attributes:
        cluster: Its name.
        networks: By name.
        profiles: By the id of their network, the one first that a NIC gets; nothing was asked where the engine chooses.
        version: The manager's.
        known: It has profiles.
    """

    cluster: str = ""
    networks: Mapping[str, Network] = field(default_factory=dict)
    profiles: Mapping[str, Sequence[VnicProfile]] = field(default_factory=dict)
    version: str = ""
    known: bool = True

    @classmethod
    def of(cls, manager: Manager, cluster: str, networks: Iterable[Network], named: bool) -> Connections:
        """Ask for the profiles where a NIC's has to be said.

        Args:
            manager: The manager.
            cluster: The cluster's name.
            networks: Those of the cluster.
            named: A row may name one.
        """
        there = {each.name: each for each in networks}
        known = not manager.lacks(Nic, ["vnic_profile"])
        asked = known and (named or manager.dialect > 3)
        profiles = {each.id: manager.vnic_profiles(each) for each in there.values()} if asked else {}
        return cls(cluster, there, profiles, ".".join(map(str, manager.version)), known)

    @property
    def management(self) -> Network | None:
        """The network of the management: the one that says so, else by its name."""
        said = [network for network in self.networks.values() if network.management]
        known = [self.networks[name] for name in MANAGEMENT_NETWORKS if name in self.networks]
        return next(iter(said + known), None)

    def find(self, text: str) -> NicConnection:
        """What a text of vm.nics means; without one the network of the management.

        Raises:
            NotFound: There is no such network, or no such profile on it.
            Usage: It names no network, or none for machines, or the engine has no profiles.
        """
        if not text:
            if self.management is None:
                raise Usage("vm.nics does not say which network")
            return self._usual(self.management)
        network = self._network(text)
        if network is not None:
            return self._usual(network)
        for end in reversed([place for place, letter in enumerate(text) if letter == "/"]):
            network = self._network(text[:end])
            if network is not None:
                return NicConnection(network, self._profile(network, text[end + 1 :]), True)
        raise self._lack(text)

    def _network(self, text: str) -> Network | None:
        network = self.networks.get(text) or next((each for each in self.networks.values() if each.id == text), None)
        if network is not None and not network.vm_network:
            raise Usage(f"the network {network.name} is not for virtual machines")
        return network

    def _lack(self, text: str) -> Exception:
        before, slash, profile = text.partition("/")
        if slash and before in ("", NO_NETWORK):
            return Usage(
                f"vm.nics has '{text}', a vNIC profile without its network. Write NETWORK/{profile or 'PROFILE'}"
            )
        there = ", ".join(sorted((_notation(each) for each in self.networks.values()), key=natural)) or "none"
        return NotFound(f"Could not get the network {before or text}. The cluster {self.cluster} has: {there}")

    def _usual(self, network: Network) -> NicConnection:
        if not self.profiles:
            return NicConnection(network)
        profiles = self.profiles.get(network.id)
        if not profiles:
            raise NotFound(f"the network {network.name} has no vNIC profile, so no machine can be connected to it")
        return NicConnection(network, profiles[0])

    def _profile(self, network: Network, text: str) -> VnicProfile:
        if not self.known:
            raise Usage(
                f"the manager is {self.version}, which has no vNIC profiles: they came with 3.3. Write {network.name}"
            )
        profiles = self.profiles.get(network.id, ())
        found = [each for each in profiles if each.name == text] or [each for each in profiles if each.id == text]
        if not found:
            there = ", ".join(_notation(network, each) for each in profiles) or "none"
            raise NotFound(
                f"the network {network.name} has no vNIC profile {text or 'without a name'}. There is: {there}"
            )
        return found[0]

    def faults(self, nics: Sequence[NicRow], usual_model: str) -> Iterator[str]:
        """Errors in what NICs name.

        Args:
            nics: Of one row.
            usual_model: Of those that do not say their own.
        """
        seen: set[str] = set()
        for nic in nics:
            if nic.network is None:
                continue
            try:
                fault = _model_fault(nic, self.find(nic.network), usual_model)
            except (NotFound, Usage) as problem:
                fault = str(problem)
            if fault and fault not in seen:
                seen.add(fault)
                yield fault


def _model_fault(nic: NicRow, to: NicConnection, usual_model: str) -> str:
    """Engines keep pass-through profiles and NICs of the model pci_passthrough together, since 3.6."""
    if to.profile is None or model_of(nic, to, usual_model) == PASSED and to.passes_through:
        return ""
    where = f"the vNIC profile {to.network.name}/{to.profile.name}"
    if to.passes_through:
        return f"{where} is for pass-through, so the NIC {nic.name} has to be of the model {PASSED}, not {nic.model}"
    if model_of(nic, to, usual_model) == PASSED:
        return f"the NIC {nic.name} has the model {PASSED}, but {where} is not for pass-through"
    return ""


def profiled(row: VmRow, nics: Sequence[NicRow]) -> bool:
    """Whether a row needs the profiles of the networks."""
    words = {nic.model or row.nic_model for nic in nics}
    return PASSED in words or any("/" in (nic.network or "") for nic in nics)


def model_of(nic: NicRow, to: NicConnection | None, usual: str) -> str:
    """The model that a NIC should have; empty where it is not named.

    Args:
        nic: Its part of vm.nics.
        to: Where it goes.
        usual: The model of those that do not say their own.
    """
    return nic.model or (PASSED if to is not None and to.passes_through else usual)


def _notation(*parts: Noun) -> str:
    """How vm.nics has a network, or a profile of one: by ids where it cannot hold the names."""
    names, ids = ("/".join(words) for words in ([each.name for each in parts], [each.id for each in parts]))
    return names if _can_stand(names) else f"{ids} ({names})"


def is_there(manager: Manager, wanted: NicRow, there: Nic) -> bool:
    """Whether a NIC is connected as its row says; if the row does not say, any connection is right."""
    network, text = there.network, wanted.network
    if not text or not network:
        return text == "" or (text is None) == (not network)
    known = {network.name, network.id} - {""}
    if text in known or "/" not in text or not there.vnic_profile:
        return text in known
    profiles = {manager.name_of(VnicProfile, there.vnic_profile), there.vnic_profile.id}
    return text in {f"{each}/{profile}" for each in known for profile in profiles}


def other_profile(manager: Manager, nic: Nic) -> str:
    """The name of a NIC's profile where it is another than that of its network; else nothing."""
    name = manager.name_of(VnicProfile, nic.vnic_profile)
    return "" if nic.network and name == nic.network.name else name


def written_network(manager: Manager, nic: Nic) -> str | None:
    """Where a NIC is, as vm.nics has it: with its profile where that is not the one that it would get anyway.

    Returns:
        The text; None for a NIC on no network, and empty for one that no text can say.
    """
    network, profile = nic.network, nic.vnic_profile
    if not network:
        return None
    if not profile or _is_usual(manager, network, profile):
        return next(filter(_can_stand, (network.name, network.id)), "")
    pairs = (network.name, manager.name_of(VnicProfile, profile)), (network.id, profile.id)
    return next(("/".join(pair) for pair in pairs if all(_can_stand(word) and "/" not in word for word in pair)), "")


def _can_stand(text: str) -> bool:
    return writable(text)


def _is_usual(manager: Manager, network: Ref, profile: Ref) -> bool:
    """Whether a NIC gets that profile if its row names only the network. With API v3 the engine chooses."""
    profiles = manager.vnic_profiles(network)
    chosen = profiles[:1] if manager.dialect > 3 or len(profiles) == 1 else []
    return any(each.id == profile.id for each in chosen)
