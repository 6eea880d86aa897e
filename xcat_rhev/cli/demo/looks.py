"""Looks at results that do not go through the product: plain HTTP to the engine, plain files, plain SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from lxml import etree

from .record import Failed

#: Seconds that an engine may take to answer; a busy one needs them.
_PATIENCE = 180


class Engine:
    """Asks the simulator what is so, in its own words.

    Args:
        ready: The line that the simulator printed when it was ready.
        api: Which dialect to ask in: `4` or `3`.
    """

    def __init__(self, ready: Mapping[str, Any], api: str) -> None:
        self._url = str(ready["v4" if api == "4" else "v3"])
        self._session = requests.Session()
        self._session.trust_env = False  # a REQUESTS_CA_BUNDLE of the shell would win over the simulator's CA
        self._session.verify = str(ready["ca"])
        self._session.auth = (str(ready["user"]), str(ready["password"]))
        self._session.headers.update({"Accept": "application/xml", "Version": api})
        #: host:port, as the tables name this manager.
        self.name = self._url.split("/")[2]

    def states(self, collection: str) -> dict[str, str]:
        """Name -> state of all objects of a collection, e.g. `vms`; a state that is not shown is empty."""
        answer = self._session.get(f"{self._url}/{collection}", timeout=_PATIENCE)
        answer.raise_for_status()
        root = etree.fromstring(answer.content, etree.XMLParser(resolve_entities=False, no_network=True))
        return {str(item.findtext("name")): _state(item) for item in root}

    def host_of(self, vm: str) -> str:
        """The name of the host that a machine runs on, or empty."""
        found = self._get(f"vms?search=name%3D{quote(vm)}").find("vm/host")
        return "" if found is None else str(self._get(f"hosts/{found.get('id')}").findtext("name"))

    def storage_states(self, data_center: str) -> dict[str, str]:
        """Name -> state of a data center's storage domains, the only place where an engine shows it."""
        item = self._get(f"datacenters?search=name%3D{quote(data_center)}").find("data_center")
        return {} if item is None else self.states(f"datacenters/{item.get('id')}/storagedomains")

    def center_of(self, cluster: str) -> str:
        """The name of a cluster's data center.

        Raises:
            Failed: There is no such cluster, or it is in none.
        """
        found = self._get(f"clusters?search=name%3D{quote(cluster)}").find("cluster/data_center")
        if found is None:
            raise Failed(f"there is no cluster {cluster} in a data center. Give --cluster NAME")
        return str(self._get(f"datacenters/{found.get('id')}").findtext("name"))

    def domain_for(self, cluster: str) -> str:
        """The name of a data domain that machines of a cluster can have disks on.

        Raises:
            Failed: None is active.
        """
        center = self._get(f"datacenters?search=name%3D{quote(self.center_of(cluster))}").find("data_center")
        assert center is not None, cluster
        domains = self._get(f"datacenters/{center.get('id')}/storagedomains")
        fit = [item for item in domains if item.findtext("type") == "data" and _state(item) == "active"]
        if not fit:
            raise Failed(f"the data center of {cluster} has no active data domain")
        return str(fit[0].findtext("name"))

    def hosts_up(self, cluster: str) -> list[str]:
        """The hosts of a cluster that are up."""
        hosts = self._get(f"hosts?search=cluster%3D{quote(cluster)}")
        return [str(item.findtext("name")) for item in hosts if _state(item) == "up"]

    def requests(self) -> int:
        """How many requests the simulator has served."""
        root = self._url.split("/", 3)
        counts = self._session.get("/".join(root[:3]) + "/-/stats", timeout=_PATIENCE).json()["requests"]
        return sum(counts.values())

    def register(self, name: str, address: str, unique_id: str) -> int:
        """Register a host as the agent on an installed RHEV-H does, without a login; gives the HTTP status."""
        servlet = self._url.split("/", 3)
        query = {"vds_ip": address, "vds_name": name, "vds_unique_id": unique_id, "port": "54321"}
        with requests.Session() as agent:  # not our session: it must not carry the login
            agent.trust_env = False
            agent.verify = self._session.verify
            address = "/".join(servlet[:3]) + "/OvirtEngineWeb/register"
            return agent.get(address, params=query, timeout=_PATIENCE).status_code

    def _get(self, path: str) -> etree._Element:
        answer = self._session.get(f"{self._url}/{path}", timeout=_PATIENCE)
        answer.raise_for_status()
        return etree.fromstring(answer.content, etree.XMLParser(resolve_entities=False, no_network=True))


def _state(item: etree._Element) -> str:
    return str(item.findtext("status/state") or item.findtext("status") or "").strip()


def row(home: Path, table: str, key: Mapping[str, str]) -> dict[str, str]:
    """Read one row of a table from its SQLite file.

    Raises:
        Failed: There is no such row.
    """
    where = " AND ".join(f'"{column}" = ?' for column in key)
    with closing(sqlite3.connect(home / "etc" / "xcat" / f"{table}.sqlite")) as database:
        database.row_factory = sqlite3.Row
        found = database.execute(f'SELECT * FROM "{table}" WHERE {where}', tuple(key.values())).fetchone()  # noqa: S608
    if found is None:
        raise Failed(f"table {table} has no row with {dict(key)}")
    return {name: found[name] or "" for name in found.keys()}


def expect(what: str, got: object, wanted: object) -> str:
    """Compare a look with what should be.

    Returns:
        A line that says what was seen.

    Raises:
        Failed: It is not so.
    """
    if got != wanted:
        raise Failed(f"looked at {what}: expected {wanted!r}, found {got!r}")
    return f"looked at {what}: {_in_words(got)}"


def _in_words(got: object) -> str:
    """What was seen, as people write it."""
    if isinstance(got, list):
        return ", ".join(map(_in_words, got))
    if isinstance(got, bool):
        return "yes" if got else "no"
    return "gone" if got is None else str(got)
