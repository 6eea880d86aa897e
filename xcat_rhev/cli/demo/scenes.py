"""What the demo shows, scene by scene: each step types a command and then looks at what became of it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ..files import find_shared
from .looks import Engine, expect, row
from .parts import DemoProgram, free_port, own, web_server
from .record import DemoRecord, Failed

MAKER = "share/demo/make_iso.py"
#: The hypervisors: name -> (address, MAC). All of 127/8 is this machine, so nothing needs root.
HOSTS = {"rhevh1": ("127.0.0.11", "52:54:00:00:00:11"), "rhevh2": ("127.0.0.12", "52:54:00:00:00:12")}
NODE, (ADDRESS, MAC) = next(iter(HOSTS.items()))
VMS = "vm1-vm3"


class DemoStage:
    """What the scenes share.

    Args:
        home: The folder below which everything lives.
        record: Where the steps go.
    """

    def __init__(self, home: Path, record: DemoRecord) -> None:
        self.home = home
        self.record = record
        self.parts: list[DemoProgram] = []
        self.xcatd: dict[str, Any] = {}
        self.engine: Engine | None = None
        self.web_port = free_port()
        self.password = ""
        self.os = ""
        self.iso = home / "rhevh.iso"

    def environment(self) -> dict[str, str]:
        """The variables that point a client at the embedded xcatd."""
        address = f"{self.xcatd['host']}:{self.xcatd['port']}"
        return {"XCATHOST": address, "XCAT_CERT_DIR": str(self.xcatd["client_certs"])}

    def start(self, name: str, *words: str) -> dict[str, Any]:
        """Start a part of the product and wait until it is ready."""
        part = DemoProgram(name, own(*words), self.home / f"{name}.log")
        self.parts.append(part)
        return part.ready_line()

    def type(self, command: str) -> str:
        """Type an xCAT command; gives what it printed.

        Raises:
            Failed: Its exit code is not 0.
        """
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            own("run", *shlex.split(command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment()},
            timeout=300,
            check=False,
        )
        if done.returncode:
            raise Failed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def type_command(self, name: str, command: str, look: Callable[[str], str]) -> None:
        """A step: type a command, then look; `look` gets the output and says what it found."""

        def do() -> str:
            output = self.type(command)
            return output.rstrip() + "\n" + look(output)

        self.record.step(name, command, do)

    def set_up(self, *commands: str) -> None:
        """Type commands that fill tables, as one step, and look at the files."""

        def do() -> str:
            output = "".join(map(self.type, commands)).strip()
            wanted = [each for command in commands for each in assignments(command)]
            for table, key, column, text in wanted:
                expect(f"{table}.{column} of {key}", row(self.home / "xcat", table, key)[column], text)
            return f"{output}\nlooked at the table files: {len(wanted)} values are as typed".strip()

        self.record.step("the tables", "\n".join(commands), do)

    def end(self) -> None:
        """End all programs, the last first."""
        while self.parts:
            self.parts.pop().stop()


def assignments(command: str) -> Iterator[tuple[str, dict[str, str], str, str]]:
    """What a chtab, nodeadd or nodech should have written: table, key, column, value."""
    verb, first, *words = shlex.split(command)
    if verb == "chtab":
        keys = [dict(pair.split("=", 1) for pair in first.split(","))]
    else:
        keys = [{"node": name} for name in names(first)]
    for word in words:
        column, _, value = word.partition("=")
        if "." in column:
            table, column = column.split(".", 1)
            yield from ((table, key, column, value) for key in keys)


def names(noderange: str) -> list[str]:
    """The few forms of a noderange that the demo types: `a,b` and `vm1-vm3`."""
    if "-" not in noderange:
        return noderange.split(",")
    first, last = noderange.split("-")
    stem = first.rstrip("0123456789")
    return [f"{stem}{number}" for number in range(int(first[len(stem) :]), int(last[len(stem) :]) + 1)]


def prepare(stage: DemoStage, iso: Path | None) -> None:
    """Start the embedded xcatd and the web server, and make the ISO."""
    stage.record.title("An empty machine gets an xcatd and a RHEV-H ISO")
    stage.record.step("start the embedded xcatd", "xcat-rhev xcatd --home DIR --port 0", partial(start_xcatd, stage))
    stage.set_up(f"chtab key=httpport site.value={stage.web_port}")
    stage.record.step("start the web server with the CGI", f"httpd, port {stage.web_port}", partial(_start_web, stage))
    if iso:
        stage.iso = iso.resolve()
    else:
        stage.record.step("make a small RHEV-H ISO", f"make_iso.py {stage.iso}", partial(_make_iso, stage))


def start_xcatd(stage: DemoStage) -> str:
    """Start the embedded xcatd; gives where it is."""
    home = str(stage.home / "xcat")
    stage.xcatd = stage.start("xcatd", "xcatd", "--home", home, "--host", "127.0.0.1", "--port", "0")
    return f"{stage.environment()['XCATHOST']}, SQLite tables and a CA of its own below {home}"


def _start_web(stage: DemoStage) -> str:
    xcat = stage.home / "xcat"
    settings = {
        "XCATRHEVH_XCATD": stage.environment()["XCATHOST"],
        "XCATRHEVH_CA": str(xcat / "etc/xcat/cert/ca.pem"),
        "XCATRHEVH_NODES": str(xcat / "install/xcatrhevh/nodes.json"),
    }
    part, kind = web_server(stage.home, stage.web_port, settings)
    stage.parts.append(part)
    return kind


def _make_iso(stage: DemoStage) -> str:
    done = subprocess.run(  # noqa: S603 - our own program, no shell
        [sys.executable, str(find_shared(MAKER)), str(stage.iso)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise Failed(done.stdout + done.stderr)
    return (done.stdout + done.stderr).rstrip() + f"\n{stage.iso.stat().st_size >> 20} MiB"


def install(stage: DemoStage) -> None:
    """From the ISO to a node that boots from its disk."""
    stage.record.title("copycds, nodeset, and the hypervisor reports its end")
    xcat = stage.home / "xcat"
    stage.type_command("copycds identifies and copies the ISO", f"copycds {stage.iso}", partial(_look_at_copy, stage))
    stage.set_up(
        "chtab key=rhevh,username=admin passwd.password=demo-admin",
        "chtab key=rhevh,username=root passwd.password=demo-root",
        "chtab priority=5 policy.commands=rhevhupdateflag policy.rule=allow",
        f"nodeadd {NODE} groups=rhevh,all hosts.ip={ADDRESS} mac.mac={MAC} noderes.netboot=xnba",
        f"nodech {NODE} nodehm.mgt=ipmi hypervisor.type=rhevh hypervisor.mgr=127.0.0.1 noderes.xcatmaster=127.0.0.1",
    )
    image = f"{stage.os}-x86_64-install-compute"
    stage.type_command(
        "nodeset writes kernel, initrd and boot file",
        f"nodeset {NODE} osimage={image}",
        partial(_look_at_boot_file, stage),
    )
    url = f"http://127.0.0.1:{stage.web_port}/xcatrhevh/rhevh_finish_install/{NODE}"
    stage.record.step(
        "the hypervisor fetches the finish URL", f"wget --bind-address={ADDRESS} {url}", partial(_finish, xcat, url)
    )


def _look_at_copy(stage: DemoStage, output: str) -> str:
    xcat = stage.home / "xcat"
    found = sorted(path for path in (xcat / "install").glob("*/x86_64") if any(path.iterdir()))
    if len(found) != 1:
        raise Failed(f"expected one copied medium below {xcat / 'install'}, found {found}")
    stage.os = found[0].parent.name
    image = row(xcat, "osimage", {"imagename": f"{stage.os}-x86_64-install-compute"})
    kept = [path for path in found[0].glob("*.iso") if _same(path, stage.iso)]
    return "\n".join(
        [
            expect("the copied ISO, the same byte for byte", bool(kept), True),
            expect("osimage.osvers", image["osvers"], stage.os),
            expect("osimage.provmethod", image["provmethod"], "install"),
        ]
    )


def _same(one: Path, other: Path) -> bool:
    return subprocess.run(["cmp", "-s", str(one), str(other)], check=False).returncode == 0  # noqa: S603, S607


def _boot_file(xcat: Path) -> str:
    return (xcat / "tftpboot/xcat/xnba/nodes" / NODE).read_text()


def _look_at_boot_file(stage: DemoStage, output: str) -> str:
    xcat = stage.home / "xcat"
    text = _boot_file(xcat)
    files = [word.split("/tftpboot/", 1)[1] for word in text.split() if "/tftpboot/" in word and "http://" in word]
    sizes = {name: (xcat / "tftpboot" / name).stat().st_size for name in files}
    if len(sizes) < 2 or max(sizes.values()) <= stage.iso.stat().st_size:
        raise Failed(f"the initrd does not hold the ISO: {sizes}")
    for word in (f"BOOTIF=01-{MAC.replace(':', '-')}", "storage_init", "local_boot_trigger=http://127.0.0.1:"):
        if word not in text:
            raise Failed(f"no '{word}' in the boot file:\n{text}")
    return expect("the boot file's state", text.splitlines()[1], f"#install {stage.os}-x86_64-compute")


def _finish(xcat: Path, url: str) -> str:
    """Fetch the URL from the node's address, as the image does at the end of its install."""
    if shutil.which("wget"):
        words = ["wget", "-q", "--bind-address", ADDRESS, url, "-O", "-"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
        if done.returncode:
            raise Failed(f"wget ended with {done.returncode}: {done.stdout}{done.stderr}")
        answer = done.stdout
    else:
        answer = _fetch_without_wget(url) + " (fetched without wget, which is not installed)"
    return "\n".join(
        [
            answer.strip(),
            expect("the boot file's state", _boot_file(xcat).splitlines()[1], "#boot"),
            expect("nodelist.status", row(xcat, "nodelist", {"node": NODE})["status"], "booted"),
            expect("chain.currstate", row(xcat, "chain", {"node": NODE})["currstate"], "boot"),
        ]
    )


def _fetch_without_wget(url: str) -> str:
    import http.client

    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=60, source_address=(ADDRESS, 0))
    try:
        connection.request("GET", "/" + path)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        if answer.status != 200:
            raise Failed(f"HTTP {answer.status}: {text}")
        return text
    finally:
        connection.close()


def manage(stage: DemoStage, api: str) -> None:
    """Hosts, storage, networks and machines through an engine that speaks one API."""
    stage.record.title(f"A manager with API v{api}: hosts, storage, networks, virtual machines")
    command = f"xcat-rhev sim --port 0 --api {api}"
    stage.record.step("start the engine simulator", command, partial(_start_sim, stage, api))
    engine = stage.engine
    assert engine is not None
    stage.set_up(
        "chtab key=rhevm,username=admin passwd.password=" + shlex.quote(stage.password),
        *(
            f"nodeadd {name} groups=rhevh,all hosts.ip={address} mac.mac={mac}"
            for name, (address, mac) in HOSTS.items()
            if name != NODE
        ),
        f"nodech rhevh1,rhevh2 hypervisor.type=rhevh hypervisor.mgr={engine.name} hypervisor.cluster=Default",
        "nodeadd vm1-vm3 groups=vm,all nodehm.mgt=rhevm",
        f"nodech {VMS} vm.mgr={engine.name} vm.cluster=Default vm.memory=1g vm.cpus=1:2 vm.storage=nfs1:5g:system "
        "vm.nics=net100:eth0:yes vm.host=rhevh1",
        "chtab node=nfs1 virtsd.sdtype=data virtsd.stype=nfs virtsd.location=filer.example.com:/export/nfs1 "
        "virtsd.host=rhevh1 virtsd.datacenter=Default",
    )
    _hosts(stage, engine)
    _environment(stage, engine)
    _machines(stage, engine)


def _start_sim(stage: DemoStage, api: str) -> str:
    folder = str(stage.home / f"sim-v{api}-certificates")
    ready = stage.start(f"sim-v{api}", "sim", "--port", "0", "--api", api, "--cert-dir", folder)
    stage.engine = Engine(ready, api)
    stage.password = str(ready["password"])
    return f"{ready['v4' if api == '4' else 'v3']}"


def _hosts(stage: DemoStage, engine: Engine) -> None:
    for name, (address, mac) in HOSTS.items():
        stage.record.step(
            f"{name} registers itself",
            f"GET /OvirtEngineWeb/register?vds_name={name}...",
            partial(_register, engine, name, address, mac),
        )
        stage.type_command(f"{name} is approved", f"chhypervisor {name} -a", partial(_look_at_host, engine, name))


def _register(engine: Engine, name: str, address: str, mac: str) -> str:
    unique_id = f"4C4C4544-0000-0000-0000-0000000000{mac[-2:]}_{mac}"
    expect("the registration", engine.register(name, address, unique_id), 200)
    return expect("the host in the engine", engine.states("hosts")[name], "pending_approval")


def _look_at_host(engine: Engine, name: str, _: str) -> str:
    return expect("the host in the engine", engine.states("hosts")[name], "up")


def look_for(word: str, output: str) -> str:
    """Look whether a word was printed."""
    return expect(f"the name {word} in the output", word in output, True)


def _environment(stage: DemoStage, engine: Engine) -> None:
    name = engine.name
    stage.type_command(
        "an NFS storage domain",
        f"cfgve -t sd -m {name} -o nfs1 -c",
        lambda _: expect("the storage domain", engine.storage_states("Default").get("nfs1"), "active"),
    )
    stage.type_command(
        "a network with a VLAN",
        f"cfgve -t nw -m {name} -o net100 -d Default -n 100 -c",
        lambda _: expect("the network", "net100" in engine.states("networks"), True),
    )
    stage.type_command("the network joins the cluster", f"cfgve -t nw -m {name} -o net100 -a -l Default", lambda _: "")
    for kind, wanted in (("sd", "nfs1"), ("nw", "net100")):
        stage.type_command("lsve shows it", f"lsve -t {kind} -m {name} -o {wanted}", partial(look_for, wanted))


def _machines(stage: DemoStage, engine: Engine) -> None:
    def all_vms(state: str | None) -> Callable[[str], str]:
        def look(_: str) -> str:
            states = engine.states("vms")
            return expect("vm1 vm2 vm3", [states.get(vm) for vm in ("vm1", "vm2", "vm3")], [state] * 3)

        return look

    def expect_running(_: str) -> str:
        states = engine.states("vms")
        on = all(states.get(vm) in ("up", "powering_up") for vm in ("vm1", "vm2", "vm3"))
        return expect("vm1 vm2 vm3 are on", on, True)

    stage.type_command("three machines", f"mkvm {VMS}", all_vms("down"))
    stage.type_command("they start", f"rpower {VMS} on", expect_running)
    stage.type_command("what is vm1", "lsvm vm1", partial(look_for, "vm1"))
    stage.type_command(
        "vm1 moves", "rmigrate vm1 rhevh2", lambda _: expect("its host", engine.host_of("vm1"), "rhevh2")
    )
    stage.type_command("vm2 stops", "rpower vm2 off", lambda _: expect("vm2", engine.states("vms")["vm2"], "down"))
    stage.type_command(
        "a template from it",
        "clonevm vm2 -t tpl1",
        lambda _: expect("the template", engine.states("templates").get("tpl1"), "ok"),
    )
    stage.type_command("they stop", f"rpower {VMS} off", all_vms("down"))
    stage.type_command("they go", f"rmvm {VMS}", all_vms(None))
