"""Diffusion transformers that read clips: Wan, LTX-Video, CogVideoX, HunyuanVideo.

Shapes are those of Diffusers' classes; the papers are named where each is read.
"""

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place, width_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.streams import (
    MODULATED,
    SINES,
    clip,
    cross_look,
    output,
    patch_embedding,
    streams,
)
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config
from estimator.models.mixers.placed import Flow, Place, Product
from estimator.models.mixers.placed_parts import (
    attention_products,
    cross_products,
    embedder,
    mlp_products,
    once,
    self_look,
)

__all__ = ["cogvideox", "hunyuan_video", "hunyuan_video_15", "ltx", "mochi", "wan"]

_WAN_TEXT, _WAN_PICTURE = 512, 257
"""Tokens of UMT5, padded, and patches of CLIP's picture with its class token."""
_LTX_TEXT, _HUNYUAN_TEXT, _MOCHI_TEXT = 128, 256, 256
_HUNYUAN_15 = (1000, 256, 729)
"""Tokens of Qwen2.5-VL and of ByT5, and patches of a picture, which is blank where none begins the clip."""
_COGVIDEO_15 = (1360, 768)
"""Width and height in pixels of the clips that CogVideoX 1.5 is made for, by its card."""
_GLYPHS = 2048
"""Width in which the spelling of texts is worked on."""


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
        patch_embedding(channels * volume, width),
        *embedder("time_embedding", reading.whole("freq_dim"), width),
        once("modulation", width, MODULATED * width),
        *embedder("caption", reading.whole("text_dim"), width, at=text),
        *attention_products(width, width, layers),
        *cross_products(width, width, width, layers, keys=text),
        *mlp_products(width, reading.whole("ffn_dim"), layers),
        output(width, outputs * volume),
    ]
    looks = [self_look(heads, head_dim, layers), cross_look(heads, head_dim, layers, text)]
    vectors = (norms + MODULATED) * layers * width + 2 * width
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
        looks.append(cross_look(heads, head_dim, layers, seen_picture))
        vectors += layers * width
    return denoiser(
        reading,
        media=clip(size[0], size[1], frames, patch=patch, tubelet=tubelet, compression=compression),
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
        media=clip(768, 512, 121, compression=32, frame_compression=8, patch=1),
        blocks=layers,
        products=(
            patch_embedding(reading.whole("in_channels"), width),
            *embedder("time_embedding", SINES, width),
            once("modulation", width, MODULATED * width),
            *embedder("caption", reading.whole("caption_channels"), width, at=text),
            *attention_products(width, width, layers),
            *cross_products(width, width, reading.whole("cross_attention_dim"), layers, keys=text),
            *mlp_products(width, 4 * width, layers),
            output(width, reading.whole("out_channels")),
        ),
        flows=(Flow(width=width, halves=3 * layers),),
        looks=(self_look(heads, head_dim, layers), cross_look(heads, head_dim, layers, text)),
        own_vectors=(4 + MODULATED) * layers * width + 2 * width,
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
    # What version 1.5 states is the largest clip that its positions reach, not the usual one.
    told = reading.whole("sample_width") * 8, reading.whole("sample_height") * 8
    across, down = _COGVIDEO_15 if tubelet else told
    return denoiser(
        reading,
        media=clip(
            across,
            down,
            reading.whole("sample_frames"),
            patch=patch,
            tubelet=max(tubelet, 1),
        ),
        blocks=layers,
        products=(
            patch_embedding(reading.whole("in_channels") * volume, width),
            Product(name="text_embedding", inputs=reading.whole("text_embed_dim"), outputs=width, at=text),
            *embedder("time_embedding", width, time),
            once("modulation", time, MODULATED * width, 2 * layers),
            *attention_products(width, width, layers, at=both),
            *mlp_products(width, 4 * width, layers, at=both),
            once("output_modulation", time, 2 * width),
            output(width, reading.whole("out_channels") * volume),
        ),
        flows=(Flow(width=width, halves=2 * layers, at=both),),
        looks=(self_look(heads, head_dim, layers, at=both),),
        own_vectors=(4 * width + 4 * head_dim) * layers + 4 * width,
        conditioners=conditioners(t5=length),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )


def hunyuan_video(config: Config) -> ConfiguredModel:
    """Read HunyuanVideo (Kong et al. 2024): FLUX's blocks on clips, text refined by two layers of its own."""
    reading = reading_of(
        config,
        {
            "in_channels": 16,
            "out_channels": 16,
            "num_attention_heads": 24,
            "attention_head_dim": 128,
            "num_layers": 20,
            "num_single_layers": 40,
            "num_refiner_layers": 2,
            "patch_size": 2,
            "patch_size_t": 1,
            "text_embed_dim": 4096,
            "pooled_projection_dim": 768,
        },
    )
    parts = streams(reading, text_place(_HUNYUAN_TEXT))
    width, text = parts.width, reading.whole("text_embed_dim")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    refined = reading.whole("num_refiner_layers")
    patch, tubelet = reading.whole("patch_size"), reading.whole("patch_size_t")
    volume = patch * patch * tubelet
    guided = reading.flag("guidance_embeds", default=True)
    return denoiser(
        reading,
        media=clip(1280, 720, 129, patch=patch, tubelet=tubelet),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=reading.whole("in_channels") * volume, outputs=width),
            *embedder("time_embedding", SINES, width, layers=2),
            *(embedder("guidance", SINES, width) if guided else ()),
            *embedder("pooled_text", reading.whole("pooled_projection_dim"), width),
            *embedder("mean_text", text, width),
            Product(name="text_embedding", inputs=text, outputs=width, at=parts.text),
            *attention_products(width, width, refined, at=parts.text, name="refiner_"),
            *mlp_products(width, 4 * width, refined, at=parts.text, name="refiner_"),
            once("refiner_modulation", width, 2 * width, refined),
            *parts.double(double, inner=4 * width),
            *parts.single(single, inner=4 * width),
            once("output_modulation", width, 2 * width),
            Product(name="output", inputs=width, outputs=reading.whole("out_channels") * volume),
        ),
        flows=(*parts.flows(double, single), Flow(width=width, halves=2 * refined, at=parts.text)),
        looks=(
            *parts.looks(double + single),
            self_look(parts.heads, parts.head_dim, refined, at=parts.text, name="refiner_attention"),
        ),
        own_vectors=(4 * double + 2 * single) * parts.head_dim + 4 * refined * width,
        conditioners=conditioners(llama=_HUNYUAN_TEXT, clip_l=True),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )


def hunyuan_video_15(config: Config) -> ConfiguredModel:
    """Read HunyuanVideo 1.5 (Tencent 2025): two streams throughout, text of two encoders, and a picture."""
    reading = reading_of(
        config,
        {
            "in_channels": 65,
            "out_channels": 32,
            "num_attention_heads": 16,
            "attention_head_dim": 128,
            "num_layers": 54,
            "num_refiner_layers": 2,
            "patch_size": 1,
            "patch_size_t": 1,
            "text_embed_dim": 3584,
            "text_embed_2_dim": 1472,
            "image_embed_dim": 1152,
        },
    )
    long, glyphs, seen_picture = (text_place(count) for count in _HUNYUAN_15)
    parts = streams(reading, text_place(sum(_HUNYUAN_15)))
    width, text, spelt = parts.width, reading.whole("text_embed_dim"), reading.whole("text_embed_2_dim")
    image = reading.whole("image_embed_dim")
    layers, refined = reading.whole("num_layers"), reading.whole("num_refiner_layers")
    patch, tubelet = reading.whole("patch_size"), reading.whole("patch_size_t")
    volume = patch * patch * tubelet
    return denoiser(
        reading,
        media=clip(848, 480, 121, patch=patch, tubelet=tubelet, compression=16),
        blocks=layers,
        products=(
            patch_embedding(reading.whole("in_channels") * volume, width),
            *embedder("time_embedding", SINES, width, layers=2),
            *embedder("mean_text", text, width),
            Product(name="text_embedding", inputs=text, outputs=width, at=long),
            *attention_products(width, width, refined, at=long, name="refiner_"),
            *mlp_products(width, 4 * width, refined, at=long, name="refiner_"),
            once("refiner_modulation", width, 2 * width, refined),
            *embedder("glyphs", spelt, _GLYPHS, at=glyphs),
            Product(name="glyphs_3", inputs=_GLYPHS, outputs=width, at=glyphs),
            *embedder("picture", image, image, width, at=seen_picture),
            *parts.double(layers, inner=4 * width),
            once("output_modulation", width, 2 * width),
            output(width, reading.whole("out_channels") * volume),
        ),
        flows=(*parts.flows(layers, 0), Flow(width=width, halves=2 * refined, at=long)),
        looks=(
            *parts.looks(layers),
            self_look(parts.heads, parts.head_dim, refined, at=long, name="refiner_attention"),
        ),
        own_vectors=4 * layers * parts.head_dim + 4 * refined * width + 2 * (spelt + image + width),
        lookup=3 * width,
        notes=("its text encoders and autoencoder are not counted: what they make is kept by habit",),
    )


def mochi(config: Config) -> ConfiguredModel:
    """Read Mochi 1 (Genmo 2024): two streams of unequal width, text the narrower."""
    reading = reading_of(
        config,
        {
            "patch_size": 2,
            "num_attention_heads": 24,
            "attention_head_dim": 128,
            "num_layers": 48,
            "pooled_projection_dim": 1536,
            "in_channels": 12,
            "text_embed_dim": 4096,
            "time_embed_dim": 256,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    narrow, source = reading.whole("pooled_projection_dim"), reading.whole("text_embed_dim")
    channels = reading.whole("in_channels")
    text = text_place(_MOCHI_TEXT)
    both = Place(share=1.0, fixed=text.fixed)
    return denoiser(
        reading,
        media=clip(848, 480, 163, patch=patch, frame_compression=6),
        blocks=layers,
        products=(
            patch_embedding(channels * patch * patch, width),
            *embedder("time_embedding", reading.whole("time_embed_dim"), width),
            Product(name="pooled_kv", inputs=source, outputs=2 * source, at=text),
            once("pooled_q", source, source),
            once("pooled_out", source, width),
            Product(name="text_embedding", inputs=source, outputs=narrow, at=text),
            once("modulation", width, 4 * width, layers),
            once("text_modulation", width, 4 * narrow, layers - 1),
            once("last_text_modulation", width, narrow),
            *attention_products(width, width, layers, bias=False),
            *attention_products(narrow, width, layers, at=text, bias=False, out_layers=layers - 1, name="text_"),
            *mlp_products(width, 8 * width // 3, layers, gated=True, bias=False),
            *mlp_products(narrow, 8 * narrow // 3, layers - 1, at=text, gated=True, bias=False, name="text_"),
            once("output_modulation", width, 2 * width),
            output(width, reading.optional("out_channels", channels, least=1) * patch * patch),
        ),
        flows=(Flow(width=width, halves=2 * layers), Flow(width=narrow, halves=2 * layers, at=text)),
        looks=(self_look(heads, head_dim, layers, at=both),),
        # Frequencies of positions in three dimensions are learned.
        own_vectors=4 * head_dim * layers + 3 * heads * (head_dim // 2),
        gated=True,
        conditioners=conditioners(t5=_MOCHI_TEXT),
        notes=("its autoencoder of clips is not counted: latents are kept by habit",),
    )
