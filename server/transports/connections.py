"""Connections over HTTP: how many there are, and how long a client may take to say or to hear something.

A connection costs a descriptor whether or not anything is said on it. Past the most that are held, the one that has
been silent longest is dropped for a new one, so that clients which only connect lock nobody out; where all of them are
being served, a few more are let in and asked for nothing but their health.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["BACKLOG", "MOST_CONNECTIONS", "RESERVE", "Connection", "Crowd", "connections_of", "most_connections"]

MOST_CONNECTIONS = 4096
RESERVE = 16
"""Connections beyond the most, for `/healthz`."""
BACKLOG = 32
"""Connections accepted at one go: each takes its descriptor before it can be counted."""
_OTHER_FILES = 64
_FEWEST = 16
_HEADER_S = 10.0
"""From connecting, or from a request's first byte, to the end of its header."""
_BODY_S = 30.0
"""From the header's end to the body's: a megabyte at 35 kB/s."""
_SEND_S = 30.0
"""How long a client may read nothing of an answer that waits for it."""


def most_connections() -> int:
    """Return how many connections may be held: half of the descriptors a process may have, the soft limit raised."""
    try:
        import resource
    except ImportError:
        return MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MOST_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
        soft = max(soft, raised)
    # The other half is for what has been accepted or dropped, but not yet counted as such.
    return max(_FEWEST, min(MOST_CONNECTIONS, (soft - _OTHER_FILES) // 2))


class Crowd:
    """All connections of a server, those that say nothing in the order in which they fell silent."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}
        """Of which no whole request has come yet."""
        self._idle: dict[Connection, None] = {}
        """Whose last request is answered."""

    def came(self, connection: "Connection") -> None:
        """Take a new connection in, and drop another for it if there are too many."""
        self._held.add(connection)
        if len(self._held) > self._most:
            silent = next(iter(self._strangers), None) or next(iter(self._idle), None)
            if silent is not None:
                silent.drop()
            elif len(self._held) > self._most + RESERVE:
                connection.drop()
                return
        self._strangers[connection] = None

    def asked(self, connection: "Connection") -> None:
        """Note that a whole header has come."""
        self._strangers.pop(connection, None)
        self._idle.pop(connection, None)

    def answered(self, connection: "Connection") -> None:
        """Note that a connection waits for its next request."""
        if connection in self._held:
            self._idle[connection] = None

    def left(self, connection: "Connection") -> None:
        """Forget a connection."""
        self._held.discard(connection)
        self._strangers.pop(connection, None)
        self._idle.pop(connection, None)

    @property
    def is_full(self) -> bool:
        """Whether only health is answered on what was let in last."""
        return len(self._held) > self._most


class Connection(H11Protocol):
    """One connection, with deadlines."""

    def __init__(self, crowd: Crowd, **options: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(**options)
        self._crowd = crowd
        self._deadline: asyncio.TimerHandle | None = None
        self._waits_for = ""
        self._sending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._crowd.came(self)
        self._await_next("header", _HEADER_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._crowd.left(self)
        self._await_next("")
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and set the deadline of what is not complete."""
        cycle = self.cycle
        super().data_received(data)
        if self.cycle is not cycle:
            self._crowd.asked(self)
        if self.transport.is_closing():
            self._await_next("")
        elif self.conn.their_state is h11.IDLE or self.cycle.response_complete:
            self._await_next("header", _HEADER_S)
        elif self.cycle.more_body:
            self._await_next("body", _BODY_S)
        else:
            self._await_next("")

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn's own deadline is for one that does not begin."""
        cycle = self.cycle
        if not self.cycle.more_body:
            self._await_next("")
        super().on_response_complete()
        if self.cycle is cycle:
            self._crowd.answered(self)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        if self._sending is None:
            self._sending = self.loop.call_later(_SEND_S, self.drop)

    def resume_writing(self) -> None:
        """Go on: the client has read."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        super().resume_writing()

    def drop(self) -> None:
        """Close the connection, whatever is under way on it."""
        self._crowd.left(self)
        self.transport.abort()

    def _await_next(self, part: str, within_s: float = 0.0) -> None:
        """Set the deadline for the rest of a request's `part`; one that is set already stands."""
        if part == self._waits_for:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._waits_for = part
        if part:
            self._deadline = self.loop.call_later(within_s, self._late)

    def _late(self) -> None:
        if self._waits_for == "header" and self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            self.transport.close()
            return
        self.drop()


def connections_of(crowd: Crowd) -> Callable[..., Connection]:
    """Return what makes the connections of `crowd`."""

    def made(**options: Any) -> Connection:  # noqa: ANN401 - uvicorn's
        return Connection(crowd, **options)

    return made
