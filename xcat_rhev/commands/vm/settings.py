"""What has no column of its own in the vm table: `vm.othersettings`, pairs joined by semicolons.

    ha:yes;ha_priority:50;tags:web,prod;affinity_groups:apart;init:cloud-init;user:root;nic:eth0,dhcp

A pair is written `name:value` or `name=value`. `nic` and `custom` may stand there several times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from ...engine.nouns import Initialization, NicConfiguration
from ...errors import Usage
from ...secret import Secret
from .words import boot_order, listed, yes_or_no

CLOUD_INIT, SYSPREP = "cloud-init", "sysprep"
NO_LEASE = "none"
#: The longest host name that sysprep takes.
WINDOWS_NAME = 15


@dataclass(frozen=True)
class Settings:
    """What vm.othersettings says.

    Attributes:
        values: Attributes of the virtual machine, by the name that `Vm` has for them; only those that are given.
        tags: Tags it shall have, or None if that is nobody's business.
        affinity_groups: Groups of its cluster it shall be in; None as above.
        initialization: What its guest shall be told at its first start, or None.
        password_key: The key in the passwd table under which the guest's root password stands, or empty.
        boot_once: The boot order of its next start alone.
        lease: The storage domain on which it holds a lease while it runs; `NO_LEASE` for none, empty for unsaid.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] | None = None
    affinity_groups: tuple[str, ...] | None = None
    initialization: Initialization | None = None
    password_key: str = ""
    boot_once: tuple[str, ...] = ()
    lease: str = ""

    def said(self) -> list[str]:
        """The attributes of a virtual machine that they speak of."""
        more = {"initialization": self.initialization, "lease": self.lease}
        return [*self.values, *(name for name, value in more.items() if value)]

    def with_password(self, password: Secret | None) -> Settings:
        """The same with the guest's root password."""
        if self.initialization is None or password is None:
            return self
        return replace(self, initialization=self.initialization.replace(root_password=password))


def read_settings(text: str, node: str) -> tuple[Settings, list[str]]:
    """Read vm.othersettings as a whole.

    Args:
        text: The column's value.
        node: Whose it is; also its guest's host name unless another is given.

    Returns:
        The settings, and every fault that was found.
    """
    given: dict[str, list[str]] = {}
    faults: list[str] = []
    for name, value in pairs(text):
        if name not in KNOWN:
            faults.append(f"vm.othersettings holds '{name}'; a manager knows {', '.join(KNOWN)}")
        else:
            given.setdefault(name, []).append(value)
    faults += [f"vm.othersettings holds {name} twice" for name, values in given.items()
               if len(values) > 1 and name not in _REPEATED]
    read: dict[str, Any] = {}
    for name, values in given.items():
        try:
            read[name] = [KNOWN[name](value) for value in values]
        except Usage as problem:
            faults.append(f"vm.othersettings: {name}: {problem}")
    settings = Settings() if faults else _settings(read, node)
    return settings, faults + list(_joint_faults(settings, read))


def _joint_faults(settings: Settings, read: Mapping[str, list[Any]]) -> Iterator[str]:
    if settings.lease not in ("", NO_LEASE) and not settings.values.get("ha"):
        yield "vm.othersettings: lease: managers give one to highly available machines alone; write ha:yes as well"
    name = settings.initialization.host_name if settings.initialization else None
    if name and len(name) > WINDOWS_NAME and SYSPREP in read.get("init", ()):
        yield f"vm.othersettings: hostname: '{name}' is longer than {WINDOWS_NAME} characters, which Windows takes"


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of vm.othersettings, in order."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        cut = min((part.index(mark) for mark in ":=" if mark in part), default=len(part))
        yield part[:cut].strip(), part[cut + 1:].strip()


def changed(text: str, name: str, value: str) -> str:
    """Write vm.othersettings with one value set, or taken out when it is empty; the rest stays as it is written."""
    kept = [part.strip() for part in text.split(";") if part.strip() and next(pairs(part))[0] != name]
    return ";".join(kept + ([f"{name}:{value}"] if value else []))


def _nic(text: str) -> NicConfiguration:
    name, protocol, *addresses = [*listed(text), "", ""][:max(2, len(listed(text)))]
    if protocol not in ("dhcp", "static", "none") or (protocol == "static") != (len(addresses) in (2, 3)):
        raise Usage(f"'{text}' is no guest NIC", "Write nic:eth0,dhcp or nic:eth0,static,ADDRESS,NETMASK,GATEWAY")
    ip, netmask, gateway = [*addresses, None, None, None][:3]
    return NicConfiguration(
        name=name, boot_protocol=protocol, ip=ip, netmask=netmask, gateway=gateway, on_boot=True
    )


def _custom(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise Usage(f"'{text}' is no custom property", "Write custom:NAME=VALUE")
    return name, value


def _priority(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 100):
        raise Usage(f"'{text}' is no priority", "Write a number from 1 to 100")
    return int(text)


def _kind(text: str) -> str:
    word = {"cloudinit": CLOUD_INIT}.get(text, text)
    if word not in (CLOUD_INIT, SYSPREP):
        raise Usage(f"'{text}' is no way to set up a guest", f"Write {CLOUD_INIT} or {SYSPREP}")
    return word


def _switch(text: str) -> bool:
    return yes_or_no(text, "the value")


def _file(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise Usage(f"{path} cannot be read: {reason}") from None


def _key(text: str) -> str:
    return _file(text).strip() if text.startswith("/") else text


#: Every name and how its value is read.
KNOWN: dict[str, Callable[[str], Any]] = {
    "ha": _switch, "ha_priority": _priority, "tags": listed, "affinity_groups": listed, "delete_protected": _switch,
    "stateless": _switch, "console": _switch, "lease": str, "description": str, "custom": _custom,
    "bootonce": boot_order,
    "init": _kind, "hostname": str, "domain": str, "timezone": str, "user": str, "password": str, "sshkey": _key,
    "dns": listed, "search": listed, "nic": _nic, "script": _file,
}
_REPEATED = {"nic", "custom"}
_PLAIN = ("ha", "ha_priority", "delete_protected", "stateless", "console", "description")
_GUEST = {"hostname": "host_name", "domain": "domain", "timezone": "timezone", "user": "user_name",
          "sshkey": "authorized_ssh_keys", "script": "custom_script"}


def _settings(read: Mapping[str, list[Any]], node: str) -> Settings:
    one = {name: values[0] for name, values in read.items()}
    values = {name: one[name] for name in _PLAIN if name in one}
    if "custom" in read:
        values["custom_properties"] = dict(read["custom"])
    return Settings(
        values=values, tags=one.get("tags"), affinity_groups=one.get("affinity_groups"),
        initialization=_initialization(read, one, node), password_key=one.get("password", ""),
        boot_once=one.get("bootonce", ()), lease=one.get("lease", ""),
    )


def _initialization(read: Mapping[str, list[Any]], one: Mapping[str, Any], node: str) -> Initialization | None:
    told = {attribute: one[name] for name, attribute in _GUEST.items() if name in one}
    for name in ("dns", "search"):
        if name in one:
            told["dns_servers" if name == "dns" else "dns_search"] = " ".join(one[name])
    if not ("init" in one or told or "nic" in one or "password" in one):
        return None
    told.setdefault("host_name", node)
    return Initialization(nic_configurations=tuple(read.get("nic", ())), **told)
