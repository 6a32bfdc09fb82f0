"""A finished sweep is reported from its files: thinned, with ranks among all points, and without working anything out.

Authority: the rows of the Parquet files, all of them, by loops.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from server.command_line.commands import exit_code
from server.sweep import engine

parquet: Any = pytest.importorskip("pyarrow.parquet", reason="sweeps are an extra: traintime[sweep]")

SPEC = """
[vary]
model = ["llama-3.1-8b", "llama-3.1-70b", "no-such-model"]
gpu = ["h100", "4090"]
n_gpus = {from = 8, to = 128, times = 2}
sequence_length = [4096, 8192]
[fixed]
tokens = "100B"
"""
IMPOSSIBLE = '[vary]\nmodel = ["no-such-model", "nor-this-one"]\n[fixed]\ngpu = "h100"\ntokens = "1B"\nn_gpus = 8\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a specification and its finished sweep."""
    folder = tmp_path_factory.mktemp("sweep")
    (folder / "spec.toml").write_text(SPEC, encoding="utf-8")
    assert exit_code(["sweep", str(folder / "spec.toml"), "--rows-per-part", "13", "--workers", "1"]) == 0
    return folder


def _sweep(folder: Path, *more: str) -> int:
    return exit_code(["sweep", str(folder / "spec.toml"), "--rows-per-part", "13", *more])


def _reported(folder: Path) -> dict[str, Any]:
    assert _sweep(folder, "--report", str(folder / "report.json")) == 0
    answer: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return answer


def _rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = parquet.read_table(folder / "spec.parquet").to_pylist()
    return rows


def test_the_rows_are_points_with_their_ranks_among_all(folder: Path) -> None:
    answer, rows = _reported(folder), _rows(folder)
    possible = [row for row in rows if row["possible"]]
    assert (answer["n_options"], answer["n_possible"]) == (len(rows), len(possible))
    assert answer["n_left_out"] == len(rows) - len(answer["rows"])
    times = sorted(row["training_seconds"] for row in possible)
    for option in answer["rows"]:
        seconds = option["training_days"] * 86_400
        assert seconds == pytest.approx(times[option["rank"] - 1], rel=1e-4)
        (row,) = (
            row
            for row in possible
            if (row["model"], row["n_gpus"]) == (option["model"], option["n_gpus"])
            and option["gpu"].startswith({"h100": "h100", "4090": "rtx-4090"}[row["gpu"]])
            and option["layout"].endswith(f"; sequence_length {row['sequence_length']}")
        )
        assert row["training_seconds"] == pytest.approx(seconds, rel=1e-4)
        assert row["cost_usd"] == pytest.approx(option["cost_usd"], rel=1e-4)


def test_the_front_is_that_of_all_points(folder: Path) -> None:
    answer = _reported(folder)
    possible = [(row["training_seconds"], row["cost_usd"]) for row in _rows(folder) if row["possible"]]
    front = {
        (seconds, usd)
        for seconds, usd in possible
        if not any(other <= seconds and less <= usd and (other, less) != (seconds, usd) for other, less in possible)
    }
    marked = {(row["training_days"] * 86_400, row["cost_usd"]) for row in answer["rows"] if row["pareto"]}
    assert sorted(marked) == [pytest.approx(point, rel=1e-4) for point in sorted(front)]


def test_every_series_has_its_fastest_on_each_number_of_gpus(folder: Path) -> None:
    answer = _reported(folder)
    told = {(row["model"], row["n_gpus"], row["training_days"] * 86_400) for row in answer["rows"]}
    rows = [row for row in _rows(folder) if row["possible"]]
    for model, gpu, n_gpus in {(row["model"], row["gpu"], row["n_gpus"]) for row in rows}:
        fastest = min(
            row["training_seconds"] for row in rows if (row["model"], row["gpu"], row["n_gpus"]) == (model, gpu, n_gpus)
        )
        assert any(
            (model, n_gpus) == (one, count) and seconds == pytest.approx(fastest, rel=1e-4)
            for one, count, seconds in told
        )


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.html", b"<!doctype html>"), ("a.md", b"# Sweep\n"), ("a.csv", b"option,rank,"), ("a.txt", b"")],
)
def test_a_finished_sweep_is_reported_without_working_out_a_part(
    name: str, start: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(engine, "part_bytes", never)
    for _ in range(2):
        assert _sweep(folder, "--report", str(folder / name)) == 0
    first = (folder / name).read_bytes()
    assert first.startswith(start)
    assert b"llama-3.1-70b" in first
    assert _sweep(folder, "--report", str(folder / name)) == 0
    assert (folder / name).read_bytes() == first


def test_a_dash_prints_the_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _sweep(folder, "--report", "-") == 0
    printed = capsys.readouterr().out
    assert "Pareto-optimal" in printed
    assert "llama-3.1-70b" in printed


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ["--report", "a.xlsx"],
            "'a.xlsx' does not say what to write: end it in .txt, .md, .csv, .html, .json\n",
        ),
        (["--report", "none/a.md"], "its folder is not there"),
        (["--report", "-", "--json"], "name a file for the report"),
    ],
)
def test_a_report_that_cannot_be_written_is_told_before_the_sweep(
    more: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.toml").write_text(SPEC, encoding="utf-8")
    assert _sweep(tmp_path, *more) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "spec.parquet").exists()


@pytest.mark.parametrize("fixed", ['gpu = "gaudi2"', 'gpu = "h100"\nutilization = 0.4'])
def test_points_without_a_price_or_a_layout_are_reported_too(fixed: str, tmp_path: Path) -> None:
    spec = f'[vary]\nn_gpus = [8, 16, 64]\n[fixed]\nmodel = "llama-3.1-8b"\ntokens = "10B"\n{fixed}\n'
    (tmp_path / "spec.toml").write_text(spec, encoding="utf-8")
    assert _sweep(tmp_path, "--workers", "1", "--report", str(tmp_path / "report.csv")) == 0
    answer = _reported(tmp_path)
    assert [row["n_gpus"] for row in answer["rows"]] == [64, 16, 8]
    told = [(row["cost_usd"] is None, row["layout"] is None) for row in answer["rows"]]
    assert set(told) == {("gaudi2" in fixed, "utilization" in fixed)}


def test_a_sweep_of_which_nothing_can_be_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "spec.toml").write_text(IMPOSSIBLE, encoding="utf-8")
    assert _sweep(tmp_path, "--workers", "1", "--report", str(tmp_path / "a.md")) == 2
    assert "no point of the sweep can be run" in capsys.readouterr().err
    assert not (tmp_path / "a.md").exists()
    assert len(_rows(tmp_path)) == 2
