"""Answers of quick tools on the shortest way out.

The SDK copies an answer three times and validates it twice before it is sent. An answer of ours is JSON already, so a
call that goes well skips it; all else (errors, slow tools, sessions of the handshake era, whatever the SDK knows and we
do not) goes the SDK's own way, and `tests/server/protocol/test_both_ways.py` holds the two equal.

Measured beside the same server without it (Python 3.11, 2 cores), on a new closed-form question: 1.12 ms of processor a
call over stdio and not 1.39, 1.44 ms over HTTP and not 1.66, and 1.14 times as many calls a second on 8 connections;
1.21 times where the answer is kept.
"""

from collections.abc import Callable
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext
from mcp.types import SERVER_INFO_META_KEY, Implementation
from mcp.types.methods import validate_client_request
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from server.protocol.tool import Answer

__all__ = ["Shortcut"]

_CALL = "tools/call"
_PARAMETERS = {"_meta", "arguments", "name"}
"""What a plain call holds; more is for the SDK to understand."""


class Shortcut(ServerMiddleware[Any]):
    """Answers plain calls of quick tools; passes everything else on."""

    def __init__(self, quick_answer: Callable[[str, dict[str, Any]], Answer | None], server: Implementation) -> None:
        """Take what answers a call (None: not this way), and who answers."""
        self._quick_answer = quick_answer
        self._stamp = {SERVER_INFO_META_KEY: server.model_dump(by_alias=True, mode="json", exclude_none=True)}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Return the answer as it goes over the wire, or what the SDK makes of the request."""
        params = ctx.params
        if (
            params is None
            or ctx.method != _CALL
            or ctx.protocol_version not in MODERN_PROTOCOL_VERSIONS
            or not params.keys() <= _PARAMETERS
        ):
            return await call_next(ctx)
        validate_client_request(_CALL, ctx.protocol_version, params)
        answer = self._quick_answer(params["name"], params.get("arguments") or {})
        if answer is None:
            return await call_next(ctx)
        return {
            "content": [{"text": answer.text, "type": "text"}],
            "isError": False,
            "resultType": "complete",
            "structuredContent": answer.structured,
            "_meta": self._stamp,
        }
