"""What xCAT's tabdump prints is read as the table that it is, whatever its client says before it."""

import subprocess

import pytest

from xcat_rhev.cli.setup.tables import XcatTables

DUMP = '#key,value,comments,disable\n"master","10.0.0.1",,\n"domain","#odd","of a, b",\n"old","x",,"1"\n'
NOISE = "Error loading module /opt/xcat/lib/perl/xCAT_plugin/kvm.pm  ...skipping\n"


class Site:
    """A machine whose tabdump prints this."""

    def __init__(self, printed):
        self.printed = printed

    def run(self, *words):
        return subprocess.CompletedProcess(words, 0, self.printed, "")


@pytest.mark.parametrize("before", ["", NOISE, NOISE * 3], ids=["nothing", "a line", "lines"])
def test_a_table(before):
    tables = XcatTables(Site(before + DUMP))
    assert [row["key"] for row in tables.rows("site")] == ["master", "domain"]
    assert tables.site("domain") == "#odd"
    assert tables.site("old", "usual") == "usual"


@pytest.mark.parametrize("printed", ["", NOISE])
def test_no_table(printed):
    assert XcatTables(Site(printed)).rows("site") == []
    assert XcatTables(Site(printed)).site("master", "none") == "none"
