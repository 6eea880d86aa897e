"""Hash passwords as a hypervisor's `crypt(3)` reads them: SHA-512 (`$6$`), which every RHEL since 5.2 understands.

Python's own crypt module ended with 3.12 and passlib is no longer looked after, so the published algorithm is written
out here (Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512") and tested with the vectors published with it.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from ..errors import Usage
from ..secret import Secret

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ROUNDS, _FEWEST, _MOST = 5000, 1000, 999_999_999
_SALT = re.compile(r"\$6\$(?:rounds=(\d+)\$)?([^$]*)")
#: What glibc of RHEL 5 to 9 reads: MD5, SHA-256 and SHA-512; no `$2b$`, no `$y$`.
_READ = re.compile(r"\$(1|5|6)\$(rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{22,86}")
#: The order in which the algorithm writes out the digest's bytes; the 64th comes last, alone.
_TRIPLES = [(22 * turn % 63, (22 * turn + 21) % 63, (22 * turn + 42) % 63) for turn in range(21)]


def hash_password(password: Secret, what: str) -> Secret:
    """Give the hash of a password, or the hash itself if it is one.

    Args:
        password: What the passwd table holds.
        what: What the password is for, for the error.

    Raises:
        Usage: It is a hash of a kind that the hypervisor's login does not read, or no text that could be typed.
    """
    text = password.reveal()
    if _READ.fullmatch(text):
        return password
    if re.match(r"\$\w+\$", text):
        raise Usage(
            f"the hash of {what} is of a kind that a hypervisor does not read",
            "Use a SHA-512 hash, as from: openssl passwd -6",
        )
    if not text.isprintable():
        raise Usage(f"the password of {what} holds characters that cannot be typed")
    return Secret(sha512_crypt(text, "$6$" + "".join(secrets.choice(_ALPHABET) for _ in range(16))))


def sha512_crypt(password: str, setting: str) -> str:
    """Hash a password.

    Args:
        password: The password.
        setting: `$6$salt` or `$6$rounds=N$salt`; a salt beyond 16 characters is cut.

    Raises:
        ValueError: The setting has another form.
    """
    found = _SALT.match(setting)
    if not found:
        raise ValueError("no SHA-512 setting")
    rounds = min(max(int(found[1]), _FEWEST), _MOST) if found[1] else _ROUNDS
    key, salt = password.encode(), found[2][:16].encode()
    digest = _stretch(_start(key, salt), key, salt, rounds)
    shown = f"rounds={rounds}$" if found[1] else ""
    return f"$6${shown}{salt.decode()}${_encode(digest)}"


def _start(key: bytes, salt: bytes) -> bytes:
    other = hashlib.sha512(key + salt + key).digest()
    first = hashlib.sha512(key + salt + _repeat(other, len(key)))
    count = len(key)
    while count:
        first.update(other if count & 1 else key)
        count >>= 1
    return first.digest()


def _stretch(digest: bytes, key: bytes, salt: bytes, rounds: int) -> bytes:
    key_part = _repeat(hashlib.sha512(key * len(key)).digest(), len(key))
    salt_part = _repeat(hashlib.sha512(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number % 2
        parts = [key_part if odd else digest]
        parts += [salt_part] if number % 3 else []
        parts += [key_part] if number % 7 else []
        parts += [digest if odd else key_part]
        digest = hashlib.sha512(b"".join(parts)).digest()
    return digest


def _repeat(digest: bytes, length: int) -> bytes:
    return (digest * (length // 64 + 1))[:length]


def _encode(digest: bytes) -> str:
    text = "".join(_four(digest[a] << 16 | digest[b] << 8 | digest[c], 4) for a, b, c in _TRIPLES)
    return text + _four(digest[63], 2)


def _four(value: int, length: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(length))
