"""A site whose manager is the real engine that --engine names; what it makes it removes."""

from __future__ import annotations

import base64
import os
import shlex
import ssl
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lxml import etree

from fakes import FakeHost
from walks import Seen
from xcat_rhev.clock import SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.messages import Message
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request


class EngineSite:
    """An xCAT of dictionaries with one real manager; user, password, CA, cluster and domain come from the environment.

    Args:
        home: Where files are kept.
        url: `https://host[:port]`.
    """

    def __init__(self, home: Path, url: str) -> None:
        self.manager = url.removeprefix("https://").rstrip("/")
        self._user, self._password = os.environ["ENGINE_USER"], os.environ["ENGINE_PASSWORD"]
        self._cluster, self._domain = (
            os.environ.get("ENGINE_CLUSTER", "Default"),
            os.environ.get("ENGINE_DOMAIN", "data1"),
        )
        ca = os.environ.get("ENGINE_CA", "")
        self._tls = ssl.create_default_context(cafile=ca or None)
        self.host = FakeHost(
            {
                "passwd": [{"key": self.manager, "username": self._user, "password": self._password}],
                "site": [{"key": "xcatconfdir", "value": str(home)}, {"key": "rhevmca", "value": ca}],
            }
        )
        clock = SystemClock()
        self._managers = Managers(clock)
        self._dispatcher = Dispatcher(self._managers, clock)
        self._made: list[str] = []

    def close(self) -> None:
        """Remove the machines that were made, and end it."""
        if self._made:
            for name in self._made:
                self.node(name, othersettings="delete_protected:no")
            self.say("rpower off", self._made)
            self.say("chvm", self._made)
            self.say("rmvm -p -f", self._made)
        self._managers.close()

    def node(self, name: str, **columns: str) -> str:
        """Set columns of a machine's row."""
        self.host.set_node_attrs("vm", {name: {"mgr": self.manager, "cluster": self._cluster, **columns}})
        return name

    def made(self, *names: str, **columns: str) -> list[str]:
        """Make machines with one small disk."""
        columns.setdefault("storage", f"{self._domain}:1g")
        found = [self.node(name, **columns) for name in names]
        self._made += found
        said = self.say("mkvm", found)
        assert "Error" not in {type(message).__name__ for message in said}, said
        return found

    def say(self, line: str, nodes: Sequence[str] = ()) -> list[Message]:
        """Type a command."""
        name, *args = shlex.split(line)
        return list(self._dispatcher.run(Request(name, tuple(nodes), tuple(args)), self.host))

    def row_of(self, node: str, table: str = "vm") -> dict[str, str]:
        """A node's row without its manager."""
        return {
            key: value for key, value in self.host.row(table, node).items() if key not in ("node", "mgr", "cluster")
        }

    def seen(self, name: str) -> Seen:
        """A machine as the engine shows it, read past the client."""
        query = urllib.parse.urlencode({"search": f"name={name}", "follow": "disk_attachments.disk,nics"})
        vm = self._read(f"/vms?{query}").find("vm")
        assert vm is not None, name

        def text(path: str, usual: str = "") -> str:
            return str(vm.findtext(path) or usual)

        def flag(path: str) -> bool:
            return text(path) == "true"

        return {
            "memory": int(text("memory")),
            "boot": [device.text for device in vm.findall("os/boot/devices/device")],
            "os_type": text("os/type"),
            "cpus": tuple(int(text(f"cpu/topology/{part}", "1")) for part in ("sockets", "cores", "threads")),
            "display": text("display/type"),
            "description": text("description"),
            "ha": flag("high_availability/enabled"),
            "console": flag("console/enabled"),
            "protected": flag("delete_protected"),
            "disks": {
                str(disk.findtext("name")): int(disk.findtext("provisioned_size") or 0)
                for disk in vm.findall("disk_attachments/disk_attachment/disk")
            },
            "nics": sorted((nic.findtext("name"), nic.findtext("interface")) for nic in vm.findall("nics/nic")),
            "status": text("status"),
        }

    def _read(self, path: str) -> Any:
        login = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
        told = {"Accept": "application/xml", "Version": "4", "All-Content": "true", "Authorization": f"Basic {login}"}
        request = urllib.request.Request(f"https://{self.manager}/ovirt-engine/api{path}", headers=told)
        with urllib.request.urlopen(request, context=self._tls, timeout=180) as answer:
            return etree.fromstring(answer.read())
