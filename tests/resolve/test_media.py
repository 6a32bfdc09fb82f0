"""Samples of pictures, sounds and text, from a caller's words to a run."""

import json
from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.physics.batch import global_batch_sequences
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tests.places import PUBLISHED


def _run(model: str, **more: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    return resolve(Request(model=model, gpu="a100-sxm-80gb", n_gpus=8, **more))


def _assumed(run: Run, name: str) -> Assumption:
    return next(assumption for assumption in run.assumptions if assumption.name == name)


def test_a_samples_tokens_are_its_text_and_its_pictures() -> None:
    run = _run("llava-1.5-7b", samples="100k", tokens_per_sample=224, packing="packed")
    assert run.amount.tokens == 100_000 * (224 + 576)
    assert "224 of text and 576" in _assumed(run, "sample_tokens").note


@pytest.mark.parametrize("amount", [{"samples": 800_000}, {"steps": 50_000}], ids=str)
def test_a_step_of_a_robot_is_one_picture_and_a_short_text(amount: dict[str, int]) -> None:
    """Authority: Kim et al. 2024, section 3: 256 patches of a picture, an instruction and seven tokens of an action."""
    run = _run("openvla-7b", method="lora", global_batch_sequences=16, **amount)
    assert run.amount.real_tokens == 800_000 * (256 + 30)


def test_two_pictures_are_twice_the_tokens_of_one() -> None:
    runs = [
        _run("qwen2.5-vl-7b", samples=1000, tokens_per_sample=100, images_per_sample=n, packing="packed")
        for n in (1, 2)
    ]
    one, two = (run.amount.tokens - 100_000 for run in runs)
    assert two == 2 * one


def test_padding_is_of_text_alone() -> None:
    """Every sample has the same picture; only its text is longer or shorter."""
    seeing = _run("llava-1.5-7b", samples="100k", tokens_per_sample=200, packing="padded", micro_batch_size=8)
    blind = _run("llava-1.5-7b", samples="100k", tokens_per_sample=200, images_per_sample=0, packing="padded",
                 micro_batch_size=8)  # fmt: skip
    added = (seeing.amount.tokens - blind.amount.tokens) / 100_000
    assert added == pytest.approx(576, rel=0.01)


def _seen_by(run: Run, tower: str) -> float:
    """Return the positions that a tower of the question's network has in one row."""
    question = run.question
    assert question is not None
    return question.sequence_length * sum(each.rate for each in question.transformer.towers if each.name == tower)


@pytest.mark.parametrize("text", [20, 200, 1000])
@pytest.mark.parametrize("micro", [1, 4, 32])
@pytest.mark.parametrize("count", [1, 3])
def test_a_padded_row_has_the_pictures_of_its_sample(text: int, micro: int, count: int) -> None:
    """CLIP L/14 at 336 pixels: 577 positions a picture, however much text lies beside it or is padded."""
    run = _run("llava-1.5-7b", samples="100k", tokens_per_sample=text, images_per_sample=count, packing="padded",
               micro_batch_size=micro)  # fmt: skip
    assert _seen_by(run, "vision") == pytest.approx(577 * count)
    assert _seen_by(run, "projector") == pytest.approx(576 * count)


def test_steps_of_padded_rows_read_the_pictures_that_were_told() -> None:
    """No text is told: all of a row but its picture is text or padding."""
    run = _run("llava-1.5-7b", steps=100, sequence_length=2048, images_per_sample=1, packing="padded",
               global_batch_sequences=64)  # fmt: skip
    assert _seen_by(run, "vision") == pytest.approx(577)


def test_full_sequences_have_pictures_in_proportion() -> None:
    packed = [
        _seen_by(
            _run("llava-1.5-7b", samples="100k", tokens_per_sample=224, sequence_length=n, packing="packed"), "vision"
        )
        for n in (2000, 4000)
    ]
    assert packed == pytest.approx([577 * 2.5, 577 * 5])


def test_a_picture_model_needs_no_tokens() -> None:
    """ImageNet through a ViT-B/16: 196 patches and a class token each."""
    run = _run("vit-b-16", samples="1.28M", epochs=2)
    assert run.amount.tokens == 2 * 1.28e6 * 197
    assert run.sequence_length == 197


def test_a_larger_picture_is_a_longer_sequence() -> None:
    assert _run("dinov2-large", samples=1000, image_size="518").sequence_length == 1370


def test_hours_of_sound_are_pieces_of_thirty_seconds() -> None:
    run = _run("whisper-small", samples="1000 hours of audio")
    assert run.amount.tokens == 1000 * 120 * 1500


def test_encoders_and_frozen_towers_are_said() -> None:
    assert "frozen" in _assumed(_run("llava-1.5-7b", samples=1000, tokens_per_sample=99), "trained_parts").note


def test_named_parts_stand_in_for_the_usual_ones() -> None:
    run = _run("llava-1.5-7b", samples=1000, tokens_per_sample=99, trained_layers="projector")
    assert not any(assumption.name == "trained_parts" for assumption in run.assumptions)
    assert run.question is not None
    assert [tower.name for tower in run.question.transformer.towers if tower.trained] == ["projector"]


def test_a_language_model_with_towers_trains_on_text_unless_pictures_are_told() -> None:
    """Gemma 3 is mostly tuned on text: its towers are counted where a picture is told."""
    blind, seeing = (
        _run("gemma-3-12b", samples=1000, tokens_per_sample=200, images_per_sample=n, packing="packed")
        for n in (None, 1)
    )
    assert blind.amount.tokens == 200_000
    assert seeing.amount.tokens == 1000 * (200 + 258)


def test_an_encoder_decoders_tokens_are_those_of_its_source() -> None:
    """T5's span corruption: 114 target tokens for 512."""
    assert _assumed(_run("t5-large", tokens="1B"), "target_ratio").value == pytest.approx(114 / 512, abs=1e-4)


def test_texts_of_an_encoder_are_padded_within_its_positions() -> None:
    run = _run("bert-base", samples=1000, tokens_per_sample=400)
    assert run.sequence_length <= 512
    assert _assumed(run, "packing").value == "padded"


@pytest.mark.parametrize("told", [{"image_size": "336"}, {"images_per_sample": 2}])
def test_a_model_that_reads_no_pictures_refuses_them(told: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="reads no pictures"):
        _run("llama-3.1-8b", samples=1000, tokens_per_sample=99, **told)


def test_a_configuration_is_read_with_its_towers() -> None:
    path = PUBLISHED / "hf_configs" / "vision_language" / "llava-1.5-7b.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    run = _run("mine", hf_config=config, samples=1000, tokens_per_sample=24, packing="packed")
    assert run.amount.tokens == 1000 * 600


@pytest.mark.parametrize("model", ["resnet-50", "convnext-tiny"])
def test_adapters_are_refused_where_a_network_has_no_attention(model: str) -> None:
    """Authority: PEFT's and Diffusers' habit of adapting attention; convolutions have none."""
    with pytest.raises(InvalidValueError, match="no attention"):
        resolve(Request(model=model, gpu="a100", n_gpus=8, samples="1M", method="lora"))


@pytest.mark.parametrize("model", ["resnet-50", "swin-base", "vit-base-patch16-224"])
def test_as_many_pictures_are_batched_whichever_network_reads_them(model: str) -> None:
    """Authority: 128 pictures of 224 pixels a device, timm's default; a pyramid has sixteen times the positions."""
    question = resolve(Request(model=model, gpu="a100", n_gpus=8, samples="1M")).question
    assert question is not None
    assert global_batch_sequences(question) == 8 * 128


@pytest.mark.parametrize("model", ["paligemma-3b", "qwen2.5-vl-7b", "llava-1.5-7b", "internvl2.5-8b"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"tokens_per_sample": 100},
        {"method": "lora"},
        {"n_gpus": 64},
        {"packing": "padded", "micro_batch_size": 2},
        {"sequence_length": 4096},
        {"framework": "ms-swift"},
    ],
)
def test_steps_and_the_samples_that_they_hold_are_one_run(model: str, said: dict[str, Any]) -> None:
    """A batch of pictures holds samples, however the amount is told: same rows, same trainer, same frozen tower."""
    asked: dict[str, Any] = {"model": model, "gpu": "a100-sxm-80gb", "n_gpus": 8, "global_batch_sequences": 128, **said}
    stepped, sampled = resolve(Request(**asked, steps=50)), resolve(Request(**asked, samples=50 * 128))
    assert stepped.amount.tokens == pytest.approx(sampled.amount.tokens)
    assert stepped.question == sampled.question


def test_steps_of_rows_that_are_told_to_be_full_are_full() -> None:
    run = _run("llava-1.5-7b", steps=50, global_batch_sequences=128, packing="packed", sequence_length=2048)
    assert run.amount.tokens == 50 * 128 * 2048


@pytest.mark.parametrize(
    ("said", "method", "learning"),
    [
        ({"model": "blip2-opt-2.7b", "samples": 1000}, "frozen", ["projector"]),
        ({"model": "instructblip-vicuna-7b", "steps": 50, "global_batch_sequences": 64}, "frozen", ["projector"]),
        ({"model": "blip2-opt-2.7b", "samples": 1000, "trained_layers": "q-former"}, "frozen", ["projector"]),
        ({"model": "blip2-opt-2.7b", "samples": 1000, "trained_layers": "all"}, "full", ["projector", "vision"]),
        ({"model": "blip2-opt-2.7b", "samples": 1000, "method": "lora"}, "lora", []),
        ({"model": "llava-1.5-7b", "samples": "llava-pretrain-558k"}, "frozen", ["projector"]),
        ({"model": "llava-1.5-7b", "samples": "llava-665k"}, "full", ["projector"]),
    ],
    ids=str,
)
def test_what_learns_is_what_the_models_and_the_sets_recipe_trains(
    said: dict[str, Any], method: str, learning: list[str]
) -> None:
    """Li et al. 2023 (BLIP-2), section 3: the Q-Former alone; Liu et al. 2023 (LLaVA), section 4.2: two stages."""
    question = _run(**said).question
    assert question is not None
    assert question.method.name == method
    assert sorted(tower.name for tower in question.transformer.towers if tower.trained) == learning
