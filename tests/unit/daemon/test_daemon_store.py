"""The tables in a database: writing, concurrent writers, what other programs do to the files, and cfgloc."""

import os
import resource
import sqlite3
import stat
import threading
import time

import pytest

from xcat_rhev.daemon import database
from xcat_rhev.daemon import store as store_module
from xcat_rhev.daemon.database import locate
from xcat_rhev.daemon.store import Store
from xcat_rhev.errors import Conflict, Locked, NotFound, Usage
from xcat_rhev.xcat import schema


@pytest.fixture
def store(tmp_path):
    store = Store(locate(tmp_path))
    store.create()
    yield store
    store.close()


def test_one_private_file_for_each_table_in_xcats_layout(store, tmp_path):
    for name, table in schema.TABLES.items():
        file = tmp_path / f"{name}.sqlite"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with sqlite3.connect(file) as connection:
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
        connection.close()
        assert tuple(column[1] for column in columns) == table.columns
        assert {column[1] for column in columns if column[5]} == set(table.keys)
        assert {column[2] for column in columns} <= {"TEXT", "VARCHAR(128)", "VARCHAR(1024)", "INTEGER"}
    assert not list(tmp_path.glob(".*"))


def test_a_row_is_added_changed_and_removed(store):
    with store.change("nodehm") as change:
        change.put({"node": "n1"}, {"mgt": "rhevm", "power": None})
        change.put({"node": "n1"}, {"mgt": "ipmi"})
        change.put({"node": "n2"}, {})
    assert [(r["node"], r["mgt"], r["power"]) for r in store.rows("nodehm")] == [
        ("n1", "ipmi", None),
        ("n2", None, None),
    ]
    with store.change("nodehm") as change:
        assert change.drop({"node": "n1"}) == 1
        assert change.drop({"node": "n1"}) == 0
    assert [r["node"] for r in store.rows("nodehm")] == ["n2"]


def test_an_empty_text_is_not_nothing(store):
    with store.change("nodehm") as change:
        change.put({"node": "n1"}, {"mgt": "x", "disable": ""})
    assert store.rows("nodehm")[0]["disable"] == ""
    assert store.rows("nodehm")[0]["comments"] is None


def test_key_columns_without_a_value_hold_an_empty_text(store):
    with store.change("passwd") as change:
        change.put({"key": "rhevm"}, {"password": "p"})
    assert store.rows("passwd")[0]["username"] == ""


def test_an_insert_without_any_value_is_left_out(store):
    with store.change("site") as change:
        change.put({"key": "nothing"}, {"value": ""})
    assert store.rows("site") == ()


def test_a_change_that_raises_leaves_the_table_as_it_was(store):
    with store.change("site") as change:
        change.put({"key": "a"}, {"value": "1"})
    with pytest.raises(RuntimeError), store.change("site") as change:
        change.put({"key": "a"}, {"value": "2"})
        change.put({"key": "b"}, {"value": "3"})
        raise RuntimeError("half-way")
    assert [(r["key"], r["value"]) for r in store.rows("site")] == [("a", "1")]


def test_what_another_program_writes_is_seen(store, tmp_path):
    assert store.rows("site") == ()
    for number in range(20):
        connection = sqlite3.connect(tmp_path / "site.sqlite")
        with connection:
            connection.execute("INSERT INTO site (key, value) VALUES (?, 'x')", (f"k{number}",))
        connection.close()
        assert len(store.rows("site")) == number + 1


def test_a_file_that_is_put_in_its_place_is_seen(store, tmp_path):
    with store.change("site") as change:
        change.put({"key": "old"}, {"value": "1"})
    backup = (tmp_path / "site.sqlite").read_bytes()
    with store.change("site") as change:
        change.put({"key": "new"}, {"value": "1"})
    assert len(store.rows("site")) == 2
    (tmp_path / "copy").write_bytes(backup)
    os.replace(tmp_path / "copy", tmp_path / "site.sqlite")
    assert [r["key"] for r in store.rows("site")] == ["old"]
    with store.change("site") as change:
        change.put({"key": "third"}, {"value": "1"})
    assert [r["key"] for r in store.rows("site")] == ["old", "third"]


def test_a_table_that_has_been_still_is_looked_at_from_outside_and_its_next_change_is_noticed(
    store, tmp_path, monkeypatch
):
    with store.change("site") as change:
        change.put({"key": "a"}, {"value": "1"})
    first = store.rows("site")
    monkeypatch.setattr(store_module, "SETTLED", 0)
    for _ in range(200):  # until the file's time is in the past
        if store._kept["site"].settled:
            break
        time.sleep(0.01)
        assert store.rows("site") is first
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", lambda *_: pytest.fail("its content was looked at"))
        assert store.rows("site") is first
    other = sqlite3.connect(tmp_path / "site.sqlite")
    with other:
        other.execute("UPDATE site SET value = '2'")
    other.close()
    assert [r["value"] for r in store.rows("site")] == ["2"]


def test_twenty_writers_lose_nothing(store):
    def write(writer):
        for number in range(20):
            with store.change("nodehm") as change:
                change.put({"node": f"n{number}"}, {"mgt": "x"})
                before = next(r for r in change.rows() if r["node"] == f"n{number}")
                change.put({"node": f"n{number}"}, {"comments": f"{before['comments'] or ''}{writer},"})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = store.rows("nodehm")
    assert len(rows) == 20
    for row in rows:
        assert sorted(map(int, row["comments"].rstrip(",").split(","))) == list(range(20))


def test_a_locked_file_is_named_and_nothing_is_lost(store, tmp_path, monkeypatch):
    with store.change("site") as change:
        change.put({"key": "a"}, {"value": "1"})
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    impatient = Store(locate(tmp_path))
    holder = sqlite3.connect(tmp_path / "site.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Locked, match="table site is held by another program"), impatient.change("site") as change:
            change.put({"key": "a"}, {"value": "2"})
        with pytest.raises(Locked, match="table site"):
            impatient.rows("site")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert [r["value"] for r in impatient.rows("site")] == ["1"]


@pytest.mark.parametrize(
    "content", [b"this is no database at all, whatever its name says" * 100, b"SQLite format 3\0" * 64]
)
def test_a_damaged_file_is_named_and_stays(store, tmp_path, content):
    (tmp_path / "mac.sqlite").write_bytes(content)
    with pytest.raises(Conflict, match=r"table mac: .*mac\.sqlite is damaged.*tabrestore"):
        store.rows("mac")
    with pytest.raises(Conflict, match="is damaged"), store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "x"})
    assert (tmp_path / "mac.sqlite").read_bytes() == content
    assert store.rows("site") == ()


def test_a_table_of_an_older_xcat_gets_its_missing_columns_and_keeps_its_rows(tmp_path):
    connection = sqlite3.connect(tmp_path / "hypervisor.sqlite")
    with connection:
        connection.execute('CREATE TABLE hypervisor ("node" VARCHAR(128), "type" TEXT, "odd" TEXT, PRIMARY KEY (node))')
        connection.execute("INSERT INTO hypervisor VALUES ('h1', 'rhevh', 'kept')")
    connection.close()
    store = Store(locate(tmp_path))
    store.create()
    assert store.rows("hypervisor")[0]["type"] == "rhevh"
    assert store.rows("hypervisor")[0]["mgr"] is None
    connection = sqlite3.connect(tmp_path / "hypervisor.sqlite")
    assert connection.execute("SELECT odd FROM hypervisor").fetchall() == [("kept",)]
    connection.close()


def test_many_readers_read_a_changed_table_once(store, monkeypatch):
    with store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "x"})
    asked, together, read = [], threading.Barrier(8), Store.read

    def slow(self, name, connection):
        asked.append(name)
        time.sleep(0.2)
        return read(self, name, connection)

    def reader():
        together.wait()
        found.append(store.rows("mac"))

    found = []
    monkeypatch.setattr(Store, "read", slow)
    threads = [threading.Thread(target=reader) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["mac"]
    assert all(rows is found[0] for rows in found) and found[0][0]["mac"] == "x"


def test_readers_are_let_in_while_a_large_change_is_under_way(store, monkeypatch, tmp_path):
    monkeypatch.setattr(database, "PATIENCE", 0.05)
    impatient = Store(locate(tmp_path))
    with store.change("mac") as change:
        change.add_all({"node": f"n{number}", "comments": "x" * 1000} for number in range(10_000))
        assert impatient.rows("mac") == ()
    assert len(impatient.rows("mac")) == 10_000


def test_a_full_disk_loses_nothing(store, tmp_path):
    with store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "kept"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "mac.sqlite").stat().st_size, hard))
    try:
        with (
            pytest.raises(Conflict, match=r"mac\.sqlite cannot be used: .*space on its disk"),
            store.change("mac") as change,
        ):
            change.put({"node": "n1"}, {"mac": "lost"})
            change.add_all({"node": f"n{number}", "mac": "x" * 1000} for number in range(2, 100))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [row["mac"] for row in store.rows("mac")] == ["kept"]
    with store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "again"})
    assert [row["mac"] for row in store.rows("mac")] == ["again"]


def test_a_file_that_is_not_there_or_no_file_is_named(store, tmp_path):
    store.rows("mac")
    (tmp_path / "mac.sqlite").unlink()
    with pytest.raises(NotFound, match=r"table mac is not in .*mac\.sqlite\. Restart xcatd"):
        store.rows("mac")
    (tmp_path / "mac.sqlite").mkdir()
    with pytest.raises(Conflict, match=r"mac\.sqlite cannot be used: .*Is a directory\. Check its rights"):
        store.rows("mac")
    (tmp_path / "mac.sqlite").rmdir()
    Store(locate(tmp_path)).create()
    assert store.rows("mac") == ()


def test_a_missing_column_is_named(store, tmp_path):
    with sqlite3.connect(tmp_path / "mac.sqlite") as connection:
        connection.execute("ALTER TABLE mac DROP COLUMN interface")
    connection.close()
    with pytest.raises(NotFound, match=r"no such column: mac\.interface\. Restart xcatd, which adds"):
        store.rows("mac")
    Store(locate(tmp_path)).create()
    assert store.rows("mac") == ()


def test_a_file_with_a_write_ahead_log_is_never_stale(store, tmp_path):
    other = sqlite3.connect(tmp_path / "mac.sqlite", isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    for value in "abc":
        other.execute("INSERT OR REPLACE INTO mac (node, mac) VALUES ('n1', ?)", (value,))
        assert [row["mac"] for row in store.rows("mac")] == [value]
    with store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "ours"})
    assert [row["mac"] for row in store.rows("mac")] == ["ours"]
    assert other.execute("SELECT mac FROM mac").fetchall() == [("ours",)]
    other.close()


def test_texts_in_another_encoding_hide_nothing_else(store, tmp_path):
    with sqlite3.connect(tmp_path / "mac.sqlite") as connection:
        connection.execute("INSERT INTO mac (node, mac, comments) VALUES ('n1', 'x', CAST(X'63e9' AS TEXT))")
        connection.execute("INSERT INTO mac (node, mac, comments) VALUES ('n2', 42, X'c3a9')")
    connection.close()
    found = [(row["node"], row["mac"], row["comments"]) for row in store.rows("mac")]
    assert found == [("n1", "x", "c\ufffd"), ("n2", "42", "\u00e9")]
    with store.change("mac") as change:
        change.put({"node": "n1"}, {"mac": "y"})
    connection = sqlite3.connect(tmp_path / "mac.sqlite")
    assert connection.execute("SELECT mac, hex(comments) FROM mac WHERE node='n1'").fetchall() == [("y", "63E9")]
    connection.close()


def test_unknown_tables_are_named(store):
    with pytest.raises(NotFound, match="No such table: nope"):
        store.rows("nope")
    with pytest.raises(NotFound, match="No such table: nope"), store.change("nope"):
        pass


@pytest.mark.parametrize(
    "line, kind, database_, host, port, user, password",
    [
        ("Pg:dbname=xcatdb;host=10.0.0.1|xcatadm|se|cret", "postgresql", "xcatdb", "10.0.0.1", 0, "xcatadm", "se|cret"),
        ("dbi:Pg:dbname=x;host=h;port=5433|u|hush", "postgresql", "x", "h", 5433, "u", "hush"),
        ("mysql:dbname=xcatdb;host=mn|xcatadmin|pw", "mysql", "xcatdb", "mn", 0, "xcatadmin", "pw"),
    ],
)
def test_cfgloc(tmp_path, line, kind, database_, host, port, user, password):
    (tmp_path / "cfgloc").write_text(line + "\n")
    found = locate(tmp_path)
    assert (found.kind, found.database, found.host, found.port, found.user) == (kind, database_, host, port, user)
    assert found.password.reveal() == password
    assert password not in repr(found) and password not in found.display


def test_cfgloc_may_name_a_folder_of_sqlite_files(tmp_path):
    (tmp_path / "cfgloc").write_text("SQLite:/var/lib/xcat\n")
    assert str(locate(tmp_path).folder) == "/var/lib/xcat"
    (tmp_path / "cfgloc").write_text("/var/lib/xcat\n")
    assert str(locate(tmp_path).folder) == "/var/lib/xcat"


@pytest.mark.parametrize(
    "line",
    [
        "DB2:xcatdb|xcatdb|p",
        "Pg:host=x|u|p",
        "mysql:dbname=;host=h|u|p",
        "Pg:dbname=x;port=y|u|p",
        "Pg:dbname=x;port=\u00b2|u|p",
        "# a comment",
        "etc/xcat",
        "SQLite:etc/xcat",
        "",
        "Pg",
        "|u|p",
    ],
)
def test_a_cfgloc_that_says_nothing_is_refused(tmp_path, line):
    (tmp_path / "cfgloc").write_text(line, encoding="utf-8")
    with pytest.raises(Usage, match="cfgloc: the first line names no database"):
        locate(tmp_path)


def test_a_cfgloc_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "cfgloc").write_bytes(b"Pg:dbname=x;host=h|u|p\xe4ss\n")
    with pytest.raises(Usage, match="cfgloc is not written in UTF-8"):
        locate(tmp_path)
