"""Beside a model that is no decoder stand the published runs of its kind, the most alike first.

Authority: the program's contract; a reader judges an answer by the runs that are listed.
"""

from typing import Any

import pytest

from estimator.catalogue.kind_runs import kind_rows
from estimator.evidence.calibration import committed_calibration
from tools.estimate_training_time import estimate_training_time

ROWS = {row["id"]: row for row in kind_rows()}


def _shown(**asked: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the tool's arguments
    run: dict[str, Any] = {"samples": "100k", "detail": "detailed", **asked}
    answer = estimate_training_time(**run).model_dump()
    assert answer["evidence"]["nearest"] == answer["comparable_runs"][0]["name"]
    return list(answer["comparable_runs"])


@pytest.mark.parametrize(
    ("asked", "kind", "model"),
    [
        ({"model": "sdxl", "gpu": "rtx-4090", "n_gpus": 1, "method": "lora"}, "diffusion", "SDXL"),
        ({"model": "resnet-50", "gpu": "a100", "n_gpus": 8}, "vision", "resnet50"),
        ({"model": "whisper-small", "gpu": "a100", "n_gpus": 8}, "audio", ""),
        ({"model": "bert-large", "gpu": "a100", "n_gpus": 8, "tokens_per_sample": 384}, "encoder", "bert-large"),
        ({"model": "llava-1.5-7b", "gpu": "a100", "n_gpus": 8, "tokens_per_sample": 300}, "vision_language", ""),
        ({"model": "t5-base", "gpu": "a100", "n_gpus": 8, "tokens_per_sample": 512}, "encoder_decoder", ""),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_they_are_of_its_kind_and_its_own_are_first(asked: dict[str, Any], kind: str, model: str) -> None:
    shown = _shown(**asked)
    known = committed_calibration().kind_runs
    ids = [run["name"].partition(":")[0] for run in shown]
    assert {known[name].kind for name in ids} == {kind}
    assert model.casefold().replace("-", "") in ROWS[ids[0]]["model"].casefold().replace("-", "")
    for name, run in zip(ids, shown, strict=True):
        assert run["predicted_over_published"] == pytest.approx(known[name].ratio, rel=1e-3)
        assert (run["gpu"], run["n_gpus"]) == (ROWS[name]["accelerator"], int(ROWS[name]["gpus"]))
        assert run["published"][0].isdigit()


def test_no_source_shows_one_model_on_one_device_twice() -> None:
    shown = _shown(model="resnet-50", gpu="v100", n_gpus=8)
    rows = [ROWS[run["name"].partition(":")[0]] for run in shown]
    assert len({(row["group"], row["model"], row["accelerator"]) for row in rows}) == len(rows) == 8


def test_every_run_that_is_known_has_a_row_and_a_speed_or_duration() -> None:
    for name in committed_calibration().kind_runs:
        row = ROWS[name]
        assert any(row[column] for column in ("samples_per_s", "tokens_per_s_per_gpu", "step_s", "hours", "gpu_hours"))
