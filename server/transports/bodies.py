"""The bodies of requests: read whole, as long as one may be, and how much they hold counted before they are parsed.

A megabyte of empty lists takes a second to parse, and the event loop is everyone's. Counting what stands between quotes
and what does not takes a few milliseconds.
"""

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

__all__ = [
    "LONG_AT_ONCE",
    "MOST_HELD_BYTES",
    "MOST_VALUES",
    "REFUSED_AT_ONCE",
    "SHORT_BYTES",
    "LongBodyError",
    "Room",
    "announced_bytes",
    "holds_too_much",
    "leave_unread",
    "whole_body",
]

MOST_VALUES = 30_000
"""Values in a message, however nested: more than the arguments of any tool may hold."""
_QUOTES_A_VALUE = 4
"""Of a key and of its text."""
_SURELY_FEW_BYTES = 2 * MOST_VALUES
"""A body no longer than this holds no more: a value and what parts it from the next are two bytes."""


SHORT_BYTES = 16 * 1024
"""A body that is always read and served: all but logs and very long lists."""
MOST_HELD_BYTES = 32 * 1024 * 1024
"""Of the longer bodies whose requests are not answered yet."""
LONG_AT_ONCE = 2
"""Requests with such bodies that are worked on: each takes some milliseconds of the event loop, and about four times
its body of memory.
"""
REFUSED_AT_ONCE = 8
"""Bodies that are let go by: a client sends as fast as it is read, and the event loop would do nothing else."""
_MOST_LEFT_BYTES = 8 * 1024 * 1024
_LEFT_S = 1.0
"""How much of a body that is refused is let go by, and for how long."""
_PATIENCE_S = 5.0
"""How long a request waits for room."""


class LongBodyError(Exception):
    """A body is longer than one may be."""


class Room:
    """Room for so much at once; who comes late waits for it, first come, first served."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._turn = anyio.Lock()
        self._given = anyio.Event()

    async def take(self, amount: int) -> bool:
        """Take so much once it is there, and return whether it was in time."""
        with anyio.move_on_after(_PATIENCE_S):
            async with self._turn:
                while self._taken + amount > self._most:
                    await self._given.wait()
                self._taken += amount
                return True
        return False

    def give(self, amount: int) -> None:
        """Give so much back."""
        self._taken -= amount
        self._given.set()
        self._given = anyio.Event()


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


async def leave_unread(receive: Receive) -> None:
    """Let the rest of a body go by: a connection closed on what was not read is reset, and its answer lost."""
    left_bytes = _MOST_LEFT_BYTES
    with anyio.move_on_after(_LEFT_S):
        while left_bytes > 0:
            message = await receive()
            left_bytes -= len(message.get("body", b""))
            if not message.get("more_body"):
                return


def holds_too_much(body: bytes) -> bool:
    """Return whether JSON holds more than `MOST_VALUES` values; of what is no JSON, whatever is quick to say."""
    if len(body) <= _SURELY_FEW_BYTES or _marks(body) <= MOST_VALUES:
        return False
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in body else body
    if unescaped.count(b'"') > _QUOTES_A_VALUE * MOST_VALUES:
        return True
    return _marks(b"".join(unescaped.split(b'"')[::2])) > MOST_VALUES


def _marks(text: bytes) -> int:
    """Return how many values begin a list or an object, or follow another."""
    return len(text) - len(text.translate(None, b",[{"))
