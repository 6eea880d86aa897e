"""Consoles as wvid reads them."""

from __future__ import annotations

from xcat_rhev.commands import getrvidparms
from xcat_rhev.engine.parts.console import Console
from xcat_rhev.secret import Secret


def test_a_console_with_tls_alone_has_no_plain_port():
    console = Console("spice", "h1", None, 5901, Secret("x"), 120)
    told = dict(getrvidparms._parameters(console))
    assert "vidport" not in told and told["vidtlsport"] == "5901"
    assert "tls-port=5901" in list(getrvidparms._viewer_file("vm1", console))


def test_a_console_with_both_has_both():
    told = dict(getrvidparms._parameters(Console("spice", "h1", 5900, 5901, Secret("x"), 120)))
    assert (told["vidport"], told["vidtlsport"]) == ("5900", "5901")
