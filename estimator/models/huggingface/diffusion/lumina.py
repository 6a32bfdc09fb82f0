"""Diffusion transformers of one stream over text and picture: Lumina-Image 2.0, Z-Image, CogView4.

Shapes are those of Diffusers' classes.
"""

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import denoiser, reading_of, text_place, width_of
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.diffusion.streams import (
    LATENT_SIDE,
    MODULATED,
    SINES,
    output,
    patch_embedding,
    picture,
)
from estimator.models.huggingface.placed import whole_list
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import LATENT, Flow, Place, Product
from estimator.models.mixers.placed_parts import (
    attention_products,
    embedder,
    mlp_products,
    once,
    self_look,
)

__all__ = ["cogview4", "lumina2", "z_image"]

_LUMINA_TEXT, _Z_TEXT, _COGVIEW_TEXT = 256, 256, 256


def _one_stream(width: int, stacks: tuple[tuple[int, Place, str], ...], *, kv: int, inner: int) -> tuple[Product, ...]:
    """Return stacks of equal layers without biases, gated MLPs in them, each so many layers at its place."""
    return tuple(
        product
        for layers, at, name in stacks
        for product in (
            *attention_products(width, width, layers, at=at, kv=kv, bias=False, out_bias=False, name=name),
            *mlp_products(width, inner, layers, at=at, gated=True, bias=False, name=name),
        )
    )


def lumina2(config: Config) -> ConfiguredModel:
    """Read Lumina-Image 2.0 (Qin et al. 2025): one stream with grouped queries, two refiners before it."""
    reading = reading_of(
        config,
        {
            "sample_size": 128,
            "patch_size": 2,
            "in_channels": 16,
            "hidden_size": 2304,
            "num_layers": 26,
            "num_refiner_layers": 2,
            "num_attention_heads": 24,
            "num_kv_heads": 8,
            "multiple_of": 256,
            "cap_feat_dim": 1024,
        },
    )
    width, heads = reading.whole("hidden_size"), reading.whole("num_attention_heads")
    head_dim = width // heads
    reading = Reading(
        config={**config, "attention_head_dim": head_dim}, defaults=reading.defaults, model_type=reading.model_type
    )
    kv = reading.whole("num_kv_heads")
    layers, refined = reading.whole("num_layers"), reading.whole("num_refiner_layers")
    patch, channels = reading.whole("patch_size"), reading.whole("in_channels")
    condition, captions = min(width, 1024), reading.whole("cap_feat_dim")
    multiple = reading.whole("multiple_of")
    inner = -(-(4 * width) // multiple) * multiple
    text = text_place(_LUMINA_TEXT)
    both = Place(share=1.0, fixed=text.fixed)
    stacks = ((layers, both, ""), (refined, LATENT, "noise_"), (refined, text, "text_"))
    sides = whole_list(reading, "sample_size", 1)
    return denoiser(
        reading,
        media=picture(sides[0] * LATENT_SIDE, patch),
        blocks=layers + 2 * refined,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", SINES, condition),
            Product(name="text_embedding", inputs=captions, outputs=width, at=text),
            once("modulation", condition, 4 * width, layers + refined),
            *_one_stream(width, stacks, kv=kv * head_dim, inner=inner),
            once("output_modulation", condition, width),
            Product(
                name="output",
                inputs=width,
                outputs=reading.optional("out_channels", channels, least=1) * patch * patch,
            ),
        ),
        flows=tuple(Flow(width=width, halves=2 * count, at=place) for count, place, _ in stacks),
        looks=tuple(
            self_look(heads, head_dim, count, at=place, name=f"{name}attention", kv_heads=kv)
            for count, place, name in stacks
        ),
        own_vectors=(2 * head_dim + 4 * width) * (layers + 2 * refined) + captions,
        gated=True,
        conditioners=conditioners(gemma=_LUMINA_TEXT, vae=channels),
    )


def z_image(config: Config) -> ConfiguredModel:
    """Read Z-Image (Tongyi 2025): refiners of noise and of text, then one stream; narrow modulations."""
    reading = reading_of(
        config,
        {
            "in_channels": 16,
            "dim": 3840,
            "n_layers": 30,
            "n_refiner_layers": 2,
            "n_heads": 30,
            "cap_feat_dim": 2560,
        },
    )
    width, heads = reading.whole("dim"), reading.whole("n_heads")
    head_dim = width // heads
    reading = Reading(
        config={**config, "num_attention_heads": heads, "attention_head_dim": head_dim},
        defaults=reading.defaults,
        model_type=reading.model_type,
    )
    kv = reading.optional("n_kv_heads", heads, least=1)
    layers, refined = reading.whole("n_layers"), reading.whole("n_refiner_layers")
    patch = (whole_list(reading, "all_patch_size") or (2,))[0]
    volume = patch * patch * reading.whole("in_channels")
    condition, captions = min(width, SINES), reading.whole("cap_feat_dim")
    text = text_place(_Z_TEXT)
    both = Place(share=1.0, fixed=text.fixed)
    stacks = ((layers, both, ""), (refined, LATENT, "noise_"), (refined, text, "text_"))
    return denoiser(
        reading,
        media=picture(1024, patch),
        blocks=layers + 2 * refined,
        products=(
            patch_embedding(volume, width),
            *embedder("time_embedding", SINES, 1024, condition),
            Product(name="text_embedding", inputs=captions, outputs=width, at=text),
            once("modulation", condition, 4 * width, layers + refined),
            *_one_stream(width, stacks, kv=kv * head_dim, inner=8 * width // 3),
            once("output_modulation", condition, width),
            output(width, volume),
        ),
        flows=tuple(Flow(width=width, halves=2 * count, at=place) for count, place, _ in stacks),
        looks=tuple(
            self_look(heads, head_dim, count, at=place, name=f"{name}attention", kv_heads=kv)
            for count, place, name in stacks
        ),
        # Learned tokens pad text and picture.
        own_vectors=(2 * head_dim + 4 * width) * (layers + 2 * refined) + captions + 2 * width,
        gated=True,
        notes=("its text encoder is not counted: what it makes is kept by habit",),
    )


def cogview4(config: Config) -> ConfiguredModel:
    """Read CogView4 (Zheng et al. 2024): text and picture in one sequence with the same weights, modulated apart."""
    reading = reading_of(
        config,
        {
            "patch_size": 2,
            "in_channels": 16,
            "out_channels": 16,
            "num_layers": 30,
            "attention_head_dim": 40,
            "num_attention_heads": 64,
            "text_embed_dim": 4096,
            "time_embed_dim": 512,
            "condition_dim": 256,
            "sample_size": 128,
        },
    )
    heads, head_dim, width = width_of(reading)
    layers, patch = reading.whole("num_layers"), reading.whole("patch_size")
    time = reading.whole("time_embed_dim")
    text = text_place(_COGVIEW_TEXT)
    both = Place(share=1.0, fixed=text.fixed)
    return denoiser(
        reading,
        media=picture(whole_list(reading, "sample_size", 1)[0] * LATENT_SIDE, patch),
        blocks=layers,
        products=(
            patch_embedding(reading.whole("in_channels") * patch * patch, width),
            Product(name="text_embedding", inputs=reading.whole("text_embed_dim"), outputs=width, at=text),
            *embedder("time_embedding", width, time),
            # Sizes before and after the crop, and where it lies: six numbers.
            *embedder("size_embedding", 6 * reading.whole("condition_dim"), time),
            once("modulation", time, 2 * MODULATED * width, layers),
            *attention_products(width, width, layers, at=both),
            *mlp_products(width, 4 * width, layers, at=both),
            once("output_modulation", time, 2 * width),
            output(width, reading.whole("out_channels") * patch * patch),
        ),
        flows=(Flow(width=width, halves=2 * layers, at=both),),
        looks=(self_look(heads, head_dim, layers, at=both),),
        own_vectors=0,
        conditioners=conditioners(vae=reading.whole("in_channels")),
        notes=("its text encoder is not counted: what it makes is kept by habit",),
    )
