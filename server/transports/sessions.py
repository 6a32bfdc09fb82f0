"""How many sessions of the handshake era are held: the least recently used makes room for a new one.

A session costs some 36 kB, and many clients leave without ending theirs. Refusing new ones until the old have timed out
would lock everybody out; one that is ended early answers 404, and its client shakes hands again, as the protocol says.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SessionLimit"]

_ID = b"mcp-session-id"
_OF_THE_BODY = {_ID, b"content-length", b"transfer-encoding"}


class SessionLimit:
    """Passes requests on to the protocol, and ends the least recently used session past `most`."""

    def __init__(self, protocol: ASGIApp, *, most: int) -> None:
        self._protocol = protocol
        self._most = most
        self._by_last_use: dict[bytes, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._protocol(scope, receive, send)
            return
        given = dict(scope["headers"]).get(_ID)
        if given in self._by_last_use:
            self._by_last_use[given] = self._by_last_use.pop(given)

        async def noted(message: Message) -> None:
            if given is None and message["type"] == "http.response.start":
                begun = dict(message.get("headers", ())).get(_ID)
                if begun is not None:
                    self._by_last_use[begun] = None
            await send(message)

        await self._protocol(scope, receive, noted)
        if given is not None and scope["method"] == "DELETE":
            self._by_last_use.pop(given, None)
        while len(self._by_last_use) > self._most:
            oldest = next(iter(self._by_last_use))
            del self._by_last_use[oldest]
            await self._end(oldest, scope)

    async def _end(self, session_id: bytes, beside: Scope) -> None:
        """End a session as its own client would, with a DELETE beside a request that was let in."""
        kept = [(name, value) for name, value in beside["headers"] if name not in _OF_THE_BODY]
        scope = {**beside, "method": "DELETE", "headers": [*kept, (_ID, session_id)]}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            del message

        await self._protocol(scope, receive, send)
