"""What an engine once told, read from a file: whole documents by path, or exchanges one after the other."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

Version = tuple[int, int]
_WORD = re.compile(r"@([a-z]+[0-9a-z]*)\b")


@dataclass(frozen=True)
class Recording:
    """The documents of one engine.

    Attributes:
        version: The engine's.
        answers: Document by path.
        joined: They were told at different moments.
    """

    version: Version
    answers: Mapping[str, Any]
    joined: bool = False

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Read a file, or all files of a folder, which are of one engine; those of our own making are XML."""
        if path.suffix == ".xml":
            return cls(*_own(path.read_text(encoding="utf-8")))
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        told = [json.loads(file.read_text(encoding="utf-8")) for file in files]
        major, minor = (told[0]["version"].split(".") + ["0"])[:2]
        version = (3, 6) if told[0]["api"] == 3 and major == "4" else (int(major), int(minor))  # v3 ends with 3.6
        if "answers" in told[0]:
            bodies = [(path, body) for each in told for path, body in each["answers"].items()]
            return cls(version, {path: etree.fromstring(body.encode()) for path, body in bodies if body.strip()})
        return cls(version, _settled([each for one in told for each in one["exchanges"]]), joined=True)


def _own(text: str) -> tuple[Version, dict[str, Any]]:
    """Documents of our own: each word after an @ becomes an id, and each thing says where it is."""
    root = etree.fromstring(_WORD.sub(lambda word: str(uuid.uuid5(uuid.NAMESPACE_URL, word[1])), text).encode())
    major, minor = map(int, str(root.get("version")).split("."))
    answers = {f"/ovirt-engine/api{at.get('path')}": at[0] for at in root.iterfind("at")}
    for path, things in answers.items():
        for thing in things:
            thing.set("href", f"{path}/{thing.get('id')}")
            for below in thing.iterfind(".//*[@id]"):
                below.set("href", f"/ovirt-engine/api/{below.tag.replace('_', '')}s/{below.get('id')}")
    return (major, minor), answers


def _settled(exchanges: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The last document of each path; a list that was never asked for is made of the things that were."""
    answers: dict[str, Any] = {}
    things: dict[str, Any] = {}
    for method, path, document in _told(exchanges):
        if method == "GET" and "?" not in path and ";" not in path:
            answers[path.rstrip("/")] = document
            things.update({each.get("href"): each for each in (document, *document) if _is_whole(each)})
    for document in answers.values():
        for child in [child for child in document if child.tag == "vm" and not _is_whole(child)]:
            document.remove(child)
    for href, thing in things.items():
        above = href.rpartition("/")[0]
        if above not in answers and thing.get("id"):
            answers[above] = etree.Element(LISTS.get(above.rpartition("/")[2], above.rpartition("/")[2]))
        if thing.get("id") and thing.get("id") not in {each.get("id") for each in answers[above]}:
            answers[above].append(etree.fromstring(etree.tostring(thing)))
    _forget_lost(answers)
    return answers


def _forget_lost(answers: Mapping[str, Any]) -> None:
    """Leave out machines whose cluster nobody asked for."""
    lists = {path.rpartition("/")[2]: things for path, things in answers.items() if path.count("/") == 3}
    known = {cluster.get("id") for cluster in lists.get("clusters", ())}
    for vm in [
        vm for vm in lists.get("vms", ()) if vm.find("cluster") is None or vm.find("cluster").get("id") not in known
    ]:
        lists["vms"].remove(vm)


def _is_whole(thing: Any) -> bool:
    """Was nothing left out of it when it was recorded? Machines in long lists have a name and a state alone."""
    return bool(thing.get("href")) and thing.find("name") is not None and (thing.tag != "vm" or len(thing) > 10)


def _told(exchanges: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    """Method, path and document of what was answered in full."""
    for exchange in exchanges:
        request, answer = exchange["request"], exchange["answer"]
        body = (answer.get("body") or "").strip()
        if answer["status"] == 200 and body.startswith("<") and not answer.get("truncated"):
            try:
                yield request["method"], request["path"], etree.fromstring(body.encode())
            except etree.XMLSyntaxError:  # a page of HTML, or cut
                continue


#: What lists are called where it is not the last word of their path.
LISTS = {
    "affinitygroups": "affinity_groups",
    "affinitylabels": "affinity_labels",
    "diskprofiles": "disk_profiles",
    "externalhostproviders": "external_host_providers",
    "instancetypes": "instance_types",
    "macpools": "mac_pools",
    "networkfilters": "network_filters",
    "openstackimageproviders": "openstack_image_providers",
    "openstacknetworkproviders": "openstack_network_providers",
    "openstackvolumeproviders": "openstack_volume_providers",
    "schedulingpolicies": "scheduling_policies",
    "schedulingpolicyunits": "scheduling_policy_units",
    "clusterlevels": "cluster_levels",
    "datacenters": "data_centers",
    "diskattachments": "disk_attachments",
    "fenceagents": "agents",
    "graphicsconsoles": "graphics_consoles",
    "hostdevices": "host_devices",
    "mediateddevices": "vm_mediated_devices",
    "networkattachments": "network_attachments",
    "numanodes": "vm_numa_nodes",
    "operatingsystems": "operation_systems",
    "reporteddevices": "reported_devices",
    "storagedomains": "storage_domains",
    "storageconnections": "storage_connections",
    "vnicprofiles": "vnic_profiles",
}
#: The same below a host: its NICs.
HOST_LISTS = {
    "devices": "host_devices",
    "nics": "host_nics",
    "numanodes": "host_numa_nodes",
    "storage": "host_storages",
}
