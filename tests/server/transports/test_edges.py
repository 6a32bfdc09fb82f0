"""What no well-behaved client sends is refused in the protocol's own words.

Authority: JSON-RPC 2.0, section 4 (an id is a string or a whole number); MCP, Streamable HTTP; RFC 9110, 7.2; RFC 6454.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx2
import pytest

from server.transports.hosts import host_allowed, origin_allowed
from tests.places import ROOT

IDS = ["null", "1.5", "true", "[1]", '{"a":1}']
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
START = [sys.executable, "-m", "tests.fixture_server"]
ERAS: tuple[dict[str, str], ...] = ({}, {"mcp-protocol-version": "2026-07-28"})


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """Where a server serves."""
    command = [*START, "http", "127.0.0.1", "60", ""]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        yield process.stderr.readline().decode().split()[-1].removesuffix("/mcp")
        process.kill()


def _session(base: str) -> dict[str, str]:
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    answer = httpx2.post(f"{base}/mcp", json=hello, headers=HEADERS)
    return {"mcp-session-id": answer.headers["mcp-session-id"], "mcp-protocol-version": "2025-06-18"}


@pytest.mark.parametrize("id_", IDS)
@pytest.mark.parametrize("modern", [False, True])
def test_a_request_over_http_with_an_id_that_none_can_have_is_an_error(base: str, id_: str, modern: bool) -> None:
    headers = HEADERS | (
        {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"} if modern else _session(base)
    )
    body = f'{{"jsonrpc":"2.0","id":{id_},"method":"tools/list"}}'
    answer = httpx2.post(f"{base}/mcp", content=body.encode(), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in {-32600, -32602}


def test_a_notification_is_still_accepted(base: str) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert httpx2.post(f"{base}/mcp", json=note, headers=HEADERS | _session(base)).status_code == 202


def test_over_stdio_an_odd_id_is_an_error_and_an_error_is_no_echo() -> None:
    lines = [f'{{"jsonrpc":"2.0","id":{id_},"method":"tools/list"}}' for id_ in IDS]
    lines.append('{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"mine"}}')
    ended = subprocess.run(
        [*START, "stdio"], cwd=ROOT, input="\n".join(lines).encode(), capture_output=True, timeout=60, check=False
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(answer["id"], answer["error"]["code"]) for answer in answers] == [(None, -32600)] * len(IDS)


def test_a_stream_that_is_to_be_resumed_begins_anew(base: str) -> None:
    headers = {"accept": "text/event-stream", "last-event-id": "7"} | _session(base)
    with httpx2.stream("GET", f"{base}/mcp", headers=headers) as answer:
        assert answer.status_code == 200


def test_a_trailing_slash_is_served_in_place_and_only_for_this_host(base: str) -> None:
    answer = httpx2.post(f"{base}/mcp/", content=b"{bad", headers=HEADERS)
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    assert httpx2.post(f"{base}/mcp/", content=b"{}", headers=HEADERS | {"host": "evil.example"}).status_code == 421


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("localhost.", True),
        ("[::1]:80", True),
        ("mcp.example.org:8443", False),
        ("mcp.example.org", True),
        ("localhost:80@evil.com", False),
        ("localhost:evil.com", False),
        ("localhost:80:80", False),
        ("localhost:", False),
        ("localhost/evil", False),
        ("localhost.evil.com", False),
        ("localhost 80", False),
        ("", False),
    ],
)
def test_a_host_is_read_whole(host: str, is_allowed: bool) -> None:
    assert host_allowed(host, ["localhost", "localhost:*", "[::1]:*", "mcp.example.org"]) == is_allowed


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:3000", True),
        ("https://app.example.org", True),
        ("https://app.example.org:443", True),
        ("https://APP.example.org", True),
        ("http://app.example.org", False),
        ("https://app.example.org:8443", False),
        ("http://localhost:80@evil.com", False),
        ("http://localhost:3000/path", False),
        ("https://localhost:3000", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_read_whole(origin: str, is_allowed: bool) -> None:
    assert origin_allowed(origin, ["http://localhost:*", "https://app.example.org"]) == is_allowed


@pytest.mark.parametrize("modern", [False, True])
def test_a_client_that_hangs_up_ends_its_call(base: str, modern: bool) -> None:
    """Both threads are taken by calls of 50 s, whose clients leave: the next call does not wait for them."""
    version = "2026-07-28"
    meta = {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "0"},
    }
    modern_headers = {"mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "slow"}
    headers = HEADERS | (modern_headers if modern else _session(base))

    def call(id_: int, steps: int, timeout_s: float) -> httpx2.Response:
        params = {"name": "slow", "arguments": {"steps": steps}} | ({"_meta": meta} if modern else {})
        message = {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}
        return httpx2.post(f"{base}/mcp", json=message, headers=headers, timeout=timeout_s)

    assert "1 steps" in call(1, 1, 30).text
    for id_ in (2, 3):
        with pytest.raises(httpx2.ReadTimeout):
            call(id_, 1_000, 0.5)
    assert "1 steps" in call(4, 1, 10).text
