"""Sessions of the handshake era make room for one another.

Authority: the Model Context Protocol's Streamable HTTP transport, section on session management: a server may end a
session at any time, after which it answers 404 and the client shakes hands again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from server.protocol.app import build
from server.transports.sessions import SessionLimit
from tests.fixture_server import TOOLS

MOST = 3
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}
PING = {"jsonrpc": "2.0", "id": 2, "method": "ping"}


@asynccontextmanager
async def _limited() -> AsyncGenerator[httpx2.AsyncClient]:
    server = build(TOOLS)
    limit = SessionLimit(server.streamable_http_app(max_sessions=MOST + 1), most=MOST)
    async with (
        server.session_manager.run(),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(limit), base_url="http://127.0.0.1:8000") as client,
    ):
        yield client


async def _begun(client: httpx2.AsyncClient) -> str:
    answer = await client.post("/mcp", json=INITIALIZE, headers=HEADERS)
    assert answer.status_code == 200
    session_id: str = answer.headers["mcp-session-id"]
    return session_id


async def _status(client: httpx2.AsyncClient, session_id: str) -> int:
    answer = await client.post("/mcp", json=PING, headers=HEADERS | {"mcp-session-id": session_id})
    return answer.status_code


async def test_any_number_of_clients_that_never_end_their_session_are_served() -> None:
    async with _limited() as client:
        sessions = [await _begun(client) for _ in range(10 * MOST)]
        assert [await _status(client, session) for session in sessions[-MOST:]] == [200] * MOST
        assert {await _status(client, session) for session in sessions[:-MOST]} == {404}


async def test_the_least_recently_used_session_makes_room() -> None:
    async with _limited() as client:
        first, second, third = [await _begun(client) for _ in range(MOST)]
        assert await _status(client, first) == 200
        fourth = await _begun(client)
        assert [await _status(client, session) for session in (first, second, third, fourth)] == [200, 404, 200, 200]


async def test_a_session_that_its_client_ended_makes_room_by_itself() -> None:
    async with _limited() as client:
        first, second, third = [await _begun(client) for _ in range(MOST)]
        await client.delete("/mcp", headers=HEADERS | {"mcp-session-id": second})
        fourth = await _begun(client)
        assert [await _status(client, session) for session in (first, second, third, fourth)] == [200, 404, 200, 200]
