"""The thinnest clients there can be, so that a measurement is of the server."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

__all__ = [
    "ONE_TOOL",
    "OURS",
    "QUESTIONS",
    "HttpCaller",
    "Question",
    "StdioCaller",
    "free_port",
    "has_ended",
    "http_server",
    "processor_s",
    "resident_mib",
]

ROOT = Path(__file__).resolve().parent.parent
MODERN = "2026-07-28"
ONE_TOOL = "one tool"
OURS = "traintime"

_CLOSED_FORM = {
    "model": "gpt-3-175b",
    "tokens": "300B",
    "gpu": "A100",
    "n_gpus": 1024,
    "activation_recompute": "full",
    "utilization": 0.4487,
}
_NEW = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of which server, and whether it is another question each time (so that no kept answer serves)."""

    server: str
    tool: str
    same: dict[str, Any]
    varied: str = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of the next call."""
        return self.same | {self.varied: next(_NEW)} if self.varied else self.same


QUESTIONS: Mapping[str, Question] = {
    "baseline": Question(server=ONE_TOOL, tool="add", same={"a": 1.5, "b": 2.5}),
    "list_gpus": Question(server=OURS, tool="list_gpus", same={"query": "h100", "limit": 3}),
    "closed form": Question(server=OURS, tool="estimate_training_time", same=_CLOSED_FORM),
    "new list": Question(server=OURS, tool="list_gpus", same={"query": "h100", "limit": 3}, varied="min_memory_gb"),
    "new closed form": Question(server=OURS, tool="estimate_training_time", same=_CLOSED_FORM, varied="n_gpus"),
}
"""By the name each has in the tables."""


def command(server: str, *, port: int | None = None) -> list[str]:
    """Return how `server` is started, over stdio or on `port`."""
    if server == ONE_TOOL:
        return [sys.executable, "benchmarks/one_tool_server.py", *([] if port is None else ["http", str(port)])]
    if port is None:
        return [sys.executable, "-m", "traintime", "serve"]
    return [sys.executable, "-m", "traintime", "serve", "--http", "--port", str(port)]


class StdioCaller:
    """A server as a child process."""

    def __init__(self, server: str) -> None:
        self.process = subprocess.Popen(
            command(server), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._id = 0
        handshake = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "b", "version": "0"}}
        self._ask("initialize", handshake)
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def call(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        """Return the answer's line."""
        return self._ask("tools/call", {"name": tool, "arguments": arguments})

    def send_call(self, id_: int, tool: str, arguments: Mapping[str, Any]) -> None:
        """Send a call, and do not wait for its answer."""
        params = {"name": tool, "arguments": arguments}
        self._send({"jsonrpc": "2.0", "id": f"unread {id_}", "method": "tools/call", "params": params})

    def close(self) -> None:
        """End the input, and with it the server."""
        self.process.communicate()

    def kill(self) -> None:
        """End the server at once, whatever it has to say."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(BrokenPipeError):
                _open(stream).close()
        self.process.wait()

    def _ask(self, method: str, params: Mapping[str, Any]) -> bytes:
        self._id += 1
        self._send({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params})
        return _open(self.process.stdout).readline()

    def _send(self, message: Mapping[str, Any]) -> None:
        stream = _open(self.process.stdin)
        stream.write(json.dumps(message).encode() + b"\n")
        stream.flush()


class HttpCaller:
    """One kept-alive connection that speaks just enough HTTP, in the era without sessions."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        """Return the answer's body."""
        return await self.ask(self.request(tool, arguments))

    async def ask(self, request: bytes) -> bytes:
        """Return the answer's body to a whole request; raises ConnectionError where it is refused."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        reader, writer = self._streams
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        if b"content-length" not in fields:
            raise ConnectionError(head.decode())
        body = await reader.readexactly(int(fields[b"content-length"]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(head.decode() + body.decode())
        return body

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()

    def request(self, tool: str, arguments: Mapping[str, Any]) -> bytes:
        """Return a call as it goes over the wire."""
        meta = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "b", "version": "0"},
        }
        params = {"name": tool, "arguments": arguments, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        head = (
            f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {MODERN}\r\n"
            f"Mcp-Method: tools/call\r\nMcp-Name: {tool}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@contextmanager
def http_server(server: str, *, log: Path = Path(os.devnull), files: int | None = None) -> Generator[tuple[int, int]]:
    """Yield the port and the process id of `server`, once it answers; it may open so many `files` at once."""
    port = free_port()
    asked = command(server, port=port)
    if files is not None:
        asked = ["/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *asked]
    with (
        log.open("ab") as stderr,
        subprocess.Popen(asked, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr) as process,
    ):
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port, process.pid
        finally:
            process.terminate()
            process.communicate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resident_mib(process_id: int) -> float:
    """Return the memory that a process holds (Linux)."""
    for line in Path(f"/proc/{process_id}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / 1024
    raise ProcessLookupError(process_id)


def processor_s(process_id: int) -> float:
    """Return the processor time that a process has used (Linux)."""
    facts = _statistics(process_id)
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def has_ended(process_id: int) -> bool:
    """Return whether a child has ended, although nobody has asked for its exit code yet (Linux)."""
    return _statistics(process_id)[0] == "Z"


def _statistics(process_id: int) -> list[str]:
    return Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise BrokenPipeError
    return stream
