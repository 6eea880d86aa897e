"""The image behind a mount point."""

from pathlib import Path

import pytest

from xcat_rhev.media import mounts

TABLE = """\
22 1 0:20 / / rw shared:1 - ext4 /dev/root rw
30 22 7:0 / /var/run/xcat/mountpoint/abc ro shared:2 - iso9660 /dev/loop0 ro
31 22 7:1 / /mnt/with\\040space ro - iso9660 /dev/loop1 ro
32 22 0:33 / /mnt/nfs rw - nfs server:/export rw
33 22 0:34 / /mnt/tmp rw - tmpfs tmpfs rw
34 22 7:2 / /mnt/twice ro - iso9660 /dev/loop2 ro
35 34 7:3 / /mnt/twice ro - iso9660 /dev/loop3 ro
short line
"""


@pytest.fixture(autouse=True)
def table(tmp_path, monkeypatch):
    (tmp_path / "mountinfo").write_text(TABLE)
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "mountinfo")
    monkeypatch.setattr(Path, "is_block_device", lambda path: str(path).startswith("/dev/"))


@pytest.mark.parametrize(
    "mount, device",
    [
        ("/var/run/xcat/mountpoint/abc", "/dev/loop0"),
        ("/mnt/with space", "/dev/loop1"),
        ("/mnt/twice", "/dev/loop3"),
    ],
)
def test_the_device_of_a_mount(mount, device):
    assert mounts.source_of(Path(mount)) == Path(device)


@pytest.mark.parametrize("mount", ["/mnt/nfs", "/mnt/tmp", "/mnt/other", "/var/run/xcat/mountpoint"])
def test_what_is_no_device(mount):
    assert mounts.source_of(Path(mount)) is None


def test_without_a_table(monkeypatch, tmp_path):
    monkeypatch.setattr(mounts, "_MOUNTS", tmp_path / "none")
    assert mounts.source_of(Path("/")) is None
