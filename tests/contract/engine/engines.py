"""What scenarios run on: the simulator in this process, or an engine at an address."""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

from facts import parsed
from scenario import Answer
from seeded import Seeded

#: Lists in which scenarios make things, in the order in which these can go, and the word for the name in searches.
_SWEPT = (
    *((kind, "name") for kind in ("vms", "vmpools", "templates")),
    ("disks", "alias"),
    *((kind, "name") for kind in ("hosts", "networks", "storagedomains", "clusters", "datacenters", "tags")),
)
#: The verb that comes before a removal.
_FIRST = {"vms": "stop", "hosts": "deactivate"}
BASE, SSO = "/ovirt-engine/api", "/ovirt-engine/sso/oauth/token"


class Simulated:
    """The simulator, whose clock leaps.

    Args:
        api: 3 or 4.
        version: The engine version that it pretends.
        strict: As `--strict`.
    """

    def __init__(self, api: int, version: tuple[int, int], strict: bool = False) -> None:
        self.api = api
        self.names = {"cluster": "Default", "domain": "data1", "center": "Default", "management": "ovirtmgmt"}
        self.seeded = Seeded(api, version, hosts=2, strict=strict)

    def ask(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Send a request; a moment passes with each."""
        self.seeded.clock.leap(0.06)
        told = {"accept": "application/xml", "content-type": "application/xml", **headers}
        raw = self.seeded.call(method, BASE + path, body, told)
        return Answer(raw.status, raw.content_type if raw.body else "", raw.body)

    def wait(self, seconds: float) -> None:
        """Let the clock leap: states here last a tenth of an engine's."""
        self.seeded.clock.leap(seconds / 10)


class Remote:
    """An engine at an address; user, password, CA, cluster and domain come from the environment.

    Args:
        url: `https://host[:port]`.
        api: 3 or 4.
    """

    def __init__(self, url: str, api: int) -> None:
        self.api, self._url = api, url.rstrip("/")
        cluster, domain = os.environ.get("ENGINE_CLUSTER", "Default"), os.environ.get("ENGINE_DOMAIN", "data1")
        self.names = {"cluster": cluster, "domain": domain, "center": "Default", "management": "ovirtmgmt"}
        self._tls = ssl.create_default_context(cafile=os.environ.get("ENGINE_CA") or None)
        self._login = f"Bearer {self._token()}"

    def _token(self) -> str:
        """Log in once: each Basic login costs an engine more than most requests."""
        told = {"grant_type": "password", "scope": "ovirt-app-api", "username": os.environ["ENGINE_USER"]}
        body = urllib.parse.urlencode({**told, "password": os.environ["ENGINE_PASSWORD"]}).encode()
        request = urllib.request.Request(f"{self._url}{SSO}", body, {"Accept": "application/json"})
        with urllib.request.urlopen(request, context=self._tls, timeout=180) as answer:
            return str(json.load(answer)["access_token"])

    def ask(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> Answer:
        """Send a request; what is refused is an answer, too."""
        told = {"Accept": "application/xml", "Content-Type": "application/xml", "Version": str(self.api)}
        told = {**told, "Authorization": self._login, **headers}
        data = body.encode() if body else None
        request = urllib.request.Request(f"{self._url}{BASE}{path}", data, told, method=method)
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=180) as answer:
                return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers.get("Content-Type", ""), error.read())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    def sweep(self) -> None:
        """Remove what a run that was cut off has left: all that is called ct_..."""
        for kind, field in _SWEPT:
            listed = parsed(self.ask("GET", f"/{kind}?search={field}%3Dct_*", "", {}).body)
            for thing in () if listed is None else listed:
                if (thing.findtext(field) or thing.findtext("name") or "").startswith("ct_"):
                    self._remove(f"/{kind}/{thing.get('id')}", _FIRST.get(kind, ""))

    def _remove(self, path: str, verb: str) -> None:
        """Remove a thing; one that runs is stopped first, and one that is locked gets time."""
        for _ in range(20):
            if verb:
                self.ask("POST", f"{path}/{verb}", "<action/>", {})
            if self.ask("DELETE", path, "", {}).status != 409:
                return
            self.wait(1)
