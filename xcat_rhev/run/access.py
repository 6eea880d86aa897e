"""How managers are reached, as the tables site and passwd say it."""

from __future__ import annotations

from ..engine.managers import Access
from ..errors import NotFound, Usage
from ..rows.manager import manager_folder
from ..secret import Secret
from ..xcat.host import Xcat

#: Keys of the passwd table that are kinds of things and no manager's name, whoever gives a host such a name.
KINDS = frozenset(
    "blade cec cmm frame general hmc ibmpower iscsi ipmi kvm omapi openbmc pdu postgres rhevh rhevm rspconfig snmp "
    "switch switches system vcenter vmware xcat xcatweb".split()
)
#: How a value of a table begins that is worked out for each node.
_PATTERN = ("|", "/")


def check_manager(xcat: Xcat, name: str) -> None:
    """Make sure that a name that somebody typed is a manager's: the tables say so, which not everybody may write.

    Without this, whoever may run one command would have the site's password sent to a server of his own.

    Args:
        xcat: The xCAT around.
        name: As typed.

    Raises:
        NotFound: No `vm.mgr`, no `hypervisor.mgr` and no passwd row of that name.
    """
    if not (_has_password(xcat, name) or any(_in_column(xcat, table, name) for table in ("hypervisor", "vm"))):
        raise NotFound(
            f"{name} is not a manager of this site",
            f"Run: chtab key={name},username=admin passwd.password=PASSWORD, if it is to be one",
        )


def _has_password(xcat: Xcat, name: str) -> bool:
    """Whether there is a passwd row of its own; those of storage domains have their names as well."""
    if name in KINDS or xcat.rows("virtsd", {"node": name}):
        return False
    return any(row.get("username") and row.get("password") for row in xcat.rows("passwd", {"key": name}))


def _in_column(xcat: Xcat, table: str, name: str) -> bool:
    values = {row.get("mgr", "") for row in xcat.rows(table)}
    if name in values or not any(value.startswith(_PATTERN) for value in values):
        return name in values
    nodes = [row["node"] for row in xcat.rows("nodelist") if row.get("node")]
    return any(row.get("mgr") == name for row in xcat.node_attrs(table, nodes, ["mgr"]).values())


def access_to(xcat: Xcat, name: str) -> Access:
    """Read from the tables how to reach a manager.

    Raises:
        NotFound: No password.
        Usage: `site.rhevmmaxp` is not a number.
    """
    user, password = _login(xcat, name)
    return Access(
        name=name,
        user=user,
        password=password,
        folder=manager_folder(xcat, name),
        ca=xcat.site("rhevmca"),
        insecure=name in xcat.site("rhevminsecure").split(","),
        old_tls=name in xcat.site("rhevmoldtls").split(","),
        workers=_workers(xcat.site("rhevmmaxp", "8")),
        api=xcat.site("rhevmapi"),
    )


def _login(xcat: Xcat, name: str) -> tuple[str, Secret]:
    for key in ("rhevm",) if name in KINDS else (name, "rhevm"):
        for row in xcat.rows("passwd", {"key": key}):
            if row.get("username") and row.get("password"):
                return row["username"], Secret(row["password"])
    raise NotFound(
        f"no password for the manager {name}", "Run: chtab key=rhevm,username=admin passwd.password=PASSWORD"
    )


def _workers(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 64):
        raise Usage(f"site.rhevmmaxp is '{text}'", "Run: chtab key=rhevmmaxp site.value=8 (1 to 64)")
    return int(text)
