"""A manager that is away before one knows whether it did what it was asked: that is said, and not that it failed."""

from __future__ import annotations

import pytest

from vesim import each_version
from vmsite import MODERN, VmSite

site = each_version(MODERN, VmSite)

OPEN = "it is not known whether"


@pytest.mark.parametrize("method", ["drop-after", ""], ids=["answer lost", "answer given"])
def test_a_removal(site: VmSite, method: str) -> None:
    site.made("vm1")
    rules = [{"do": method, "method": "DELETE"}] if method else []
    site.faults([*rules, {"do": "status", "status": 503, "method": "GET", "path": "/vms*", "after": 1}])
    (told,) = site.wrong("rmvm -p", ["vm1"])
    assert OPEN in told and told.startswith("vm1: "), told
    site.mend()
    assert site.count("vm", "vm1") == 0
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: node was not defined in the rhevm. There is nothing to do"]


def test_a_change(site: VmSite) -> None:
    site.made("vm1", memory="1g")
    site.faults(
        [{"do": "drop-after", "method": "PUT"}, {"do": "status", "status": 503, "method": "GET", "path": "/vms/*"}]
    )
    (told,) = site.wrong("chvm --mem 2g", ["vm1"])
    assert "it is not known whether it was done" in told and "failed" not in told, told
    site.mend()
    assert site.vm("vm1")["memory"] == 2 << 30


@pytest.mark.parametrize("status", [500, 503])
def test_a_change_that_an_engine_on_its_way_down_answers_with_a_failure(site: VmSite, status: int) -> None:
    """A 500 says nothing of what was done before it."""
    site.made("vm1", memory="1g")
    rules = [
        {"do": "status", "status": status, "method": "PUT"},
        {"do": "status", "status": 503, "method": "GET", "path": "/vms/*"},
    ]
    site.faults(rules)
    (told,) = site.wrong("chvm --mem 2g", ["vm1"])
    assert (OPEN in told) == (status == 500), told


def test_a_power_off(site: VmSite) -> None:
    site.running("vm1")
    site.faults([{"do": "status", "status": 503, "method": "GET", "path": "/vms*", "after": 1}])
    (told,) = site.wrong("rpower off", ["vm1"])
    assert "it is not known whether VM vm1 is" in told, told
