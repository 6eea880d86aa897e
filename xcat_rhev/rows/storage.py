"""The virtsd table: what a storage domain is to be, read and checked as a whole before anything is asked of a manager.

`virtsd.location` begins with where the storage is; words after a bar add what some types need:

    nfs        server:/path[|version=v4][|options=soft,timeo=600]
    localfs    /path                                             (empty: /data/images/rhev)
    iscsi      address[:port][|target=iqn...][|lun=ID[,ID]][|user=NAME]   (password: passwd key=<domain> or key=iscsi)
    fcp        lun[,lun]
    posixfs    device or server:/path|vfs=TYPE[|options=...]
    glusterfs  server:/volume[|options=...]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from ..secret import Secret
from ..xcat.host import Row, Xcat

#: Where RHEV-H keeps local storage.
LOCAL_PATH = "/data/images/rhev"
DEFAULT_DATA_CENTER = "Default"
DOMAIN_TYPES = ("data", "iso", "export")
ISCSI_PORT = 3260

_SERVER_PATH = re.compile(r"(?P<address>\[[^\]\s]+\]|[^:/\s\[\]]+):(?P<path>/\S.*)")
_PORTAL = re.compile(r"(?P<address>\[[^\]\s]+\]|[^:/\s\[\]]+)(?::(?P<port>\d{1,9}))?")
_TARGET = re.compile(r"(iqn|eui|naa)\.\S+")
_LUNS = re.compile(r"[^\s,|]+(,[^\s,|]+)*")
_NFS_VERSIONS = ("auto", "v3", "v4", "v4_0", "v4_1", "v4_2")


@dataclass(frozen=True)
class _Storage:
    """What one storage type takes.

    Attributes:
        form: How its location is written, for messages.
        first: What the part before the first bar has to look like.
        words: The words that may follow, each with what its value has to look like.
        needed: Those that must.
        block: Made of LUNs, and so for data domains only.
    """

    form: str
    first: re.Pattern[str]
    words: Mapping[str, re.Pattern[str]]
    needed: tuple[str, ...] = ()
    block: bool = False


#: The storage types of data centers.
CENTER_STORAGE = ("nfs", "fcp", "iscsi", "posixfs", "glusterfs", "localfs")

_ANY = re.compile(r"\S.*")
STORAGE: Mapping[str, _Storage] = {
    "nfs": _Storage("server:/path", _SERVER_PATH, {"version": re.compile("|".join(_NFS_VERSIONS)), "options": _ANY}),
    "localfs": _Storage("/path", re.compile(r"/\S.*"), {}),
    "iscsi": _Storage(
        "address:port|target=iqn...|lun=ID", _PORTAL, {"target": _TARGET, "lun": _LUNS, "user": _ANY}, block=True
    ),
    "fcp": _Storage("lun,lun", _LUNS, {}, block=True),
    "posixfs": _Storage(
        "path|vfs=TYPE",
        re.compile(r"(?:(?P<address>\[[^\]\s]+\]|[^:/\s\[\]]+):)?(?P<path>/\S.*)"),
        {"vfs": re.compile(r"\w+"), "options": _ANY},
        ("vfs",),
    ),
    "glusterfs": _Storage("server:/volume", _SERVER_PATH, {"options": _ANY}),
}


@dataclass(frozen=True)
class StorageRow:
    """A storage domain as the virtsd table describes it.

    Attributes:
        name: The domain's name.
        kind: data, iso or export.
        storage: nfs, localfs, iscsi, fcp, posixfs or glusterfs.
        host: The node that makes it and becomes the first storage pool manager.
        data_center: Where it is attached.
        address: The server, without brackets; empty where there is none.
        path: The directory, device or volume.
        port: The portal's port of an iSCSI target.
        target: The iSCSI target; empty means the only one that the portal offers.
        luns: LUN ids; none means the only free one.
        user: For CHAP.
        password: For CHAP.
        vfs: The file system type of posixfs.
        version: The NFS version, or empty.
        options: Mount options, or empty.
    """

    name: str
    kind: str
    storage: str
    host: str
    data_center: str
    address: str = ""
    path: str = ""
    port: int = 0
    target: str = ""
    luns: tuple[str, ...] = ()
    user: str = ""
    password: Secret = Secret("")
    vfs: str = ""
    version: str = ""
    options: str = ""


def read_storage(
    xcat: Xcat, names: Sequence[str], complete: bool = True
) -> tuple[dict[str, StorageRow], dict[str, list[str]]]:
    """Read the rows of some storage domains and check every column of every row.

    Args:
        xcat: The xCAT around.
        names: The domains' names.
        complete: They have to say all that is needed to make a domain: who makes it and where it is.

    Returns:
        The rows without fault by name, and the faults of the others by name, each with what to change.
    """
    rows = {row["node"]: row for row in xcat.rows("virtsd") if row.get("node")}
    good: dict[str, StorageRow] = {}
    faults: dict[str, list[str]] = {}
    for name in names:
        row = rows.get(name)
        found = list(_faults(name, row, complete))
        password = _chap_password(xcat, name, row) if row else Secret("")
        if row is not None and not found and _chap_user(row) and not password:
            found = [_no_password(name, _chap_user(row))]
        if row is None or found:
            faults[name] = found
        else:
            good[name] = _read(row, password)
    return good, faults


def _chap_user(row: Row) -> str:
    words = (word.partition("=") for word in row.get("location", "").split("|")[1:])
    return next((value for key, _, value in words if key == "user"), "") if row.get("stype") == "iscsi" else ""


def _no_password(name: str, user: str) -> str:
    return (
        f"virtsd.location names the user {user}, but the passwd table has no password for it. "
        f"Run: chtab {quote(f'key={name}')} passwd.username={user} passwd.password=PASSWORD"
    )


def _faults(name: str, row: Row | None, complete: bool) -> Iterator[str]:
    setting = f"chtab {quote(f'node={name}')} virtsd"
    if row is None:
        yield (
            f"cannot find the definition for {name} in the virtsd table. "
            f"Run: {setting}.stype=nfs virtsd.location=SERVER:/PATH virtsd.host=HOST"
        )
        return
    if complete and not row.get("host"):
        yield f"virtsd.host is not set: a SPM host needs to be specified. Run: {setting}.host=HOST"
    kind = row.get("sdtype", "data")
    if kind not in DOMAIN_TYPES:
        yield f"virtsd.sdtype is '{kind}', not one of {', '.join(DOMAIN_TYPES)}. Run: {setting}.sdtype=data"
    storage = STORAGE.get(row.get("stype", ""))
    if storage is None:
        what = f"is '{row['stype']}'" if row.get("stype") else "is not set"
        yield f"virtsd.stype {what}; supported storage type: {', '.join(STORAGE)}. Run: {setting}.stype=nfs"
        return
    if storage.block and kind in ("iso", "export"):
        yield f"virtsd.sdtype is '{kind}', but {row['stype']} holds data domains only. Run: {setting}.sdtype=data"
    location = _location(row)
    for fault in _location_faults(storage, location, complete) if location or complete else ():
        yield f"virtsd.location {fault}. Run: {setting}.location='{storage.form}'"


def _location(row: Row) -> str:
    return row.get("location") or (LOCAL_PATH if row.get("stype") == "localfs" else "")


def _location_faults(storage: _Storage, location: str, complete: bool) -> Iterator[str]:
    if not location:
        yield "is not set"
        return
    first, *words = location.split("|")
    found = storage.first.fullmatch(first)
    if not found:
        yield f"begins with '{first}', which is not of the form {storage.form.split('|')[0]}"
    elif not 0 < int(found.groupdict().get("port") or ISCSI_PORT) < 65536:
        yield f"begins with '{first}', whose port is not from 1 to 65535"
    given = set()
    for word in words:
        key, _, value = word.partition("=")
        given.add(key)
        if key not in storage.words:
            yield f"holds '{word}'; the words known here are: {', '.join(storage.words) or 'none'}"
        elif not storage.words[key].fullmatch(value):
            yield f"holds '{word}', which has an invalid value"
    for key in storage.needed if complete else ():
        if key not in given:
            yield f"lacks |{key}=..."


def _chap_password(xcat: Xcat, name: str, row: Row) -> Secret:
    if not _chap_user(row):
        return Secret("")
    rows = [found for key in (name, "iscsi") for found in xcat.rows("passwd", {"key": key}) if found.get("password")]
    return Secret(rows[0]["password"] if rows else "")


def _read(row: Row, password: Secret) -> StorageRow:
    first, *rest = _location(row).split("|")
    words = dict(word.split("=", 1) for word in rest)
    storage = row["stype"]
    found = STORAGE[storage].first.fullmatch(first)
    parts = found.groupdict() if found else {}
    luns = first if storage == "fcp" else words.get("lun", "")
    return StorageRow(
        name=row["node"],
        kind=row.get("sdtype", "data"),
        storage=storage,
        host=row.get("host", ""),
        data_center=row.get("datacenter", DEFAULT_DATA_CENTER),
        address=(parts.get("address") or "").strip("[]"),
        path=parts.get("path") or (first if storage == "localfs" else ""),
        port=int(parts.get("port") or ISCSI_PORT) if storage == "iscsi" else 0,
        target=words.get("target", ""),
        luns=tuple(lun for lun in luns.split(",") if lun),
        user=words.get("user", ""),
        password=password,
        vfs=words.get("vfs", "glusterfs" if storage == "glusterfs" else ""),
        version=words.get("version", ""),
        options=words.get("options", ""),
    )
