"""Ask every tool questions at random, and print each that is not answered soundly with the command that repeats it."""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from tests.fuzzing.asking import HANG_S, Outcome, outcome, outcomes
from tests.fuzzing.invariants import faults
from tests.fuzzing.messages import Sent, sent
from tests.fuzzing.questions import Asked, asked
from tests.fuzzing.wires import WIRES, opened

__all__: list[str] = []

_MOST_SEED = 1_000_000_000
_REPORTED_EACH = 500
_TOOLS = "tools"
_PERCENTILES = (0.5, 0.9, 0.99, 0.999)


class _Tally:
    """What was asked so far, and what was wrong with it."""

    def __init__(self, over: str) -> None:
        self._over = over
        self._begun_s = time.monotonic()
        self._took_s: list[float] = []
        self._answered = 0
        self.wrong: Counter[str] = Counter()

    def note(self, ended: Outcome) -> None:
        """Count one message, and print it where something is wrong."""
        self._took_s.append(ended.took_s)
        self._answered += ended.answered
        found = list(ended.faults)
        if ended.took_s > HANG_S:
            found.append(f"took {ended.took_s:.0f} s")
        if found:
            what = ended.message.method if ended.message.question is None else ended.message.question.tool
            self.wrong[what] += 1
            repeat = f"scripts/fuzz --over {self._over} --only {ended.message.seed}"
            print(f"{repeat}    {what}: {'; '.join(found)[:400]!r}", flush=True)
        if len(self._took_s) % _REPORTED_EACH == 0:
            self.report()

    def report(self) -> None:
        """Print how many there were."""
        ordered = sorted(self._took_s) or [0.0]
        slow = ", ".join(f"p{100 * share:g} {ordered[int(share * (len(ordered) - 1))]:.3f}" for share in _PERCENTILES)
        print(
            f"{len(self._took_s)} sent, {self._answered} answered, {self.wrong.total()} wrong {dict(self.wrong)}; "
            f"seconds: {slow}, most {ordered[-1]:.1f}; after {time.monotonic() - self._begun_s:.0f} s",
            flush=True,
        )


def main() -> None:
    """Ask as many as the command line says; exits 1 where any is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--over", choices=(_TOOLS, *WIRES), default=_TOOLS, help="the tools alone, or a server's wire")
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=6, help="calls under way over a wire")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="ask no more after so long")
    parser.add_argument("--seed", type=int, default=None, help="of the first question; drawn where left out")
    parser.add_argument("--only", type=int, default=None, help="one question's seed: ask it and print all of it")
    given = parser.parse_args()
    if given.only is not None:
        sys.exit(asyncio.run(_shown(given.over, given.only)))
    first = secrets.randbelow(_MOST_SEED) if given.seed is None else given.seed
    print(f"seed {first}", flush=True)
    sys.exit(asyncio.run(_asked(given.over, range(first, first + given.calls), given.at_once, given.seconds)))


async def _asked(over: str, seeds: Iterable[int], at_once: int, during_s: float) -> int:
    """Return the exit code."""
    tally, until_s = _Tally(over), time.monotonic() + during_s
    in_time = (seed for seed in seeds if time.monotonic() < until_s)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        async for ended in _outcomes(over, in_time, at_once, log):
            tally.note(ended)
        tally.report()
        traceback = _traceback(log)
    if traceback:
        print(f"the server logged\n{traceback}")
    return 1 if tally.wrong or traceback else 0


async def _outcomes(over: str, seeds: Iterable[int], at_once: int, log: Path) -> AsyncIterator[Outcome]:
    if over != _TOOLS:
        async with opened(over, log) as wire:
            async for ended in outcomes(wire, seeds, at_once=at_once):
                yield ended
        return
    for seed in seeds:
        question, begun_s = asked(seed), time.monotonic()
        found = tuple(faults(question))
        yield Outcome(message=_call(question), faults=found, took_s=time.monotonic() - begun_s, answered=not found)


def _call(question: Asked) -> Sent:
    """Return a question as a message, for its name."""
    return Sent(
        seed=question.seed, body=b"", id=question.seed, method="tools/call", name=question.tool, question=question
    )


def _traceback(log: Path) -> str:
    """Return the end of what the server logged where it holds a traceback."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return text[-4_000:] if "Traceback" in text else ""


async def _shown(over: str, seed: int) -> int:
    """Print a message, and what is wrong with what came back; return the exit code."""
    if over == _TOOLS:
        question = asked(seed)
        print(f"{question.tool} {json.dumps(question.arguments)}")
        found = tuple(faults(question))
    else:
        print(f"{sent(seed).body[:4_000]!r}")
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            async with opened(over, log) as wire:
                ended = await outcome(wire, seed)
            print(f"took {ended.took_s:.2f} s; the server logged\n{log.read_text(encoding='utf-8')[-4_000:]}")
            found = ended.faults
    print("\n".join(found) or "sound")
    return 1 if found else 0


if __name__ == "__main__":
    main()
