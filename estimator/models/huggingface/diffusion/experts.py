"""Diffusion transformers whose MLPs are experts: HiDream. Shapes are those of Diffusers' classes."""

from dataclasses import replace

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.streams import MODULATED, SINES, picture, streams
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import LATENT, Flow, Place, Product
from estimator.models.mixers.placed_parts import attention_products, embedder, mlp_products, once

__all__ = ["hidream"]

_TEXT = 128
"""Tokens of either text encoder, as its pipeline asks of them."""
_WIDTHS = 256
"""What widths of MLPs are multiples of, two thirds of four times the model's."""


def hidream(config: Config) -> ConfiguredModel:
    """Read HiDream-I1 (Cai et al. 2025): blocks of two streams, then of one, the picture's MLPs experts.

    Text is T5's and the last of Llama's layers, and behind them, in each block, another of Llama's layers.
    """
    reading = reading_of(
        config,
        {
            "patch_size": 2,
            "in_channels": 16,
            "num_layers": 16,
            "num_single_layers": 32,
            "attention_head_dim": 128,
            "num_attention_heads": 20,
            "text_emb_dim": 2048,
            "caption_channels": [4096, 4096],
            "num_routed_experts": 4,
            "num_activated_experts": 2,
        },
    )
    parts = streams(reading, text_place(3 * _TEXT))
    width, patch, both = parts.width, reading.whole("patch_size"), parts.both
    channels = reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    t5, llama = whole_list(reading, "caption_channels", 2)
    text = text_place(_TEXT)
    return denoiser(
        reading,
        media=picture(1024, patch),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", SINES, width),
            *embedder("pooled_text", reading.whole("text_emb_dim"), width),
            Product(name="t5_embedding", inputs=t5, outputs=width, at=text, bias=False),
            Product(name="llama_embedding", inputs=llama, outputs=width, at=text, layers=double + single, bias=False),
            once("modulation", width, 2 * MODULATED * width, double),
            *attention_products(width, width, double),
            *attention_products(width, width, double, at=parts.text, name="text_"),
            *_experts(reading, width, double, at=LATENT),
            *mlp_products(width, _inner(4 * width), double, at=parts.text, gated=True, bias=False, name="text_"),
            once("single_modulation", width, MODULATED * width, single),
            *attention_products(width, width, single, at=both, name="single_"),
            *_experts(reading, width, single, at=both),
            once("output_modulation", width, 2 * width),
            Product(name="output", inputs=width, outputs=reading.whole("in_channels") * patch * patch),
        ),
        flows=(*parts.flows(double, 0), Flow(width=width, halves=2 * single, at=both)),
        looks=parts.looks(double + single),
        # Norms of queries and keys, as wide as all heads.
        own_vectors=(4 * double + 2 * single) * width,
        gated=True,
        conditioners=conditioners(clip_l=True, clip_g=True, t5=_TEXT, llama=_TEXT, vae=channels),
    )


def _inner(widened: int) -> int:
    """Return the width of a gated MLP that has as many weights as one without gates, `widened`."""
    return -(-(2 * widened // 3) // _WIDTHS) * _WIDTHS


def _experts(reading: Reading, width: int, layers: int, *, at: Place) -> tuple[Product, ...]:
    """Return MLPs of which each position visits some, beside one of half their width that all visit."""
    copies = reading.whole("num_routed_experts", least=0)
    if not copies:
        return mlp_products(width, _inner(4 * width), layers, at=at, gated=True, bias=False)
    visits = min(reading.whole("num_activated_experts"), copies)
    routed = mlp_products(width, _inner(4 * width), layers, at=at, gated=True, bias=False, name="expert_")
    return (
        *(replace(product, shard="expert", copies=copies, visits=visits) for product in routed),
        *mlp_products(width, _inner(2 * width), layers, at=at, gated=True, bias=False, name="shared_"),
        Product(name="router", inputs=width, outputs=copies, at=at, layers=layers, bias=False),
    )
