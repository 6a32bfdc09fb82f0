"""Texts of denoisers, as long as they are padded to: told in tokens_per_sample, or by a script's max_sequence_length.

Authority: diffusers' scripts for FLUX.1 and Stable Diffusion 3, whose `max_sequence_length` is T5's; its pipelines have
512 for FLUX.1, and 256 beside 77 of CLIP's for Stable Diffusion 3.
"""

from typing import Any

import pytest

from estimator.models.operations import MAIN
from estimator.models.workload import workload
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve

LATENT = 32 * 48
USUAL = {"flux.1-dev": 512, "sd-3.5-large": 256, "qwen-image": 256, "wan2.1-t2v-14b": 512}
TEXTS = {"flux.1-dev": 512, "sd-3.5-large": 333, "qwen-image": 256, "wan2.1-t2v-14b": 512}
"""With what of another encoder stands beside."""


def _run(model: str, **more: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    size = "512x768" if model != "wan2.1-t2v-14b" else "512x768x17"
    asked: dict[str, Any] = {"method": "lora", "samples": 1000, "framework": "diffusers", "image_size": size, **more}
    return resolve(Request(model=model, gpu="a100-sxm-80gb", n_gpus=1, **asked))


def _texts(run: Run) -> set[int]:
    """Return how many positions are not the latent's, of all products that see more than it or something else."""
    network, tokens = run.subject.transformer, run.sequence_length
    assert network is not None
    return {round(gemm.rate * tokens) for gemm in workload(network).gemms if gemm.group == MAIN}


@pytest.mark.parametrize("model", USUAL)
@pytest.mark.parametrize(
    "said", [{"tokens_per_sample": 77}, {"framework": "diffusers, max_sequence_length=77"}], ids=str
)
def test_a_text_is_as_long_as_it_is_said_to_be(model: str, said: dict[str, Any]) -> None:
    usual, told = _run(model), _run(model, **said)
    latent = usual.sequence_length
    shorter = TEXTS[model] - USUAL[model] + 77
    assert {TEXTS[model]} & _texts(usual)
    assert {shorter} & _texts(told)
    assert not {TEXTS[model], latent + TEXTS[model]} & _texts(told)
    assert next(each.value for each in told.assumptions if each.name == "text_tokens") == 77
    # Samples are counted in positions of the latent, as before.
    assert told.amount.tokens == usual.amount.tokens
    assert told.sequence_length == latent


@pytest.mark.parametrize(
    "said", [{"tokens_per_sample": 512}, {"sequence_length": LATENT}, {"tokens_per_sample": LATENT}]
)
def test_the_usual_text_and_the_latents_own_positions_change_nothing(said: dict[str, Any]) -> None:
    assert _run("flux.1-dev", **said).question == _run("flux.1-dev").question


@pytest.mark.parametrize(
    "script",
    [
        "train_dreambooth_lora_flux.py",
        "train_dreambooth_lora_sd3",
        "train_dreambooth_lora_sdxl.py",
        "train_dreambooth_flux",
        "train_text_to_image_lora_sdxl.py",
        "train_text_to_image.py",
        "train_controlnet_flux.py",
        "train_dreambooth_lora_qwen_image.py",
    ],
)
def test_scripts_of_diffusers_are_known_by_their_whole_name(script: str) -> None:
    plain, named = named_framework("diffusers"), named_framework(script)
    assert not named.not_understood
    assert (named.name, named.practice) == (plain.name, plain.practice)
