"""Every command that there is, ours and the daemon's own: words that it does not take are refused in one line."""

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon.catalog import CORES
from xcat_rhev.declare.command import Command
from xcat_rhev.declare.parsing import parse
from xcat_rhev.errors import NotFound
from xcat_rhev.run.registry import COMMANDS

SPECS = {**COMMANDS, **{name: core.spec for name, core in CORES.items()}}
BOUNDED = sorted(name for name, spec in SPECS.items() if spec.words.most is not None)


@pytest.fixture(scope="module")
def xcat(tmp_path_factory):
    xcat = Inside(tmp_path_factory.mktemp("xcat"))
    yield xcat
    xcat.close()


def enough(spec: Command) -> list[str]:
    """As many words as a command needs, of those that it knows."""
    return list((spec.words.known or ("word",))[:1]) * spec.words.least


@pytest.mark.parametrize("name", sorted(SPECS))
@pytest.mark.parametrize(
    "word, flag", [("--frobnicate", "--frobnicate"), ("--frob=1", "--frob"), ("-!", "-!"), ("-é", "-é")]
)
def test_an_unknown_option_is_refused_in_one_line(xcat, name, word, flag):
    (line,) = xcat.type(name, *enough(SPECS[name]), word)
    assert xcat.rc == 1 and f"{name} has no option {flag}. " in line


@pytest.mark.parametrize("name", BOUNDED)
def test_one_word_too_many_is_refused_in_one_line(xcat, name):
    words = SPECS[name].words
    for word in (words.known or ("frobnicate",))[0], "-x":
        given = ["--", *[word] * ((words.most or 0) + 1)]
        (line,) = xcat.type(name, *given)
        assert xcat.rc == 1 and " ".join(given[1:]) in line
        assert line.startswith((f"Error: {name} ", f"Error: Unsupported command: {name} "))


@pytest.mark.parametrize("name", sorted(name for name, spec in SPECS.items() if spec.words.known))
def test_a_word_that_is_not_known_is_refused_in_one_line(xcat, name):
    for word in ("frobnicate", "", "é", "*"):
        (line,) = xcat.type(name, word)
        assert xcat.rc == 1 and f"{name} does not know '{word}'" in line


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_missing_value_is_refused_in_one_line(xcat, name):
    for option in (option for option in SPECS[name].all_options() if option.value):
        for flag in option.flags:
            empty = [[f"{flag}="]] if flag.startswith("--") else [[flag, ""], [flag, " "]]
            for given in [[flag], *([] if SPECS[name].xcat_style else empty)]:
                (line,) = xcat.type(name, *enough(SPECS[name]), *given)
                assert xcat.rc == 1 and f"{flag} needs a value: {option.value}" in line


@pytest.mark.parametrize("name", sorted(SPECS))
def test_of_an_option_that_is_given_twice_the_last_value_counts(name):
    """As in xCAT, whose commands refuse none of them."""
    spec = SPECS[name]
    for option in (option for option in spec.all_options() if option.name not in ("timeout", "help", "version")):
        values = [*option.choices, *option.choices, "1", "2"][:2] if option.value else []
        flag = option.flags[-1]
        given = [word for value in values for word in (flag, value)] or [flag, flag]
        options, _ = parse(spec, [*enough(spec), *given])
        assert options[option.name] == (tuple(values) if option.many else values[-1] if values else True)


@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_declaration_says_everything_once(name):
    spec = SPECS[name]
    flags = [flag for option in spec.all_options() for flag in option.flags]
    assert len(flags) == len(set(flags))
    names = [option.name for option in spec.all_options()]
    assert len(names) == len(set(names))
    assert spec.summary and all(option.help for option in spec.all_options())


def test_xcats_own_commands_take_long_options_by_their_beginning(xcat):
    assert xcat.type("lsxcatd", "--data") == ["dbengine=SQLite"]


def test_a_beginning_of_two_options_is_refused(xcat):
    (line,) = xcat.type("lsdef", "--n")
    assert xcat.rc == 1 and "--n may mean --nocache or --nics" in line


@pytest.mark.parametrize("words", [("-O", "nothing"), ("--osimage=nothing",), ("osimage=nothing",)])
def test_rinstall_takes_the_image_that_is_named(xcat, words):
    xcat.type("chdef", "vm7", "groups=all", "netboot=xnba", "mac=52:54:00:00:00:07", "ip=10.0.0.7")
    with pytest.raises(NotFound, match="Cannot find the OS image nothing"):
        xcat.type("rinstall", *words, on="vm7")
