"""The real server at the other end of a pipe or a socket, asked many things at once.

A `Wire` is one server. Over stdio it is a process for each era of the protocol, because a process keeps to the era that
its first message is of; over HTTP it is one process, on which the handshake era has a session.
"""

import asyncio
import json
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx2

from tests.fuzzing.messages import ERAS, Sent
from tests.places import ROOT

__all__ = ["WIRES", "HttpWire", "StdioWire", "Wire", "opened"]

_PROGRAM = ("-m", "traintime")
_HELLO = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {"protocolVersion": ERAS[0], "capabilities": {}, "clientInfo": {"name": "fuzz", "version": "0"}},
}
_READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
_GIVEN_UP_S = 90.0
"""Past the server's own limit of a call."""
_LONGEST_LINE = 1 << 24
_SERVER_FAULT = 500
WIRES = ("stdio", "http")


class Wire(Protocol):
    """A server and the way to it."""

    async def ask(self, message: Sent) -> Mapping[str, Any] | None:
        """Return the reply to `message`; None where none came, which is right where it has no id.

        Raises TimeoutError where the server says nothing, ConnectionError where it ends or answers with a fault of its
        own.
        """


@asynccontextmanager
async def opened(wire: str, log: Path, program: Sequence[str] = _PROGRAM) -> AsyncGenerator[Wire]:
    """Yield a server of `program` over `wire`, what it logs being written to `log`."""
    async with AsyncExitStack() as ending:
        if wire == "http":
            yield await ending.enter_async_context(_served(program, log))
        else:
            pipes = {era: await ending.enter_async_context(_piped(program, era, log)) for era in ERAS}
            yield StdioWire(pipes)


class _Pipe:
    """A server as a child, and who waits for which of its answers."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._awaited: dict[str | int, asyncio.Future[Mapping[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def say(self, body: bytes) -> None:
        """Send one line."""
        if self._process.stdin is None or self._process.returncode is not None:
            raise ConnectionError("the server has ended")
        self._process.stdin.write(body + b"\n")
        await self._process.stdin.drain()

    async def ask(self, id_: str | int, body: bytes) -> Mapping[str, Any]:
        """Return the reply to the request `id_`."""
        reply: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._awaited[id_] = reply
        try:
            await self.say(body)
            async with asyncio.timeout(_GIVEN_UP_S):
                return await reply
        finally:
            del self._awaited[id_]

    async def _read(self) -> None:
        if self._process.stdout is None:
            return
        async for line in self._process.stdout:
            reply = json.loads(line)
            awaited = self._awaited.get(reply.get("id")) if "method" not in reply else None
            if awaited is not None and not awaited.done():
                awaited.set_result(reply)
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.set_exception(ConnectionError("the server has ended"))

    async def close(self) -> None:
        """End the input, and with it the server."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        await self._reading


class StdioWire:
    """A process for each era."""

    def __init__(self, pipes: Mapping[str, _Pipe]) -> None:
        self._pipes = pipes

    async def ask(self, message: Sent) -> Mapping[str, Any] | None:
        """Return the reply to `message`, as `Wire` says."""
        pipe = self._pipes[message.era]
        if message.id is not None:
            return await pipe.ask(message.id, message.body)
        await pipe.say(message.body)
        return None


@asynccontextmanager
async def _piped(program: Sequence[str], era: str, log: Path) -> AsyncGenerator[_Pipe]:
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *program, "serve", cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=stderr, limit=_LONGEST_LINE
        )
    pipe = _Pipe(process)
    if era == ERAS[0]:
        await pipe.ask("hello", json.dumps(_HELLO).encode())
        await pipe.say(json.dumps(_READY).encode())
    try:
        yield pipe
    finally:
        with suppress(ConnectionError):
            await pipe.close()


class HttpWire:
    """One process, and connections to it."""

    def __init__(self, client: httpx2.AsyncClient, address: str, session: str) -> None:
        self._client = client
        self._address = address
        self._session = session

    async def ask(self, message: Sent) -> Mapping[str, Any] | None:
        """Return the reply to `message`, as `Wire` says."""
        headers = {"MCP-Protocol-Version": message.era}
        if message.era == ERAS[0]:
            headers["Mcp-Session-Id"] = self._session
        named = {"Mcp-Method": message.method, "Mcp-Name": message.name}
        headers |= {name: value for name, value in named.items() if value.isascii() and value.isprintable() and value}
        try:
            response = await self._client.post(self._address, content=message.body, headers=headers)
        except httpx2.TimeoutException as error:
            raise TimeoutError from error
        except httpx2.TransportError as error:
            raise ConnectionError(repr(error)) from error
        if response.status_code >= _SERVER_FAULT:
            raise ConnectionError(f"{response.status_code} {response.text:.200}")
        return _reply(response)


def _reply(response: httpx2.Response) -> Mapping[str, Any] | None:
    """Return the last message of a response, which is the reply; None where it holds none."""
    text = response.text
    if not text.strip():
        return None
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        text = [line for line in text.splitlines() if line.startswith("data:")][-1].removeprefix("data:")
    elif not response.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        reply: Mapping[str, Any] = json.loads(text)
    except ValueError as error:
        raise ConnectionError(f"{response.status_code} and no JSON: {text:.200}") from error
    return reply


@asynccontextmanager
async def _served(program: Sequence[str], log: Path) -> AsyncGenerator[HttpWire]:
    with log.open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *program, "serve", "--http", "--port", "0", cwd=ROOT, stderr=stderr
        )
    try:
        address = await _address(process, log)
        accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        async with httpx2.AsyncClient(timeout=_GIVEN_UP_S, headers=accept) as client:
            hello = await client.post(address, json=_HELLO)
            session = hello.headers["mcp-session-id"]
            await client.post(address, json=_READY, headers={"Mcp-Session-Id": session})
            yield HttpWire(client, address, session)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


async def _address(process: Process, log: Path) -> str:
    """Return where the server says that it serves."""
    while process.returncode is None:
        found = re.search(r"serving (http://\S+)", await asyncio.to_thread(_text, log))
        if found is not None:
            return found[1]
        await asyncio.sleep(0.05)
    raise ConnectionError("the server has ended")
