"""Whatever is wrong is said in a line that names it, other nodes are done all the same, nothing is left half."""

import shutil
import subprocess
import sys

import pytest

from programs import Xcat
from simulator import Simulator
from xcat_rhev.cli.demo.parts import free_port

NODE_ERRORS = "vm1", "vm2"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bad-input")


@pytest.fixture(scope="module")
def sim():
    found = Simulator("--hosts", "2", "--vms", "3")
    yield found
    found.close()


@pytest.fixture(scope="module")
def xcat(folder, sim):
    program = Xcat(folder)
    program.set_up(
        f"chtab key=rhevm,username=admin passwd.password='{sim.password}'",
        f"nodeadd vm1-vm3 groups=vm,all nodehm.mgt=rhevm vm.mgr={sim.name}",
        "nodeadd rhevh1 groups=rhevh,all hosts.ip=127.0.0.11 mac.mac=52:54:00:00:00:11 noderes.netboot=xnba "
        f"hypervisor.type=rhevh hypervisor.mgr={sim.name}",
    )
    yield program
    program.part.stop()


def assert_refused(typed, *told):
    """One command was refused: exit code, on standard error, in lines that tell what is wrong, and no trace."""
    assert typed.rc != 0, typed
    assert "Traceback" not in typed.all and "Error:" in typed.err, typed
    assert all(word in typed.err for word in told), typed
    assert max(len(line) for line in typed.err.splitlines()) < 600


COMMANDS = [
    "rpower NR stat",
    "mkvm NR",
    "lsvm NR",
    "rmvm NR",
    "rmigrate NR rhevh2",
    "clonevm NR -t tpl",
    "rsetboot NR net",
    "chvm NR",
    "chhypervisor NR -a",
    "rmhypervisor NR",
    "nodeset NR boot",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_node(xcat, command):
    assert_refused(xcat.type(command.replace("NR", "nosuch1")), "nosuch1")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_empty_noderange(xcat, command):
    typed = xcat.type(command.replace("NR", "''"))
    assert "Traceback" not in typed.all
    assert typed.rc != 0 or "Usage" in typed.out


@pytest.mark.parametrize(
    "command", [c for c in COMMANDS if not c.startswith("nodeset")] + ["lsve -t dc -m MGR", "cfgve -t dc -m MGR"]
)
def test_an_unknown_option(xcat, sim, command):
    node = "rhevh1" if "hypervisor" in command else "vm1"
    assert_refused(xcat.type(command.replace("NR", node).replace("MGR", sim.name) + " --nosuch"), "--nosuch")


def test_a_missing_table_value_names_the_column_and_the_others_are_done(xcat):
    xcat.set_up("nodeadd vm8 groups=all nodehm.mgt=rhevm")
    typed = xcat.type("rpower vm1,vm8 stat")
    assert_refused(typed, "vm8", "vm.mgr", "chtab node=vm8")
    assert "vm1: " in typed.out


def test_a_node_that_no_plugin_is_for(xcat):
    xcat.set_up("nodeadd plain1 groups=all")
    assert_refused(
        xcat.type("rpower plain1 stat"), "plain1", "Unable to identify plugin for this command", "nodehm.power,mgt"
    )


@pytest.fixture
def bent(xcat, sim):
    """A node whose manager is bent for a test."""

    def bend(manager):
        xcat.set_up(f"nodeadd vm9 groups=all nodehm.mgt=rhevm vm.mgr={manager}")

    yield bend
    xcat.type("noderm vm9")


def test_a_manager_that_does_not_resolve(xcat, bent):
    bent("no-such-manager.invalid")
    typed = xcat.type("rpower vm1,vm9 stat")
    assert_refused(typed, "vm9", "no-such-manager.invalid")
    assert "vm1: " in typed.out, "the other manager's nodes are done"


def test_a_manager_that_refuses(xcat, bent):
    port = free_port()
    bent(f"127.0.0.1:{port}")
    assert_refused(xcat.type("rpower vm9 stat"), "vm9", f"127.0.0.1:{port}")


def test_a_manager_with_another_certificate_than_the_pinned_one(xcat, bent, folder):
    port = str(free_port())
    first = Simulator("--vms", "1", "--port", port)
    bent(first.name)
    xcat.type("rpower vm9 stat")
    first.close()
    second = Simulator("--vms", "1", "--port", port)
    try:
        assert_refused(xcat.type("rpower vm9 stat"), "vm9", "certificate", first.name)
    finally:
        second.close()


def test_a_wrong_password(xcat, sim):
    xcat.set_up("chtab key=rhevm,username=admin passwd.password=certainly-wrong")
    try:
        typed = xcat.type("rpower vm1 stat")
        assert_refused(typed, "vm1", "passwd")
        assert "certainly-wrong" not in typed.all
    finally:
        xcat.set_up(f"chtab key=rhevm,username=admin passwd.password='{sim.password}'")


def test_no_password_at_all(xcat, sim):
    xcat.set_up("chtab -d key=rhevm,username=admin passwd")
    try:
        assert_refused(xcat.type("rpower vm1 stat"), "vm1", "chtab key=rhevm,username=admin passwd.password=")
    finally:
        xcat.set_up(f"chtab key=rhevm,username=admin passwd.password='{sim.password}'")


def test_a_virtual_machine_that_is_not_there(xcat, sim):
    xcat.set_up(f"nodeadd vm7 groups=all nodehm.mgt=rhevm vm.mgr={sim.name}")
    typed = xcat.type("rpower vm1,vm7 stat")
    assert_refused(typed, "vm7", "mkvm vm7")
    assert "vm1: " in typed.out


def left_under(xcat):
    """What copycds left below install/ that an empty one does not have."""
    return sorted(path.name for path in (xcat.home / "install").rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def iso(folder):
    """A small RHEV-H ISO without a real kernel; reading media does not need one."""
    import importlib.util
    from pathlib import Path

    maker = Path(__file__).parents[2] / "share" / "demo" / "make_iso.py"
    spec = importlib.util.spec_from_file_location("make_iso", maker)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    path = folder / "whole.iso"
    assert module.main([str(path)]) in (0, None)
    return path


def test_a_truncated_iso(xcat, iso, tmp_path):
    cut = tmp_path / "cut.iso"
    cut.write_bytes(iso.read_bytes()[: iso.stat().st_size // 2])
    before = left_under(xcat)
    assert_refused(xcat.type(f"copycds {cut}"), "cut.iso")
    assert left_under(xcat) == before


def test_a_file_that_is_no_iso(xcat, tmp_path):
    text = tmp_path / "readme.iso"
    text.write_text("not an ISO\n" * 10_000)
    before = left_under(xcat)
    assert_refused(xcat.type(f"copycds {text}"), "could not identify")
    assert left_under(xcat) == before


def test_an_empty_file_and_none_at_all(xcat, tmp_path):
    (tmp_path / "empty.iso").touch()
    assert_refused(xcat.type(f"copycds {tmp_path}/empty.iso"))
    assert_refused(xcat.type(f"copycds {tmp_path}/none.iso"), "none.iso")
    assert_refused(xcat.type("copycds"))


def test_an_iso_of_another_product(xcat, tmp_path):
    import pycdlib

    medium = pycdlib.PyCdlib()
    medium.new(joliet=3, rock_ridge="1.09", vol_ident="DEBIAN")
    medium.add_directory("/ISOLINUX", joliet_path="/isolinux", rr_name="isolinux")
    medium.write(str(tmp_path / "other.iso"))
    medium.close()
    before = left_under(xcat)
    assert_refused(xcat.type(f"copycds {tmp_path}/other.iso"), "could not identify")
    assert left_under(xcat) == before


@pytest.mark.root
@pytest.mark.skipif(
    not shutil.which("mount") or subprocess.run(["id", "-u"], capture_output=True, text=True).stdout.strip() != "0",
    reason="a full disk is a small tmpfs, which takes root",
)
def test_a_full_disk(xcat, iso):
    install = xcat.home / "install"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(install)], check=True)
    try:
        assert_refused(xcat.type(f"copycds {iso}"), "space")
        assert left_under(xcat) == []
    finally:
        subprocess.run(["umount", str(install)], check=True)


def test_nodeset_of_an_image_that_is_not_there(xcat):
    assert_refused(xcat.type("nodeset rhevh1 osimage=nosuch-image"), "nosuch-image")


def test_a_command_that_nobody_knows(xcat):
    typed = xcat.type("frobnicate vm1")
    assert "Unsupported request" in typed.err


def test_nobody_listens_at_the_daemons_place(xcat):
    typed = xcat.type("nodels", XCATHOST="127.0.0.1:1")
    assert typed.rc == 111
    assert "Traceback" not in typed.all
