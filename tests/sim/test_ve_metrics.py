"""lsve --metrics: valid in Prometheus' text format, and the numbers that the official SDK counts too."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone

from vesim import each_version, only

site = each_version(hosts=2, vms=3)
SAMPLE = re.compile(r'(\w+)\{(\w+="(?:[^"\\\n]|\\[\\"n])*"(?:,\w+="(?:[^"\\\n]|\\[\\"n])*")*)\} [-+\d.e]+')


def samples(site):
    """Each metric's samples: labels without the manager -> value. Heads come before them, and once."""
    found, head = {}, []
    for line in site.ok("lsve -m MGR --metrics"):
        if line.startswith("# "):
            head = [*head, line.split(" ")[1:3]]
            continue
        shape = SAMPLE.fullmatch(line)
        assert shape, line
        assert ["HELP", shape[1]] in head and ["TYPE", shape[1]] in head
        labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', shape[2]))
        assert labels.pop("manager") == site.manager
        found.setdefault(shape[1], {})[tuple(labels.values())] = float(line.rpartition(" ")[2])
    assert len({tuple(each) for each in head}) == len(head)
    return found


def test_states_room_and_our_own_requests(site):
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("rpower on", ["vm1"])
    site.clock.sleep(5)
    found = samples(site)
    assert found["rhev_machines"] == {("down",): 2, ("up",): 1}
    assert found["rhev_hosts"] == {("up",): 2}
    domain = site.thing("storage_domain", "data1")
    assert found["rhev_storage_bytes"]["data1", "available"] == domain["available"]
    assert set(found["rhev_certificate_end_timestamp_seconds"]) == {("manager", site.manager), ("ca", site.manager)}
    assert found["rhev_requests"][()] >= 4


def test_it_costs_four_lists_and_a_fifth_where_events_tell_of_certificates(site):
    events = 2 if site.version >= (3, 6) else 1
    wanted = {"GET /hosts": 1, "GET /vms": 1, "GET /storagedomains": 1, "GET /events": events}
    assert site.cost("lsve -m MGR --metrics") == wanted


@only((4, 5))
def test_hosts_certificates_and_the_events_of_the_last_hour(site):
    end = (datetime.now(timezone.utc) + timedelta(days=20)).date()
    text = f"Host rhevh1 certification is about to expire at {end}. Please renew the host's certification."
    event = site.world.event(879, "alert", text, host=site.thing("host", "rhevh1")["id"])
    site.world.change(event, time=datetime.now(timezone.utc).timestamp())
    found = samples(site)
    told = found["rhev_certificate_end_timestamp_seconds"]["host", "rhevh1"]
    assert datetime.fromtimestamp(told, timezone.utc).date() == end
    assert found["rhev_events_last_hour"] == {("alert",): 1}


@only((4, 5))
def test_names_are_written_so_that_nothing_breaks_out(site):
    site.world.change(site.thing("storage_domain", "data1"), name='a"b\\c')
    assert ('a\\"b\\\\c', "used") in samples(site)["rhev_storage_bytes"]


@only((4, 5))
def test_the_official_sdk_counts_the_same(site):
    from sdkhelp import connected

    with connected(site) as system:
        vms = Counter(vm.status.value for vm in system.vms_service().list())
        room = {domain.name: domain.available for domain in system.storage_domains_service().list()}
    found = samples(site)
    assert found["rhev_machines"] == {(status,): count for status, count in vms.items()}
    told = found["rhev_storage_bytes"]
    assert {name: told[name, "available"] for name in room if room[name] is not None} == {
        name: size for name, size in room.items() if size is not None
    }


@only((4, 5))
def test_several_managers_are_refused_for_each_metric_stands_once(site):
    (said, *_) = site.wrong("lsve -m MGR,MGR --metrics".replace("MGR,MGR", f"{site.manager},{site.manager}"))
    assert "--metrics takes one manager at a time" in said
