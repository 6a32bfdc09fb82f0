"""Imports go one way, and the estimator stays pure.

Authority: the cut of the program; server → tools → estimator, and nothing in the estimator that could make
the same question answer differently tomorrow (clock, network, environment, randomness without a seed).
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from tests.every import of_every

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "estimator": {"estimator"},
    "tools": {"tools", "estimator"},
    "server": {"server", "tools", "estimator"},
    "traintime": {"server", "traintime"},
}
OUR_PACKAGES = set(MAY_IMPORT)
ROOMS = (
    *("base", "models", "question", "physics", "catalogue", "evidence", "resolve", "answers", "calibrate"),
    *("tools", "server"),
)
"""The rooms of the program, lowest first: a room imports from itself and from those before it."""
ANSWERS_MAY_USE = {"estimate": set[str](), "sweep": {"estimate", "compare"}}
"""Which of the other answers each may use; all but `estimate` may use that one."""
ESTIMATOR_THIRD_PARTY = {"numpy", "pydantic", "typing_extensions"}
IMPURE_MODULES = {
    "asyncio",
    "concurrent",
    "http",
    "logging",
    "multiprocessing",
    "os",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
CLOCK_CALLS = {"now", "today", "utcnow"}
READING_CALLS = {"open", "read_bytes", "read_text"}
MODULES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def _called(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


def _label(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@of_every(MODULES, called=_label)
def test_a_module_imports_only_from_its_own_level_and_below(path: Path) -> None:
    tree = _tree(path)
    package = path.relative_to(ROOT).parts[0]
    ours = {name.partition(".")[0] for name in _imported(tree)} & OUR_PACKAGES
    assert ours <= MAY_IMPORT[package]


def _room(name: str) -> str | None:
    """Return the room of a dotted name, or None outside all rooms."""
    package, *rest = name.split(".")
    room = rest[0] if package == "estimator" and rest else package
    return room if room in ROOMS else None


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@of_every(MODULES, called=_label)
def test_a_room_imports_only_from_itself_and_the_rooms_below(path: Path) -> None:
    tree = _tree(path)
    room = _room(_dotted(path))
    if room is None:
        return
    above = set(ROOMS[ROOMS.index(room) + 1 :])
    assert not {_room(name) for name in _imported(tree)} & above


@of_every(MODULES, called=_label)
def test_an_answer_imports_no_other_than_it_may(path: Path) -> None:
    tree = _tree(path)
    if _room(_dotted(path)) != "answers":
        return
    answer = path.relative_to(ROOT).parts[2]
    others = {name.split(".")[2] for name in _imported(tree) if name.startswith("estimator.answers.")} - {answer}
    assert others <= ANSWERS_MAY_USE.get(answer, {"estimate"})


def test_nothing_is_imported_in_a_circle() -> None:
    """Wherever an import stands, at the top of a file or in a function: the graph of files has an order."""
    names = {_dotted(path).removesuffix(".__init__") for path in MODULES}
    graph = {
        _dotted(path).removesuffix(".__init__"): {
            target
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for target in _targets(node)
            if target in names
        }
        for path in MODULES
    }
    assert list(TopologicalSorter(graph).static_order())


def _targets(node: ast.AST) -> Iterator[str]:
    """Yield the files that an import statement may mean: `from a import b` is a.b where that is a file, else a."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        submodules = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from submodules
        if not all((ROOT / f"{name.replace('.', '/')}.py").is_file() for name in submodules):
            yield node.module


@of_every(MODULES, called=_label)
def test_the_estimator_imports_nothing_that_could_change_its_answer(path: Path) -> None:
    tree = _tree(path)
    if path.relative_to(ROOT).parts[0] != "estimator":
        return
    imported = {name.partition(".")[0] for name in _imported(tree)} - OUR_PACKAGES
    assert not imported & IMPURE_MODULES
    assert imported <= set(sys.stdlib_module_names) | ESTIMATOR_THIRD_PARTY
    assert not CLOCK_CALLS & set(_called(tree))
    assert "print" not in set(_called(tree))


@of_every(MODULES, called=_label)
def test_only_the_catalogue_reads_files(path: Path) -> None:
    tree = _tree(path)
    if path.relative_to(ROOT).parts[0] == "estimator" and path.name not in {"catalogue.py", "files.py", "kind_runs.py"}:
        assert not READING_CALLS & set(_called(tree))


@of_every(MODULES, called=_label)
def test_no_module_is_imported_relatively_or_by_star(path: Path) -> None:
    """A name says where it comes from."""
    tree = _tree(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert all(alias.name != "*" for alias in node.names)
            assert node.module != "__future__"
