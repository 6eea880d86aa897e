"""How to reach the database that holds xCAT's tables: SQLite files, PostgreSQL or MySQL, as `cfgloc` says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc, pool
from sqlalchemy.sql.elements import quoted_name

from ..errors import Conflict, Locked, NotFound, RhevError, Unreachable, Usage
from ..secret import Secret
from ..xcat import schema
from . import servers

#: Seconds to wait for another program that holds a table.
PATIENCE = 30.0


@dataclass(frozen=True)
class DatabaseLocation:
    """Where the tables are.

    Attributes:
        kind: `sqlite`, `postgresql` or `mysql`.
        folder: SQLite: the directory of the files.
        database: The database's name.
        host: The server, or empty for its local socket.
        port: Its port, or 0 for the usual one.
        user: The database user.
        password: Its password.
    """

    kind: str
    folder: Path = Path()
    database: str = ""
    host: str = ""
    port: int = 0
    user: str = ""
    password: Secret = Secret("")

    @property
    def display(self) -> str:
        """The first two parts of the line in `cfgloc`, as `lsxcatd -d` shows them."""
        if self.kind == "sqlite":
            return f"SQLite:{self.folder}"
        name = "Pg" if self.kind == "postgresql" else "mysql"
        port = f";port={self.port}" if self.port else ""
        return f"{name}:dbname={self.database};host={self.host}{port}|{self.user}"


def locate(config: Path) -> DatabaseLocation:
    """Read `cfgloc`, the file that says where the tables are.

    Args:
        config: The configuration directory; without the file the tables are SQLite files there.

    Raises:
        Usage: Its first line is not understood.
    """
    file = config / "cfgloc"
    if not file.exists():
        return DatabaseLocation("sqlite", config)
    try:
        line = (file.read_text(encoding="utf-8").splitlines() or [""])[0].strip()
    except UnicodeDecodeError:
        raise Usage(f"{file} is not written in UTF-8", "Save it in UTF-8, the password too") from None
    source, user, password = (*line.split("|", 2), "", "")[:3]
    kind, _, rest = source.removeprefix("dbi:").partition(":")
    folder = rest if kind.lower() == "sqlite" else line  # a folder may be there alone
    if folder.startswith("/"):
        return DatabaseLocation("sqlite", Path(folder))
    kinds = {"pg": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
    words = dict(word.partition("=")[::2] for word in rest.split(";"))
    name = words.get("dbname") or words.get("database", "")
    if kind.lower() not in kinds or not name or not words.get("port", "0").isdecimal():
        raise Usage(
            f"{file}: the first line names no database",
            "Write Pg:dbname=xcatdb;host=HOST|USER|PASSWORD, mysql:..., or SQLite:/FOLDER",
        )
    return DatabaseLocation(
        kinds[kind.lower()],
        database=name,
        host=words.get("host", ""),
        port=int(words.get("port", "0")),
        user=user,
        password=Secret(password),
    )


def connect(location: DatabaseLocation, table: str) -> sa.Engine:
    """Make what hands out connections to the database of a table; nothing is connected yet.

    Args:
        location: Where the tables are.
        table: SQLite: whose file.

    Raises:
        Usage: The driver for that database is not installed.
    """
    if location.kind == "sqlite":
        return _file(location.folder / f"{table}.sqlite")
    drivers = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql"}
    password = location.password.reveal()
    url = sa.engine.URL.create(
        drivers[location.kind],
        location.user or None,
        password or None,
        location.host or None,
        location.port or None,
        location.database,
    )
    try:
        words = servers.postgresql() if location.kind == "postgresql" else servers.mysql(password)
        # A connection that a restarted server closed is found out before it is used.
        engine = sa.create_engine(
            url,
            future=True,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=8,
            max_overflow=56,
            connect_args=words,
        )
    except ImportError as problem:
        raise Usage(
            f"the Python driver for {location.kind} is not installed: {problem.name}",
            f"Run: pip install '.[{location.kind}]' in the checkout, or install the distribution's package",
        ) from problem
    event.listen(engine, "connect", lambda connection, _record: servers.limit(location.kind, connection))
    return engine


def _file(path: Path) -> sa.Engine:
    """One SQLite file. Each use opens it again: another program may have put a new file in its place."""
    url = sa.engine.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(
        url, future=True, hide_parameters=True, poolclass=pool.NullPool, connect_args={"timeout": PATIENCE}
    )
    event.listen(engine, "connect", _plain_transactions)
    event.listen(engine, "begin", _begin)
    return engine


def _plain_transactions(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # Python's driver would begin transactions itself, and late
    connection.execute("PRAGMA cache_spill = OFF")  # a large change would shut readers out long before it is complete


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("xcat_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@cache
def declare(name: str) -> sa.Table:
    """Say to SQLAlchemy what one of xCAT's tables looks like; every name is quoted, since xCAT uses reserved words.

    Args:
        name: The table.
    """
    table = schema.TABLES[name]
    columns: list[Any] = []
    for column in table.columns:
        kind = table.type_of(column)
        columns.append(
            sa.Column(
                quoted_name(column, True),
                _TYPES[kind],
                primary_key=column in table.keys,
                nullable=True,
                autoincrement=kind == "SERIAL",
            )
        )
    return sa.Table(
        quoted_name(table.name, True), sa.MetaData(), *columns, sqlite_autoincrement=True, mysql_engine="InnoDB"
    )


_TYPES: dict[str, Any] = {
    "TEXT": sa.Text(),
    "VARCHAR(128)": sa.String(128),
    "SERIAL": sa.Integer(),
    "VARCHAR(1024)": sa.String(1024),
}


#: What differs after any change of a table. In PostgreSQL a changed row has the number of the changing transaction.
_CHANGES = {
    "postgresql": 'SELECT count(*), sum(xmin::text::bigint) FROM "{}"',
    "mysql": "CHECKSUM TABLE `{}`",
}


def changes(connection: sa.Connection, table: str) -> object:
    """Ask a server for something that differs after its table was changed by anybody.

    Args:
        connection: To a server; SQLite has none.
        table: The table.
    """
    kind = "postgresql" if connection.dialect.name == "postgresql" else "mysql"
    return tuple(connection.exec_driver_sql(_CHANGES[kind].format(table)).one())


def exclude(connection: sa.Connection, table: str) -> None:
    """Keep other writers of a table away until the transaction ends; SQLite's `BEGIN IMMEDIATE` did that already."""
    kind = connection.dialect.name
    if kind == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(PATIENCE)}s'")
        connection.exec_driver_sql(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')
    elif kind in ("mysql", "mariadb"):
        got = connection.execute(sa.text("SELECT GET_LOCK(:name, :wait)"), {"name": f"xcat.{table}", "wait": PATIENCE})
        if got.scalar() != 1:
            raise Locked(f"table {table} is held by another program")


def readmit(connection: sa.Connection, table: str) -> None:
    """Let other writers in again: MySQL's named locks outlive a transaction."""
    if connection.dialect.name in ("mysql", "mariadb") and not connection.invalidated:
        connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": f"xcat.{table}"})


@contextmanager
def explain_errors(table: str, location: DatabaseLocation) -> Iterator[None]:
    """Turn what the database says into a sentence that names the table and what to do.

    Raises:
        Locked: Another program holds it.
        Unreachable: The server does not answer.
        Conflict: The file is damaged, or cannot be written.
        NotFound: The table, or one of its columns, is not there.
    """
    try:
        yield
    except exc.DBAPIError as problem:
        raise explain(str(problem.orig or problem).strip().splitlines()[0], table, location) from problem


def explain(text: str, table: str, location: DatabaseLocation) -> RhevError:
    """What `explain_errors` raises.

    Args:
        text: What the database, or the system about its file, says.
        table: The table.
        location: Where it is.
    """
    low, file = text.lower(), location.folder / f"{table}.sqlite"
    where = str(file) if location.kind == "sqlite" else location.display.partition("|")[0]
    for signs, make in _SAYINGS:
        if re.search(signs, low):
            return make(table, where, text)
    if location.kind != "sqlite":
        return Unreachable(f"table {table}: {where}: {text}", "Check the database server and the file cfgloc")
    return Conflict(f"table {table}: {where}: {text}")


#: What is in a database's words -> what we say.
_SAYINGS: tuple[tuple[str, Callable[[str, str, str], RhevError]], ...] = (
    (
        "fatal:",
        lambda table, where, text: Unreachable(  # PostgreSQL, about user or database
            f"table {table}: {where}: {text}", "Check the database server and the file cfgloc"
        ),
    ),
    (
        "locked|lock timeout|lock wait timeout",
        lambda table, where, text: Locked(f"table {table} is held by another program", "Try again when that has ended"),
    ),
    (
        "malformed|not a database",
        lambda table, where, text: Conflict(
            f"table {table}: {where} is damaged or is not an SQLite file",
            "Nothing was changed. Move it away, restart xcatd and load a tabdump file with tabrestore",
        ),
    ),
    (
        "readonly|unable to open|full|disk i/o",
        lambda table, where, text: Conflict(
            f"table {table}: {where} cannot be used: {text}", "Check its rights and the space on its disk"
        ),
    ),
    ("too long", lambda table, where, text: Conflict(f"table {table}: {where}: {text}", "Write a shorter value")),
    (
        "no such column|unknown column|column .* does not exist",
        lambda table, where, text: NotFound(
            f"table {table}: {where}: {text}", "Restart xcatd, which adds the columns that are missing"
        ),
    ),
    (
        "no such table|no such file|does not exist|doesn't exist",
        lambda table, where, text: NotFound(
            f"table {table} is not in {where}", "Restart xcatd, which makes the tables that are missing"
        ),
    ),
)
