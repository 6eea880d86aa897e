"""Every command for machines, in v3.0, v3.6 and v4, through the embedded xcatd and through the real Perl shim.

One life of three machines, as a list of what is typed and what is then printed. Both ways have to print the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pytest
from bridged import PERL_THERE
from perlsite import PerlSite

from programs import Xcat
from simulator import Simulator
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.xcat.answers import Stream, exit_code, printed_lines

VERSIONS = {"v3.0": ("3", "--v3-version", "3.0"), "v3.6": ("3",), "v4": ("4",)}
#: So many times faster than an engine: each command waits for states.
SPEED = ("--speed", "100")
ALL = tuple(VERSIONS)
SNAPSHOTS = CONSOLES = ("v3.6", "v4")

#: (typed, what is printed, one line each and as a regular expression, the versions). A line that begins with `!` is an
#: error, and the exit code is then 1. Lines of several nodes come in any order.
LIFE = [
    ("rpower vm1,vm2 stat", ["!vm[12]: node was not defined in the rhevm. .*"] * 2, ALL),
    ("mkvm vm1-vm3", ["vm[123]: Succeeded"] * 3, ALL),
    ("mkvm vm1-vm3", ["vm[123]: virtual machine has been created. There is nothing to do"] * 3, ALL),
    ("getmacs vm1", ["vm1: .*There is nothing to do.*"], ALL),
    ("chvm vm1-vm3", ["vm[123]: nothing to do"] * 3, ALL),
    ("chvm vm1 --mem 2g --cpus 2:2 -a 1", ["vm1: change vm completed."], ALL),
    ("chvm vm1 --resize 1=2", ["vm1: change vm completed."], ("v3.6", "v4")),
    ("chvm vm1 --resize 1=2", ["!vm1: disk .* stays as it is: the manager is 3.0; disks grow since 3.3"], ("v3.0",)),
    ("chvm vm1 -p 2", ["vm1: change vm completed."], ALL),
    ("chvm vm1 --snapshot s1", ["vm1: snapshot s1: ok."], SNAPSHOTS),
    ("chvm vm1 --revert s1", ["vm1: reverted to snapshot s1."], SNAPSHOTS),
    ("chvm vm1 --rmsnapshot s1", ["vm1: snapshot s1: removed."], SNAPSHOTS),
    ("lsvm vm1 -s", ["name +state +host +cpus +memory +disks +nics", "vm1 +down +- +4 +2 GiB +1 +1"], ALL),
    ("lsvm vm3 --json", ['{"kind": "vms", "name": "vm3", .*}'], ALL),
    ("rsetboot vm1,vm2 hd", ["vm[12]: (Hard Drive|set boot order completed.)"] * 4, ALL),
    ("rsetboot vm1 stat", ["vm1: hd at the next start, then network,hd", "vm1: Hard Drive"], ALL),
    ("rsetboot vm1,vm2 default", ["vm[12]: (Default|set boot order completed.)"] * 4, ALL),
    ("rpower vm1-vm3 on", ["vm[123]: on"] * 3, ALL),
    ("rpower vm1 reset", ["vm1: reset"], ALL),
    ("rpower vm1 softoff", ["vm1: softoff"], ALL),
    ("rpower vm1 boot", ["vm1: boot"], ALL),
    ("rpower vm2 cycle", ["vm2: cycle"], ALL),
    ("rmigrate vm1 any", ["vm1: migrated to rhevh[12]: up."], ALL),
    ("rpower vm3 suspend", ["vm3: suspended"], ALL),
    ("rpower vm3 resume", ["vm3: on"], ALL),
    ("rinv vm1 mem", ["vm1: Memory: 2 GiB", "vm1: Guaranteed memory: .*", "(vm1: Maximum memory: .*)?"], ALL),
    ("rvitals vm1 state", ["vm1: State: up", "vm1: System State: up"], ALL),
    ("reventlog vm1 1", [r"vm1: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d normal: .+"], ALL),
    (
        "getrvidparms vm1",
        ["vm1: method: kvm", "vm1: server: .*", "vm1: vidport: 59.*", "vm1: vidproto: vnc", "vm1: password: .+"],
        ALL,
    ),
    ("getcons vm1", ["!vm1: its serial console is off. .*"], CONSOLES),
    ("getcons vm1", ["!vm1: the manager is 3.0; serial consoles came with 3.6"], ("v3.0",)),
    (
        "rscan rhevh1 -n",
        [
            "type .*",
            "rhevm .*",
            "rhevh +rhevh1 .*",
            "rhevh +rhevh2 .*",
            "vm +vm1 .*",
            "vm +vm2 .*",
            "vm +vm3 .*",
            ".*: nothing to do",
        ],
        ALL,
    ),
    (
        "rpower rhevh1 stat",
        ["rhevh1: on"],
        ALL,
    ),
    ("revacuate rhevh1", ["*(rhevh1: no virtual machine runs there. .*)|(vm[123]: migrated to rhevh2: up.)"], ALL),
    ("rpower vm1-vm3 off", ["vm[123]: off"] * 3, ALL),
    ("rshutdown vm1-vm3", ["vm[123]: softoff.*"] * 3, ALL),
    ("rbeacon vm1 on", ["!vm1: a virtual machine has no beacon light. .*"], ALL),
    ("clonevm vm1 -t web", ["vm1: web: ok."], ALL),
    ("clonevm vm2 -b web -f", ["vm2: Succeeded"], ALL),
    ("rmvm vm1", ["vm1: succeeded.", "vm1: kept its disks: .*"], ("v3.6", "v4")),
    ("rmvm vm1-vm3 -p", ["vm[123]: (succeeded.|node was not defined in the rhevm. There is nothing to do)"] * 3, ALL),
    ("rmvm vm1-vm3 -f -p", ["vm[123]: node was not defined in the rhevm. There is nothing to do"] * 3, ALL),
    ("rpower vm1 dance", ["!Unsupported command: rpower dance. rpower does not know 'dance'. Usage: .*"], ALL),
    ("mkvm vm1-vm3 -s much", ["!--size: 'much' is not a size. .*"], ALL),
]


@dataclass
class Shown:
    """What a command printed; errors begin with `!` and stand without the client's decoration."""

    lines: list[str]
    code: int


class ThroughXcatd:
    """The embedded xcatd and its own client, over TLS."""

    def __init__(self, folder, api, *words):
        self.sim = Simulator("--api", api, "--hosts", "2", *words)
        self.xcat = Xcat(folder)
        self.xcat.set_up(
            f"chtab key=rhevm,username=admin passwd.password='{self.sim.password}'",
            f"nodeadd vm1-vm3 groups=vm,all nodehm.mgt=rhevm vm.mgr={self.sim.name} vm.cluster=Default vm.memory=1g "
            "vm.cpus=1:2 vm.storage=data1:1g:system",
            "nodeadd rhevh1-rhevh2 groups=hyp,all nodehm.mgt=rhevm hypervisor.type=rhevh "
            f"hypervisor.mgr={self.sim.name} hypervisor.cluster=Default",
        )

    def type(self, line):
        typed = self.xcat.type(line)
        errors = [
            re.sub(
                r"^(?:(\w+): )?(?:\[\S*\]: )?Error: (?:\[\S*\]: )?",
                lambda found: "!" + (f"{found[1]}: " if found[1] else ""),
                text,
            )
            for text in typed.err.splitlines()
            if "Error: " in text
        ]
        return Shown([*typed.out.splitlines(), *errors], typed.rc)

    def close(self):
        self.xcat.part.stop()
        self.sim.close()


class ThroughPerl:
    """The shim under real Perl."""

    def __init__(self, folder, api, *words):
        self.site = PerlSite(folder, api, *words)

    def type(self, line):
        command, nodes, *args = line.split()
        head, _, tail = nodes.partition("-")
        names = [f"vm{number}" for number in range(int(head[-1]), int(tail[-1]) + 1)] if tail else nodes.split(",")
        lines, code = [], 0
        for told in self.site.run(command, names, args):
            answer = json.loads(json.dumps(told), parse_int=str)  # on the wire all is text
            code |= exit_code(answer)
            for shown in printed_lines(answer):
                text = shown.text.rstrip("\n")
                if shown.stream is Stream.OUT:
                    lines.append(text)
                elif "Error: " in text:
                    lines.append("!" + text.replace("Error: ", "", 1))
        return Shown(lines, code)

    def close(self):
        self.site.close()


@pytest.fixture(
    scope="module",
    params=[
        ThroughXcatd,
        pytest.param(ThroughPerl, marks=pytest.mark.skipif(not PERL_THERE, reason="no Perl with its JSON module")),
    ],
    ids=["xcatd", "perl"],
)
def way(request):
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_one_life_of_three_machines(tmp_path_factory, way, version):
    program = way(tmp_path_factory.mktemp("ways"), *VERSIONS[version], *SPEED)
    try:
        program.type("rpower rhevh1 stat")  # the CA is fetched, and said
        for line, wanted, versions in LIFE:
            if version in versions:
                shown = program.type(line)
                assert fits(shown.lines, wanted), (line, shown, wanted)
                assert shown.code == any(text.startswith("!") for text in wanted), (line, shown)
    finally:
        program.close()


def fits(lines, wanted):
    """Does each line match one of the patterns, and each pattern a line? A `*` ahead: any number of such lines."""
    left = list(wanted)
    for line in lines:
        hit = next((text for text in left if re.fullmatch(text.lstrip("*"), line)), None)
        if hit is None:
            return False
        if not hit.startswith("*"):
            left.remove(hit)
    return all(re.fullmatch(text.lstrip("*"), "") or text.startswith("*") and lines for text in left)


def test_no_command_for_machines_is_left_out():
    typed = {line.split()[0] for line, *_ in LIFE}
    others = {
        "copycd",
        "mkinstall",
        "rhevhupdateflag",
        "rhevmupdateflag",
        "rhevhjoin",
        "chhypervisor",
        "rmhypervisor",
        "cfgve",
        "lsve",
    }
    assert typed == set(COMMANDS) - others
