"""Expressions of single cards in the nics table, which a Perl xCAT leaves to each of its programs, are worked out."""

import pytest

from xcat_rhev.bridge.host import BridgeHost


class Perl:
    """The shim's end: what xCAT gives of tables."""

    def __init__(self, rows):
        self.rows = rows

    def call(self, question, *arguments):
        return self.rows


@pytest.mark.parametrize(
    "stored, wanted",
    [
        (r"eth0!|\D+(\d+)|10.0.0.($1)|,ib0!10.1.0.9", "eth0!10.0.0.7,ib0!10.1.0.9"),
        (r'eth0!|\D+(\d+)|(sprintf("10.0.%d.%d",$1/256,$1%256))|', "eth0!10.0.0.7"),
        ("eth0!/n7/10.2.0.7/", "eth0!10.2.0.7"),
        ("eth0!10.0.0.7|fd00::7", "eth0!10.0.0.7|fd00::7"),
    ],
)
def test_a_card_with_an_expression(stored, wanted):
    host = BridgeHost(Perl({"n7": {"nicips": stored}}))
    assert host.node_attrs("nics", ["n7"], ["nicips"]) == {"n7": {"nicips": wanted}}
    assert host.node_attrs("hosts", ["n7"], ["nicips"]) == {"n7": {"nicips": stored}}
