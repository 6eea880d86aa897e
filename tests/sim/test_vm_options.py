"""What every command for machines has: -h, -v, -V, --dry-run, --nowait, --timeout, --json, and refusals of nonsense."""

from __future__ import annotations

import copy
import json

import pytest

from vmsite import each_version
from xcat_rhev.messages import Data, Error
from xcat_rhev.run.registry import COMMANDS

#: Command -> words with which it changes something (or shows something), and what is there before.
CHANGING = {
    "mkvm -s 1,2 --mem 1g": "row",
    "chvm --mem 3g": "off",
    "chvm -a 1": "off",
    "chvm": "changed",
    "rmvm -p": "off",
    "rmvm -f -p": "on",
    "clonevm -t web": "off",
    "rpower on": "off",
    "rpower off": "on",
    "rpower softoff": "on",
    "rpower reset": "on",
    "rpower boot": "off",
    "rpower cycle": "on",
    "rpower suspend": "on",
    "rsetboot net": "off",
    "rsetboot hd -p": "off",
    "rmigrate any": "on",
    "chvm --snapshot s1": "later",
    "clonevm -b web": "template",
}
SHOWING = {
    "rpower stat": "off",
    "rsetboot stat": "off",
    "lsvm": "off",
    "lsvm -s": "off",
    "lsvm -a": "off",
    "rinv": "off",
    "rvitals": "on",
    "rscan": "off",
    "rscan -x": "off",
    "getrvidparms": "on",
    "lsvm --snapshots": "later",
}
VM_COMMANDS = sorted({line.split()[0] for line in (*CHANGING, *SHOWING)} | {"getcons", "revacuate"})


site = each_version()


def _template(site):
    site.made("vm2")
    site.ok("clonevm -t web", ["vm2"])
    site.node("vm1")


def _changed(site):
    site.made("vm1")
    site.node("vm1", memory="3g")


SETTINGS = {
    "row": lambda site: site.node("vm1"),
    "off": lambda site: site.made("vm1"),
    "later": lambda site: site.made("vm1"),
    "on": lambda site: site.running("vm1"),
    "changed": _changed,
    "template": _template,
}


def prepared(site, setting):
    SETTINGS[setting](site)


def written(site):
    """The requests that change something."""
    counts = site.front.counts.report()["requests"]
    return {line: number for line, number in counts.items() if not line.startswith("GET ") and "token" not in line}


def tables(site):
    return copy.deepcopy({name: rows for name, rows in site.host.tables.items() if name != "site"})


@pytest.mark.parametrize("line", CHANGING)
def test_a_dry_run_says_what_would_be_done_and_does_nothing(site, line):
    prepared(site, CHANGING[line])
    before = tables(site)
    site.front.counts.clear()
    said = site.say(f"{line} --dry-run", ["vm1"])
    assert said and all(isinstance(message, Data) and message.node == "vm1" for message in said)
    assert not written(site) and tables(site) == before
    site.ok(line, ["vm1"])
    assert written(site) or line.startswith("rsetboot net")


@pytest.mark.parametrize("line", [*CHANGING, *SHOWING])
def test_the_trace_shows_requests_without_secrets_and_their_count(site, line):
    prepared(site, {**CHANGING, **SHOWING}[line])
    site.node("vm1", vidpassword="sentinel-video")
    said = [message.text for message in site.say(f"{line} -V", ["vm1"])]
    assert any(text.startswith("GET /") and " -> 200" in text for text in said)
    assert said[-1].startswith(f"{site.manager}: ") and " request" in said[-1] and " connection" in said[-1]
    if not line.startswith("getrvidparms"):  # whose answer is the password
        assert not any("sentinel" in text for text in said)
    assert not any("secret" in text or "YWRtaW" in text for text in said)


@pytest.mark.parametrize("line", [line for line in CHANGING if not line.startswith("rsetboot")])
def test_nowait_ends_when_the_manager_has_accepted_it(site, line):
    prepared(site, CHANGING[line])
    site.ok("rpower stat", ["vm1"]) if CHANGING[line] not in ("row", "template") else None
    began = site.clock.now()
    assert site.ok(f"{line} --nowait", ["vm1"])[-1] == "vm1: accepted"
    steps_that_must_wait = ("rmvm -f", "rpower reset", "rpower cycle", "mkvm", "clonevm")
    assert site.clock.now() - began < 0.1 or line.startswith(steps_that_must_wait)


@pytest.mark.parametrize("line", [*CHANGING, *SHOWING])
def test_json_is_one_object_a_line(site, line):
    prepared(site, {**CHANGING, **SHOWING}[line])
    said = site.say(f"{line} --json", ["vm1"])
    assert said and not any(isinstance(message, Error) for message in said)
    assert all(isinstance(json.loads(message.text), dict) for message in said)
    site.node("vm9")
    if not line.startswith(("mkvm", "clonevm -b", "rscan", "lsvm -a", "rmvm")):
        (error,) = site.wrong(f"{line} --json", ["vm9"])
        assert json.loads(error)["kind"] == "error"


@pytest.mark.parametrize("name", VM_COMMANDS)
def test_help_version_and_nonsense(site, name):
    site.node("vm1")
    site.front.counts.clear()
    usage = "\n".join(site.ok(f"{name} -h", ["vm1"]))
    assert usage.startswith(f"Usage: {name} noderange")
    for option in COMMANDS[name].all_options():
        assert option.flags[0] in usage
    for flag in ("-v", "--version"):
        assert site.ok(f"{name} {flag}", ["vm1"])[0].startswith("xcat-rhev ")
    word = "on" if name == "rpower" else ""
    for wrong, told in (
        ("--frobnicate", "has no option --frobnicate"),
        ("-Z", "has no option -Z"),
        ("--timeout", "--timeout needs a value"),
        ("--timeout 0", "not a number of seconds"),
        ("--timeout -1", "not a number of seconds"),
        ("--timeout 1e3", "not a number of seconds"),
        ("--dry-run=yes", "--dry-run takes no value"),
    ):
        errors = site.wrong(f"{name} {word} {wrong}", ["vm1"])
        assert len(errors) == 1 and told in errors[0]
    for option in COMMANDS[name].options:
        if option.value:
            assert f"{option.flags[0]} needs a value" in site.wrong(f"{name} {word} {option.flags[0]} ''", ["vm1"])[0]
    assert "needs a noderange" in site.wrong(f"{name} {word}", [])[0]
    assert not site.front.counts.report()["requests"], "nothing was asked of the manager"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("mkvm -s abc", "--size: 'abc' is not a size"),
        ("mkvm -s 1,-5", "--size: '-5' is not a size"),
        ("mkvm -s 0", "--size: '0' is not more than zero"),
        ("mkvm -s 1e400", "--size: '1e400' is not a size"),
        ("mkvm --mem 1k", "--mem: '1k' is less than 1 MiB"),
        ("mkvm --mem 99999999999999999999g", "is too large"),
        ("mkvm --cpus 0", "--cpus: '0' is not of the form"),
        ("mkvm --cpus 1:2:3:4", "--cpus: '1:2:3:4' is not of"),
        ("mkvm --cpus 99999999999999999999", "is not of the form"),
        ("mkvm vmcpus=2", "mkvm does not know 'vmcpus=2'"),
        ("chvm --mem much", "--mem: 'much' is not a size"),
        ("chvm --cpus x", "--cpus: 'x' is not of the form"),
        ("chvm -a ,", "--add ',' names nothing"),
        ("chvm --resize 1", "--resize 1: not of the form disk=size"),
        ("chvm --resize =1", "--resize =1: not of the form"),
        ("chvm --optical a --eject", "do not go together"),
        ("chvm --snapshot a --revert b", "do not go together"),
        ("chvm --snapshot a -a 1", "do not go together"),
        ("rmigrate a b", "takes one word at most, not 'a b'"),
        ("rinv weight", "rinv does not know 'weight'"),
        ("rvitals temp", "rvitals does not know 'temp'"),
        ("rscan -u -w", "do not go together"),
        ("rscan -x -z", "do not go together"),
        ("lsvm all", "lsvm does not know 'all'"),
        ("rmvm now", "rmvm does not know 'now'"),
        ("getrvidparms x", "getrvidparms does not know 'x'"),
        ("clonevm", "needs either -t or -b"),
        ("clonevm -t a -b b", "needs either -t or -b"),
        ("rpower", "needs a word"),
        ("rpower ON", "does not know 'ON'"),
        ("rpower on -t 5", "has no option -t"),
        ("revacuate now", "revacuate does not know 'now'"),
    ],
)
def test_wrong_words_are_said_once_for_all_nodes_and_nothing_is_done(site, line, told):
    nodes = site.nodes("vm1", "vm2", "vm3")
    errors = site.wrong(line, nodes)
    assert len(errors) == 1 and told in errors[0] and "Traceback" not in errors[0]
    assert not any(site.count("vm", node) for node in nodes)
