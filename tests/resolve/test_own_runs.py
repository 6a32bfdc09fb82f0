"""A caller's own runs are told in the arguments of a question; what does not fit is refused with its place.

Authority: the program's contract (names of the arguments, errors that name what would do) and arithmetic.
"""

from typing import Any

import pytest

from estimator.base.errors import EstimatorError
from estimator.question.request import Request
from estimator.resolve.own_runs import MOST_OWN_RUNS
from estimator.resolve.run import resolve

RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens_per_second": 60_000}
STEP: dict[str, Any] = {key: value for key, value in RUN.items() if key != "tokens_per_second"}
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no speed": (STEP, ("my_runs[1].tokens_per_second is missing", "step_seconds")),
    "two speeds": (RUN | {"step_seconds": 3}, ("my_runs[1].step_seconds", "give one of them")),
    "a step without a batch": (STEP | {"step_seconds": 3}, ("my_runs[1].global_batch_sequences is missing",)),
    "a speed beyond the peak": (
        RUN | {"tokens_per_second": "1B"},
        ("my_runs[1].tokens_per_second", "of the dense peak"),
    ),
    "a speed of nought": (RUN | {"tokens_per_second": 0}, ("my_runs[1].tokens_per_second", "above zero")),
    "a speed that is none": (RUN | {"tokens_per_second": "fast"}, ("my_runs[1].tokens_per_second", "'fast'")),
    "a truth for a speed": (RUN | {"tokens_per_second": True}, ("my_runs[1].tokens_per_second", "True")),
    "a step too short": (
        STEP | {"step_seconds": 1e-6, "global_batch_sequences": 64},
        ("my_runs[1].step_seconds", "of the dense peak"),
    ),
    "an unknown argument": (RUN | {"gpuss": 8}, ("my_runs[1] argument 'gpuss'", "did you mean gpu")),
    "the name of the answer to a check": (
        STEP | {"observed_tokens_per_second": 9},
        ("my_runs[1] argument 'observed_tokens_per_second'", "tokens_per_second"),
    ),
    "runs within a run": (RUN | {"my_runs": [RUN]}, ("my_runs[1].my_runs", "runs of its own")),
    "an unknown device": (RUN | {"gpu": "h100-smx"}, ("my_runs[1].gpu 'h100-smx'", "h100-sxm")),
    "an unknown precision": (RUN | {"precision": "fp9"}, ("my_runs[1].precision", "fp8")),
    "no model": ({"gpu": "h100", "n_gpus": 8, "tokens_per_second": 9}, ("my_runs[1].model is missing",)),
    "no device": ({"model": "7B", "n_gpus": 8, "tokens_per_second": 9}, ("my_runs[1].gpu is missing",)),
    "no count": ({"model": "7B", "gpu": "h100", "tokens_per_second": 9}, ("my_runs[1].n_gpus is missing",)),
    "text for a whole number": (RUN | {"micro_batch_size": "several"}, ("my_runs[1].micro_batch_size", "whole number")),
    "a number for text": (RUN | {"framework": 7}, ("my_runs[1].framework", "must be text")),
    "a list for a quantity": (RUN | {"sequence_length": [1]}, ("my_runs[1].sequence_length", "a number, or text")),
    "text for an object": (RUN | {"hf_config": "config.json"}, ("my_runs[1].hf_config", "JSON object")),
    "text without an end": (RUN | {"framework": "x" * 9_999}, ("my_runs[1].framework", "8,000 characters")),
    "a number without an end": (RUN | {"n_gpus": float("inf")}, ("my_runs[1]", "finite")),
    "a card that is not catalogued": (
        RUN | {"gpu": "a card of mine", "peak_tflops": 100},
        ("my_runs[1].gpu", "catalogued"),
    ),
}


def _asked(*my_runs: dict[str, Any]) -> Request:
    return Request(model="llama-3.1-70b", gpu="h100", n_gpus=64, tokens="1B", my_runs=my_runs)


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_run_can_be_is_refused_with_its_place_and_what_would_do(name: str) -> None:
    run, said = REFUSED[name]
    with pytest.raises(EstimatorError) as refused:
        resolve(_asked(RUN, run))
    for part in said:
        assert part in str(refused.value)
    assert len(str(refused.value)) < 400


def test_more_runs_than_are_looked_at_are_refused() -> None:
    resolve(_asked(*[RUN] * MOST_OWN_RUNS))
    with pytest.raises(EstimatorError, match=f"my_runs: {MOST_OWN_RUNS + 1} .*{MOST_OWN_RUNS}"):
        resolve(_asked(*[RUN] * (MOST_OWN_RUNS + 1)))


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(EstimatorError, match=r"my_runs\[0\]: 'fast' must be an object"):
        resolve(_asked("fast"))  # type: ignore[arg-type]


def test_a_step_and_the_speed_that_it_is_are_the_same_run() -> None:
    """64 sequences of 4,096 tokens in 4 s are 65,536 tokens a second."""
    batch = {"global_batch_sequences": 64, "sequence_length": "4k"}
    by_step, by_speed = (
        resolve(_asked(STEP | batch | speed)).own_runs[0]
        for speed in ({"step_seconds": 4}, {"tokens_per_second": "64 × 1024".replace("64 × 1024", "65536")})
    )
    length = by_step.question.sequence_length
    assert by_step.tokens_per_second == pytest.approx(64 * length / 4)
    assert by_speed.question == by_step.question


def test_words_are_read_as_they_are_in_a_question() -> None:
    run = RUN | {
        "n_gpus": "8",
        "precision": "BF16",
        "data_sharding": "fsdp",
        "tokens_per_second": "60k",
        "lora_rank": None,
    }
    own = resolve(_asked(run)).own_runs[0]
    assert own.tokens_per_second == 60_000
    assert own.question.precision == "bf16"
    assert own.question.layout.data_sharding == "zero3"
    assert own.label == "Llama 3.1 8B on 8 × h100-sxm"


def test_the_same_words_are_the_same_run_in_any_order() -> None:
    first, second = resolve(_asked(RUN, dict(reversed(RUN.items())))).own_runs
    assert first == second
    assert first.question is second.question


def test_what_was_measured_is_no_part_of_what_was_measured() -> None:
    """A run's own prediction is made without the others."""
    run = resolve(_asked(RUN, RUN | {"n_gpus": 16}))
    assert all(own.question.own_runs == () for own in run.own_runs)
    assert run.question is not None
    assert run.question.own_runs == run.own_runs


def test_a_step_of_micro_batches_alone_is_one_of_them_on_each_replica() -> None:
    """Trainers accumulate nothing unless told, and the run says that it was taken so."""
    told: dict[str, Any] = {"micro_batch_size": 4, "sequence_length": 2048, "step_seconds": 2}
    alone, counted = (resolve(_asked(STEP | told | more)).own_runs[0] for more in ({}, {"gradient_accumulation": 1}))
    assert alone.tokens_per_second == counted.tokens_per_second == pytest.approx(4 * 8 * 2048 / 2)
    assert "nothing accumulated" in alone.label
    assert "nothing accumulated" not in counted.label


def test_choices_of_a_run_go_by_the_names_that_people_have_for_them() -> None:
    run = RUN | {"precision": "bfloat16", "data_sharding": "ZeRO stage 3", "method": "full fine-tuning"}
    question = resolve(_asked(run)).own_runs[0].question
    assert (question.precision, question.layout.data_sharding, question.method.name) == ("bf16", "zero3", "full")
