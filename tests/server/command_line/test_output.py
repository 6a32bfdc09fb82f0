"""What is printed can be read, whatever the output is: any encoding, full, or closed; and nothing in it is obeyed.

Authority: the public contract on exit codes: one clear line and no traceback for what is not a fault of ours.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from server.command_line.commands import exit_code
from server.protocol.registry import TOOLS
from tests.places import ROOT

COMMAND = [sys.executable, "-m", "traintime"]
ESTIMATE = ["estimate", "--model", "7B", "--gpu", "h100", "--n-gpus", "8", "--tokens", "1T", "--utilization", "0.4"]
OBEYED = "x\x1b[31mred\x1b]0;title\x07\x9b2J\u202ered\u2028"


def _run(arguments: list[str], **changes: Any) -> subprocess.CompletedProcess[bytes]:  # noqa: ANN401 - Popen's
    environment = os.environ | {"PYTHONIOENCODING": changes.pop("encoding", "utf-8")}
    options: dict[str, Any] = {"cwd": ROOT, "env": environment, **changes}
    return cast("subprocess.CompletedProcess[bytes]", subprocess.run([*COMMAND, *arguments], check=False, **options))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "shift_jis"])
def test_any_encoding_can_be_printed_in(encoding: str) -> None:
    """As a pipe on Windows has it."""
    text = _run(ESTIMATE, encoding=encoding, capture_output=True)
    assert (text.returncode, text.stderr) == (0, b"")
    assert "days" in text.stdout.decode(encoding)
    asked = _run([*ESTIMATE, "--json"], encoding=encoding, capture_output=True)
    assert json.loads(asked.stdout.decode("utf-8"))["basis"] == "assumed_utilization"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_is_told_in_one_line(more: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = _run([*ESTIMATE, *more], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("traintime: the answer cannot be written (No space left on device)")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="a shell closes them")
@pytest.mark.parametrize(("closed", "code"), [(">&-", 2), ("<&-", 0), ("2>&-", 0), (">&- 2>&-", 2)])
def test_what_is_closed_makes_no_fault(closed: str, code: int) -> None:
    line = " ".join([*COMMAND, *ESTIMATE, closed])
    done = subprocess.run(["/bin/sh", "-c", line], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("argument", ["--model", "--gpu", "--framework", "--objective", "--tokens"])
def test_nothing_that_a_caller_wrote_is_obeyed_by_a_terminal(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code([*ESTIMATE, argument, OBEYED, "--peak-tflops", "100"])
    printed = capsys.readouterr()
    for hidden in "\x1b\x07\x9b\u202e\u2028":
        assert hidden not in printed.out + printed.err


def test_what_a_caller_wrote_is_shown_in_structure_and_text_alike() -> None:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    answer = tool.answer({"model": "7B", "gpu": OBEYED, "n_gpus": 1, "tokens": "1B", "peak_tflops": 100})
    assert json.loads(answer.text) == answer.structured
    assert "x\\x1b[31mred" in answer.structured["summary"]
    assert not set("\x1b\x07\x9b\u202e\u2028") & set(answer.structured["summary"])
