"""Diffusion transformers of one stream: DiT, PixArt, Sana, Wan, LTX-Video, CogVideoX.

Shapes are those of Diffusers' classes of these names; the papers are named where each is read.
"""

from estimator.models.diffusion.denoiser import Flow, Linear, Look, Place, Product
from estimator.models.diffusion.parts import (
    attention_products,
    cross_products,
    embedder,
    mlp_products,
    once,
    self_look,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place, whole_list, width_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.reading import Config
from estimator.models.media import Media

__all__ = ["cogvideox", "dit", "ltx", "pixart", "sana", "wan"]

_SINES = 256
"""Sines and cosines that a time step becomes."""
_PIXART_TEXT, _PIXART_SIGMA_TEXT = 120, 300
_SANA_TEXT = 300
_WAN_TEXT, _WAN_PICTURE = 512, 257
"""Tokens of UMT5, padded, and patches of CLIP's picture with its class token."""
_LTX_TEXT = 128
_MODULATED = 6
"""Shifts, scales and gates of attention and MLP (Peebles and Xie 2023, section 3.2)."""


def _patch(inputs: int, width: int, *, bias: bool = True) -> Product:
    return Product(name="patch_embedding", inputs=inputs, outputs=width, bias=bias)


def _unpatch(width: int, outputs: int, *, bias: bool = True) -> Product:
    return Product(name="output", inputs=width, outputs=outputs, bias=bias)


def _cross_look(heads: int, head_dim: int, layers: int, keys: Place) -> Look:
    return Look(name="cross_attention", heads=heads, head_dim=head_dim, layers=layers, keys=keys)


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
    side = reading.whole("sample_size") * 8
    return denoiser(
        reading,
        media=Media(main=True, policy="resized", width=side, height=side, patch=patch, compression=8, usual_text=0),
        blocks=layers,
        products=(
            _patch(channels * patch * patch, width),
            *embedder("time_embedding", _SINES, width, layers=layers),
            once("modulation", width, _MODULATED * width, layers),
            *attention_products(width, width, layers, bias=reading.flag("attention_bias", default=True)),
            *mlp_products(width, 4 * width, layers),
            once("output_modulation", width, 2 * width),
            _unpatch(width, reading.optional("out_channels", channels, least=1) * patch * patch),
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
    side = reading.whole("sample_size") * 8
    sizes = reading.flag("use_additional_conditions", default=side == 1024)  # noqa: PLR2004 - as the class has it
    length = _PIXART_TEXT if sizes else _PIXART_SIGMA_TEXT
    text = text_place(length)
    third = width // 3
    conditions = (
        *embedder("resolution_embedding", _SINES, third, at=Place(fixed=2.0)),
        *embedder("ratio_embedding", _SINES, third),
    )
    return denoiser(
        reading,
        media=Media(main=True, policy="resized", width=side, height=side, patch=patch, compression=8, usual_text=0),
        blocks=layers,
        products=(
            _patch(channels * patch * patch, width),
            *embedder("time_embedding", _SINES, width),
            *(conditions if sizes else ()),
            once("modulation", width, _MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers),
            *cross_products(width, width, width, layers, keys=text),
            *mlp_products(width, 4 * width, layers),
            _unpatch(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(self_look(heads, head_dim, layers), _cross_look(heads, head_dim, layers, text)),
        own_vectors=(_MODULATED * layers + 2) * width,
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
    ratio = reading.value("mlp_ratio")
    inner = int((float(ratio) if isinstance(ratio, int | float) else 2.5) * width)
    side = reading.whole("sample_size") * 32
    text = text_place(_SANA_TEXT)
    return denoiser(
        reading,
        media=Media(main=True, policy="resized", width=side, height=side, patch=patch, compression=32, usual_text=0),
        blocks=layers,
        products=(
            _patch(channels * patch * patch, width),
            *embedder("time_embedding", _SINES, width),
            once("modulation", width, _MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers, bias=reading.flag("attention_bias", default=False)),
            *cross_products(width, cross_heads * cross_dim, width, layers, keys=text),
            Product(name="mlp_up", inputs=width, outputs=2 * inner, layers=layers, writes="mlp", shard="column"),
            # One filter of three by three for each channel.
            Product(name="mlp_depth", inputs=9, outputs=2 * inner, layers=layers, taps=9, writes="mlp"),
            Product(name="mlp_down", inputs=inner, outputs=width, layers=layers, shard="row", bias=False),
            _unpatch(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(_cross_look(cross_heads, cross_dim, layers, text),),
        linears=(Linear(heads=heads, head_dim=head_dim, layers=layers),),
        own_vectors=(_MODULATED * layers + 3) * width,
        gated=True,
        conditioners=conditioners(gemma=_SANA_TEXT),
        notes=("its autoencoder is not counted: latents are kept by habit",),
    )


def wan(config: Config) -> ConfiguredModel:
    """Read Wan 2.1 and 2.2 (Wan team 2025): clips, cross-attention to UMT5, and to a picture where one begins them."""
    reading = reading_of(
        config,
        {
            "num_attention_heads": 40,
            "attention_head_dim": 128,
            "in_channels": 16,
            "out_channels": 16,
            "text_dim": 4096,
            "freq_dim": 256,
            "ffn_dim": 13824,
            "num_layers": 40,
            "patch_size": [1, 2, 2],
            "qk_norm": "rms_norm_across_heads",
        },
    )
    heads, head_dim, width = width_of(reading)
    layers = reading.whole("num_layers")
    tubelet, patch, across = whole_list(reading, "patch_size", 3)
    volume = tubelet * patch * across
    channels, outputs = reading.whole("in_channels"), reading.whole("out_channels")
    picture = reading.optional("image_dim", 0)
    added = reading.optional("added_kv_proj_dim", 0)
    text, seen_picture = text_place(_WAN_TEXT), text_place(_WAN_PICTURE)
    # The autoencoder of 48 channels has 16 pixels a side to a latent (Wan 2.2, TI2V-5B).
    compression = 16 if outputs == 48 else 8  # noqa: PLR2004 - channels of that autoencoder
    size = (1280, 704) if compression > 8 else (832, 480)  # noqa: PLR2004 - pixels a side of the other's
    frames = 121 if compression > 8 else 81  # noqa: PLR2004 - likewise
    norms = 4 if reading.value("qk_norm") else 0
    products = [
        _patch(channels * volume, width),
        *embedder("time_embedding", reading.whole("freq_dim"), width),
        once("modulation", width, _MODULATED * width),
        *embedder("caption", reading.whole("text_dim"), width, at=text),
        *attention_products(width, width, layers),
        *cross_products(width, width, width, layers, keys=text),
        *mlp_products(width, reading.whole("ffn_dim"), layers),
        _unpatch(width, outputs * volume),
    ]
    looks = [self_look(heads, head_dim, layers), _cross_look(heads, head_dim, layers, text)]
    vectors = (norms + _MODULATED) * layers * width + 2 * width
    if reading.flag("cross_attn_norm", default=True):
        vectors += 2 * layers * width
    if picture:
        products += [
            Product(name="picture_1", inputs=picture, outputs=picture, at=seen_picture),
            Product(name="picture_2", inputs=picture, outputs=width, at=seen_picture),
        ]
        vectors += 2 * picture + 2 * width
    if added:
        products.append(
            Product(
                name="picture_kv",
                inputs=added,
                outputs=2 * width,
                at=seen_picture,
                layers=layers,
                part="attention",
                fused=(width, width),
                writes="heads",
            )
        )
        looks.append(_cross_look(heads, head_dim, layers, seen_picture))
        vectors += layers * width
    return denoiser(
        reading,
        media=Media(
            main=True,
            kind="clip",
            policy="resized",
            width=size[0],
            height=size[1],
            frames=frames,
            patch=patch,
            tubelet=tubelet,
            compression=compression,
            frame_compression=4,
            usual_text=0,
        ),
        blocks=layers,
        products=tuple(products),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=tuple(looks),
        own_vectors=vectors,
        conditioners=conditioners(umt5=_WAN_TEXT),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )


def ltx(config: Config) -> ConfiguredModel:
    """Read LTX-Video (HaCohen et al. 2024): clips of few positions, 32 pixels a side and 8 frames each."""
    reading = reading_of(
        config,
        {
            "in_channels": 128,
            "out_channels": 128,
            "num_attention_heads": 32,
            "attention_head_dim": 64,
            "cross_attention_dim": 2048,
            "num_layers": 28,
            "caption_channels": 4096,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers = reading.whole("num_layers")
    text = text_place(_LTX_TEXT)
    return denoiser(
        reading,
        media=Media(
            main=True,
            kind="clip",
            policy="resized",
            width=768,
            height=512,
            frames=121,
            compression=32,
            frame_compression=8,
            usual_text=0,
        ),
        blocks=layers,
        products=(
            _patch(reading.whole("in_channels"), width),
            *embedder("time_embedding", _SINES, width),
            once("modulation", width, _MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers),
            *cross_products(width, width, reading.whole("cross_attention_dim"), layers, keys=text),
            *mlp_products(width, 4 * width, layers),
            _unpatch(width, reading.whole("out_channels")),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(self_look(heads, head_dim, layers), _cross_look(heads, head_dim, layers, text)),
        own_vectors=(4 + _MODULATED) * layers * width + 2 * width,
        conditioners=conditioners(t5=_LTX_TEXT),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )


def cogvideox(config: Config) -> ConfiguredModel:
    """Read CogVideoX (Yang et al. 2024): text and clip in one sequence, with the same weights."""
    reading = reading_of(
        config,
        {
            "num_attention_heads": 30,
            "attention_head_dim": 64,
            "in_channels": 16,
            "out_channels": 16,
            "time_embed_dim": 512,
            "text_embed_dim": 4096,
            "num_layers": 30,
            "sample_width": 90,
            "sample_height": 60,
            "sample_frames": 49,
            "patch_size": 2,
            "max_text_seq_length": 226,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    tubelet = reading.optional("patch_size_t", 0)
    volume = patch * patch * max(tubelet, 1)
    time, length = reading.whole("time_embed_dim"), reading.whole("max_text_seq_length")
    text, both = text_place(length), Place(share=1.0, fixed=float(length))
    return denoiser(
        reading,
        media=Media(
            main=True,
            kind="clip",
            policy="resized",
            width=reading.whole("sample_width") * 8,
            height=reading.whole("sample_height") * 8,
            frames=reading.whole("sample_frames"),
            patch=patch,
            tubelet=max(tubelet, 1),
            compression=8,
            frame_compression=4,
            usual_text=0,
        ),
        blocks=layers,
        products=(
            _patch(reading.whole("in_channels") * volume, width),
            Product(name="text_embedding", inputs=reading.whole("text_embed_dim"), outputs=width, at=text),
            *embedder("time_embedding", width, time),
            once("modulation", time, _MODULATED * width, 2 * layers),
            *attention_products(width, width, layers, at=both),
            *mlp_products(width, 4 * width, layers, at=both),
            once("output_modulation", time, 2 * width),
            _unpatch(width, reading.whole("out_channels") * volume),
        ),
        flows=(Flow(width=width, halves=2 * layers, at=both),),
        looks=(self_look(heads, head_dim, layers, at=both),),
        own_vectors=(4 * width + 4 * head_dim) * layers + 4 * width,
        conditioners=conditioners(t5=length),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )
