"""A Ray cluster writes what one process writes, even when a worker dies.

Authority: the project's aim: the same rows, in the same order, whichever engine ran them.
"""

import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from server.command_line.commands import exit_code
from server.sweep.command import plan_of
from server.sweep.part import part_bytes
from tests.places import ROOT

pytest.importorskip("pyarrow", reason="sweeps are an extra: traintime[sweep]")
cluster_utils: Any = pytest.importorskip("ray.cluster_utils", reason="Ray is an extra: traintime[ray]")

SPEC = """
[vary]
model = ["llama-3.1-8b", "7B", "mixtral-8x7b"]
gpu = ["h100", "a100", "b200"]
n_gpus = {from = 8, to = 480, step = 8}
[fixed]
tokens = "1T"
"""
ROWS_PER_PART = 20


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Generator[Any]:
    """A head that works nothing, and two workers of one processor each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    noticed_soon = {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 500,
        "health_check_timeout_ms": 1000,
        "health_check_failure_threshold": 4,
    }
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": noticed_soon}
    started = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
    try:
        yield started
    finally:
        started.shutdown()


def test_a_cluster_that_loses_a_worker_writes_the_same_files(cluster: Any, tmp_path: Path) -> None:  # noqa: ANN401
    workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
    spec, out = tmp_path / "spec.toml", tmp_path / "out"
    spec.write_text(SPEC, encoding="utf-8")
    command = [sys.executable, "-m", "traintime", "sweep", str(spec), "--out", str(out), "--ray", cluster.address]
    sweeping = subprocess.Popen([*command, "--rows-per-part", str(ROWS_PER_PART)], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        while len(list(out.glob("part-*.parquet"))) < 3:
            assert sweeping.poll() is None
            time.sleep(0.02)
        cluster.remove_node(workers[0], allow_graceful=False)
        begun = len(list(out.glob("part-*.parquet")))
        _, said = sweeping.communicate(timeout=240)
    finally:
        sweeping.kill()
    assert sweeping.returncode == 0, said.decode()
    plan = plan_of(spec, ROWS_PER_PART)
    assert begun < plan.parts
    wanted = {f"part-{part:07d}.parquet": part_bytes(plan, part) for part in range(plan.parts)}
    assert {path.name: path.read_bytes() for path in out.glob("part-*.parquet")} == wanted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ray", "127.0.0.1:1"], "no Ray cluster answers at '127.0.0.1:1'"),
        (["--ray", "auto", "--workers", "2"], "--workers is for this machine"),
    ],
)
def test_a_cluster_that_cannot_be_had_is_said_in_one_line(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.toml"
    spec.write_text(SPEC, encoding="utf-8")
    assert exit_code(["sweep", str(spec), *options]) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]
