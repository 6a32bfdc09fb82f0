"""Options are compared on one stack and in one precision where nobody said which, and what that changes is told.

Authority: the same comparison with it said.
"""

from typing import Any

import pytest

from tools.compare_training_options import TrainingOptions, compare_training_options
from tools.plan_training import plan_training


def _compared(asked: dict[str, Any], **others: Any) -> TrainingOptions:  # noqa: ANN401 - arguments of any type
    return compare_training_options(detail="detailed", **(asked | others))


def _precision(name: str) -> Any:  # noqa: ANN401 - one of the tool's choices
    return name


@pytest.mark.parametrize(
    ("asked", "common"),
    [
        # LoRA is trained with PEFT, and weights in full with what the chip's maker publishes with.
        ({"gpus": ["h100"], "methods": ["full", "lora"]}, {"huggingface"}),
        ({"gpus": ["h100", "mi300x"], "methods": ["full", "qlora"]}, {"huggingface"}),
        # Cards for desktops have no stack of their maker's.
        ({"gpus": ["h100", "4090"], "models": ["llama-3.2-1b"]}, {"huggingface"}),
        # Neither runs the other's.
        ({"gpus": ["h100", "mi300x"]}, {"nemo", "primus"}),
        ({"gpus": ["h100", "tpu-v5p"]}, {"nemo", "maxtext"}),
        ({"gpus": ["h100"], "n_gpus": [8, 64]}, {"nemo"}),
        ({"gpus": ["h100"], "methods": ["full", "lora"], "framework": "torchtitan"}, {"torchtitan"}),
        ({"gpus": ["h100"], "methods": ["full", "lora"], "framework": "flash attention 2"}, {"huggingface"}),
    ],
)
def test_options_are_compared_on_one_stack_where_nobody_named_one(asked: dict[str, Any], common: set[str]) -> None:
    """Else a method or a device is told to be faster by what its software is; of makers' own it is said."""
    answer = _compared({"models": ["llama-3.1-8b"], "n_gpus": [8], "tokens": ["1B"]} | asked)
    assert {row.framework for row in answer.rows if row.rank is not None} == common
    codes = [warning.code for warning in answer.warnings]
    assert ("several_frameworks_assumed" in codes) is (len(common) > 1)
    assert (f"compared on {', '.join(common)}" in answer.summary) is ("one_framework_assumed" in codes)
    assert ("usual software" in answer.summary) is (len(common) > 1)


def test_what_a_common_stack_changes_is_told_first_and_is_so() -> None:
    """The factor is that of asking for the option on its own."""
    asked: dict[str, Any] = {"models": ["llama-3.1-8b"], "gpus": ["h100"], "n_gpus": [8], "tokens": ["1B"]}
    both = _compared(asked, methods=["full", "lora"])
    full, lora = (next(row for row in both.rows if row.method == method) for method in ("full", "lora"))
    (alone,) = _compared(asked).rows
    # Adapters save memory rather than time.
    assert (full.training_days or 0.0) > 0.95 * (lora.training_days or 0.0) > 0.95 * (alone.training_days or 0.0)
    first = both.warnings[0]
    assert first.code == "one_framework_assumed"
    assert f"{(alone.training_days or 0.0) / (full.training_days or 1.0):.2f} times as long" in first.message
    told = next(assumption for assumption in both.assumptions if assumption.name == "framework")
    assert (told.value, told.source) == ("huggingface", "default")


def test_what_runs_on_its_own_stack_alone_is_kept_with_it() -> None:
    """A batch of fewer sequences than devices is split by layers and tensors, which no fine-tuning trainer does."""
    asked: dict[str, Any] = {"models": ["llama-3.1-70b"], "gpus": ["h100"], "n_gpus": [64], "tokens": ["1B"]}
    answer = _compared(asked, methods=["full", "qlora"], global_batch_sequences=32)
    found = {row.method: row.framework for row in answer.rows if row.rank is not None}
    assert found.get("full") == "nemo"


@pytest.mark.parametrize("asked", [{"n_gpus": [8]}, {"n_gpus": [4, 8, 16]}, {"n_gpus": [8], "rank_by": "cost"}])
def test_options_are_compared_in_one_precision_where_nobody_said_one(asked: dict[str, Any]) -> None:
    """8B on eight B200 was published in fp8, and elsewhere it is not; like for like is what a buyer asks about."""
    run: dict[str, Any] = {"models": ["llama-3.1-8b"], "gpus": ["h100", "b200"], "tokens": ["1B"]} | asked
    open_, said, narrow = (_compared(run, precisions=precisions) for precisions in (["auto"], ["bf16"], ["fp8"]))
    assert {row.precision for row in open_.rows} == {"bf16"}
    assert [row.training_days for row in open_.rows] == pytest.approx([row.training_days for row in said.rows])
    assert "compared in bf16" in open_.summary
    first = open_.warnings[0]
    assert first.code == "one_precision_assumed"
    assert "in fp8" in first.message
    assert not any(warning.code == "one_precision_assumed" for warning in (*said.warnings, *narrow.warnings))


def test_devices_are_planned_in_one_precision_where_nobody_said_one() -> None:
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100,b200", "n_gpus": 8, "tokens": "1B"}
    open_, said = (
        plan_training(solve_for="gpu", detail="detailed", **run, precision=_precision(precision))
        for precision in ("auto", "bf16")
    )
    assert open_.solution.training_days == pytest.approx(said.solution.training_days)
    assert [warning.code for warning in open_.warnings] == ["one_precision_assumed"]
    assert not said.warnings
