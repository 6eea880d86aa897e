"""Packages and repositories of all kits, held against tables of what is published.

`tests/data/kit-packages.csv` has the packages by release and Enterprise Linux: from the published spec files of each
release's branch, from Red Hat's manifests, and, for the system itself, from groups (comps). `kit-repositories.csv` has
the repositories: by name, or by the end of their address. Each row names its source; one that begins with "by" is a
conclusion from others.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from xcat_rhev.cli.enginekit.image import BaseImage, KitImage
from xcat_rhev.cli.enginekit.managerkit import kit_files
from xcat_rhev.cli.enginekit.mirror import repository_file, script
from xcat_rhev.cli.enginekit.releases import RELEASES, EngineRelease, KitSystem, host_on, manager_on, release
from xcat_rhev.cli.enginekit.repositories import Repository
from xcat_rhev.errors import Usage

DATA = Path(__file__).parents[2] / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


class Kit(NamedTuple):
    """One machine of a release."""

    release: EngineRelease
    role: str
    system: KitSystem

    def __str__(self) -> str:
        return f"{self.release.name}-{self.role}-{self.system.major}"


KITS = [
    Kit(each, role, system)
    for each in RELEASES
    for role, systems in (("manager", each.managers), ("host", each.hosts))
    for system in systems
]


def package_faults(kit: Kit, packages: Iterator[str]) -> list[str]:
    """Names that nobody publishes for this release and system."""
    table = rows("kit-packages.csv")
    known = {
        row["package"]
        for row in table
        if row["major"] == str(kit.system.major)
        and (row["release"], row["role"]) in ((kit.release.name, kit.role), ("system", "both"))
    }
    return [f"{name} is no package of {kit}" for name in packages if name not in known]


def repository_faults(kit: Kit, repositories: tuple[Repository, ...]) -> list[str]:
    """Repositories that are not published so, and published ones that are missing."""
    left = list(repositories)
    faults = []
    for row in rows("kit-repositories.csv"):
        if row["release"] != kit.release.name or row["major"] != str(kit.system.major) or kit.role not in row["roles"]:
            continue
        wanted = row["repository"]
        found = [each for each in left if each.name == wanted or each.url.rstrip("/").endswith(f"/{wanted}")]
        faults += [] if found else [f"{wanted} is missing in {kit}"]
        faults += [f"{each.name}: hotfixes" for each in found if each.hotfixes != (row["hotfixes"] == "1")]
        left = [each for each in left if each not in found]
    return faults + [f"{each.name} is no repository of {kit}" for each in left]


def image_of(kit: Kit) -> KitImage:
    return KitImage(BaseImage("base", kit.system.major, {}), kit.role, kit.release, kit.system, Path(), Path())


def packages_of(kit: Kit) -> Iterator[str]:
    """What the kit's lists name."""
    image = image_of(kit)
    yield from image.pkglist().split()
    yield from (line.rpartition("/")[2] for line in image.otherpkgs().split())


@pytest.mark.parametrize("kit", KITS, ids=str)
def test_all_packages_and_repositories_are_published_ones(kit: Kit) -> None:
    assert package_faults(kit, packages_of(kit)) == []
    assert repository_faults(kit, kit.system.repositories) == []


@pytest.mark.parametrize("kit", KITS, ids=str)
def test_the_scripts_of_a_kit_have_no_sign_that_an_xcatd_refuses(kit: Kit) -> None:
    stanza = kit_files(image_of(kit), ("rhevmhost -",))[Path("osimage.stanza")]
    (scripts,) = re.findall("^    postscripts=(.*)$", stanza, re.MULTILINE)
    assert re.fullmatch(r"rhevmrepos( [A-Za-z0-9_.+:/=@-]+)+", scripts)


@pytest.mark.parametrize(
    ("name", "role", "major", "package"),
    [
        ("rhv4.1", "manager", 7, "rhvm"),
        ("rhv4.4", "manager", 8, "rhevm"),
        ("rhv4.0", "host", 7, "ovirt-host"),
        ("ovirt4.5", "host", 9, "vdsm-host"),
        ("ovirt4.5", "manager", 9, "iptables"),
        ("rhev3.6", "manager", 6, "firewalld"),
    ],
)
def test_wrong_packages_are_caught(name: str, role: str, major: int, package: str) -> None:
    kit = next(each for each in KITS if str(each) == f"{name}-{role}-{major}")
    assert package_faults(kit, iter([package])) == [f"{package} is no package of {kit}"]


def test_wrong_and_missing_repositories_are_caught() -> None:
    kit = next(each for each in KITS if str(each) == "ovirt4.5-manager-9")
    first, *rest = kit.system.repositories
    faults = repository_faults(kit, (first._replace(name="centos-ovirt46"), *rest))
    assert faults == [f"centos-ovirt45 is missing in {kit}", f"centos-ovirt46 is no repository of {kit}"]


def test_every_row_of_the_tables_has_a_source_and_a_kit() -> None:
    names = {each.name for each in RELEASES} | {"system"}
    for table in ("kit-packages.csv", "kit-repositories.csv"):
        assert [row for row in rows(table) if not row["source"] or row["release"] not in names] == []


@pytest.mark.parametrize(
    ("name", "major", "says"),
    [
        (
            "ovirt4.4",
            9,
            "the manager of ovirt4.4 does not run on Enterprise Linux 9. Take an osimage of Enterprise Linux 8",
        ),
        ("ovirt4.5", 7, "does not run on Enterprise Linux 7. Take an osimage of Enterprise Linux 9 or 10 or 8"),
        ("rhv4.4", 10, "does not run on Enterprise Linux 10. Take an osimage of Enterprise Linux 8"),
        (
            "olvm4.5",
            9,
            "the manager of olvm4.5 does not run on Enterprise Linux 9. Take an osimage of Enterprise Linux 8",
        ),
    ],
)
def test_a_system_that_a_release_does_not_run_on_is_refused_with_those_that_it_does(
    name: str, major: int, says: str
) -> None:
    with pytest.raises(Usage) as problem:
        manager_on(release(name), major)
    assert says in str(problem.value)


def test_hosts_that_a_release_does_not_run_on_are_refused() -> None:
    assert host_on(release("ovirt4.5"), 10).major == 10 and host_on(release("olvm4.5"), 9).major == 9
    with pytest.raises(Usage, match="hosts of rhv4.3 do not run on Enterprise Linux 9. Take an osimage of .* 7"):
        host_on(release("rhv4.3"), 9)


def test_a_part_of_a_repository_is_mirrored_as_a_part() -> None:
    part, whole = Repository("epel", "http://x/", only="a b", without="c"), Repository("sig", "http://y/")
    assert repository_file([part]).splitlines()[-2:] == ["includepkgs=a b", "exclude=c"]
    lines = script([part, whole], 8, Path("/p"), Path("/c")).splitlines()
    assert lines[-3].endswith("--newest-only") and lines[-2] == 'createrepo_c "$packages"/epel'
    assert lines[-1].endswith("--download-metadata")
