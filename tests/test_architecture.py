"""The map of the code is the code: every room is on it, and what it names is where it says.

Authority: the tree itself.
"""

import ast
import re

import pytest

from tests.every import of_every
from tests.places import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PATHS = sorted({path for path in re.findall(r"`([\w./-]+)`", TEXT) if "/" in path or path.endswith(".md")})
NAMES = sorted(set(re.findall(r"`(\w+)` in\s+`([\w/]+\.py)`", TEXT)))
ROOMS = sorted(
    folder.relative_to(ROOT).as_posix()
    for package in ("estimator", "server")
    for folder in (ROOT / package).iterdir()
    if (folder / "__init__.py").is_file()
)


def _defined(source: str) -> set[str]:
    """Return every class, function, method and constant of a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    return names


@of_every(PATHS)
def test_a_path_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_a_name_is_defined_in_the_file_it_is_said_to_be_in(name: str, path: str) -> None:
    assert name in _defined((ROOT / path).read_text(encoding="utf-8"))


def test_names_are_followed_from_the_transport_to_the_estimate() -> None:
    assert {"call_tool", "resolve", "estimate_of", "prediction", "step_time"} <= {name for name, _ in NAMES}


@of_every(ROOMS)
def test_every_room_has_a_line(room: str) -> None:
    assert f"| `{room}/` |" in TEXT
