"""Which bonds of a host have to be made, changed or taken apart for its networks to be where its row wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...engine.nouns import Bonding, HostNic, Ref
from ...rows.hypervisor import Interface


@dataclass(frozen=True)
class Bonds:
    """The NICs and bonds of a host, and the row's demands.

    Attributes:
        nics: The host's NICs by name.
        asked: The parts of its row.
        staying: Networks that the row does not name, by the NIC or bond that they are on.
    """

    nics: Mapping[str, HostNic]
    asked: Sequence[Interface]
    staying: Mapping[str, Sequence[str]]

    def to_make(self) -> list[HostNic]:
        """The bonds to make or change."""
        wanted = {each.nic: each for each in self.asked if each.members}
        return [self._target_bond(each) for each in wanted.values() if self._differs(each)]

    def to_remove(self) -> list[HostNic]:
        """The bonds whose members are used elsewhere and that carry no network that stays."""
        return [bond for bond in self._surplus() if not self._networks_on(bond.name or "")]

    def faults(self) -> Iterator[str]:
        """Why NICs cannot be used as the row says."""
        for bond in self._surplus():
            name = bond.name or ""
            carried = self._networks_on(name)
            if carried:
                member = next(each for each in self.members(bond) if each in self._used_outside(name))
                yield (
                    f"{member} is a member of {name}, which carries {', '.join(carried)}. Name in "
                    f"hypervisor.interface where {carried[0]} goes, or leave {member} in {name}"
                )
        for each in self.asked:
            for member in each.members:
                for network in self.staying.get(member, ()):
                    yield (
                        f"{member} carries {network}. Name in hypervisor.interface where {network} goes, "
                        f"or leave {member} out of {each.nic}"
                    )

    def members(self, bond: HostNic) -> list[str]:
        """The names of a bond's members; engines give names or ids."""
        names = {nic.id: name for name, nic in self.nics.items()}
        return [names.get(slave, slave) for slave in bond.slaves]

    def _surplus(self) -> list[HostNic]:
        """Bonds that the row does not describe, but of which it uses a member."""
        described = {each.nic for each in self.asked if each.members}
        bonds = [nic for name, nic in self.nics.items() if nic.bonding and name not in described]
        return [bond for bond in bonds if set(self.members(bond)) & self._used_outside(bond.name or "")]

    def _used_outside(self, bond: str) -> set[str]:
        """NICs that the row uses alone or for another bond."""
        return {name for each in self.asked if each.nic != bond for name in each.members or (each.nic,)}

    def _networks_on(self, bond: str) -> list[str]:
        """Networks that are on a bond afterwards."""
        asked = [each.network for each in self.asked if each.nic == bond]
        return [*dict.fromkeys([*self.staying.get(bond, ()), *asked])]

    def _differs(self, each: Interface) -> bool:
        """Whether the bond is missing, or has other members or another mode."""
        there = self.nics.get(each.nic)
        if there is None or there.bonding is None:
            return True
        options = there.bond_options
        return set(self.members(there)) != set(each.members) or any(
            options.get(key) != value for key, value in each.bond_options
        )

    def _target_bond(self, each: Interface) -> HostNic:
        there = self.nics.get(each.nic)
        return asked_bond(each).replace(id=there.id if there else None)


def asked_bond(each: Interface) -> HostNic:
    """A bond as a row describes it, or one that another part of the row makes."""
    if not each.members:
        return HostNic(name=each.nic)
    slaves = tuple(Ref(name=name) for name in each.members)
    return HostNic(name=each.nic, bonding=Bonding(options=dict(each.bond_options), slaves=slaves))
