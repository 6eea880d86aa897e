"""Words that make something else of a start than an installation, and what destroys data beside them."""

import re

import pytest

from xcat_rhev.media.modes import Mode, dangers, mode_of


@pytest.mark.parametrize(
    "words, mode",
    [
        (["upgrade"], Mode.UPGRADE),
        (["quiet", "ovirt_upgrade"], Mode.UPGRADE),
        (["local_boot"], Mode.UPGRADE),
        (["local_boot=1"], Mode.UPGRADE),
        (["ovirt_local_boot"], Mode.UPGRADE),
        (["stateless"], Mode.STATELESS),
        (["stateless=1"], Mode.STATELESS),
        (["rescue"], Mode.RESCUE),
        (["stateless=0", "rescue"], Mode.RESCUE),
        (["stateless=no"], None),
        (["local_boot_trigger=http://10.0.0.1/x"], None),
        (["install", "reinstall", "firstboot=1", "storage_init"], None),
        ([], None),
    ],
)
def test_modes(words, mode):
    found = mode_of(words)
    assert (found[0] if found else None) == mode


@pytest.mark.parametrize(
    "words, said",
    [
        (["upgrade", "reinstall"], ["'upgrade' .*'reinstall' wipes the volume groups.* Leave reinstall out"]),
        (["rescue", "firstboot"], ["'rescue' .*'firstboot' wipes"]),
        (["stateless=1", "ovirt_firstboot=1"], ["'stateless=1' .*'ovirt_firstboot=1' wipes"]),
        (["upgrade", "storage_init=/dev/sda"], ["'upgrade' .*'storage_init=/dev/sda' lays out its disks again"]),
        (["upgrade", "storage_init", "reinstall"], ["storage_init", "reinstall"]),
        (["upgrade", "reinstall=0", "firstboot=no"], []),
        (["stateless", "storage_init=/dev/sda"], []),
        (["reinstall", "storage_init=/dev/sda"], []),
    ],
)
def test_what_destroys_data_is_said_by_its_name(words, said):
    found = list(dangers(words))
    assert len(found) == len(said)
    for text, pattern in zip(found, said):
        assert re.search(pattern, text), text
