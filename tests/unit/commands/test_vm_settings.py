"""vm.othersettings: what has no column of its own."""

import pytest

from xcat_rhev.commands.vm.guest import initialization_of
from xcat_rhev.rows.guest import GuestNic
from xcat_rhev.rows.vmsettings import read_settings, set_value
from xcat_rhev.secret import Secret


def read(text):
    settings, faults = read_settings(text, "vm1")
    assert faults == []
    return settings


def faults(text):
    return read_settings(text, "vm1")[1]


def test_nothing_says_nothing():
    settings = read("")
    assert (dict(settings.values), settings.tags, settings.guest) == ({}, (), None)


def test_high_availability_tags_and_groups():
    settings = read("ha:yes; ha_priority:50;tags:web, prod;affinity_groups=apart;delete_protected:no;description:a=b:c")
    assert settings.values == {"ha": True, "ha_priority": 50, "delete_protected": False, "description": "a=b:c"}
    assert (settings.tags, settings.affinity_groups) == (("web", "prod"), ("apart",))


def test_custom_properties_may_be_several():
    assert read("custom:hugepages=1024;custom:viodiskcache=writethrough").values == {
        "custom_properties": {"hugepages": "1024", "viodiskcache": "writethrough"}
    }


def test_cloud_init_takes_the_nodes_name_where_nothing_is_said():
    guest = read("init:cloud-init").guest
    assert guest.host_name is None
    assert initialization_of(guest, "vm1").host_name == "vm1"


def test_cloud_init_in_full():
    told = read(
        "hostname:web1;domain:example.com;timezone:Etc/UTC;user:root;sshkey:ssh-ed25519 AAAA me;"
        "dns:10.0.0.1,10.0.0.2;search:example.com;nic:eth0,static,10.0.0.5,255.255.255.0,10.0.0.254;nic:eth1,dhcp"
    ).guest
    assert (told.host_name, told.user_name, told.dns_servers) == ("web1", "root", "10.0.0.1 10.0.0.2")
    assert told.nics == (
        GuestNic(
            name="eth0",
            boot_protocol="static",
            ip="10.0.0.5",
            netmask="255.255.255.0",
            gateway="10.0.0.254",
        ),
        GuestNic(name="eth1", boot_protocol="dhcp"),
    )


def test_the_password_is_a_key_and_shows_itself_nowhere():
    settings = read("password:guests").with_password(Secret("swordfish"))
    assert settings.password_key == "guests"
    assert settings.guest.root_password.reveal() == "swordfish"
    assert "swordfish" not in repr(settings)


def test_a_script_and_a_key_are_read_from_files(tmp_path):
    script, key = tmp_path / "script", tmp_path / "key.pub"
    script.write_text("#cloud-config\n", encoding="utf-8")
    key.write_text("ssh-ed25519 AAAA\n", encoding="utf-8")
    told = read(f"script:{script};sshkey:{key}").guest
    assert (told.custom_script, told.authorized_ssh_keys) == ("#cloud-config\n", "ssh-ed25519 AAAA")


def test_the_next_boot():
    assert read("bootonce:net,hd").boot_once == ("network", "hd")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bsr:2", "holds 'bsr'"),
        ("ha", "ha: the value is ''"),
        ("ha:maybe", "the value is 'maybe'"),
        ("ha_priority:0", "'0' is not a priority"),
        ("ha_priority:101", "'101' is not a priority"),
        ("ha:yes;ha:no", "holds ha twice"),
        ("init:magic", "'magic' is not a way to set up a guest"),
        ("nic:eth0", "'eth0' is not a guest NIC"),
        ("nic:eth0,static,10.0.0.5", "is not a guest NIC"),
        ("nic:eth0,dhcp,10.0.0.5,255.0.0.0", "is not a guest NIC"),
        ("custom:x", "'x' is not a custom property"),
        ("script:/no/such/file", "/no/such/file cannot be read: No such file"),
        ("bootonce:usb", "'usb' is not a boot order"),
        ("init:sysprep;hostname:a-very-long-windows-name", "longer than 15 characters"),
    ],
)
def test_faults_name_the_pair(text, said):
    (fault,) = faults(text)
    assert "vm.othersettings" in fault and said in fault


def test_all_faults_are_told_at_once():
    assert len(faults("bsr:2;ha:maybe;nic:eth0")) == 3


def test_a_binary_script_is_a_fault(tmp_path):
    (tmp_path / "script").write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8 text" in faults(f"script:{tmp_path / 'script'}")[0]


def test_one_pair_is_changed_and_the_rest_stays():
    text = "ha:yes;custom:a=b;bootonce:net"
    assert set_value(text, "bootonce", "hd") == "ha:yes;custom:a=b;bootonce:hd"
    assert set_value(text, "bootonce", "") == "ha:yes;custom:a=b"
    assert set_value("", "bootonce", "hd") == "bootonce:hd"
