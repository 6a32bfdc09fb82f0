"""Denoisers as Diffusers' configurations describe them, held to Diffusers' own classes."""

import json
from pathlib import Path
from typing import Any

import pytest

from estimator.models.diffusion.sample import with_conditioners, with_positions
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.huggingface.diffusion.vae import vae_encoder
from estimator.models.media import Picture, seen
from estimator.models.parameters import lora_parameters, parameter_counts
from estimator.models.passes import passes_of
from estimator.models.training import Method
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

PUBLISHED = Path(__file__).parents[2] / "published"
CONFIGS = PUBLISHED / "hf_configs" / "diffusion"
REFERENCE = json.loads((PUBLISHED / "reference_parameters.json").read_text())["models"]
FLOPS = json.loads((PUBLISHED / "torch_flops_diffusion.json").read_text())
NOT_READ = {"sdxl-vae"}
"""A VAE, of which the encoder alone is modelled."""
READ = sorted(path.stem for path in CONFIGS.glob("*.json") if path.stem not in NOT_READ)
TOLERANCE = 0.005
BACKWARD_TOLERANCE = 0.06


def _config(name: str) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((CONFIGS / f"{name}.json").read_text())
    return {key: value for key, value in config.items() if key != "_source"}


def _sized(config: dict[str, Any], size: tuple[int, int, int]) -> tuple[Transformer, float]:
    """Return a model for samples of that size, and the positions of one."""
    network = configured_model(config).transformer
    assert network.media is not None
    width, height, frames = size
    tokens = seen(network.media, Picture(width=width, height=height, frames=frames)).tokens
    return with_positions(network, tokens, width * height * frames), tokens


@pytest.mark.parametrize("name", READ)
def test_a_denoiser_has_the_parameters_of_its_class(name: str) -> None:
    """To the unit, as Diffusers makes it."""
    assert parameter_counts(configured_model(_config(name)).transformer).total == REFERENCE[name]["total"]


@pytest.mark.parametrize("name", sorted(FLOPS["models"]))
def test_a_denoiser_takes_the_flops_that_pytorch_counts(name: str) -> None:
    """Forward and backward of one small sample.

    Backward less near: gradients end at the first products and at what the last block makes of text, which counts for
    more where layers are three. The counter takes the depthwise gradients of Sana for dense ones.
    """
    row = FLOPS["models"][name]
    network, tokens = _sized(row["config"], tuple(row["size"]))
    assert parameter_counts(network).total == row["parameters"]
    counted = flop_counts(network, sequence_length=tokens)
    assert counted.forward * tokens == pytest.approx(row["forward_flop"], rel=TOLERANCE)
    if name != "Sana":
        assert counted.backward * tokens == pytest.approx(row["backward_flop"], rel=BACKWARD_TOLERANCE)


def test_the_encoder_of_a_vae_is_diffusers_own() -> None:
    """Weights to the unit, FLOPs as PyTorch counts them."""
    row = FLOPS["vae"]
    network = vae_encoder(row["latent_channels"])
    pixels = float(row["size"][0] * row["size"][1])
    assert parameter_counts(network).total == row["parameters"]
    counted = flop_counts(with_positions(network, pixels, pixels), sequence_length=pixels)
    assert counted.forward * pixels == pytest.approx(row["forward_flop"], rel=TOLERANCE)


@pytest.mark.parametrize("name", ["flux.1-dev", "sd-1.5-unet", "wan2.1-t2v-1.3b"])
def test_larger_pictures_take_more_positions_and_more_than_as_many_flops(name: str) -> None:
    """Attention grows with the square of the positions, products with their number."""
    small, few = _sized(_config(name), (512, 512, 1))
    large, many = _sized(_config(name), (1024, 1024, 1))
    assert many == 4 * few
    flops = [
        flop_counts(network, sequence_length=tokens).forward * tokens
        for network, tokens in ((small, few), (large, many))
    ]
    # FLUX.1's text does not grow with the picture.
    assert 3.0 < flops[1] / flops[0] < 16.0


def test_a_denoiser_takes_the_flops_its_paper_prints() -> None:
    """DiT-XL/2: 118.6 Gflops at 256 pixels, 524.6 at 512, multiplications and additions counted as one.

    Source: Peebles and Xie 2023, table 9 and section 5.1.
    """
    for name, printed in (("dit-xl-2-256", 118.64e9), ("dit-xl-2-512", 524.60e9)):
        side = int(name[-3:])
        network, tokens = _sized(_config(name), (side, side, 1))
        forward = flop_counts(network, sequence_length=tokens).forward * tokens
        assert forward / 2.0 == pytest.approx(printed, rel=0.01)


def test_encoders_run_forward_alone_where_nothing_is_kept() -> None:
    """A frozen text encoder and VAE add their forward pass, and no backward one."""
    network, tokens = _sized(_config("sdxl-base-unet"), (1024, 1024, 1))
    kept = flop_counts(with_conditioners(network, frozenset()), sequence_length=tokens)
    run = flop_counts(with_conditioners(network, frozenset({"text_encoder", "vae"})), sequence_length=tokens)
    assert run.backward == pytest.approx(kept.backward)
    # 4.9 TFLOPs of the VAE's encoder at 1024 pixels.
    assert 2e12 < (run.forward - kept.forward) * tokens < 6e12


def test_adapters_lie_beside_attention_alone() -> None:
    """Stable Diffusion 1.5 at rank 4: 797,184 parameters, as diffusers' script prints of to_q, to_k, to_v, to_out."""
    assert lora_parameters(configured_model(_config("sd-1.5-unet")).transformer, 4) == 797_184


@pytest.mark.parametrize(
    ("controlnet", "unet"), [("controlnet-sd-1.5", "sd-1.5-unet"), ("controlnet-sdxl", "sdxl-base-unet")]
)
def test_both_halves_of_the_frozen_unet_beside_a_controlnet_are_the_unet(controlnet: str, unet: str) -> None:
    """They run whether or not latents and texts are kept; gradients pass through the upper one alone."""
    whole = configured_model(_config(unet)).transformer
    tokens = whole.native_sequence_length
    network = with_conditioners(configured_model(_config(controlnet)).transformer, frozenset())
    halves = {tower.name: tower for tower in network.towers}
    assert set(halves) == {"unet_lower", "unet_upper"}
    counts = [flop_counts(half.network, sequence_length=tokens).forward for half in halves.values()]
    assert sum(counts) == pytest.approx(flop_counts(whole, sequence_length=tokens).forward)
    parameters = [parameter_counts(half.network).total for half in halves.values()]
    assert sum(parameters) == parameter_counts(whole).total
    plan = passes_of(workload(network), Method(name="full"))
    assert plan.of("unet_lower").input_gradient == 0.0
    assert plan.of("unet_upper").input_gradient == 1.0
    assert plan.of("unet_upper").weight_gradient == 0.0
