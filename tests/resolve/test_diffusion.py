"""Questions about denoisers: samples instead of tokens, their size, and which encoders run in each step."""

from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.estimate.wording import summary
from estimator.models.flops import flop_counts
from estimator.models.transformer import Transformer
from estimator.physics.batch import global_batch_sequences
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve
from estimator.resolve.subject import resolved_subject


def _run(model: str = "sdxl", **asked: object) -> Run:
    known: dict[str, Any] = {"gpu": "h100-sxm", "n_gpus": 8, "samples": "1M", "model": model, **asked}
    return resolve(Request(**known))


def _model(run: Run) -> Transformer:
    assert run.subject.transformer is not None
    return run.subject.transformer


def _towers(framework: str = "auto", model: str = "sdxl") -> tuple[str, ...]:
    return tuple(tower.name for tower in _model(_run(model, framework=framework)).towers)


@pytest.mark.parametrize(
    ("framework", "kept"),
    [
        ("", {"latents", "text"}),
        ("diffusers", set[str]()),
        ("diffusers, cached latents", {"latents"}),
        ("diffusers --cache_latents", {"latents"}),
        ("diffusers, cached latents, cached text embeddings", {"latents", "text"}),
        ("kohya sd-scripts", {"latents"}),
        ("kohya_ss, cache_text_encoder_outputs", {"latents", "text"}),
        ("kohya without cached latents", set[str]()),
        ("OneTrainer", {"latents", "text"}),
        ("SimpleTuner", {"latents", "text"}),
        ("ai-toolkit", {"latents"}),
        ("NeMo DFM", {"latents", "text"}),
        ("MaxDiffusion", {"latents", "text"}),
        ("PyTorch, encode on the fly", set[str]()),
    ],
)
def test_encoders_run_as_they_are_said_to_or_as_the_trainer_has_it(framework: str, kept: set[str]) -> None:
    """A trainer's habit, what is said of it, and what is denied."""
    towers = _towers(framework=framework or "auto")
    assert ("vae" in towers) is ("latents" not in kept)
    assert ("text_encoder" in towers) is ("text" not in kept)


@pytest.mark.parametrize(
    ("words", "stack"),
    [
        ("diffusers", "huggingface"),
        ("kohya", "huggingface"),
        ("musubi-tuner", "huggingface"),
        ("DiffSynth-Studio", "huggingface"),
        ("finetrainers", "huggingface"),
        ("NeMo DFM 25.09", "nemo"),
        ("maxdiffusion", "jax"),
        ("diffusion-pipe", "deepspeed"),
    ],
)
def test_trainers_of_denoisers_are_known(words: str, stack: str) -> None:
    """Each is a stack whose speed is known, and nothing of its name is left over."""
    named = named_framework(words)
    assert named.name == stack
    assert not named.not_understood


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("FLUX.1-dev", "flux.1-dev"),
        ("black-forest-labs/FLUX.1-schnell", "flux.1-schnell"),
        ("flux", "flux.1-dev"),
        ("SD 1.5", "sd-1.5"),
        ("stable diffusion xl", "sdxl"),
        ("stabilityai/stable-diffusion-3.5-large", "sd3.5-large"),
        ("Wan2.1-T2V-14B", "wan-2.1-14b"),
        ("hunyuan video", "hunyuanvideo"),
        ("DiT-XL/2", "dit-xl-2"),
        ("qwen-image", "qwen-image"),
    ],
)
def test_denoisers_are_known_by_the_names_people_use(name: str, known: str) -> None:
    """Hub names, short names, families."""
    subject = resolved_subject(Request(model=name, gpu="h100-sxm", n_gpus=1))
    assert subject.transformer is not None
    assert subject.transformer.id == known


@pytest.mark.parametrize(
    ("model", "size", "tokens"),
    [
        ("sd-1.5", "512x512", 64 * 64),
        ("sdxl", "1024", 128 * 128),
        ("flux.1-dev", "1024x1024", 64 * 64),
        ("flux.1-dev", "1536x1024", 96 * 64),
        ("dit-xl-2", "256", 16 * 16),
        ("sana-1.6b", "1024", 32 * 32),
        ("wan-2.1-14b", "832x480x81", 21 * 30 * 52),
        ("hunyuanvideo", "1280x720x129", 33 * 45 * 80),
        ("ltx-video-2b", "768x512x121", 16 * 16 * 24),
    ],
)
def test_a_sample_is_as_many_positions_as_its_latent_has_patches(model: str, size: str, tokens: int) -> None:
    """Eight pixels a side to a latent, four frames, two latents a side to a patch, and what others have instead."""
    run = _run(model, image_size=size)
    assert run.sequence_length == tokens
    assert run.amount.tokens == pytest.approx(tokens * 1e6)


def test_samples_alone_are_a_question() -> None:
    """No tokens of a sample need be told, and the answer says images a second."""
    estimate = estimate_of(_run("sd-1.5", epochs=2))
    assert "2M images" in summary(estimate)
    assert "images/s" in summary(estimate)


def test_clips_are_clips() -> None:
    """Not images, in the answer."""
    assert "clips/s" in summary(estimate_of(_run("wan-2.1-1.3b", samples=1000)))


def test_adapters_of_a_denoiser_need_less_than_training_it() -> None:
    """No gradient of weights: about two thirds of the FLOPs, and less memory."""
    full, lora = (estimate_of(_run("sdxl", method=method, framework="kohya", n_gpus=1)) for method in ("full", "lora"))
    assert 0.6 < lora.model_flop / full.model_flop < 0.75
    assert full.memory is not None
    assert lora.memory is not None
    assert lora.memory.total_bytes < full.memory.total_bytes
    notes = [assumption.note for assumption in lora.assumptions if assumption.name == "lora_rank"]
    assert "attention" in notes[0]


def test_the_rule_of_thumb_counts_what_a_position_meets() -> None:
    """Most weights of a U-Net are met at lower resolutions; six times what a position meets is what training takes."""
    run = _run("sd-1.5", image_size=512, framework="OneTrainer")
    exact = flop_counts(_model(run), sequence_length=run.sequence_length).model
    assert run.rule.coefficient * run.rule.parameters == pytest.approx(exact, rel=0.35)
    assert run.subject.total_parameters == 859_520_964


def test_larger_pictures_take_longer() -> None:
    """Four times the positions beside a text that stays as it is."""
    small, large = (estimate_of(_run("sd3.5-large", image_size=side, epochs=10)).training_s for side in (512, 1024))
    assert large > 2.5 * small


@pytest.mark.parametrize(
    ("model", "size", "each"),
    [("sdxl", "1024", 1), ("sd-1.5", "512", 4), ("flux.1-dev", "512", 16), ("hunyuanvideo", "1280x720x129", 1)],
)
def test_a_device_has_as_many_samples_of_a_step_as_their_size_leaves_room_for(model: str, size: str, each: int) -> None:
    """One picture of 16,384 positions, four of 4,096, and never less than one."""
    run = _run(model, image_size=size, method="lora", framework="ai-toolkit")
    assert run.question is not None
    assert global_batch_sequences(run.question) == each * run.n_gpus


def test_a_denoiser_held_in_8_bits_is_multiplied_in_16() -> None:
    """ai-toolkit quantises with quanto, weights alone: it saves memory, and widening them takes a little."""
    asked: dict[str, object] = {"gpu": "a100", "n_gpus": 1, "method": "lora", "steps": 1000, "micro_batch_size": 1}
    plain, eight = (
        estimate_of(_run("flux.1-dev", **{**asked, "samples": None}, framework=f"ai-toolkit{more}"), advised=False)
        for more in (", quantize: false", "")
    )
    assert plain.training_s < eight.training_s < 1.25 * plain.training_s
    assert eight.memory is not None
    assert plain.memory is not None
    assert eight.memory.weights_bytes < 0.7 * plain.memory.weights_bytes
