"""Processes that measure, listened to until the deadline and then ended: a hung driver cannot outlast the budget."""

import multiprocessing
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal, Protocol

from server.measure.budget import Budget, Clock
from server.measure.collectives import Rank

__all__ = [
    "DONE",
    "Ending",
    "Listener",
    "free_port",
    "heard",
    "run_collectives",
    "run_device",
    "seconds_of_process",
    "started",
]

DONE = "done"
"""Told last by whoever has nothing more to tell."""
Ending = Literal["done", "died", "late"]
Hear = Callable[[str, dict[str, Any]], None]
Message = tuple[str, dict[str, Any]]
_POLL_S = 0.1
_UNHURRIED = 0.93
"""Of its time that a process plans with: the last work may take longer than guessed."""
_LONGEST_START_S = 60.0
_END_S = 0.5
"""For a process to go once it is told to."""


class Listener(Protocol):
    """The end of a pipe that listens."""

    def poll(self, timeout: float) -> bool:
        """Return whether something is to be heard within `timeout` seconds."""
        ...

    def recv(self) -> Message:
        """Return it."""
        ...


def heard(listener: Listener, left_s: Callable[[], float], hear: Hear) -> Ending:
    """Pass on what is told until it is done, until all tellers have gone without saying so, or until no time is left.

    Now and then `hear` is told nothing, under no name, so that it can show how the time goes.
    """
    while (left := left_s()) > 0.0:
        hear("", {})
        if listener.poll(min(_POLL_S, left)):
            try:
                name, fields = listener.recv()
            except (EOFError, OSError):
                return "died"
            if name == DONE:
                return "done"
            hear(name, fields)
    return "late"


def started(
    work: Callable[..., None], arguments: Sequence[tuple[Any, ...]], left_s: Callable[[], float], hear: Hear
) -> Ending:
    """Run `work` in a process for each of `arguments`, and end them all when it is done or no time is left."""
    context = multiprocessing.get_context("spawn")
    listener, teller = context.Pipe(duplex=False)
    processes: list[BaseProcess] = [
        context.Process(target=work, args=(teller, *given), daemon=True) for given in arguments
    ]
    try:
        for process in processes:
            process.start()
        teller.close()
        return heard(listener, left_s, hear)
    finally:
        for process in processes:
            if process.pid is not None:
                # Nothing is left to lose: what it had to say was said.
                process.kill()
                process.join(_END_S)
        listener.close()


def run_device(teller: Connection, seconds: float, shared: float) -> None:
    """Measure the first device, in one process: all `seconds`, less the share for several together if there are."""
    clock = _alone()
    began_s = clock()
    tell = _teller(teller)
    try:
        from server.measure.device import TorchDevice
        from server.measure.work import measured_device

        tell("doing", {"what": "starting PyTorch"})
        device = TorchDevice()
        facts = {"device": device.name, "kind": device.kind, "devices": device.devices, "torch": device.torch_version}
        memory = device.memory_bytes()
        tell("facts", {**facts, "memory_gb": None if memory is None else memory / 1e9})
        alone = seconds * (1.0 - shared if device.devices > 1 else 1.0)
        measured_device(device, Budget(seconds=_UNHURRIED * alone, clock=clock, started_s=began_s), tell)
    except Exception as error:  # noqa: BLE001 - told, with its traceback on stderr
        traceback.print_exc()
        tell("left_out", {"why": f"the rest: {type(error).__name__}: {error}"[:200]})
    tell(DONE, {})


def run_collectives(teller: Connection, seconds: float, place: Rank) -> None:
    """Measure what the devices tell one another: the work of one process of several."""
    clock = _alone()
    budget = Budget(seconds=_UNHURRIED * seconds, clock=clock, started_s=clock())
    tell = _teller(teller)
    try:
        from server.measure.collectives import measured_collectives

        measured_collectives(place, budget, tell)
    except Exception as error:  # noqa: BLE001 - told once, by the first
        if place.rank == 0:
            traceback.print_exc()
            tell("left_out", {"why": f"all-reduce and all-to-all: {type(error).__name__}: {error}"[:200]})
    if place.rank == 0:
        tell(DONE, {})


def seconds_of_process() -> float:
    """Return how long ago this process was started; 0 where the system does not tell.

    On a busy machine the interpreter and the imports take seconds, and who gave a budget waits for them too.
    """
    try:
        # The 22nd field, in ticks since the boot; the 2nd is the program's name, and may hold spaces (proc(5)).
        ticks = float(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        since_boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        return min(max(since_boot_s - ticks / os.sysconf("SC_CLK_TCK"), 0.0), _LONGEST_START_S)
    except (AttributeError, IndexError, OSError, ValueError):
        return 0.0


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _alone() -> Clock:
    """Leave standard output and the keyboard's interrupt to the process that listens; return the clock."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return time.monotonic


def _teller(connection: Connection) -> Hear:
    def tell(name: str, fields: dict[str, Any]) -> None:
        connection.send((name, fields))

    return tell
