"""What is installed from the locks is what was tested, byte for byte, from whatever index.

Authority: the security policy.
"""

import re
from pathlib import Path

import pytest

from tests.places import ROOT

LOCKS = sorted(ROOT.glob("requirements*.txt"))
_PIN = re.compile(r"^([\w.-]+(?:\[[\w,-]+\])?)==([\w.!+-]+)", re.MULTILINE)


def _pins(lock: Path) -> set[tuple[str, str]]:
    """Return names and versions; a package has several where Pythons need different ones."""
    return set(_PIN.findall(lock.read_text(encoding="utf-8")))


def test_there_is_a_lock_for_the_program_each_extra_and_the_tests() -> None:
    assert {lock.stem for lock in LOCKS} == {
        "requirements",
        "requirements-dev",
        "requirements-ray",
        "requirements-sweep",
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_requirement_is_one_version_with_its_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = [part for part in re.split(r"\n(?=\S)", text) if part.strip()]
    assert len(requirements) == len(_pins(lock)) > 10
    assert all("--hash=sha256:" in requirement for requirement in requirements)
    assert "://" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_the_tests_run_on_the_versions_that_users_get(lock: Path) -> None:
    assert _pins(lock) <= _pins(ROOT / "requirements-dev.txt")


def test_extras_add_to_what_the_program_runs_on() -> None:
    base, sweep, ray = (_pins(ROOT / f"requirements{extra}.txt") for extra in ("", "-sweep", "-ray"))
    assert base < sweep < ray
