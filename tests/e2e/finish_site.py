"""A site for the tests of the finish URL: private web servers with the shipped snippets, and an xcatd behind them."""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from xcat_rhev.cli.demo.parts import free_port
from xcat_rhev.daemon import access, certificates
from xcat_rhev.daemon.database import locate
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.store import Store
from xcat_rhev.xcat.wire import END_OF_REQUEST, WireRequest, read_request

TOP = Path(__file__).parents[2]
SHARE = TOP / "share" / "httpd"
APACHE = shutil.which("apache2") or shutil.which("httpd") or "/usr/sbin/apache2"
NGINX, FCGIWRAP = shutil.which("nginx") or "/usr/sbin/nginx", shutil.which("fcgiwrap") or "/usr/sbin/fcgiwrap"
MODULES = next((path for path in ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules") if os.path.isdir(path)), "")
INSTALL = "install rhevh7.3-x86_64-compute"

needs_apache = pytest.mark.skipif(not (os.path.exists(APACHE) and MODULES), reason="Apache is not installed")
needs_nginx = pytest.mark.skipif(
    not (os.path.exists(NGINX) and os.path.exists(FCGIWRAP)), reason="nginx or fcgiwrap is not installed"
)


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that a web server's user may read, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="finish-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@functools.lru_cache(maxsize=1)
def product() -> Path:
    """The checkout, or a copy of it where the web server's user may not read the checkout itself."""
    script = TOP / "cgi-bin" / "xcatrhevh.cgi"
    if script.stat().st_mode & 0o004 and all(folder.stat().st_mode & 0o001 for folder in script.parents):
        return TOP
    copy = Path(tempfile.mkdtemp(prefix="product-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for name in ("xcat_rhev", "cgi-bin", "share"):
        shutil.copytree(TOP / name, copy / name)
    subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return copy


def wait_for(ready: Callable[[], bool], what: str, limit: float = 300.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + limit
    while not ready():
        assert time.monotonic() < end, f"{what} did not happen within {limit} s"
        time.sleep(0.02)


def accepts(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


@contextmanager
def program(
    words: Sequence[str], log: Path, ready: Callable[[], bool], **options: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for as long as the body, in a session of its own: Apache ends all of its process group."""
    with open(log, "ab") as output:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, **options
        )
    try:
        wait_for(lambda: process.poll() is not None or ready(), f"the start of {words[0]}")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        _end(process, signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            _end(process, signal.SIGKILL)
            process.wait()


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    """End a program and its children, which fcgiwrap would leave behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class Web:
    """A web server with the finish URL.

    Attributes:
        address: Where it listens.
        port: Its port.
        log: The file in which the application's log lines land.
    """

    def __init__(self, address: str, port: int, log: Path) -> None:
        self.address, self.port, self.log = address, port, log

    def ask(
        self,
        path: str,
        source: str = "127.0.0.1",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        limit: float = 300.0,
    ) -> tuple[int, str, dict[str, str]]:
        """Ask from an address, as a person's program would: status, body, headers in lower case."""
        connection = http.client.HTTPConnection(self.address, self.port, limit, source_address=(source, 0))
        with closing(connection):
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {key.lower(): value for key, value in answer.getheaders()}

    def url(self, name: str) -> str:
        """What stands in the kernel arguments, with the name put in."""
        return f"http://{self.address}:{self.port}/xcatrhevh/rhevh_finish_install/{name}"


def snippet(name: str, settings: Mapping[str, str], form: str) -> str:
    """A shipped snippet with this checkout's folder and with settings, written as `form` says."""
    text = (SHARE / name).read_text().replace("/opt/xcat-rhev", str(product()))
    marker = next(line for line in text.splitlines() if "# " in line and form.split()[0] in line)
    lines = "\n".join(form.format(key=f"XCATRHEVH_{key}", value=value) for key, value in settings.items())
    return text.replace(marker, lines, 1)


@contextmanager
def apache(
    folder: Path, settings: Mapping[str, str], module: str = "cgi", address: str = "", inside: Sequence[str] = ()
) -> Iterator[Web]:
    """Apache httpd with the shipped configuration.

    Args:
        folder: For its files.
        settings: Of the application.
        module: cgi, cgid or wsgi.
        address: Where it listens, then on port 80 of all addresses; empty for a free port of 127.0.0.1.
        inside: Words before the command, such as those that enter a network namespace.
    """
    port, log = 80 if address else free_port(), folder / "apache.log"
    listen, address = "80" if address else f"127.0.0.1:{port}", address or "127.0.0.1"
    server = "mpm_prefork" if module == "cgi" else "mpm_event"
    loaded = [server, "authz_core", "authz_host", "alias", "env", module]
    name = "xcatrhevh-mod_wsgi.conf" if module == "wsgi" else "xcatrhevh.conf"
    lines = [
        f"ServerRoot {folder}",
        f"ServerName {address}",
        f"PidFile {folder}/apache.pid",
        f"ErrorLog {log}",
        f"Listen {listen}",
        f"DocumentRoot {folder}",
        "LogLevel error",
        *(f"LoadModule {part}_module {MODULES}/mod_{part}.so" for part in loaded if part),
        "MaxRequestWorkers 50",
        *(["ServerLimit 50"] if module == "cgi" else []),
        "Timeout 60",
        f"DefaultRuntimeDir {folder}",
        *(["User www-data", "Group www-data"] if os.getuid() == 0 else []),
        *([f"ScriptSock {folder}/cgid.sock"] if module == "cgid" else []),
        *([f"WSGISocketPrefix {folder}/wsgi"] if module == "wsgi" else []),
        snippet(name, settings, 'SetEnv {key} "{value}"'),
    ]
    config = folder / "apache.conf"
    config.write_text("\n".join(lines) + "\n")
    with program([*inside, APACHE, "-DFOREGROUND", "-f", str(config)], log, lambda: accepts(port, address)):
        yield Web(address, port, log)


@contextmanager
def nginx(folder: Path, settings: Mapping[str, str], address: str = "", inside: Sequence[str] = ()) -> Iterator[Web]:
    """nginx and fcgiwrap with the shipped configuration; arguments as for `apache`."""
    port, log, gate = 80 if address else free_port(), folder / "nginx.log", folder / "fcgiwrap.socket"
    address = address or "127.0.0.1"
    part = snippet("xcatrhevh-nginx-fcgiwrap.conf", settings, 'fastcgi_param {key} "{value}";')
    part = part.replace("unix:/run/fcgiwrap.socket", f"unix:{gate}")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {log};"
        + ("user www-data;" if os.getuid() == 0 else "")
        + "events { worker_connections 256; }"
        + f"http {{ access_log off; {places} server {{ listen {address}:{port};\n{part}\n}} }}"
    )
    (folder / "fastcgi_params").write_text(
        "fastcgi_param REQUEST_METHOD $request_method;\nfastcgi_param REMOTE_ADDR $remote_addr;\n"
        "fastcgi_param QUERY_STRING $query_string;\nfastcgi_param SERVER_PROTOCOL $server_protocol;\n"
    )
    with program([*inside, FCGIWRAP, "-f", "-c", "16", "-s", f"unix:{gate}"], log, gate.exists, **as_web_user(folder)):
        gate.chmod(0o666)
        with program([*inside, NGINX, "-e", str(log), "-c", str(config)], log, lambda: accepts(port, address)):
            yield Web(address, port, log)


def as_web_user(folder: Path) -> dict[str, Any]:
    """How to start a program as the web server's user, who then may make a socket in the folder."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("www-data")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def write_map(path: Path, addresses: Mapping[str, str], names: Mapping[str, str] | None = None) -> None:
    """The node map as mkinstall writes it."""
    names = dict(names or {node: node for node in addresses.values()})
    path.write_text(json.dumps({"version": 1, "addresses": dict(addresses), "names": names}))


class Stub:
    """An xcatd that does as it is told: TLS with real certificates, answers from a script.

    Args:
        folder: For its certificates.

    Attributes:
        answer: Gets a request and gives the bytes to answer; None closes at once.
        requests: Every request that came.
        raw: The same as bytes.
    """

    def __init__(self, folder: Path) -> None:
        home = Home(folder / "stub")
        home.make()
        certificates.make_all(home, "mn", {"127.0.0.1"})
        self.ca = folder / "ca.pem"
        self.ca.write_bytes((home.cert / "ca.pem").read_bytes())
        self.ca.chmod(0o644)
        self.home = home
        self.answer: Callable[[WireRequest], bytes | None] = lambda request: booted(request.noderange or "")
        self.requests: list[WireRequest] = []
        self.raw: list[bytes] = []
        self._context = access.server_context(home)
        self.port = free_port()

    def __enter__(self) -> Stub:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with closing(self._context.wrap_socket(connection, server_side=True)) as channel:
                received = b""
                while END_OF_REQUEST not in received:
                    part = channel.recv(65536)
                    if not part:
                        return
                    received += part
                self.raw.append(received)
                self.requests.append(read_request(received))
                answer = self.answer(self.requests[-1])
                if answer is not None:
                    channel.sendall(answer)
                    channel.unwrap()
        except OSError:
            return

    def settings(self) -> dict[str, str]:
        """What the web application has to know."""
        return {"XCATD": f"127.0.0.1:{self.port}", "CA": str(self.ca), "FILE": "/nowhere"}


def booted(node: str) -> bytes:
    """What xcatd answers when all is well."""
    return (
        f"<xcatresponse><node><data>booted</data><name>{node}</name></node><xcatdsource>mn</xcatdsource></xcatresponse>\n"
        "<xcatresponse><serverdone></serverdone></xcatresponse>\n"
    ).encode()


class Embedded:
    """The embedded xcatd in a process of its own.

    Args:
        folder: For its home.
        address: Where it listens.
        cfgloc: Where its tables are; empty for files of its own.
        inside: Words before the command, such as those that enter a network namespace.

    Attributes:
        store: Its tables.
        port: Its port, the same after a restart.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1", cfgloc: str = "", inside: Sequence[str] = ()) -> None:
        self.home = Home(folder / "xcat")
        self.home.make()
        self.address, self.port, self._inside = address, free_port(), tuple(inside)
        if cfgloc:
            (self.home.config / "cfgloc").write_text(cfgloc + "\n")
        self.store = Store(locate(self.home.config))
        self.store.create()
        self.ca = folder / "ca.pem"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Embedded:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.store.close()

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        words = ["xcatd", "--home", str(self.home.root), "--host", self.address, "--port", str(self.port)]
        self._process = subprocess.Popen(
            [*self._inside, sys.executable, "-m", "xcat_rhev.cli", *words],
            cwd=TOP,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout
        told = self._process.stdout.readline()
        if '"ready": true' not in told:
            told += self._process.stdout.read()
            self.stop()
            raise AssertionError(told)
        shutil.copy(self.home.cert / "ca.pem", self.ca)
        self.ca.chmod(0o644)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it."""
        if self._process:
            self._process.send_signal(number)
            self._process.wait(300)
            assert self._process.stdout
            self._process.stdout.close()
            self._process = None

    def put(self, table: str, rows: Mapping[str, Mapping[str, str]], key: str = "node") -> None:
        """Write rows: key -> column -> value."""
        with self.store.change(table) as change:
            for name, values in rows.items():
                change.put({key: name}, values)

    def row(self, table: str, name: str, key: str = "node") -> dict[str, str]:
        """One row without its empty columns."""
        found = next((row for row in self.store.rows(table) if row[key] == name), {})
        return {column: value for column, value in found.items() if value}

    def column(self, table: str, column: str) -> dict[str, str]:
        """One column of all nodes."""
        return {str(row["node"]): row[column] or "" for row in self.store.rows(table)}

    def settings(self) -> dict[str, str]:
        """What the web application has to know."""
        return {"XCATD": f"127.0.0.1:{self.port}", "CA": str(self.ca), "FILE": "/nowhere"}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the web server's user may read."""
    with public_folder() as made:
        yield made


__all__ = [
    "APACHE",
    "INSTALL",
    "Embedded",
    "Stub",
    "Web",
    "accepts",
    "apache",
    "booted",
    "folder",
    "needs_apache",
    "needs_nginx",
    "nginx",
    "program",
    "public_folder",
    "snippet",
    "wait_for",
    "write_map",
]
