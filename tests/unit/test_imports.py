"""Who may import whom. Reads every import of the product, those inside functions included, and knows no exceptions."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2] / "xcat_rhev"
LEAVES = {"abort", "errors", "units", "secret", "clock", "messages", "__init__"}

#: Room -> what it may import of the product besides itself and the leaves: modules, rooms, or `room.*` for all in it.
MAY: dict[str, set[str]] = {
    "leaves": set(),
    "jobs": set(),
    "holding": set(),
    "engine": set(),
    "media": set(),
    "xcat": set(),
    "commands": {"engine.manager", "engine.nouns", "engine.waiting", "media.*", "xcat.host", "jobs"},
    "dispatch": {"commands.*", "xcat.*", "jobs", "holding", "engine.manager", "engine.managers", "engine.waiting"},
    "daemon": {"dispatch", "xcat.*"},
    "bridge": {"dispatch", "xcat.*"},
    "web": {"xcat.wire"},
    "sim": set(),
    "cli": {"*"},
}
#: The same for what is only needed by the type checker.
MAY_FOR_TYPES: dict[str, set[str]] = {"jobs": {"engine.nouns", "engine.waiting"}}
#: Room or module -> packages that are not in the standard library.
PACKAGES: dict[str, set[str]] = {
    "engine.transport": {"requests", "urllib3"},
    **{f"engine.{module}": {"lxml"} for module in ("fields", "shapes", "bodies", "documents")},
    "commands.ve.description": {"yaml"},  # not required: asked for by name where it is missing
    "commands.ve.picture": {"graphviz"},  # likewise
    "daemon": {"sqlalchemy", "cryptography"},
    "sim": {"lxml", "cheroot", "werkzeug", "cryptography"},
    "cli": {"lxml", "requests", "cryptography", "cheroot", "werkzeug"},
}
#: Python 3.9 has no list of its own modules.
STDLIB = getattr(sys, "stdlib_module_names", None) or {
    *sys.builtin_module_names, "__future__",
    *(path.name.partition(".")[0] for path in Path(sysconfig.get_path("stdlib")).iterdir()),
    *(path.name.partition(".")[0] for path in Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")),
} - {"site-packages"}


class Import(NamedTuple):
    """One import: which module does it, what it names, where, and whether only the type checker sees it."""

    module: str
    target: str
    line: int
    types: bool


def modules() -> dict[str, Path]:
    """Name inside the package (`engine.fields`, `engine.__init__`) -> file."""
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}


def imports_of(module: str, source: str, known: set[str]) -> Iterator[Import]:
    """All imports of a module, as names inside the package or as `:package`."""
    tree = ast.parse(source)
    guarded = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        types = id(node) in guarded
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, absolute(alias.name, known), node.lineno, types)
        elif isinstance(node, ast.ImportFrom):
            base = absolute_base(module, node)
            for alias in node.names:
                yield Import(module, absolute(f"{base}.{alias.name}", known), node.lineno, types)
        elif isinstance(node, ast.Call) and dynamic(node):
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield Import(module, absolute(name.value, known), node.lineno, types)


def dynamic(node: ast.Call) -> bool:
    """Whether a call imports by name."""
    return bool(node.args) and ast.unparse(node.func) in ("__import__", "import_module", "importlib.import_module")


def absolute_base(module: str, node: ast.ImportFrom) -> str:
    """The full name of what an import is from."""
    if not node.level:
        return node.module or ""
    package = ["xcat_rhev", *module.split(".")][:-node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def absolute(name: str, known: set[str]) -> str:
    """A full name as a module of the package, however much of it names things inside that module."""
    if name.split(".")[0] != "xcat_rhev":
        return ":" + name.split(".")[0]
    parts = name.split(".")[1:]
    while parts:
        for found in (".".join(parts), ".".join([*parts, "__init__"])):
            if found in known:
                return found
        parts.pop()
    return "__init__"


def room(module: str) -> str:
    """The room of a module."""
    first = module.split(".")[0]
    return "leaves" if module in LEAVES else first


def fits(target: str, patterns: set[str]) -> bool:
    """Whether a module is among `room.module`, `room.*`, `*`; a package's face is the package."""
    target = target.removesuffix(".__init__")
    return any(
        pattern in ("*", target) or target.startswith(f"{pattern}.")
        or (pattern.endswith(".*") and (target + ".").startswith(pattern[:-1]))
        for pattern in patterns
    )


def is_command(module: str, files: dict[str, Path]) -> bool:
    """Whether a module is an xCAT command: it declares itself by SPEC."""
    if room(module) != "commands" or module.count(".") != 1:
        return False
    tree = ast.parse(files[module].read_text(encoding="utf-8"))
    targets = [t for node in tree.body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in tree.body if isinstance(node, ast.AnnAssign)]
    return any(isinstance(target, ast.Name) and target.id == "SPEC" for target in targets)


def forbidden(found: Import, files: dict[str, Path]) -> str:
    """Why an import must not be, or nothing."""
    here = room(found.module)
    if found.target.startswith(":"):
        package = found.target[1:]
        if package in STDLIB:
            return ""
        allowed = PACKAGES.get(here, set()) | PACKAGES.get(found.module, set())
        return "" if package in allowed else f"the package {package}"
    there = room(found.target)
    if there == "leaves" or there == here:
        commands = here == "commands" and found.module != found.target and is_command(found.target, files)
        return f"another command, {found.target}" if commands else ""
    allowed = MAY[here] | (MAY_FOR_TYPES.get(here, set()) if found.types else set())
    return "" if fits(found.target, allowed) else found.target


def test_no_room_imports_what_it_must_not() -> None:
    files = modules()
    wrong = []
    for module, path in files.items():
        for found in imports_of(module, path.read_text(encoding="utf-8"), set(files)):
            reason = forbidden(found, files)
            if reason:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{found.line} imports {reason}")
    assert not wrong, "\n".join(wrong)


def test_every_module_is_in_a_room() -> None:
    assert {room(module) for module in modules()} <= set(MAY)


@pytest.mark.parametrize(("module", "source", "targets"), [
    ("engine.layers", "from ..errors import Bug", ["errors"]),
    ("engine.layers", "from . import fields, nowhere", ["engine.fields", "engine.__init__"]),
    ("engine.layers", "from .fields import Text", ["engine.fields"]),
    ("engine.__init__", "from .fields import Text", ["engine.fields"]),
    ("engine.layers", "from .. import __version__", ["__init__"]),
    ("engine.layers", "import xcat_rhev.xcat.wire", ["xcat.wire"]),
    ("engine.layers", "from xcat_rhev import xcat", ["xcat.__init__"]),
    ("engine.layers", "def f():\n    import lxml.etree\n    from ..commands.rpower import plan", [
        ":lxml", "commands.rpower",
    ]),
    ("cli.main", "import importlib\nimportlib.import_module('xcat_rhev.sim.http')", [":importlib", "sim.http"]),
])
def test_imports_are_seen_wherever_they_stand(module: str, source: str, targets: list[str]) -> None:
    known = {"errors", "__init__", "engine.fields", "engine.layers", "engine.__init__", "xcat.wire", "xcat.__init__",
             "commands.rpower", "sim.http"}
    assert [found.target for found in imports_of(module, source, known)] == targets


@pytest.mark.parametrize(("module", "target", "types", "ok"), [
    ("xcat.wire", "engine.manager", False, False),
    ("xcat.wire", ":requests", False, False),
    ("xcat.wire", "messages", False, True),
    ("engine.layers", ":requests", False, False),
    ("engine.transport", ":requests", False, True),
    ("commands.common", "engine.manager", False, True),
    ("commands.common", "engine.transport", False, False),
    ("commands.common", "xcat.wire", False, False),
    ("commands.common", "media.iso", False, True),
    ("daemon.server", "engine.manager", False, False),
    ("daemon.server", "commands.common", True, False),
    ("daemon.server", "dispatch", False, True),
    ("web.app", "xcat.wire", False, True),
    ("web.app", "xcat.rows", False, False),
    ("sim.http", "xcat.wire", False, False),
    ("jobs", "engine.waiting", True, True),
    ("jobs", "engine.waiting", False, False),
    ("dispatch", "engine.waiting", False, True),
    ("dispatch", "engine.transport", False, False),
    ("commands.common", "engine.managers", False, False),
    ("cli.demo", "sim.http", False, True),
    ("errors", "messages", False, True),
    ("errors", "xcat.wire", False, False),
])
def test_the_table_is_kept(module: str, target: str, types: bool, ok: bool) -> None:
    assert (not forbidden(Import(module, target, 1, types), modules())) is ok


def test_a_command_does_not_import_another() -> None:
    files = modules()
    assert is_command("commands.rpower", files)
    assert not is_command("commands.common", files)
    assert forbidden(Import("commands.lsvm", "commands.rpower", 1, False), files)
    assert not forbidden(Import("commands.lsvm", "commands.common", 1, False), files)
