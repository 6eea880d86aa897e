"""Where the simulator is meant to differ from the recordings, and why. The list is short; each line has its reason."""

from __future__ import annotations

import re
from typing import NamedTuple


class Wanted(NamedTuple):
    """A difference that is wanted.

    Attributes:
        step: A pattern that the whole text of a step fits.
        what: `status`, `words`, `elements`, `values`, `order`, `states`.
        reason: Why it is wanted.
        paths: For elements and values, a pattern of those that may differ.
        engines: Only another engine may differ in this, not the simulator.
        versions: A pattern of the recorded engines and dialects, as `4.2.8-v4`, of which it is true.
    """

    step: str
    what: str
    reason: str
    paths: str = ".*"
    engines: bool = False
    versions: str = ".*"


#: Hosts of the recorded engines were stand-ins: they say less of themselves than VDSM, or pass through fewer states.
_STAND_INS = "the hosts of the recorded engine were stand-ins, which show other states and less of a running machine"
_TEN = "an engine refuses the first ten unknown elements after its start, and passes over those that come then"
_OWN = "each engine has a product name and users of its own"
_BLANK = "Blank has a time zone once somebody has changed it"
_FAILS = "the engine fails inside; its words and the status are an accident"
_SQL = "the engine's words are those of its database"
_USED = "the recorded engine had been used before, and had things of others"
_RUN = r"vms?/vm/.*|vm/(fqdn|guest_.*|display/(address|port|secure_port))"

#: 4.2 alone.
_OLD = "4.2.*"
_ONE_OF_TWO = "of two broken rules an engine names one or the other"
_UNKNOWN = r".*<(foo|frobnicate|bios_type|bios)\b.*"

WANTED: tuple[Wanted, ...] = (
    Wanted(_UNKNOWN, "status", _TEN, versions=_OLD),
    Wanted(_UNKNOWN, "words", _TEN, versions=_OLD),
    Wanted(r"GET /networks", "order", _TEN, versions=_OLD),
    Wanted(r"POST /(vms <host|datacenters <cluster).*", "words", _FAILS, versions=_OLD),
    Wanted(r"(GET|PUT) /hosts.*", "elements", _STAND_INS, r"(hosts/)?host/(cpu/type|os/description)", versions=_OLD),
    Wanted(r"GET /", "elements", "the recorded engine's build has no name", "api/product_info/name", versions=_OLD),
    Wanted(r"(GET|PUT) /vms/\{vm\}.*", "elements", "nothing is said in these", "vm/initialization.*", versions=_OLD),
    Wanted(r"GET /vms/\{vm\}/tags", "order", "the engine lists them in no order", versions=_OLD),
    Wanted(r"GET /storagedomains/\{sd\}/disks", "order", _USED, versions=_OLD),
    Wanted(r"DELETE /disks/\{free\}", "words", "a copy is there at once", versions=_OLD),
    Wanted(
        r"PUT /disks/\{free\} .*", "elements", "the answer may show it as it was", "disk/description", versions=_OLD
    ),
    Wanted(r"POST /vms .*<name>ct_x</name><placement_policy>.*", "words", _ONE_OF_TWO, versions=_OLD),
    Wanted(r"POST /vms/\{vm\}/snapshots/\{active\}/restore .*", "status", _ONE_OF_TWO, versions=_OLD),
    Wanted(r"POST /vms/\{vm\}/snapshots/\{snap\}/restore .*", "status", "a snapshot is taken sooner", versions=_OLD),
    Wanted(r"POST /vms/\{vm\}/graphicsconsoles/766e63/ticket .*", "status", _STAND_INS, versions=_OLD),
    Wanted(r".*<(foo|frobnicate).*", "status", _TEN, engines=True),
    Wanted(r".*<(foo|frobnicate).*", "words", _TEN, engines=True),
    Wanted(r"until down /vms/.*", "states", "whether up or powering_down is seen after a stop is chance"),
    Wanted(r"(GET|PUT) /vms/\{vm\}.*", "elements", _STAND_INS, _RUN),
    Wanted(r"POST /vms/\{vm\}/ticket .*", "status", _STAND_INS),
    Wanted(r"POST /vms/\{vm\}/start <action/>", "words", _STAND_INS),
    Wanted(r"GET /vms/\{vm\}/graphicsconsoles\?current=true", "elements", _STAND_INS),
    Wanted(
        r"GET /vms/.*/statistics", "elements", "what a machine used before is not kept", ".*/values(/value/detail)?"
    ),
    Wanted(r"GET /hosts/\{host\}/(nics|networkattachments|storage|devices)", "elements", _STAND_INS),
    Wanted(r"until (up|maintenance) /hosts/.*", "states", _STAND_INS),
    Wanted(r"POST /hosts/\{host\}/deactivate .*", "status", "a machine of somebody else was in the way"),
    Wanted(r"POST /hosts/\{host\}/deactivate .*", "words", "a machine of somebody else was in the way"),
    Wanted(r"(POST|PUT) /vms/\{vm\}/nics.*", "values", "each engine has a pool of its own", "nic/mac/address"),
    Wanted(r"DELETE /clusters/\{cl\}/affinitygroups/\{group\}", "status", _FAILS),
    Wanted(r"POST /clusters .*<minor>9</minor>.*", "status", _FAILS),
    Wanted(r"POST /vms .*<memory>1000</memory>.*", "words", "of two broken rules an engine names one or the other"),
    Wanted(r"GET /vms\?search=.*follow=nosuch", "words", _FAILS),
    Wanted(r"GET /vms\?search=(name%3Dct_s\*%20page%200|id%3Dnonsense)", "words", _SQL),
    Wanted(r"DELETE /clusters/\{default\}", "words", _USED),
    Wanted(r"GET /", "elements", _OWN, "api/product_info/(name|vendor)", engines=True),
    Wanted(r"GET /users", "elements", _OWN, "users/user/(email|name|last_name)", engines=True),
    Wanted(r"(GET|PUT) /templates/0{8}-.*", "elements", _BLANK, "template/time_zone/name", engines=True),
    Wanted(r"GET /templates\?search=name%3DBlank", "elements", _BLANK, ".*/time_zone/name", engines=True),
    Wanted(r"GET /vms/\{vm\}/tags", "order", "an engine keeps them in no order", engines=True),
    Wanted(r"GET /(jobs|instancetypes|events\?.*)", "elements", _USED),
    Wanted(r"GET /storagedomains/\{sd\}/(vms|disks|disksnapshots)", "elements", _USED),
    Wanted(r"GET /storagedomains/\{sd\}/files", "status", "a link leads there, which clients follow"),
    Wanted(r"GET /schedulingpolicyunits", "elements", "the simulator has one of them", ".*/value"),
    Wanted(r"GET /vms\?search=name%3Dct_exp2", "elements", "a copy is there at once"),
    Wanted(r"GET /vms\?search=name%3Dct_exp2", "order", "a copy is there at once"),
    Wanted(r"POST /vms/\{vm\}/clone .*", "words", "a copy is there at once"),
    Wanted(r"DELETE /disks/\{free\}", "status", "a disk is locked for a shorter time"),
    Wanted(r"until gone /disks/\{(free|disk)\}", "states", "a disk is locked for a shorter time"),
    Wanted(r"PUT /vms/\{vm\} .*<custom_compatibility_version>.*", "status", "which CPUs a level has is not looked at"),
    Wanted(r"GET /vms/\{vm\}", "elements", "see above", "vm/custom_compatibility_version/.*"),
    Wanted(r"PUT /vms/\{vm\} .*<initialization>.*", "elements", "no list of NICs is kept", ".*/nic_configurations"),
    Wanted(r"POST /vms/\{vm\}/suspend .*", "elements", "ids of tasks are UUIDs", "action@id"),
    Wanted(
        r"GET /templates/\{tpl\}/diskattachments",
        "elements",
        "whose disk it is stands in the address",
        ".*/(vm|template).*",
    ),
)


def reasons(step: str, what: str, version: str, engine: bool = False) -> list[Wanted]:
    """The wanted differences of one kind that are about a step.

    Args:
        step: The scenario's line.
        what: As in `Wanted`.
        version: The recorded engine and dialect, as `4.2.8-v4`.
        engine: What is held against it is an engine, too.
    """
    about = (one for one in WANTED if one.what == what and engine >= one.engines)
    return [one for one in about if re.fullmatch(one.versions, version) and re.fullmatch(one.step, step)]
