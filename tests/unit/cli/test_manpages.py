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


def test_bash_completes(tmp_path):
    script = completion() + 'COMP_WORDS=(xcat-rhev run rp); COMP_CWORD=2; _xcat_rhev; echo "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["rpower"]
