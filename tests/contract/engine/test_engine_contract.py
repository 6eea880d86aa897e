"""The simulator answers as recorded engines did; with --engine and --record an engine is recorded anew."""

from __future__ import annotations

import re
from typing import Any

import kept
import pytest
from differences import reasons
from engines import Remote, Simulated
from facts import parsed
from held import differences
from scenario import Run, Scenario, scenarios

SIMULATED = [
    pytest.param(version, api, scenario, id=f"{version}-v{api}-{scenario.name}")
    for version, api in kept.versions()
    for scenario in scenarios(api)
    if kept.path_of(version, api, scenario.name).exists()
]
ALL = [pytest.param(one, id=f"v{one.api}-{one.name}") for api in (3, 4) for one in scenarios(api)]


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


@pytest.mark.parametrize(("version", "api", "scenario"), SIMULATED)
@pytest.mark.parametrize("strict", [False, True], ids=["lax", "strict"])
def test_the_simulator_answers_as_the_engine(version: str, api: int, scenario: Scenario, strict: bool) -> None:
    told = list(Run(scenario, Simulated(api, _number(version), strict)).told())
    recorded = kept.read(version, api, scenario.name)
    if strict:
        # A refusal that the simulator is meant not to know, it does not know here either.
        assert {step for step in _refused(recorded) if not reasons(step, "status", f"{version}-v{api}")} <= _refused(
            told
        )
    else:
        assert not differences(f"{version}-v{api}", recorded, told)


@pytest.mark.parametrize("scenario", ALL)
def test_every_step_of_a_scenario_was_recorded_on_some_engine(scenario: Scenario) -> None:
    files = [(version, api, scenario.name) for version, api in kept.versions() if api == scenario.api]
    recorded = {one["step"] for file in files if kept.path_of(*file).exists() for one in kept.read(*file)}
    counted = {step.text for step in scenario.steps if step.word not in {"find", "drop", "await"}}
    assert counted and counted <= recorded


def _refused(told: list[dict[str, Any]]) -> set[str]:
    """The steps that were refused."""
    return {one["step"] for one in told if one.get("status", 0) >= 400}


@pytest.mark.parametrize("scenario", ALL)
def test_an_engine_answers_as_it_was_recorded(request: pytest.FixtureRequest, scenario: Scenario) -> None:
    engine = Remote(request.config.getoption("--engine"), scenario.api)
    version = _version(engine)
    if scenario.api == 3 and _number(version) >= (4, 4):
        pytest.skip("the engine does not speak v3")
    engine.sweep()
    told = list(Run(scenario, engine).told())
    if request.config.getoption("--record"):
        kept.write(version, scenario.api, scenario.name, told)
        return
    if not kept.path_of(version, scenario.api, scenario.name).exists():
        pytest.skip(f"{version} was not recorded")
    recorded = kept.read(version, scenario.api, scenario.name)
    assert not differences(f"{version}-v{scenario.api}", recorded, told, engine=True)


def _version(engine: Remote) -> str:
    """The engine's own full version, as far as it has numbers: 4.5.8."""
    answer = engine.ask("GET", "/", "", {"Version": "4"})
    full = parsed(answer.body).findtext("product_info/version/full_version") or ""
    found = re.match(r"\d+\.\d+\.\d+", full)
    assert found, full
    return found[0]
