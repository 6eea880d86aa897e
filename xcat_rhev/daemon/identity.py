"""The user of a client without a certificate: passwords of the `xcat` rows in the passwd table, and tokens."""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import hmac
import re
import threading
import time
import uuid
from typing import Optional

from ..secret import Secret
from ..xcat.wire import UserPassword
from .tables import Tables

#: Days for which a token is good; `site.tokenexpiredays` says otherwise, also `never`. A hundred years are enough.
DAYS, MOST_DAYS = 1.0, 36500.0
#: How passwords begin that crypt(3) made, by any method since DES, and how those of DES look.
_HASH = re.compile(r"\$(?:1|2[abxy]?|3|5|6|7|y|gy|sm3|sha1|md5)[$,]")
_DES = re.compile(r"[./0-9A-Za-z]{13}|_[./0-9A-Za-z]{19}")
_crypt_lock = threading.Lock()


def knows(tables: Tables, login: UserPassword) -> bool:
    """Whether a password is the one of the passwd table, there in plain text or as crypt(3) made it.

    Args:
        tables: The tables.
        login: The name and password.
    """
    for row in tables.rows("passwd", {"key": "xcat", "username": login.name}):
        stored = row.get("password", "")
        hashed, maybe = _HASH.match(stored), _DES.fullmatch(stored)
        # what is surely a hash is never compared as it is: who reads the table must not get in with it
        if stored and not hashed and _same(stored, login.password.reveal()):
            return True
        if (hashed or maybe) and _same(stored, _crypt(login.password, stored)):
            return True
    return False


def new_token(tables: Tables, user: str) -> tuple[str, str]:
    """Make a token.

    Args:
        tables: The tables.
        user: The user that it stands for.

    Returns:
        The token, and the moment until which it is good, as text.
    """
    token, now = str(uuid.uuid4()), time.time()
    days = tables.site("tokenexpiredays").strip().lower()
    expire = "never" if days == "never" else _moment(now + 86400 * _days(days))
    old = [{"tokenid": row["tokenid"]} for row in tables.rows("token") if _is_old(row.get("expire", ""))]
    if old:
        tables.drop("token", *old)
    tables.put("token", {"tokenid": digest(token)}, {"username": user, "expire": expire, "created": _moment(now)})
    return token, expire


def owner(tables: Tables, token: Secret) -> Optional[str]:
    """The user that a token stands for; None if it is unknown or too old."""
    wanted = digest(token.reveal())
    for row in tables.rows("token"):
        if _same(row.get("tokenid", ""), wanted):
            if _is_old(row.get("expire", "")):
                return None
            tables.put("token", {"tokenid": row["tokenid"]}, {"access": _moment(time.time())})
            return row.get("username")
    return None


def digest(token: str) -> str:
    """What the table has of a token: who reads the table must not get in with it."""
    return "sha256:" + hashlib.sha256(token.encode()).hexdigest()


def _days(text: str) -> float:
    """How long a token is good; what is not a number above zero means the usual time, as in xCAT."""
    try:
        days = float(text)
    except ValueError:
        return DAYS
    return min(days, MOST_DAYS) if days > 0 else DAYS


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _is_old(expire: str) -> bool:
    """Moments are texts that sort by time; xCAT before 2.13 stored seconds."""
    if expire.isdecimal():
        return int(expire) < time.time()
    return expire != "never" and expire < _moment(time.time())


def _same(one: str, other: str) -> bool:
    """Compare in a time that does not tell how much is right."""
    return hmac.compare_digest(one.encode(), other.encode())


def _crypt(password: Secret, stored: str) -> str:
    """crypt(3) of the C library: Python has none since 3.13. Empty when it does not know the method, so never equal."""
    library = ctypes.util.find_library("crypt")
    if not library:
        return ""
    function = ctypes.CDLL(library).crypt
    function.restype, function.argtypes = ctypes.c_char_p, (ctypes.c_char_p, ctypes.c_char_p)
    with _crypt_lock:
        made = function(password.reveal().encode(), stored.encode())
    return made.decode() if made else ""
