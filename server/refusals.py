"""What is said over HTTP of a body that is no message, in the handshake era: one sentence.

The SDK's own answer there is pydantic's report of every form that the body failed to take, over many lines.
"""

import json

from mcp.types import INVALID_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PlainRefusals"]

_BAD_REQUEST = 400
_REPORT = b'"Validation error: '
_SENTENCE = "The body is JSON but not one JSON-RPC 2.0 request, notification or response"
_PLAIN = json.dumps(
    {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": _SENTENCE}}, separators=(",", ":")
).encode()


class PlainRefusals:
    """Passes requests on to the protocol, and says its longest refusal in a sentence."""

    def __init__(self, protocol: ASGIApp) -> None:
        self._protocol = protocol

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        held: Message | None = None

        async def plainly(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] == _BAD_REQUEST:
                held = message
                return
            if held is not None:
                start, held = held, None
                if _REPORT in message.get("body", b""):
                    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                    start = {**start, "headers": [*others, (b"content-length", str(len(_PLAIN)).encode())]}
                    message = {**message, "body": _PLAIN}
                await send(start)
            await send(message)

        await self._protocol(scope, receive, plainly)
