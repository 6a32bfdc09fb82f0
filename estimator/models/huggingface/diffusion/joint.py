"""Diffusion transformers of two streams that read pictures: Stable Diffusion 3, FLUX, Qwen-Image, AuraFlow.

Shapes are those of Diffusers' classes.
"""

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.streams import (
    SINES,
    picture,
    streams,
)
from estimator.models.huggingface.reading import Config
from estimator.models.mixers.placed import Flow, Place, Product
from estimator.models.mixers.placed_parts import (
    attention_products,
    embedder,
    mlp_products,
    once,
    self_look,
)

__all__ = ["auraflow", "chroma", "flux", "flux2", "qwen_image", "sd3"]

_SD3_TEXT, _SD3_T5 = 333, 256
"""CLIP's 77 and T5's 256 tokens, one after the other."""
_FLUX_TEXT, _SCHNELL_TEXT, _QWEN_TEXT, _AURAFLOW_TEXT = 512, 256, 256, 256
_REGISTERS = 8
"""Learned tokens that AuraFlow's text begins with."""


def sd3(config: Config) -> ConfiguredModel:
    """Read Stable Diffusion 3 and 3.5 (Esser et al. 2024); 3.5 Medium's first blocks look at the picture once more."""
    reading = reading_of(
        config,
        {
            "sample_size": 128,
            "patch_size": 2,
            "in_channels": 16,
            "num_layers": 18,
            "attention_head_dim": 64,
            "num_attention_heads": 18,
            "joint_attention_dim": 4096,
            "pooled_projection_dim": 2048,
        },
    )
    parts = streams(reading, text_place(_SD3_TEXT))
    width, layers, patch = parts.width, reading.whole("num_layers"), reading.whole("patch_size")
    channels = reading.whole("in_channels")
    twice = len(set(reading.items("dual_attention_layers")))
    normed = reading.value("qk_norm") is not None
    return denoiser(
        reading,
        media=picture(1024, patch),
        blocks=layers,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", SINES, width),
            *embedder("pooled_text", reading.whole("pooled_projection_dim"), width),
            Product(name="text_embedding", inputs=reading.whole("joint_attention_dim"), outputs=width, at=parts.text),
            *parts.double(layers, inner=4 * width, text_ends=True),
            # Three more of shift, scale and gate.
            *((once("second_modulation", width, 3 * width, twice),) if twice else ()),
            *(attention_products(width, width, twice, name="second_") if twice else ()),
            once("output_modulation", width, 2 * width),
            Product(
                name="output",
                inputs=width,
                outputs=reading.optional("out_channels", channels, least=1) * patch * patch,
            ),
        ),
        flows=(*parts.flows(layers, 0), Flow(width=width, halves=twice)),
        looks=(
            *parts.looks(layers),
            *((self_look(parts.heads, parts.head_dim, twice, name="second_attention"),) if twice else ()),
        ),
        own_vectors=normed * (4 * layers + 2 * twice) * parts.head_dim,
        conditioners=conditioners(clip_l=True, clip_g=True, t5=_SD3_T5, vae=channels),
    )


def flux(config: Config) -> ConfiguredModel:
    """Read FLUX.1 (Black Forest Labs 2024): its latents are packed two by two before the transformer."""
    reading = reading_of(
        config,
        {
            "in_channels": 64,
            "num_layers": 19,
            "num_single_layers": 38,
            "attention_head_dim": 128,
            "num_attention_heads": 24,
            "joint_attention_dim": 4096,
            "pooled_projection_dim": 768,
        },
    )
    guided = reading.flag("guidance_embeds", default=False)
    # The model of few steps was distilled with shorter texts, and has no guidance.
    length = _FLUX_TEXT if guided else _SCHNELL_TEXT
    parts = streams(reading, text_place(length))
    width, channels = parts.width, reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    return denoiser(
        reading,
        media=picture(1024, 2),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels, outputs=width),
            *embedder("time_embedding", SINES, width),
            *(embedder("guidance", SINES, width) if guided else ()),
            *embedder("pooled_text", reading.whole("pooled_projection_dim"), width),
            Product(name="text_embedding", inputs=reading.whole("joint_attention_dim"), outputs=width, at=parts.text),
            *parts.double(double, inner=4 * width),
            *parts.single(single, inner=4 * width),
            once("output_modulation", width, 2 * width),
            Product(name="output", inputs=width, outputs=reading.optional("out_channels", channels, least=1)),
        ),
        flows=parts.flows(double, single),
        looks=parts.looks(double + single),
        own_vectors=(4 * double + 2 * single) * parts.head_dim,
        conditioners=conditioners(clip_l=True, t5=length, vae=channels // 4),
    )


def chroma(config: Config) -> ConfiguredModel:
    """Read Chroma (Lodestone Rock 2025): FLUX.1 with one MLP that makes the modulations of all blocks."""
    reading = reading_of(
        config,
        {
            "in_channels": 64,
            "num_layers": 19,
            "num_single_layers": 38,
            "attention_head_dim": 128,
            "num_attention_heads": 24,
            "joint_attention_dim": 4096,
            "approximator_num_channels": 64,
            "approximator_hidden_dim": 5120,
            "approximator_layers": 5,
        },
    )
    parts = streams(reading, text_place(_FLUX_TEXT))
    width, channels = parts.width, reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    inner, deep = reading.whole("approximator_hidden_dim"), reading.whole("approximator_layers")
    # A vector for each modulation: six of either stream of a block, three of a single one, and two of the output.
    made = Place(fixed=float(12 * double + 3 * single + 2))
    return denoiser(
        reading,
        media=picture(1024, 2),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels, outputs=width),
            Product(name="text_embedding", inputs=reading.whole("joint_attention_dim"), outputs=width, at=parts.text),
            once("modulation_in", reading.whole("approximator_num_channels"), inner, at=made),
            *embedder("modulation", inner, inner, layers=deep, at=made),
            once("modulation_out", inner, width, at=made),
            *parts.double(double, inner=4 * width, modulated=False),
            *parts.single(single, inner=4 * width, modulated=False),
            Product(name="output", inputs=width, outputs=reading.optional("out_channels", channels, least=1)),
        ),
        flows=parts.flows(double, single),
        looks=parts.looks(double + single),
        own_vectors=(4 * double + 2 * single) * parts.head_dim + deep * inner,
        conditioners=conditioners(t5=_FLUX_TEXT, vae=channels // 4),
    )


def flux2(config: Config) -> ConfiguredModel:
    """Read FLUX.2 (Black Forest Labs 2025): no biases, gated MLPs, and modulations that all blocks share."""
    reading = reading_of(
        config,
        {
            "in_channels": 128,
            "num_layers": 8,
            "num_single_layers": 48,
            "attention_head_dim": 128,
            "num_attention_heads": 48,
            "joint_attention_dim": 15360,
            "timestep_guidance_channels": 256,
        },
    )
    parts = streams(reading, text_place(_FLUX_TEXT))
    width, channels = parts.width, reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    sines = reading.whole("timestep_guidance_channels")
    guided = reading.flag("guidance_embeds", default=True)
    inner = int(width * reading.number("mlp_ratio", 3.0))
    return denoiser(
        reading,
        media=picture(1024, 2),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels, outputs=width, bias=False),
            *embedder("time_embedding", sines, width, bias=False),
            *(embedder("guidance", sines, width, bias=False) if guided else ()),
            Product(
                name="text_embedding",
                inputs=reading.whole("joint_attention_dim"),
                outputs=width,
                at=parts.text,
                bias=False,
            ),
            once("modulation", width, 6 * width, 2, bias=False),
            once("single_modulation", width, 3 * width, bias=False),
            *parts.double(double, inner=inner, gated=True, bias=False, modulated=False),
            *parts.single(single, inner=inner, gated=True, bias=False, modulated=False),
            once("output_modulation", width, 2 * width, bias=False),
            Product(
                name="output",
                inputs=width,
                outputs=reading.optional("out_channels", channels, least=1),
                bias=False,
            ),
        ),
        flows=parts.flows(double, single),
        looks=parts.looks(double + single),
        own_vectors=(4 * double + 2 * single) * parts.head_dim,
        gated=True,
        notes=("its text encoder and autoencoder are not counted: what they make is kept by habit",),
    )


def qwen_image(config: Config) -> ConfiguredModel:
    """Read Qwen-Image (Wu et al. 2025): two streams throughout, text from Qwen2.5-VL."""
    reading = reading_of(
        config,
        {
            "in_channels": 64,
            "out_channels": 16,
            "num_layers": 60,
            "attention_head_dim": 128,
            "num_attention_heads": 24,
            "joint_attention_dim": 3584,
            "patch_size": 2,
        },
    )
    parts = streams(reading, text_place(_QWEN_TEXT))
    width, layers, patch = parts.width, reading.whole("num_layers"), reading.whole("patch_size")
    text = reading.whole("joint_attention_dim")
    return denoiser(
        reading,
        media=picture(1024, patch),
        blocks=layers,
        products=(
            Product(name="patch_embedding", inputs=reading.whole("in_channels"), outputs=width),
            *embedder("time_embedding", SINES, width),
            Product(name="text_embedding", inputs=text, outputs=width, at=parts.text),
            *parts.double(layers, inner=4 * width),
            once("output_modulation", width, 2 * width),
            Product(name="output", inputs=width, outputs=reading.whole("out_channels") * patch * patch),
        ),
        flows=parts.flows(layers, 0),
        looks=parts.looks(layers),
        own_vectors=4 * layers * parts.head_dim + text,
        conditioners=conditioners(qwen=_QWEN_TEXT),
        notes=("its autoencoder is not counted: latents are kept by habit",),
    )


def auraflow(config: Config) -> ConfiguredModel:
    """Read AuraFlow (fal 2024): few blocks of two streams, many of one; no biases, learned positions and registers."""
    reading = reading_of(
        config,
        {
            "sample_size": 64,
            "patch_size": 2,
            "in_channels": 4,
            "num_mmdit_layers": 4,
            "num_single_dit_layers": 32,
            "attention_head_dim": 256,
            "num_attention_heads": 12,
            "joint_attention_dim": 2048,
            "out_channels": 4,
            "pos_embed_max_size": 1024,
        },
    )
    # Registers are text, too, once text is embedded.
    text = text_place(_AURAFLOW_TEXT + _REGISTERS)
    parts = streams(reading, text)
    width, patch = parts.width, reading.whole("patch_size")
    double, single = reading.whole("num_mmdit_layers"), reading.whole("num_single_dit_layers")
    channels = reading.whole("in_channels")
    inner = -(-(8 * width // 3) // 256) * 256
    both = parts.both
    return denoiser(
        reading,
        media=picture(1024, patch),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", SINES, width),
            Product(
                name="text_embedding",
                inputs=reading.whole("joint_attention_dim"),
                outputs=width,
                at=text_place(_AURAFLOW_TEXT),
                bias=False,
            ),
            *parts.double(double, inner=inner, gated=True, bias=False),
            once("single_modulation", width, 6 * width, single, bias=False),
            *attention_products(width, width, single, at=both, bias=False, out_bias=False, name="single_"),
            *mlp_products(width, inner, single, at=both, gated=True, bias=False, name="single_"),
            once("output_modulation", width, 2 * width, bias=False),
            Product(name="output", inputs=width, outputs=reading.whole("out_channels") * patch * patch, bias=False),
        ),
        flows=(*parts.flows(double, 0), Flow(width=width, halves=2 * single, at=both)),
        looks=parts.looks(double + single),
        own_vectors=0,
        lookup=(_REGISTERS + reading.whole("pos_embed_max_size")) * width,
        gated=True,
        conditioners=conditioners(pile_t5=_AURAFLOW_TEXT, vae=channels),
    )
