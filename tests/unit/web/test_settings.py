"""What the application is told about its site."""

from __future__ import annotations

from pathlib import Path

import pytest

from xcat_rhev.web.settings import CA_FILES, WebSettings


def test_the_usual_values(tmp_path: Path) -> None:
    settings = WebSettings({"XCATRHEVH_FILE": str(tmp_path / "none")})
    assert settings.xcatd == ("localhost", 3001)
    assert settings.ca == ("/install/xcatrhevh/ca.pem", *CA_FILES)
    assert (settings.certificate, settings.proxies, settings.networks, settings.wait) == ("", (), (), 25.0)
    assert settings.wrong == []


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "web.conf"
    path.write_text("# where\nxcatd = 10.0.0.1:4001\n#wait = 7\nproxies= 10.0.0.2, 10.0.0.3 10.1.0.0/16\nca =\nnoise\n")
    settings = WebSettings({"XCATRHEVH_FILE": str(path), "XCATRHEVH_CA": "/ca.pem", "XCATRHEVH_PROXIES": ""})
    assert settings.xcatd == ("10.0.0.1", 4001)
    assert settings.ca == ("/ca.pem",)
    assert settings.proxies == ("10.0.0.2", "10.0.0.3", "10.1.0.0/16")
    assert settings.wait == 25.0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("mn", ("mn", 3001)),
        ("mn:4001", ("mn", 4001)),
        ("[fd00::1]:4001", ("fd00::1", 4001)),
        ("[fd00::1]", ("fd00::1", 3001)),
        ("fd00::1", ("fd00::1", 3001)),
        ("mn:", ("mn", 3001)),
        ("mn:99999", ("mn", 3001)),
        (":4001", ("localhost", 4001)),
    ],
)
def test_where_xcatd_is(text: str, place: tuple[str, int]) -> None:
    assert WebSettings({"XCATRHEVH_FILE": "/nowhere", "XCATRHEVH_XCATD": text}).xcatd == place


@pytest.mark.parametrize("text", ["0", "-1", "x", "1e3", "601", "²"])
def test_a_wrong_limit_is_said_and_not_used(text: str) -> None:
    settings = WebSettings({"XCATRHEVH_FILE": "/nowhere", "XCATRHEVH_WAIT": text})
    assert settings.wait == 25.0
    assert "wait is" in settings.wrong[0]


def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    assert WebSettings({"XCATRHEVH_FILE": str(tmp_path)}).wrong == [f"{tmp_path}: Is a directory"]
