"""The man pages and the completion say what the declarations say."""

import shutil
import subprocess

import pytest

from xcat_rhev.cli.manpages import SHARE, completion, escape, pages
from xcat_rhev.rows.othersettings import OTHERSETTINGS
from xcat_rhev.rows.vmsettings import KNOWN
from xcat_rhev.run.registry import COMMANDS


def test_the_files_are_up_to_date():
    for path, text in pages():
        assert (SHARE / path).read_text() == text, "run: python -m xcat_rhev.cli.manpages"
    there = {path.name for path in (SHARE / "man" / "man1").glob("xcat-rhev-*.1")}
    assert there == {f"xcat-rhev-{name}.1" for name in COMMANDS}
    assert (SHARE / "man" / "man1" / "xcat-rhev.1").exists()


def test_every_option_stands_in_the_page():
    for path, text in pages():
        name = path.name.removeprefix("xcat-rhev-").removesuffix(".1")
        for option in COMMANDS[name].all_options() if name in COMMANDS else ():
            assert all(escape(flag) in text for flag in option.flags), (name, option.name)


@pytest.mark.parametrize(("text", "written"), [("a-b", "a\\-b"), (".B x", "\\&.B x"), ("'x", "\\&'x"), ("\\n", "\\en")])
def test_text_is_not_read_as_roff(text, written):
    assert escape(text) == written


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_complain_about():
    for path, text in pages():
        if path.suffix == ".1":
            done = subprocess.run(
                ["groff", "-t", "-man", "-Tutf8", "-ww", "-z"], input=text.encode(), capture_output=True, check=True
            )
            assert done.stderr == b"", path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_page_has_three_examples(name):
    assert len(COMMANDS[name].examples) >= 3


def test_every_name_of_othersettings_has_an_example_that_is_read():
    assert list(KNOWN) and set(OTHERSETTINGS) == set(KNOWN)
    for name, (_, example) in OTHERSETTINGS.items():
        assert example.startswith(f"{name}:")
        if not example.partition(":")[2].startswith("/"):  # a file
            KNOWN[name](example.partition(":")[2])


def completed(*typed, word=""):
    line = " ".join(("xcat-rhev", *typed, f'"{word}"'))
    script = f'{completion()}COMP_WORDS=({line}); COMP_CWORD={len(typed) + 1}; _xcat_rhev; echo "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_bash_completes():
    assert completed("run", word="rp") == ["rpower"]
    assert completed("run", word="copy") == ["copycds"] and completed("run", word="nodes") == ["nodeset", "nodestat"]
    assert completed("run", "rpower", "vm1", word="o") == ["on", "off"]
    assert completed("run", "mkvm", "vm1", word="--m") == ["--mem", "--memory", "--master"]
    assert completed("run", "copycds") == [], "then bash completes files"


def test_bash_completes_the_names_of_nodes(tmp_path):
    (tmp_path / "xcat-rhev").write_text("#!/bin/sh\necho vm1 vm2 web1\n")
    (tmp_path / "xcat-rhev").chmod(0o755)
    path = f"PATH={tmp_path}:$PATH; "
    for words, number in (("xcat-rhev run rpower v", 3), ("/opt/bin/rpower v", 1)):
        script = f'{completion()}{path}COMP_WORDS=({words}); COMP_CWORD={number}; _xcat_rhev; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["vm1", "vm2"]


def test_the_programs_page_names_what_all_commands_share():
    text = dict((path.name, text) for path, text in pages())["xcat-rhev.1"]
    for word in ("rhevmca", "hypervisor", "XCAT\\_CERT\\_DIR", "install", "xcat\\-rhev\\-rpower"):
        assert word.replace("\\_", "_") in text, word
