"""A quick tool's answer takes a shorter way out than the SDK's, and nobody can tell."""

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.server.context import ServerRequestContext

from server.protocol.app import TraintimeServer, build
from server.protocol.shortcut import Shortcut

QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("list_gpus", {"query": "h100", "limit": 2}),
    (
        "estimate_training_time",
        {"model": "gpt-3-175b", "tokens": "300B", "gpu": "A100", "n_gpus": 1024, "utilization": 0.45},
    ),
    ("explain_coefficient", {}),
    ("estimate_training_time", {"model": "gpt-3-175b", "tokens": "300B", "gpu": "no such", "n_gpus": 1}),
    ("list_gpus", {"limit": 0}),
    ("compare_training_options", {"models": ["7B"], "gpus": ["H100"], "n_gpus": [8], "tokens": ["1B"]}),
)


def _without_shortcut() -> TraintimeServer:
    server = build()
    server.middleware[:] = [one for one in server.middleware if not isinstance(one, Shortcut)]
    return server


@pytest.mark.parametrize(("tool", "arguments"), QUESTIONS)
async def test_the_short_way_and_the_sdks_own_send_the_same(tool: str, arguments: dict[str, Any]) -> None:
    """Authority: the SDK, which shapes an answer for the protocol version in use."""
    sent: list[str] = []
    for server in (build(), _without_shortcut()):
        async with Client(server, mode="2026-07-28") as client:
            result = await client.call_tool(tool, arguments)
            sent.append(result.model_dump_json(by_alias=True))
    assert json.loads(sent[0]) == json.loads(sent[1])


async def test_only_plain_calls_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of the handshake era, and what a call holds beside name and arguments, is for the SDK."""
    passed: list[str] = []
    way = Shortcut.__call__

    async def watched(self: Shortcut, ctx: ServerRequestContext[Any, Any], call_next: Any) -> Any:  # noqa: ANN401 - the SDK's own
        async def passed_on(ctx: ServerRequestContext[Any, Any]) -> Any:  # noqa: ANN401 - the SDK's own
            passed.append(ctx.method)
            return await call_next(ctx)

        return await way(self, ctx, passed_on)

    monkeypatch.setattr(Shortcut, "__call__", watched)
    for mode, is_passed in (("legacy", True), ("2026-07-28", False)):
        async with Client(build(), mode=mode) as client:
            passed.clear()
            await client.call_tool("explain_coefficient", {})
            assert ("tools/call" in passed) is is_passed, mode


async def test_a_malformed_call_is_refused_on_the_short_way_too() -> None:
    """Authority: JSON-RPC 2.0, error -32602."""
    async with Client(build(), mode="2026-07-28") as client:
        with pytest.raises(MCPError, match=r"(?i)invalid|unknown"):
            await client.call_tool("no such tool", {})
