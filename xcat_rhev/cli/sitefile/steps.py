"""The steps of a site: each a command that people type, with a look at the tables that tells whether it is done.

Nothing is remembered beside the tables and the managers themselves, so a run that was cut off is taken up by the next.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, NamedTuple

from ...clock import Clock
from ...commands.finish.reports import MANAGER, notes
from ...commands.finish.setups import HOST, READY, SETUP, UP, WAITING
from ...errors import FailedState, RhevError, TimedOut
from ...messages import Data, Error, Info, Message, Warn
from ..enginekit import managerkit, ready
from ..enginekit.image import KitImage, base_image
from ..enginekit.releases import manager_on, release
from ..xcatd import AskedXcatd
from .sitedescription import SiteManager

#: Seconds for the install of a hypervisor or a manager, and between two looks.
LIMIT, PAUSE = 7200.0, 5.0
#: The script with which a host with a full Linux ends its first start.
_HOST_SCRIPT = "rhevmhost"
#: Columns of the hypervisor table that a description has.
_COLUMNS = ("cluster", "interface", "user")


@dataclass(frozen=True)
class SiteStep:
    """One step.

    Attributes:
        says: What it does, for people.
        done: Looks whether there is nothing left to do; None for one that finds out by itself, and settles.
        do: Does it, and says what happens.
    """

    says: str
    done: Callable[[], bool] | None
    do: Callable[[], Iterator[str]]


class InstallState(NamedTuple):
    """What the tables say about the install of a node.

    Attributes:
        image: nodetype.provmethod.
        chain: chain.currstate.
        status: nodelist.status.
    """

    image: str
    chain: str
    status: str

    def begun(self, image: str) -> bool:
        """Whether it installs itself with that image; nodeset alone starts nothing."""
        return self.image == image and self.chain.startswith("install") and self.status in ("installing", "powering-on")

    def booted(self, image: str) -> bool:
        """Whether it has been installed with that image."""
        return self.image == image and self.chain == "boot" and self.status == "booted"


class ManagerSteps:
    """The steps of one manager, in order.

    Args:
        xcatd: Whom to ask.
        manager: What it shall be.
        clock: Time.
    """

    def __init__(self, xcatd: AskedXcatd, manager: SiteManager, clock: Clock) -> None:
        self._xcatd, self._manager, self._clock = xcatd, manager, clock

    def all(self) -> Iterator[SiteStep]:
        """What others stand on comes first; machines that install themselves do so side by side."""
        manager = self._manager
        if manager.node:
            words = f"{manager.release} on {manager.node}"
            yield SiteStep(f"kit for {words}", lambda: self._setup() != "", self._kit)
            yield SiteStep(f"install {words}", self._manager_begun, self._install_manager)
        for image, nodes in manager.hypervisors.items():
            for node in nodes:
                begun = partial(self._begun, node, image)
                yield SiteStep(f"install {node} with {image}", begun, partial(self._install_host, node, image))
        if manager.node:
            # Also one that was up: its machine may have lost its power since.
            yield SiteStep(f"wait for {manager.name}", None, self._wait_for_manager)
        for image, nodes in manager.hypervisors.items():
            for node in nodes:
                booted = partial(self._booted, node, image)
                yield SiteStep(f"wait until {node} is installed", booted, partial(self._wait, node, image))
        if manager.environment:
            yield SiteStep("data centers, clusters, networks, hosts, storage, machines", None, self._environment)
        powered = [node for nodes in manager.hypervisors.values() for node in nodes]
        if powered:
            joined = partial(self._joined, powered)
            yield SiteStep(f"networks, power management, scripts of {', '.join(powered)}", joined, self._join)

    def _appstatus(self, node: str) -> dict[str, str]:
        row = self._xcatd.node(node, "nodelist.appstatus", "nodelist.node")
        return notes({"appstatus": row.get("nodelist.appstatus", "")})

    def _setup(self) -> str:
        return self._appstatus(self._manager.node).get(SETUP, "")

    def _node(self, node: str) -> InstallState:
        row = self._xcatd.node(node, "nodetype.provmethod", "chain.currstate", "nodelist.status")
        return InstallState(
            row.get("nodetype.provmethod", ""), row.get("chain.currstate", ""), row.get("nodelist.status", "")
        )

    def _manager_begun(self) -> bool:
        """Whether the machine of the manager installs itself; a setup that goes on tells so, too."""
        begun = self._node(self._manager.node).begun(self._kit_image().name)
        return begun or self._setup() not in ("", WAITING)

    def _begun(self, node: str, image: str) -> bool:
        state = self._node(node)
        return state.begun(image) or state.booted(image)

    def _booted(self, node: str, image: str) -> bool:
        """Whether it is a hypervisor now: a full Linux has to run its scripts first, after its own start."""
        if not self._node(node).booted(image):
            return False
        return _HOST_SCRIPT not in self._image_row(image).get("postbootscripts", "") or self._ready(node)

    def _ready(self, node: str) -> bool:
        return self._appstatus(node).get(HOST) == READY

    def _image_row(self, image: str) -> dict[str, str]:
        return self._xcatd.row("osimage", imagename=image)

    def _joined(self, nodes: list[str]) -> bool:
        return all(self._appstatus(node).get(MANAGER) == UP for node in nodes)

    def _options(self) -> argparse.Namespace:
        manager = self._manager
        return argparse.Namespace(
            version=manager.release,
            node=manager.node,
            image=manager.image,
            output=None,
            organization="",
            keycloak=True,
            again=False,
        )

    def _kit(self) -> Iterator[str]:
        yield from (line for line in managerkit.make(self._options()) if line.startswith(("written", "kept")))

    def _kit_image(self) -> KitImage:
        chosen, base = release(self._manager.release), base_image(self._xcatd, self._manager.image)
        kit = KitImage(base, "manager", chosen, manager_on(chosen, base.major), Path(), Path())
        return kit._replace(folder=Path(self._xcatd.site("installdir", "/install"), "custom/rhevm", kit.name))

    def _install_manager(self) -> Iterator[str]:
        image = self._kit_image()
        if not self._xcatd.row("osimage", imagename=image.name):
            yield from self._run("mkdef", "-z", stdin=(image.folder / "osimage.stanza").read_text())
        yield from self._install(self._manager.node, image.name)

    def _install(self, node: str, image: str) -> Iterator[str]:
        """rinstall says so where nobody but a person can start the machine."""
        yield from self._run("rinstall", node, f"osimage={image}")
        self._xcatd.ask("chtab", f"node={node}", "nodelist.status=installing")

    def _install_host(self, node: str, image: str) -> Iterator[str]:
        """What the file says about it comes into the tables first: the install and rhevhjoin read them."""
        row = {key: value for key, value in self._manager.hosts.get(node, {}).items() if key in _COLUMNS}
        values = {"mgr": self._manager.name, "type": self._host_type(image), **row}
        self._xcatd.ask("chtab", f"node={node}", *(f"hypervisor.{key}={value}" for key, value in values.items()))
        yield from self._install(node, image)

    def _host_type(self, image: str) -> str:
        """hypervisor.type: what the image is, for a full Linux whose manager it gets."""
        system = self._image_row(image).get("osvers", "")
        ours = system.startswith(("rhev", "rhvh", "ovirt"))
        name = system if ours or not self._manager.release else release(self._manager.release).name
        return "ovirt" if name.startswith(("ovirt", "olvm")) else "rhevh"

    def _wait_for_manager(self) -> Iterator[str]:
        yield from ready.wait(self._xcatd, self._manager.node, LIMIT, self._clock)

    def _wait(self, node: str, image: str) -> Iterator[str]:
        end = self._clock.now() + LIMIT
        while not self._booted(node, image):
            status = self._node(node).status
            if status == "failed":
                raise FailedState(f"the install of {node} failed", f"Look at its console: rcons {node}")
            if self._clock.now() >= end:
                raise TimedOut(
                    f"{node} is {status or 'silent'} after {LIMIT:.0f} s", f"Look at its console: rcons {node}"
                )
            self._clock.sleep(PAUSE)
        yield f"{node}: booted"

    def _environment(self) -> Iterator[str]:
        yield from self._run("cfgve", "-m", self._manager.name, "--from", "-", stdin=self._manager.environment)

    def _join(self) -> Iterator[str]:
        nodes = [node for nodes in self._manager.hypervisors.values() for node in nodes]
        yield from self._run("rhevhjoin", ",".join(nodes))

    def _run(self, command: str, *words: str, stdin: str = "") -> Iterator[str]:
        """Run a command and pass on what it says; its errors end the step."""
        errors = []
        for message in self._xcatd.messages(command, *words, stdin=stdin):
            if isinstance(message, Error):
                errors.append(line_of(message))
            elif isinstance(message, (Data, Info, Warn)):
                yield line_of(message)
        if errors:
            raise RhevError(f"{command}: {'; '.join(errors)}")


def line_of(message: Message) -> str:
    """A message as a line."""
    node = getattr(message, "node", "")
    text = getattr(message, "text", "")
    return f"{node}: {text}" if node else str(text)
