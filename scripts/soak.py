"""Attack the server as its security policy promises that it stands, each attack a scenario with figures and aims."""

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.siege import CLIENTS, SLOW, Fared, besieged, watched
from benchmarks.wire import OURS, HttpCaller, StdioCaller, has_ended, http_server, processor_s, resident_mib

__all__: list[str] = []

_WARM_UP_S = 4.0
_LATENCY_AIM_MS = 50.0
_MEMORY_AIM_MIB = 400.0
_END_AIM_S = 5.0
_RECOVERY_AIM_S = 5.0
_GIVEN_UP_AIM_S = 0.2
_HALF = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
_LOG_AIM_BYTES = 10_000
_PROCESSOR_AIM = 0.2
_PREDICTED = {"model": "7B", "gpu": "h100", "tokens": "1T"}
_NOTICE_S = 0.5
"""How long work is left to begin before it is disturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, and the most that it may be."""

    name: str
    value: float
    aim: float
    unit: str

    @property
    def is_missed(self) -> bool:
        """Whether it is more than it may be."""
        return self.value > self.aim


def _ms(name: str, value: float) -> Figure:
    return Figure(name=name, value=value, aim=_LATENCY_AIM_MS, unit="ms")


def _mib(value: float) -> Figure:
    return Figure(name="largest memory", value=value, aim=_MEMORY_AIM_MIB, unit="MiB")


def _while_watched(fared: Fared) -> Iterator[Figure]:
    """Yield how quick calls went, and the memory that was held."""
    yield _ms("list_gpus p99", fared.listing_p99_ms)
    yield _ms("/healthz p99", fared.health_p99_ms)
    yield _mib(fared.largest_mib)


def _recovery_s(port: int) -> float:
    """Return how long it takes until a call that needs a worker is answered."""
    begun_s = time.perf_counter()

    async def ask() -> None:
        while True:
            caller = HttpCaller(port)
            with contextlib.suppress(OSError, EOFError):
                # Another question each time: no kept answer serves.
                question = _PREDICTED | {"n_gpus": 8 + int(time.time()) % 100_000}
                answer = await caller.call("estimate_training_time", question)
                if b'"isError":true' not in answer:
                    return
            caller.close()
            await asyncio.sleep(0.05)

    asyncio.run(ask())
    return time.perf_counter() - begun_s


def _recovery(port: int) -> Figure:
    return Figure(name="to full service after it", value=_recovery_s(port), aim=_RECOVERY_AIM_S, unit="s")


def _ending(seconds: float, how: str) -> Figure:
    return Figure(name=f"to end after {how}", value=seconds, aim=_END_AIM_S, unit="s")


def _seconds_to_end(process_id: int, how: signal.Signals) -> float:
    begun_s = time.perf_counter()
    os.kill(process_id, how)
    while not has_ended(process_id):
        time.sleep(0.01)
    return time.perf_counter() - begun_s


@contextlib.contextmanager
def _warm_server(*, log: Path = Path(os.devnull), files: int | None = None) -> Generator[tuple[int, int]]:
    """Yield the port and the process id of a server that has had time to warm up."""
    with http_server(OURS, log=log, files=files) as served:
        time.sleep(_WARM_UP_S)
        yield served


def _alone(during_s: float) -> Iterator[Figure]:
    """Ask quick calls while nobody else asks anything: what the machine itself makes of them."""
    with _warm_server() as (port, process_id):
        fared = asyncio.run(watched(port, process_id, during_s))
        yield from _while_watched(fared)


def _beside(names: tuple[str, ...], during_s: float) -> Iterator[Figure]:
    """Ask quick calls while 64 clients ask slow ones, end their attack, and end the server under another."""
    with _warm_server() as (port, process_id):
        with besieged(port, names):
            fared = asyncio.run(watched(port, process_id, during_s))
        yield from _while_watched(fared)
        yield _recovery(port)
        with besieged(port, names):
            time.sleep(_NOTICE_S)
            yield _ending(_seconds_to_end(process_id, signal.SIGTERM), "SIGTERM")


@contextlib.contextmanager
def _connected(port: int, connections: int, said: bytes) -> Generator[None]:
    """Hold so many connections on which no more than `said` is said; the server may drop them."""
    held: list[socket.socket] = []
    try:
        for _ in range(connections):
            held.append(socket.create_connection(("127.0.0.1", port), 5))
            with contextlib.suppress(ConnectionError):
                held[-1].sendall(said)
        yield
    finally:
        for connection in held:
            connection.close()


def _slow_clients(connections: int, said: bytes, files: int | None, during_s: float) -> Iterator[Figure]:
    """Ask quick calls while many connections say too little."""
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with _warm_server(log=log, files=files) as (port, process_id):
            before_s = processor_s(process_id)
            with _connected(port, connections, said):
                used_s, begun_s = processor_s(process_id), time.perf_counter()
                fared = asyncio.run(watched(port, process_id, during_s))
                share = (processor_s(process_id) - used_s) / (time.perf_counter() - begun_s)
            yield from _while_watched(fared)
            yield Figure(name="processor time of connecting", value=used_s - before_s, aim=_END_AIM_S, unit="s")
            yield Figure(name="processor while they are silent", value=share, aim=_PROCESSOR_AIM, unit="cores")
            yield Figure(name="log", value=log.stat().st_size, aim=_LOG_AIM_BYTES, unit="bytes")
            yield _recovery(port)


def _four_bodies(_during_s: float) -> Iterator[Figure]:
    """Send four bodies of a megabyte of empty lists at once, once."""

    async def ask(port: int) -> None:
        callers = [HttpCaller(port) for _ in range(4)]
        request = callers[0].request(SLOW["empty lists"].tool, SLOW["empty lists"].arguments)
        await asyncio.gather(*(caller.ask(request) for caller in callers), return_exceptions=True)

    with _warm_server() as (port, process_id):
        used_s, begun_s = processor_s(process_id), time.perf_counter()
        asyncio.run(ask(port))
        yield Figure(name="to answer all four", value=(time.perf_counter() - begun_s) * 1e3, aim=500.0, unit="ms")
        yield Figure(name="processor", value=processor_s(process_id) - used_s, aim=0.5, unit="s")
        yield _mib(resident_mib(process_id))


def _unread(_during_s: float) -> Iterator[Figure]:
    """Ask over stdio for more than a pipe holds, read nothing, and ask the server to end."""
    caller = StdioCaller(OURS)
    for id_ in range(20):
        caller.send_call(id_, SLOW["long lists"].tool, SLOW["long lists"].arguments)
    time.sleep(_NOTICE_S)
    yield _ending(_seconds_to_end(caller.process.pid, signal.SIGTERM), "SIGTERM")
    caller.kill()


def _ends_during(name: str, _during_s: float) -> Iterator[Figure]:
    """Ask ten slow things over each transport, and ask the server to end."""
    for how in (signal.SIGTERM, signal.SIGHUP):
        caller = StdioCaller(OURS)
        for id_ in range(10):
            caller.send_call(id_, SLOW[name].tool, SLOW[name].call(id_))
        time.sleep(_NOTICE_S)
        yield _ending(_seconds_to_end(caller.process.pid, how), f"{how.name} over stdio")
        caller.kill()
        with http_server(OURS) as (port, process_id), besieged(port, (name,), 10):
            time.sleep(_WARM_UP_S)
            yield _ending(_seconds_to_end(process_id, how), f"{how.name} over HTTP")


def _given_up(_during_s: float) -> Iterator[Figure]:
    """Hang up on slow calls, and see how soon nothing is worked on any more."""
    with _warm_server() as (port, process_id):
        for name in ("plans", "comparisons"):
            with besieged(port, (name,), 8):
                idle_s = processor_s(process_id)
                time.sleep(_NOTICE_S)
            used_s = processor_s(process_id)
            yield Figure(name=f"{name}: idle before", value=_NOTICE_S - (used_s - idle_s), aim=_NOTICE_S / 2, unit="s")
            time.sleep(1.0)
            worked_s = processor_s(process_id) - used_s
            yield Figure(name=f"{name}: worked on after", value=worked_s, aim=_GIVEN_UP_AIM_S, unit="s of processor")


_Scenario = Callable[[float], Iterator[Figure]]
_SCENARIOS: Mapping[str, _Scenario] = {
    "alone": _alone,
    **{f"beside-{name.replace(' ', '-')}": partial(_beside, (name,)) for name in SLOW},
    "beside-all-of-them": partial(_beside, tuple(SLOW)),
    "half-headers": partial(_slow_clients, 4_100, _HALF, None),
    "silent": partial(_slow_clients, 1_200, b"", 1_024),
    "four-bodies": _four_bodies,
    "unread": _unread,
    "ends-during-plans": partial(_ends_during, "plans"),
    "ends-during-comparisons": partial(_ends_during, "comparisons"),
    "given-up": _given_up,
}


def main() -> None:
    """Run the scenarios that are named, or all; exits 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="all where none is named")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long an attack is watched")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and run none")
    given: Any = parser.parse_args()
    unknown = [name for name in given.scenarios if name not in _SCENARIOS]
    if unknown:
        parser.error(f"unknown scenario {unknown[0]!r}; --list names them")
    if given.list:
        print("\n".join(_SCENARIOS))
        return
    print(f"| attack ({CLIENTS} clients where more than one) | figure | measured | aim, at most | |")
    print("| --- | --- | --- | --- | --- |")
    missed = 0
    for name in given.scenarios or _SCENARIOS:
        for figure in _SCENARIOS[name](given.seconds):
            missed += figure.is_missed
            print(
                f"| {name} | {figure.name} | {figure.value:,.3g} {figure.unit} | {figure.aim:g} {figure.unit} | "
                f"{'missed' if figure.is_missed else ''} |",
                flush=True,
            )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
