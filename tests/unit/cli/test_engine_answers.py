"""Answer files of all releases, held against a table of what each release's setup knows.

`tests/data/setup-keys.csv` has the names and types of the setups' own constants and questions, with the first and last
release that know them. A type with bars is a list of choices (before 3.3); an empty one is told nowhere.
"""

from __future__ import annotations

import configparser
import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from xcat_rhev.cli.enginekit.answerfile import Wanted, answer_file, drawn_password
from xcat_rhev.cli.enginekit.answerkeys import number
from xcat_rhev.cli.enginekit.releases import RELEASES, EngineRelease, host_on, manager_on, release
from xcat_rhev.errors import Usage
from xcat_rhev.secret import Secret

TABLE = Path(__file__).parents[2] / "data" / "setup-keys.csv"
TYPES = {"bool": ("True", "False"), "int": (), "str": ()}


def known(version: str) -> dict[str, str]:
    with TABLE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    now = number(version)
    return {row["key"]: row["kind"] for row in rows if number(row["first"]) <= now <= number(row["last"])}


def faults(text: str, version: str) -> Iterator[str]:
    """What the setup of a release would not read, or would read as something else."""
    reader = configparser.RawConfigParser(delimiters="=")
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    reader.read_string(text)
    section = "general" if number(version) < (3, 3) else "environment:default"
    names = known(version)
    if reader.sections() != [section]:
        yield f"sections {reader.sections()}"
    for key, value in reader.items(section):
        if key not in names:
            yield f"{key} is unknown in {version}"
        elif section == "general":
            if names[key] and value not in names[key].split("|"):
                yield f"{key}={value} is none of {names[key]}"
        else:
            yield from typed_faults(key, value, names[key])


def typed_faults(key: str, value: str, kinds: str) -> Iterator[str]:
    kind, colon, rest = value.partition(":")
    if not colon or kind not in TYPES:
        yield f"{key}={value} has no type"
    elif kinds and kind not in kinds.split("|"):
        yield f"{key} is {kind}, not {kinds}"
    elif (kind == "bool" and rest not in TYPES["bool"]) or (kind == "int" and not rest.isdigit()):
        yield f"{key}={value} is not what its type says"


def wanted(each: EngineRelease, **more: object) -> Wanted:
    major = each.managers[0].major
    return Wanted(each.version, "m.example.com", Secret("Secret123"), "Example", "10.1.2.3", major)._replace(**more)


@pytest.mark.parametrize("keycloak", [True, False])
@pytest.mark.parametrize("each", RELEASES, ids=lambda each: each.name)
def test_every_release_knows_what_it_is_told(each: EngineRelease, keycloak: bool) -> None:
    text = answer_file(wanted(each, keycloak=keycloak))
    assert list(faults(text, each.version)) == []
    assert text.count("Secret123") == 1 and text.count("m.example.com") in (1, 2)


@pytest.mark.parametrize(
    ("line", "version", "fault"),
    [
        ("OVESETUP_CONFIG/adminPasword=str:x", "4.5", "unknown"),
        ("OVESETUP_CONFIG/updateFirewall=str:yes", "4.5", "is str, not bool"),
        ("OVESETUP_CONFIG/updateFirewall=bool:yes", "4.5", "not what its type says"),
        ("OVESETUP_DB/port=int:five", "4.5", "not what its type says"),
        ("OVESETUP_CONFIG/fqdn=m.example.com", "4.5", "has no type"),
        ("OVESETUP_SYSTEM/nfsConfigEnabled=bool:False", "4.5", "unknown"),
        ("OVESETUP_CONFIG/keycloakEnable=bool:True", "4.4", "unknown"),
        ("QUESTION/1/OVESETUP_NOTHING=str:yes", "4.5", "unknown"),
        ("CONFIG_NFS=perhaps", "3.0", "is none of"),
        ("OVERRIDE_FIREWALL=IPTables", "3.1", "unknown"),
    ],
)
def test_wrong_names_and_types_are_caught(line: str, version: str, fault: str) -> None:
    section = "general" if number(version) < (3, 3) else "environment:default"
    assert [fault in each for each in faults(f"[{section}]\n{line}\n", version)] == [True]


def test_older_setups_get_a_range_of_macs_and_a_database_password_of_their_own() -> None:
    text = answer_file(wanted(release("3.0")))
    assert "MAC_RANGE=00:1A:4A:01:02:00-00:1A:4A:01:02:FF" in text
    assert text.partition("DB_PASS=")[2].partition("\n")[0] != ""
    assert answer_file(wanted(release("3.0"))) != text


#: What an answer is for -> the column of `tests/data/engine-requires.csv`, which has what the package ovirt-engine of a
#: release and its setup require, by `ovirt-engine.spec.in` of its branch.
PLUGINS = {
    "OVESETUP_DWH": "dwh",
    "OVESETUP_CONFIG/imageio": "imageio_proxy",
    "OVESETUP_OVN": "ovn",
    "KEYCLOAK": "keycloak",
}


@pytest.mark.parametrize("each", RELEASES, ids=lambda each: each.name)
def test_the_one_package_of_a_release_brings_all_that_is_answered(each: EngineRelease) -> None:
    with (TABLE.parent / "engine-requires.csv").open(newline="") as file:
        required = next(row for row in csv.DictReader(file) if row["version"] == each.version)
    text = answer_file(wanted(each))
    assert required["setup"] == "1"
    assert {name for name, column in PLUGINS.items() if required[column] == "1"} == {
        name for name in PLUGINS if name in text
    }


@pytest.mark.parametrize("password", ["two words", "it's", 'quo"te', "100%", "line\nend", "schön"])
def test_a_password_that_no_setup_reads_is_refused(password: str) -> None:
    with pytest.raises(Usage) as problem:
        answer_file(wanted(release("rhv4.4"), password=Secret(password)))
    assert password not in str(problem.value)


def test_a_drawn_password_is_long_and_new() -> None:
    first, second = drawn_password().reveal(), drawn_password().reveal()
    assert first != second and len(first) >= 20 and first.isalnum()


def test_releases_are_named_by_product_or_by_a_version_that_one_has() -> None:
    assert (
        release("oVirt-4.5").name == "ovirt4.5"
        and release("3.6").name == "rhev3.6"
        and release("RHV 4.0").version == "4.0"
    )
    for text, says in (("4.4", "several releases"), ("4.9", "is not a release"), ("ovirt", "is not a release")):
        with pytest.raises(Usage, match=says):
            release(text)


@pytest.mark.parametrize("each", RELEASES, ids=lambda each: each.name)
def test_a_release_has_a_manager_hosts_and_sources(each: EngineRelease) -> None:
    assert manager_on(each, each.managers[0].major).packages and each.sources
    for host in each.hosts:
        assert host_on(each, host.major).repositories
        assert host.packages == (("vdsm",) if number(each.version) < (4, 2) else ("ovirt-host",))
    with pytest.raises(Usage, match="does not run on Enterprise Linux 5"):
        manager_on(each, 5)
