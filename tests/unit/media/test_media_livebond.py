"""What each release of the live images is told of a bond."""

import pytest

from kernel_line import live_bond
from xcat_rhev.errors import Usage
from xcat_rhev.media.cards import Bond
from xcat_rhev.media.grammar import Level, check
from xcat_rhev.media.livebond import bond_words

LACP = ("mode=802.3ad", "miimon=100")
BONDS = [level for level in Level if level >= Level.NODE_3_0_4]


@pytest.mark.parametrize("level", BONDS)
@pytest.mark.parametrize(
    "options", [LACP, ("mode=1",), ("lacp_rate=fast", *LACP, "xmit_hash_policy=layer2+3"), ("primary=em1", "mode=1")]
)
def test_every_option_reaches_the_driver(level, options):
    bond = Bond("bond0", ("em1", "em2"), options)
    words = list(bond_words(bond, level))
    for word in words:
        check(word, level, "nics")
    read = live_bond(" ".join(words), int(level), level >= Level.NODE_3_2_EL7)
    assert read is not None and (read.name, read.slaves) == ("bond0", ["em1", "em2"])
    assert read.options == dict(option.split("=") for option in options)


@pytest.mark.parametrize("level", BONDS)
def test_a_parameter_that_the_driver_has_not_would_keep_it_from_being_loaded(level):
    bond = Bond("bond0", ("em1", "em2"), (*LACP, "packets_per_slave=2"))
    if level >= Level.NODE_3_6:
        assert list(bond_words(bond, level)) == ["bond=bond0:em1,em2:mode=802.3ad,miimon=100,packets_per_slave=2"]
        return
    with pytest.raises(Usage) as caught:
        list(bond_words(bond, level))
    assert (
        "cannot set 'packets_per_slave=2'" in caught.value.text and "Leave packets_per_slave out" in caught.value.hint
    )


@pytest.mark.parametrize("level", [level for level in Level if level not in BONDS])
def test_before_that_a_bond_is_refused(level):
    for word in list(bond_words(Bond("bond0", ("em1", "em2"), LACP), level))[:1]:
        with pytest.raises(Usage, match="does not know 'bond_setup'"):
            check(word, level, "nics")
