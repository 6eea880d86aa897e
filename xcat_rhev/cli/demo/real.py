"""The demo on a real engine: machines with names of their own come and go; nothing else is touched."""

from __future__ import annotations

import argparse
import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ...engine.managers import split_name
from ...errors import RhevError
from ...rows.manager import folder_of
from ...secret import Secret
from ..client import target
from ..connect import authority, login, takeover
from ..connect.main import engine_name
from .looks import Engine, expect
from .record import Failed
from .scenes import DemoStage, look_for, start_xcatd


@dataclass(frozen=True)
class RealEngine:
    """An engine that somebody has.

    Attributes:
        name: As the tables have it.
        user, password: Who logs in.
        options: What was typed: CA, cluster, storage domain, API.
    """

    name: str
    user: str
    password: Secret
    options: argparse.Namespace

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> RealEngine:
        """Read the options, and ask the person for what they and the environment do not say.

        Raises:
            RhevError: There is nobody to ask, or a value cannot be.
        """
        name = engine_name(options.engine)
        split_name(name)
        user = login.user(options.user)
        return cls(name, user, login.password(options.password_file, user), options)

    @property
    def api(self) -> str:
        """The dialect of the looks: 4 unless 3 was asked for."""
        return "3" if self.options.api == "3" else "4"


def run_on(stage: DemoStage, real: RealEngine) -> None:
    """Show machines on it, and remove what was made, whatever happens.

    Args:
        stage: The folder and the record.
        real: Where.

    Raises:
        Failed: A step failed.
    """
    stage.record.title(f"Machines on {real.name}")
    stage.record.step("start the embedded xcatd", "xcat-rhev xcatd --home DIR --port 0", partial(start_xcatd, stage))
    stage.record.step("the engine's CA", f"keep the CA of {real.name}", partial(_trust, stage, real))
    stage.record.step("log in", f"lsve -m {real.name} -t dc", partial(_log_in, stage, real))
    show = _Show(stage, _looks(stage, real), real)
    try:
        show.machines()
        show.network()
        show.removal()
    finally:
        show.clean()


def _trust(stage: DemoStage, real: RealEngine) -> str:
    folder = folder_of(stage.home / "xcat" / "etc" / "xcat", real.name)
    options = real.options
    try:
        if options.ca:
            return f"SHA-256 {authority.keep(folder, options.ca)}"
        return f"SHA-256 {authority.approve(real.name, folder, options.ca_sha256, options.yes)}"
    except RhevError as problem:
        raise Failed(str(problem)) from None


def _log_in(stage: DemoStage, real: RealEngine) -> str:
    try:
        takeover.log_in(target(stage.environment()), real.name, real.user, real.password)
    except RhevError as problem:
        raise Failed(str(problem)) from None
    return f"login as {real.user}: works"


def _looks(stage: DemoStage, real: RealEngine) -> Engine:
    ca = folder_of(stage.home / "xcat" / "etc" / "xcat", real.name) / "ca.crt"
    user = real.user if "@" in real.user else f"{real.user}@internal"
    ready = {"ca": str(ca), "user": user, "password": real.password.reveal()}
    address = f"https://{real.name}/ovirt-engine/api"
    return Engine({**ready, "v3": address, "v4": address}, real.api)


class _Show:
    """The steps, with names that nothing else has.

    Args:
        stage: The folder and the record.
        engine: For looks past the product.
        real: Its name and where machines may be.
    """

    def __init__(self, stage: DemoStage, engine: Engine, real: RealEngine) -> None:
        self._stage, self._engine, self._real = stage, engine, real
        self._stem = "xrdemo" + "".join(random.choices(string.ascii_lowercase, k=5))  # noqa: S311 - a name, no secret
        self._nodes = [f"{self._stem}{number}" for number in (1, 2, 3)]
        self._range = f"{self._nodes[0]}-{self._nodes[-1]}"
        self._made: list[str] = []

    def machines(self) -> None:
        """Tables, making, starting, changing, moving, a snapshot, stopping."""
        cluster = self._real.options.cluster
        domain = self._real.options.domain or self._engine.domain_for(cluster)
        self._stage.set_up(
            f"nodeadd {self._range} groups=vm,all nodehm.mgt=rhevm",
            f"nodech {self._range} vm.mgr={self._real.name} vm.cluster={cluster} vm.memory=1g vm.cpus=1:1 "
            f"vm.storage={domain}:1g:system",
        )
        first, second, third = self._nodes
        self._made.append("machines")
        self._type("three machines", f"mkvm {self._range}", self._all("down"))
        self._type("a second time there is nothing to do", f"mkvm {self._range}", partial(look_for, "nothing to do"))
        self._type("they start", f"rpower {self._range} on", self._check_running)
        self._type("what is the first", f"lsvm {first}", partial(look_for, first))
        self._type("it gets more memory", f"chvm {first} --mem 2g", lambda _: "")
        self._migration(first)
        self._type("a disk for the second", f"chvm {second} -a 1", lambda _: "")
        self._type("a snapshot of the third", f"chvm {third} --snapshot demo", lambda _: "")
        self._type("they stop", f"rpower {self._range} off", self._all("down"))

    def _migration(self, node: str) -> None:
        """It moves, where there is another hypervisor that is up; the engine knows which of them can take it."""
        here = self._engine.host_of(node)
        up = self._engine.hosts_up(self._real.options.cluster)
        if any(host != here for host in up):
            look = lambda _: expect("it left its host", self._engine.host_of(node) not in ("", here), True)  # noqa: E731
            self._type("it moves to another hypervisor", f"rmigrate {node} any", look)

    def network(self) -> None:
        """A logical network is made, used by a cluster, and removed."""
        cluster, name = self._real.options.cluster, self._real.name
        center = self._engine.center_of(cluster)
        words = f"cfgve -t nw -m {name} -o {self._stem}"
        self._made.append("network")
        self._type("a network", f"{words} -d {center} -c", self._network(True))
        self._type("it joins the cluster", f"{words} -a -l {cluster}", lambda _: "")
        self._type("lsve shows it", f"lsve -t nw -m {name} -o {self._stem}", partial(look_for, self._stem))
        self._type("it leaves the cluster", f"{words} -b -l {cluster}", lambda _: "")
        self._type("it is removed", f"{words} -d {center} -r", self._network(False))

    def removal(self) -> None:
        """The machines and their disks go."""
        self._type("the machines are removed with their disks", f"rmvm {self._range} -p", self._all(None))

    def clean(self) -> None:
        """Remove what a failed step, or Ctrl-C, left; say what could not be removed."""
        if "machines" in self._made and self._leftovers():
            self._quietly(f"rpower {self._range} off")
            self._quietly(f"rmvm {self._range} -p -f")
        if "network" in self._made and self._stem in self._engine.states("networks"):
            center = self._engine.center_of(self._real.options.cluster)
            self._quietly(f"cfgve -t nw -m {self._real.name} -o {self._stem} -d {center} -r -f")
        left = self._leftovers()
        if left:
            raise Failed(f"these are still on {self._real.name}, remove them: {', '.join(left)}")

    def _leftovers(self) -> list[str]:
        there = {**self._engine.states("vms"), **self._engine.states("networks")}
        return [name for name in (*self._nodes, self._stem) if name in there]

    def _quietly(self, command: str) -> None:
        try:
            self._stage.type(command)
        except Failed:
            pass  # what is still there is named at the end

    def _type(self, name: str, command: str, look: Callable[[str], str]) -> None:
        self._stage.type_command(name, command, look)

    def _all(self, state: str | None) -> Callable[[str], str]:
        def look(_: str) -> str:
            states = self._engine.states("vms")
            return expect(self._range, [states.get(node) for node in self._nodes], [state] * 3)

        return look

    def _check_running(self, _: str) -> str:
        states = self._engine.states("vms")
        on = all(states.get(node) in ("up", "powering_up", "wait_for_launch") for node in self._nodes)
        return expect(f"{self._range} are on", on, True)

    def _network(self, there: bool) -> Callable[[str], str]:
        return lambda _: expect("the network is there", self._stem in self._engine.states("networks"), there)
