"""The packages on throw-away machines: installed, upgraded, beside an xCAT that is upgraded, used, and taken out again.

XCAT_RHEV_ROOT names the machine for .deb and .rpm: a folder with a Debian that debootstrap made, with rpm in it for the
.rpm. Without it both are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import packages_made
import pytest
from test_packages import TOP, built

WALKS = Path(__file__).parent / "packages"

pytestmark = [pytest.mark.root, pytest.mark.slow]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that throw-away machines see, too."""
    with TemporaryDirectory(prefix="packages-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def root() -> str:
    """Where packages are installed."""
    if "XCAT_RHEV_ROOT" not in os.environ:
        pytest.skip("set XCAT_RHEV_ROOT to a folder that debootstrap made")
    return os.environ["XCAT_RHEV_ROOT"]


def walk(name: str, root: str, *words: object) -> None:
    """Run one of the walks on a throw-away copy of a machine."""
    with (WALKS / name).open() as script:
        done = subprocess.run(
            [TOP / "share/throw-away", root, "bash", "-s", *map(str, words)],
            stdin=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
    assert done.returncode == 0 and "== " in done.stdout, done.stdout[-4000:]


def below(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def test_the_life_of_the_deb(folder: Path, root: str) -> None:
    new, old, xcat = (below(folder, name) for name in ("new", "old", "xcat"))
    for deb in built("deb", new, "dpkg-buildpackage", "dh", "dh_python3", "apt-get"):
        packages_made.earlier(deb, old, "0.0.1")
    for version in ("2.16", "2.17"):
        packages_made.xcat_deb(xcat, version)
    walk("deb_walk.sh", root, old, new, xcat)


def test_the_life_of_the_rpm(folder: Path, root: str) -> None:
    new, xcat = below(folder, "new"), below(folder, "xcat")
    built("rpm", new, "rpmbuild")
    for version in ("2.16", "2.17"):
        packages_made.xcat_rpm(xcat, version)
    walk("rpm_walk.sh", root, new, xcat)


def test_system_packages_through_dnf(folder: Path) -> None:
    for program in ("dnf", "createrepo_c", "rpmbuild"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    packages_made.stub_repository(folder, "stub-one", "stub-two")
    walk("dnf_walk.sh", "/", TOP, folder)
