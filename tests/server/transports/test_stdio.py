"""The server as a host starts it: a child process, one JSON message a line.

Authority: the Model Context Protocol's stdio transport (nothing but messages on stdout), JSON-RPC 2.0 (−32700 for what
is not JSON, −32600 for what is no request), and the program's public contract.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from tests.places import ROOT

COMMAND = [sys.executable, "-m", "tests.fixture_server", "stdio"]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


class Child:
    """A served process, spoken to line by line."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def say(self, message: dict[str, Any] | bytes) -> None:
        """Send one line."""
        assert self.process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def call(self, id_: int, tool: str, **arguments: object) -> None:
        """Send a call of `tool`."""
        params = {"name": tool, "arguments": arguments}
        self.say({"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params})

    def heard(self) -> dict[str, Any]:
        """Return the next message."""
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def rest(self) -> tuple[list[dict[str, Any]], str]:
        """Return what is still said when nobody listens any more, and what the log says."""
        out, log = self.process.communicate(timeout=30)
        return [json.loads(line) for line in out.splitlines()], log.decode()


def _served() -> Iterator[Child]:
    served = Child()
    served.say(INITIALIZE)
    assert served.heard()["id"] == 0
    served.say(INITIALIZED)
    yield served
    served.process.kill()
    served.process.communicate()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """A server that has shaken hands, and that every test leaves in working order."""
    yield from _served()


@pytest.fixture
def mortal() -> Iterator[Child]:
    """One that a test may end."""
    yield from _served()


@pytest.mark.parametrize(
    ("line", "code", "id_"),
    [
        (b"{bad", -32700, None),
        (b"\xff\xfe\x00", -32700, None),
        (b"[" * 100_000, -32700, None),
        (b"[]", -32600, None),
        (b"17", -32600, None),
        (b'{"jsonrpc": "2.0", "id": 7}', -32600, 7),
        (b'"' + b"x" * 1024 * 1024 + b'"', -32600, None),
        (b"x" * 5 * 1024 * 1024, -32600, None),
    ],
    ids=["malformed", "not text", "brackets", "batch", "number", "no method", "one byte too long", "far too long"],
)
def test_a_line_that_is_no_message_is_answered_and_the_next_is_served(
    child: Child, line: bytes, code: int, id_: int | None
) -> None:
    child.say(line)
    answer = child.heard()
    assert (answer["id"], answer["error"]["code"]) == (id_, code)
    assert len(answer["error"]["message"]) < 200
    child.call(1, "echo", text="still here")
    assert "still here" in child.heard()["result"]["content"][0]["text"]


def test_a_message_of_the_greatest_length_is_served(child: Child) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": ""}}}
    padding = 1024 * 1024 - len(json.dumps(message))
    child.say(json.dumps(message).encode() + b" " * padding)
    assert child.heard()["result"]["isError"] is False


def test_a_blank_line_is_no_message(child: Child) -> None:
    child.say(b"")
    child.say(b"  \r")
    child.call(1, "echo", text="hi")
    assert child.heard()["id"] == 1


def test_a_number_that_json_does_not_have_is_refused(child: Child) -> None:
    child.say(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"","share":NaN}}}'
    )
    result = child.heard()["result"]
    assert result["isError"] is True
    assert result["content"][0]["text"] == "share: nan must be finite"


def test_calls_in_flight_are_answered_when_the_input_ends(mortal: Child) -> None:
    """`printf … | traintime serve` is a fair question."""
    for id_ in (1, 2):
        mortal.call(id_, "slow", steps=10)
    answers, log = mortal.rest()
    assert {answer["id"] for answer in answers} == {1, 2}
    assert all("10 steps" in answer["result"]["content"][0]["text"] for answer in answers)
    assert mortal.process.returncode == 0
    assert log == ""


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_calls_in_flight_are_answered_before_a_signal_ends_the_process(mortal: Child, asked: signal.Signals) -> None:
    mortal.call(1, "slow", steps=20)
    mortal.call(2, "echo", text="taken")
    # The quick call came second: once it is answered, the slow one is in flight.
    assert mortal.heard()["id"] == 2
    mortal.process.send_signal(asked)
    answer = mortal.heard()
    assert answer["id"] == 1
    assert "20 steps" in answer["result"]["content"][0]["text"]
    assert mortal.process.wait(timeout=30) == 0


def test_a_fault_is_logged_on_stderr_and_stdout_carries_messages_only(mortal: Child) -> None:
    mortal.call(1, "faulty")
    answers, log = mortal.rest()
    assert [answer["id"] for answer in answers] == [1]
    assert "RuntimeError: what only the log may say" in log
    assert "what only the log may say" not in json.dumps(answers)


@pytest.mark.parametrize("era", ["legacy", "2026-07-28", "auto"])
async def test_a_client_of_either_era_is_served(era: str) -> None:
    parameters = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], cwd=ROOT)
    async with Client(parameters, mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["echo", "faulty", "slow"]
        result = await client.call_tool("echo", {"text": "hi"})
        (block,) = result.content
        assert isinstance(block, TextContent)
        assert json.loads(block.text) == result.structured_content
