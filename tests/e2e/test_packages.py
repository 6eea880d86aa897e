"""The packages: built by one command, the same bytes twice, no file of two packages or of xCAT's, a program that runs.

On throw-away machines they are installed, used, upgraded beside an xCAT that is upgraded, and taken out again. The
machine is a small Debian 12 that is made here, or the folder with a Debian that XCAT_RHEV_ROOT names.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import packages_made
import pytest

import xcat_rhev

TOP = Path(__file__).parents[2]
BUILD = TOP / "share/packaging/build"
WALKS = Path(__file__).parent / "packages"

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
    code = "from xcat_rhev.cli.files import find_shared; print(find_shared('share/perl/rhevm.pm'))"
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


def versions(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def has(release: str) -> dict[str, str]:
    """The packages of a release of Enterprise Linux and their versions; "-" for one that it is known not to have."""
    rows = [line.split("\t") for line in (WALKS / "el.tsv").read_text().splitlines() if not line.startswith("#")]
    assert {row[4] for row in rows} == {"seen", "recalled"}
    return {row[1]: row[2] for row in rows if row[0] == release}


def asked(rpm: Path, kind: str) -> list[list[str]]:
    """What a package requires or recommends of others' packages: [name], or [name, ">=", version]."""
    text = subprocess.run(["rpm", "-qp", f"--{kind}", rpm], check=True, capture_output=True, text=True).stdout
    return [line.split() for line in sorted(set(text.splitlines())) if line.startswith("python")]


def of(rpms: list[Path], release: str) -> list[Path]:
    return [rpm for rpm in rpms if f".el{release}." in rpm.name]


@pytest.mark.parametrize("release", ["8", "9", "10"])
def test_enterprise_linux_has_what_the_rpms_require(release: str, rpms: list[Path]) -> None:
    there = has(release)
    wanted = [each for rpm in of(rpms, release) for each in asked(rpm, "requires")]
    assert len(wanted) > 5
    for name, *bound in wanted:
        assert there.get(name, "-") != "-", name
        assert not bound or versions(there[name]) >= versions(bound[1]), (name, there[name], bound)


@pytest.mark.parametrize("release", ["8", "9", "10"])
def test_the_manual_says_what_enterprise_linux_lacks(release: str, rpms: list[Path]) -> None:
    page = (TOP / "share/doc/install.md").read_text()
    lacks = [name.partition("-")[2] for name, version in has(release).items() if version == "-"]
    row = next(line for line in page.splitlines() if line.startswith(f"| EL {release}"))
    assert lacks and all(name in row.lower() for name in lacks), (lacks, row)
    required = [each[0] for rpm in of(rpms, release) for each in asked(rpm, "requires")]
    assert not [name for name in required if name.partition("-")[2] in lacks]


def test_on_el8_a_package_says_what_pip_has_to_bring(rpms: list[Path]) -> None:
    said = [
        subprocess.run(["rpm", "-qp", "--scripts", rpm], check=True, capture_output=True, text=True).stdout
        for rpm in of(rpms, "8")
    ]
    for name in ("regex", "SQLAlchemy", "cheroot"):
        assert [text for text in said if f"Run: python3.12 -m pip install {name}" in text], name


def test_on_el8_programs_are_started_by_the_python_that_is_required(rpms: list[Path], tmp_path: Path) -> None:
    for rpm in of(rpms, "8"):
        archive = subprocess.run(["rpm2cpio", rpm], check=True, capture_output=True).stdout
        subprocess.run(["cpio", "-idm", "--quiet"], cwd=tmp_path, input=archive, check=True)
    firsts = {path.read_bytes().partition(b"\n")[0] for path in (tmp_path / "usr").rglob("*") if path.is_file()}
    pythons = {line for line in firsts if line.startswith(b"#!") and b"python" in line}
    assert pythons == {b"#!/usr/bin/python3.12", b"#!/usr/bin/python3.12 -IS"}


def test_no_file_is_one_of_xcats_own(root: Path) -> None:
    theirs = set(packages_made.XCAT_PATHS)
    assert len(theirs) > 400
    files = [f"/{path.relative_to(root)}" for path in root.rglob("*") if not path.is_dir()]
    assert not [file for file in files if file in theirs or file.startswith(("/opt/", "/install/", "/tftpboot/"))]


def test_pages_are_readable_and_lead_to_each_other(root: Path) -> None:
    docs = root / "usr/share/doc/xcat-rhev"
    found = list(docs.rglob("*.md"))
    assert {"README.md", "CHANGELOG.md", "index.md", "machines.md"} <= {page.name for page in found}
    assert not list(docs.rglob("*.md.gz"))
    links = [
        (page, link)
        for page in found
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
        if "://" not in link
    ]
    assert len(links) > 30
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]


def test_units_are_those_that_systemd_read(root: Path) -> None:
    """tests/e2e/test_units.py reads those of the checkout."""
    packed = {unit.name: unit.read_text() for unit in (root / "usr/lib/systemd/system").iterdir()}
    assert packed == {unit.name: unit.read_text() for unit in (TOP / "share/systemd").glob("*.service")}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that throw-away machines see, too."""
    with TemporaryDirectory(prefix="packages-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def below(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


@pytest.fixture(scope="module")
def ready(debs: list[Path], folder: Path) -> Path:
    """A folder with this version, the one before and two of xCAT."""
    new, old, xcat = (below(folder, name) for name in ("new", "old", "xcat"))
    for deb in debs:
        shutil.copy(deb, new)
        packages_made.earlier(deb, old, "0.0.1")
    for version in ("2.16", "2.17"):
        packages_made.xcat_deb(xcat, version)
    return folder


@pytest.fixture(scope="module")
def machine(ready: Path) -> Path:
    """Where packages are installed: what XCAT_RHEV_ROOT names, or a small Debian 12 with all that they need at hand."""
    if "XCAT_RHEV_ROOT" in os.environ:
        return Path(os.environ["XCAT_RHEV_ROOT"])
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None or shutil.which("unshare") is None:
        pytest.skip("a Debian to install in is made as root with mmdebstrap and unshare")
    made = ready / "debian"
    fetch = "apt-get -q -y --no-install-recommends --download-only install /tmp/new/*.deb rpm"
    # Whatever happens, its mounts are not this machine's, and all that it started ends with it.
    words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    words += ["mmdebstrap", "--quiet", "--variant=apt", "--skip=cleanup/apt", "--dpkgopt=force-unsafe-io"]
    words += [f"--customize-hook=copy-in {ready}/new /tmp", f"--customize-hook=chroot $1 sh -c '{fetch}'"]
    try:
        done = subprocess.run([*words, "bookworm", made], capture_output=True, text=True, timeout=400, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("no Debian came from the mirror in 400 seconds")
    if done.returncode:
        pytest.skip("no Debian from the mirror: " + done.stderr.strip().splitlines()[-1])
    return made


def walk(name: str, root: Path, *words: object) -> list[str]:
    """Run one of the walks on a throw-away copy of a machine, until something is wrong; gives its stages."""
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
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:]
    return re.findall(r"^== (?:\d+ s: )?(.*)$", done.stdout, re.MULTILINE)


@pytest.mark.root
def test_the_life_of_the_deb(ready: Path, machine: Path) -> None:
    stages = walk("deb_walk.sh", machine, ready / "old", ready / "new", ready / "xcat")
    assert (len(stages), stages[-1]) == (8, "done")


@pytest.mark.root
def test_the_life_of_the_rpm(rpms: list[Path], ready: Path, machine: Path) -> None:
    new, xcat = below(ready, "new-rpm"), below(ready, "xcat-rpm")
    for rpm in of(rpms, "9"):
        shutil.copy(rpm, new)
    for version in ("2.16", "2.17"):
        packages_made.xcat_rpm(xcat, version)
    stages = walk("rpm_walk.sh", machine, new, xcat)
    assert (len(stages), stages[-1]) == (6, "done")


@pytest.mark.root
def test_system_packages_through_dnf(folder: Path) -> None:
    for program in ("dnf", "createrepo_c", "rpmbuild"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    repository = below(folder, "stubs")
    packages_made.stub_repository(repository, "stub-one", "stub-two")
    assert walk("dnf_walk.sh", Path("/"), TOP, repository) == ["done"]
