"""What the README shows is what the program does.

Authority: the program itself. Each ```console block is run as printed (see scripts/readme.py).
"""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estimator.base.version import VERSION
from scripts.readme import README as README_FILE
from scripts.readme import RUN_AS, printed, sessions
from server.protocol.app import build

ROOT = Path(__file__).resolve().parent.parent
README = README_FILE.read_text(encoding="utf-8")
ACCURACY = ROOT / "estimator" / "catalogue" / "data" / "accuracy.json"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


SESSIONS = dict(sessions(README))


def test_the_readme_shows_real_answers() -> None:
    assert {shlex.split(command)[0] for command in SESSIONS} == set(RUN_AS)
    assert len(SESSIONS) == len(_blocks("console"))


@pytest.mark.parametrize("command", SESSIONS)
def test_a_shown_command_prints_what_is_shown(command: str) -> None:
    assert printed(command, SESSIONS[command]) == SESSIONS[command], "to accept what is printed now: scripts/readme"


def _host_configurations() -> Iterator[dict[str, Any]]:
    for block in _blocks("json"):
        (servers,) = json.loads(block).values()
        yield servers["traintime"]
    for block in _blocks("toml"):
        yield tomllib.loads(block)["mcp_servers"]["traintime"]


def test_every_host_starts_the_same_command() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commands = {(host["command"], *host["args"]) for host in _host_configurations()}
    assert commands == {("uvx", project["name"], "serve")}
    assert set(project["scripts"]) == {project["name"]}


@pytest.mark.parametrize("host", ["Claude Code", "Claude Desktop", "Cursor", "VS Code", "Codex", "Gemini CLI", "Zed"])
def test_a_host_has_its_instructions(host: str) -> None:
    assert f"<summary>{host}</summary>" in README


def test_every_flag_of_serve_that_is_shown_exists() -> None:
    shown = {
        flag
        for block in _blocks("sh")
        for line in block.splitlines()
        if line.startswith("traintime serve")
        for flag in re.findall(r"--[a-z-]+", line.partition("#")[0])
    }
    known = set(re.findall(r"--[a-z-]+", printed("traintime serve --help", "")))
    assert shown
    assert shown <= known


async def test_the_tools_in_the_table_are_the_tools_of_the_server() -> None:
    section = README.partition("\n## Tools\n")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert shown == [tool.name for tool in await build().list_tools()]


async def test_the_resources_and_prompts_that_are_named_are_those_of_the_server() -> None:
    server = build()
    resources = {
        uri for resource in await server.list_resources() if (uri := str(resource.uri)).startswith("traintime:")
    }
    templates = {template.uri_template for template in await server.list_resource_templates()}
    assert set(re.findall(r"`(traintime://[^`]+)`", README)) == resources | templates
    assert {prompt.name for prompt in await server.list_prompts()} == {"plan_a_run", "is_this_normal"}
    assert all(f"`{prompt.name}`" in README for prompt in await server.list_prompts())


def test_the_registry_entry_names_this_version_of_this_server() -> None:
    entry = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
    assert f"<!-- mcp-name: {entry['name']} -->" in README
    assert {entry["version"], *(package["version"] for package in entry["packages"])} == {VERSION}
    longest_description = 100  # the registry refuses more
    assert len(entry["description"]) <= longest_description


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"\]\((?!https?:)([^)#]+)\)", README)) | set(re.findall(r"`(scripts/\w+)`", README))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def _measured() -> list[float]:
    """Return every number of the backtest, or none where it has not been run."""
    numbers: list[float] = []

    def note(text: str) -> None:
        numbers.append(float(text))

    if ACCURACY.exists():
        json.loads(ACCURACY.read_text(encoding="utf-8"), parse_float=note, parse_int=note)
    return numbers


def test_the_stated_accuracy_is_the_measured_accuracy() -> None:
    """Each figure in the block is one of the backtest's, rounded; without a backtest there is no figure."""
    block = README.partition("<!-- accuracy:begin -->")[2].partition("<!-- accuracy:end -->")[0]
    measured = _measured()
    cells = [cell.strip() for line in block.splitlines() if line.startswith("|") for cell in line.split("|")[2:-1]]
    figures = [cell for cell in cells if re.fullmatch(r"[\d,.]+ ?[%×]?", cell)]
    assert bool(figures) == bool(measured)
    for figure in figures:
        text = figure.rstrip("%× ").replace(",", "")
        scale = 100.0 if figure.endswith("%") else 1.0
        rounding = 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert any(abs(value * scale - float(text)) <= rounding * 1.0001 for value in measured), figure
