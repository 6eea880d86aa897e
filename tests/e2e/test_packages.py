"""The packages: built by one command, the same bytes twice, no file in two of them, with a program that runs."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import xcat_rhev

TOP = Path(__file__).parents[2]
BUILD = TOP / "share/packaging/build"

pytestmark = pytest.mark.slow


def built(kind: str, folder: Path, *programs: str) -> list[Path]:
    """Build one kind of packages; skipped where a program is missing or the files are no checkout."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not (TOP / ".git").exists():
        pytest.skip("packages are built from a checkout")
    subprocess.run([BUILD, kind, folder], check=True, timeout=600)
    return sorted(folder.glob(f"*.{kind}"))


def digests(files: list[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return built("deb", tmp_path_factory.mktemp("deb"), "dpkg-buildpackage", "dh", "dh_python3")


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return built("rpm", tmp_path_factory.mktemp("rpm"), "rpmbuild")


@pytest.fixture(scope="module")
def root(debs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    for deb in debs:
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return folder


def test_three_packages(debs: list[Path], rpms: list[Path]) -> None:
    version = xcat_rhev.__version__
    names = ("xcat-rhev", "xcat-rhev-sim", "xcat-rhev-xcatd")
    assert [deb.name for deb in debs] == sorted(f"{name}_{version}_all.deb" for name in names)
    assert {rpm.name for rpm in rpms} == {
        f"{name}-{version}-1.{dist}.noarch.rpm" for name in names for dist in ("el8", "el9", "el10")
    }


@pytest.mark.parametrize("kind", ["deb", "rpm"])
def test_the_same_bytes_twice(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    first = request.getfixturevalue(f"{kind}s")
    assert digests(built(kind, tmp_path)) == digests(first)


def test_no_file_is_in_two_packages(debs: list[Path]) -> None:
    lists = [subprocess.run(["dpkg-deb", "-c", deb], check=True, capture_output=True, text=True).stdout for deb in debs]
    files = [line.split()[5] for text in lists for line in text.splitlines() if not line.startswith("d")]
    assert len(files) == len(set(files))
    assert not [file for file in files if "/opt/xcat" in file]


def test_both_formats_hold_the_same_files(debs: list[Path], rpms: list[Path]) -> None:
    def kept(path: str) -> bool:
        return path.startswith(("/usr/share/xcat-rhev/", "/usr/bin/", "/usr/share/man/"))

    rpm = next(each for each in rpms if re.match(r"xcat-rhev-\d.*el9", each.name))
    listed = subprocess.run(["rpm", "-qpl", rpm], check=True, capture_output=True, text=True).stdout.splitlines()
    deb = next(each for each in debs if each.name.startswith("xcat-rhev_"))
    text = subprocess.run(["dpkg-deb", "-c", deb], check=True, capture_output=True, text=True).stdout
    of_deb = {line.split()[5].removeprefix(".") for line in text.splitlines() if not line.startswith("d")}
    of_rpm = {path for path in listed if not path.endswith("/") and path in of_deb | set(filter(kept, listed))}
    folders = {str(parent) for path in of_rpm for parent in Path(path).parents}
    assert {path for path in of_rpm if kept(path)} - folders == {path for path in of_deb if kept(path)}


def test_the_program_runs_and_finds_its_files(root: Path) -> None:
    program = (root / "usr/bin/xcat-rhev").read_text()
    assert program.startswith("#!/usr/bin/python3\n")
    text = program.replace('"/usr/share/xcat-rhev"', repr(str(root / "usr/share/xcat-rhev")))
    done = subprocess.run(["python3", "-c", text, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout == f"xcat-rhev {xcat_rhev.__version__}\n"
    code = "from xcat_rhev.cli.files import shared; print(shared('share/perl/rhevm.pm'))"
    path = text.replace("from xcat_rhev.cli.main import main  # noqa: E402\n\nsys.exit(main())", code)
    found = subprocess.run(["python3", "-c", path], check=True, capture_output=True, text=True).stdout.strip()
    assert found == str(root / "usr/share/xcat-rhev/share/perl/rhevm.pm")


def test_lintian_has_nothing_to_say(debs: list[Path]) -> None:
    if shutil.which("lintian") is None:
        pytest.skip("lintian is not installed")
    done = subprocess.run(["lintian", "--fail-on", "warning", *debs], check=False, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


def test_rpmlint_has_nothing_to_say(rpms: list[Path]) -> None:
    if shutil.which("rpmlint") is None:
        pytest.skip("rpmlint is not installed")
    words = ["rpmlint", "-c", TOP / "share/packaging/rpm/rpmlint.toml", *rpms]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert "0 errors, 0 warnings" in done.stdout, done.stdout
