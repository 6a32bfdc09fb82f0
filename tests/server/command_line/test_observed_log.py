"""A log of any size is read from a file or from standard input.

Authority: the program's contract: `--observed-log FILE` or `-`.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from server.command_line.commands import exit_code

RUN = "--model llama-3.1-8b --gpu h100-sxm --n-gpus 8 --sequence-length 4096"
ASKED = ["check", *RUN.split(), "--json", "--observed-log"]
HEAD = "  Total train batch size (w. parallel, distributed & accumulation) = 64\n  Total optimization steps = 9,000\n"


def _log(steps: int, filling: str = "") -> str:
    clocks = [f"{3 * i // 3600}:{3 * i // 60 % 60:02d}:{3 * i % 60:02d}" for i in range(1, steps + 1)]
    lines = [f" 1%|█ | {i}/9000 [{clock}<1:00:00,  3.00s/it]{filling}" for i, clock in enumerate(clocks, 1)]
    return HEAD + "\n".join(lines) + "\n"


def _answer(argument: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert exit_code([*ASKED, argument]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("filling", ["", " " + "x" * 900])
def test_a_file_of_any_size_is_read_by_its_head_and_its_end(
    encoding: str, filling: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Head: the batch; end: the steps. With the filling it has some megabytes."""
    path = tmp_path / "train.log"
    path.write_text(_log(5000, filling), encoding=encoding)
    answer = _answer(str(path), capsys)
    assert answer["log"]["steps_done"] == 5000
    assert answer["log"]["seconds_left"] == pytest.approx(4000 * 3.0)
    assert answer["observed"] == pytest.approx(64 * 4096 / 3.0)


@pytest.mark.parametrize("filling", ["", " " + "x" * 900])
def test_a_dash_reads_standard_input(
    filling: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    piped = io.BytesIO(_log(5000, filling).encode())
    monkeypatch.setattr(piped, "seekable", lambda: False, raising=False)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(piped))
    answer = _answer("-", capsys)
    assert answer["log"]["steps_done"] == 5000
    assert answer["observed"] == pytest.approx(64 * 4096 / 3.0)


def test_the_text_itself_is_taken_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert _answer(_log(40), capsys)["log"]["steps_done"] == 40


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code([*ASKED, str(tmp_path / "none.log")]) == 2
    said = capsys.readouterr().err
    assert "cannot be read" in said
    assert said.count("\n") == 1
