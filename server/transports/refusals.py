"""What is said over HTTP of a body that is no message, or too long: one sentence that says what would do.

The SDK's own answer is, in the handshake era, pydantic's report of every form that the body failed to take, over many
lines; and of a body that is too long it does not say how long one may be.
"""

import json

from mcp.types import INVALID_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PlainRefusals"]

_BAD_REQUEST, _TOO_LARGE = 400, 413
_REPORT = b'"Validation error: '
_NO_MESSAGE = "The body is JSON but not one JSON-RPC 2.0 request, notification or response"
_PLAIN = json.dumps(
    {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": _NO_MESSAGE}}, separators=(",", ":")
).encode()


class PlainRefusals:
    """Passes requests on to the protocol, and words two of its refusals anew."""

    def __init__(self, protocol: ASGIApp, *, most_bytes: int) -> None:
        self._protocol = protocol
        self._too_large = f"Request body too large: it may have at most {most_bytes} bytes\n".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        held: Message | None = None

        async def plainly(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and message["status"] in {_BAD_REQUEST, _TOO_LARGE}:
                held = message
                return
            if held is not None:
                start, held = held, None
                body = self._worded(start["status"], message.get("body", b""))
                if body is not None:
                    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                    start = {**start, "headers": [*others, (b"content-length", str(len(body)).encode())]}
                    message = {**message, "body": body}
                await send(start)
            await send(message)

        await self._protocol(scope, receive, plainly)

    def _worded(self, status: int, body: bytes) -> bytes | None:
        """Return what is said in place of `body`; None where it stands."""
        if status == _TOO_LARGE:
            return self._too_large
        return _PLAIN if _REPORT in body else None
