"""The bundle holds all that its host will run, and nothing that changes from one build to the next.

Authority: the bundle itself, laid out as a host unpacks it.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from estimator.base.version import VERSION
from scripts.bundle import bundled, staged
from server.protocol.app import build
from server.protocol.prompts import PROMPTS


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a host finds after unpacking."""
    folder = tmp_path_factory.mktemp("bundle")
    staged(folder)
    return folder


@pytest.fixture(scope="module")
def manifest(stage: Path) -> dict[str, Any]:
    """What the bundle tells of itself."""
    told: dict[str, Any] = json.loads((stage / "manifest.json").read_text(encoding="utf-8"))
    return told


def test_a_file_that_the_manifest_names_is_inside(stage: Path, manifest: dict[str, Any]) -> None:
    named = [manifest["icon"], *(icon["src"] for icon in manifest["icons"]), manifest["server"]["entry_point"]]
    assert [path for path in [*named, "pyproject.toml"] if not (stage / path).is_file()] == []


async def test_the_tools_and_prompts_that_are_shown_are_the_servers(manifest: dict[str, Any]) -> None:
    tools = {tool["name"]: tool["description"] for tool in manifest["tools"]}
    assert tools == {tool.name: tool.description for tool in await build().list_tools()}
    assert [prompt["name"] for prompt in manifest["prompts"]] == list(PROMPTS)
    for prompt in manifest["prompts"]:
        assert all(f"${{arguments.{argument}}}" in prompt["text"] for argument in prompt["arguments"])


def test_what_is_inside_runs_by_itself(stage: Path) -> None:
    probe = "import traintime, sys; print(traintime.__file__); sys.argv[1:] = ['--version']; traintime.main()"
    command = [sys.executable, "-c", probe]
    answer = subprocess.run(command, cwd=stage, env={}, capture_output=True, text=True, timeout=120, check=False)
    assert answer.returncode == 0, answer.stderr
    whose, said = answer.stdout.splitlines()
    assert whose == str(stage / "traintime" / "__init__.py")
    assert VERSION in said


def test_the_same_checkout_gives_the_same_bytes(stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    one, two = (bundled(stage, folder) for folder in folders)
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        inside = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    assert inside == {
        path.relative_to(stage).as_posix(): path.read_bytes() for path in stage.rglob("*") if path.is_file()
    }
