"""The built wheel puts one name into an environment and starts its own code, whatever lies in the folder.

Authority: the packaging promise in the README; tried on the wheel itself, installed as pip installs it.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.build import build_wheel

from estimator.base.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_COMMAND = 120


def _run(command: list[str], cwd: Path, said: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean | environment,
        input=said,
        capture_output=True,
        text=True,
        timeout=SECONDS_PER_COMMAND,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return folder / build_wheel(str(folder))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, which borrows only the dependencies from this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}, scheme="venv"))
    # A folder named in a .pth file is searched, but its own .pth files (the editable checkout) are not read.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    installed = _run([*pip, str(wheel)], folder, PIP_DISABLE_PIP_VERSION_CHECK="1")
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture
def users_folder(tmp_path: Path) -> Path:
    """A project whose own packages have the names that the program uses inside."""
    for name in ("server", "tools", "estimator"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('the wrong code')\n", encoding="utf-8")
    return tmp_path


def test_the_wheel_holds_one_import_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert tops == {"traintime", f"traintime-{VERSION}.dist-info"}


def test_the_wheel_holds_every_module_and_data_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    sources = {
        f"traintime/_app/{path.relative_to(ROOT).as_posix()}"
        for package in ("server", "tools", "estimator", "skills")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in {".css", ".csv", ".html", ".js", ".json", ".md", ".py"}
    }
    assert sources <= inside


def test_an_environment_with_the_wheel_has_no_name_but_the_launcher(environment: Path, tmp_path: Path) -> None:
    probe = "import importlib.util as u; print([n for n in ('server', 'tools', 'estimator') if u.find_spec(n)])"
    answer = _run([str(environment / "bin" / "python"), "-c", probe], tmp_path)
    assert answer.stdout.strip() == "[]", answer.stderr


@pytest.mark.parametrize("pythonpath", ["", "."])
def test_the_installed_command_runs_its_own_code_in_a_folder_with_the_same_names(
    environment: Path, users_folder: Path, pythonpath: str
) -> None:
    answer = _run([str(environment / "bin" / "traintime"), "--version"], users_folder, PYTHONPATH=pythonpath)
    assert answer.returncode == 0, answer.stderr
    assert VERSION in answer.stdout


def test_an_installed_server_serves_the_skill_of_the_checkout(environment: Path, tmp_path: Path) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}
    asked = {"initialize": hello, "resources/read": {"uri": "skill://estimate-training-time/SKILL.md"}}
    messages = [
        {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
        for id_, (method, params) in enumerate(asked.items())
    ]
    messages.insert(1, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    said = "".join(f"{json.dumps(message)}\n" for message in messages)
    answer = _run([str(environment / "bin" / "traintime"), "serve"], tmp_path, said)
    (contents,) = json.loads(answer.stdout.splitlines()[-1])["result"]["contents"]
    skill = ROOT / "skills" / "estimate-training-time" / "SKILL.md"
    assert contents["text"] == skill.read_text(encoding="utf-8")


def test_the_installed_module_runs_its_own_code_in_a_folder_with_the_same_names(
    environment: Path, users_folder: Path
) -> None:
    command = [str(environment / "bin" / "python"), "-m", "traintime", "gpus", "--query", "h100-sxm", "--json"]
    answer = _run(command, users_folder, PYTHONPATH=".")
    assert answer.returncode == 0, answer.stderr
    assert "h100-sxm" in answer.stdout
