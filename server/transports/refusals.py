"""What is said over HTTP of a body that is no message, or too long: one sentence that says what would do.

The SDK's own answer is, in the handshake era, pydantic's report of every form that the body failed to take, over many
lines; and of a body that is too long it does not say how long one may be.
"""

import json
from typing import cast

from mcp.types import INVALID_REQUEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BAD_ID", "PlainRefusals", "is_request_without_id"]

_ACCEPTED, _BAD_REQUEST, _TOO_LARGE = 202, 400, 413
_OF_THE_BODY = {b"content-length", b"transfer-encoding"}
_JSON = (b"content-type", b"application/json")
_REPORT = b'"Validation error: '
_NO_MESSAGE = "The body is JSON but not one JSON-RPC 2.0 request, notification or response"
_PLAIN = json.dumps(
    {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": _NO_MESSAGE}}, separators=(",", ":")
).encode()

BAD_ID = "A request's id must be text or a whole number"
_BAD_ID = json.dumps(
    {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": BAD_ID}}, separators=(",", ":")
).encode()


def is_request_without_id(body: bytes) -> bool:
    """Return whether `body` is a request with an id that none can have, which passes for a notification."""
    if b'"id"' not in body:
        return False
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and "method" in message and "id" in message


def _id_of_request(body: bytes) -> str | int | None:
    """Return the id of the request in `body`; None where it is none."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or "method" not in message:
        return None
    request_id = cast("dict[str, object]", message).get("id")
    return request_id if isinstance(request_id, str | int) else None


class PlainRefusals:
    """Passes requests on to the protocol, and words two of its refusals anew."""

    def __init__(self, protocol: ASGIApp, *, most_bytes: int) -> None:
        self._protocol = protocol
        self._too_large = f"Request body too large: it may have at most {most_bytes} bytes\n".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        held: Message | None = None
        heard: list[bytes] = []
        left: list[bool] = []
        answered = False

        async def hearing() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                heard.append(message.get("body", b""))
            elif message["type"] == "http.disconnect" and not answered:
                left.append(True)
            return message

        async def plainly(message: Message) -> None:
            nonlocal answered, held
            answered = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start" and message["status"] in {_ACCEPTED, _BAD_REQUEST, _TOO_LARGE}:
                held = message
                return
            if held is not None:
                start: Message = held
                held = None
                body = self._worded(start["status"], message.get("body", b""), heard)
                if body is not None and start["status"] == _ACCEPTED:
                    start = {**start, "status": _BAD_REQUEST, "headers": [*start["headers"], _JSON]}
                if body is not None:
                    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                    start = {**start, "headers": [*others, (b"content-length", str(len(body)).encode())]}
                    message = {**message, "body": body}
                await send(start)
            await send(message)

        await self._protocol(scope, hearing, plainly)
        if left and scope["method"] == "POST":
            await self._cancel(scope, b"".join(heard))

    async def _cancel(self, scope: Scope, body: bytes) -> None:
        """Cancel a request whose client hung up before it was answered: no stream is resumed, so nobody can hear it."""
        request_id = _id_of_request(body)
        if request_id is None or not any(name == b"mcp-session-id" for name, _ in scope["headers"]):
            return
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": request_id}}
        sent = json.dumps(note).encode()
        others = [(name, value) for name, value in scope["headers"] if name not in _OF_THE_BODY]

        async def receive() -> Message:
            return {"type": "http.request", "body": sent, "more_body": False}

        async def send(message: Message) -> None:
            del message

        headers = [*others, (b"content-length", str(len(sent)).encode())]
        await self._protocol({**scope, "headers": headers}, receive, send)

    def _worded(self, status: int, body: bytes, heard: list[bytes]) -> bytes | None:
        """Return what is said in place of `body`; None where it stands."""
        if status == _ACCEPTED:
            return _BAD_ID if is_request_without_id(b"".join(heard)) else None
        if status == _TOO_LARGE:
            return self._too_large
        return _PLAIN if _REPORT in body else None
