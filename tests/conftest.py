"""Its place here lets tests import `fakes`."""

from __future__ import annotations

import os
import signal
from typing import Optional

import pytest
from hypothesis import HealthCheck, settings

# A loaded machine is no failure; and a suite that passed passes again. New examples: HYPOTHESIS_PROFILE=explore.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

# A shell that starts the tests in the background has them, and all programs that they start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# So does nohup with a hangup, which a shell script then cannot trap. A handler is not handed down.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        default="sim",
        metavar="sim|URL",
        help="the back end of tests/sim: the simulator, or a real engine as https://host[:port]; user, password and CA "
        "then come from ENGINE_USER, ENGINE_PASSWORD and ENGINE_CA, a cluster and a data domain with room from "
        "ENGINE_CLUSTER and ENGINE_DOMAIN",
    )
    parser.addoption("--record", action="store_true", help="keep what --engine answers to tests/contract/engine")
    parser.addoption("--walks", type=int, default=3, metavar="N", help="random walks of tests/sim/test_vm_walks.py")
    parser.addoption("--first-walk", type=int, default=0, metavar="N", help="the first of those on --engine")


#: Tests that ask the engine that --engine names, and their twins that ask the simulator.
ASKS_ENGINE = {
    "test_an_engine_answers_as_it_was_recorded": True,
    "test_the_simulator_answers_as_the_engine": False,
    "test_on_an_engine_a_machine_is_what_was_asked_for_last_too": True,
    "test_after_any_commands_a_machine_is_what_was_asked_for_last": False,
}


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str) -> Optional[list[pytest.Item]]:
    """Offer no test that would only say that it is for the other back end."""
    named = collector.config.getoption("--engine") != "sim"
    return [] if ASKS_ENGINE.get(name, named) != named else None
