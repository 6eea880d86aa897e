"""Who asks."""

from __future__ import annotations

import pytest

from xcat_rhev.web.callers import caller, plain, within


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.5", "10.0.0.5"),
        (" 10.0.0.5 ", "10.0.0.5"),
        ("10.0.0.5:4711", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("::FFFF:0a00:0005", "10.0.0.5"),
        ("FD00:0:0::5", "fd00::5"),
        ("[fd00::5]:4711", "fd00::5"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("unix:", ""),
        ("unknown", ""),
        ("10.0.0", ""),
        ("010.0.0.5", ""),
        ("10.0.0.5\n", "10.0.0.5"),
        ("_x", ""),
        ("10.0.0.5, 10.0.0.6", ""),
        ("1" * 100_000, ""),
        ("\x00", ""),
        ("[", ""),
        ("]", ""),
        ("%", ""),
    ],
)
def test_an_address_has_one_form(text: str, address: str) -> None:
    assert plain(text) == address


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (None, "192.0.2.1"),
        ("", "192.0.2.1"),
        ("10.0.0.5", "10.0.0.5"),
        ("10.0.0.7, 10.0.0.5", "10.0.0.5"),  # what the client wrote itself stands further left
        ("10.0.0.5, 192.0.2.2", "10.0.0.5"),  # two proxies in a row
        ("10.0.0.5,,192.0.2.2,", "10.0.0.5"),
        ("::ffff:10.0.0.5", "10.0.0.5"),
        ("10.0.0.5, nonsense", ""),
        ("192.0.2.2", "192.0.2.2"),
        (", ".join(["10.0.0.5"] + ["192.0.2.2"] * 1000), ""),  # nobody has so many proxies
    ],
)
def test_a_trusted_proxy_says_who_asked(forwarded: str | None, address: str) -> None:
    environ = {"REMOTE_ADDR": "192.0.2.1"}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    assert caller(environ, ["192.0.2.0/24", "not a network"]) == address


@pytest.mark.parametrize("proxies", [(), ("198.51.100.0/24",), ("",)])
def test_anybody_else_is_not_believed(proxies: tuple[str, ...]) -> None:
    assert caller({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "10.0.0.5"}, proxies) == "192.0.2.1"


def test_an_untrusted_hop_ends_the_search() -> None:
    environ = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "10.0.0.5, 203.0.113.9, 192.0.2.2"}
    assert caller(environ, ["192.0.2.0/24"]) == "203.0.113.9"


def test_no_address_is_nobody() -> None:
    assert caller({}, ["0.0.0.0/0"]) == ""


@pytest.mark.parametrize(
    ("address", "networks", "inside"),
    [
        ("10.0.0.5", ["10.0.0.0/8"], True),
        ("10.0.0.5", ["10.0.0.0/255.0.0.0"], True),
        ("10.0.0.5", ["10.0.0.4"], False),
        ("10.0.0.5", ["fd00::/8"], False),
        ("fd00::5", ["10.0.0.0/8", "fd00::/8"], True),
        ("10.0.0.5", ["", "x", "10.0.0.0/99"], False),
        ("", ["0.0.0.0/0"], False),
    ],
)
def test_networks(address: str, networks: list[str], inside: bool) -> None:
    assert within(address, networks) is inside
