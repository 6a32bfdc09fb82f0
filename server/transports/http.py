"""MCP over Streamable HTTP: who may connect, how much they may send, and how serving ends.

`/mcp` is the protocol's endpoint; `GET /healthz` answers 200 while calls are taken and 503 while the last are finished.
"""

import contextlib
import gc
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from pathlib import Path

import anyio
import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.base.pauses import pause
from server.protocol.app import CALL_TIMEOUT_S, TraintimeServer, build
from server.protocol.registry import TOOLS
from server.protocol.workers import QUEUE, THREADS, StoppedError, Workers
from server.transports.access import access
from server.transports.connections import BACKLOG, Crowd, connections_of, most_connections
from server.transports.ending import FINISH_S, SIGNALS, end_surely
from server.transports.gate import Gate
from server.transports.refusals import PlainRefusals
from server.transports.sessions import SessionLimit
from tools.progress import Progress

__all__ = ["MAX_BODY_BYTES", "serve_http"]

MAX_BODY_BYTES = 1024 * 1024
_MAX_SESSIONS = 1000
"""Handshake-era sessions at once; past it the least recently used is ended."""
_SESSIONS_TO_SPARE = 200
"""What may begin in the moment before the oldest is ended."""
_SESSION_IDLE_S = 30 * 60.0
_KEEP_ALIVE_S = 30
_GIVE_UP_S = 0.3
"""How long work that was given up may take to notice."""
_FIRST_QUESTIONS: Mapping[str, Mapping[str, object]] = {
    "list_gpus": {"query": "h100"},
    "estimate_training_time": {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "1B"},
}
_CLOSE_S = 1
"""Time for connections to close once the calls are finished."""


def serve_http(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    allowed_hosts: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
    token_file: Path | None = None,
    call_timeout_s: float = CALL_TIMEOUT_S,
    threads: int = THREADS,
    queue: int = QUEUE,
    build_server: Callable[..., TraintimeServer] = build,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the calls in flight.

    Raises InvalidValueError for a bind that would be open to others without an allowlist and a token, and for one
    that cannot be had.
    """
    allowed = access(host, allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, token_file=token_file)
    server = build_server(call_timeout_s=call_timeout_s, threads=threads, queue=queue)
    listener = _listener(host, port)
    protocol = server.streamable_http_app(
        streamable_http_path="/mcp",
        max_request_body_size=MAX_BODY_BYTES,
        max_sessions=_MAX_SESSIONS + _SESSIONS_TO_SPARE,
        session_idle_timeout=_SESSION_IDLE_S,
        # The gate checks Host and Origin for every path; the SDK compares how they begin.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    worded = PlainRefusals(protocol, most_bytes=MAX_BODY_BYTES)
    crowd = Crowd(most_connections())
    gate = Gate(
        SessionLimit(worded, most=_MAX_SESSIONS),
        allowed,
        refuse_calls=server.refuse_calls,
        is_full=lambda: crowd.is_full,
    )
    anyio.run(_serve, gate, listener, server.workers, crowd)


_logger = logging.getLogger(__name__)


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


async def _serve(gate: Gate, listener: socket.socket, workers: Workers, crowd: Crowd) -> None:
    config = uvicorn.Config(
        gate,
        # The root's handler, which does not repeat itself.
        log_config=None,
        log_level="warning",
        http=connections_of(crowd),  # type: ignore[arg-type]
        backlog=BACKLOG,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_CLOSE_S,
    )
    server = _Server(config)
    async with anyio.create_task_group() as serving:
        serving.start_soon(_finish_on_signal, gate, server, workers.ended)
        serving.start_soon(_warm_up, workers)
        await server.serve(sockets=[listener])
        serving.cancel_scope.cancel()


async def _finish_on_signal(gate: Gate, server: uvicorn.Server, give_up: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(NotImplementedError), anyio.open_signal_receiver(*SIGNALS) as signals:
        async for _ in signals:
            break
        async with anyio.create_task_group() as finishing:
            finishing.start_soon(_finish, gate, server, give_up)
            async for _ in signals:
                # Asked twice: somebody does not want to wait.
                server.force_exit = server.should_exit = True


async def _finish(gate: Gate, server: uvicorn.Server, give_up: Callable[[], Awaitable[None]]) -> None:
    end_surely()
    await gate.finish(FINISH_S)
    with anyio.move_on_after(_GIVE_UP_S):
        await give_up()
    server.should_exit = True


async def _warm_up(workers: Workers) -> None:
    try:
        await workers.run(_warmed)
    except StoppedError:
        pass
    except Exception:
        _logger.exception("cannot answer the first questions; the others are served")


def _warmed(_progress: Progress) -> None:
    """Import what the tools need, so that no caller's first question holds up all others for it."""
    for tool in TOOLS.tools():
        pause()
        tool.output_schema  # noqa: B018 - made once and kept
    with contextlib.suppress(EstimatorError):
        for name, question in _FIRST_QUESTIONS.items():
            pause()
            if (asked := TOOLS.tool(name)) is not None:
                asked.answer(question)
    # What is loaded stays until the end. To go through all of it for garbage takes some 80 ms, and nobody is served.
    gc.collect()
    gc.freeze()


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
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidValueError("port", f"{host}:{port}", f"cannot be bound: {reason}") from error
    return listener
