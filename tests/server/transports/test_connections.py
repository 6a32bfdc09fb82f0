"""Clients that connect and are slow, or say nothing, lock nobody else out.

Authority: the program's security policy; RFC 9110, section 15.5.9 (408).
"""

import asyncio
import contextlib
import logging
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest

from server.transports import connections
from server.transports.connections import Crowd, most_connections
from server.transports.repeats import Repeats
from tests.places import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")

DESCRIPTORS = 128
MANY = 200
HALF = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A server that may open few files, and its port."""
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))"
    start = "from tests.fixture_server import main; main('http', '127.0.0.1', '60', '')"
    process = subprocess.Popen([sys.executable, "-c", f"{limit}\n{start}"], cwd=ROOT, stderr=subprocess.PIPE)
    assert process.stderr is not None
    found = re.search(rb"serving http://127.0.0.1:(\d+)/mcp", process.stderr.readline())
    assert found is not None
    yield process, int(found[1])
    process.kill()
    process.communicate()


@pytest.mark.parametrize("said", [b"", HALF], ids=["silent", "half a header"])
def test_many_that_say_too_little_lock_nobody_out_and_fill_no_log(
    served: tuple[subprocess.Popen[bytes], int], said: bytes
) -> None:
    process, port = served
    crowd = [socket.create_connection(("127.0.0.1", port), 5) for _ in range(MANY)]
    for one in crowd:
        try:
            one.sendall(said)
        except OSError:
            continue
    for _ in range(5):
        begun_s = time.monotonic()
        assert httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
        assert time.monotonic() - begun_s < 2
    for one in crowd:
        one.close()
    process.terminate()
    _, log = process.communicate(timeout=20)
    assert len(log) < 5_000


class Heard:
    """A transport that notes how it ends."""

    def __init__(self) -> None:
        self.is_over = False

    def drop(self) -> None:
        """End."""
        self.is_over = True


def test_past_the_most_the_one_that_is_silent_longest_makes_room() -> None:
    crowd = Crowd(most=3)
    several = [Heard() for _ in range(5)]
    crowd.came(several[0])  # type: ignore[arg-type]
    crowd.asked(several[0])  # type: ignore[arg-type]
    for one in several[1:4]:
        crowd.came(one)  # type: ignore[arg-type]
    assert [one.is_over for one in several] == [False, True, False, False, False]


def test_where_all_are_being_served_a_few_more_are_let_in_for_their_health() -> None:
    crowd = Crowd(most=2)
    several = [Heard() for _ in range(2 + connections.RESERVE + 1)]
    for one in several:
        assert crowd.is_full == (one in several[3:])
        crowd.came(one)  # type: ignore[arg-type]
        crowd.asked(one)  # type: ignore[arg-type]
    assert [one.is_over for one in several] == [False] * (len(several) - 1) + [True]


def test_there_are_fewer_connections_than_half_the_descriptors() -> None:
    most = most_connections()
    assert 0 < most <= connections.MOST_CONNECTIONS
    assert 2 * most <= resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(
    "said",
    [b"", HALF, b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf"],
    ids=["nothing", "half a header", "half a body"],
)
async def test_what_is_not_said_in_time_ends_the_connection(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    from uvicorn import Config
    from uvicorn.server import ServerState

    monkeypatch.setattr(connections, "_HEADER_S", 0.1)
    monkeypatch.setattr(connections, "_BODY_S", 0.1)

    async def application(scope: object, receive: object, send: object) -> None:
        del scope, send
        while (await receive())["type"] != "http.disconnect":  # type: ignore[operator]
            pass

    config = Config(application, log_config=None)
    make = connections.connections_of(Crowd(most=9))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: make(config=config, server_state=ServerState(), app_state={}), "127.0.0.1"
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(said)
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
    writer.close()
    server.close()


def _record(text: str, line: int = 1) -> logging.LogRecord:
    return logging.LogRecord("a", logging.WARNING, "a.py", line, text, (), None)


def test_a_log_says_a_thing_a_few_times_and_cuts_what_a_client_sent() -> None:
    repeats = Repeats()
    records = [_record(f"Invalid Host header: {number}") for number in range(1_000)]
    assert sum(repeats.filter(record) for record in records) == 5
    assert repeats.filter(_record("another", line=2))
    long = _record("x" * 100_000, line=3)
    assert repeats.filter(long)
    assert len(long.getMessage()) < 600
