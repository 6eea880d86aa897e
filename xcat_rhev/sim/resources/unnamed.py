"""What a change takes away that does not name it, up to 4.3: serial consoles, and affinity labels.

VmManagementParametersBase begins with a console that is off and with no labels, and so does UpdateVdsCommand's; mended
in 4.3.5 and 4.4.
"""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import Thing

_MENDED = (4, 4)


def drop_console(call: ApiCall, thing: Thing, values: Thing) -> None:
    """Let a machine's change that is silent about its console take it away."""
    if thing.get("console_enabled") and (3, 3) <= call.dialect.behind < _MENDED:
        values.setdefault("console_enabled", False)


def drop_labels(call: ApiCall, key: str, thing: Thing) -> None:
    """Take a machine or a host off its labels when it has been changed.

    Args:
        call: In which version.
        key: The members of a label: `vms`, `hosts`.
        thing: The machine or host.
    """
    if (4, 1) <= call.dialect.behind < _MENDED:
        for label in call.world.all("affinity_label"):
            if thing["id"] in label[key]:
                call.world.change(label, **{key: [one for one in label[key] if one != thing["id"]]})
