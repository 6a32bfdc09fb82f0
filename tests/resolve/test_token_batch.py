"""A batch told in tokens is so many sequences, whichever tool takes it.

Authority: papers tell batches in tokens (GPT-3: 3.2M, of 2,048 each), trainers in sequences.
"""

from typing import Any

import pytest

from estimator.base.errors import EstimatorError, InvalidValueError, MissingValueError
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.plan_training import plan_training

_NEAR = 0.05


def _run(**changes: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    asked: dict[str, Any] = {"model": "7B", "gpu": "h100", "n_gpus": 8, **changes}
    return resolve(Request(**asked))


@pytest.mark.parametrize(
    "batch", ["1M tokens", "4M tokens", "0.5M toks", "500,000 tokens", "2 million tokens", "100万词元"]
)
@pytest.mark.parametrize("n_gpus", [1, 8, 24, 64])
@pytest.mark.parametrize("length", [None, 2048, "8k"])
def test_steps_train_on_the_tokens_of_their_batch(batch: str, n_gpus: int, length: object) -> None:
    run = _run(steps=1000, global_batch_sequences=batch, n_gpus=n_gpus, sequence_length=length)
    named = _run(tokens=batch).amount.tokens
    assert run.amount.tokens == pytest.approx(1000 * named, rel=_NEAR)
    assert run.global_batch_sequences == pytest.approx(named / run.sequence_length, rel=_NEAR)
    told = {assumption.name: assumption for assumption in run.assumptions}
    assert told["global_batch_sequences"].source == "inferred"
    assert "tokens a step" in told["global_batch_sequences"].note
    assert (told["sequence_length"].source == "user") == (length is not None)


def test_replicas_share_what_is_nearly_the_same() -> None:
    batch = _run(tokens="100B", global_batch_sequences="4M tokens", n_gpus=64).global_batch_sequences
    assert batch is not None
    assert batch % 64 == 0


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"global_batch_sequences": "512 tokens"}, InvalidValueError, "less than a sequence"),
        ({"global_batch_sequences": "1e15 tokens"}, InvalidValueError, "at most"),
        ({"global_batch_sequences": "8 per GPU"}, InvalidValueError, "micro_batch_size 8"),
        ({"global_batch_sequences": "1,024 per GPU"}, InvalidValueError, "micro_batch_size 1024"),
        ({"global_batch_sequences": "3 hours"}, InvalidValueError, "deadline"),
        (
            {"tokens": None, "samples": "50k", "tokens_per_sample": 300, "global_batch_sequences": "64k tokens"},
            MissingValueError,
            "sequence_length",
        ),
    ],
)
def test_what_is_no_batch_is_told_what_would_do(
    changes: dict[str, Any], error: type[EstimatorError], said: str
) -> None:
    with pytest.raises(error, match=said):
        _run(**{"tokens": "1B", **changes})


def test_every_tool_reads_it_alike() -> None:
    batch = "1M tokens"
    planned = plan_training(
        solve_for="n_gpus", model="7B", gpu="h100", tokens="100B", deadline="30 days", global_batch_sequences=batch
    )
    compared = compare_training_options(
        models=["7B"], gpus=["h100"], n_gpus=[8], tokens=["1B"], global_batch_sequences=batch
    )
    checked = check_training_speed(
        model="7B", gpu="h100", n_gpus=8, observed_step_seconds=10.0, global_batch_sequences=batch
    )
    layout = planned.estimate.layout
    assert layout is not None
    assert layout.global_batch_sequences == pytest.approx(1e6 / 4096, rel=_NEAR)
    assert (compared.rows[0].layout or "").endswith("batch 248")
    assert checked.observed == pytest.approx(1e6 / 10.0, rel=_NEAR)


@pytest.mark.parametrize(("batch", "doubted"), [("4M", True), (1_000_000, True), (65_536, False), ("4M tokens", False)])
def test_so_many_sequences_that_tokens_were_meant_are_doubted(batch: object, *, doubted: bool) -> None:
    """Authority: the largest batches that anyone told of, CLIP's and BERT's, have some 65,536 sequences."""
    codes = {warning.code for warning in _run(tokens="100B", global_batch_sequences=batch).warnings}
    assert ("batch_in_tokens_suspected" in codes) == doubted
