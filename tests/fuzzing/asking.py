"""Many questions asked over a wire, several at once, and what was wrong with each."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from tests.fuzzing.invariants import reply_faults
from tests.fuzzing.messages import Sent, sent
from tests.fuzzing.wires import Wire

__all__ = ["HANG_S", "Outcome", "outcome", "outcomes"]

HANG_S = 10.0
"""Longest that an answer may take."""
_UNREAD = (-32700, -32600)
"""Codes of a message that was not understood as a request (JSON-RPC 2.0, section 5.1): its id may not be known."""

_LONE_SURROGATE = b"\\ud8"
"""In JSON this stands for half a character: a parser may refuse the message whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one message."""

    message: Sent
    faults: tuple[str, ...]
    took_s: float
    answered: bool
    """Whether a reply came that is no refusal."""


async def outcome(wire: Wire, seed: int) -> Outcome:
    """Send the message of `seed`, and judge what comes back."""
    message, begun_s = sent(seed), time.monotonic()
    try:
        reply = await wire.ask(message)
    except (TimeoutError, ConnectionError) as error:
        return Outcome(
            message=message,
            faults=(f"{type(error).__name__} {error}".strip(),),
            took_s=time.monotonic() - begun_s,
            answered=False,
        )
    took_s = time.monotonic() - begun_s
    found: list[str] = []
    if reply is not None:
        found += reply_faults(message.question, reply)
    if message.id is not None and (reply is None or reply.get("id") != message.id):
        unread = reply is not None and reply.get("id") is None and reply.get("error", {}).get("code") in _UNREAD
        if not unread or (message.question is not None and _LONE_SURROGATE not in message.body):
            found.append("not answered under its id")
    is_answer = reply is not None and "result" in reply and not reply["result"].get("isError")
    return Outcome(message=message, faults=tuple(found), took_s=took_s, answered=is_answer)


async def outcomes(wire: Wire, seeds: Iterable[int], *, at_once: int) -> AsyncIterator[Outcome]:
    """Yield what became of each message, `at_once` of them being under way.

    One that takes longer than `HANG_S` beside the others is sent once more when all is quiet, and judged by that.
    """
    late: list[int] = []
    left = iter(seeds)
    running: set[asyncio.Task[Outcome]] = set()
    while True:
        while len(running) < at_once and (seed := next(left, None)) is not None:
            running.add(asyncio.create_task(outcome(wire, seed)))
        if not running:
            break
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            ended = task.result()
            if ended.took_s > HANG_S:
                late.append(ended.message.seed)
            else:
                yield ended
    for seed in late:
        yield await outcome(wire, seed)
