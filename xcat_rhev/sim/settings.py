"""What the simulator is started with."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..secret import Secret
from .dialect import Dialect, Version

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
        strict: What a dialect does not know is refused by name instead of ignored.
        latency: Seconds added to every answer.
        token_life: Seconds after which an unused token or session is forgotten.
        html_errors: 401 carries the container's HTML page, as real engines send it.
        management: The name of the management network.
    """

    api: str = "both"
    v3_version: Version = (3, 6)
    v4_version: Version = (4, 5)
    user: str = "admin@internal"
    password: Secret = field(default_factory=lambda: Secret("secret"))
    strict: bool = False
    latency: float = 0.0
    token_life: float = 1800.0
    html_errors: bool = False
    management: str = "ovirtmgmt"

    def dialect(self, path: str, header: str) -> tuple[Dialect | None, str, int]:
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

    def _at(self, base: str, rest: str, header: str) -> tuple[Dialect | None, str, int]:
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
            return Dialect(4, self.v4_version, base), rest, 0
        return None, "", 405 if wanted == "3" else 400

    def _three(self, base: str) -> Dialect:
        return Dialect(3, self.v3_version, base)

    def _has_three(self) -> bool:
        """Engines up to 4.3 speak both; one that is told to be both does so whatever its version."""
        return self.api == "both" or self.v4_version < (4, 4)
