"""The answer file of a manager's setup."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...errors import Usage
from ...secret import Secret
from .answerkeys import AnswerKey, answers_of, number

#: RHEV 3.0 to 3.2 refuse quotes and blanks in passwords (`engine_validators.py`); a percent sign begins a variable.
_REFUSED = "'\"%"
_LENGTH = 20


class Wanted(NamedTuple):
    """What the answers of one manager say.

    Attributes:
        version: Of the engine.
        fqdn: The manager's full name, which is in its certificate.
        password: Of its administrator.
        organization: In its certificates.
        address: Its IPv4 address, empty if unknown: MAC addresses of machines are drawn from it before 3.3.
        major: The major version of Enterprise Linux below it.
        keycloak: Whether Keycloak does the logins, from 4.5 on.
    """

    version: str
    fqdn: str
    password: Secret
    organization: str
    address: str = ""
    major: int = 9
    keycloak: bool = True


def drawn_password() -> Secret:
    """A new password of letters and digits, which every setup takes."""
    alphabet = string.ascii_letters + string.digits
    return Secret("".join(secrets.choice(alphabet) for _ in range(_LENGTH)))


def answer_file(wanted: Wanted) -> str:
    """Write the file.

    Raises:
        Usage: A value that the setup would not read as it is.
    """
    values = _values(wanted)
    head = "[general]" if number(wanted.version) < (3, 3) else "[environment:default]"
    return "\n".join([head, *_lines(answers_of(wanted.version), values), ""])


def _lines(answers: tuple[AnswerKey, ...], values: Mapping[str, str]) -> Iterator[str]:
    for answer in answers:
        value = answer.value.format_map(values)
        yield f"{answer.key}={answer.kind}:{value}" if answer.kind else f"{answer.key}={value}"


def _values(wanted: Wanted) -> dict[str, str]:
    text = wanted.password.reveal()
    if not text.isprintable() or not text.isascii() or any(sign.isspace() or sign in _REFUSED for sign in text):
        raise Usage(
            "the password of the manager has a blank, a quote or another character that its setup refuses",
            "Take letters, digits and signs: chtab key=MANAGER,username=admin passwd.password=PASSWORD",
        )
    if not wanted.organization.isprintable() or not wanted.organization.strip():
        raise Usage("the organization is empty or has a character that cannot be written", "Give --organization NAME")
    return {
        "fqdn": wanted.fqdn,
        "password": text,
        "database": drawn_password().reveal(),
        "organization": wanted.organization,
        "macs": _macs(wanted.address),
        "firewall": "iptables" if wanted.major < 7 else "firewalld",
        "keycloak": str(wanted.keycloak),
    }


def _macs(address: str) -> str:
    """The range that the setup before 3.3 proposes: from the middle numbers of the manager's address."""
    parts = address.split(".")
    if len(parts) != 4:
        return "00:1a:4a:16:84:02-00:1a:4a:16:84:fd"
    base = f"00:1A:4A:{int(parts[1]):02X}:{int(parts[2]):02X}"
    return f"{base}:00-{base}:FF"
