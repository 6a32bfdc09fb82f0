"""What is said over HTTP of a body that is no message, too long or too full: one sentence that says what would do.

The SDK's own answer is, in the handshake era, pydantic's report of every form that the body failed to take, over many
lines; of a body that is too long it does not say how long one may be; and how much one holds it does not ask.
"""

import json
from typing import cast

from mcp.types import INVALID_REQUEST
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.transports.bodies import (
    LONG_AT_ONCE,
    MOST_HELD_BYTES,
    MOST_VALUES,
    REFUSED_AT_ONCE,
    SHORT_BYTES,
    LongBodyError,
    Room,
    announced_bytes,
    holds_too_much,
    leave_unread,
    whole_body,
)

__all__ = ["BAD_ID", "LONG_LOG", "PlainRefusals", "is_request_without_id"]

_ACCEPTED, _BAD_REQUEST, _TOO_LARGE = 202, 400, 413
_BUSY = PlainTextResponse(
    "busy: too many long requests are under way; try again in 5 s\n", 503, {"Retry-After": "5", "Connection": "close"}
)
_OF_THE_BODY = {b"content-length", b"transfer-encoding"}
_JSON = (b"content-type", b"application/json")
_REPORT = b'"Validation error: '
_NO_MESSAGE = "The body is JSON but not one JSON-RPC 2.0 request, notification or response"
_PLAIN = json.dumps(
    {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": _NO_MESSAGE}}, separators=(",", ":")
).encode()

LONG_LOG = (
    "of a trainer's log its first lines and its last thousand do as well, and `traintime check --observed-log FILE` "
    "reads a longer one from its file"
)
"""What is said of a message that is too long: a log is all that makes one so."""
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
    """Passes requests on to the protocol, refuses those that are too large, and words two of its refusals anew."""

    def __init__(self, protocol: ASGIApp, *, most_bytes: int) -> None:
        self._protocol = protocol
        self._most_bytes = most_bytes
        self._held = Room(MOST_HELD_BYTES)
        self._turns = Room(LONG_AT_ONCE)
        self._refused = Room(REFUSED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._protocol(scope, receive, send)
            return
        try:
            size_bytes = announced_bytes(scope, self._most_bytes)
            if size_bytes <= SHORT_BYTES:
                body = await whole_body(receive, self._most_bytes)
                if body is not None:
                    await self._serve(body, scope, receive, send)
            elif await self._held.take(size_bytes):
                try:
                    await self._serve_long(scope, receive, send)
                finally:
                    self._held.give(size_bytes)
            else:
                await self._let_by(receive)
                await _BUSY(scope, receive, send)
        except LongBodyError:
            await self._let_by(receive)
            await _too_large(f"it may have at most {self._most_bytes} bytes; {LONG_LOG}")(scope, receive, send)

    async def _let_by(self, receive: Receive) -> None:
        if await self._refused.take(1):
            try:
                await leave_unread(receive)
            finally:
                self._refused.give(1)

    async def _serve_long(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a long body, which may take its client a while, and serve it when it is its turn."""
        body = await whole_body(receive, self._most_bytes)
        if body is None:
            return
        if not await self._turns.take(1):
            await _BUSY(scope, receive, send)
            return
        try:
            if holds_too_much(body):
                await _too_large(f"it may hold at most {MOST_VALUES} values")(scope, receive, send)
            else:
                await self._serve(body, scope, receive, send)
        finally:
            self._turns.give(1)

    async def _serve(self, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        unread: Message | None = {"type": "http.request", "body": body, "more_body": False}
        held: Message | None = None
        answered = left = False

        async def hearing() -> Message:
            nonlocal unread, left
            message, unread = unread or await receive(), None
            left = left or (message["type"] == "http.disconnect" and not answered)
            return message

        async def plainly(message: Message) -> None:
            nonlocal answered, held
            answered = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start" and message["status"] in {_ACCEPTED, _BAD_REQUEST}:
                held = message
                return
            if held is not None:
                start: Message = held
                held = None
                said = _worded(start["status"], message.get("body", b""), body)
                if said is not None and start["status"] == _ACCEPTED:
                    start = {**start, "status": _BAD_REQUEST, "headers": [*start["headers"], _JSON]}
                if said is not None:
                    others = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                    start = {**start, "headers": [*others, (b"content-length", str(len(said)).encode())]}
                    message = {**message, "body": said}
                await send(start)
            await send(message)

        await self._protocol(scope, hearing, plainly)
        if left:
            await self._cancel(scope, body)

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


def _too_large(why: str) -> PlainTextResponse:
    return PlainTextResponse(f"Request body too large: {why}\n", _TOO_LARGE, {"Connection": "close"})


def _worded(status: int, said: bytes, body: bytes) -> bytes | None:
    """Return what is said in place of `said` to a request with `body`; None where it stands."""
    if status == _ACCEPTED:
        return _BAD_ID if is_request_without_id(body) else None
    return _PLAIN if _REPORT in said else None
