"""What to say first: what `narrow_by` promises is what saying it does.

Authority: the same question asked again with the argument said.
"""

import math
from dataclasses import replace
from typing import Any

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.answers.estimate.wording import summary
from estimator.question.request import Request
from estimator.resolve.run import resolve

ON_A_T4 = Request(
    model="llama-2-7b",
    gpu="t4",
    n_gpus=1,
    samples=9846,
    tokens_per_sample=400,
    epochs=3,
    packing="padded",
    sequence_length=512,
    micro_batch_size=4,
    gradient_accumulation=2,
    method="qlora",
    framework="trl",
)
"""huggingface/trl#572: a 4-bit base on a card without BF16, its compute type not said."""
ON_TWO_NODES = Request(model="7B", gpu="a100", n_gpus=16, tokens="1B", framework="huggingface, zero3")


def _width_log(found: Estimate) -> float:
    return math.log(found.training_high_s / found.training_low_s)


def _estimate(asked: Request) -> Estimate:
    return estimate_of(resolve(asked), advised=False)


@pytest.mark.parametrize(
    ("asked", "argument", "said"),
    [
        (ON_A_T4, "precision", replace(ON_A_T4, precision="fp16")),
        (ON_TWO_NODES, "network_gbps_per_gpu", replace(ON_TWO_NODES, network_gbps_per_gpu=200.0)),
    ],
)
def test_saying_what_is_doubted_narrows_the_range_as_promised(asked: Request, argument: str, said: Request) -> None:
    """To the range of the amount, which saying it leaves, and the run-level overhead's."""
    open_, closed = _estimate(asked), _estimate(said)
    promised = {narrowing.argument: narrowing.narrows_by for narrowing in open_.narrow_by}
    assert promised[argument] == pytest.approx(1 - _width_log(closed) / _width_log(open_), abs=0.05)
    assert argument not in {narrowing.argument for narrowing in closed.narrow_by}


def test_a_range_about_what_is_unsaid_holds_it_said_either_way() -> None:
    """It is wide because the two are six times apart, and each is as likely."""
    unsaid = _estimate(ON_A_T4)
    for precision in ("fp16", "fp32"):
        assert unsaid.training_low_s < _estimate(replace(ON_A_T4, precision=precision)).training_s
        assert unsaid.training_high_s > _estimate(replace(ON_A_T4, precision=precision)).training_s


@pytest.mark.parametrize(("asked", "argument"), [(ON_A_T4, "precision"), (ON_TWO_NODES, "network_gbps_per_gpu")])
def test_the_first_warning_and_the_summary_name_what_would_narrow_the_range_most(asked: Request, argument: str) -> None:
    """An assistant repeats one sentence, not a list: what a caller can say, and not a measurement."""
    found = _estimate(asked)
    assert argument in found.warnings[0].message
    assert summary(found).endswith(f"say {argument} first.")


def test_a_summary_asks_for_nothing_where_all_that_matters_is_said() -> None:
    said = replace(ON_A_T4, precision="fp16", activation_recompute="full", tokens_per_sample="400-400")
    assert "To narrow" not in summary(_estimate(said))


@pytest.mark.parametrize(
    ("asked", "argument", "words"),
    [
        (ON_A_T4, "precision", "4-bit base"),
        (
            Request(model="bert-large", gpu="a100", n_gpus=1, samples="100k", tokens_per_sample=128, epochs=3),
            "precision",
            "the trainer was left in 32 bit",
        ),
        (ON_TWO_NODES, "network_gbps_per_gpu", "a plain one"),
        # Every sound is padded to 30 s: of hours of them, how many there are is what nobody knows.
        (
            Request(
                model="whisper-small",
                gpu="a100",
                n_gpus=1,
                tokens="100 hours of speech",
                framework="Hugging Face, 8 dataloader workers",
            ),
            "samples",
            "proportional",
        ),
        (Request(model="whisper-small", gpu="a100", n_gpus=1, tokens="100 hours of speech"), "framework", "workers"),
        (Request(model="llama-3.1-8b", gpu="a100", n_gpus=1, tokens="50M", method="lora"), "packing", "padded"),
    ],
)
def test_a_reason_is_that_of_what_is_asked(asked: Request, argument: str, words: str) -> None:
    told = {narrowing.argument: narrowing.why for narrowing in _estimate(asked).narrow_by}
    assert words in told[argument]
    assert asked.method == "qlora" or "4-bit" not in told.get("precision", "")


@pytest.mark.parametrize("samples", [{"tokens_per_sample": 300}, {"tokens_per_sample": "150 words"}])
@pytest.mark.parametrize("micro_batch", [None, 1, 4])
@pytest.mark.parametrize("n_gpus", [1, 8])
@pytest.mark.parametrize("framework", ["huggingface", "unsloth", "axolotl"])
def test_padding_is_a_reason_to_say_how_long_samples_are_only_where_rows_are_padded(
    samples: dict[str, Any], micro_batch: int | None, n_gpus: int, framework: str
) -> None:
    found = _estimate(
        Request(
            model="gemma-2-2b",
            gpu="a100",
            n_gpus=n_gpus,
            method="lora",
            samples="8k",
            micro_batch_size=micro_batch,
            framework=framework,
            **samples,
        )
    )
    told = next((one.why for one in found.narrow_by if one.argument == "tokens_per_sample"), "")
    assert ("padding grows" in told) is (bool(told) and found.run.amount.padding > 1.0)
    if n_gpus == 1:
        assert "the wait for" not in told


@pytest.mark.parametrize(
    ("amount", "packing", "is_asked"),
    [
        ({"samples": "ultrachat"}, "true", False),
        ({"samples": "alpaca"}, "true", False),
        ({"samples": 50_000, "tokens_per_sample": "100-1000"}, "true", False),
        ({"samples": 50_000, "tokens_per_sample": 400}, "true", False),
        ({"samples": 50_000, "tokens_per_sample": 400}, "false", True),
    ],
)
def test_how_far_lengths_differ_is_asked_only_of_samples_that_are_padded(
    amount: dict[str, Any], packing: str, *, is_asked: bool
) -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "method": "lora", **amount}
    found = _estimate(Request(**asked, framework=f"axolotl, sample_packing: {packing}"))
    assert ("tokens_per_sample" in {one.argument for one in found.narrow_by}) is is_asked


OPINIONS_PART: tuple[dict[str, Any], ...] = tuple(
    {"model": "qwen3-30b-a3b", "gpu": gpu, "n_gpus": n_gpus, "method": method}
    for gpu, n_gpus, method in (("h100", 1, "lora"), ("h100", 4, "lora"), ("h200", 4, "full"), ("h200", 8, "qlora"))
)
"""Experts on the code of Transformers 5, whose speed few have published."""


def _parted(estimate: Estimate) -> str:
    return next(caution.message for caution in estimate.warnings if caution.code == "opinions_part")


def _of_experts(run: dict[str, Any], **said: Any) -> Estimate:  # noqa: ANN401 - any argument
    framework = "ms-swift, transformers 5.0"
    return _estimate(Request(samples=2000, tokens_per_sample=700, framework=framework, **run, **said))


@pytest.mark.parametrize("run", OPINIONS_PART, ids=str)
def test_where_opinions_part_what_is_asked_for_narrows_the_range(run: dict[str, Any]) -> None:
    """A batch does not, and is not asked for; a micro-batch that is doubted does, until it is said."""
    found = _of_experts(run)
    assert "saying micro_batch_size narrows it" in _parted(found)
    layout = found.layout
    assert layout is not None
    said = _of_experts(run, micro_batch_size=layout.micro_batch_size)
    assert _width_log(said) < 0.95 * _width_log(found)
    assert "narrows it" not in _parted(said)
    batch = layout.global_batch_sequences
    with_batch = _of_experts(run, micro_batch_size=layout.micro_batch_size, global_batch_sequences=batch)
    assert _width_log(with_batch) == pytest.approx(_width_log(said), rel=0.05)
    for estimate in (found, said, with_batch):
        assert "observed_tokens_per_second" in _parted(estimate)
        assert "global_batch_sequences" not in _parted(estimate)
