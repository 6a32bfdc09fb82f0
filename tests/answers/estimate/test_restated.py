"""Whoever states the layout that an answer printed is told the same time again.

Authority: the program's contract: what is left out of the layout is searched for, and the layout printed is the one
priced.
"""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.base.errors import EstimatorError
from estimator.question.request import FRAMEWORK_CHOICES
from tools.estimate_training_time import TrainingTime, estimate_training_time

BATCH = "global_batch_sequences"
KNOBS = (
    "tensor_parallel",
    "pipeline_parallel",
    "virtual_pipeline",
    "context_parallel",
    "expert_parallel",
    "data_sharding",
    "micro_batch_size",
    BATCH,
    "activation_recompute",
)
TIMES = ("training_seconds", "training_days_low", "training_days_high", "step_seconds")
MODELS = ("llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "deepseek-v3", "gpt-2-124m", "7B", "gemma-2-27b")
GPUS = ("h100", "a100", "v100", "t4", "4090", "mi300x", "tpu-v5p", "gaudi2", "gb200", "l40s")


def _stated(answer: TrainingTime) -> dict[str, Any]:
    assert answer.layout is not None
    return {name: getattr(answer.layout, name) for name in KNOBS}


def _same(answer: TrainingTime, again: TrainingTime) -> None:
    assert again.layout == answer.layout
    for name in TIMES:
        assert getattr(again, name) == pytest.approx(getattr(answer, name), rel=1e-9), name


def _width(answer: TrainingTime) -> float:
    return (answer.training_days_high or math.inf) / (answer.training_days_low or math.inf)


@given(
    model=st.sampled_from(MODELS),
    gpu=st.sampled_from(GPUS),
    n_gpus=st.sampled_from([1, 2, 3, 8, 12, 64, 96, 500, 511, 512, 2048]),
    framework=st.one_of(st.just("auto"), st.sampled_from(FRAMEWORK_CHOICES)),
    method=st.sampled_from(["full", "full", "lora", "qlora"]),
    length=st.sampled_from([None, 1000, 4096, 8192, 16_383, 131_072]),
)
@settings(deadline=None, max_examples=50)
def test_the_printed_layout_takes_the_printed_time(  # noqa: PLR0917 - Hypothesis gives them
    model: str, gpu: str, n_gpus: int, framework: str, method: str, length: int | None
) -> None:
    run: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": n_gpus, "tokens": "10B"}
    run |= {"framework": framework, "method": method, "sequence_length": length}
    try:
        answer = estimate_training_time(detail="detailed", **run)
    except EstimatorError:
        return
    again = estimate_training_time(detail="detailed", **run, **_stated(answer))
    of_batch = estimate_training_time(detail="detailed", **run, global_batch_sequences=_stated(answer)[BATCH])
    if any(getattr(of_batch, name) != pytest.approx(getattr(answer, name), rel=1e-9) for name in TIMES):
        # Of so many tokens it is open whether batches are those of tuning: the time lies between, the range holds both.
        assert again.layout == answer.layout
        assert again.training_seconds == pytest.approx(of_batch.training_seconds, rel=1e-3)
        return
    if {"devices_in_turn", "devices_left_idle"} & {warning.code for warning in answer.warnings}:
        # Whoever says how a script shards says that its devices work at once, which was in doubt.
        assert (again.training_seconds or math.inf) < (answer.training_seconds or 0.0) * (1.0 + 1e-6)
        return
    if answer.memory is not None and not answer.memory.fits:
        # The range of what does not fit leans on a published run that did, and was laid out otherwise.
        assert again.training_seconds == pytest.approx(answer.training_seconds, rel=1e-9)
        return
    if {"experts_one_by_one", "own_experts_assumed"} & {warning.code for warning in answer.warnings}:
        # Other code, whose share moves the answer, holds a base otherwise and is free to be laid out otherwise; who
        # says over how many devices experts are spread has told whose it is.
        assert again.layout == answer.layout
        assert again.time_breakdown == answer.time_breakdown
        return
    if {"micro_batch_unsaid", "recompute_unsaid"} & {warning.code for warning in answer.warnings}:
        # Whoever says a micro-batch has no larger one, and who says that all is kept runs nothing again.
        assert again.training_seconds == pytest.approx(answer.training_seconds, rel=1e-9)
        assert _width(again) < _width(answer)
        return
    _same(answer, again)


@pytest.mark.parametrize("batch", [64, 100, 511, 977, 1000, 1536])
def test_the_printed_layout_takes_the_printed_time_of_a_stated_batch(batch: int) -> None:
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "tokens": "10B", "detail": "detailed"}
    answer = estimate_training_time(**run, global_batch_sequences=batch)
    again = estimate_training_time(**run, **_stated(answer))
    assert again.training_seconds == pytest.approx(answer.training_seconds, rel=1e-9)
    assert again.layout == answer.layout
    said = {one.name: one.value for one in answer.assumptions}["global_batch_sequences"]
    assert said == _stated(answer)["global_batch_sequences"]


@pytest.mark.parametrize(("pipeline", "virtual", "layers"), [(32, 3, 94), (16, 6, 94), (16, 8, 126)])
def test_embedding_and_output_may_be_stages_of_their_own(pipeline: int, virtual: int, layers: int) -> None:
    """Qwen3-235B-A22B has 94 layers, Llama 3 405B 126, on 128 stages of 16 ranks (Grattafiori et al. 2024, 3.3.2)."""
    model = {94: "qwen3-235b-a22b", 126: "llama-3.1-405b"}[layers]
    run: dict[str, Any] = {"model": model, "gpu": "h100", "n_gpus": 512, "tokens": "10B", "framework": "megatron"}
    answer = estimate_training_time(detail="detailed", **run, pipeline_parallel=pipeline, virtual_pipeline=virtual)
    assert answer.layout is not None
    assert (answer.layout.pipeline_parallel, answer.layout.virtual_pipeline) == (pipeline, virtual)


def test_stages_beyond_the_layers_and_both_ends_are_refused() -> None:
    run: dict[str, Any] = {"model": "qwen3-235b-a22b", "gpu": "h100", "n_gpus": 512, "tokens": "10B"}
    with pytest.raises(EstimatorError, match="at most 96 stages would do"):
        estimate_training_time(detail="detailed", **run, framework="nemo", pipeline_parallel=32, virtual_pipeline=4)
    with pytest.raises(EstimatorError, match="at most 94 stages would do"):
        estimate_training_time(detail="detailed", **run, framework="fsdp", pipeline_parallel=32, virtual_pipeline=3)


def test_a_sequence_that_its_ranks_do_not_divide_is_padded_and_one_too_short_refused() -> None:
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 64, "tokens": "10B", "framework": "nemo"}
    odd, even = (
        estimate_training_time(detail="detailed", **run, sequence_length=length, context_parallel=4).training_seconds
        for length in (16_383, 16_384)
    )
    assert odd == pytest.approx(even, rel=0.01)
    with pytest.raises(EstimatorError, match=r"context_parallel: 64 .* at most 32 would do"):
        estimate_training_time(detail="detailed", **run, sequence_length=64, context_parallel=64)
