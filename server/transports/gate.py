"""What stands before the protocol over HTTP: health, the token, and the end of serving."""

import logging
from collections.abc import Callable

import anyio
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.transports.access import Access
from server.transports.hosts import host_allowed, origin_allowed

__all__ = ["Gate"]

_CLOSE = {"Connection": "close"}
_LINGER_S = 0.25
_ENDLESS = "subscriptions/listen"
"""A request that is answered with a stream of notices until one side leaves."""

_logger = logging.getLogger(__name__)


class Gate:
    """Stands before the protocol: health, token, and the end of serving."""

    def __init__(
        self, protocol: ASGIApp, allowed: Access, *, refuse_calls: Callable[[], None], is_full: Callable[[], bool]
    ) -> None:
        self._protocol = protocol
        self._allowed = allowed
        self._tokens = allowed.tokens
        self._refuse_calls = refuse_calls
        self._is_full = is_full
        self._in_flight: set[object] = set()
        self._answered = anyio.Event()
        self._closing = anyio.Event()
        guarded: ASGIApp = self._guarded
        if allowed.browser_origins:
            guarded = CORSMiddleware(
                guarded,
                allow_origins=allowed.browser_origins,
                allow_methods=["GET", "POST", "DELETE"],
                allow_headers=["*"],
                expose_headers=["Mcp-Session-Id"],
            )
        self._entrance = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._protocol(scope, receive, send)
        elif scope["path"] == "/healthz":
            await self._health(scope)(scope, receive, send)
        elif self._is_full():
            full = PlainTextResponse("too many connections; try again in 5 s\n", 503, {"Retry-After": "5", **_CLOSE})
            await full(scope, receive, send)
        elif (refusal := self._stranger(Headers(scope=scope))) is not None:
            await refusal(scope, receive, send)
        else:
            await self._entrance(_plain(scope), receive, send)

    def _stranger(self, headers: Headers) -> PlainTextResponse | None:
        """Return what is said to a request for another host, or from a page of another origin."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not host_allowed(hosts[0], self._allowed.hosts):
            _logger.warning("refused a request for the host %r", hosts)
            return PlainTextResponse("Invalid Host header", 421)
        origins = headers.getlist("origin")
        if not all(origin_allowed(origin, self._allowed.origins) for origin in origins):
            _logger.warning("refused a request from the origin %r", origins)
            return PlainTextResponse("Invalid Origin header", 403)
        return None

    async def finish(self, within_s: float) -> None:
        """Refuse new calls, and wait for the requests in flight, at most `within_s`."""
        self._refuse_calls()
        self._closing.set()
        last = set(self._in_flight)
        with anyio.move_on_after(within_s) as waiting:
            while last & self._in_flight:
                await self._answered.wait()
        if waiting.cancelled_caught:
            _logger.warning("stopped with %d requests unanswered after %g s", len(last & self._in_flight), within_s)
        # A client that has its answer may still ask for the tool's schema to check it against.
        await anyio.sleep(_LINGER_S)

    def _health(self, scope: Scope) -> PlainTextResponse:
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("method not allowed\n", 405, {"Allow": "GET, HEAD"})
        return PlainTextResponse("closing\n", 503) if self._closing.is_set() else PlainTextResponse("ok\n")

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not self._admits(headers):
            refusal = PlainTextResponse(
                "a valid bearer token is needed\n", 401, {"WWW-Authenticate": 'Bearer realm="traintime"'}
            )
            await refusal(scope, receive, send)
        elif scope["method"] != "POST" or headers.get("mcp-method") == _ENDLESS:
            await self._streamed(scope, receive, send)
        else:
            request = object()
            self._in_flight.add(request)
            try:
                await self._protocol(scope, receive, send)
            finally:
                self._in_flight.discard(request)
                if self._closing.is_set():
                    self._answered.set()
                    self._answered = anyio.Event()

    def _admits(self, headers: Headers) -> bool:
        if self._tokens is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return self._tokens.admit(given.strip().encode()) and scheme.lower() == "bearer"

    async def _streamed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose answer has no end of its own: at closing, its client seems to leave."""
        open_ended = False

        async def watched(message: Message) -> None:
            nonlocal open_ended
            open_ended = message["type"] == "http.response.start" or bool(message.get("more_body"))
            await send(message)

        async def until_closing() -> Message:
            message: Message = {"type": "http.disconnect"}

            async def from_client() -> None:
                nonlocal message
                message = await receive()
                waiting.cancel_scope.cancel()

            async with anyio.create_task_group() as waiting:
                waiting.start_soon(from_client)
                await self._closing.wait()
                waiting.cancel_scope.cancel()
            return message

        await self._protocol(scope, until_closing, watched)
        if open_ended and self._closing.is_set():
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def _plain(scope: Scope) -> Scope:
    """Return `scope` as the protocol takes it.

    `/mcp/` is `/mcp`: the SDK would redirect, to a scheme that a proxy before it may not speak. No stream is resumed:
    asked for what came after an event, it would say nothing at all, so that a new stream begins instead.
    """
    path = scope["path"]
    if path == "/mcp/":
        scope = {**scope, "path": "/mcp", "raw_path": b"/mcp"}
    if scope["method"] == "GET":
        headers = [(name, value) for name, value in scope["headers"] if name.lower() != b"last-event-id"]
        scope = {**scope, "headers": headers}
    return scope
