"""What is believed of a certificate, and what is said: own CA, chain, company, expired, wrong name, changed, gone."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from enginehelp import access
from xcat_rhev.clock import ManualClock, SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.engine.wire import trust
from xcat_rhev.errors import RhevError, Unreachable, Usage
from xcat_rhev.secret import Secret
from xcat_rhev.sim import app, build, certs, http, plan, settings, world

DAY = datetime.timedelta(days=1)


@dataclass
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def signed(name: str, by: Signed | None = None, ca: bool = True, host: str = "localhost", days: int = 100) -> Signed:
    """Make a certificate, signed by itself unless somebody else does."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).public_key(key.public_key())
    builder = builder.issuer_name(by.certificate.subject if by else subject)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - 200 * DAY).not_valid_after(now + days * DAY)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


class Manager:
    """An engine with a certificate of its own, whose page gives some CA.

    Args:
        folder: For its files.
        shown: Its certificate, and what it shows along with it.
        page: What it gives for its CA.
    """

    def __init__(self, folder: Path, shown: list[Signed], page: bytes) -> None:
        files = certs.Certificates(folder / "unused", folder / "engine.crt", folder / "engine.key")
        files.certificate.write_text("".join(each.pem for each in shown))
        files.key.write_bytes(
            shown[0].key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        told = settings.Settings(api="4")
        made = world.World(ManualClock(), epoch=1_700_000_000.0)
        dialect, _, _ = told.dialect(settings.LONG, "")
        assert dialect is not None
        build.build(made, dialect, "ovirtmgmt", 0, 0)
        self.application = app.Application(made, told, page)
        self._server = http.SimServer(http.Front(self.application, plan.Plan()), ("127.0.0.1", 0), files, 4)
        self._server.prepare()
        self._thread = threading.Thread(target=self._server.serve, daemon=True)
        self._thread.start()
        self.name = f"localhost:{self._server.bind_addr[1]}"

    def close(self) -> None:
        self._server.stop()
        self._thread.join()


@pytest.fixture(autouse=True)
def nobody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "PLAIN_PORTS", ())


@contextmanager
def manager(folder: Path, shown: list[Signed], page: bytes) -> Iterator[Manager]:
    (folder / "server").mkdir(exist_ok=True)
    with closing(Manager(folder / "server", shown, page)) as made:
        yield made


def opened(made: Manager, folder: Path, **more: Any) -> tuple[RhevError | None, list[str]]:
    """What came of opening it: an error or none, and what a person was told."""
    told: list[str] = []
    with closing(Managers(SystemClock())) as managers:
        try:
            known = access(folder / "kept", name=made.name, password=Secret("secret"), **more)
            managers.open(known, tell=told.append)
        except RhevError as problem:
            return problem, told
    return None, told


OWN = signed("own CA")
LEAF = signed("engine", OWN, ca=False)
MIDDLE = signed("company's issuing CA", COMPANY := signed("company CA"))
COMPANY_LEAF = signed("engine", MIDDLE, ca=False)


@pytest.mark.parametrize("page", [OWN.pem.encode(), OWN.der, b"text before\n" + OWN.pem.encode() + b"after"])
def test_its_own_ca_is_fetched_shown_and_kept(tmp_path: Path, page: bytes) -> None:
    with manager(tmp_path, [LEAF], page) as made:
        problem, told = opened(made, tmp_path)
        assert problem is None
        assert trust.fingerprint(OWN.pem) in told[0] and "is now kept in" in told[0]
        assert opened(made, tmp_path) == (None, [])


@pytest.mark.parametrize("page", [MIDDLE.pem + COMPANY.pem, COMPANY.pem + MIDDLE.pem, COMPANY.pem])
def test_a_chain_is_kept_whole(tmp_path: Path, page: str) -> None:
    with manager(tmp_path, [COMPANY_LEAF, MIDDLE], page.encode()) as made:
        problem, told = opened(made, tmp_path)
        assert problem is None
        assert (tmp_path / "kept" / "ca.crt").read_text() == page
        assert told[0].count(":") > 31 * page.count("BEGIN")


@pytest.mark.parametrize("held", [[COMPANY], [MIDDLE, COMPANY], [MIDDLE]], ids=["root", "chain", "issuing CA alone"])
def test_a_named_file_may_hold_a_chain(tmp_path: Path, held: list[Signed]) -> None:
    file = tmp_path / "named.crt"
    file.write_text("".join(each.pem for each in held))
    with manager(tmp_path, [COMPANY_LEAF, MIDDLE], OWN.pem.encode()) as made:
        assert opened(made, tmp_path, ca=str(file)) == (None, [])


def test_a_company_certificate_leads_to_its_ca_and_not_in_a_circle(tmp_path: Path) -> None:
    """The engine gives its own CA at its page, which did not sign what Apache shows."""
    with manager(tmp_path, [COMPANY_LEAF, MIDDLE], OWN.pem.encode()) as made:
        problem, told = opened(made, tmp_path)
    assert isinstance(problem, Unreachable) and not told
    assert problem.text == f"manager {made.name} has a certificate that was not signed by its own CA"
    assert "Name the file of the CA that did in the site table's rhevmca" in problem.hint
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("", "That CA was fetched once and is kept"),
        ("file", "site.rhevmca names that file"),
        ("system", "Add the CA that signed it to this machine's"),
    ],
)
def test_a_certificate_of_somebody_else_is_told_by_who_was_believed(tmp_path: Path, named: str, words: str) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "ca.crt").write_text(OWN.pem)
    (tmp_path / "file").write_text(OWN.pem)
    with manager(tmp_path, [COMPANY_LEAF, MIDDLE], OWN.pem.encode()) as made:
        problem, _ = opened(made, tmp_path, ca=str(tmp_path / "file") if named == "file" else named)
    assert isinstance(problem, Unreachable) and words in problem.hint
    assert named == "" or "remove" not in problem.hint
    assert named != "" or trust.fingerprint(OWN.pem) in problem.text


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (signed("engine", OWN, ca=False, days=-1), "has expired. Compare the clocks"),
        (signed("engine", OWN, ca=False, host="elsewhere.example.com"), "is not made for that name. Name the manager"),
    ],
    ids=["expired", "wrong name"],
)
def test_what_else_is_wrong_with_a_certificate(tmp_path: Path, leaf: Signed, words: str) -> None:
    with manager(tmp_path, [leaf], OWN.pem.encode()) as made:
        problem, told = opened(made, tmp_path)
    assert words in str(problem)
    assert trust.fingerprint(OWN.pem) in told[0], "the CA that was fetched is shown although it was of no use"


def test_the_ca_is_shown_when_the_first_login_fails(tmp_path: Path) -> None:
    with manager(tmp_path, [LEAF], OWN.pem.encode()) as made:
        problem, told = opened(made, tmp_path, user="nobody@internal")
    assert "refuses the login" in str(problem) and "SHA-256" in told[0]


@pytest.mark.parametrize("page", [b"<html>", b"", LEAF.pem.encode(), LEAF.der, b"\x30\x82garbage"])
def test_nothing_else_becomes_a_ca(tmp_path: Path, page: bytes) -> None:
    with manager(tmp_path, [LEAF], page) as made:
        problem, _ = opened(made, tmp_path)
    assert "gives its CA certificate at none of the known addresses" in str(problem)


def test_a_ca_that_was_changed_or_removed_is_looked_at_at_once(tmp_path: Path) -> None:
    told: list[str] = []
    with manager(tmp_path, [LEAF], OWN.pem.encode()) as made, closing(Managers(SystemClock())) as managers:
        known = access(tmp_path / "kept", name=made.name, password=Secret("secret"))
        file = tmp_path / "kept" / "ca.crt"
        managers.open(known, tell=told.append)
        managers.open(known, tell=told.append)
        assert len(told) == 1
        file.write_text(COMPANY.pem)
        with pytest.raises(Unreachable, match="was not signed by"):
            managers.open(known)
        file.write_text("rubbish")
        with pytest.raises(Usage, match="holds no CA certificate"):
            managers.open(known)
        file.unlink()
        managers.open(known, tell=told.append)
        assert len(told) == 2 and file.read_text() == OWN.pem


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with manager(tmp_path, [LEAF], OWN.pem.encode()) as made:
        problem, _ = opened(made, tmp_path, ca=str(tmp_path / "nothing.crt"))
    assert isinstance(problem, Usage) and "nothing.crt holds no CA certificate" in problem.text


def test_what_protects_is_never_taken_away() -> None:
    for made in (trust.context(None), trust.context(None, old=True)):
        assert made.verify_mode == ssl.CERT_REQUIRED and made.check_hostname
