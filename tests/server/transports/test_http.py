"""The server over Streamable HTTP: who may connect, how much they may send, and how serving ends.

Authority: the Model Context Protocol's Streamable HTTP transport, RFC 6750 (bearer tokens), and the program's public
contract.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.types import TextContent

from estimator.base.errors import InvalidValueError
from server.transports.access import access
from server.transports.http import MAX_BODY_BYTES
from tests.fixture_server import SECRET
from tests.places import ROOT

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105 - it opens nothing but this test's server
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
ERAS = ("legacy", "2026-07-28")


class Served:
    """A server process and where it serves."""

    def __init__(self, *, timeout_s: float = 60, token_file: str = "", allowed: tuple[str, ...] = ()) -> None:
        options = ["127.0.0.1", str(timeout_s), token_file, *allowed]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fixture_server", "http", *options], cwd=ROOT, stderr=subprocess.PIPE
        )
        assert self.process.stderr is not None
        found = re.search(rb"serving (http://\S+)/mcp", self.process.stderr.readline())
        assert found is not None
        self.base = found[1].decode()

    @property
    def url(self) -> str:
        """The protocol's endpoint."""
        return f"{self.base}/mcp"

    def ended(self) -> tuple[int, str]:
        """Return the exit status and the log."""
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log.decode()

    def kill(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.communicate()


def _serving(**options: object) -> Iterator[Served]:
    served = Served(**options)  # type: ignore[arg-type]
    yield served
    served.kill()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    yield from _serving(timeout_s=1)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    token_file = tmp_path_factory.mktemp("secret") / "token"
    token_file.touch(mode=0o600)
    token_file.write_text(f"{TOKEN}\n")
    yield from _serving(token_file=str(token_file), allowed=("mcp.example.org", "https://app.example.org"))


@pytest.fixture
def mortal() -> Iterator[Served]:
    yield from _serving()


async def _echo(client: Client, text: str = "hi") -> str:
    result = await client.call_tool("echo", {"text": text})
    (block,) = result.content
    assert isinstance(block, TextContent)
    assert json.loads(block.text) == result.structured_content
    return block.text


@pytest.mark.parametrize("era", [*ERAS, "auto"])
async def test_a_client_of_either_era_gets_the_same_answer(served: Served, era: str) -> None:
    async with Client(served.url, mode=era) as client:
        texts = {await _echo(client) for _ in range(3)}
    assert texts == {
        '{"summary":"hi 1 red [] None 0","amount":1.0,"parts":[{"name":"café ≥ 1","share":null}]}',
    }


@pytest.mark.parametrize("era", ERAS)
async def test_progress_and_the_call_timeout_reach_the_client(served: Served, era: str) -> None:
    seen: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
        seen.append(progress)
        await asyncio.sleep(0)

    async with Client(served.url, mode=era) as client:
        result = await client.call_tool("slow", {"steps": 1000}, progress_callback=note)
        assert result.is_error
        assert isinstance(result.content[0], TextContent)
        assert result.content[0].text.startswith("slow was stopped after 1 s")
        assert seen[0] == 0
        assert "still here" in await _echo(client, "still here")


@pytest.mark.parametrize("era", ERAS)
async def test_a_fault_reveals_nothing(served: Served, era: str) -> None:
    async with Client(served.url, mode=era) as client:
        result = await client.call_tool("faulty", {})
        assert result.is_error
        assert SECRET not in str(result)


def test_health_is_answered_without_a_token_and_says_nothing_else(guarded: Served) -> None:
    answer = httpx2.get(f"{guarded.base}/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert "server" not in answer.headers
    assert httpx2.post(f"{guarded.base}/healthz").status_code == 405


@pytest.mark.parametrize("era", [{}, {"mcp-protocol-version": "2026-07-28"}])
@pytest.mark.parametrize("body", [b"{bad", b"[]", b"5", b'{"jsonrpc":"2.0","id":1}'])
def test_a_body_that_is_no_message_is_refused_in_one_sentence(served: Served, body: bytes, era: dict[str, str]) -> None:
    """Authority: the contract, section on errors: no report of a library's, in either era."""
    answer = httpx2.post(served.url, content=body, headers=HEADERS | era)
    message = answer.json()["error"]["message"]
    assert answer.status_code == 400
    assert message
    assert "\n" not in message
    assert "pydantic" not in message


@pytest.mark.parametrize("era", [{}, {"mcp-protocol-version": "2026-07-28"}])
def test_a_body_that_is_too_long_is_told_how_long_one_may_be(served: Served, era: dict[str, str]) -> None:
    for times in range(1, 6):
        # Whatever of it is still on the way when it is refused.
        answer = httpx2.post(served.url, content=b"x" * (times * MAX_BODY_BYTES + 1), headers=HEADERS | era)
        assert answer.status_code == 413
        assert str(MAX_BODY_BYTES) in answer.text
        assert "check --observed-log FILE" in answer.text


@pytest.mark.parametrize("era", [{}, {"mcp-protocol-version": "2026-07-28"}])
def test_a_body_that_holds_too_much_is_told_how_much_one_may(served: Served, era: dict[str, str]) -> None:
    call = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":[%s[]]}}}'
    answer = httpx2.post(served.url, content=call % (b"[]," * 99_999), headers=HEADERS | era)
    assert answer.status_code == 413
    assert "at most 30000 values" in answer.text


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{bad", {}, 400),
        (b"{bad", {"mcp-protocol-version": "2026-07-28"}, 400),
        (b"[]", {"mcp-protocol-version": "2026-07-28"}, 400),
        (b"x" * MAX_BODY_BYTES, {}, 400),
        (b"x" * (MAX_BODY_BYTES + 1), {}, 413),
        (b"x" * (MAX_BODY_BYTES + 1), {"mcp-protocol-version": "2026-07-28"}, 413),
        (b"{}", {"host": "evil.example"}, 421),
        (b"{}", {"host": "evil.example", "mcp-protocol-version": "2026-07-28"}, 421),
        (b"{}", {"origin": "http://evil.example"}, 403),
        (b"{}", {"origin": "null"}, 403),
        (b"{}", {"content-type": "text/plain"}, 400),
    ],
)
async def test_a_request_that_is_not_welcome_is_refused_and_the_next_is_served(
    served: Served, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = httpx2.post(served.url, content=body, headers=HEADERS | headers)
    assert answer.status_code == status
    assert len(answer.text) < 300
    async with Client(served.url) as client:
        assert "still here" in await _echo(client, "still here")


def test_a_body_that_does_not_say_how_long_it_is_is_cut_at_the_limit(served: Served) -> None:
    answer = httpx2.post(served.url, content=(b"x" * 65_536 for _ in range(17)), headers=HEADERS)
    assert answer.status_code == 413


def test_nothing_else_is_served(served: Served) -> None:
    assert httpx2.get(f"{served.base}/").status_code == 404


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"]
)
def test_without_the_right_token_there_is_no_entry(guarded: Served, authorization: str | None) -> None:
    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    answer = httpx2.post(guarded.url, content=b"{}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "mcp.example.org", "mcp.example.org:8443"])
def test_with_the_token_an_allowed_host_is_served(guarded: Served, host: str) -> None:
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
    }
    headers = HEADERS | {"authorization": f"Bearer {TOKEN}", "host": host}
    answer = httpx2.post(guarded.url, json=message, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["mcp-session-id"]
    refused = httpx2.post(guarded.url, json=message, headers=headers | {"host": "mcp.example.org.evil.example"})
    assert refused.status_code == 421


def test_a_browser_at_an_allowed_origin_may_ask_and_read(guarded: Served) -> None:
    """A preflight carries no token."""
    asked = {"origin": "https://app.example.org", "access-control-request-method": "POST"}
    assert httpx2.options(guarded.url, headers=asked).headers["access-control-allow-origin"] == asked["origin"]
    refused = httpx2.options(guarded.url, headers=asked | {"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("era", ERAS)
async def test_calls_in_flight_are_answered_before_sigterm_ends_the_process(mortal: Served, era: str) -> None:
    async with Client(mortal.url, mode=era) as client:
        begun = asyncio.Event()

        async def note(progress: float, total: float | None, message: str | None) -> None:  # noqa: ARG001
            begun.set()
            await asyncio.sleep(0)

        call = asyncio.create_task(client.call_tool("slow", {"steps": 8}, progress_callback=note))
        await begun.wait()
        mortal.process.send_signal(signal.SIGTERM)
        while (await asyncio.to_thread(httpx2.get, f"{mortal.base}/healthz")).status_code != 503:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        result = await call
        assert result.structured_content is not None
        assert result.structured_content["summary"] == "8 steps"
        status, log = await asyncio.to_thread(mortal.ended)
    assert status == 0
    assert log == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "mcp.example.org", ""])  # noqa: S104 - it is refused
def test_a_bind_that_others_can_reach_needs_an_allowlist_and_a_token(host: str, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    for hosts, tokens in (((), None), (("mcp.example.org",), None), ((), token_file)):
        with pytest.raises(InvalidValueError, match="is reachable by others: give --allowed-hosts and --token-file"):
            access(host, allowed_hosts=hosts, allowed_origins=(), token_file=tokens)
    allowed = access(host, allowed_hosts=("mcp.example.org",), allowed_origins=(), token_file=token_file)
    assert allowed.tokens is not None
    assert allowed.tokens.admit(TOKEN.encode())
    assert allowed.hosts == ("mcp.example.org", "mcp.example.org:*")
    assert allowed.origins == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_a_loopback_bind_needs_neither(host: str) -> None:
    allowed = access(host, allowed_hosts=(), allowed_origins=(), token_file=None)
    assert allowed.tokens is None
    assert {"127.0.0.1:*", f"[{host}]:*" if host == "::1" else f"{host}:*"} <= set(allowed.hosts)
    assert "http://localhost:*" in allowed.origins


@pytest.mark.parametrize(
    "token",
    ["", "short", "two words are no token at all", "of-letters-like-\u00e9-none", f"{TOKEN}\nshort", "a\x00" * 20],
)
def test_a_token_that_guards_nothing_is_refused(token: str, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(token)
    with pytest.raises(InvalidValueError, match="must hold one token of at least 16 characters"):
        access("127.0.0.1", allowed_hosts=(), allowed_origins=(), token_file=token_file)
    with pytest.raises(InvalidValueError, match="cannot be read"):
        access("127.0.0.1", allowed_hosts=(), allowed_origins=(), token_file=tmp_path / "none")


@pytest.mark.parametrize("wildcard", ["*", "*:8000", "*.example.org", " "])
def test_a_wildcard_in_the_allowlist_is_refused(wildcard: str) -> None:
    for hosts, origins in (((wildcard,), ()), ((), (wildcard,))):
        with pytest.raises(InvalidValueError, match="wildcard would switch the check off"):
            access("127.0.0.1", allowed_hosts=hosts, allowed_origins=origins, token_file=None)
