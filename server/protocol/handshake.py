"""What a handshake says beyond the SDK's own: the extensions that are served.

The SDK keeps them to the revision without a handshake, the first whose schema has a place for them. Hosts of the
revisions before it look for them among the capabilities all the same, and these are open to additions.
"""

from collections.abc import Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerMiddleware, ServerRequestContext

__all__ = ["Handshake"]


class Handshake(ServerMiddleware[Any]):
    """Adds the extensions to the answer to `initialize`; passes everything else on."""

    def __init__(self, extensions: Mapping[str, Mapping[str, Any]]) -> None:
        """Take the settings of each extension by its identifier, as the SDK announces them."""
        self._extensions = extensions

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Return the answer of the SDK, with the extensions where it is to a handshake."""
        result = await call_next(ctx)
        if ctx.method != "initialize" or not isinstance(result, dict):
            return result
        return {**result, "capabilities": {**result["capabilities"], "extensions": dict(self._extensions)}}
