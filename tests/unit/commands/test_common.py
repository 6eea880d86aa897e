"""How words become options: what getopt users type, and what they get wrong."""

import pytest

from xcat_rhev.declare.command import COMMON_OPTIONS, Command, CommandWords, Option, Place
from xcat_rhev.declare.parsing import parse
from xcat_rhev.declare.usage import usage_text
from xcat_rhev.errors import NotFound, Usage
from xcat_rhev.plan.context import require

COMMAND = Command(
    name="mktest",
    summary="a command for tests",
    usage="noderange [-f] [-s SIZE]",
    place=Place.HERE,
    routes=("mktest",),
    options=(
        Option(("-f", "--force"), "force", "do it anyway"),
        Option(("-r",), "remove", "remove"),
        Option(("-s", "--size"), "size", "how large", value="SIZE"),
        Option(("-d",), "disks", "a disk", value="DISK", many=True),
        Option(("-k",), "kind", "which kind", value="KIND", choices=("nfs", "iscsi")),
        Option(("-v",), "loud", "this command's own -v"),
    ),
    words=CommandWords(most=None),
    arguments={"word": "a word"},
)


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        ([], {}, ()),
        (["on"], {}, ("on",)),
        (["-f", "on"], {"force": True}, ("on",)),
        (["on", "--force"], {"force": True}, ("on",)),
        (["-rf"], {"remove": True, "force": True}, ()),
        (["-rfs", "4g"], {"remove": True, "force": True, "size": "4g"}, ()),
        (["-s4g"], {"size": "4g"}, ()),
        (["--size=4g"], {"size": "4g"}, ()),
        (["--size", "-4"], {"size": "-4"}, ()),
        (["-s", "1", "-s", "2"], {"size": "2"}, ()),
        (["-d", "a", "-d", "b"], {"disks": ("a", "b")}, ()),
        (["--", "-f"], {}, ("-f",)),
        (["-"], {}, ("-",)),
        (["-k", "nfs"], {"kind": "nfs"}, ()),
        (["-v"], {"loud": True}, ()),
        (["-help"], {"help": True}, ()),
        (["--timeout", "60"], {"timeout": "60"}, ()),
    ],
)
def test_words_that_are_right(args, options, words):
    assert parse(COMMAND, args) == (options, words)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["-x"], "mktest has no option -x"),
        (["-fx"], "mktest has no option -x"),
        (["--forc"], "mktest has no option --forc"),
        (["-s"], "-s needs a value: SIZE"),
        (["--size="], "--size needs a value: SIZE"),
        (["-s", ""], "-s needs a value: SIZE"),
        (["-s", " "], "-s needs a value: SIZE"),
        (["--force=yes"], "--force takes no value"),
        (["-k", "tape"], "-k tape: not one of nfs, iscsi"),
        (["--timeout", "soon"], "--timeout soon: not a number of seconds"),
        (["--timeout", "0"], "--timeout 0: not a number of seconds"),
        (["--timeout=99999999"], "--timeout 99999999: not a number of seconds"),
    ],
)
def test_words_that_are_wrong_name_themselves(args, told):
    with pytest.raises(Usage) as caught:
        parse(COMMAND, args)
    assert caught.value.text == told


def test_the_usage_names_every_option_once():
    text = usage_text(COMMAND)
    assert text.startswith("Usage: mktest noderange [-f] [-s SIZE]\n")
    for option in (*COMMAND.options, *COMMON_OPTIONS):
        assert text.count(f"  {', '.join(option.flags)}") == (1 if option in COMMAND.all_options() else 0)
    assert "show the version" not in text, "its own -v wins over the common one"


def test_a_missing_column_says_which_command_sets_it():
    assert require({"mgr": "m"}, "vm1", "vm", "mgr", "x") == "m"
    with pytest.raises(NotFound, match=r"vm.mgr is not set. Run: chtab node=vm1 vm.mgr=rhevm.example.com"):
        require({}, "vm1", "vm", "mgr", "rhevm.example.com")


def test_a_command_with_verbs_takes_exactly_one_of_them():
    verbs = Command(
        "mktest", "for tests", "noderange [on|off]", Place.HERE, ("mktest",), words=CommandWords(1, 1, ("on", "off"))
    )
    assert parse(verbs, ["on"]) == ({}, ("on",))
    assert parse(verbs, ["-h"]) == ({"help": True}, ())
    for typed, told in ((["dance"], "does not know 'dance'"), ([], "needs a word"), (["on", "off"], "'on off'")):
        with pytest.raises(Usage, match=told):
            parse(verbs, typed)
