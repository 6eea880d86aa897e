"""cfgve and storage that is attached twice, or by the manager itself; it answers from documents."""

from functools import partial

import pytest

from enginehelp import Documents, manager_on, run_command
from xcat_rhev.commands import cfgve
from xcat_rhev.engine.documents.dialect import V4

pytest.importorskip("yaml")

TWO_CENTERS = """
data_centers:
  dc1:
    clusters: {cl1: {}}
    storage_domains: {iso: {sdtype: iso, stype: nfs, location: "nfs1:/iso", host: rhevh1}}
  dc2:
    clusters: {}
    storage_domains: {iso: {sdtype: iso, stype: nfs, location: "nfs1:/iso", host: rhevh1}}
"""
DOMAIN = """<storage_domain id="iso"><name>iso</name><type>iso</type>{}<storage><address>nfs1</address>
    <type>nfs</type><path>/iso</path></storage></storage_domain>"""


class Engine(Documents):
    """Two data centers that are up, and a host in the first one."""

    def __init__(self):
        center = '<data_center id="{0}"><name>{0}</name><status>up</status><local>false</local></data_center>'
        super().__init__(
            {
                "/datacenters": [center.format(name) for name in ("dc1", "dc2")],
                "/clusters": ['<cluster id="cl1"><name>cl1</name><data_center id="dc1"/></cluster>'],
                "/hosts": ['<host id="h1"><name>rhevh1</name><status>up</status><cluster id="cl1"/></host>'],
            }
        )
        self.calls["POST /storagedomains"] = self.make
        for center in ("dc1", "dc2"):
            self.calls[f"POST /datacenters/{center}/storagedomains"] = partial(self.attach, center)

    def make(self):
        """Make the domain."""
        self.lists["/storagedomains"] = [DOMAIN.format("<status>unattached</status>")]
        return self.lists["/storagedomains"][0]

    def attach(self, center):
        """Attach it to a data center, which activates it."""
        found = DOMAIN.format("<status>active</status>")
        self.lists["/storagedomains"] = [DOMAIN.format("")]
        self.lists[f"/datacenters/{center}/storagedomains"] = [found]
        self.things[f"/datacenters/{center}/storagedomains/iso"] = found
        return found

    def writes(self):
        """What was changed."""
        return [line.partition("/api")[2] for line in self.lines() if not line.startswith("GET")]

    def converge(self, text=TWO_CENTERS):
        """Type the command."""
        return run_command(cfgve, manager_on(self, V4), "--from -", text)


@pytest.fixture
def engine():
    return Engine()


def test_an_iso_domain_stands_in_two_data_centers(engine):
    engine.make()
    engine.attach("dc1")
    assert engine.converge() == ["dc1: nothing to do", "iso: create storage domain succeeded."]
    assert engine.writes() == ["/datacenters/dc2/storagedomains"]
    assert engine.converge() == ["dc1: nothing to do", "dc2: nothing to do"]


def test_an_iso_domain_is_made_by_the_first_data_center_and_attached_to_the_other(engine):
    engine.converge()
    first, *attached = engine.writes()
    assert first == "/storagedomains"
    assert sorted(attached) == ["/datacenters/dc1/storagedomains", "/datacenters/dc2/storagedomains"]


@pytest.mark.parametrize("change", [("sdtype: iso, ", ""), ('"nfs1:/iso", host: rhevh1}}\n  dc2', '"n2:/x"}}\n  dc2')])
def test_no_other_domain_does(engine, change):
    assert "the storage domain iso is described twice" in engine.converge(TWO_CENTERS.replace(*change))[0]


LOCAL = """
data_centers:
  local1:
    storage: localfs
    clusters: {lcl: {}}
    storage_domains: {sd1: {stype: localfs, location: /data, host: rhevh1}}
"""


def test_local_storage_comes_attached():
    made = """<storage_domain id="sd1"><name>sd1</name><type>data</type>{}
        <storage><type>localfs</type><path>/data</path></storage></storage_domain>"""
    center = '<data_center id="d1"><name>local1</name><status>up</status><local>true</local></data_center>'
    engine = Documents(
        {
            "/datacenters": [center],
            "/clusters": ['<cluster id="lcl"><name>lcl</name><data_center id="d1"/></cluster>'],
            "/hosts": ['<host id="h1"><name>rhevh1</name><status>up</status><cluster id="lcl"/></host>'],
        }
    )

    def make():
        engine.lists["/storagedomains"] = [made.format("")]
        engine.lists["/datacenters/d1/storagedomains"] = [made.format("<status>active</status>")]
        engine.things["/datacenters/d1/storagedomains/sd1"] = made.format("<status>active</status>")
        return made.format("")

    engine.calls["POST /storagedomains"] = make
    said = run_command(cfgve, manager_on(engine, V4), "--from -", LOCAL)
    assert said == ["sd1: create storage domain succeeded."]
    assert [line for line in engine.lines() if not line.startswith("GET")] == ["POST /ovirt-engine/api/storagedomains"]
