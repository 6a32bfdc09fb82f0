"""The real program without its shortcut, every call answered the SDK's own way: `python -m tests.sdks_way serve …`."""

from typing import Any
from unittest.mock import patch

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from server.command_line.cli import main
from server.protocol.shortcut import Shortcut

__all__: list[str] = []


async def _passed_on(_shortcut: Shortcut, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Return what the SDK makes of a request."""
    return await call_next(ctx)


if __name__ == "__main__":
    with patch.object(Shortcut, "__call__", _passed_on):
        main()
