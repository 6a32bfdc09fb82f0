"""The real server, reached every way a client can reach it."""

import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from mcp import Client, StdioServerParameters

from server.protocol.app import build

__all__ = ["ERAS", "TRANSPORTS", "connected"]

ROOT = Path(__file__).resolve().parent.parent
ERAS = ("legacy", "2026-07-28")
TRANSPORTS = ("memory", "stdio", "http")
_STDIO = ("-m", "traintime", "serve")
_HTTP = (*_STDIO, "--http", "--port", "0")


@asynccontextmanager
async def connected(transport: str, era: str) -> AsyncGenerator[Client]:
    """Yield a client of the real server over `transport`."""
    if transport == "memory":
        async with Client(build(), mode=era) as client:
            yield client
    elif transport == "stdio":
        parameters = StdioServerParameters(command=sys.executable, args=list(_STDIO), cwd=ROOT)
        async with Client(parameters, mode=era) as client:
            yield client
    else:
        process = await anyio.open_process([sys.executable, *_HTTP], cwd=ROOT, stdout=None)
        try:
            assert process.stderr is not None
            found = re.search(rb"serving (http://\S+)", await process.stderr.receive())
            assert found is not None
            async with Client(found[1].decode(), mode=era) as client:
                yield client
        finally:
            process.terminate()
            await process.wait()
            await process.aclose()
