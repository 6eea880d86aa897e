"""Random walks on one machine: commands with any options, and what the machine has to be after each of them.

A walk knows what was asked for last. It looks at the machine past the client, so that a mistake of the client's reader
hides nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

MIB = 1 << 20
GIB = 1 << 30
Seen = dict[str, Any]
#: What going back to a snapshot brings back.
KEPT = ("memory", "cpus", "boot", "os_type")
#: Asked for in a state that does not allow it.
REFUSALS = (
    "the machine is off, so there is nothing to",
    "Run: rpower",
    "it has no snapshot",
    "VM is not running",
    "VM is not up",
    "VMs is not down",
)
_SIZES = {"512m": 512, "1g": 1024, "1536m": 1536, "2100m": 2100, "2g": 2048, "3g": 3072, "4g": 4096, "10g": 10240}
_CPUS = {"1": (1, 1, 1), "2": (2, 1, 1), "4": (4, 1, 1), "1:2": (1, 2, 1), "2:2": (2, 2, 1), "1:2:2": (1, 2, 2)}
_BOOT = {"net": ["network"], "hd": ["hd"], "cd": ["cdrom"], "net,hd": ["network", "hd"], "hd,net": ["hd", "network"]}
_POWER = ("on", "on", "on", "off", "softoff", "reset", "boot", "cycle", "suspend", "resume", "stat")


class Site(Protocol):
    """What a walk needs of a site."""

    def node(self, name: str, **columns: str) -> str: ...
    def say(self, line: str, nodes: Any = ()) -> list[Any]: ...
    def seen(self, name: str) -> Seen: ...
    def row_of(self, node: str, table: str = "vm") -> dict[str, str]: ...


class Strayed(AssertionError):
    """A machine is not what was asked for; the text has the whole walk."""


@dataclass
class Walk:
    """One machine and what was asked of it.

    Attributes:
        site: Where it is.
        name: What it is called; its node exists and it is made.
        seed: Of the choices.
        wanted: What the machine has to be at its next start.
        row: What its row says of that, in the same words.
        told: The walk so far.
    """

    site: Site
    name: str
    seed: int
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.wanted: Seen = self.site.seen(self.name)
        self.row: Seen = {}
        self.settings: dict[str, str] = {}
        self.snapshots: dict[str, Seen] = {}

    def run(self, steps: int) -> None:
        """Walk, cut the power, and look."""
        for _ in range(steps):
            self.random.choice(STEPS)(self)
        self.must("rpower off")
        self.compare("after power off")
        self.must("chvm")
        self.asked(self.row)
        self.compare("after chvm")
        self.nothing("chvm")
        self.compare("after the second chvm")

    # What was said and seen

    def must(self, line: str) -> bool:
        """Type it; whether it was done. A refusal that the state does not explain is a mistake."""
        said = self.site.say(line, [self.name])
        texts = [str(getattr(each, "text", each)) for each in said if type(each).__name__ != "Note"]
        self.told.append(f"{line} -> {' / '.join(texts)}")
        wrong = [str(each.text) for each in said if type(each).__name__ == "Error"]
        for text in wrong:
            if not any(refusal in text for refusal in REFUSALS):
                self.stray(f"refused: {text}")
        return not wrong

    def nothing(self, line: str) -> None:
        """Type it once more: there must be nothing left to do."""
        said = self.site.say(line, [self.name])
        texts = [str(getattr(each, "text", each)) for each in said if type(each).__name__ != "Note"]
        self.told.append(f"{line} -> {' / '.join(texts)}")
        if self._hidden():
            return
        all_of_it = " / ".join(texts)  # rsetboot says the order in xCAT's words as well
        if "othing to do" not in all_of_it or "completed" in all_of_it or "next start" in all_of_it:
            self.stray(f"planned something again: {line}")

    def _hidden(self) -> bool:
        """Does a serial console wait? No engine shows it before the next start, so it is sent each time."""
        return "console" in self.row and self.row["console"] != self.site.seen(self.name)["console"]

    def asked(self, values: Seen) -> None:
        """Take notice of what shall be."""
        self.wanted.update(values)

    def compare(self, when: str) -> None:
        """Hold the machine against what was asked for."""
        wrong = self.differences()
        if wrong:
            self.stray(f"{when} it has, and shall have: {wrong}")

    def differences(self) -> Seen:
        """What the machine has otherwise than it was asked for: name -> (what it has, what it shall have)."""
        seen = self.site.seen(self.name)
        wrong = {key: (seen.get(key), value) for key, value in self.wanted.items() if seen.get(key) != value}
        wrong.pop("status", None)
        return wrong

    def stray(self, text: str) -> None:
        lines = "\n  ".join(self.told)
        raise Strayed(f"walk {self.seed} of {self.name}: {text}\n  {lines}")

    # The steps

    def memory(self) -> None:
        text, mib = self.random.choice(list(_SIZES.items()))
        if self.must(f"chvm --mem {text}"):
            self.row["memory"] = mib * MIB
            self.asked({"memory": mib * MIB})
            self.nothing(f"chvm --mem {text}")

    def cpus(self) -> None:
        text, topology = self.random.choice(list(_CPUS.items()))
        if self.must(f"chvm --cpus {text}"):
            self.row["cpus"] = topology
            self.asked({"cpus": topology})
            self.nothing(f"chvm --cpus {text}")

    def both(self) -> None:
        text, mib = self.random.choice(list(_SIZES.items()))
        cpus, topology = self.random.choice(list(_CPUS.items()))
        if self.must(f"chvm --mem {text} --cpus {cpus}"):
            said = {"memory": mib * MIB, "cpus": topology}
            self.row.update(said)
            self.asked(said)

    def boot(self) -> None:
        text, order = self.random.choice(list(_BOOT.items()))
        if self.must(f"rsetboot {text} -p"):
            self.row["boot"] = order
            self.asked({"boot": order})
            self.nothing(f"rsetboot {text} -p")

    def boot_once(self) -> None:
        self.must(f"rsetboot {self.random.choice([*_BOOT, 'stat'])}")

    def power(self) -> None:
        self.must(f"rpower {self.random.choice(_POWER)}")

    def by_row(self) -> None:
        """Change several columns at once."""
        columns: dict[str, str] = {}
        for choice in self.random.sample(_ROWS, self.random.randint(1, 3)):
            choice(self, columns)
        if self.settings:
            columns["othersettings"] = ";".join(f"{key}:{value}" for key, value in self.settings.items())
        self.told.append(f"chtab {columns}")
        once = self.site.row_of(self.name).get("othersettings", "")
        kept = [part for part in once.split(";") if part.startswith("bootonce")]
        if kept:
            columns["othersettings"] = ";".join([*filter(None, [columns.get("othersettings", "")]), *kept])
        self.site.node(self.name, **columns)
        if self.must("chvm"):
            self.asked(self.row)
            self.nothing("chvm")

    def plain(self) -> None:
        """What the tables say, as they stand."""
        if self.must("chvm"):
            self.asked(self.row)

    def add_disk(self) -> None:
        before = self.site.seen(self.name)["disks"]
        if len(before) < 5 and self.must("chvm -a 1"):
            after = self.site.seen(self.name)["disks"]
            new = {name: size for name, size in after.items() if name not in before}
            if list(new.values()) != [GIB]:
                self.stray(f"-a 1 made {new}")
            self.asked({"disks": {**self.wanted["disks"], **new}})

    def grow_disk(self) -> None:
        name = self.random.choice(sorted(self.wanted["disks"]))
        size = self.wanted["disks"][name] // GIB + 1
        if self.must(f"chvm --resize {name}={size}g"):
            self.asked({"disks": {**self.wanted["disks"], name: size * GIB}})
            self.nothing(f"chvm --resize {name}={size}g")

    def drop_disk(self) -> None:
        names = sorted(self.wanted["disks"])[1:]
        if names and not self.snapshots:  # managers refuse it of disks that a snapshot has
            name = self.random.choice(names)
            if self.must(f"chvm -p {name}"):
                self.asked({"disks": {key: size for key, size in self.wanted["disks"].items() if key != name}})

    def snapshot(self) -> None:
        name = f"s{self.random.randint(1, 3)}"
        runs = self.site.seen(self.name)
        if self.must(f"chvm --snapshot {name}") and name not in self.snapshots:
            self.snapshots[name] = {**{key: runs[key] for key in KEPT}, "disks": runs["disks"]}

    def revert(self) -> None:
        name = f"s{self.random.randint(1, 3)}"
        if self.must(f"chvm --revert {name}"):
            if name not in self.snapshots:
                self.stray(f"went back to {name}, which was not there")
            then = self.snapshots[name]
            seen = self.site.seen(self.name)
            self.wanted = {**self.wanted, **seen, **{key: then[key] for key in KEPT}}
            self.compare(f"after the way back to {name}")

    def drop_snapshot(self) -> None:
        name = f"s{self.random.randint(1, 3)}"
        if self.must(f"chvm --rmsnapshot {name}"):
            self.snapshots.pop(name, None)


def _order(walk: Walk, columns: dict[str, str]) -> None:
    columns["bootorder"], walk.row["boot"] = walk.random.choice(list(_BOOT.items()))


def _display(walk: Walk, columns: dict[str, str]) -> None:
    columns["vidproto"] = walk.row["display"] = walk.random.choice(["vnc", "spice"])


def _system(walk: Walk, columns: dict[str, str]) -> None:
    columns["guestostype"] = walk.row["os_type"] = walk.random.choice(["rhel_6x64", "rhel_7x64", "other_linux"])


def _size(walk: Walk, columns: dict[str, str]) -> None:
    columns["memory"], mib = walk.random.choice(list(_SIZES.items()))
    walk.row["memory"] = mib * MIB


def _description(walk: Walk, columns: dict[str, str]) -> None:
    walk.settings["description"] = walk.row["description"] = f"text {walk.random.randint(1, 9)}"


def _switch(word: str, key: str) -> Callable[[Walk, dict[str, str]], None]:
    def choose(walk: Walk, columns: dict[str, str]) -> None:
        walk.row[key] = walk.random.random() < 0.5
        walk.settings[word] = "yes" if walk.row[key] else "no"

    return choose


_ROWS = (
    _order,
    _display,
    _system,
    _size,
    _description,
    _switch("ha", "ha"),
    _switch("console", "console"),
    _switch("delete_protected", "protected"),
)
STEPS: tuple[Callable[[Walk], None], ...] = (
    Walk.memory, Walk.cpus, Walk.both, Walk.boot, Walk.boot_once, Walk.power, Walk.power, Walk.power, Walk.by_row,
    Walk.by_row, Walk.plain, Walk.add_disk, Walk.grow_disk, Walk.drop_disk, Walk.snapshot, Walk.revert,
    Walk.drop_snapshot,
)  # fmt: skip
