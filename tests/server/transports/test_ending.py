"""A process that is asked to end ends within seconds, whatever it was asked before.

Authority: supervisors kill what does not end: Docker after ten seconds, and some hosts after five.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from server.transports.ending import ENDING_S, SIGNALS
from tests.places import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")

MOST_S = 5.0
PLAN: dict[str, Any] = {"solve_for": "gpu", "model": "7B", "n_gpus": 64, "tokens": "1T", "deadline": "30 days"}
COMPARISON: dict[str, Any] = {"models": ["7B"], "gpus": ["h100"], "n_gpus": list(range(8, 4008, 8))}
LONG: dict[str, Any] = {"query": "", "limit": 200}


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """The real server over stdio, after the handshake."""
    command = [sys.executable, "-m", "traintime", "serve"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
    say(process, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
    assert process.stdout is not None
    process.stdout.readline()
    say(process, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    yield process
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def say(process: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
    """Send one line."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()


def call(process: subprocess.Popen[bytes], id_: int, tool: str, arguments: dict[str, Any]) -> None:
    """Send a call."""
    params = {"name": tool, "arguments": arguments}
    say(process, {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params})


def seconds_to_end(process: subprocess.Popen[bytes], asked: signal.Signals) -> float:
    """Return how long the process takes to end once it has been asked."""
    begun_s = time.monotonic()
    process.send_signal(asked)
    process.wait(timeout=30)
    return time.monotonic() - begun_s


def test_what_surely_ends_a_process_does_so_in_time() -> None:
    assert ENDING_S < MOST_S


@pytest.mark.parametrize("asked", SIGNALS)
def test_an_idle_process_ends_at_once_and_well(child: subprocess.Popen[bytes], asked: signal.Signals) -> None:
    assert seconds_to_end(child, asked) < MOST_S
    assert child.returncode == 0


def test_plans_that_were_cancelled_do_not_keep_the_process(child: subprocess.Popen[bytes]) -> None:
    for id_ in range(1, 11):
        call(child, id_, "plan_training", PLAN)
    for id_ in range(1, 11):
        say(child, {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id_}})
    call(child, 11, "list_gpus", {"limit": 1})
    assert child.stdout is not None
    assert json.loads(child.stdout.readline())["id"] == 11
    assert seconds_to_end(child, signal.SIGTERM) < MOST_S


@pytest.mark.parametrize("asked", SIGNALS)
@pytest.mark.parametrize("tool", ["plan_training", "compare_training_options"])
def test_work_that_still_runs_or_waits_does_not_keep_the_process(
    child: subprocess.Popen[bytes], tool: str, asked: signal.Signals
) -> None:
    """And it ends by itself, with what it has to say said: not by the thread that ends what does not."""
    for id_ in range(1, 41):
        own: dict[str, Any] = {"n_gpus": 64 + id_} if tool == "plan_training" else {"tokens": [f"{id_}T"]}
        call(child, id_, tool, (PLAN if tool == "plan_training" else COMPARISON) | own)
    assert seconds_to_end(child, asked) < MOST_S
    assert child.returncode == 0


def test_an_answer_that_nobody_reads_does_not_keep_the_process(child: subprocess.Popen[bytes]) -> None:
    """A pipe holds 64 KiB; these answers are several times as long."""
    for id_ in range(1, 21):
        call(child, id_, "list_gpus", LONG)
    time.sleep(1)
    assert seconds_to_end(child, signal.SIGTERM) < MOST_S


def test_the_input_ends_and_nobody_reads_and_still_a_signal_ends_the_process(child: subprocess.Popen[bytes]) -> None:
    for id_ in range(1, 21):
        call(child, id_, "list_gpus", LONG)
    assert child.stdin is not None
    child.stdin.close()
    time.sleep(1)
    assert child.poll() is None
    assert seconds_to_end(child, signal.SIGTERM) < MOST_S
