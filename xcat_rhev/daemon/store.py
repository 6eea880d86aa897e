"""xCAT's tables: reading whole tables, and changing them in transactions."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Optional

import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import NotFound, Usage
from ..xcat import perlre, schema
from ..xcat.rows import enabled
from .database import PATIENCE, DatabaseLocation, changes, connect, declare, exclude, explain, explain_errors, readmit
from .pace import exempt

#: One row as it is stored: NULL is None, which differs from an empty text in the column `disable`.
RawRow = Mapping[str, Optional[str]]
#: What a node may be called.
_NODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+:-]{0,254}", re.ASCII)
#: Where an SQLite file says how it is written, and where it keeps its counter of transactions.
WRITE_VERSION, CHANGE_COUNTER = 18, 24
#: The version of files whose changes are beside them for a while, so that the counter says nothing.
WRITE_AHEAD = b"\x02"
#: After so many seconds without a change, the next one gives the file another time: clocks of files tick in steps, of
#: 4 ms on Linux' own file systems and of 2 s on the coarsest.
SETTLED = 2.5
#: Rows of one piece of a large table.
PAGE = 1000


@dataclass
class _Kept:
    """A table as it was read.

    Attributes:
        stamp: Differs after each change.
        rows: All rows.
        settled: What the file's state says without its content, once that is enough to tell of the next change.
    """

    stamp: object
    rows: tuple[RawRow, ...]
    settled: object = None


_NOTHING = _Kept(None, ())


class Store:
    """All tables.

    Tables are read whole and kept until they change: they are small, and a database tells of a change faster than it
    gives the rows.

    Args:
        location: Where the tables are.

    Raises:
        Usage: The driver for that database is not installed.
    """

    def __init__(self, location: DatabaseLocation) -> None:
        self.location = location
        self._lock = threading.Lock()
        self._engines: dict[str, sa.Engine] = {}
        self._writers: dict[str, threading.Lock] = {}
        self._readers: dict[str, threading.Lock] = {}
        self._kept: dict[str, _Kept] = {}
        #: (table, what) -> the rows from which something was made, and what was made; see `Tables`.
        self.derived: dict[tuple[str, str], tuple[object, Any]] = {}
        self._tables = {name: declare(name) for name in schema.TABLES}

    def create(self) -> None:
        """Make the tables and columns that are missing; nothing is ever dropped.

        Raises:
            RhevError: The database cannot be written.
        """
        for name, table in self._tables.items():
            if self.location.kind == "sqlite" and self._create_file(name):
                continue
            with explain_errors(name, self.location), self._engine(name).begin() as connection:
                table.create(connection, checkfirst=True)
                _add_columns(table, connection)

    def rows(self, name: str) -> tuple[RawRow, ...]:
        """Read a whole table, disabled rows included; callers do not change the rows.

        Args:
            name: The table.

        Raises:
            NotFound: No such table.
            RhevError: The database cannot be read.
        """
        self.table(name)
        kept = self._kept.get(name, _NOTHING)
        stamp: object = self._file_stamp(name, kept) if self.location.kind == "sqlite" else None
        if stamp and kept.stamp == stamp:
            return kept.rows
        with explain_errors(name, self.location), self._engine(name).connect() as connection:
            stamp = stamp or changes(connection, name)
            with self._read_lock(name):
                kept = self._kept.get(name, _NOTHING)
                if kept.stamp != stamp:
                    kept = self._kept[name] = _Kept(stamp, self.read(name, connection))
        return kept.rows

    @contextmanager
    def _read_lock(self, name: str) -> Iterator[None]:
        """One thread reads a large table. Others that want it wait, instead of reading it as well.

        Raises:
            Locked: The thread that reads it took too long.
        """
        with self._lock:
            reader = self._readers.setdefault(name, threading.Lock())
        if not reader.acquire(timeout=PATIENCE):
            raise explain("locked", name, self.location)
        try:
            yield
        finally:
            reader.release()

    def _file_stamp(self, name: str, kept: _Kept) -> object:
        """Something that differs after an SQLite table was changed by anybody: file, size, time, and SQLite's counter.

        It is taken before the rows are read: a transaction under way delays the reading until it is done, so that the
        rows are never older than the counter.
        """
        path = f"{self.location.folder}/{name}.sqlite"
        try:
            state = os.stat(path)
            seen = (state.st_ino, state.st_size, state.st_mtime_ns)
            if kept.settled == seen:
                return kept.stamp
            settled = time.time_ns() - state.st_mtime_ns > SETTLED * 1e9
            counter = _counter(path)
        except OSError as problem:
            text = f"unable to open: {problem.strerror}" if problem.errno != errno.ENOENT else "no such file"
            raise explain(text, name, self.location) from problem
        stamp = (*seen, counter)
        if settled and kept.stamp == stamp:
            kept.settled = seen
        return stamp

    @contextmanager
    def change(self, name: str) -> Iterator[Change]:
        """Change a table: all of it or, if the body raises, nothing; no other writer comes between.

        Args:
            name: The table.

        Raises:
            NotFound: No such table.
            Locked: Another program holds the table for too long.
            RhevError: The database cannot be written.
        """
        self.table(name)
        with self._lock:
            writer = self._writers.setdefault(name, threading.Lock())
        with exempt(), writer, explain_errors(name, self.location), self._engine(name).connect() as plain:
            connection = plain.execution_options(xcat_writes=True)
            try:
                with connection.begin():
                    exclude(connection, name)
                    yield Change(name, connection, self)
            finally:
                readmit(connection, name)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for engine in self._engines.values():
                engine.dispose()

    def table(self, name: str) -> sa.Table:
        """What SQLAlchemy knows of a table.

        Raises:
            NotFound: No such table.
        """
        try:
            return self._tables[name]
        except KeyError:
            raise NotFound(f"No such table: {name}") from None

    def read(self, name: str, connection: sa.Connection) -> tuple[RawRow, ...]:
        """Read a whole table over a connection."""
        table = self.table(name)
        query = sa.select(table)
        if self.location.kind != "sqlite":  # SQLite keeps the order in which rows came, which people see in tabdump
            query = query.order_by(*table.primary_key.columns)
        return self._fetch(name, connection, query)

    def pages(self, name: str) -> Iterator[tuple[RawRow, ...]]:
        """Read a table that numbers its rows piece by piece, oldest first; others in one piece.

        Args:
            name: The table.

        Raises:
            NotFound: No such table.
            RhevError: The database cannot be read.
        """
        if name not in schema.NUMBERED:
            yield self.rows(name)
            return
        key = schema.TABLES[name].keys[0]
        number = self.table(name).c[key]
        page: tuple[RawRow, ...] = ()
        while not page or len(page) == PAGE:
            query = sa.select(self.table(name)).order_by(number).limit(PAGE)
            if page:
                query = query.where(number > int(page[-1][key] or 0))
            with explain_errors(name, self.location), self._engine(name).connect() as connection:
                page = self._fetch(name, connection, query)
            yield page
            if not page:
                return

    def _fetch(self, name: str, connection: sa.Connection, query: sa.Select[Any]) -> tuple[RawRow, ...]:
        columns = schema.TABLES[name].columns
        try:
            found = connection.execute(query).all()
        except exc.OperationalError as problem:
            if "decode" not in str(problem.orig):
                raise
            connection.connection.driver_connection.text_factory = _readable  # type: ignore[union-attr]
            found = connection.execute(query).all()
        return tuple(dict(zip(columns, map(_text, row))) for row in found)

    def _engine(self, name: str) -> sa.Engine:
        key = name if self.location.kind == "sqlite" else ""
        with self._lock:
            if key not in self._engines:
                self._engines[key] = connect(self.location, name)
            return self._engines[key]

    def _create_file(self, name: str) -> bool:
        """Make an SQLite file beside its place, and put it there whole: a first start is not slowed by 45 disk flushes.

        Returns:
            Whether it was missing.
        """
        path = self.location.folder / f"{name}.sqlite"
        if path.exists() and path.stat().st_size:
            return False
        fresh = path.with_name(f".{path.name}.new")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_WRONLY, 0o600))
        url = sa.engine.URL.create("sqlite", database=str(fresh))
        engine = sa.create_engine(url, future=True, poolclass=sa.pool.NullPool)
        with explain_errors(name, self.location), engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA synchronous=OFF")
            self._tables[name].create(connection)
            connection.commit()
        os.replace(fresh, path)
        return True


class Change:
    """A transaction on one table, as `Store.change` gives it."""

    def __init__(self, name: str, connection: sa.Connection, store: Store) -> None:
        self._name, self._connection, self._store = name, connection, store
        self._table = store.table(name)

    def rows(self) -> tuple[RawRow, ...]:
        """The table as it is now, inside the transaction."""
        return self._store.read(self._name, self._connection)

    def put(self, key: Mapping[str, str], values: Mapping[str, str | None]) -> None:
        """Change the rows with that key, or add one. An insert without any value is left out, as xCAT does.

        Args:
            key: Column -> value of the rows to change; need not be the table's key columns.
            values: Column -> value, None for NULL.

        Raises:
            Usage: A column that the table does not have.
        """
        _refuse(self._name, {**key, **values})
        updates = {column: value for column, value in values.items() if column not in key or value != key[column]}
        condition = self._where(key)
        if updates:
            done = self._connection.execute(sa.update(self._table).where(*condition).values(updates))
            present = done.rowcount > 0
        else:
            present = self._connection.execute(sa.select(self._table).where(*condition).limit(1)).first() is not None
        if not present and any(updates.values()) or (not present and not updates):
            self.add({**key, **updates})

    def put_all(self, column: str, rows: Mapping[str, Mapping[str, str | None]]) -> None:
        """Change many rows, each found by one column's value, or add them.

        Args:
            column: The column.
            rows: Its value -> the other columns. One of which nothing is given is added bare; one of which only empty
                values are given is not added.
        """
        for name, row in rows.items():
            _refuse(self._name, {column: name, **row})
        present = {value for (value,) in self._connection.execute(sa.select(self._table.c[column]))}
        fresh = {name: row for name, row in rows.items() if name not in present}
        self.add_all([{column: name, **row} for name, row in fresh.items() if not row or any(row.values())])
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for name, row in rows.items():
            if name in present and row:
                values = {f"new_{key}": value for key, value in row.items()}
                alike.setdefault(tuple(row), []).append({"old": name, **values})
        for columns, values_of_all in alike.items():
            new: dict[str, Any] = {key: sa.bindparam(f"new_{key}") for key in columns}
            update = sa.update(self._table).where(self._table.c[column] == sa.bindparam("old")).values(new)
            self._connection.execute(update, values_of_all)

    def add(self, row: Mapping[str, str | None]) -> None:
        """Add a row; key columns without a value hold an empty text, as xCAT stores them."""
        self.add_all([row])

    def add_all(self, rows: Iterable[Mapping[str, str | None]]) -> None:
        """Add many rows."""
        table = schema.TABLES[self._name]
        empty = {column: "" for column in table.keys if table.type_of(column) != "SERIAL"}
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            _refuse(self._name, row)
            full = {**empty, **row}
            alike.setdefault(tuple(full), []).append(full)
        for values in alike.values():
            self._connection.execute(sa.insert(self._table), values)

    def drop(self, *keys: Mapping[str, str]) -> int:
        """Remove the rows with any of the keys, or all if none is given.

        Returns:
            How many there were.
        """
        before = self._count()
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for key in keys:
            alike.setdefault(tuple(key), []).append({f"old_{column}": value for column, value in key.items()})
        if not keys:
            self._connection.execute(sa.delete(self._table))
        for columns, values in alike.items():
            fits = [self._table.c[column] == sa.bindparam(f"old_{column}") for column in columns]
            self._connection.execute(sa.delete(self._table).where(*fits), values)
        return before - self._count()

    def prune(self, keep: int) -> None:
        """Remove the oldest rows of a table that numbers them, until so many are left."""
        number = self._table.c[schema.TABLES[self._name].keys[0]]
        newest = sa.select(number).order_by(number.desc()).offset(keep).limit(1)
        oldest = self._connection.execute(newest).scalar()
        if oldest is not None:
            self.drop_upto(oldest)

    def drop_upto(self, last: int) -> None:
        """Remove the rows up to a number of a table that numbers them."""
        number = self._table.c[schema.TABLES[self._name].keys[0]]
        self._connection.execute(sa.delete(self._table).where(number <= last))

    def _count(self) -> int:
        return self._connection.execute(sa.select(sa.func.count()).select_from(self._table)).scalar_one()

    def replace(self, rows: Iterable[Mapping[str, str | None]]) -> None:
        """Empty the table and fill it again."""
        self.drop()
        self.add_all(rows)

    def _where(self, key: Mapping[str, str]) -> list[Any]:
        return [self._table.c[column] == value for column, value in key.items()]


def _refuse(table: str, row: Mapping[str, str | None]) -> None:
    """What would do harm by being there, whichever command writes it.

    A policy row with an impossible pattern would refuse every request, also the one that mends it. A node's name gets
    into paths, boot files and commands of other programs.

    Raises:
        Usage: It is such a row.
    """
    if table == "nodelist" and not _NODE.fullmatch(row.get("node") or "x"):
        raise Usage(f"'{row['node']}' cannot be the name of a node", "Use letters, digits, hyphens and dots")
    pattern = row.get("parameters") if table == "policy" and enabled(row) else None
    if pattern and pattern != "*":
        perlre.prepare(pattern, "a policy row")


def _counter(path: str) -> object:
    """What a change of an SQLite file changes inside it; something new each time if there is no such thing."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.pread(file, CHANGE_COUNTER + 4, 0)
    finally:
        os.close(file)
    return object() if head[WRITE_VERSION : WRITE_VERSION + 1] == WRITE_AHEAD else head[CHANGE_COUNTER:]


def _text(value: object) -> str | None:
    """Everything is text for xCAT, also the numbers of the audit log's key."""
    if isinstance(value, bytes):
        return _readable(value)
    return value if value is None or isinstance(value, str) else str(value)


def _readable(stored: bytes) -> str:
    """What was written as UTF-8, which DBD::SQLite does not see to."""
    return stored.decode(errors="replace")


def _add_columns(table: sa.Table, connection: sa.Connection) -> None:
    """Add the columns that an older xCAT's table does not have."""
    present = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    quote = connection.dialect.identifier_preparer.quote_identifier
    for column in table.columns:
        if column.name not in present:
            kind = column.type.compile(connection.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {quote(table.name)} ADD COLUMN {quote(column.name)} {kind}")
