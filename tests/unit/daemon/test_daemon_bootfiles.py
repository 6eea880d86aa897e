"""What nodeset writes for boot loaders, byte for byte, and the way from one state to the next."""

from collections.abc import Iterator

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import catalog
from xcat_rhev.daemon.core.declare import CommandCall, Core, own_command
from xcat_rhev.daemon.reply import Output
from xcat_rhev.declare.command import CommandWords
from xcat_rhev.errors import RhevError
from xcat_rhev.messages import Error

KERNEL, INITRD = "xcat/fx/vmlinuz", "xcat/fx/initrd"


def fake_mkinstall(call: CommandCall) -> Iterator[Output]:
    """Stands in for the product's mkinstall: nodes whose name begins with `bad` fail."""
    for node in call.request.nodes:
        if node.startswith("bad"):
            yield Error("no medium", node)
        elif not node.startswith("mute"):
            call.host.set_bootparams(node, KERNEL, INITRD, "inst.ks=http://!myipfn!/x")


@pytest.fixture
def xcat(tmp_path, monkeypatch):
    core = Core(
        own_command("mkinstall", "for tests", ("mkinstall",), (), CommandWords()),
        fake_mkinstall,
        routes=(("fake", "nodetype:os=(fxos.*)"),),
    )
    monkeypatch.setitem(catalog.CORES, "mkinstall", core)
    xcat = Inside(tmp_path)
    xcat.type(
        "mkdef",
        "-t",
        "osimage",
        "-o",
        "img",
        "provmethod=install",
        "osvers=fxos1",
        "osarch=x86_64",
        "profile=p",
        "addkcmdline=img=1 #NODEATTRIB:nodetype:arch#",
    )
    for node in ("fx1", "fx2"):
        xcat.type(
            "mkdef",
            node,
            "groups=all",
            "netboot=pxe",
            "ip=127.0.0.1",
            "mac=52:54:00:AA:00:01",
            "addkcmdline=foo=bar R::pers",
        )
    (xcat.home.tftp / "boot/grub2").mkdir(parents=True)
    (xcat.home.tftp / "boot/grub2/grub2.x86_64").touch()
    yield xcat
    xcat.close()


def text(xcat: Inside, path: str) -> str:
    return (xcat.home.tftp / path).read_text()


def with_netboot(xcat: Inside, netboot: str) -> None:
    xcat.type("chdef", "fx1", f"netboot={netboot}")


def test_pxe(xcat):
    assert xcat.type("nodeset", "osimage=img", on="fx1") == ["fx1: install fxos1-x86_64-p"]
    assert text(xcat, "pxelinux.cfg/fx1") == (
        "#install fxos1-x86_64-p\nDEFAULT xCAT\nLABEL xCAT\n KERNEL xcat/fx/vmlinuz\n"
        " APPEND initrd=xcat/fx/initrd inst.ks=http://127.0.0.1/x foo=bar img=1 x86_64 \n  IPAPPEND 2\n"
    )
    assert (xcat.home.tftp / "pxelinux.cfg/7F000001").readlink().name == "fx1"
    xcat.type("nodeset", "boot", on="fx1")
    assert text(xcat, "pxelinux.cfg/7F000001") == "#boot\nDEFAULT xCAT\nLABEL xCAT\nLOCALBOOT 0\n"
    xcat.type("nodeset", "offline", on="fx1")
    assert not list((xcat.home.tftp / "pxelinux.cfg").iterdir())
    assert xcat.type("nodeset", "stat", on="fx1") == ["fx1: boot"]


def test_xnba(xcat):
    with_netboot(xcat, "xnba")
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert text(xcat, "xcat/xnba/nodes/fx1") == (
        "#!gpxe\n#install fxos1-x86_64-p\n"
        "imgfetch -n kernel http://${next-server}/tftpboot/xcat/fx/vmlinuz\nimgload kernel\n"
        "imgargs kernel inst.ks=http://${next-server}/x foo=bar img=1 x86_64  BOOTIF=01-${netX/mac:hexhyp}\n"
        "imgfetch -n initrd http://${next-server}/tftpboot/xcat/fx/initrd\nimgexec kernel\n"
    )
    assert text(xcat, "xcat/xnba/nodes/fx1.uefi") == (
        "#!gpxe\nchain http://${next-server}/tftpboot/xcat/elilo-x64.efi -C /tftpboot/xcat/xnba/nodes/fx1.elilo\n"
    )
    assert 'append="inst.ks=http://%N/x foo=bar img=1 x86_64  BOOTIF=%B"' in text(xcat, "xcat/xnba/nodes/fx1.elilo")
    xcat.type("nodeset", "boot", on="fx1")
    assert text(xcat, "xcat/xnba/nodes/fx1") == "#!gpxe\n#boot\nexit\n" == text(xcat, "xcat/xnba/nodes/fx1.uefi")
    assert xcat.type("nodeset", "stat", on="fx1") == ["fx1: boot"]
    xcat.type("nodeset", "offline", on="fx1")
    assert not list((xcat.home.tftp / "xcat/xnba/nodes").iterdir())
    assert xcat.type("nodeset", "stat", on="fx1") == ["fx1: offline"]


def test_xnba_of_a_kernel_that_efi_starts_by_itself(xcat):
    with_netboot(xcat, "xnba")
    (xcat.home.tftp / "xcat/fx").mkdir(parents=True)
    (xcat.home.tftp / KERNEL).write_bytes(b"MZ" + bytes(200) + b"PE\0\0\x64\x86")
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert "BOOTIF=01-${netX/mac:hexhyp} initrd=initrd\n" in text(xcat, "xcat/xnba/nodes/fx1.uefi")
    assert not (xcat.home.tftp / "xcat/xnba/nodes/fx1.elilo").exists()


def test_another_web_port(xcat):
    xcat.type("tabch", "key=httpport", "site.value=8080")
    with_netboot(xcat, "xnba")
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert "http://${next-server}:8080/tftpboot/xcat/fx/vmlinuz" in text(xcat, "xcat/xnba/nodes/fx1")


@pytest.mark.parametrize(
    "netboot, root, folder",
    [
        ("grub2", "set root=tftp,127.0.0.1", ""),
        ("grub2-tftp", "set root=tftp,127.0.0.1", ""),
        ("grub2-http", "set root=http,127.0.0.1", "/tftpboot"),
    ],
)
def test_grub2(xcat, netboot, root, folder):
    with_netboot(xcat, netboot)
    assert xcat.type("nodeset", "osimage=img", on="fx1") == ["fx1: install fxos1-x86_64-p"]
    assert text(xcat, "boot/grub2/fx1") == (
        '#install fxos1-x86_64-p\nset timeout=5\nfunction linuxefi { linux "$@"; }\n'
        'function initrdefi { initrd "$@"; }\nset default="xCAT OS Deployment"\nmenuentry "xCAT OS Deployment" {\n'
        f"    insmod http\n    insmod tftp\n    {root}\n    echo Loading Install kernel ...\n"
        f"    linuxefi {folder}/xcat/fx/vmlinuz inst.ks=http://127.0.0.1/x foo=bar img=1 x86_64  "
        "BOOTIF=$net_default_mac\n"
        f"    echo Loading initial ramdisk ...\n    initrdefi {folder}/xcat/fx/initrd\n}}\n"
    )
    for link in ("grub.cfg-7F000001", "grub.cfg-01-52-54-00-aa-00-01"):
        assert (xcat.home.tftp / "boot/grub2" / link).samefile(xcat.home.tftp / "boot/grub2/fx1")
    assert (xcat.home.tftp / "boot/grub2/grub2-fx1").readlink().name == "grub2.x86_64"
    xcat.type("nodeset", "boot", on="fx1")
    assert text(xcat, "boot/grub2/grub.cfg-7F000001") == "#boot\nset timeout=5\nexit\n"
    xcat.type("nodeset", "offline", on="fx1")
    assert [file.name for file in (xcat.home.tftp / "boot/grub2").iterdir()] == ["grub2.x86_64"]


def test_grub2_without_its_loader(xcat):
    with_netboot(xcat, "grub2")
    (xcat.home.tftp / "boot/grub2/grub2.x86_64").unlink()
    assert "grub2.x86_64" in xcat.type("nodeset", "osimage=img", on="fx1")[0]
    assert xcat.rc == 1


@pytest.mark.parametrize("netboot", ["pxe", "xnba", "grub2"])
def test_another_boot_loader_leaves_nothing_of_the_one_before(xcat, netboot):
    loader = xcat.home.tftp / "boot/grub2/grub2.x86_64"
    for before in ("pxe", "xnba", "grub2"):
        with_netboot(xcat, before)
        xcat.type("nodeset", "osimage=img", on="fx1")
    with_netboot(xcat, netboot)
    xcat.type("nodeset", "boot", on="fx1")
    files = [path for path in xcat.home.tftp.rglob("*") if not path.is_dir() and path != loader]
    folder = {"pxe": "pxelinux.cfg", "xnba": "xcat/xnba/nodes", "grub2": "boot/grub2"}[netboot]
    assert files and {path.parent for path in files} == {xcat.home.tftp / folder}
    assert not [path for path in files if "install" in path.read_text()]


@pytest.mark.parametrize("netboot, link", [("pxe", "pxelinux.cfg/7F000001"), ("grub2", "boot/grub2/grub.cfg-7F000001")])
def test_an_address_that_is_another_nodes_by_now_stays_its(xcat, netboot, link):
    xcat.type("chdef", "fx1,fx2", f"netboot={netboot}")
    xcat.type("nodeset", "boot", on="fx1")
    xcat.type("nodeset", "osimage=img", on="fx2")
    xcat.type("nodeset", "offline", on="fx1")
    assert text(xcat, link).startswith("#install")


@pytest.mark.parametrize("state", ["boot", "offline"])
def test_grub2_forgets_the_address_that_a_node_had(xcat, state):
    with_netboot(xcat, "grub2")
    xcat.type("nodeset", "osimage=img", on="fx1")
    xcat.type("chdef", "fx1", "ip=127.0.0.9", "mac=52:54:00:AA:00:09")
    xcat.type("nodeset", state, on="fx1")
    folder = xcat.home.tftp / "boot/grub2"
    assert not (folder / "grub.cfg-7F000001").exists() and not (folder / "grub.cfg-01-52-54-00-aa-00-01").exists()
    assert (folder / "grub.cfg-7F000009").exists() == (state == "boot")


@pytest.mark.parametrize(
    "macs, installnic, wanted",
    [
        ("52:54:00:00:00:01!other|52:54:00:00:00:02!fx1|52:54:00:00:00:03", "", "02"),
        ("52:54:00:00:00:01!other|52:54:00:00:00:02!*NOIP*|52:54:00:00:00:03", "", "03"),
        ("52:54:00:00:00:01!other|52:54:00:00:00:02!*NOIP*", "eth0", "01"),
        ("52:54:00:00:00:01|52:54:00:00:00:02", "", "01"),
        ("52:54:00:00:00:01", "52:54:00:00:00:07", "07"),
        ("525400000004", "mac", "04"),
        ("5254.0000.0005", "", "05"),
        ("52-54-00-00-00-06", "", "06"),
        ("52:54:00:00:00:01", "5254.0000.0008", "08"),
    ],
)
def test_the_card_of_a_node(xcat, macs, installnic, wanted):
    xcat.type("chdef", "fx1", "netboot=grub2", f"mac={macs}", f"installnic={installnic}")
    xcat.type("nodeset", "boot", on="fx1")
    found = [path.name for path in (xcat.home.tftp / "boot/grub2").glob("grub.cfg-01-*")]
    assert found == [f"grub.cfg-01-52-54-00-00-00-{wanted}"]


def test_grub2_fetches_from_the_host_that_the_table_names(xcat):
    xcat.type("chdef", "fx1", "netboot=grub2", "tftpserver=127.0.0.7", "xcatmaster=127.0.0.8")
    xcat.type("nodeset", "osimage=img", on="fx1")
    written = text(xcat, "boot/grub2/fx1")
    assert "set root=tftp,127.0.0.7\n" in written and "inst.ks=http://127.0.0.1/x" in written


def test_grub2_knows_two_ways_to_fetch(xcat):
    with_netboot(xcat, "grub2-nfs")
    lines = xcat.type("nodeset", "boot", on="fx1")
    assert "Invalid netboot method, please check noderes.netboot for fx1" in lines[0] and xcat.rc == 1
    assert "Set it to xnba, pxe, grub2, grub2-tftp or grub2-http" in lines[0]


@pytest.mark.parametrize("netboot", ["", "yaboot", "petitboot", "XNBA", "elilo"])
def test_a_loader_that_there_is_not_is_answered_with_all_that_there_are(xcat, netboot):
    with_netboot(xcat, netboot)
    (line,) = xcat.type("nodeset", "osimage=img", on="fx1")
    assert line.startswith(
        "fx1: Error: Unable to identify plugin for this command, check relevant tables: noderes.netboot"
    )
    assert line.endswith(". Set noderes.netboot to xnba, pxe, grub2, grub2-tftp or grub2-http") and xcat.rc == 1


def test_a_node_far_away_gets_no_address_that_only_this_machine_knows(xcat):
    xcat.type("chdef", "fx1", "ip=203.0.113.1")
    lines = xcat.type("nodeset", "osimage=img", on="fx1")
    assert "Unable to determine or reasonably guess the image server for fx1" in lines[0] and xcat.rc == 1
    assert xcat.type("nodeset", "boot", on="fx1") == ["fx1: boot"]
    xcat.type("chdef", "fx1", "xcatmaster=203.0.113.9")
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert "inst.ks=http://203.0.113.9/x" in text(xcat, "pxelinux.cfg/fx1")


def test_a_node_is_removed_with_its_files(xcat):
    xcat.type("nodeset", "osimage=img", on="fx1")
    xcat.type("nodeset", "boot", on="fx2")  # has the same address
    assert xcat.type("rmdef", "-C", "fx1") == ["fx1: offline", "1 object definitions have been removed."]
    assert sorted(path.name for path in (xcat.home.tftp / "pxelinux.cfg").iterdir()) == ["7F000001", "fx2"]


def test_several_addresses(xcat):
    xcat.type("chdef", "fx1", "mac=52:54:00:aa:00:01|52:54:00:aa:00:02!127.0.0.7|52:54:00:aa:00:03!*NOIP*")
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert (xcat.home.tftp / "pxelinux.cfg/7F000007").exists() and (xcat.home.tftp / "pxelinux.cfg/7F000001").exists()


def test_the_chain_goes_from_install_to_boot_and_stays_there(xcat):
    xcat.type("nodeset", "osimage=img", on="fx1")
    assert xcat.table("chain") == [{"node": "fx1", "currstate": "install fxos1-x86_64-p", "currchain": "boot"}]
    for _ in range(2):
        assert xcat.type("nodeset", "next", on="fx1") == ["fx1: boot"]
        assert xcat.table("chain") == [{"node": "fx1", "currstate": "boot", "currchain": "boot"}]


def test_a_chain_of_steps(xcat):
    xcat.type("tabch", "node=fx1", "chain.chain=osimage=img,boot")
    assert xcat.type("nodeset", "next", on="fx1") == ["fx1: install fxos1-x86_64-p"]
    assert xcat.type("nodeset", "next", on="fx1") == ["fx1: boot"]
    assert xcat.type("nodeset", "boot,osimage=img", on="fx2") == ["fx2: boot"]
    assert xcat.type("nodeset", "next", on="fx2") == ["fx2: install fxos1-x86_64-p"]


def test_next_without_a_chain(xcat):
    assert "Cannot determine current state for this node" in xcat.type("nodeset", "next", on="fx1")[0]
    assert xcat.rc == 1


def test_enact_writes_files_and_no_tables(xcat):
    xcat.type("nodeset", "osimage=img", on="fx1")
    before = xcat.table("chain")
    (xcat.home.tftp / "pxelinux.cfg/fx1").unlink()
    xcat.type("nodeset", "enact", on="fx1")
    assert text(xcat, "pxelinux.cfg/fx1").startswith("#install") and xcat.table("chain") == before


def test_osimage_without_a_name_takes_the_nodes_own(xcat):
    assert "must be specified in nodetype.provmethod" in xcat.type("nodeset", "osimage", on="fx1")[0]
    xcat.type("chdef", "fx1", "provmethod=img")
    assert xcat.type("nodeset", "osimage", on="fx1") == ["fx1: install fxos1-x86_64-p"]


def test_one_nodes_failure_is_its_own(xcat):
    for node in ("bad1", "mute1", "nomac", "noip"):
        xcat.type("mkdef", node, "groups=all", "netboot=pxe", "ip=127.0.0.1", "mac=52:54:00:aa:00:01")
    xcat.type("chdef", "nomac", "mac=")
    xcat.type("chdef", "noip", "ip=")
    lines = xcat.type("nodeset", "osimage=img", on="bad1,mute1,nomac,noip,fx1")
    assert "fx1: install fxos1-x86_64-p" in lines and xcat.rc == 1
    assert "bad1: Error: no medium" in lines
    assert "nomac: Error: No MAC address available for this node" in lines
    assert any(line.startswith("noip: Error: its name does not resolve") for line in lines)
    assert any(line.startswith("mute1: Error: mkinstall did not say") for line in lines)
    assert lines[-1].endswith("for some node(s): bad1,mute1,noip,nomac")
    assert [row["node"] for row in xcat.table("chain")] == ["fx1"]
    assert sorted(file.name for file in (xcat.home.tftp / "pxelinux.cfg").iterdir()) == ["7F000001", "fx1"]


@pytest.mark.parametrize(
    "words, text_",
    [
        ((), "Invalid argument: ''"),
        (("boot", "next"), "Invalid argument: 'boot next'"),
    ],
)
def test_nodeset_takes_one_word(xcat, words, text_):
    assert text_ in xcat.type("nodeset", *words, on="fx1")[0]
    assert xcat.rc == 1


@pytest.mark.parametrize(
    "word, text_",
    [
        ("install", "have been deprecated"),
        ("netboot=x", "have been deprecated"),
        ("dance", "Unknown state dance requested"),
        ("osimage=", 'invalid argument: "osimage="'),
        ("osimage=nope", "Cannot find the OS image nope"),
        ("shell", "Could not find genesis.kernel"),
        ("runcmd=bmcsetup", "Could not find genesis.kernel"),
    ],
)
def test_states_that_are_refused_change_nothing(xcat, word, text_):
    with pytest.raises(RhevError) as caught:
        xcat.type("nodeset", word, on="fx1")
    assert text_ in str(caught.value)
    assert xcat.table("chain") == []


def test_without_netboot_nobody_knows_the_node(xcat):
    xcat.type("chdef", "fx1", "netboot=")
    assert "check relevant tables: noderes.netboot" in xcat.type("nodeset", "stat", on="fx1")[0]


def test_rinstall_says_what_it_cannot_start(xcat):
    lines = xcat.type("rinstall", "osimage=img", on="fx1")
    assert lines[0] == "fx1: install fxos1-x86_64-p"
    assert "start it from the network" in lines[1]
