"""Snapshots of a series: chvm --snapshot NAME --keep N|AGE."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from vmsite import VmSite, each_version

site = each_version()


def names(site: VmSite, vm: str) -> list[str]:
    """What its snapshots are called, in the order of their names."""
    return sorted(str(each["description"]) for each in site.parts("snapshot", vm))


def have(site: VmSite, vm: str, *told: str) -> None:
    """Give it snapshots that were taken before."""
    for name in told:
        site.ok(f"chvm --snapshot {name}", [vm])


def days_ago(days: int) -> str:
    """A date as the names have it."""
    return f"{datetime.now(timezone.utc) - timedelta(days=days):%Y%m%d-%H%M%S}"


def test_so_many_of_the_series_stay_and_others_are_left_alone(site: VmSite) -> None:
    site.made("vm1", "vm2")
    others = ["nightly", "nightly-20200101", "nightly-20209999-000000", "night-20200101-000000"]
    series = [f"nightly-202001{day:02}-000000" for day in range(1, 5)]
    have(site, "vm1", *others, *series)
    said = site.ok("chvm --snapshot nightly --keep 3", ["vm1", "vm2"])
    left = names(site, "vm1")
    new = [name for name in left if name not in others + series]
    assert len(new) == 1 and re.fullmatch(r"nightly-20\d{6}-\d{6}", new[0])
    assert sorted(left) == sorted([*others, *series[-2:], *new])
    assert [line for line in said if line.startswith("vm1")] == [
        f"vm1: snapshot {new[0]}: ok.",
        f"vm1: snapshot {series[0]}: removed.",
        f"vm1: snapshot {series[1]}: removed.",
    ]
    assert names(site, "vm2") == new  # one date for all machines


@pytest.mark.parametrize("site", [(4, 5)], indirect=True, ids=str)
def test_an_age_decides_as_well(site: VmSite) -> None:
    site.made("vm1")
    old, recent = (f"n-{days_ago(15)}", f"n-{days_ago(13)}")
    have(site, "vm1", old, recent)
    site.ok("chvm --snapshot n --keep 2w", ["vm1"])
    left = names(site, "vm1")
    assert recent in left and old not in left and len(left) == 2


@pytest.mark.parametrize("site", [(4, 5)], indirect=True, ids=str)
def test_the_old_ones_stay_where_the_new_one_could_not_be_taken(site: VmSite) -> None:
    site.made("vm1")
    have(site, "vm1", "n-20200101-000000")
    site.faults([{"method": "POST", "path": "/vms/*/snapshots", "do": "status", "status": 409, "about": "Cannot."}])
    site.wrong("chvm --snapshot n --keep 1", ["vm1"])
    assert names(site, "vm1") == ["n-20200101-000000"]


@pytest.mark.parametrize("site", [(4, 5)], indirect=True, ids=str)
def test_a_dry_run_names_what_goes(site: VmSite) -> None:
    site.made("vm1")
    have(site, "vm1", "n-20200101-000000", "n-20200102-000000")
    said = site.ok("chvm --snapshot n --keep 2 --dry-run", ["vm1"])
    assert [line for line in said if "remove" in line] == ["vm1: remove the snapshot n-20200101-000000"]
    assert len(names(site, "vm1")) == 2


@pytest.mark.parametrize("site", [(4, 5)], indirect=True, ids=str)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--snapshot n --keep 0", "--keep 0: neither a number nor an age. Write --keep 7 or --keep 14d"),
        ("--snapshot n --keep 5y", "--keep 5y: neither a number"),
        ("--keep 5", "--keep goes with --snapshot or --backup"),
        ("--revert n --keep 5", "--keep goes with --snapshot or --backup"),
    ],
)
def test_words_that_do_not_fit(site: VmSite, words: str, said: str) -> None:
    site.made("vm1")
    (told,) = site.wrong(f"chvm {words}", ["vm1"])
    assert told.startswith(said)


@pytest.mark.parametrize("site", [(4, 5)], indirect=True, ids=str)
def test_looking_costs_one_request_for_all(site: VmSite) -> None:
    nodes = [f"vm{number}" for number in range(1, 6)]
    site.made(*nodes)
    for node in nodes:
        have(site, node, "n-20200101-000000")
    cost = site.cost("chvm --snapshot n --keep 1", nodes)
    assert (cost["POST /vms/{id}/snapshots"], cost["DELETE /vms/{id}/snapshots/{id}"]) == (5, 5)
    assert "GET /vms/{id}/snapshots" not in cost  # they come with the machines
