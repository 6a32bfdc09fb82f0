"""Hosts and registries are told the truth: one version, files that are there, a command that starts this server.

Authority: pyproject.toml, the version, and the generator that writes the manifests of them.
"""

import base64
import json
import struct
from collections.abc import Iterator
from typing import cast
from urllib.parse import parse_qs, urlsplit

import pytest

from estimator.base.version import VERSION
from scripts.manifests import (
    ICON_SIZES,
    NAME,
    PROJECT,
    PUBLISHED_ICON,
    PYPROJECT,
    REPOSITORY,
    SERVER_NAME,
    documents,
    icon,
    links,
    written,
)
from server.protocol.app import build
from tests.places import ROOT

DOCUMENTS = documents()
SERVERS = {path: manifest["mcpServers"] for path, manifest in DOCUMENTS.items() if "mcpServers" in manifest}
LONGEST_REGISTERED_DESCRIPTION = 100


def _told(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text of a document with the key that it stands under."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for inner_key, inner in cast("dict[str, object]", value).items():
            yield from _told(inner, inner_key)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _told(inner, key)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_manifest_is_what_would_be_written_now(path: str) -> None:
    lies = (ROOT / path).read_text(encoding="utf-8")
    assert lies == written(DOCUMENTS[path]), "to accept what is told now: scripts/manifests"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_manifest_names_no_other_version(path: str) -> None:
    assert {text for key, text in _told(DOCUMENTS[path]) if key == "version"} <= {VERSION}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_file_that_a_manifest_names_is_there(path: str) -> None:
    named = [text for _, text in _told(DOCUMENTS[path]) if text.startswith(("./", "assets/"))]
    assert [text for text in named if not (ROOT / text).exists()] == []


def test_every_plugin_starts_this_program_from_its_copy_or_the_repository() -> None:
    assert len(SERVERS) == len(["Agent Plugins", "Claude Code", "Codex", "Cursor", "Gemini CLI"])
    for path, (server,) in ((path, servers.values()) for path, servers in SERVERS.items()):
        *source, program, command = server["args"]
        assert (program, command) == (*PROJECT["scripts"], "serve"), path
        match [server["command"], *source]:
            case ["uv", "run", "--directory", folder]:
                assert folder.startswith("${") or (folder, server.get("cwd")) == (".", ".")
            case other:
                assert other == ["uvx", "--from", f"git+{REPOSITORY}"]


def test_a_copy_is_run_without_what_only_its_developers_need() -> None:
    assert PYPROJECT["tool"]["uv"]["default-groups"] == []


def test_a_description_is_short_enough_for_the_registry() -> None:
    assert 0 < len(PROJECT["description"]) <= LONGEST_REGISTERED_DESCRIPTION


def test_the_registry_knows_the_server_by_the_owner_of_the_repository() -> None:
    owner, name = urlsplit(REPOSITORY).path.strip("/").split("/")
    assert f"io.github.{owner}/{name}" == SERVER_NAME
    assert f"<!-- mcp-name: {SERVER_NAME} -->" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("size", ICON_SIZES)
def test_an_icon_is_a_square_png_of_the_size_in_its_name(size: int) -> None:
    picture = (ROOT / icon(size)).read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", picture[16:24]) == (size, size)


def test_the_server_shows_the_icon_that_the_registry_shows() -> None:
    (announced,) = build().icons or []
    assert announced.src == PUBLISHED_ICON
    assert (ROOT / announced.src.partition("/HEAD/")[2]).is_file()
    assert announced.sizes == ["128x128"]


def test_one_click_starts_the_server_from_the_repository_or_from_a_release() -> None:
    asked = {what: parse_qs(urlsplit(address).query) for what, address in links().items()}
    assert all(query["name"] == [NAME] for query in asked.values())
    configured = {
        what: json.loads(query["config"][0] if what.startswith("VS Code") else base64.b64decode(query["config"][0]))
        for what, query in asked.items()
    }
    repository = {"command": "uvx", "args": ["--from", f"git+{REPOSITORY}", NAME, "serve"]}
    release = {"command": "uvx", "args": [NAME, "serve"]}
    assert configured == {
        "VS Code, repository": repository,
        "Cursor, repository": repository,
        "VS Code, release": release,
        "Cursor, release": release,
    }
