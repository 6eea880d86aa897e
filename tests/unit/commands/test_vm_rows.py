"""What the tables say about a virtual machine: columns, defaults, every fault of every row."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import FakeHost
from xcat_rhev.rows.vm import COLUMNS, Typed, read_rows
from xcat_rhev.rows.vmnics import NicRow
from xcat_rhev.rows.vmstorage import DiskRow
from xcat_rhev.units import GIB, MIB


def host(mac="", **columns):
    return FakeHost({"vm": [{"node": "vm1", "mgr": "rhevm", **columns}], "mac": [{"node": "vm1", "mac": mac}]})


def row(typed=None, mac="", **columns):
    rows, faults = read_rows(host(mac, **columns), ["vm1"], typed)
    assert faults == {}
    return rows["vm1"]


def faults(typed=None, mac="", **columns):
    rows, found = read_rows(host(mac, **columns), ["vm1"], typed)
    assert rows == {}
    return found["vm1"]


def test_a_row_that_says_nothing():
    found = row()
    assert (found.cluster, found.template, found.memory, found.topology, found.disks) == ("", "", None, None, ())
    assert (found.nics, found.new_nics()) == (None, (NicRow("eth0", "", True),))


def test_a_full_row():
    found = row(
        host="rhevh1",
        cluster="Prod",
        master="web",
        memory="4g",
        cpus="2:4:2",
        storage="data1:20g:system|data2:100g:data",
        storagemodel="ide:raw",
        nics="lan:eth0:yes|backup:eth1",
        nicmodel="e1000",
        bootorder="net,hd",
        virtflags="placement_affinity=pinned",
        vidproto="SPICE",
        guestostype="rhel_8x64",
        othersettings="ha:yes",
        mac="52:54:00:00:00:01",
    )
    assert (found.hosts, found.cluster, found.template, found.memory) == (("rhevh1",), "Prod", "web", 4 * GIB)
    assert (found.topology, found.boot) == ((2, 4, 2), ("network", "hd"))
    assert (found.display, found.affinity) == ("spice", "pinned")
    assert found.disks == (DiskRow("vm1_Disk1", "data1", 20 * GIB, True), DiskRow("vm1_Disk2", "data2", 100 * GIB))
    assert (found.interface, found.format, found.nic_model, found.os_type) == ("ide", "raw", "e1000", "rhel_8x64")
    assert found.nics == (NicRow("eth0", "lan", True), NicRow("eth1", "backup"))
    assert found.settings.values == {"ha": True}
    assert (found.mac_of("eth0"), found.mac_of("eth1")) == ("52:54:00:00:00:01", "")


def test_sizes_are_binary_and_a_bare_number_is_mib():
    assert row(memory="4096").memory == 4 * GIB
    assert row(storage="data1:512").disks[0].size == 512 * MIB
    assert row(storage="data1").disks[0].size == 5 * GIB


@pytest.mark.parametrize(
    ("storage", "boot"),
    [
        ("d:1g|d:2g", [True, False]),
        ("d:1g:data|d:2g", [False, True]),
        ("d:1g:data|d:2g:system", [False, True]),
        ("d:1g|d:2g:system", [False, True]),
        ("d:1g:data", [False]),
    ],
)
def test_one_disk_is_the_boot_disk(storage, boot):
    assert [disk.bootable for disk in row(storage=storage).disks] == boot


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"storagemodel": "virtio"}, ("virtio", "cow", True)),
        ({"storagemodel": "scsi:qcow2"}, ("virtio_scsi", "cow", True)),
        ({"storagemodel": "virtio:cow", "storageformat": "raw"}, ("virtio", "raw", None)),
        ({"virtflags": "imageformat=fullraw:clonemethod=reflink"}, ("virtio", "raw", False)),
    ],
)
def test_interface_and_format(columns, found):
    read = row(**columns)
    assert (read.interface, read.format, read.sparse) == found


def test_nics_without_a_mark_are_installed_through_the_first():
    assert row(nics="lan|backup").nics == (NicRow("eth0", "lan", True), NicRow("eth1", "backup"))


def test_a_template_brings_its_own_nics():
    assert row(master="web").new_nics() == ()
    assert row(master="Blank").new_nics() == (NicRow("eth0", "", True),)


def test_the_first_address_is_that_of_the_installation_nic():
    found = row(nics="a:eth0|b:eth1:yes", mac="52:54:00:00:00:01|52:54:00:00:00:02!vm1-a")
    assert (found.mac_of("eth1"), found.mac_of("eth0")) == ("52:54:00:00:00:01", "52:54:00:00:00:02")


def test_typed_options_take_the_place_of_columns():
    typed = Typed((20 * GIB, 512 * MIB), 2 * GIB, (4, 1, 1), "web")
    found = row(typed, storage="data1:5g", memory="1g", cpus="1", master="other")
    assert found.disks == (DiskRow("vm1_Disk1", "data1", 20 * GIB, True), DiskRow("vm1_Disk2", "data1", 512 * MIB))
    assert (found.memory, found.topology, found.template) == (2 * GIB, (4, 1, 1), "web")


@pytest.mark.parametrize(("model", "display"), [("qxl", "spice"), ("cirrus", "vnc"), ("vga", "vnc")])
def test_the_video_model_says_the_protocol_where_nothing_else_does(model, display):
    assert row(vidmodel=model).display == display


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"memory": "lots"}, "vm.memory: 'lots' is not a size. Run: chtab node=vm1 'vm.memory=4g'"),
        ({"memory": "0"}, "vm.memory: '0' is not more than zero. Run: chtab node=vm1 'vm.memory=4g'"),
        ({"memory": "9" * 400 + "g"}, "is too large"),
        ({"cpus": "two"}, "vm.cpus: 'two' is not of the form sockets[:cores[:threads]]"),
        ({"cpus": "0:1"}, "vm.cpus: '0:1'"),
        ({"cpus": "1:1:1:1"}, "vm.cpus: '1:1:1:1'"),
        ({"storage": "nfs://server/path"}, "not of the form domain:size"),
        ({"storage": "dir:///var"}, "not of the form domain:size"),
        ({"storage": ":10g"}, "not of the form domain:size"),
        ({"storage": "d:10g:system:x"}, "not of the form domain:size"),
        ({"storage": "d:10g:swap"}, "the disk type 'swap'"),
        ({"storage": "d:big"}, "the size of disk 1: 'big' is not a size"),
        ({"storage": "d:1g:system|d:2g:system"}, "one boot disk"),
        ({"storagemodel": "floppy"}, "vm.storagemodel is 'floppy'"),
        ({"storagemodel": "virtio:vmdk"}, "the disk format 'vmdk'"),
        ({"storageformat": "vmdk"}, "vm.storageformat has the disk format 'vmdk'"),
        ({"nics": "lan:eth0:maybe"}, "not of the form network[/profile]:name"),
        ({"nics": ":eth0"}, "not of the form network[/profile]:name"),
        ({"nics": "a:eth0|b:eth0"}, "two NICs have the same name"),
        ({"nics": "a:eth0:yes|b:eth1:yes"}, "one 'yes'"),
        ({"nicmodel": "ne2k"}, "vm.nicmodel is 'ne2k'"),
        ({"bootorder": "floppy"}, "vm.bootorder: 'floppy' is not a boot order"),
        ({"vidproto": "rdp"}, "vm.vidproto is 'rdp'"),
        ({"vidmodel": "vga", "vidproto": "spice"}, "vm.vidmodel is 'vga'"),
        ({"vidmodel": "voodoo"}, "vm.vidmodel is 'voodoo'"),
        ({"virtflags": "placement_affinity=glued"}, "placement_affinity 'glued'"),
        ({"host": "rhevh1,-rhevh1"}, "-HYPERVISOR to remove one"),
        ({"storage": "d:1g:data="}, "not of the form domain:size"),
        ({"storage": "d:1g:data=a|d:2g:data=a"}, "names the disk 'a' twice"),
        ({"storage": "d:1g=a"}, "disk type '1g'"),
        ({"nics": "lan:eth0:yes:ne2k"}, "the model 'ne2k'"),
    ],
)
def test_a_fault_names_the_column_and_what_to_run(columns, said):
    (fault,) = faults(**columns)
    assert said in fault
    assert "Run: chtab node=vm1 'vm." in fault


def test_a_wrong_mac_address_is_a_fault_of_its_table():
    assert faults(mac="nonsense") == [
        "mac.mac: 'nonsense' is not a MAC address. Run: chtab node=vm1 mac.mac=52:54:00:00:00:01"
    ]


def test_all_faults_of_a_row_are_told_at_once():
    assert len(faults(memory="lots", cpus="two", storage="d:big", nicmodel="ne2k", othersettings="x:y")) == 5


def test_a_node_without_a_row_keeps_rhevm_pms_words():
    rows, found = read_rows(FakeHost({}), ["vm1"])
    assert rows == {} and found["vm1"][0].startswith("has NOT entry in vm table.")


def test_one_bad_row_leaves_the_others_alone():
    tables = {"vm": [{"node": "vm1", "mgr": "m", "memory": "lots"}, {"node": "vm2", "mgr": "m"}]}
    rows, found = read_rows(FakeHost(tables), ["vm1", "vm2"])
    assert (list(rows), list(found)) == (["vm2"], ["vm1"])


def test_guest_passwords_come_from_the_passwd_table_once_for_each_key():
    tables = {
        "vm": [{"node": f"vm{n}", "mgr": "m", "othersettings": "password:guests"} for n in (1, 2)],
        "passwd": [{"key": "guests", "username": "root", "password": "swordfish"}],
    }
    rows, _ = read_rows(FakeHost(tables), ["vm1", "vm2"])
    assert {row.settings.guest.root_password.reveal() for row in rows.values()} == {"swordfish"}


COLUMN = st.text(st.characters(codec="utf-8"), max_size=30) | st.text("datax:|=,;0123456789gm \t", max_size=30)


@given(
    st.fixed_dictionaries({column: COLUMN for column in COLUMNS}), COLUMN, st.lists(st.integers(1, 1 << 62), max_size=3)
)
@settings(max_examples=60, deadline=None)
def test_whatever_stands_in_the_tables_is_a_row_or_a_fault_of_its_node(columns, mac, sizes):
    rows, faults = read_rows(host(mac, **columns), ["vm1"], Typed(sizes=tuple(sizes)))
    assert set(rows) | set(faults) == {"vm1"}
    for fault in faults.get("vm1", ()):
        assert fault.strip()


def test_a_disk_is_named_by_name_or_id_and_numbers_do_not_collide():
    id = "52b4ab2c-5e96-46f9-b764-7cad2b7c30aa"
    found = row(storage=f"d:1g:data=vm1_Disk1|d:2g|d:3g:data={id}").disks
    assert [(disk.name, disk.known) for disk in found] == [
        ("vm1_Disk1", "vm1_Disk1"),
        ("vm1_Disk2", ""),
        ("vm1_Disk3", id),
    ]
    assert [disk.bootable for disk in found] == [False, True, False]


def test_a_disk_that_is_only_attached_has_neither_domain_nor_size():
    (found,) = row(storage="data=raw lun").disks
    assert (found.known, found.existing, found.sized, found.domain, found.bootable) == (
        "raw lun",
        True,
        False,
        "",
        False,
    )


@pytest.mark.parametrize("column", ["storage", "nics"])
def test_none_at_all_is_said_by_a_word(column):
    found = row(**{column: "none"})
    assert (found.disks, found.new_nics()) == ((), () if column == "nics" else (NicRow("eth0", "", True),))


def test_nics_of_several_models_and_one_on_no_network():
    found = row(nics="lan:nic1|lan:nic2:no:e1000|-:nic3").nics
    assert found == (NicRow("nic1", "lan", True), NicRow("nic2", "lan", False, "e1000"), NicRow("nic3", None))


def test_hosts_are_named_and_taken_away():
    found = row(host="rhevh1,rhevh2,-rhevh3")
    assert (found.hosts, found.not_hosts) == (("rhevh1", "rhevh2"), ("rhevh3",))


def test_a_password_that_is_not_there_is_a_fault():
    (fault,) = faults(othersettings="password:nokey")
    assert "key=nokey" in fault and "chtab key=nokey passwd.username=root" in fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nic:eth0,static,fd00::9,255.255.255.0", "'fd00::9' is not an IPv4 address"),
        ("nic:eth0,static,10.1.2.999,255.255.255.0", "'10.1.2.999' is not an IPv4 address"),
        ("nic:eth0,static,10.1.2.3,255.0.255.0", "'255.0.255.0' is not a netmask"),
        ("nic:eth0,static,10.1.2.3,255.255.255.0,gateway", "'gateway' is not an IPv4 address"),
        ("dns:ns1", "'ns1' is not an address of a name server"),
        ("type:toaster", "'toaster' is not a type of machine"),
    ],
)
def test_what_a_guest_cannot_be_told_is_a_fault(text, said):
    (fault,) = faults(othersettings=text)
    assert said in fault


def test_a_custom_property_is_set_or_taken_away():
    found = row(othersettings="custom:hugepages=1048576;custom:-sap_agent")
    assert found.settings.values == {"custom_properties": {"hugepages": "1048576", "sap_agent": None}}
