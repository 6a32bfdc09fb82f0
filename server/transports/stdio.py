"""MCP over standard input and output: one JSON message a line.

It stands in the place of the SDK's own transport for what that one (2.3) was seen to do, asked by hand:

- it reads a line of any length: 100 MB took 96 MiB, and nothing was said of them;
- it drops a line that is no message, or a request whose id is null, and its client waits for an answer for ever;
- at the end of the input it answers calls in flight with "Connection closed", at SIGTERM not at all;
- it does not end, within 15 s, where it has been asked to and nobody reads what it writes.

Here such lines are answered, a line has a longest length, calls in flight are finished when the input ends or the
process is asked to stop, and no thread that waits for the client keeps the process.
"""

import asyncio
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCMessage,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from server.transports.ending import FINISH_S, SIGNALS, end_surely
from server.transports.refusals import BAD_ID, LONG_LOG, is_request_without_id

__all__ = ["MAX_MESSAGE_BYTES", "serve"]

Serve = Callable[
    [MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]], Awaitable[None]
]

MAX_MESSAGE_BYTES = 1024 * 1024
"""Longest line read, the same as the longest HTTP body."""
_GIVE_UP_S = 0.5
"""How long work that was given up may take to notice."""
_DRAIN_S = 30.0
"""How long calls in flight may take after the input has ended."""
_CHUNK_BYTES = 65536
_CHUNKS_AHEAD = 4
"""Chunks read before the session has taken them: the rest waits in the client."""
_ENDLESS = "subscriptions/listen"
"""A request that is answered only when it is cancelled: nothing to wait for."""

_logger = logging.getLogger(__name__)


async def serve(session: Serve, give_up: Callable[[], Awaitable[None]]) -> None:
    """Run `session` over standard input and output until the input ends or a signal asks to end.

    What is unanswered after a while is left to `give_up`.
    """
    with _claimed_streams() as (input_fd, output_fd):
        await _Pipe(input_fd, output_fd).run(session)
        with anyio.move_on_after(_GIVE_UP_S):
            await give_up()


class _Pipe:
    """The wire, and which requests on it await an answer."""

    def __init__(self, input_fd: int, output_fd: int) -> None:
        self._input_fd = input_fd
        self._output_fd = output_fd
        self._awaiting: set[str] = set()
        self._session_is_over = False
        self._progressed = anyio.Event()

    async def run(self, session: Serve) -> None:
        """Relay between the wire and `session`."""
        to_session, from_wire = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        to_wire, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as writing:
            writing.start_soon(self._write_all, from_session, writing.cancel_scope)
            async with anyio.create_task_group() as reading:
                reading.start_soon(self._read_all, to_session, to_wire.clone(), reading.cancel_scope)
                writing.start_soon(_end_on_signal, reading.cancel_scope, writing.cancel_scope)
                writing.start_soon(self._run_session, session, from_wire, to_wire, reading.cancel_scope)
            await self._drain()
            await to_session.aclose()

    async def _run_session(
        self,
        session: Serve,
        from_wire: MemoryObjectReceiveStream[SessionMessage | Exception],
        to_wire: MemoryObjectSendStream[SessionMessage],
        reading: anyio.CancelScope,
    ) -> None:
        try:
            await session(from_wire, to_wire)
        finally:
            self._session_is_over = True
            self._progress()
            reading.cancel()

    async def _drain(self) -> None:
        """Wait until every request that was read is answered, or too long."""
        with anyio.move_on_after(_DRAIN_S) as waiting:
            while self._awaiting and not self._session_is_over:
                await self._progressed.wait()
        if waiting.cancelled_caught:
            _logger.warning("stopped with %d calls unanswered after %g s", len(self._awaiting), _DRAIN_S)

    async def _read_all(
        self,
        to_session: MemoryObjectSendStream[SessionMessage | Exception],
        to_wire: MemoryObjectSendStream[SessionMessage],
        reading: anyio.CancelScope,
    ) -> None:
        """Hand every line of the input to the session; answer those that are no message."""
        async with to_wire:
            async for line in _lines(self._input_fd):
                if line is not None and not line.strip():
                    continue
                parsed = _parsed(line)
                if isinstance(parsed, _Refusal):
                    await to_wire.send(SessionMessage(parsed.error))
                    continue
                self._note_received(parsed)
                try:
                    await to_session.send(SessionMessage(parsed))
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    break
                except anyio.get_cancelled_exc_class():
                    # Asked to stop before the session took it: nobody will answer.
                    if isinstance(parsed, JSONRPCRequest):
                        self._settle(parsed.id)
                    raise
        reading.cancel()

    async def _write_all(
        self, from_session: MemoryObjectReceiveStream[SessionMessage], serving: anyio.CancelScope
    ) -> None:
        writer = _Writer(self._output_fd)
        async with from_session:
            async for outgoing in from_session:
                message = outgoing.message
                line = message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
                try:
                    await writer.write(line.encode())
                except OSError:
                    # The client is gone; what is left to say has no reader.
                    break
                if isinstance(message, JSONRPCResponse | JSONRPCError):
                    self._settle(message.id)
        serving.cancel()

    def _note_received(self, message: JSONRPCMessage) -> None:
        if isinstance(message, JSONRPCRequest) and message.method != _ENDLESS:
            self._awaiting.add(str(message.id))
        elif isinstance(message, JSONRPCNotification) and message.method == "notifications/cancelled":
            # The 2026 protocol never answers a cancelled request.
            self._settle((message.params or {}).get("requestId"))

    def _settle(self, request_id: object) -> None:
        self._awaiting.discard(str(request_id))
        self._progress()

    def _progress(self) -> None:
        self._progressed.set()
        self._progressed = anyio.Event()


async def _lines(fd: int) -> AsyncIterator[bytes | None]:
    """Yield the lines read from `fd`, and None for each that is too long."""
    pending = bytearray()
    overlong = False
    async for chunk in _chunks(fd):
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            pending += piece
            yield None if overlong or len(pending) > MAX_MESSAGE_BYTES else bytes(pending)
            pending.clear()
            overlong = False
        pending += rest
        if len(pending) > MAX_MESSAGE_BYTES:
            overlong = True
            pending.clear()
    if pending:
        yield bytes(pending)


async def _chunks(fd: int) -> AsyncIterator[bytes]:
    """Yield what is read from `fd`, until its end.

    The thread is a daemon of our own: one of the event loop's would keep the process from ending while it waits.
    """
    loop = asyncio.get_running_loop()
    send, receive = anyio.create_memory_object_stream[bytes](_CHUNKS_AHEAD + 1)
    room = threading.Semaphore(_CHUNKS_AHEAD)

    def read() -> None:
        chunk = b"-"
        # RuntimeError: the loop has gone.
        with suppress(RuntimeError):
            while chunk:
                room.acquire()
                try:
                    chunk = os.read(fd, _CHUNK_BYTES)
                except OSError:
                    chunk = b""
                loop.call_soon_threadsafe(deliver, chunk)

    def deliver(chunk: bytes) -> None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            send.send_nowait(chunk)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    with send, receive:
        async for chunk in receive:
            if not chunk:
                return
            yield chunk
            room.release()


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What answers a line that is no message; not to be taken for an error that a client sent."""

    error: JSONRPCError


def _parsed(line: bytes | None) -> JSONRPCMessage | _Refusal:
    """Return the message in `line`, or what answers a line which holds none."""
    if line is None:
        return _refusal(INVALID_REQUEST, f"A message may be at most {MAX_MESSAGE_BYTES} bytes long; {LONG_LOG}")
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        pass
    else:
        if isinstance(message, JSONRPCNotification) and is_request_without_id(line):
            return _refusal(INVALID_REQUEST, BAD_ID)
        return message
    try:
        decoded = json.loads(line)
    except (ValueError, RecursionError) as error:
        where = f" (line 1, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return _refusal(PARSE_ERROR, f"Parse error: the line is not JSON{where}")
    request_id = cast("dict[str, object]", decoded).get("id") if isinstance(decoded, dict) else None
    return _refusal(
        INVALID_REQUEST,
        "The line is JSON but not one JSON-RPC 2.0 request, notification or response",
        request_id if isinstance(request_id, str | int) and not isinstance(request_id, bool) else None,
    )


def _refusal(code: int, message: str, request_id: str | int | None = None) -> _Refusal:
    return _Refusal(JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message)))


class _Writer:
    """Writes on a thread of its own: a daemon, which does not keep the process while a client reads nothing."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._left: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._write_all, name="stdout", daemon=True).start()

    async def write(self, data: bytes) -> None:
        """Write all of `data`; raises OSError where nobody can read it."""
        written: asyncio.Future[None] = self._loop.create_future()
        self._left.put((data, written))
        await written

    def _write_all(self) -> None:
        # RuntimeError: the loop has gone.
        with suppress(RuntimeError):
            while True:
                data, written = self._left.get()
                error = self._error(data)
                self._loop.call_soon_threadsafe(_settled, written, error)

    def _error(self, data: bytes) -> OSError | None:
        """Write all of `data`, however little the pipe takes at once, and return why that was not possible."""
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            return error
        return None


def _settled(written: asyncio.Future[None], error: OSError | None) -> None:
    if written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


async def _end_on_signal(reading: anyio.CancelScope, serving: anyio.CancelScope) -> None:
    """Stop reading at a signal, and serving some seconds later."""
    with suppress(NotImplementedError), anyio.open_signal_receiver(*SIGNALS) as signals:
        async for _ in signals:
            end_surely()
            reading.cancel()
            await anyio.sleep(FINISH_S)
            _logger.warning("stopped with calls unanswered %g s after a signal", FINISH_S)
            serving.cancel()
            return


@contextmanager
def _claimed_streams() -> Generator[tuple[int, int]]:
    """Yield private descriptors of the wire; meanwhile a stray `print` goes to stderr and nobody else reads stdin."""
    sys.stdout.flush()
    input_fd, output_fd, nothing = os.dup(0), os.dup(1), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    try:
        yield input_fd, output_fd
    finally:
        sys.stdout.flush()
        os.dup2(input_fd, 0)
        os.dup2(output_fd, 1)
        os.close(nothing)
        # The wire's descriptors stay open: a thread may still wait in read.
