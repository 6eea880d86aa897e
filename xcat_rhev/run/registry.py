"""Every command by its name: each file at the top of `commands/` is one."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from .. import commands
from ..declare.command import Command

_MODULES = [
    import_module(f"{commands.__name__}.{found.name}") for found in iter_modules(commands.__path__) if not found.ispkg
]
#: Every command by its name; xCAT's dispatch tables and the man pages are made from these.
COMMANDS: dict[str, Command] = {module.SPEC.name: module.SPEC for module in _MODULES}
#: What each plans.
PLANS = {module.SPEC.name: module.plan for module in _MODULES}
