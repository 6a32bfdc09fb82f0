"""Diffusion transformers of one stream that read pictures: DiT, PixArt, Sana.

Shapes are those of Diffusers' classes; the papers are named where each is read.
"""

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place, width_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.streams import (
    LATENT_SIDE,
    MODULATED,
    SINES,
    cross_look,
    output,
    patch_embedding,
    picture,
)
from estimator.models.huggingface.reading import Config
from estimator.models.mixers.placed import Flow, Linear, Place, Product
from estimator.models.mixers.placed_parts import (
    attention_products,
    cross_products,
    embedder,
    mlp_products,
    once,
    self_look,
)

__all__ = ["dit", "pixart", "sana", "transformer_2d"]

_PIXART_TEXT, _PIXART_SIGMA_TEXT = 120, 300
_SANA_TEXT = 300


def dit(config: Config) -> ConfiguredModel:
    """Read DiT (Peebles and Xie 2023): classes instead of text, and a time step embedded in each block."""
    reading = reading_of(
        config,
        {
            "num_attention_heads": 16,
            "attention_head_dim": 72,
            "in_channels": 4,
            "num_layers": 28,
            "sample_size": 32,
            "patch_size": 2,
            "num_embeds_ada_norm": 1000,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    channels = reading.whole("in_channels")
    side = reading.whole("sample_size") * LATENT_SIDE
    return denoiser(
        reading,
        media=picture(side, patch),
        blocks=layers,
        products=(
            patch_embedding(channels * patch * patch, width),
            *embedder("time_embedding", SINES, width, layers=layers),
            once("modulation", width, MODULATED * width, layers),
            *attention_products(width, width, layers, bias=reading.flag("attention_bias", default=True)),
            *mlp_products(width, 4 * width, layers),
            once("output_modulation", width, 2 * width),
            output(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=2 * layers),),
        looks=(self_look(heads, head_dim, layers),),
        own_vectors=0,
        # A row more than classes: none is given, for guidance.
        lookup=(reading.whole("num_embeds_ada_norm") + 1) * width * layers,
        conditioners=conditioners(vae=channels),
    )


def pixart(config: Config) -> ConfiguredModel:
    """Read PixArt-α and Σ (Chen et al. 2023, 2024): cross-attention to T5, one modulation shared by all blocks."""
    reading = reading_of(
        config,
        {
            "num_attention_heads": 16,
            "attention_head_dim": 72,
            "in_channels": 4,
            "num_layers": 28,
            "sample_size": 128,
            "patch_size": 2,
            "caption_channels": 4096,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    channels = reading.whole("in_channels")
    side = reading.whole("sample_size") * LATENT_SIDE
    sizes = reading.flag("use_additional_conditions", default=side == 1024)  # noqa: PLR2004 - as the class has it
    length = _PIXART_TEXT if sizes else _PIXART_SIGMA_TEXT
    text = text_place(length)
    third = width // 3
    conditions = (
        *embedder("resolution_embedding", SINES, third, at=Place(fixed=2.0)),
        *embedder("ratio_embedding", SINES, third),
    )
    return denoiser(
        reading,
        media=picture(side, patch),
        blocks=layers,
        products=(
            patch_embedding(channels * patch * patch, width),
            *embedder("time_embedding", SINES, width),
            *(conditions if sizes else ()),
            once("modulation", width, MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers),
            *cross_products(width, width, width, layers, keys=text),
            *mlp_products(width, 4 * width, layers),
            output(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(self_look(heads, head_dim, layers), cross_look(heads, head_dim, layers, text)),
        own_vectors=(MODULATED * layers + 2) * width,
        conditioners=conditioners(vae=channels, t5=length),
    )


def sana(config: Config) -> ConfiguredModel:
    """Read Sana (Xie et al. 2024): linear attention, and convolutions in its gated MLPs."""
    reading = reading_of(
        config,
        {
            "in_channels": 32,
            "num_attention_heads": 70,
            "attention_head_dim": 32,
            "num_layers": 20,
            "num_cross_attention_heads": 20,
            "cross_attention_head_dim": 112,
            "caption_channels": 2304,
            "sample_size": 32,
            "patch_size": 1,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    channels = reading.whole("in_channels")
    cross_heads, cross_dim = reading.whole("num_cross_attention_heads"), reading.whole("cross_attention_head_dim")
    inner = int(reading.number("mlp_ratio", 2.5) * width)
    side = reading.whole("sample_size") * 32
    text = text_place(_SANA_TEXT)
    return denoiser(
        reading,
        media=picture(side, patch, compression=32),
        blocks=layers,
        products=(
            patch_embedding(channels * patch * patch, width),
            *embedder("time_embedding", SINES, width),
            once("modulation", width, MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers, bias=reading.flag("attention_bias", default=False)),
            *cross_products(width, cross_heads * cross_dim, width, layers, keys=text),
            Product(name="mlp_up", inputs=width, outputs=2 * inner, layers=layers, writes="mlp", shard="column"),
            # One filter of three by three for each channel.
            Product(name="mlp_depth", inputs=9, outputs=2 * inner, layers=layers, taps=9, writes="mlp"),
            Product(name="mlp_down", inputs=inner, outputs=width, layers=layers, shard="row", bias=False),
            output(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(cross_look(cross_heads, cross_dim, layers, text),),
        linears=(Linear(heads=heads, head_dim=head_dim, layers=layers),),
        own_vectors=(MODULATED * layers + 3) * width,
        gated=True,
        conditioners=conditioners(gemma=_SANA_TEXT),
        notes=("its autoencoder is not counted: latents are kept by habit",),
    )


def transformer_2d(config: Config) -> ConfiguredModel:
    """Read DiT or PixArt as files of 2023 name them, told apart by how norms are modulated."""
    kind = config.get("norm_type")
    if kind == "ada_norm_single":
        return pixart(config)
    if kind == "ada_norm_zero":
        return dit(config)
    raise InvalidValueError(
        "hf_config.norm_type", kind, 'must be "ada_norm_zero" (DiT) or "ada_norm_single" (PixArt) in such a file'
    )
