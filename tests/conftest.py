"""Its place here lets tests import `fakes`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine", default="sim", metavar="sim|URL",
        help="the back end of tests/sim: the simulator, or a real engine as https://host[:port]; user, password and CA "
             "then come from ENGINE_USER, ENGINE_PASSWORD and ENGINE_CA, a cluster and a data domain with room from "
             "ENGINE_CLUSTER and ENGINE_DOMAIN",
    )
