"""The bodies of requests: read whole, as long as one may be, and how much they hold counted before they are parsed.

A megabyte of empty lists takes a second to parse, and the event loop is everyone's. Counting what stands between quotes
and what does not takes a few milliseconds.
"""

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

__all__ = ["MOST_VALUES", "Held", "LongBodyError", "announced_bytes", "holds_too_much", "whole_body"]

MOST_VALUES = 30_000
"""Values in a message, however nested: more than the arguments of any tool may hold."""
_QUOTES_A_VALUE = 4
"""Of a key and of its text."""
_SURELY_FEW_BYTES = 2 * MOST_VALUES
"""A body no longer than this holds no more: a value and what parts it from the next are two bytes."""


_MOST_HELD_BYTES = 32 * 1024 * 1024
"""Of all bodies whose requests are not answered; a request takes about four times its body while it waits."""
_SMALL_BYTES = 64 * 1024
"""A body that is always read."""


class LongBodyError(Exception):
    """A body is longer than one may be."""


class Held:
    """How much the bodies hold of all requests that are being read or answered."""

    def __init__(self) -> None:
        self._held_bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Hold a body, and return whether there is room for it."""
        if size_bytes > _SMALL_BYTES and self._held_bytes + size_bytes > _MOST_HELD_BYTES:
            return False
        self._held_bytes += size_bytes
        return True

    def give(self, size_bytes: int) -> None:
        """Hold a body no longer."""
        self._held_bytes -= size_bytes


def announced_bytes(scope: Scope, most_bytes: int) -> int:
    """Return how long a request says that its body is; where it says nothing, the most that it may be.

    Raises LongBodyError where that is longer than `most_bytes`.
    """
    told = Headers(scope=scope).get("content-length", "")
    size_bytes = int(told[:20]) if told.isdecimal() else most_bytes
    if size_bytes > most_bytes:
        raise LongBodyError
    return size_bytes


async def whole_body(receive: Receive, most_bytes: int) -> bytes | None:
    """Return the body of a request; None where its client left before it was complete.

    Raises LongBodyError where it is longer than `most_bytes`; no more of it is held.
    """
    body = bytearray()
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise LongBodyError
        if not message.get("more_body"):
            return bytes(body)


def holds_too_much(body: bytes) -> bool:
    """Return whether JSON holds more than `MOST_VALUES` values; of what is no JSON, whatever is quick to say."""
    if len(body) <= _SURELY_FEW_BYTES or _marks(body) <= MOST_VALUES:
        return False
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if unescaped.count(b'"') > _QUOTES_A_VALUE * MOST_VALUES:
        return True
    return _marks(b"".join(unescaped.split(b'"')[::2])) > MOST_VALUES


def _marks(text: bytes) -> int:
    """Return how many values begin a list or an object, or follow another."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")
