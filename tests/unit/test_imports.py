"""Who may import whom. Reads every import of the product, those inside functions included, and knows no exceptions."""

from __future__ import annotations

import ast
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2] / "xcat_rhev"
LEAVES = {
    "abort",
    "addresses",
    "clock",
    "errors",
    "files",
    "jsonlines",
    "messages",
    "ordering",
    "ports",
    "secret",
    "units",
    "__init__",
}

#: Room -> what it may import of the product besides itself and the leaves: modules, rooms, or `room.*` for all in it.
#: Imports for the type checker count as well. share/doc/architecture.md gives the reasons.
MAY: dict[str, set[str]] = {
    "leaves": set(),
    "declare": set(),
    "engine": set(),
    "media": set(),
    "xcat": set(),
    "sim": set(),
    "rows": {"xcat.host"},
    "plan": {"xcat.host", "engine.manager", "engine.nouns", "engine.waiting"},
    "commands": {
        "declare.*",
        "plan.*",
        "rows.*",
        "engine.manager",
        "engine.nouns",
        "engine.states",
        "engine.waiting",
        "media.*",
        "xcat.host",
    },
    "run": {
        "commands.*",
        "rows.*",
        "declare.*",
        "plan.*",
        "xcat.*",
        "engine.manager",
        "engine.managers",
        "engine.nouns",
        "engine.waiting",
    },
    "daemon": {"run.*", "declare.*", "xcat.*"},
    "bridge": {"run.*", "declare.*", "xcat.*"},
    "web": {"xcat.wire"},
    "cli": {"*"},
}
#: Room or module -> packages that are not in the standard library.
PACKAGES: dict[str, set[str]] = {
    **{f"engine.wire.{module}": {"requests", "urllib3"} for module in ("transport", "bounds", "no_answer")},
    **{f"engine.documents.{module}": {"lxml"} for module in ("record", "field", "shapes", "bodies", "parsing")},
    "rows.description": {"yaml"},  # not required: asked for by name where it is missing
    "commands.environment.picture": {"graphviz"},  # likewise
    "xcat.perlre": {"regex"},  # not part of what a CGI loads
    "daemon": {"sqlalchemy", "cryptography"},
    "daemon.servers": {"psycopg2"},  # where the tables are in PostgreSQL
    "sim": {"lxml", "cheroot", "cryptography"},
    "cli": {"lxml", "requests", "cryptography", "cheroot"},
}
#: Python 3.9 has no list of its own modules.
STDLIB = getattr(sys, "stdlib_module_names", None) or {
    *sys.builtin_module_names,
    "__future__",
    *(path.name.partition(".")[0] for path in Path(sysconfig.get_path("stdlib")).iterdir()),
    *(path.name.partition(".")[0] for path in Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")),
} - {"site-packages"}


class Import(NamedTuple):
    """One import: which module does it, what it names, where, and whether only the type checker sees it."""

    module: str
    target: str
    line: int
    types: bool


@cache
def modules() -> dict[str, Path]:
    """Name inside the package (`engine.fields`, `engine.__init__`) -> file."""
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def imports(module: str) -> tuple[Import, ...]:
    """All imports of a module of the product."""
    files = modules()
    return tuple(imports_of(module, files[module].read_text(encoding="utf-8"), set(files)))


def imports_of(module: str, source: str, known: set[str]) -> Iterator[Import]:
    """All imports of a module, as names inside the package or as `:package`."""
    tree = ast.parse(source)
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
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
    package = ["xcat_rhev", *module.split(".")][: -node.level]
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
        pattern in ("*", target)
        or target.startswith(f"{pattern}.")
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
    return "" if fits(found.target, MAY[here]) else found.target


def test_no_room_imports_what_it_must_not() -> None:
    files = modules()
    wrong = []
    for module, path in files.items():
        for found in imports(module):
            reason = forbidden(found, files)
            if reason:
                wrong.append(f"{path.relative_to(ROOT.parent)}:{found.line} imports {reason}")
    assert not wrong, "\n".join(wrong)


def test_every_module_is_in_a_room() -> None:
    assert {room(module) for module in modules()} <= set(MAY)


@pytest.mark.parametrize(
    ("module", "source", "targets"),
    [
        ("engine.layers", "from ..errors import Bug", ["errors"]),
        ("engine.layers", "from . import fields, nowhere", ["engine.fields", "engine.__init__"]),
        ("engine.layers", "from .fields import Text", ["engine.fields"]),
        ("engine.__init__", "from .fields import Text", ["engine.fields"]),
        ("engine.layers", "from .. import __version__", ["__init__"]),
        ("engine.layers", "import xcat_rhev.xcat.wire", ["xcat.wire"]),
        ("engine.layers", "from xcat_rhev import xcat", ["xcat.__init__"]),
        (
            "engine.layers",
            "def f():\n    import lxml.etree\n    from ..commands.rpower import plan",
            [
                ":lxml",
                "commands.rpower",
            ],
        ),
        ("cli.main", "import importlib\nimportlib.import_module('xcat_rhev.sim.http')", [":importlib", "sim.http"]),
    ],
)
def test_imports_are_seen_wherever_they_stand(module: str, source: str, targets: list[str]) -> None:
    known = {
        "errors",
        "__init__",
        "engine.fields",
        "engine.layers",
        "engine.__init__",
        "xcat.wire",
        "xcat.__init__",
        "commands.rpower",
        "sim.http",
    }
    assert [found.target for found in imports_of(module, source, known)] == targets


@pytest.mark.parametrize(
    ("module", "target", "types", "ok"),
    [
        ("xcat.wire", "engine.manager", False, False),
        ("xcat.wire", ":requests", False, False),
        ("xcat.wire", "messages", False, True),
        ("engine.layers", ":requests", False, False),
        ("engine.wire.transport", ":requests", False, True),
        ("commands.rpower", "engine.manager", False, True),
        ("commands.rpower", "engine.wire.transport", False, False),
        ("commands.rpower", "xcat.wire", False, False),
        ("commands.rpower", "media.iso", False, True),
        ("daemon.server", "engine.manager", False, False),
        ("daemon.server", "commands.rpower", True, False),
        ("daemon.server", "run.dispatch", False, True),
        ("daemon.server", "declare.command", False, True),
        ("web.app", "xcat.wire", False, True),
        ("web.app", "xcat.rows", False, False),
        ("sim.http", "xcat.wire", False, False),
        ("plan.jobs", "engine.waiting", True, True),
        ("plan.jobs", "run.runner", True, False),
        ("rows.vm", "engine.nouns", True, False),
        ("run.dispatch", "engine.waiting", False, True),
        ("run.dispatch", "engine.wire.transport", False, False),
        ("commands.rpower", "engine.managers", False, False),
        ("cli.demo", "sim.http", False, True),
        ("errors", "messages", False, True),
        ("errors", "xcat.wire", False, False),
    ],
)
def test_the_table_is_kept(module: str, target: str, types: bool, ok: bool) -> None:
    assert (not forbidden(Import(module, target, 1, types), modules())) is ok


def test_a_command_does_not_import_another() -> None:
    files = modules()
    assert is_command("commands.rpower", files)
    assert not is_command("commands.vm.make", files)
    assert forbidden(Import("commands.lsvm", "commands.rpower", 1, False), files)
    assert not forbidden(Import("commands.lsvm", "commands.vm.machines", 1, False), files)


def test_every_file_at_the_top_of_commands_is_a_command() -> None:
    files = modules()
    top = [module for module in files if room(module) == "commands" and module.count(".") == 1]
    assert [module for module in top if not module.endswith("__init__") and not is_command(module, files)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    files = modules()
    edges = {module: {found.target for found in imports(module)} for module in files}
    assert circles(edges) == []


def test_no_folders_import_each_other_in_a_circle() -> None:
    files = modules()
    edges: dict[str, set[str]] = {}
    for module in files:
        here = folder(module)
        for found in imports(module):
            there = folder(found.target)
            if not found.target.startswith(":") and there and here and not nested(here, there):
                edges.setdefault(here, set()).add(there)
    assert circles(edges) == []


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert circles({"a": {"a", ":os"}, "b": {"a"}}) == []


def folder(module: str) -> str:
    """The folder that a module stands in."""
    return module.rpartition(".")[0]


def nested(one: str, other: str) -> bool:
    """Whether one folder is the other or stands inside it."""
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of names that reach each other; a name that reaches itself alone is none."""
    reach = {name: reached(name, edges) for name in edges}
    groups = {tuple(sorted(other for other in reach[name] if name in reach.get(other, ()))) for name in edges}
    return [list(group) for group in sorted(groups) if len(group) > 1]


def reached(name: str, edges: dict[str, set[str]]) -> set[str]:
    """All names that one leads to."""
    seen: set[str] = set()
    left = [name]
    while left:
        for target in edges.get(left.pop(), ()):
            if target not in seen:
                seen.add(target)
                left.append(target)
    return seen


def test_a_public_class_name_means_one_thing():
    """Two rooms do not share the name of a class: who reads it alone knows what it is."""
    places: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
