"""The page is announced, listed and read as MCP Apps wants it, and costs nothing until it is.

Authority: MCP Apps, revision 2026-01-26 (`_meta.ui`, the MIME type, the extension's name).
"""

import subprocess
import sys

import pytest
from mcp import Client

from server.protocol.app import build
from server.view import page
from tests.places import ROOT
from tests.transports import ERAS

SHOWN = {"check_training_speed", "compare_training_options", "estimate_training_time", "plan_training"}
EXTENSION = "io.modelcontextprotocol/ui"
NOTHING_READ = """
import sys
opened = []
sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" else None)
import anyio
from mcp import Client
from server.protocol.app import build

async def main():
    async with Client(build(), mode="2026-07-28") as client:
        await client.list_tools()
        await client.list_resources()
        await client.call_tool("list_gpus", {"query": "h100-sxm"})
        assert not [path for path in opened if "server/view/source" in path]
        await client.read_resource("ui://traintime/view.html")
        assert [path for path in opened if "server/view/source" in path]

anyio.run(main)
"""


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_name_the_page_and_the_page_is_there(era: str) -> None:
    async with Client(build(), mode=era) as client:
        named = {tool.name: tool.meta for tool in (await client.list_tools()).tools if tool.meta}
        assert named == {name: {"ui": {"resourceUri": page.ADDRESS}} for name in SHOWN}
        (listed,) = [found for found in (await client.list_resources()).resources if found.uri == page.ADDRESS]
        (read,) = (await client.read_resource(page.ADDRESS)).contents
    assert getattr(read, "text", None) == page.page()
    for told in (listed, read):
        assert told.mime_type == "text/html;profile=mcp-app"
        assert told.meta is not None
        wanted = told.meta["ui"]
        assert set(wanted["csp"]) == {"connectDomains", "resourceDomains", "frameDomains", "baseUriDomains"}
        assert not any(wanted["csp"].values()), "it connects to nothing"
        assert wanted["permissions"] == {}


@pytest.mark.parametrize("era", ["legacy", "auto"])
async def test_the_extension_is_announced(era: str) -> None:
    async with Client(build(), mode=era) as client:
        capabilities = client.server_capabilities
    assert capabilities.extensions is not None
    assert capabilities.extensions[EXTENSION] == {}


def test_the_page_is_not_read_before_a_host_asks_for_it() -> None:
    tried = subprocess.run(
        [sys.executable, "-c", NOTHING_READ], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert tried.returncode == 0, tried.stderr
