"""The virtsd table, checked as a whole."""

import pytest

from fakes import FakeHost
from xcat_rhev.rows.storage import read_storage


def read(*names, passwd=(), **rows):
    tables = {"virtsd": [{"node": name, **row} for name, row in rows.items()], "passwd": list(passwd)}
    return read_storage(FakeHost(tables), names or tuple(rows))


def good(**row):
    rows, faults = read(sd1={"host": "rhevh1", **row})
    assert not faults
    return rows["sd1"]


def faults_of(**row):
    rows, faults = read(sd1=row)
    assert not rows
    return faults["sd1"]


def test_an_nfs_row_with_defaults():
    row = good(stype="nfs", location="nfs.example.com:/export/data")
    assert (row.kind, row.data_center, row.address, row.path) == ("data", "Default", "nfs.example.com", "/export/data")
    assert (row.version, row.options, row.luns) == ("", "", ())


def test_nfs_over_ipv6_with_version_and_options():
    row = good(stype="nfs", location="[fd00::1]:/a:b|version=v4_1|options=soft,timeo=600", sdtype="iso")
    assert (row.kind, row.address, row.path) == ("iso", "fd00::1", "/a:b")
    assert (row.version, row.options) == ("v4_1", "soft,timeo=600")


def test_local_storage_has_a_place_of_its_own():
    assert good(stype="localfs").path == "/data/images/rhev"
    assert good(stype="localfs", location="/srv/vms").path == "/srv/vms"


def test_iscsi_with_all_words_and_its_password():
    rows, faults = read(
        passwd=[{"key": "iscsi", "username": "x", "password": "common"}, {"key": "sd1", "password": "own"}],
        sd1={"host": "h", "stype": "iscsi", "location": "10.0.0.5:3261|target=iqn.2020-01.x:t1|lun=36a,36b|user=chap"},
    )
    row = rows["sd1"]
    assert (row.address, row.port, row.target, row.luns) == ("10.0.0.5", 3261, "iqn.2020-01.x:t1", ("36a", "36b"))
    assert (row.user, row.password.reveal()) == ("chap", "own")
    assert "own" not in repr(rows)


def test_iscsi_may_leave_target_and_lun_open():
    row = good(stype="iscsi", location="[fd00::5]")
    assert (row.address, row.port, row.target, row.luns) == ("fd00::5", 3260, "", ())


def test_the_other_types():
    assert good(stype="fcp", location="36a,36b").luns == ("36a", "36b")
    posix = good(stype="posixfs", location="/dev/sdb1|vfs=xfs|options=noatime")
    assert (posix.address, posix.path, posix.vfs, posix.options) == ("", "/dev/sdb1", "xfs", "noatime")
    remote = good(stype="posixfs", location="ceph:/vol|vfs=ceph")
    assert (remote.address, remote.path) == ("ceph", "/vol")
    gluster = good(stype="glusterfs", location="g1:/data")
    assert (gluster.address, gluster.path, gluster.vfs) == ("g1", "/data", "glusterfs")


def test_every_wrong_and_missing_column_is_named_at_once():
    found = faults_of(sdtype="tape", stype="nfs", location="nowhere")
    assert len(found) == 3
    assert found[0].startswith("virtsd.host is not set")
    assert "virtsd.sdtype is 'tape'" in found[1]
    assert "virtsd.location begins with 'nowhere'" in found[2]
    assert all("Run: chtab node=sd1 virtsd." in fault for fault in found)


def test_a_row_that_is_not_there_says_how_to_make_it():
    rows, faults = read("sd1", "sd2", sd1={"host": "h", "stype": "localfs"})
    assert list(rows) == ["sd1"]
    assert "cannot find the definition for sd2 in the virtsd table" in faults["sd2"][0]


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"stype": "cifs"}, "'cifs'"),
        ({}, "virtsd.stype is not set"),
        ({"stype": "nfs"}, "virtsd.location is not set"),
        ({"stype": "nfs", "location": "server:relative"}, "'server:relative'"),
        ({"stype": "nfs", "location": "server:/x|version=v5"}, "'version=v5'"),
        ({"stype": "nfs", "location": "server:/x|vers=3"}, "words known here are: version, options"),
        ({"stype": "nfs", "location": "server:/x|"}, "holds ''"),
        ({"stype": "nfs", "location": "a b:/x"}, "'a b:/x'"),
        ({"stype": "localfs", "location": "relative"}, "'relative'"),
        ({"stype": "localfs", "location": "/x|a=b"}, "words known here are: none"),
        ({"stype": "iscsi", "location": "10.0.0.5|target=disk1"}, "'target=disk1'"),
        ({"stype": "iscsi", "location": "10.0.0.5:port"}, "'10.0.0.5:port'"),
        ({"stype": "iscsi", "location": "10.0.0.5:65536"}, "whose port is not from 1 to 65535"),
        ({"stype": "iscsi", "location": "[fd00::5]:0"}, "whose port is not from 1 to 65535"),
        ({"stype": "iscsi", "location": "10.0.0.5:" + "9" * 5000}, "not of the form"),
        ({"stype": "iscsi", "location": "10.0.0.5|lun=a,,b"}, "'lun=a,,b'"),
        ({"stype": "fcp", "location": "36a, 36b"}, "'36a, 36b'"),
        ({"stype": "posixfs", "location": "/dev/sdb"}, "lacks |vfs=..."),
        ({"stype": "iscsi", "location": "10.0.0.5|user=chap"}, "chtab key=sd1 passwd.username=chap"),
        ({"stype": "iscsi", "location": "10.0.0.5", "sdtype": "iso"}, "iscsi holds data domains only"),
    ],
)
def test_what_a_row_can_have_wrong(row, named):
    (fault,) = faults_of(host="h", **row)
    assert named in fault
