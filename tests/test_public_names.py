"""Each module says what it offers, and others use nothing else.

Authority: the project's style; few public names, in a sorted `__all__`, in files small enough to read.
"""

import ast
from pathlib import Path

from tests.every import of_every

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("estimator", "server", "tools", "traintime")
MODULES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
LONGEST_FILE_LINES = 400


def _tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def _offered(tree: ast.Module) -> list[str] | None:
    """Return the names in `__all__` as written, or None where there is none."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            assert isinstance(node, ast.Assign | ast.AnnAssign)
            assert isinstance(node.value, ast.List)
            return [str(ast.literal_eval(element)) for element in node.value.elts]
    return None


def _defined(tree: ast.Module) -> set[str]:
    """Return the names that the module itself makes, at its top level."""
    names: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names.update(leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    return names


def _order(name: str) -> tuple[int, str]:
    """Return the place of a name: constants, classes, functions; each by the alphabet."""
    kind = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name


@of_every(MODULES)
def test_what_a_module_offers_is_its_own_sorted_and_named_once(name: str) -> None:
    tree = _tree(name)
    offered = _offered(tree)
    if offered is None:
        assert len(tree.body) == 1, "a module with more than a docstring has an __all__"
        return
    assert offered == sorted(set(offered), key=_order)
    assert set(offered) <= _defined(tree)


@of_every(MODULES)
def test_a_module_takes_from_others_only_what_they_offer(name: str) -> None:
    for node in ast.walk(_tree(name)):
        if not isinstance(node, ast.ImportFrom) or node.module not in MODULES:
            continue
        offered = _offered(_tree(node.module)) or []
        for alias in node.names:
            assert alias.name in offered or f"{node.module}.{alias.name}" in MODULES


@of_every(sorted({*MODULES.values(), *(ROOT / "tests").rglob("*.py")}), called=lambda path: path.name)
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE_LINES
