"""A step's time tells sequences; what those hold in tokens is often not told, or only where samples are cut.

Authority: the notebooks and configurations of trainers of samples, whose `max_seq_length` and `cutoff_len` are limits.
"""

from dataclasses import replace
from typing import Any

import pytest

from estimator.answers.check.check import speed_check
from estimator.answers.check.observation import Observed
from estimator.question.request import Request
from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "4090",
    "n_gpus": 1,
    "method": "qlora",
    "micro_batch_size": 2,
    "gradient_accumulation": 4,
    "sequence_length": 2048,
    "observed_step_seconds": 1.5,
}


def _answer(**changes: object) -> dict[str, Any]:
    asked = {name: value for name, value in (RUN | changes).items() if value is not None}
    return TOOL.answer(asked).structured


def _codes(answer: dict[str, Any], of: str) -> set[str]:
    return {one["code"] for one in answer[of]}


@pytest.mark.parametrize("framework", ["unsloth", "trl", "llama-factory", "huggingface", "torchtune"])
def test_no_speed_is_ruled_out_by_a_length_that_may_be_a_limit(framework: str) -> None:
    """1.5 s for eight samples: as their limit is long, beyond the card; as samples are, usual."""
    answer = _answer(framework=framework)
    assert (answer["verdict"], answer["likely_causes"]) == ("normal", [])
    assert answer["verdict_depends_on"] == "tokens_per_sample"
    assert "is normal with samples of" in answer["summary"]
    assert "sequence_length_assumed" in _codes(answer, "warnings")


@pytest.mark.parametrize("batch", [None, 16])
@pytest.mark.parametrize("step_s", [0.1, 0.5, 2.0, 6.0, 20.0, 60.0, 600.0])
@pytest.mark.parametrize(
    "run", [{"method": "qlora", "framework": "huggingface"}, {"method": "full", "framework": "megatron", "n_gpus": 8}]
)
def test_what_cannot_be_judged_is_called_neither_slow_nor_fast(
    run: dict[str, Any], step_s: float, batch: int | None
) -> None:
    """Summary and verdict agree: a step is of some usual batch and length, at which its time may be normal."""
    none = {"micro_batch_size": None, "gradient_accumulation": None, "sequence_length": None}
    asked = none | run | {"gpu": "a100", "global_batch_sequences": batch, "observed_step_seconds": step_s}
    answer = _answer(**asked)
    is_open = answer["verdict_depends_on"] is not None
    assert answer["summary"].startswith("Cannot be judged") is is_open
    assert not is_open or (answer["verdict"], answer["likely_causes"]) == ("normal", [])


@pytest.mark.parametrize("framework", ["unsloth", "llama-factory", "huggingface"])
def test_a_speed_beyond_the_card_by_sequences_of_any_length_is_ruled_out(framework: str) -> None:
    """A step of a nanosecond is none, however short its samples are."""
    assert _answer(framework=framework, observed_step_seconds=1e-9)["verdict"] == "implausible"


@pytest.mark.parametrize(
    "said",
    [
        {"packing": "packed"},
        {"framework": "TRL, packing"},
        {"framework": "axolotl"},
        {"samples": "10k", "tokens_per_sample": 2000},
        {"framework": "torchtitan", "method": "full"},
    ],
)
def test_a_speed_beyond_the_card_is_ruled_out_where_the_length_is_told(said: dict[str, Any]) -> None:
    assert _answer(**said)["verdict"] == "implausible"


def test_a_step_of_a_told_micro_batch_is_taken_to_accumulate_none_and_that_is_said() -> None:
    alone = _answer(gradient_accumulation=None)
    assert "nothing_accumulated" in _codes(alone, "warnings")
    once = _answer(gradient_accumulation=1)
    assert "nothing_accumulated" not in _codes(once, "warnings")
    assert alone["observed"] == pytest.approx(once["observed"])


def test_what_a_model_makes_of_every_sound_has_no_other_length() -> None:
    sounds = {"model": "whisper-small", "method": "full", "framework": "huggingface", "sequence_length": None}
    assert "sequence_length_assumed" not in _codes(_answer(**sounds), "warnings")


def test_a_denoiser_is_asked_for_the_size_of_its_pictures() -> None:
    pictures = {"model": "sdxl", "method": "lora", "sequence_length": None}
    told = next(one for one in _answer(**pictures)["warnings"] if one["code"] == "sequence_length_assumed")
    assert "image_size" in told["message"]
    assert "sequence_length_assumed" not in _codes(_answer(**pictures, image_size="512x512"), "warnings")


def _bar(done: int, total: int) -> str:
    return f"{100 * done // total:3d}%|#  | {done}/{total} [1:02:11<9:19:40, 11.48s/it]"


def test_steps_that_take_a_sample_for_each_of_their_sequences_are_not_packed() -> None:
    """52,002 samples in batches of 16 are 3,250 steps; packed into 2,048 tokens they would be 190."""
    asked = {"framework": "axolotl", "samples": "alpaca", "gradient_accumulation": 8, "sequence_length": None}
    log = {"observed_step_seconds": None, "observed_log": _bar(325, 3250)}
    padded = _answer(**asked, **log)
    assert padded["observed"] < 0.2 * _answer(**asked, observed_step_seconds=11.48)["observed"]
    assert padded["verdict"] != "faster"


def test_a_bar_of_other_steps_than_were_told_says_what_is_left_of_its_own() -> None:
    log = {"observed_step_seconds": None, "observed_log": _bar(7, 60), "samples": "alpaca", "sequence_length": None}
    assert "of the log's own 60 steps" in _answer(**log)["summary"]
    whole = {**log, "observed_log": _bar(650, 6500).replace("9:19:40", "18:39:18")}
    assert "log's own" not in _answer(**whole)["summary"]


@pytest.mark.parametrize("framework", ["unsloth", "trl", "llama-factory"])
@pytest.mark.parametrize("micro_batch", [None, 2])
def test_what_is_expected_of_samples_of_untold_length_holds_what_short_ones_give(
    framework: str, micro_batch: int | None
) -> None:
    """And asks for their length; with it, or of packed ones, the range is narrower."""
    asked = Request(
        model="llama-3.1-8b",
        gpu="rtx-4090",
        n_gpus=1,
        method="lora",
        framework=framework,
        micro_batch_size=micro_batch,
        gradient_accumulation=None if micro_batch is None else 4,
    )
    seen = Observed(tokens_per_second=900)
    untold, packed = speed_check(asked, seen), speed_check(replace(asked, packing="packed"), seen)
    assert "sample_length_unsaid" in {warning.code for warning in untold.warnings}
    assert "sample_length_unsaid" not in {warning.code for warning in packed.warnings}
    assert untold.expected.low < 0.6 * packed.expected.low
    for mean in (200, 400, 1500):
        told = speed_check(replace(asked, tokens_per_sample=mean), seen)
        assert untold.expected.low <= told.expected.tokens_per_second <= untold.expected.high
        assert "sample_length_unsaid" not in {warning.code for warning in told.warnings}


def test_a_range_that_any_speed_lies_in_is_no_verdict() -> None:
    """Slow for full sequences, normal for short samples: how long they are decides, and nothing else is normal."""
    run = {"gpu": "h100", "n_gpus": 8, "method": "full", "framework": "TRL, FSDP, gradient checkpointing"}
    run |= {"observed_step_seconds": None, "sequence_length": None, "micro_batch_size": None}
    open_one = _answer(**run, gradient_accumulation=None, observed_tflops_per_gpu=180)
    assert open_one["verdict_depends_on"] == "tokens_per_sample"
    assert open_one["summary"].startswith("Cannot be judged without the length of samples")
    assert "full sequences of" in open_one["summary"]
    for told in ({"packing": "packed"}, {"samples": "10k", "tokens_per_sample": 500}):
        answer = _answer(**run, gradient_accumulation=None, observed_tflops_per_gpu=180, **told)
        assert answer["verdict_depends_on"] is None


@pytest.mark.parametrize(
    "head",
    [
        "Batch size per device = 2 | Gradient accumulation steps = 4",
        "  Instantaneous batch size per device = 2\n  Gradient Accumulation steps = 4",
        "micro_batch_size: 2\ngradient_accumulation_steps: 4",
    ],
)
@pytest.mark.parametrize("n_gpus", [1, 4])
def test_a_log_without_its_total_batch_tells_what_each_device_takes_and_how_often(head: str, n_gpus: int) -> None:
    log = f"{head}\n 10/100 [01:30<13:30,  9.00s/it]\n 20/100 [03:00<12:00,  9.00s/it]"
    asked = {"n_gpus": n_gpus, "packing": "packed", "micro_batch_size": None, "gradient_accumulation": None}
    answer = _answer(**asked, observed_step_seconds=None, observed_log=log, detail="detailed")
    told = next(one for one in answer["assumptions"] if one["name"] == "global_batch_sequences")
    assert (told["value"], told["source"]) == (8 * n_gpus, "inferred")
    assert answer["verdict_depends_on"] is None
