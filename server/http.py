"""MCP over Streamable HTTP: who may connect, how much they may send, and how serving ends.

`/mcp` is the protocol's endpoint; `GET /healthz` answers 200 while calls are taken and 503 while the last are finished.
"""

import contextlib
import hmac
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from estimator.errors import InvalidValueError
from server.app import build
from server.registry import TOOLS, Registry
from server.sessions import SessionLimit

__all__ = ["MAX_BODY_BYTES", "Access", "Gate", "access", "application", "serve"]

MAX_BODY_BYTES = 1024 * 1024
_DEFAULT_CALL_TIMEOUT_S = 60.0
_MAX_CONNECTIONS = 4096
_BACKLOG = 1024
_MAX_SESSIONS = 1000
"""Handshake-era sessions at once; past it the least recently used is ended."""
_SESSIONS_TO_SPARE = 200
"""What may begin in the moment before the oldest is ended."""
_SESSION_IDLE_S = 30 * 60.0
_KEEP_ALIVE_S = 30
_CLOSE_S = 3
"""Time for connections to close once the calls are finished."""
_SHORTEST_TOKEN = 16
_LINGER_S = 0.25
_ENDLESS = "subscriptions/listen"
"""A request that is answered with a stream of notices until one side leaves."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may connect."""

    hosts: tuple[str, ...]
    """Host headers, `:*` standing for any port."""
    origins: tuple[str, ...]
    """Origin headers, where a browser sends one."""
    browser_origins: tuple[str, ...]
    """The origins that were asked for: browsers are told that they may read the answers."""
    token: bytes | None
    """Bearer token to demand; None on loopback without a token file."""


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    allowed_hosts: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
    token_file: Path | None = None,
    call_timeout_s: float = _DEFAULT_CALL_TIMEOUT_S,
    tools: Registry = TOOLS,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the calls in flight.

    Raises InvalidValueError for a bind that would be open to others without an allowlist and a token, and for one
    that cannot be had.
    """
    allowed = access(host, allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, token_file=token_file)
    if not call_timeout_s > 0:
        raise InvalidValueError("call_timeout_s", call_timeout_s, "must be a positive number of seconds")
    listener = _listener(host, port)
    gate = application(allowed, call_timeout_s=call_timeout_s, tools=tools)
    anyio.run(_serve, gate, listener, call_timeout_s)


def access(
    host: str, *, allowed_hosts: Sequence[str], allowed_origins: Sequence[str], token_file: Path | None
) -> Access:
    """Return who may connect to a server bound to `host`.

    Raises InvalidValueError where others could reach it without an allowlist and a token.
    """
    for argument, values in (("allowed_hosts", allowed_hosts), ("allowed_origins", allowed_origins)):
        for value in values:
            if not value.strip() or value.startswith("*"):
                raise InvalidValueError(argument, value, "must name a host: a wildcard would switch the check off")
    if not _is_loopback(host) and not (allowed_hosts and token_file):
        raise InvalidValueError(
            "host", host, "is reachable by others: give --allowed-hosts and --token-file, or bind to 127.0.0.1"
        )
    bound = f"[{host}]" if ":" in host and not host.startswith("[") else host
    local = ("127.0.0.1", "localhost", "[::1]", bound) if _is_loopback(host) else ()
    hosts = [form for name in (*local, *allowed_hosts) for form in _with_any_port(name)]
    origins = [form for name in local for form in _with_any_port(f"http://{name}")]
    return Access(
        hosts=tuple(dict.fromkeys(hosts)),
        origins=tuple(dict.fromkeys((*origins, *allowed_origins))),
        browser_origins=tuple(allowed_origins),
        token=_token(token_file) if token_file else None,
    )


def application(allowed: Access, *, call_timeout_s: float = _DEFAULT_CALL_TIMEOUT_S, tools: Registry = TOOLS) -> "Gate":
    """Return the ASGI application."""
    server = build(tools, call_timeout_s=call_timeout_s)
    protocol: ASGIApp = server.streamable_http_app(
        streamable_http_path="/mcp",
        max_request_body_size=MAX_BODY_BYTES,
        max_sessions=_MAX_SESSIONS + _SESSIONS_TO_SPARE,
        session_idle_timeout=_SESSION_IDLE_S,
        # Never left out: on a host other than loopback the SDK would check nothing.
        transport_security=TransportSecuritySettings(
            allowed_hosts=list(allowed.hosts), allowed_origins=list(allowed.origins)
        ),
    )
    return Gate(SessionLimit(protocol, most=_MAX_SESSIONS), allowed, refuse_calls=server.refuse_calls)


class Gate:
    """Stands before the protocol: health, token, and the end of serving."""

    def __init__(self, protocol: ASGIApp, allowed: Access, *, refuse_calls: Callable[[], None]) -> None:
        self._protocol = protocol
        self._token = allowed.token
        self._refuse_calls = refuse_calls
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
        else:
            await self._entrance(scope, receive, send)

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
                self._answered.set()
                self._answered = anyio.Event()

    def _admits(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Compared in constant time, so that the answer's delay says nothing of how much was right.
        return hmac.compare_digest(given.strip().encode(), self._token) and scheme.lower() == "bearer"

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


class _Server(uvicorn.Server):
    """Uvicorn that says where it serves, with its signal handlers left out: they would cut the answers in flight."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and tell a person (or a program that asked for any free port) where."""
        await super().startup(sockets=sockets)
        for listener in sockets or ():
            host, port = listener.getsockname()[:2]
            sys.stderr.write(f"traintime: serving http://{f'[{host}]' if ':' in host else host}:{port}/mcp\n")
        sys.stderr.flush()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the signals to `_finish_on_signal`."""
        yield


async def _serve(gate: Gate, listener: socket.socket, call_timeout_s: float) -> None:
    config = uvicorn.Config(
        gate,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_CLOSE_S,
    )
    server = _Server(config)
    async with anyio.create_task_group() as serving:
        serving.start_soon(_finish_on_signal, gate, server, call_timeout_s)
        await server.serve(sockets=[listener])
        serving.cancel_scope.cancel()


async def _finish_on_signal(gate: Gate, server: uvicorn.Server, call_timeout_s: float) -> None:
    with contextlib.suppress(NotImplementedError), anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            break
        async with anyio.create_task_group() as finishing:
            finishing.start_soon(_finish, gate, server, call_timeout_s)
            async for _ in signals:
                # Asked twice: somebody does not want to wait.
                server.force_exit = server.should_exit = True


async def _finish(gate: Gate, server: uvicorn.Server, call_timeout_s: float) -> None:
    await gate.finish(call_timeout_s + 1)
    server.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket bound to `host` and `port`; port 0 takes a free one."""
    bare = host.strip("[]")
    try:
        family = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)[0][0]
        # With the protocol named, asyncio turns Nagle's algorithm off; else each answer waits 40 ms for the client.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((bare, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidValueError("port", f"{host}:{port}", f"cannot be bound: {reason}") from error
    return listener


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _with_any_port(name: str) -> tuple[str, ...]:
    """Return a host as it stands, and with any port unless it names one."""
    bare = name.rsplit("]", 1)[-1].removeprefix("http://").removeprefix("https://")
    return (name,) if ":" in bare else (name, f"{name}:*")


def _token(path: Path) -> bytes:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValueError("token_file", str(path), "cannot be read as text") from error
    if len(token) < _SHORTEST_TOKEN or any(character.isspace() for character in token):
        raise InvalidValueError(
            "token_file", str(path), f"must hold one token of at least {_SHORTEST_TOKEN} characters without spaces"
        )
    return token.encode()
