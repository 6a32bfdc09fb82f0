"""What besieges a server over HTTP, and how it fares meanwhile: the parts that `scripts/soak` puts together.

`siege.py PORT CLIENTS NAME …` is the besiegers, a process of their own so that what is measured is not their work: each
of so many clients asks one of the named calls again and again until the process is ended.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.wire import HttpCaller, resident_mib

__all__ = ["CLIENTS", "SLOW", "Fared", "besieged", "watched"]

CLIENTS = 64
_PAUSE_S = 0.02
_NEW = count(1)
_COMPARE, _CHECK = "compare_training_options", "check_training_speed"
_PLAN = {"solve_for": "gpu", "model": "7B", "n_gpus": 64, "tokens": "1T", "deadline": "30 days"}
_OPTIONS = {"models": ["7B"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1T"]}
_CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "vocab_size": 32_000,
    "of_each_layer": [[n, n + 0.5, str(n)] for n in range(4_900)],
    "note": "x" * 700_000,
}
_CHECKED = {"model": "7B", "gpu": "h100", "n_gpus": 8}
_LINE = "step 3 2.5 s/it "
_LINES = (1024 * 1024 - 2048) // len(_LINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """A call that takes long, or whose message does."""

    tool: str
    arguments: Mapping[str, Any]
    varied: str = ""
    """An argument that is another each time, so that no kept answer serves; empty where none is kept."""

    def call(self, number: int) -> Mapping[str, Any]:
        """Return the arguments of the call of this number."""
        return {**self.arguments, self.varied: f"{30 + number / 1000:.3f} days"} if self.varied else self.arguments


SLOW: Mapping[str, Slow] = {
    "plans": Slow(tool="plan_training", arguments=_PLAN, varied="deadline"),
    "comparisons": Slow(tool=_COMPARE, arguments=_OPTIONS | {"n_gpus": list(range(8, 4008, 8))}),
    "misspelt names": Slow(tool=_COMPARE, arguments=_OPTIONS | {"models": [f"lamma-{n}" for n in range(2_000)]}),
    "empty lists": Slow(tool=_COMPARE, arguments=_OPTIONS | {"n_gpus": [[] for _ in range(260_000)]}),
    "bodies too long": Slow(tool=_COMPARE, arguments=_OPTIONS | {"n_gpus": [[] for _ in range(400_000)]}),
    "logs of exponents": Slow(tool=_CHECK, arguments=_CHECKED | {"observed_log": "1e9" * 85_000}),
    "logs of a megabyte": Slow(tool=_CHECK, arguments=_CHECKED | {"observed_log": _LINE * _LINES}),
    "large configurations": Slow(
        tool="estimate_training_time", arguments=_CHECKED | {"tokens": "1T", "hf_config": _CONFIG}
    ),
    "long lists": Slow(tool="list_gpus", arguments={"limit": 200, "detail": "detailed"}),
}
"""By what is asked."""


@dataclass(kw_only=True)
class Fared:
    """How a server fared for a while."""

    listing_s: list[float] = field(default_factory=list[float])
    """Of a quick call."""
    health_s: list[float] = field(default_factory=list[float])
    """Of `/healthz`, on a new connection each time."""
    largest_mib: float = 0.0

    @property
    def listing_p99_ms(self) -> float:
        """The 99th percentile of the quick call."""
        return _p99_ms(self.listing_s)

    @property
    def health_p99_ms(self) -> float:
        """The 99th percentile of `/healthz`."""
        return _p99_ms(self.health_s)


async def watched(port: int, process_id: int, during_s: float) -> Fared:
    """Ask a quick call and for health again and again, and return how that went."""
    fared, until_s = Fared(), time.perf_counter() + during_s
    await asyncio.gather(
        _timed_calls(port, until_s, fared.listing_s),
        _timed_health(port, until_s, fared.health_s),
        _measured(process_id, until_s, fared),
    )
    return fared


@contextmanager
def besieged(port: int, names: Sequence[str], clients: int = CLIENTS) -> Generator[None]:
    """Have so many clients ask one of the named calls each, until the block ends; then they hang up."""
    command = [sys.executable, str(Path(__file__)), str(port), str(clients), *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as besiegers:
        if besiegers.stdout is not None:
            besiegers.stdout.readline()
        try:
            yield
        finally:
            besiegers.kill()


async def _besiege(port: int, clients: int, names: Sequence[str]) -> None:
    several = [SLOW[name] for name in names]
    tasks = [asyncio.create_task(_ask(port, several[number % len(several)])) for number in range(clients)]
    sys.stdout.write("asking\n")
    sys.stdout.flush()
    await asyncio.gather(*tasks)


async def _ask(port: int, slow: Slow) -> None:
    caller = HttpCaller(port)
    request = caller.request(slow.tool, slow.arguments)
    while True:
        if slow.varied:
            request = caller.request(slow.tool, slow.call(next(_NEW)))
        try:
            await caller.ask(request)
        except (OSError, EOFError):
            # Refused, as it may be: again, on another connection.
            caller.close()
            caller = HttpCaller(port)


async def _timed_calls(port: int, until_s: float, spent_s: list[float]) -> None:
    caller = HttpCaller(port)
    request = caller.request("list_gpus", {"query": "h100", "limit": 3})
    while time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        await caller.ask(request)
        spent_s.append(time.perf_counter() - begun_s)
        await asyncio.sleep(_PAUSE_S)
    caller.close()


async def _timed_health(port: int, until_s: float, spent_s: list[float]) -> None:
    while time.perf_counter() < until_s:
        begun_s = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise ConnectionError(answer[:200].decode())
        spent_s.append(time.perf_counter() - begun_s)
        await asyncio.sleep(_PAUSE_S)


async def _measured(process_id: int, until_s: float, fared: Fared) -> None:
    while time.perf_counter() < until_s:
        fared.largest_mib = max(fared.largest_mib, resident_mib(process_id))
        await asyncio.sleep(_PAUSE_S)


def _p99_ms(spent_s: Sequence[float]) -> float:
    ordered = sorted(spent_s)
    return ordered[int(0.99 * (len(ordered) - 1))] * 1e3


if __name__ == "__main__":
    asyncio.run(_besiege(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
