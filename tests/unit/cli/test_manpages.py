"""The man pages and the completion say what the declarations say."""

import shutil
import subprocess

import pytest

from xcat_rhev.cli.manpages import SHARE, completion, escaped, pages
from xcat_rhev.dispatch import COMMANDS


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
            assert all(escaped(flag) in text for flag in option.flags), (name, option.name)


@pytest.mark.parametrize(("text", "written"), [("a-b", "a\\-b"), (".B x", "\\&.B x"), ("'x", "\\&'x"), ("\\n", "\\en")])
def test_text_is_not_read_as_roff(text, written):
    assert escaped(text) == written


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_has_nothing_to_complain_about():
    for path, text in pages():
        if path.suffix == ".1":
            done = subprocess.run(
                ["groff", "-man", "-Tutf8", "-ww", "-z"], input=text.encode(), capture_output=True, check=True
            )
            assert done.stderr == b"", path


def completed(*typed, word=""):
    line = " ".join(("xcat-rhev", *typed, f'"{word}"'))
    script = f'{completion()}COMP_WORDS=({line}); COMP_CWORD={len(typed) + 1}; _xcat_rhev; echo "${{COMPREPLY[@]}}"'
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()


def test_bash_completes():
    assert completed("run", word="rp") == ["rpower"]
    assert completed("run", word="copy") == ["copycds"] and completed("run", word="nodes") == ["nodeset", "nodestat"]
    assert completed("run", "rpower", "vm1", word="o") == ["on", "off"]
    assert completed("run", "mkvm", "vm1", word="--m") == ["--mem", "--master"]
    assert completed("run", "copycds") == [], "then bash completes files"


def test_the_programs_page_names_what_all_commands_share():
    text = dict((path.name, text) for path, text in pages())["xcat-rhev.1"]
    for word in ("rhevmca", "hypervisor", "XCAT\\_CERT\\_DIR", "install", "xcat\\-rhev\\-rpower"):
        assert word.replace("\\_", "_") in text, word
