"""Steps of fine-tuning count samples, and samples are shorter than the sequences that a model takes."""

from statistics import median, quantiles
from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.estimate.wording import summary
from estimator.base.errors import MissingValueError
from estimator.catalogue import catalogue
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from estimator.resolve.sample_lengths import USUAL_SAMPLE

_STEPS, _BATCH = 100, 16


def _run(**said: Any) -> Run:  # noqa: ANN401 - any argument
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 1, "steps": _STEPS}
    asked |= {"global_batch_sequences": _BATCH, **said}
    return resolve(Request(**asked))


def _codes(run: Run) -> set[str]:
    return {caution.code for caution in run.warnings}


def test_a_usual_sample_is_as_long_as_those_of_the_catalogue() -> None:
    means = [
        entry.tokens_per_sample
        for entry in catalogue.datasets()
        if entry.kind == "instruction" and entry.tokens_per_sample
    ]
    tenth, *_, ninth = quantiles(means, n=10)
    assert median(means) == pytest.approx(USUAL_SAMPLE.mode, rel=0.05)
    assert tenth == pytest.approx(USUAL_SAMPLE.low, rel=0.1)
    assert ninth == pytest.approx(USUAL_SAMPLE.high, rel=0.1)


@pytest.mark.parametrize(
    "said",
    [
        {"method": "qlora"},
        {"method": "lora", "framework": "mlx"},
        {"method": "qlora", "framework": "unsloth"},
        {"method": "lora", "framework": "pytorch"},
        {"framework": "trl"},
        {"framework": "LLaMA-Factory"},
        {"framework": "HF Trainer", "objective": "sft"},
        {"objective": "instruction tuning"},
        {"framework": "HF Trainer, full fine-tuning"},
        {"objective": "dpo"},
        {"objective": "reward"},
        {"model": "bert-base-uncased", "objective": "classification"},
    ],
)
def test_steps_that_train_on_samples_are_no_full_sequences_and_the_reader_is_told(said: dict[str, Any]) -> None:
    run = _run(**said)
    pairs = run.objective.objective.sequences
    assert run.amount.real_tokens <= _STEPS * _BATCH * USUAL_SAMPLE.mode * pairs
    assert "sample_lengths_assumed" in _codes(run)
    assert run.amount.high_factor / run.amount.low_factor > 3
    assert "sample_lengths_assumed" not in _codes(_run(**said, tokens_per_sample=300))
    assert "tokens_per_sample" in {narrowing.argument for narrowing in estimate_of(run).narrow_by[:3]}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"framework": "torchtitan"},
        {"framework": "HF Trainer"},
        {"method": "lora", "packing": "packed"},
        {"method": "qlora", "framework": "TRL, packing"},
        {"method": "lora", "framework": "xtuner"},
        {"model": "bert-base-uncased", "objective": "masked"},
    ],
)
def test_steps_that_fill_their_sequences_are_counted_exactly(said: dict[str, Any]) -> None:
    run = _run(**said, sequence_length=512)
    assert run.amount.tokens == _STEPS * _BATCH * 512
    assert run.amount.high_factor == 1.0
    assert "sample_lengths_assumed" not in _codes(run)


@pytest.mark.parametrize("said", [{"framework": "axolotl"}, {"method": "qlora", "packing": "packed"}])
def test_a_trainer_that_packs_fills_sequences_as_long_as_such_trainers_cut_at(said: dict[str, Any]) -> None:
    """Axolotl's examples: 2,048 in most of them, though the models take 131,072."""
    assert _run(**said).amount.tokens == _STEPS * _BATCH * 2048


@pytest.mark.parametrize("length", [512, 2048, 8192])
def test_a_length_that_was_told_is_counted_in_full_and_may_be_a_limit(length: int) -> None:
    """The range holds a usual set's samples, and the step is that of the sequences told."""
    run = _run(method="qlora", framework="unsloth", sequence_length=length)
    assert run.amount.tokens == _STEPS * _BATCH * length
    assert run.amount.low_factor == pytest.approx(USUAL_SAMPLE.mode / length)
    assert run.amount.high_factor == 1.0
    assert "length_may_be_a_limit" in _codes(run)
    assert run.sequence_length == length
    narrowing = {one.argument for one in estimate_of(run).narrow_by[:2]}
    assert length < 2 * USUAL_SAMPLE.mode or "tokens_per_sample" in narrowing


@pytest.mark.parametrize("length", [128, 256])
def test_a_length_that_usual_samples_fill_is_none_to_doubt(length: int) -> None:
    run = _run(method="qlora", framework="unsloth", sequence_length=length)
    assert run.amount.low_factor == 1.0
    assert "length_may_be_a_limit" not in _codes(run)


def test_samples_of_a_set_are_packed_into_as_many_tokens_as_the_sequences_have() -> None:
    """Who packs knows the tokens of a step, whatever is known of the set."""
    run = _run(method="lora", samples="smoltalk", packing="packed", sequence_length=4096)
    assert run.amount.tokens == pytest.approx(_STEPS * _BATCH * 4096)
    assert run.amount.low_factor == run.amount.high_factor == 1.0


def test_a_batch_of_pairs_is_as_many_pairs_whether_their_set_is_named_or_not() -> None:
    entry = catalogue.dataset("ultrafeedback")
    assert entry.rows_per_sample == 2
    named = _run(objective="dpo", samples="ultrafeedback")
    counted = _run(objective="dpo", tokens_per_sample=entry.tokens_per_sample)
    assert named.amount.sequences == counted.amount.sequences == 2 * _STEPS * _BATCH
    assert named.amount.real_tokens == pytest.approx(counted.amount.real_tokens)


def test_pictures_of_a_sample_stand_beside_the_usual_text() -> None:
    run = _run(model="llava-1.5-7b", method="lora")
    each = _run(model="llava-1.5-7b", method="lora", steps=None, samples=1, global_batch_sequences=None)
    assert run.amount.real_tokens == pytest.approx(_STEPS * _BATCH * each.amount.real_tokens)


@pytest.mark.parametrize("framework", ["", "kohya", "ai-toolkit", "diffusers", "diffusion-pipe", "musubi-tuner"])
def test_a_denoiser_is_tuned_on_one_picture_a_step_whatever_its_trainer_is_built_on(framework: str) -> None:
    """Kohya's and ai-toolkit's own default; Transformers' eight are of texts."""
    run = _run(model="sdxl", method="lora", global_batch_sequences=None, framework=framework or "auto")
    assert run.global_batch_sequences == 1
    assert "batch_assumed" in _codes(run)
    assert run.amount.high_factor > run.amount.low_factor == 1.0
    assert estimate_of(run).narrow_by[0].argument in {"global_batch_sequences", "observed_tokens_per_second"}


def test_many_devices_train_a_denoiser_in_batches_that_must_be_told() -> None:
    with pytest.raises(MissingValueError, match="global_batch_sequences"):
        _run(model="sdxl", n_gpus=64, global_batch_sequences=None)


@pytest.mark.parametrize(
    ("framework", "batch"), [("unsloth", 8), ("llama-factory", 8), ("ms-swift", 16), ("axolotl", 8), ("trl", 8)]
)
def test_a_step_of_a_trainer_is_that_of_its_examples_and_the_reader_is_told(framework: str, batch: int) -> None:
    """2 × 4, 1 × 8, 1 × 16, 2 × 4 and 4 × 2 accumulated."""
    run = _run(method="lora", framework=framework, tokens_per_sample=300, global_batch_sequences=None)
    assert run.global_batch_sequences == batch
    assert "batch_assumed" in _codes(run)
    assert run.amount.low_factor < 0.6
    assert run.amount.high_factor > 1.8


def test_a_micro_batch_alone_is_a_step_that_may_be_several() -> None:
    run = _run(method="lora", framework="trl", tokens_per_sample=300, global_batch_sequences=None, micro_batch_size=2)
    assert run.global_batch_sequences == 2
    assert "batch_assumed" in _codes(run)
    assert run.amount.high_factor > 3


@pytest.mark.parametrize("framework", ["mlx_lm.lora", "HF Trainer", "lightning", "DeepSpeed ZeRO-2"])
def test_a_micro_batch_of_a_trainer_that_accumulates_nothing_unless_told_is_a_step(framework: str) -> None:
    said: dict[str, Any] = {"method": "lora", "framework": framework, "tokens_per_sample": 300}
    run = _run(**said, global_batch_sequences=None, micro_batch_size=4)
    told = _run(**said, global_batch_sequences=None, micro_batch_size=4, gradient_accumulation=1)
    assert run.global_batch_sequences == told.global_batch_sequences == 4
    assert "batch_assumed" not in _codes(run)
    assert run.amount.high_factor == told.amount.high_factor
    noted = next(one for one in run.assumptions if one.name == "global_batch_sequences")
    assert "accumulates none unless told" in noted.note


@pytest.mark.parametrize(
    ("framework", "why"),
    [
        ("trl", "trl accumulates none unless told, but its examples mostly do"),
        ("axolotl", "axolotl accumulates none unless told, but its examples mostly do"),
        ("torchtune", "whether it accumulates several is not told"),
        ("auto", "whether it accumulates several is not told"),
    ],
)
def test_where_examples_accumulate_the_reader_is_told_why_a_micro_batch_may_be_no_step(
    framework: str, why: str
) -> None:
    run = _run(
        method="lora", framework=framework, tokens_per_sample=300, global_batch_sequences=None, micro_batch_size=4
    )
    message = next(caution.message for caution in run.warnings if caution.code == "batch_assumed")
    assert why in message
    assert "nobody told" not in message


@pytest.mark.parametrize("model", ["sdxl", "whisper-small", "vit-base-patch16-224"])
def test_a_micro_batch_of_pictures_or_sounds_is_a_step(model: str) -> None:
    run = _run(model=model, global_batch_sequences=None, micro_batch_size=16)
    assert run.global_batch_sequences == 16
    assert "batch_assumed" not in _codes(run)
    assert run.amount.low_factor == run.amount.high_factor == 1.0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"method": "lora"}, ["the length of samples is assumed"]),
        ({"method": "lora", "sequence_length": 2048}, ["if samples fill their sequences"]),
        (
            {"method": "lora", "framework": "unsloth", "global_batch_sequences": None},
            ["the length of samples is assumed", "the batch is assumed"],
        ),
    ],
)
def test_the_summary_says_what_the_amount_rests_on(said: dict[str, Any], words: list[str]) -> None:
    told = summary(estimate_of(_run(**said)))
    assert all(word in told for word in words)
    assert not any(word in summary(estimate_of(_run(**said, tokens_per_sample=300))) for word in words[:1])
