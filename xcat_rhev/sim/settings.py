"""What the simulator is started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..secret import Secret
from .dialect import SimDialect, Version

LONG, SHORT = "/ovirt-engine/api", "/api"


@dataclass(frozen=True)
class Settings:
    """The choices that do not change while the simulator runs.

    Attributes:
        api: `3`, `4` or `both`.
        v3_version: The engine version pretended to callers of v3.
        v4_version: ... and to callers of v4.
        user: Who may log in, as `user@profile`.
        password: ... and with what.
        login: The ways in, one of `accounts.LOGINS`.
        accounts: Others who have an account: name and one of `accounts.STATES`. The password is the same.
        strict: What a dialect does not know is refused by name instead of ignored.
        latency: Seconds added to every answer.
        token_life: Seconds after which an unused token or session is forgotten.
        html_errors: 401 carries the container's HTML page, as real engines send it.
        management: The name of the management network.
        product: How it calls itself; empty as oVirt does.
        number: The version that it says; forks count for themselves. Empty: its own.
        ssh_key: The file of the key that it logs in to hosts with; without one nobody is logged in to.
    """

    api: str = "both"
    v3_version: Version = (3, 6)
    v4_version: Version = (4, 5)
    user: str = "admin@internal"
    password: Secret = field(default_factory=lambda: Secret("secret"))
    login: str = "both"
    accounts: tuple[tuple[str, str], ...] = ()
    strict: bool = False
    latency: float = 0.0
    token_life: float = 1800.0
    html_errors: bool = False
    management: str = "ovirtmgmt"
    product: str = ""
    number: tuple[int, ...] = ()
    ssh_key: Path | None = None

    @property
    def has_sso(self) -> bool:
        """Whether it gives tokens, as engines do since 4.0."""
        return self.api != "3" and self.login != "basic"

    def dialect(self, path: str, header: str) -> tuple[SimDialect | None, str, int]:
        """Choose how to answer a request.

        Args:
            path: The request's path.
            header: Its `Version` header, or empty.

        Returns:
            The dialect, the path below its base address, and 0; or no dialect, nothing, and the status to answer with.
        """
        for base in (LONG, SHORT):
            if path == base or path.startswith(base + "/"):
                return self._at(base, path[len(base) :], header)
        return None, "", 404

    def _at(self, base: str, rest: str, header: str) -> tuple[SimDialect | None, str, int]:
        if base == SHORT:
            return (None, "", 404) if self.api == "4" else (self._three(base), rest, 0)
        if self.api == "3":
            return (None, "", 404) if self.v3_version < (3, 4) else (self._three(base), rest, 0)
        wanted = header.strip() or "4"
        for number in ("3", "4"):  # the path wins over the header
            if rest == f"/v{number}" or rest.startswith(f"/v{number}/"):
                wanted, rest = number, rest[3:]
        if wanted == "3" and self._has_three():
            return self._three(base), rest, 0
        if wanted == "4":
            return SimDialect(4, self.v4_version, base), rest, 0
        return None, "", 405 if wanted == "3" else 400

    def _three(self, base: str) -> SimDialect:
        engine = self.v4_version if self.api == "both" and base == LONG else self.v3_version
        return SimDialect(3, self.v3_version, base, engine)

    def _has_three(self) -> bool:
        """Engines up to 4.3 speak both; one that is set to both does so whatever its version."""
        return self.api == "both" or self.v4_version < (4, 4)
