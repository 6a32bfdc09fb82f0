"""What measures is listened to until the deadline, and then ended, whatever it does.

Authority: a clock that listening moves; processes that hang, die, or are done.
"""

import os
import time
from multiprocessing.connection import Connection
from typing import Any

import pytest

from server.measure.processes import DONE, heard, seconds_of_process, started

LONG_S = 600.0


class Pipe:
    """A pipe on which everything is told at its time, and a clock that waiting moves."""

    def __init__(self, *told: tuple[float, str]) -> None:
        self.now_s = 0.0
        self._told = list(told)

    def poll(self, timeout: float) -> bool:
        """Wait."""
        if self._told and self._told[0][0] <= self.now_s + timeout:
            self.now_s = max(self.now_s, self._told[0][0])
            return True
        self.now_s += timeout
        return False

    def recv(self) -> tuple[str, dict[str, Any]]:
        """Return what is told next, or raise that nobody is there."""
        name = self._told.pop(0)[1]
        if name == "gone":
            raise EOFError
        return name, {}


@pytest.mark.parametrize(
    ("told", "ending", "names"),
    [
        ([(1.0, "matmul"), (2.0, DONE)], "done", ["matmul"]),
        ([(1.0, "matmul"), (9.0, "gone")], "died", ["matmul"]),
        ([(1.0, "matmul"), (12.0, "steps")], "late", ["matmul"]),
        ([], "late", []),
    ],
)
def test_what_is_told_is_heard_until_the_deadline(told: list[tuple[float, str]], ending: str, names: list[str]) -> None:
    pipe, got = Pipe(*told), list[str]()
    assert heard(pipe, lambda: 10.0 - pipe.now_s, lambda name, _: got.append(name)) == ending
    assert [name for name in got if name] == names
    assert pipe.now_s <= 10.0 + 1e-6


def _hangs(teller: Connection) -> None:
    teller.send(("matmul", {"process": os.getpid()}))
    time.sleep(LONG_S)


def _dies(teller: Connection) -> None:
    teller.send(("matmul", {"process": os.getpid()}))
    os._exit(9)


def _is_done(teller: Connection) -> None:
    teller.send(("matmul", {"process": os.getpid()}))
    teller.send((DONE, {}))
    time.sleep(LONG_S)


@pytest.mark.parametrize(("work", "ending"), [(_hangs, "late"), (_dies, "died"), (_is_done, "done")])
def test_a_process_is_ended_and_what_it_told_is_kept(work: Any, ending: str) -> None:  # noqa: ANN401
    told: list[dict[str, Any]] = []

    def hear(name: str, fields: dict[str, Any]) -> None:
        if name:
            told.append(fields)

    def left_s() -> float:
        # Time runs out as soon as something was told: nothing here waits for a clock.
        return 0.0 if told and ending == "late" else LONG_S

    over = started(work, [()], left_s, hear)
    assert over == ending
    assert len(told) == 1
    if os.name == "posix":
        with pytest.raises(ProcessLookupError):
            os.kill(told[0]["process"], 0)


def test_a_process_knows_how_long_it_has_run() -> None:
    """Since before this test began; nothing where the system does not tell."""
    earlier_s = seconds_of_process()
    assert 0.0 <= earlier_s <= seconds_of_process()
