"""`traintime measure`: a profile that `--profile` reads, or one clear line.

Authority: the contract's section on the command line. The measuring itself needs PyTorch, which is no dependency.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from estimator.base.errors import InfeasibleError
from server.command_line.commands import exit_code
from server.measure import command
from server.measure.driver import facts_in
from server.measure.processes import Hear
from server.profiles.document import profile_schema
from server.profiles.file import profile_in
from tests.places import ROOT
from tests.profiles import MEASURED, spread

STEP = MEASURED["measured"]["steps"][0]


class Told:
    """Stands in for the processes: tells what they would."""

    def __init__(self, *told: tuple[str, dict[str, Any]], devices: int = 2, ending: str = "done") -> None:
        facts = {"device": "NVIDIA A100-SXM4-80GB", "kind": "cuda", "devices": devices, "torch": "2.13.0"}
        self._told: list[tuple[str, dict[str, Any]]] = [("doing", {"what": "matmul in bf16"}), ("facts", facts), *told]
        self._ending = ending
        self.ranks: list[int] = []

    def __call__(self, work: object, arguments: list[Any], left_s: Callable[[], float], hear: Hear) -> str:
        """Tell, once for the device and once for all of them together."""
        del work, left_s
        if len(arguments) > 1:
            self.ranks.append(len(arguments))
            hear("all_reduce_gb_s", spread(230.0))
            return "done"
        for name, fields in self._told:
            hear(name, fields)
        return self._ending


Put = Callable[[Told], Told]


def _there(_: str) -> object:
    return object()


def _missing(_: str) -> None:
    return None


def _unnoted(_what: str, _spent_s: float) -> None:
    pass


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Put:
    monkeypatch.setattr(command, "find_spec", _there)
    monkeypatch.setattr(command, "seconds_of_process", lambda: 0.5)
    monkeypatch.setattr(command, "driver_facts", lambda: {"driver": "580.65.06", "power_limit_w": 300.0})

    def put(told: Told) -> Told:
        monkeypatch.setattr(command, "started", told)
        return told

    return put


MATMUL = ("matmul", {"precision": "bf16", "size": 8192, "tflops": spread(240.0)})


def test_a_measurement_is_a_profile_by_the_shipped_schema(
    processes: Put,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = processes(Told(MATMUL, ("steps", STEP)))
    path = tmp_path / "mine.json"
    assert exit_code(["measure", "--seconds", "20", "--output", str(path)]) == 0
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, profile_schema())
    assert capsys.readouterr().out == ""
    assert told.ranks == [2]
    read = profile_in(path)
    assert (read.gpu, read.n_gpus) == ("a100-sxm-80gb", 2)
    assert dict(read.rates.matmul_flop_per_s) == {"bf16": 240e12}
    assert read.rates.all_reduce_bytes_per_s == 230e9
    assert exit_code(["estimate", "--model", "7B", "--tokens", "1B", "--profile", str(path)]) == 0


def test_without_a_file_the_profile_alone_is_on_standard_output(
    processes: Put,
    capsys: pytest.CaptureFixture[str],
) -> None:
    processes(Told(MATMUL, devices=1))
    assert exit_code(["measure"]) == 0
    assert json.loads(capsys.readouterr().out)["machine"]["gpu"] == "a100-sxm-80gb"


def test_what_was_ended_by_the_deadline_is_told_and_the_rest_is_kept(
    processes: Put,
    capsys: pytest.CaptureFixture[str],
) -> None:
    processes(Told(MATMUL, devices=1, ending="late"))
    assert exit_code(["measure"]) == 0
    told = json.loads(capsys.readouterr().out)["measured"]
    assert told["left_out"] == ["measuring was ended at the end of the time, during: matmul in bf16"]
    assert len(told["matmul"]) == 1


def test_nothing_measured_is_no_profile(processes: Put, capsys: pytest.CaptureFixture[str]) -> None:
    processes(Told(devices=1, ending="died"))
    assert exit_code(["measure"]) == 2
    assert "nothing could be measured" in capsys.readouterr().err
    with pytest.raises(InfeasibleError):
        command.measured_profile(120.0, time.monotonic, _unnoted)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--seconds", "1"], "seconds: 1 must be from 10 to 3600"),
        (["--seconds", "nan"], "must be from 10 to 3600"),
        (["--output", "/no/such/folder/x.json"], "cannot be written"),
        (["--output", "/"], "is a folder"),
    ],
)
def test_bad_arguments_are_told_before_anything_is_measured(
    flags: list[str],
    said: str,
    processes: Put,
    capsys: pytest.CaptureFixture[str],
) -> None:
    processes(Told(MATMUL))
    assert exit_code(["measure", *flags]) == 2
    assert said in capsys.readouterr().err


def test_without_pytorch_one_line_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "find_spec", _missing)
    assert exit_code(["measure"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "PyTorch" in told.err


def test_what_the_driver_does_not_know_is_left_out() -> None:
    """As nvidia-smi prints it, `[N/A]` for a card without power management."""
    assert facts_in("580.65.06, 500.00, 700.00, 1755, 1980\n") == {
        "driver": "580.65.06",
        "power_limit_w": 500.0,
        "default_power_limit_w": 700.0,
        "sm_clock_mhz": 1755.0,
        "max_sm_clock_mhz": 1980.0,
    }
    assert facts_in("580.65.06, [N/A], [N/A], 300, [N/A]") == {"driver": "580.65.06", "sm_clock_mhz": 300.0}
    assert facts_in("") == {"driver": ""} or facts_in("") == {}


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: nothing is really measured here")
def test_a_cpu_is_measured_within_its_budget(tmp_path: Path) -> None:
    """Where PyTorch is installed: the program as a user starts it, its own count of its time."""
    path = tmp_path / "cpu.json"
    subprocess.run(
        [sys.executable, "-m", "traintime", "measure", "--seconds", "20", "--output", str(path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, profile_schema())
    assert document["measured"]["seconds"] <= 22.0
    assert document["measured"]["matmul"]


class Greedy(Told):
    """Processes that take all the time that they are given, on a clock that only they move."""

    def __init__(self, *, devices: int) -> None:
        super().__init__(MATMUL, devices=devices, ending="late")
        self.now_s = 1000.0

    def __call__(self, work: object, arguments: list[Any], left_s: Callable[[], float], hear: Hear) -> str:
        """Tell, and go on until nothing is left."""
        ending = super().__call__(work, arguments, left_s, hear)
        self.now_s += max(left_s(), 0.0)
        return ending


@pytest.mark.parametrize("seconds", [10.0, 60.0, 120.0, 3600.0])
@pytest.mark.parametrize("spent_s", [0.0, 4.0])
@pytest.mark.parametrize("devices", [1, 8])
def test_measuring_ends_within_its_budget_whatever_is_measured(
    seconds: float, spent_s: float, devices: int, processes: Put
) -> None:
    """The time before the call is counted in; what is left over is there to end processes and to write."""
    told = Greedy(devices=devices)
    processes(told)
    began_s = told.now_s
    document = command.measured_profile(seconds, lambda: told.now_s, _unnoted, spent_s=spent_s)
    taken_s = told.now_s - began_s + spent_s
    assert taken_s <= 0.96 * seconds
    assert document.measured is not None
    assert document.measured.seconds == pytest.approx(taken_s, abs=0.01)
