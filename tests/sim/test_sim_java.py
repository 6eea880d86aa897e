"""The official Java SDK drives the simulator: what it accepts, clients in other languages accept."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

_PROGRAM = Path(__file__).with_name("Scenario.java")
_CENTRAL = "https://repo1.maven.org/maven2"
#: The SDK and what it stands on, as its own pom.xml names them.
_JARS = (
    "org/ovirt/engine/api/sdk/4.4.5/sdk-4.4.5.jar",
    "com/fasterxml/jackson/core/jackson-annotations/2.10.0/jackson-annotations-2.10.0.jar",
    "com/fasterxml/jackson/core/jackson-core/2.10.0/jackson-core-2.10.0.jar",
    "com/fasterxml/jackson/core/jackson-databind/2.10.0/jackson-databind-2.10.0.jar",
    "commons-codec/commons-codec/1.9/commons-codec-1.9.jar",
    "commons-logging/commons-logging/1.2/commons-logging-1.2.jar",
    "org/apache/httpcomponents/httpclient/4.5/httpclient-4.5.jar",
    "org/apache/httpcomponents/httpcore/4.4.1/httpcore-4.4.1.jar",
    "org/slf4j/slf4j-api/1.7.7/slf4j-api-1.7.7.jar",
)
_IN_USE = (
    'Fault reason is "Operation Failed". Fault detail is "[Cannot add VM. The VM name is already in use, please choose '
    'a unique name and try again.]". HTTP response code is "409". HTTP response message is "Conflict".'
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the SDK."""
    if not shutil.which("javac"):
        pytest.skip("there is no JDK (Debian: default-jdk-headless)")
    folder = tmp_path_factory.mktemp("jars")
    for path in _JARS:
        try:
            answer = requests.get(f"{_CENTRAL}/{path}", timeout=120)
            answer.raise_for_status()
        except requests.RequestException:
            pytest.skip("Maven Central does not give the Java SDK")
        (folder / path.rpartition("/")[2]).write_bytes(answer.content)
    return folder


@pytest.fixture
def trust(simulator: Any, tmp_path: Path) -> Path:
    """Java's own form of the manager's CA."""
    store = tmp_path / "trust.p12"
    words = ["keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", str(simulator.ca)]
    words += ["-keystore", str(store), "-storetype", "PKCS12", "-storepass", "secret"]
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    return store


def test_a_machine_lives_by_the_java_sdk(simulator: Any, jars: Path, trust: Path) -> None:
    words = [simulator.v4, simulator.user, simulator.password, str(trust), "secret"]
    done = subprocess.run(
        ["java", "-cp", f"{jars}/*", str(_PROGRAM), *words], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.stdout.splitlines() == [
        "major 4",
        "made java1 mac 00:1a:4a",
        f"second of a name: {_IN_USE}",
        'not there: HTTP response code is "404". HTTP response message is "Not Found".',
        "memory 2 comment by Java",
        "moved true",
        "search 1 java1",
        "follow java1_1 1 fromjava",
        "down",
        "removed",
    ], done.stderr
