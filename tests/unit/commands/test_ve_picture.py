"""The picture of a virtual environment, and where it is put."""

import importlib
import os
import re
import shutil
from dataclasses import replace
from importlib.util import find_spec

import pytest

from xcat_rhev.commands.environment import picture, svgfile
from xcat_rhev.commands.environment.inventory import Environment
from xcat_rhev.engine.nouns import Cluster, DataCenter, Host, Network, Ref, StorageDomain, Vm
from xcat_rhev.errors import Conflict, Denied, NotFound, RhevError, Usage
from xcat_rhev.xcat.host import Request

needs_dot = pytest.mark.skipif(
    not shutil.which("dot") or not find_spec("graphviz"), reason="Graphviz or its package is not installed"
)
SVG = "<?xml version='1.0'?><svg/>"


def an_environment(hosts=3, vms=6, name="dc1"):
    return Environment(
        manager="rhevm.example.com",
        homes=[DataCenter(id="dc", name=name, status="up", version="4.7"), DataCenter(id="dc2", name="dc2")],
        clusters=[Cluster(id="cl", name="cl1", cpu_type="Intel Nehalem Family", data_center=Ref("dc"))],
        networks=[Network(id="n", name="nw1", vlan=100, data_center=Ref("dc"))],
        used={"cl": [Network(id="n", name="nw1")]},
        storage={
            "dc": [
                StorageDomain(
                    id="sd",
                    name="data1",
                    type="data",
                    storage_type="nfs",
                    status="active",
                    master=True,
                    available=3 << 30,
                    used=1 << 30,
                )
            ]
        },
        loose=[StorageDomain(id="sd2", name="spare", type="iso", storage_type="nfs")],
        hosts=[
            Host(
                id=f"h{n}",
                name=f"host{n}",
                status="up" if n else "non_operational",
                cluster=Ref("cl"),
                storage_manager=n == 1,
            )
            for n in range(hosts)
        ],
        vms=[
            Vm(
                id=f"v{n}",
                name=f"vm{n}",
                cluster=Ref("cl"),
                status="up" if n % 3 else "down",
                host=Ref(f"h{n % hosts}") if n % 3 else None,
            )
            for n in range(vms)
        ],
    )


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@needs_dot
def test_everything_is_in_it_by_name():
    svg = picture.draw(an_environment())
    found = " ".join(texts(svg))
    for word in (
        "rhevm.example.com: 2 data centers, 1 cluster, 3 hosts, 6 virtual machines",
        "data1 (master)",
        "1 GiB of 4 GiB",
        "VLAN 100",
        "networks: nw1",
        "host0",
        "non_operational, ",
        "SPM",
        "vm1",
        "vm0, vm3",
        "not running",
        "storage attached nowhere",
        "spare",
        "up, active",
    ):
        assert word.replace(" ", "") in found.replace("&#160;", "").replace(" ", ""), word


def columns_of(svg, pattern):
    """Where the texts that fit a pattern begin."""
    return {
        round(float(x))
        for x, text in re.findall(r'<text[^>]* x="([\d.-]+)"[^>]*>([^<]*)</text>', svg)
        if re.fullmatch(pattern, text)
    }


@needs_dot
def test_hosts_of_all_clusters_stand_below_each_other():
    large = an_environment(hosts=60, vms=300)
    hosts = [host.replace(cluster=Ref("cl" if number < 50 else "cl2")) for number, host in enumerate(large.hosts)]
    clusters = [*large.clusters, Cluster(id="cl2", name="cl2", data_center=Ref("dc"))]
    svg = picture.draw(replace(large, hosts=hosts, clusters=clusters))
    first, second = columns_of(svg, r"host[1-4]?\d"), columns_of(svg, r"host5\d")
    assert len(second) > 4 and second <= first


@needs_dot
def test_the_legend_counts_the_hosts_of_each_state():
    found = "".join(texts(picture.draw(an_environment(hosts=5)))).replace("&#160;", " ")
    for words in ("up, active: 4 hosts", "down, maintenance: 0 hosts", "in trouble: 1 host"):
        assert words in found


@needs_dot
def test_many_machines_become_squares_with_tool_tips():
    svg = picture.draw(an_environment(hosts=40, vms=picture.NAMED_VMS + 1))
    assert "vm7" not in texts(svg)
    assert 'xlink:title="vm7: up"' in svg
    assert "host39" in texts(svg)


@needs_dot
def test_squares_stand_side_by_side_where_names_are_long():
    large = an_environment(hosts=40, vms=1000)
    hosts = [host.replace(name=f"{host.name}-{'x' * 50}.example.com") for host in large.hosts]
    svg = picture.draw(replace(large, hosts=hosts))
    own = {vm.name for vm in large.vms if vm.host and vm.host.id == "h1"}
    squares = re.findall(r'xlink:title="([^:"]*): [^"]*">\s*<polygon[^>]* points="([\d.-]+),([\d.-]+)', svg)
    places = sorted((float(y), float(x)) for name, x, y in squares if name in own)
    assert len(places) == len(own) > 10
    assert {round(second[1] - first[1]) for first, second in zip(places, places[1:]) if first[0] == second[0]} == {8}


@needs_dot
def test_idle_squares_begin_where_those_of_hosts_begin():
    svg = picture.draw(an_environment(hosts=4, vms=picture.NAMED_VMS + 1))
    squares = re.findall(r'xlink:title="[^:"]*: (up|down)">\s*<polygon[^>]* points="([\d.-]+),', svg)
    first = {state: min(float(x) for found, x in squares if found == state) for state in ("up", "down")}
    assert abs(first["up"] - first["down"]) < 2


@needs_dot
def test_a_cluster_without_networks_says_none():
    found = " ".join(texts(picture.draw(replace(an_environment(), used={})))).replace("&#160;", " ")
    assert "networks: none" in found


@needs_dot
def test_a_machine_says_its_state_where_it_is_not_the_usual_one():
    small = an_environment(vms=6)
    odd = [vm.replace(status={"vm1": "paused", "vm3": "suspended"}.get(vm.name, vm.status)) for vm in small.vms]
    found = " ".join(texts(picture.draw(replace(small, vms=odd)))).replace("&#160;", " ")
    assert "vm1 (paused)" in found and "vm0, vm3 (suspended)" in found and "vm2 (" not in found
    assert "up, active: 2 hosts, 3 VMs" in found


@needs_dot
def test_four_hundred_hosts_stay_in_proportion():
    svg = picture.draw(an_environment(hosts=400, vms=4000))
    width, height = (float(number) for number in re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', svg).groups())
    assert 0.4 < width / height < 4
    assert sum(text.startswith("host") for text in texts(svg)) == 400


@needs_dot
@pytest.mark.parametrize("name", ['<b>&"x"', "a\nb", "]]>", "ünïcode 名", "%s\\N\\G", "x" * 300])
def test_no_name_is_markup(name):
    svg = picture.draw(an_environment(name=name))
    assert "data center" in " ".join(texts(svg)).replace("&#160;", " ")


@needs_dot
def test_an_empty_manager():
    nothing = Environment("m", [], [], [], {}, {}, [], [], [])
    assert "0 data centers" in " ".join(texts(picture.draw(nothing))).replace("&#160;", " ")


def test_without_graphviz_it_says_what_to_install(monkeypatch):
    graphviz = pytest.importorskip("graphviz")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotFound, match="apt-get install graphviz"):
        picture.draw(an_environment())
    assert graphviz


def test_without_the_package_it_says_so(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(NotFound, match="pip install graphviz"):
        picture.draw(an_environment())


def test_states_that_nobody_knows_are_in_between():
    assert picture.color("up") == picture.GOOD
    assert picture.color("installing") == picture.color("new_word") == picture.COMING
    assert picture.color(None) == picture.BAD


def test_parts_belong_where_they_are():
    found = an_environment()
    other = replace(found, clusters=[*found.clusters, Cluster(id="x", name="x", data_center=Ref("dc2"))])
    assert [each.name for each in other.clusters_of(other.homes[1])] == ["x"]
    assert [each.name for each in other.hosts_of(other.clusters[1])] == []


# The file.


def place(folder, name, user="root"):
    return svgfile.place(Request("lsve", cwd=str(folder), user=user, asker="127.0.0.1"), name)


def test_a_picture_is_made_and_nothing_is_replaced(tmp_path):
    path = place(tmp_path, "site.svg")
    svgfile.write(path, SVG)
    with pytest.raises(Conflict, match="site.svg is there already"):
        svgfile.write(path, SVG + "<!-- new -->")
    assert path.read_text() == SVG
    assert [each.name for each in tmp_path.iterdir()] == ["site.svg"]


def test_only_root_has_the_daemon_write(tmp_path):
    for user in ("joe", ""):
        with pytest.raises(Denied, match="only root may let xcatd write files"):
            place(tmp_path, "site.svg", user)


@pytest.mark.parametrize("name", ["site", "site.png", "/etc/passwd", "site.svg/"])
def test_only_pictures_are_written(name):
    with pytest.raises(Usage) if not name.endswith("/") else pytest.raises((Usage, RhevError)):
        svgfile.write(place("/nonexistent", name), SVG)


def test_a_link_is_not_followed(tmp_path):
    target = tmp_path / "target"
    target.write_text("<?xml here?>")
    os.symlink(target, tmp_path / "link.svg")
    with pytest.raises(Conflict):
        svgfile.write(tmp_path / "link.svg", SVG)
    assert target.read_text() == "<?xml here?>"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(RhevError, match="cannot write .*: No such file or directory"):
        svgfile.write(tmp_path / "none" / "site.svg", SVG)
