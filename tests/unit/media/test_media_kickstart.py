"""Kickstarts: what must stand in one, and what must never get into one."""

import http.server
import importlib
import re
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.errors import NotFound, Usage
from xcat_rhev.media.cards import Bond, Card
from xcat_rhev.media.identify import Release
from xcat_rhev.media.kickstart import TEMPLATE, kickstart, read_template, template_path, write_template
from xcat_rhev.media.networks import Address
from xcat_rhev.media.settings import BootSettings
from xcat_rhev.secret import Secret

SETTINGS = BootSettings(
    node="n1",
    hostname="n1.example.com",
    card=Card("52:54:00:ab:cd:ef"),
    addresses=(),
    nameservers=(),
    ntpservers=(),
    admin_password=Secret(""),
    root_password=Secret("$6$salt$hash"),
    manager="engine.example.com",
    fingerprint="",
    finish_url="http://10.0.0.1/xcatrhevh/rhevh_finish_install/n1",
)
PAYLOAD = "http://10.0.0.1/install/rhevh4.3/x86_64/squashfs.img"


def made(**changes):
    return kickstart(TEMPLATE, replace(SETTINGS, **changes), PAYLOAD, "Europe/Berlin").splitlines()


def line(lines, word):
    found = [text for text in lines if text.split(" ")[0] == word]
    assert len(found) == 1, f"one {word}: {found}"
    return found[0]


def test_what_an_unattended_installation_needs():
    lines = made()
    assert line(lines, "liveimg") == f"liveimg --url={PAYLOAD}"
    assert line(lines, "autopart") == "autopart --type=thinp"
    assert line(lines, "rootpw") == "rootpw --iscrypted $6$salt$hash"
    assert line(lines, "clearpart") == "clearpart --all --initlabel"
    assert line(lines, "timezone") == "timezone Europe/Berlin --utc"
    assert line(lines, "network") == (
        "network --onboot=yes --activate --device=52:54:00:ab:cd:ef --bootproto=dhcp --hostname=n1.example.com"
    )
    assert "zerombr" in lines and "reboot" in lines
    assert "%packages" not in "\n".join(lines), "ignored with liveimg, and a trap for readers"


def test_the_layers_are_laid_out_before_anything_else_and_only_that_may_fail():
    text = "\n".join(made())
    sections = re.findall(r"^%post([^\n]*)\n(.*?)^%end$", text, re.MULTILINE | re.DOTALL)
    assert [options.strip() for options, _ in sections] == ["--erroronfail", "", ""]
    assert "nodectl init" in sections[0][1] and "imgbase layout --init" in sections[0][1]
    assert "finish_install" in sections[-1][1] and sections[-1][1].rstrip().endswith("|| :")


@pytest.mark.parametrize(
    "changes, expected",
    [
        (
            {
                "addresses": (Address("10.0.0.5", "255.255.255.0", "10.0.0.254"),),
                "nameservers": ("10.0.0.2", "10.0.0.3"),
            },
            "--bootproto=static --ip=10.0.0.5 --netmask=255.255.255.0 --gateway=10.0.0.254 "
            "--nameserver=10.0.0.2,10.0.0.3",
        ),
        (
            {"addresses": (Address("10.0.0.5", "255.255.0.0"),)},
            "--bootproto=static --ip=10.0.0.5 --netmask=255.255.0.0 --hostname",
        ),
        ({"card": Card("eth0", 100)}, "--device=eth0 --vlanid=100"),
        ({"nameservers": ("10.0.0.2",)}, "--bootproto=dhcp --nameserver=10.0.0.2 --hostname"),
        (
            {"addresses": (Address("fd00::5", "64", "fd00::1"),)},
            "--noipv4 --ipv6=fd00::5/64 --ipv6gateway=fd00::1 --hostname",
        ),
        (
            {"addresses": (Address("10.0.0.5", "255.0.0.0", "10.0.0.1"), Address("fd00::5", "64", "fd00::1"))},
            "--ip=10.0.0.5 --netmask=255.0.0.0 --gateway=10.0.0.1 --ipv6=fd00::5/64 --ipv6gateway=fd00::1",
        ),
        (
            {"card": Card("bond0", bond=Bond("bond0", ("eth0", "eth1"), ("mode=4", "miimon=100")))},
            "--device=bond0 --bondslaves=eth0,eth1 --bondopts=mode=4,miimon=100",
        ),
    ],
    ids=["static", "no gateway", "vlan", "DHCP with its own name servers", "IPv6", "both", "bond"],
)
def test_networks(changes, expected):
    assert expected in line(made(**changes), "network")


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"extra": ("storage_init=/dev/sda",)}, "sda"),
        ({"extra": ("quiet", "storage_init=/dev/sda,/dev/sdb;/dev/sdc")}, "sda,sdb,sdc"),
        (
            {"site_words": ("storage_init=ata",), "extra": ("storage_init=/dev/disk/by-id/scsi-3600",)},
            "disk/by-id/scsi-3600",
        ),
    ],
)
def test_disks_that_are_named_are_the_only_ones(changes, expected):
    assert line(made(**changes), "ignoredisk") == f"ignoredisk --only-use={expected}"
    assert "ignoredisk" not in "\n".join(made(extra=("storage_init",)))


@pytest.mark.parametrize("word", ["scsi:3600", "ata", "/dev/sd*", "", "/dev/sda --x", "/dev/sda,"])
def test_disks_that_anaconda_would_not_find(word):
    with pytest.raises(Usage, match="^n1: 'storage_init=.*by their path only. Write storage_init=/dev/sda"):
        made(extra=(f"storage_init={word}",))


def test_time_servers_stand_with_the_time_zone():
    assert line(made(ntpservers=("10.0.0.8", "ntp.example.com")), "timezone").endswith(
        "--utc --ntpservers=10.0.0.8,ntp.example.com"
    )


@pytest.mark.parametrize("linux, own_command", [(0, False), (7, False), (8, False), (9, True), (10, True)])
def test_time_servers_have_a_command_of_their_own_since_rhel_9(linux, own_command):
    settings = replace(SETTINGS, ntpservers=("10.0.0.8", "ntp.example.com"))
    lines = kickstart(TEMPLATE, settings, PAYLOAD, "Etc/UTC", linux).splitlines()
    own = [text for text in lines if text.startswith("timesource")]
    assert own == ["timesource --ntp-server=10.0.0.8", "timesource --ntp-server=ntp.example.com"] * own_command
    assert ("--ntpservers=10.0.0.8,ntp.example.com" in line(lines, "timezone")) is not own_command


NETWORKS: dict[str, dict[str, Any]] = {
    "DHCP": {},
    "DHCP with name servers": {"nameservers": ("10.0.0.2", "10.0.0.3")},
    "static": {"addresses": (Address("10.0.0.5", "255.255.255.0", "10.0.0.254"),), "nameservers": ("10.0.0.2",)},
    "IPv6": {"addresses": (Address("fd00::5", "64", "fd00::1"),), "nameservers": ("fd00::2",)},
    "both": {"addresses": (Address("10.0.0.5", "255.0.0.0", "10.0.0.1"), Address("fd00::5", "64"))},
    "VLAN": {"card": Card("eth0", 100)},
    "bond": {"card": Card("bond0", 0, Bond("bond0", ("eth0", "eth1"), ("mode=802.3ad", "miimon=100")))},
    "VLAN on a bond": {
        "card": Card("bond0", 100, Bond("bond0", ("ib0", "ib1"), ("mode=active-backup", "fail_over_mac=1"))),
        "addresses": (Address("10.0.0.5", "255.0.0.0", "10.0.0.1"),),
    },
}
TIME_AND_DISKS = {"ntpservers": ("10.0.0.8", "ntp.example.com"), "extra": ("storage_init=/dev/sda,/dev/sdb",)}
CONTENTS: dict[str, Any] = {
    **{name: {**network, **TIME_AND_DISKS} for name, network in NETWORKS.items()},
    "nothing more": {},
    "the manager's key": {"ssh_key": "ssh-rsa AAAAB3NzaC1yc2E= ovirt-engine"},
    "the manager's CA": {"manager_ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"},
}


@pytest.mark.parametrize("linux", [7, 8, 9, 10])
@pytest.mark.parametrize("changes", CONTENTS.values(), ids=CONTENTS)
def test_each_release_reads_its_kickstarts_without_a_word(linux, changes):
    """ksvalidator's own reader; what it calls deprecated is a warning, and so an error here."""
    pytest.importorskip("pykickstart", reason="pykickstart reads the kickstarts")
    parser = importlib.import_module("pykickstart.parser")
    version = importlib.import_module("pykickstart.version")
    text = kickstart(TEMPLATE, replace(SETTINGS, **changes), PAYLOAD, "Europe/Berlin", linux)
    handler = version.makeVersion(f"RHEL{linux}")
    parser.KickstartParser(handler).readKickstartFromString(text)
    assert handler.liveimg.url == PAYLOAD and handler.autopart.type is not None
    assert handler.network.network[0].device == changes.get("card", SETTINGS.card).nic


def test_the_managers_key_lets_it_in():
    key = "ssh-rsa AAAAB3NzaC1yc2E= ovirt-engine"
    text = "\n".join(made(ssh_key=key))
    assert f"echo '{key}' >> /root/.ssh/authorized_keys" in text
    assert "authorized_keys" not in "\n".join(made())


def test_a_key_that_is_not_known_is_fetched_from_the_manager_whose_ca_is():
    ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
    lines = made(manager_ca=ca)
    at = lines.index("cat > /root/manager-ca.crt <<'END'")
    assert lines[at + 1 : at + 5] == [*ca.splitlines(), "END"]
    fetch = next(text for text in lines if "pki-resource" in text)
    assert "OPENSSH-PUBKEY' /root/manager-ca.crt)" in fetch and "--insecure" not in "\n".join(lines)
    assert "'https://engine.example.com/ovirt-engine/services/pki-resource?resource=engine-certificate&" in fetch


class Hesitant(http.server.BaseHTTPRequestHandler):
    """A management node that is not ready at first."""

    refused = 0

    def do_GET(self) -> None:
        type(self).refused += 1
        self.send_response(200 if self.refused > 2 else 503)
        self.end_headers()
        self.wfile.write(b"OK\n" if self.refused > 2 else b"no")

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize("tool", ["curl", "wget"])
def test_a_management_node_that_is_away_is_asked_again(tool: str, tmp_path: Path) -> None:
    program = shutil.which(tool) or pytest.skip(f"{tool} is not installed")
    for path in (program, shutil.which("sleep"), shutil.which("sh")):
        (tmp_path / Path(str(path)).name).symlink_to(str(path))
    Hesitant.refused = 0
    server = http.server.HTTPServer(("127.0.0.1", 0), Hesitant)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/xcatrhevh/rhevh_finish_install/n1"
    text = "\n".join(made(finish_url=url))
    section = re.findall(r"^%post\n(.*?)^%end$", text, re.MULTILINE | re.DOTALL)[-1]
    environment = {"PATH": str(tmp_path), "XCAT_RHEV_PAUSE": "0"}
    done = subprocess.run(["sh", "-c", section], env=environment, capture_output=True, timeout=300, check=False)
    server.shutdown()
    server.server_close()
    assert done.returncode == 0 and Hesitant.refused == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"hostname": "n1;reboot"},
        {"hostname": "n1\n%post\nreboot"},
        {"card": Card("eth0 --bogus")},
        {"card": Card("$(id)")},
        {"ssh_key": "ssh-rsa AAAA' ; reboot ; '"},
        {"ssh_key": "not a key"},
        {"manager": "x'; reboot '", "manager_ca": "ca"},
        {"ssh_key": "ssh-rsa AAAA\nreboot"},
        {"finish_url": "http://10.0.0.1/x' ; reboot '"},
        {"finish_url": "file:///etc/passwd"},
        {"ntpservers": ("10.0.0.8 --nontp",)},
        {"nameservers": ("10.0.0.2;",), "addresses": (Address("1.2.3.4", "255.0.0.0"),)},
    ],
    ids=str,
)
def test_values_that_would_break_out(changes):
    with pytest.raises(Usage):
        made(**changes)


def test_a_sites_own_template_with_a_marker_that_does_not_exist():
    with pytest.raises(Usage, match="@@diskname@@.*not one of: disks, finish, network"):
        kickstart("part / --ondisk=@@diskname@@\n", SETTINGS, PAYLOAD, "Etc/UTC")


def test_a_sites_own_template_stays(tmp_path):
    release = Release("rhevh", "4.3", "", "x86_64", True, "RHVH")
    path = template_path(str(tmp_path), release, "compute")
    assert path == tmp_path / "custom/install/rhevh/compute.rhevh4.3.x86_64.tmpl"
    write_template(path)
    assert read_template(str(path), "image") == TEMPLATE
    path.write_text("mine")
    write_template(path)
    assert read_template(str(path), "image") == "mine"
    assert read_template("", "image") == TEMPLATE


def test_a_template_that_is_gone_is_named(tmp_path):
    with pytest.raises(NotFound, match="cannot read the template .*gone.tmpl of rhevh4.3"):
        read_template(str(tmp_path / "gone.tmpl"), "rhevh4.3-x86_64-install-compute")
