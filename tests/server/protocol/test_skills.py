"""The skills as hosts find, verify and read them.

Authority: the protocol's Skills extension (SEP-2640, stable) and the Agent Skills format, whose front matter is YAML.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, Request, Result, TextResourceContents
from pydantic import ConfigDict

from server.protocol.app import build
from server.protocol.skills import skills
from tests.fixture_server import TOOLS
from tests.places import ROOT
from tests.server.transports.test_stdio import INITIALIZE, Child
from tests.transports import ERAS, TRANSPORTS, connected

EXTENSION = "io.modelcontextprotocol/skills"
FOLDERS = sorted(path.parent for path in (ROOT / "skills").glob("*/SKILL.md"))
ADDRESS = "skill://estimate-training-time/SKILL.md"


class _Answer(Result):
    """An answer to a method that the SDK does not know."""

    model_config = ConfigDict(extra="allow")


async def _asked(client: Client, method: str, params: dict[str, Any]) -> dict[str, Any]:
    asked = Request[dict[str, Any], str](method=method, params=params)
    return (await client.session.send_request(asked, _Answer)).model_dump(mode="json", by_alias=True)


async def _read(client: Client, address: str) -> TextResourceContents:
    (contents,) = (await client.read_resource(address)).contents
    assert isinstance(contents, TextResourceContents)
    return contents


def _client(era: str) -> Client:
    return Client(build(TOOLS), mode=era)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_front_matter_keeps_to_the_format_and_is_what_a_yaml_reader_makes_of_it(folder: Path) -> None:
    (skill,) = (skill for skill in skills() if skill.address == f"skill://{folder.name}/SKILL.md")
    text = (folder / "SKILL.md").read_text(encoding="utf-8")
    fields = skill.front_matter
    assert fields == yaml.safe_load(text.split("---\n")[1])
    assert fields["name"] == folder.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", folder.name)
    assert len(folder.name) <= 64
    assert 1 <= len(fields["description"]) <= 1024
    assert 1 <= len(fields["compatibility"]) <= 500
    assert len(text.splitlines()) < 500


async def test_what_is_listed_is_every_file_on_disk_to_the_byte() -> None:
    on_disk = {f"skill://{path.relative_to(ROOT / 'skills').as_posix()}": path for path in _files(ROOT / "skills")}
    async with _client("2026-07-28") as client:
        entries = (await _asked(client, "skills/list", {}))["skills"]
        listed = [file for entry in entries for file in entry["resources"]]
        assert sorted(file["uri"] for file in listed) == sorted(on_disk)
        for file in listed:
            content = on_disk[file["uri"]].read_bytes()
            assert file["size"] == len(content)
            assert file["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
            contents = await _read(client, file["uri"])
            assert contents.text.encode() == content
            assert contents.mime_type == "text/markdown"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("era", ERAS)
async def test_a_skill_is_described_alike_wherever_it_is_met(era: str) -> None:
    async with _client(era) as client:
        (listed,) = (await _asked(client, "skills/list", {}))["skills"]
        got = await _asked(client, "skills/get", {"uri": ADDRESS})
        assert got["skill"] == listed
        assert listed["uri"] == ADDRESS
        (resource,) = (row for row in (await client.list_resources()).resources if row.uri == ADDRESS)
        assert resource.name == listed["frontmatter"]["name"]
        assert resource.description == listed["frontmatter"]["description"]
        assert resource.mime_type == "text/markdown"
        assert "nextCursor" not in got
        if era != "legacy":
            assert got["resultType"] == "complete"
            assert got["ttlMs"] > 0
            assert got["cacheScope"] == "public"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "address", ["skill://estimate-training-tme/SKILL.md", "skill://estimate-training-time", "", "x"]
)
async def test_an_unknown_skill_is_a_protocol_error_that_names_the_known(era: str, address: str) -> None:
    async with _client(era) as client:
        with pytest.raises(MCPError, match=ADDRESS) as caught:
            await _asked(client, "skills/get", {"uri": address})
        assert caught.value.error.code == INVALID_PARAMS


@pytest.mark.parametrize(
    "address",
    ["skill://estimate-training-time/no.md", "skill://estimate-training-time/../SKILL.md", "skill://", "skill:///"],
)
async def test_a_file_that_is_not_a_skills_own_is_not_there(address: str) -> None:
    async with _client("2026-07-28") as client:
        with pytest.raises(MCPError, match=f"unknown resource .*{ADDRESS}") as caught:
            await _read(client, address)
        assert caught.value.error.code == INVALID_PARAMS


async def test_the_address_of_the_folder_reads_as_its_skill() -> None:
    async with _client("2026-07-28") as client:
        assert (await _read(client, "skill://estimate-training-time")).text == (await _read(client, ADDRESS)).text


@pytest.mark.parametrize("transport", [transport for transport in TRANSPORTS if transport != "memory"])
async def test_skills_are_served_over_every_transport(transport: str) -> None:
    async with connected(transport, "2026-07-28") as client:
        assert (await _asked(client, "skills/get", {"uri": ADDRESS}))["skill"]["uri"] == ADDRESS


async def test_the_instructions_lead_to_a_skill_that_is_served() -> None:
    async with _client("legacy") as client:
        assert re.findall(r"skill://[\w/.-]+\.md", client.instructions or "") == [ADDRESS]


async def test_nothing_is_read_of_skills_until_somebody_asks_for_them() -> None:
    skills.cache_clear()
    async with _client("2026-07-28") as client:
        await client.list_tools()
        assert skills.cache_info().currsize == 0
        await _asked(client, "skills/list", {})
        assert skills.cache_info().currsize == 1


async def test_the_extension_is_announced_where_nothing_is_shaken() -> None:
    async with _client("2026-07-28") as client:
        capabilities = (await _asked(client, "server/discover", {}))["capabilities"]
    assert capabilities["extensions"][EXTENSION] == {}
    assert "resources" in capabilities


def test_the_extension_is_announced_in_a_handshake_beside_the_rest() -> None:
    child = Child()
    try:
        child.say(INITIALIZE)
        capabilities = child.heard()["result"]["capabilities"]
    finally:
        child.process.kill()
        child.process.communicate()
    assert capabilities["extensions"][EXTENSION] == {}
    assert {"resources", "tools"} <= set(capabilities)


def test_files_beside_the_main_one_are_part_of_their_skill_alone(tmp_path: Path) -> None:
    """A digest of `SKILL.md` alone would let what it refers to change unseen."""
    for name in ("b", "a"):
        (tmp_path / name / "references").mkdir(parents=True)
        (tmp_path / name / "SKILL.md").write_bytes(f"---\r\nname: {name}\r\ndescription: d, e\r\n---\r\n".encode())
        (tmp_path / name / "references" / "MORE.md").write_bytes(b"more")
    found = skills(tmp_path)
    assert [skill.front_matter for skill in found] == [{"name": name, "description": "d, e"} for name in ("a", "b")]
    assert [[file.address for file in skill.files] for skill in found] == [
        [f"skill://{name}/SKILL.md", f"skill://{name}/references/MORE.md"] for name in ("a", "b")
    ]
