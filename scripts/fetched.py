"""Programs that a check or a release needs and the project does not: fetched at a named version, kept under build/."""

import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["TOOLS", "UnavailableError", "binaries", "node_program", "python_program"]

TOOLS = Path(__file__).resolve().parent.parent / "build" / "tools"
SECONDS_TO_FETCH = 600


class UnavailableError(Exception):
    """A program that cannot be had here: no network, or no Node.js."""


def binaries(environment: Path) -> Path:
    """Return where the programs of a virtual environment lie."""
    return environment / ("Scripts" if sys.platform == "win32" else "bin")


def python_program(requirement: str, program: str) -> str:
    """Return the path of `program` from the Python package `requirement` (`name==version`).

    Raises UnavailableError where it cannot be fetched.
    """
    folder = TOOLS / requirement.replace("==", "-")
    path = binaries(folder) / program
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _fetch([sys.executable, "-m", "venv", str(folder)], requirement)
        pip = [str(binaries(folder) / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        _fetch([*pip, requirement], requirement)
    return str(path)


def node_program(package: str, program: str) -> str:
    """Return the path of `program` from the npm package `package` (`name@version`).

    Raises UnavailableError where it cannot be fetched.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError(f"{package} needs Node.js")
    folder = TOOLS / package.removeprefix("@").replace("/", "-").replace("@", "-")
    path = folder / "node_modules" / ".bin" / program
    if not path.exists():
        _fetch([npm, "install", "--silent", "--no-save", "--prefix", str(folder), package], package)
    return str(path)


def _fetch(command: list[str], what: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=SECONDS_TO_FETCH)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise UnavailableError(f"{what} cannot be fetched: {said[-1] if said else 'no reason given'}")
