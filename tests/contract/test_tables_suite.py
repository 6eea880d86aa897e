"""The same tables on SQLite, PostgreSQL and MariaDB: what commands do to them, and what each server does in its way."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from daemonhelp import Inside
from databases import cfgloc, mariadb, postgresql
from xcat_rhev.daemon.database import DatabaseLocation, locate
from xcat_rhev.daemon.store import Store
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.errors import Conflict, RhevError, Unreachable
from xcat_rhev.secret import Secret
from xcat_rhev.xcat import schema


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mariadb"])
def server(request):
    """Where a database is; None for SQLite, which needs none."""
    if request.param == "sqlite":
        yield None
        return
    with {"postgresql": postgresql, "mariadb": mariadb}[request.param]() as location:
        if location is None:
            pytest.skip(f"{request.param} is not installed")
        yield location


#: For tests of what SQLite, which has no server, cannot do.
with_server = pytest.mark.parametrize("server", ["postgresql", "mariadb"], indirect=True, scope="module")


@pytest.fixture
def store(server, tmp_path):
    store = Store(server or locate(tmp_path))
    store.create()
    for name in schema.TABLES:
        if store.rows(name):
            with store.change(name) as change:
                change.drop()
    yield store
    store.close()


def rows(store, table):
    return [{column: value for column, value in row.items() if value is not None} for row in Tables(store).raw(table)]


def test_rows_come_back_as_they_went(store):
    odd = "'\"`;--%s %(x)s \\ ü€ \n\t|"
    with store.change("nodelist") as change:
        change.put({"node": "n1"}, {"groups": odd, "disable": ""})
        change.put({"node": "n2"}, {"groups": None, "status": "0"})
    assert rows(store, "nodelist") == [{"node": "n1", "groups": odd, "disable": ""}, {"node": "n2", "status": "0"}]


def test_reserved_words_are_columns_like_others(store):
    with store.change("passwd") as change:
        change.put({"key": "rhevm", "username": "admin"}, {"password": "x"})
    with store.change("vm") as change:
        change.put({"node": "n1"}, {"host": "h", "master": "m"})
    with store.change("prescripts") as change:
        change.put({"node": "n1"}, {"begin": "a", "end": "b"})
    assert rows(store, "passwd") == [{"key": "rhevm", "username": "admin", "password": "x"}]
    assert rows(store, "vm") == [{"node": "n1", "host": "h", "master": "m"}]
    assert rows(store, "prescripts") == [{"node": "n1", "begin": "a", "end": "b"}]


def test_a_key_of_several_columns(store):
    with store.change("networks") as change:
        change.put({"net": "10.0.0.0", "mask": "255.0.0.0"}, {"netname": "a"})
        change.put({"net": "10.0.0.0", "mask": "255.255.0.0"}, {"netname": "b"})
        change.put({"net": "10.0.0.0", "mask": "255.0.0.0"}, {"netname": "c"})
    assert sorted(row["netname"] for row in rows(store, "networks")) == ["b", "c"]


def test_the_same_values_again_are_no_new_row(store):
    for _ in range(2):
        with store.change("mac") as change:
            change.put({"node": "n1"}, {"mac": "x"})
        with store.change("mac") as change:
            change.put_all("node", {"n1": {"mac": "x"}, "n2": {"mac": "y"}, "n3": {"mac": None}})
    assert rows(store, "mac") == [{"node": "n1", "mac": "x"}, {"node": "n2", "mac": "y"}]


def test_the_audit_log_counts_by_itself(store):
    with store.change("auditlog") as change:
        change.add_all([{"command": name} for name in ("a", "b", "c")])
    found = rows(store, "auditlog")
    assert [row["command"] for row in found] == ["a", "b", "c"]
    numbers = [int(row["recid"]) for row in found]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_nothing_of_a_failed_change_stays(store):
    with pytest.raises(RuntimeError), store.change("site") as change:
        change.put({"key": "a"}, {"value": "1"})
        raise RuntimeError("half-way")
    assert rows(store, "site") == []


def test_twenty_writers_lose_nothing(store):
    def write(writer: int) -> None:
        for number in range(5):
            with store.change("site") as change:
                before = next((row["value"] for row in change.rows() if row["key"] == f"k{number}"), "")
                change.put({"key": f"k{number}"}, {"value": f"{before}{writer},"})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rows(store, "site")
    assert len(found) == 5
    for row in found:
        assert sorted(map(int, row["value"].rstrip(",").split(","))) == list(range(20))


def test_two_stores_see_each_others_rows(store, server, tmp_path):
    other = Store(server or locate(tmp_path))
    with other.change("site") as change:
        change.put({"key": "from"}, {"value": "other"})
    assert rows(store, "site") == [{"key": "from", "value": "other"}]
    with store.change("site") as change:
        change.put({"key": "from"}, {"value": "first"})
    assert rows(other, "site") == [{"key": "from", "value": "first"}]
    other.close()


def test_one_request_sees_what_it_wrote(store):
    tables = Tables(store)
    assert tables.site("a") == ""
    tables.put("site", {"key": "a"}, {"value": "1"})
    assert tables.site("a") == "1"
    tables.drop("site", {"key": "a"})
    assert tables.site("a", "gone") == "gone"


@with_server  # SQLite's are among the store's own tests
def test_a_missing_column_is_added(store, server, tmp_path):
    quote = "`" if server.kind == "mysql" else '"'
    with store._engine("vm").begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {quote}vm{quote} DROP COLUMN {quote}vidpassword{quote}")
    store.create()
    with store.change("vm") as change:
        change.put({"node": "n1"}, {"vidpassword": "x"})
    assert rows(store, "vm")[0]["vidpassword"] == "x"


def test_commands_work_on_it(store, server, tmp_path):
    xcat = Inside(tmp_path, server)
    try:
        xcat.type("nodeadd", "n[1-20]", "groups=g,all", "nodehm.mgt=rhevm")
        xcat.type("tabch", "node=g", "hosts.ip=|n(\\d+)|10.0.0.($1)|")
        assert xcat.type("nodels", "hosts.ip", on="n2,n11") == ["n2: 10.0.0.2", "n11: 10.0.0.11"]
        assert xcat.type("noderm", on="g,-n7") == []
        assert xcat.type("nodels", on="") == ["n7"]
        assert xcat.type("mkdef", "-t", "passwd", "-o", "rhevm", "username=admin", "password=x") and xcat.rc == 0
        dump = xcat.type("tabdump", "nodehm")
        xcat.type("tabrestore", table="nodehm", data=tuple(dump))
        assert xcat.type("tabdump", "nodehm") == dump
        engine = {None: "SQLite", "postgresql": "Pg", "mysql": "mysql"}[server and server.kind]
        assert f"dbengine={engine}" in xcat.type("lsxcatd", "-d")
    finally:
        xcat.close()


@with_server
def test_cfgloc_leads_to_it(store, server, tmp_path):
    (tmp_path / "cfgloc").write_text(cfgloc(server))
    assert locate(tmp_path) == server


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer(kind):
    store = Store(DatabaseLocation(kind, database="xcatdb", host="127.0.0.1", port=1, user="u"))
    with pytest.raises(Unreachable, match=r"table site: .*host=127.0.0.1;port=1.*cfgloc"):
        store.rows("site")


@with_server
@pytest.mark.parametrize("password", ["p@ss:w/ord?#%25", "a 'b\" \\c;d=e", "|pipe|", "\u043f\u00e4\u20ac", "x" * 120])
def test_any_password_of_cfgloc_opens_it(server, tmp_path, password):
    with user_with(server, password) as location:
        (tmp_path / "cfgloc").write_text(cfgloc(location), encoding="utf-8")
        store = Store(locate(tmp_path))
        assert store.rows("site") == ()
        store.close()


@contextlib.contextmanager
def user_with(server, password):
    """A second user of the database, who may read."""
    store = Store(server)
    store.create()
    with store.change("site") as change:
        change.drop()
    with store._engine("site").begin() as connection:
        if server.kind == "postgresql":
            connection.execute(sa.text("CREATE USER odd PASSWORD '" + password.replace("'", "''") + "'"))
            connection.execute(sa.text("GRANT SELECT ON ALL TABLES IN SCHEMA public TO odd"))
        else:
            connection.execute(sa.text("SET PASSWORD = PASSWORD(:word)"), {"word": password})
    try:
        yield replace(server, user="odd" if server.kind == "postgresql" else server.user, password=Secret(password))
    finally:
        with store._engine("site").begin() as connection:
            if server.kind == "postgresql":
                connection.execute(sa.text("DROP OWNED BY odd"))
                connection.execute(sa.text("DROP USER odd"))
            else:
                connection.execute(sa.text("SET PASSWORD = PASSWORD(:word)"), {"word": server.password.reveal()})
        store.close()


@with_server
def test_what_a_server_refuses_is_said(server):
    with pytest.raises(Unreachable, match=r"nodb.*Check the database server and the file cfgloc"):
        Store(replace(server, database="nodb")).rows("site")
    store = Store(server)
    store.create()
    with pytest.raises(Conflict, match=r"too long.*Write a shorter value"), store.change("site") as change:
        change.put({"key": "k" * 129}, {"value": "x"})
    store.close()


@with_server
def test_a_wrong_password_is_not_shown(server):
    store = Store(replace(server, password=Secret("Sentinel9")))
    with pytest.raises(RhevError) as caught:
        store.rows("site")
    assert "Sentinel9" not in str(caught.value)
