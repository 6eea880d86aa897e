"""Changes to a machine that runs: what an engine does at once, keeps for the next start, refuses, or loses."""

from __future__ import annotations

from typing import Any

import pytest

EVERYTHING = {"all-content": "true"}


@pytest.fixture
def newest(make_engine: Any) -> Any:
    """The engine that was measured: 4.5.8."""
    return make_engine((4, 5), strict=True)


def boot(device: str) -> str:
    return f"<os><boot><devices><device>{device}</device></devices></boot></os>"


def boots(answer: Any) -> list[str]:
    return [*answer.xml.xpath("os/boot/devices/device/text()")]


def up(engine: Any) -> str:
    """A machine that runs."""
    path = engine.vm()
    engine.post(f"{path}/start")
    engine.later()
    return str(path)


def off(engine: Any, path: str) -> None:
    engine.post(f"{path}/stop")
    engine.later()


def waiting(engine: Any, path: str) -> Any:
    """A machine as its next start will have it."""
    return engine.get(f"{path}{'?' if engine.dialect.number == 4 else ';'}next_run=true")


def test_changing_a_running_machine_waits_or_is_refused(engine: Any) -> None:
    path = up(engine)
    answer = engine.put(path, "<vm><stateless>true</stateless><description>new</description></vm>")
    if engine.dialect.version < (3, 5):
        assert answer.status == 400 and "not down" in answer.detail()
        return
    assert (answer.text("stateless"), answer.text("description")) == ("false", "new")
    assert answer.text("next_run_configuration_exists") == "true"
    assert waiting(engine, path).text("stateless") == "true"
    off(engine, path)
    assert engine.get(path).text("stateless") == "true"
    assert engine.get(path).text("next_run_configuration_exists") == "false"


def test_a_plain_change_throws_away_what_waited_and_one_for_the_next_run_adds_to_it(newest: Any) -> None:
    path = up(newest)
    newest.put(path, f"<vm>{boot('network')}</vm>")
    assert boots(waiting(newest, path)) == ["network"]
    newest.put(path, "<vm><stateless>true</stateless></vm>")
    assert (boots(waiting(newest, path)), waiting(newest, path).text("stateless")) == (["hd"], "true")
    answer = newest.put(path, "<vm><description>plain</description></vm>")
    assert waiting(newest, path).text("stateless") == "false"
    assert answer.text("next_run_configuration_exists") == "true"
    newest.put(f"{path}?next_run=true", f"<vm>{boot('network')}</vm>")
    answer = newest.put(f"{path}?next_run=true", "<vm><stateless>true</stateless></vm>")
    assert (boots(answer), answer.text("stateless")) == (["hd"], "true"), "the order shown is this run's"
    assert boots(waiting(newest, path)) == ["network"]
    off(newest, path)
    assert (boots(newest.get(path)), newest.get(path).text("stateless")) == (["network"], "true")


def memory(engine: Any, path: str, mib: int, more: str = "", query: str = "") -> Any:
    return engine.put(f"{path}{query}", f"<vm><memory>{mib << 20}</memory>{more}</vm>")


def test_memory_of_a_running_machine(newest: Any) -> None:
    path = up(newest)
    grown = memory(newest, path, 1024)
    assert (grown.text("memory"), grown.text("next_run_configuration_exists")) == (str(1 << 30), "false")
    less = memory(newest, path, 512)
    assert (less.status, less.text("memory")) == (200, str(1 << 30))
    assert less.text("next_run_configuration_exists") == "false"
    assert "(100MiB) is not dividable by 128MiB" in memory(newest, path, 1124).detail()
    most = "<memory_policy><max>17179869184</max></memory_policy>"
    beyond = memory(newest, path, 9216, most)
    assert (beyond.status, "cannot exceed maximum memory size" in beyond.detail()) == (409, True)
    for wanted in (1124, 8192, 768):
        assert memory(newest, path, wanted, most, "?next_run=true").text("memory") == str(wanted << 20)
    refused = newest.put(path, "<vm><description>anything</description></vm>")
    assert (refused.status, "memory next run configuration already exists" in refused.detail()) == (400, True)
    off(newest, path)
    assert newest.get(path).text("memory") == str(768 << 20)


def topology(sockets: int, cores: int) -> str:
    return f"<vm><cpu><topology><sockets>{sockets}</sockets><cores>{cores}</cores></topology></cpu></vm>"


def test_cpus_of_a_running_machine(newest: Any) -> None:
    path = up(newest)
    sockets = "cpu/topology/sockets"
    assert newest.put(path, topology(2, 1)).text(sockets) == "2"
    assert newest.put(path, topology(1, 1)).text(sockets) == "2"
    assert waiting(newest, path).text(sockets) == "2", "fewer are lost without a word"
    newest.put(path, topology(4, 2))
    assert (newest.get(path).text(sockets), waiting(newest, path).text(sockets)) == ("2", "4")


SPICE = "<vm><display><type>spice</type></display></vm>"
CONSOLE = "<vm><console><enabled>true</enabled></console></vm>"


def displays(engine: Any, path: str, query: str = "") -> list[str]:
    return [*engine.get(f"{path}/graphicsconsoles{query}").xml.xpath("//protocol/text()")]


def test_devices_that_wait_are_shown_by_no_view_of_the_next_run(newest: Any) -> None:
    path = up(newest)
    newest.put(f"{path}?next_run=true", SPICE.replace("</vm>", CONSOLE[4:]))
    shown = newest.get(f"{path}?next_run=true", **EVERYTHING)
    assert (shown.text("display/type"), shown.text("console/enabled")) == ("vnc", "false")
    assert (displays(newest, path), displays(newest, path, "?current=true")) == (["spice"], ["vnc"])
    off(newest, path)
    assert newest.get(path).text("display/type") == "spice"
    assert newest.get(path, **EVERYTHING).text("console/enabled") == "true"


def test_devices_that_wait_are_forgotten_by_the_next_change(newest: Any) -> None:
    path = up(newest)
    newest.put(f"{path}?next_run=true", SPICE)
    newest.put(f"{path}?next_run=true", "<vm><stateless>true</stateless></vm>")
    assert displays(newest, path) == ["vnc"]
    off(newest, path)
    assert (newest.get(path).text("display/type"), newest.get(path).text("stateless")) == ("vnc", "true")


def test_an_unknown_operating_system_becomes_other_without_a_word(newest: Any) -> None:
    path = newest.vm()
    for word, becomes in (("rhel_8x64", "rhel_8x64"), ("RHEL_8x64", "other"), ("foo_os", "other")):
        assert newest.put(path, f"<vm><os><type>{word}</type></os></vm>").text("os/type") == becomes
