"""A sweep's rows are the estimates of its points, whoever works them out and however often it was stopped.

Authority: the project's aim (nothing lost, nothing done twice, the same rows in the same order on any engine); for
the figures, `estimate_training_time`.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimator.answers.sweep.points import sweep
from estimator.answers.sweep.rows import columns
from estimator.base.errors import EstimatorError
from server.command_line.commands import exit_code
from server.sweep.command import plan_of, swept
from server.sweep.engine import Cores, Here
from server.sweep.part import Plan, part_bytes
from tests.places import ROOT
from tools.estimate_training_time import estimate_training_time

parquet: Any = pytest.importorskip("pyarrow.parquet", reason="sweeps are an extra: traintime[sweep]")

SPEC = """
[vary]
model = ["llama-3.1-8b", "7B", "no-such-model"]
gpu = ["h100", "4090"]
n_gpus = {from = 8, to = 64, times = 2}
tokens = ["100B", 2e12]
[fixed]
method = "lora"
"""
POINTS = 3 * 2 * 4 * 2
LONG_SPEC = """
[vary]
model = ["llama-3.1-8b", "7B"]
gpu = ["h100", "a100"]
n_gpus = {from = 8, to = 512, step = 8}
[fixed]
tokens = "1T"
"""
ROWS_PER_PART = 12


def _plan(folder: Path, spec: str = SPEC, rows_per_part: int = 7) -> Plan:
    path = folder / "spec.toml"
    path.write_text(spec, encoding="utf-8")
    return plan_of(path, rows_per_part)


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*"))}


@cache
def _unbroken(plan: Plan) -> dict[str, bytes]:
    return {f"part-{part:07d}.parquet": part_bytes(plan, part) for part in range(plan.parts)}


def _silent(_rows: int) -> None:
    """Say nothing."""


def test_the_rows_of_the_files_are_the_points_in_order(tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    swept(plan, tmp_path / "out", Here, _silent)
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    assert plan.points == len(rows) == POINTS
    assert [row["point"] for row in rows] == list(range(POINTS))
    asked = [(row["model"], row["gpu"], row["n_gpus"], row["tokens"]) for row in rows]
    wanted = [
        (model, gpu, n_gpus, tokens)
        for model in ("llama-3.1-8b", "7B", "no-such-model")
        for gpu in ("h100", "4090")
        for n_gpus in (8, 16, 32, 64)
        for tokens in (1e11, 2e12)
    ]
    assert asked == wanted


def test_a_row_says_what_an_estimate_of_its_point_says(tmp_path: Path) -> None:
    swept(_plan(tmp_path), tmp_path / "out", Here, _silent)
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    estimated = [row for row in rows if row["model"] != "no-such-model"]
    for row in estimated:
        alone = estimate_training_time(
            model=row["model"],
            gpu=row["gpu"],
            n_gpus=row["n_gpus"],
            tokens=row["tokens"],
            method="lora",
            detail="detailed",
        )
        assert row["training_seconds"] == pytest.approx(alone.training_seconds, rel=1e-12)
        assert row["training_seconds_high"] == pytest.approx(alone.training_days_high * 86_400, rel=1e-12)
        assert row["gpu_hours"] == pytest.approx(alone.gpu_hours, rel=1e-12)
        assert row["cost_usd"] == pytest.approx(alone.cost_usd.value, rel=1e-5)
        assert row["energy_kwh"] == pytest.approx(alone.energy_kwh.value, rel=1e-5)
        assert row["model_flops"] == pytest.approx(alone.model_flops, rel=1e-12)
        assert row["step_seconds"] == pytest.approx(alone.step_seconds, rel=1e-12)
        assert row["model_flops_utilization"] == pytest.approx(alone.model_flops_utilization, rel=1e-12)
        assert alone.layout is not None
        assert row["layout_tensor_parallel"] == alone.layout.tensor_parallel
        assert isinstance(row["layout_tensor_parallel"], int)
        assert row["possible"] is (row["reason"] is None)


def test_a_point_that_cannot_be_run_keeps_its_row_and_the_reason(tmp_path: Path) -> None:
    swept(_plan(tmp_path), tmp_path / "out", Here, _silent)
    rows = parquet.read_table(tmp_path / "out").to_pylist()
    unknown = [row for row in rows if row["model"] == "no-such-model"]
    assert len(unknown) == POINTS / 3
    for row in unknown:
        assert "no-such-model" in row["reason"]
        assert row["training_seconds"] is None
        assert not row["possible"]


def test_the_specification_in_the_readme_is_a_sweep() -> None:
    shown = (ROOT / "README.md").read_text(encoding="utf-8").partition("```text\n[vary]")[2].partition("```")[0]
    described = sweep(tomllib.loads("[vary]" + shown))
    assert len(described) == 2 * 3 * 512 * 5
    for start in range(0, len(described), 512 * 5):
        rows = columns(described, start, start + 10)
        assert set(rows["basis"]) == {"predicted"}
        assert np.all(np.asarray(rows["training_seconds"]) > 0)


def test_rows_do_not_depend_on_where_a_sweep_is_cut() -> None:
    described = sweep(
        {"vary": {"model": ["7B", "gpt2"], "n_gpus": [8, 24], "tokens": [1e9, 3e9, 7e9]}, "fixed": {"gpu": "a100"}}
    )
    whole = columns(described, 0, len(described))
    for start in range(len(described)):
        one = columns(described, start, start + 1)
        for name, column in one.items():
            np.testing.assert_array_equal(np.array(column), np.array(whole[name])[start : start + 1], name)


@pytest.mark.parametrize("workers", [2, 3])
def test_children_write_the_same_bytes_as_one_process(workers: int, tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    swept(plan, tmp_path / "out", lambda plan: Cores(plan, workers), _silent)
    assert _files(tmp_path / "out") == _unbroken(plan)


def test_a_killed_child_costs_nothing_but_its_time(tmp_path: Path) -> None:
    plan = _plan(tmp_path, LONG_SPEC, ROWS_PER_PART)
    noted: list[int] = []

    def note(rows: int) -> None:
        noted.append(rows)
        if len(noted) == 2:
            child = multiprocessing.active_children()[0]
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)

    swept(plan, tmp_path / "out", lambda plan: Cores(plan, 2), note)
    assert sum(noted) == plan.points
    assert _files(tmp_path / "out") == _unbroken(plan)


def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    """Files whose checksum was noted are neither lost nor written again: by their inodes."""
    plan = _plan(tmp_path, LONG_SPEC, ROWS_PER_PART)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "traintime", "sweep", str(tmp_path / "spec.toml"), "--out", str(out)]
    options = ["--workers", "2", "--rows-per-part", str(ROWS_PER_PART)]
    first = subprocess.Popen([*command, *options], cwd=ROOT, stderr=subprocess.DEVNULL)
    noted = out / "_checksums"
    while not noted.exists() or noted.read_text(encoding="utf-8").count("\n") < 3:
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    names = [line.split()[1] for line in noted.read_text(encoding="utf-8").splitlines()]
    kept = {name: (out / name).stat().st_ino for name in names}
    assert len(kept) < plan.parts
    second = subprocess.run([*command, *options, "--json"], cwd=ROOT, capture_output=True, check=True, text=True)
    done = json.loads(second.stdout)
    assert done["parts_found"] >= len(kept)
    assert {name: (out / name).stat().st_ino for name in kept} == kept
    assert _files(out) == _unbroken(plan)
    assert json.loads((out / "_manifest.json").read_text(encoding="utf-8"))["complete"] is True


def _removed(path: Path) -> None:
    path.unlink()


def _cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _unfinished(path: Path) -> None:
    path.rename(path.with_name(path.name + ".unfinished"))


@pytest.mark.parametrize("damage", [_removed, _cut_short, _emptied, _unfinished])
def test_what_is_not_whole_is_done_again(damage: Callable[[Path], None], tmp_path: Path) -> None:
    plan = _plan(tmp_path)
    out = tmp_path / "out"
    swept(plan, out, Here, _silent)
    damage(out / "part-0000002.parquet")
    noted: list[int] = []
    again = swept(plan, out, Here, noted.append)
    assert (again.parts_found, noted) == (plan.parts - 1, [plan.points - plan.rows(2), plan.rows(2)])
    assert _files(out) == _unbroken(plan)


def test_a_folder_takes_one_sweep_only(tmp_path: Path) -> None:
    out = tmp_path / "out"
    swept(_plan(tmp_path), out, Here, _silent)
    for other in (_plan(tmp_path, LONG_SPEC), _plan(tmp_path, rows_per_part=8)):
        with pytest.raises(EstimatorError, match="another sweep"):
            swept(other, out, Here, _silent)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EstimatorError, match="other files"):
        swept(_plan(tmp_path), tmp_path / "full", Here, _silent)


def test_two_sweeps_do_not_fill_one_folder_at_once(tmp_path: Path) -> None:
    plan = _plan(tmp_path)

    def note(_rows: int) -> None:
        with pytest.raises(EstimatorError, match="another sweep"):
            swept(plan, tmp_path / "out", Here, _silent)

    swept(plan, tmp_path / "out", Here, note)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "vary is missing"),
        ("vary = 3", "vary: 3 must be a table"),
        ("[vary]\nn_gpu = [8]", "did you mean n_gpus"),
        ("[vary]\nn_gpus = [8]", "model is missing"),
        ("[varied]\nn_gpus = [8]", "did you mean vary"),
        (SPEC.replace('"4090"', "true"), "gpu: True must be text or a number"),
        (SPEC.replace('["h100", "4090"]', "[]"), "gpu: '[]' is empty"),
        (SPEC.replace('method = "lora"', 'method = "lora"\ngpu = "h100"'), "gpu: 'h100' is both varied and fixed"),
        (SPEC.replace('"lora"', '"lara"'), "did you mean lora"),
        (SPEC.replace("times = 2", "times = 1"), "n_gpus: 1 must be"),
        (SPEC.replace("times = 2", "step = 0"), "n_gpus: 0 must be"),
        (SPEC.replace("times = 2", "by = 2"), "did you mean from"),
        (SPEC.replace("from = 8", 'from = "8 or so"'), "n_gpus from: '8 or so' has"),
        (SPEC.replace("2e12", "nan"), "finite"),
        (SPEC.replace('"100B"', '"lots"'), "tokens: 'lots' must"),
        (SPEC.replace("[vary]", "[vary"), "is not TOML"),
        (SPEC.replace("times = 2", "step = 1e-9"), "values"),
        (SPEC.replace('"4090"', '"h100-smx"'), "unknown gpu 'h100-smx'; did you mean"),
        (SPEC.replace('["h100", "4090"]', '["h100-smx"]'), "unknown gpu 'h100-smx'; did you mean"),
        ("a = " + "[" * 50_000, "spec"),
        ("a = '\x1b[2J'", "spec"),
    ],
)
def test_a_bad_specification_is_refused_in_one_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text(text, encoding="utf-8")
    assert exit_code(["sweep", str(spec), "--workers", "1"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert not (tmp_path / "spec.parquet").exists()


def test_a_specification_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(["sweep", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_what_is_no_file_is_not_read(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither for ever nor until somebody writes."""
    path = {"device": Path("/dev/zero"), "pipe": tmp_path / "pipe", "folder": tmp_path}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    estimate = ["estimate", "--model", "x", "--gpu", "h100", "--n-gpus", "8", "--tokens", "1T"]
    for arguments in (["sweep", str(path)], [*estimate, "--hf-config", str(path)]):
        assert exit_code(arguments) == 2
        assert "cannot be read" in capsys.readouterr().err
