"""A real Apache with mod_auth_openidc in front of the engine, as an installation with Keycloak sets it up.

Our commands and the official SDK log in side by side. Directives: internalsso-openidc.conf of ovirt-engine-keycloak;
Keycloak itself is the simulator, which answers Apache's question whose a token is.
"""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from finish_site import APACHE, MODULES, accepts, needs_apache, program, public_folder

from fakes import FakeHost
from simulator import Simulator
from xcat_rhev.cli.demo.parts import free_port
from xcat_rhev.clock import SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.messages import Data, Error, Message
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.secret import Secret
from xcat_rhev.sim.auth import INTROSPECTION
from xcat_rhev.xcat.host import Request

pytestmark = [
    needs_apache,
    pytest.mark.skipif(
        not os.path.exists(f"{MODULES}/mod_auth_openidc.so"), reason="libapache2-mod-auth-openidc is not installed"
    ),
]
LOADED = "mpm_event authn_core authz_core authz_user auth_basic ssl proxy proxy_http socache_shmcb auth_openidc".split()
KEYCLOAK = """
OIDCProviderMetadataURL {engine}/ovirt-engine-auth/realms/ovirt-internal/.well-known/openid-configuration
OIDCSSLValidateServer Off
OIDCClientID ovirt-engine-internal
OIDCClientSecret client-secret
OIDCRedirectURI {front}/ovirt-engine/callback
OIDCRemoteUserClaim preferred_username
OIDCCryptoPassphrase crypto-passphrase-of-a-test
<LocationMatch ^/ovirt-engine/sso/(interactive-login-negotiate|oauth/token-http-auth)|^/ovirt-engine/callback>
    <If "req('Authorization') !~ /^(Bearer|Basic)/i">
        Require valid-user
        AuthType openid-connect
    </If>
</LocationMatch>
OIDCOAuthIntrospectionEndpoint {engine}{introspection}
OIDCOAuthSSLValidateServer Off
OIDCOAuthIntrospectionEndpointParams token_type_hint=access_token
OIDCOAuthClientID ovirt-engine-internal
OIDCOAuthClientSecret client-secret
OIDCOAuthRemoteUserClaim sub
OIDCCacheEncrypt On
<LocationMatch ^/ovirt-engine/api($|/)>
    AuthType oauth20
    Require valid-user
</LocationMatch>
"""


class Front:
    """Apache with Keycloak's module in front of a simulator.

    Attributes:
        name: As vm.mgr names it.
        ca: The file of the CA that signed its certificate.
        sim: The engine behind.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        accounts = ("no-role@internalsso=no-role", "joe@internalsso=good", "old@internalsso=expired")
        words = [word for account in accounts for word in ("--account", account)]
        self.sim = Simulator("--login", "keycloak", "--html-errors", "--hosts", "1", "--vms", "2", *words)
        stack.callback(self.sim.close)
        self.ca = str(self.sim.ready["ca"])
        port = free_port()
        self.name = f"localhost:{port}"
        self._log = folder / "apache.log"
        conf = folder / "apache.conf"
        conf.write_text(self._configuration(folder, port))
        stack.enter_context(program([APACHE, "-X", "-f", str(conf)], self._log, lambda: accepts(port)))

    def _configuration(self, folder: Path, port: int) -> str:
        engine = f"https://{self.sim.name}"
        certificates = Path(self.ca).parent
        keycloak = KEYCLOAK.format(engine=engine, front=f"https://localhost:{port}", introspection=INTROSPECTION)
        lines = [
            f"ServerRoot {folder}",
            "ServerName localhost",
            f"PidFile {folder}/apache.pid",
            f"ErrorLog {self._log}",
            f"Mutex file:{folder}",
            f"Listen 127.0.0.1:{port}",
            *(f"LoadModule {part}_module {MODULES}/mod_{part}.so" for part in LOADED),
            *(["User www-data", "Group www-data"] if os.getuid() == 0 else []),
            f"SSLCertificateFile {certificates}/engine.crt\nSSLCertificateKeyFile {certificates}/engine.key",
            "SSLEngine on\nSSLProxyEngine on\nSSLProxyCheckPeerName off",
            keycloak,
            f"ProxyPass / {engine}/",
        ]
        return "\n".join(lines) + "\n"

    def xcat(self, folder: Path, user: str = "admin", password: str = "secret") -> FakeHost:
        """An xCAT that knows the manager by Apache's address."""
        site = {"xcatconfdir": str(folder), "rhevmca": self.ca}
        return FakeHost(
            {
                "site": [{"key": key, "value": value} for key, value in site.items()],
                "passwd": [{"key": "rhevm", "username": user, "password": password}],
                "vm": [{"node": node, "mgr": self.name} for node in ("vm1", "vm2")],
            }
        )


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with ExitStack() as stack:
        yield Front(stack.enter_context(public_folder()), stack)


def typed(front: Front, folder: Path, *words: str, user: str = "admin", password: str = "secret") -> list[Message]:
    request = Request(words[0], ("vm1", "vm2"), tuple(words[1:]))
    managers = Managers(SystemClock())
    with closing(managers):
        return list(Dispatcher(managers).run(request, front.xcat(folder, user, password)))


def test_apache_takes_nothing_but_a_token(front: Front) -> None:
    plain = urllib.request.Request(f"https://{front.name}/ovirt-engine/api")
    plain.add_header("Authorization", "Basic YWRtaW5AaW50ZXJuYWw6c2VjcmV0")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(plain, context=ssl.create_default_context(cafile=front.ca), timeout=300)
    with caught.value as answer:
        assert answer.code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer error=")


@pytest.mark.parametrize("user", ["admin", "admin@ovirt", "admin@ovirt@internalsso", "joe"])
def test_our_commands_get_in(front: Front, tmp_path: Path, user: str) -> None:
    assert typed(front, tmp_path, "rpower", "stat", user=user) == [Data("off", "vm1"), Data("off", "vm2")]


def test_and_work(front: Front, tmp_path: Path) -> None:
    assert not [each for each in typed(front, tmp_path, "rpower", "on") if isinstance(each, Error)]
    assert not [each for each in typed(front, tmp_path, "rpower", "off") if isinstance(each, Error)]


def test_the_name_is_found_out_once(front: Front, tmp_path: Path) -> None:
    for asked in (1, 0):
        lines = [message.text for message in typed(front, tmp_path, "rpower", "stat", "-V")]
        refused = [line for line in lines if "token -> 400" in line]
        assert len(refused) == asked, lines


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("admin", "wrong", "refuses the login of admin@ovirt@internalsso: Invalid user credentials"),
        ("admin@internal", "secret", "its administrator is called admin@ovirt@internalsso there"),
        ("old@internalsso", "secret", "Account is not fully set up. Change the password at the manager"),
        ("no-role@internalsso", "secret", "is not authorized to perform login. The password is right"),
    ],
)
def test_a_refusal_says_why(front: Front, tmp_path: Path, user: str, password: str, words: str) -> None:
    said = typed(front, tmp_path, "rpower", "stat", user=user, password=password)
    assert [type(message) for message in said] == [Error, Error]
    assert all(words in message.text for message in said if isinstance(message, Error)), said


def test_the_official_sdk_gets_in_as_we_do(front: Front, tmp_path: Path) -> None:
    sdk = pytest.importorskip("ovirtsdk4", reason="ovirtsdk4 is not installed")
    url = f"https://{front.name}/ovirt-engine/api"
    with sdk.Connection(url=url, username="admin@ovirt@internalsso", password="secret", ca_file=front.ca) as connection:
        theirs = {vm.name: str(vm.status) for vm in connection.system_service().vms_service().list()}
    assert theirs == {
        message.node: message.text.replace("off", "down")
        for message in typed(front, tmp_path, "rpower", "stat")
        if isinstance(message, Data)
    }
    with pytest.raises(sdk.Error):
        sdk.Connection(url=url, username="admin@internal", password="secret", ca_file=front.ca).test(
            raise_exception=True
        )


def test_a_token_that_apache_does_not_know_is_renewed(front: Front, tmp_path: Path) -> None:
    managers = Managers(SystemClock())
    dispatcher, xcat = Dispatcher(managers), front.xcat(tmp_path)
    request = Request("rpower", ("vm1",), ("stat",))
    with closing(managers):
        assert list(dispatcher.run(request, xcat)) == [Data("off", "vm1")]
        (known,) = managers._sessions.values()
        known.session.login._token = Secret("forgotten")
        assert list(dispatcher.run(request, xcat)) == [Data("off", "vm1")]
