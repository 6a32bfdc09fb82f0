"""What the README shows is what the program does, and what it states was measured.

Authority: the program itself, and the committed backtest. Each ```console block is run as printed (see
scripts/readme.py).
"""

import json
import re
import shlex
from pathlib import Path

import pytest

from estimator.base.version import VERSION
from scripts.figures import KINDS_TOLD, judged_kinds
from scripts.manifests import NAME, PROJECT, REPOSITORY, links
from scripts.readme import DOCUMENTS, RUN_AS, filled, printed, sessions
from scripts.readme import README as README_FILE
from server.protocol.app import build
from tests.places import ROOT

README = README_FILE.read_text(encoding="utf-8")
DATA = ROOT / "estimator" / "catalogue" / "data"
FROM_THE_REPOSITORY = ("uvx", "--from", f"git+{REPOSITORY}", NAME, "serve")
HOSTS = ("Claude Code", "Claude Desktop", "Codex", "Cursor", "Gemini CLI", "VS Code", "Zed")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


SESSIONS = dict(sessions(README))


def test_the_readme_shows_real_answers() -> None:
    assert {shlex.split(command)[0] for command in SESSIONS} == set(RUN_AS)
    assert len(SESSIONS) == len(_blocks("console"))


@pytest.mark.parametrize("command", SESSIONS)
def test_a_shown_command_prints_what_is_shown(command: str) -> None:
    assert printed(command, SESSIONS[command]) == SESSIONS[command], "to accept what is printed now: scripts/readme"


def test_every_host_starts_the_server_from_the_repository() -> None:
    """Before a release nothing else works; what needs one is told apart."""
    configured = [json.loads(block)["mcpServers"][NAME] for block in _blocks("json")]
    assert configured
    assert {(host["command"], *host["args"]) for host in configured} == {FROM_THE_REPOSITORY}
    typed = re.findall(r"(uvx [^`\n]+)", README)
    assert typed
    assert {tuple(shlex.split(command)) for command in typed} == {FROM_THE_REPOSITORY}
    assert set(PROJECT["scripts"]) == {NAME}


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_has_its_instructions(host: str) -> None:
    assert re.search(rf"^\| {host}[ ,|]", README, flags=re.MULTILINE)
    (summary,) = re.findall(r"<summary>(.*)</summary>", README)
    assert host in summary


def test_the_links_that_add_it_by_one_click_are_those_of_the_manifests() -> None:
    before, _, after = README.partition("needs the first release")
    for which, address in links().items():
        shown, other = (before, after) if which.endswith("repository") else (after, before)
        assert f"]({address})" in shown, "to see them: scripts/manifests"
        assert address not in other


COMMANDS = sorted(
    line.partition(" #")[0].strip()
    for block in _blocks("sh")
    for line in block.splitlines()
    if line.startswith("traintime ")
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_flag_that_is_shown_exists(command: str) -> None:
    program, name, *_ = shlex.split(command)
    known = set(re.findall(r"--[a-z-]+", printed(f"{program} {name} --help", "")))
    assert set(re.findall(r"--[a-z-]+", command)) <= known


async def test_the_tools_in_the_table_are_the_tools_of_the_server() -> None:
    section = README.partition("\n## Tools\n")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)
    assert shown == [tool.name for tool in await build().list_tools()]


async def test_the_resources_and_prompts_that_are_named_are_those_of_the_server() -> None:
    server = build()
    listed = {str(resource.uri) for resource in await server.list_resources()}
    resources = {uri for uri in listed if uri.startswith("traintime:")}
    assert set(re.findall(r"`(skill://[^`]+)`", README)) <= listed
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_document_states_what_was_measured(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert re.search(r"<!-- \w+:begin -->", text)
    assert filled(text, DOCUMENTS[document]) == text, "to state what is measured now: scripts/readme"


def test_every_kind_of_question_that_is_told_of_was_judged() -> None:
    assert judged_kinds() >= KINDS_TOLD


def _measured() -> list[float]:
    """Return every number of the backtest, and the share of people's reports that lie in their range."""
    numbers: list[float] = []

    def note(text: str) -> None:
        numbers.append(float(text))

    for name in ("accuracy.json", "tables.json"):
        json.loads((DATA / name).read_text(encoding="utf-8"), parse_float=note, parse_int=note)
    people = json.loads((DATA / "tables.json").read_text(encoding="utf-8"))["people"].values()
    return [*numbers, *(group["inside"] / group["rows"] for group in people)]


def test_the_stated_accuracy_is_the_measured_accuracy() -> None:
    """Each figure in the block is one of the backtest's, rounded."""
    block = README.partition("<!-- accuracy:begin -->")[2].partition("<!-- accuracy:end -->")[0]
    cells = [cell.strip() for line in block.splitlines() if line.startswith("|") for cell in line.split("|")[2:-1]]
    figures = [cell for cell in cells if re.fullmatch(r"[\d,.]+[%×]?", cell)]
    assert figures
    measured = _measured()
    for figure in figures:
        text = figure.rstrip("%×").replace(",", "")
        scale = 100.0 if figure.endswith("%") else 1.0
        rounding = 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert any(abs(value * scale - float(text)) <= rounding * 1.0001 for value in measured), figure
