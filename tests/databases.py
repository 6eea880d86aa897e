"""Real database servers for tests, from the distribution's packages, in temporary folders; None where there is none."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Callable

from xcat_rhev.cli.demo.parts import free_port
from xcat_rhev.daemon.database import DatabaseLocation
from xcat_rhev.secret import Secret

PASSWORD = "s3cret|with'signs"


def cfgloc(location: DatabaseLocation) -> str:
    """The line that makes xcatd use a database."""
    return f"{location.display}|{location.password.reveal()}\n"


@contextlib.contextmanager
def postgresql(listen: str = "127.0.0.1") -> Iterator[DatabaseLocation | None]:
    """A PostgreSQL server with an empty database.

    Args:
        listen: The address it listens on besides localhost.
    """
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) + [Path(shutil.which("initdb") or "/none")]
    if not programs[0].exists():
        yield None
        return
    with _folder("postgres") as (folder, as_user):
        binaries, data, port = programs[0].parent, folder / "data", free_port()
        (folder / "password").write_text(PASSWORD)
        _run(
            as_user,
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "xcatadm",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            f"--pwfile={folder / 'password'}",
        )
        with open(data / "pg_hba.conf", "a", encoding="utf-8") as file:
            file.write("host all all 0.0.0.0/0 scram-sha-256\n")
        words = [
            binaries / "postgres",
            "-D",
            data,
            "-p",
            port,
            "-k",
            folder,
            "-c",
            "fsync=off",
            "-c",
            f"listen_addresses={listen}",
            "-c",
            "max_connections=200",
        ]
        with _server(as_user, words, folder / "log", signal.SIGINT):
            import psycopg2

            connection = _patiently(
                lambda: psycopg2.connect(
                    host=listen.split(",")[0], port=port, user="xcatadm", password=PASSWORD, dbname="postgres"
                )
            )
            connection.autocommit = True
            connection.cursor().execute("CREATE DATABASE xcatdb")
            connection.close()
            yield DatabaseLocation(
                "postgresql",
                database="xcatdb",
                host=listen.split(",")[0],
                port=port,
                user="xcatadm",
                password=Secret(PASSWORD),
            )


@contextlib.contextmanager
def mariadb() -> Iterator[DatabaseLocation | None]:
    """A MariaDB server with an empty database."""
    install, server = shutil.which("mariadb-install-db"), shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    if not install or not Path(server).exists():
        yield None
        return
    with _folder("mysql") as (folder, as_user):
        data, port, door = folder / "data", free_port(), folder / "door"
        _run(as_user, install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal")
        words = [
            server,
            "--no-defaults",
            f"--datadir={data}",
            f"--socket={door}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--pid-file={folder / 'pid'}",
            "--innodb-flush-log-at-trx-commit=0",
        ]
        with _server(as_user, words, folder / "log", signal.SIGTERM):
            import pymysql

            _patiently(lambda: _knock(door))
            connection = pymysql.connect(unix_socket=str(door), user="root")
            with connection.cursor() as cursor:
                cursor.execute("CREATE DATABASE xcatdb CHARACTER SET utf8mb4")
                cursor.execute("CREATE USER xcatadmin IDENTIFIED BY %s", (PASSWORD,))
                cursor.execute("DELETE FROM mysql.global_priv WHERE User = ''")
                cursor.execute("GRANT ALL ON xcatdb.* TO xcatadmin")
                cursor.execute("FLUSH PRIVILEGES")
            connection.close()
            yield DatabaseLocation(
                "mysql", database="xcatdb", host="127.0.0.1", port=port, user="xcatadmin", password=Secret(PASSWORD)
            )


@contextlib.contextmanager
def _folder(user: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder outside of pytest's, which only its owner may enter, and the words that run a program as a user."""
    folder = Path(tempfile.mkdtemp(prefix="xcat-db-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # both servers refuse root
        record = pwd.getpwnam(user)
        os.chown(folder, record.pw_uid, record.pw_gid)
        as_user = ["setpriv", f"--reuid={record.pw_uid}", f"--regid={record.pw_gid}", "--clear-groups"]
    try:
        yield folder, as_user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(as_user: Sequence[str], *words: object) -> None:
    done = subprocess.run(
        (*as_user, *map(str, words)), capture_output=True, text=True, timeout=300, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextlib.contextmanager
def _server(as_user: Sequence[str], words: Sequence[object], log: Path, end: signal.Signals) -> Iterator[None]:
    with open(log, "wb") as file:
        server = subprocess.Popen([*as_user, *map(str, words)], stdout=file, stderr=file, cwd="/")
    try:
        yield
    finally:
        server.send_signal(end)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _knock(door: Path) -> None:
    with socket.socket(socket.AF_UNIX) as sock:  # the driver leaves its socket open when nobody answers
        sock.connect(str(door))


def _patiently(connect: Callable[[], Any]) -> Any:
    """Try until the server is up."""
    last: Exception | None = None
    for _ in range(300):
        try:
            return connect()
        except Exception as problem:  # of whichever driver
            last = problem
            time.sleep(0.1)
    assert last is not None
    raise last
