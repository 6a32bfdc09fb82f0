"""Diffusion transformers of two streams, text and picture, that attend to both together.

Esser et al. 2024 (Stable Diffusion 3), section 4; FLUX.1 adds blocks of one stream with attention and MLP side by side.
Shapes are those of Diffusers' classes of these names.
"""

from dataclasses import dataclass

from estimator.models.diffusion.denoiser import LATENT, Flow, Look, Place, Product
from estimator.models.diffusion.parts import attention_products, embedder, mlp_products, once, self_look
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion.common import (
    denoiser,
    reading_of,
    text_place,
    whole_list,
    width_of,
)
from estimator.models.huggingface.diffusion.conditioners import conditioners
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media

__all__ = ["auraflow", "flux", "flux2", "hunyuan_video", "lumina2", "qwen_image", "sd3"]

_SINES = 256
"""Sines and cosines that a time step becomes."""
_SD3_TEXT, _SD3_T5 = 333, 256
"""CLIP's 77 and T5's 256 tokens, one after the other."""
_FLUX_TEXT, _SCHNELL_TEXT, _QWEN_TEXT, _HUNYUAN_TEXT, _AURAFLOW_TEXT, _LUMINA_TEXT = 512, 256, 256, 256, 256, 256
_REGISTERS = 8
"""Learned tokens that AuraFlow's text begins with."""
_LATENT_SIDE = 8
"""Pixels a side of a latent of the usual autoencoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Blocks:
    """Widths of a stack of blocks of two streams, and then of one."""

    width: int
    heads: int
    head_dim: int
    text: Place

    @property
    def both(self) -> Place:
        """Text and picture as one sequence."""
        return Place(share=1.0, fixed=self.text.fixed)

    def double(
        self,
        layers: int,
        *,
        inner: int,
        gated: bool = False,
        bias: bool = True,
        modulated: bool = True,
        text_ends: bool = False,
    ) -> tuple[Product, ...]:
        """Return blocks in which each stream has weights of its own; in the last, text may only be looked at."""
        width = self.width
        going_on = layers - text_ends
        return (
            *((once("modulation", width, 6 * width, layers, bias=bias),) if modulated else ()),
            *((once("text_modulation", width, 6 * width, going_on, bias=bias),) if modulated else ()),
            *((once("last_text_modulation", width, 2 * width, bias=bias),) if text_ends else ()),
            *attention_products(width, width, layers, bias=bias, out_bias=bias),
            *attention_products(
                width,
                width,
                layers,
                at=self.text,
                bias=bias,
                out_bias=bias,
                out_layers=going_on,
                name="text_",
            ),
            *mlp_products(width, inner, layers, gated=gated, bias=bias),
            *mlp_products(width, inner, going_on, at=self.text, gated=gated, bias=bias, name="text_"),
        )

    def single(
        self, layers: int, *, inner: int, gated: bool = False, bias: bool = True, modulated: bool = True
    ) -> tuple[Product, ...]:
        """Return blocks of one stream, whose attention and MLP have one output matrix together."""
        width, both = self.width, self.both
        up = 2 * inner if gated else inner
        return (
            *((once("single_modulation", width, 3 * width, layers, bias=bias),) if modulated else ()),
            attention_products(width, width, layers, at=both, bias=bias, name="single_")[0],
            Product(
                name="single_mlp_up",
                inputs=width,
                outputs=up,
                at=both,
                layers=layers,
                shard="column",
                bias=bias,
                writes="mlp",
            ),
            Product(
                name="single_out",
                inputs=width + inner,
                outputs=width,
                at=both,
                layers=layers,
                shard="row",
                bias=bias,
            ),
        )

    def flows(self, double: int, single: int) -> tuple[Flow, ...]:
        """Return the residual streams."""
        return (
            Flow(width=self.width, halves=2 * double),
            Flow(width=self.width, halves=2 * double, at=self.text),
            # One norm, and one sum, where attention and MLP stand side by side.
            Flow(width=self.width, halves=single, at=self.both),
        )

    def looks(self, layers: int) -> tuple[Look, ...]:
        """Return attention over both streams together."""
        return (self_look(self.heads, self.head_dim, layers, at=self.both),)


def _picture(side: int, patch: int) -> Media:
    return Media(
        main=True, policy="resized", width=side, height=side, patch=patch, compression=_LATENT_SIDE, usual_text=0
    )


def _blocks(reading: Reading, text: Place) -> _Blocks:
    heads, head_dim, width = width_of(reading)
    return _Blocks(width=width, heads=heads, head_dim=head_dim, text=text)


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
    parts = _blocks(reading, text_place(_SD3_TEXT))
    width, layers, patch = parts.width, reading.whole("num_layers"), reading.whole("patch_size")
    channels = reading.whole("in_channels")
    twice = len(set(reading.items("dual_attention_layers")))
    normed = reading.value("qk_norm") is not None
    return denoiser(
        reading,
        media=_picture(1024, patch),
        blocks=layers,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", _SINES, width),
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
    parts = _blocks(reading, text_place(length))
    width, channels = parts.width, reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    return denoiser(
        reading,
        media=_picture(1024, 2),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels, outputs=width),
            *embedder("time_embedding", _SINES, width),
            *(embedder("guidance", _SINES, width) if guided else ()),
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
    parts = _blocks(reading, text_place(_FLUX_TEXT))
    width, channels = parts.width, reading.whole("in_channels")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    sines = reading.whole("timestep_guidance_channels")
    guided = reading.flag("guidance_embeds", default=True)
    ratio = reading.value("mlp_ratio")
    inner = int(width * (float(ratio) if isinstance(ratio, int | float) else 3.0))
    return denoiser(
        reading,
        media=_picture(1024, 2),
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
    parts = _blocks(reading, text_place(_QWEN_TEXT))
    width, layers, patch = parts.width, reading.whole("num_layers"), reading.whole("patch_size")
    text = reading.whole("joint_attention_dim")
    return denoiser(
        reading,
        media=_picture(1024, patch),
        blocks=layers,
        products=(
            Product(name="patch_embedding", inputs=reading.whole("in_channels"), outputs=width),
            *embedder("time_embedding", _SINES, width),
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
    parts = _blocks(reading, text_place(_HUNYUAN_TEXT))
    width, text = parts.width, reading.whole("text_embed_dim")
    double, single = reading.whole("num_layers", least=0), reading.whole("num_single_layers", least=0)
    refined = reading.whole("num_refiner_layers")
    patch, tubelet = reading.whole("patch_size"), reading.whole("patch_size_t")
    volume = patch * patch * tubelet
    guided = reading.flag("guidance_embeds", default=True)
    return denoiser(
        reading,
        media=Media(
            main=True,
            kind="clip",
            policy="resized",
            width=1280,
            height=720,
            frames=129,
            patch=patch,
            tubelet=tubelet,
            compression=_LATENT_SIDE,
            frame_compression=4,
            usual_text=0,
        ),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=reading.whole("in_channels") * volume, outputs=width),
            *embedder("time_embedding", _SINES, width, layers=2),
            *(embedder("guidance", _SINES, width) if guided else ()),
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
    parts = _blocks(reading, text)
    width, patch = parts.width, reading.whole("patch_size")
    double, single = reading.whole("num_mmdit_layers"), reading.whole("num_single_dit_layers")
    channels = reading.whole("in_channels")
    inner = -(-(8 * width // 3) // 256) * 256
    both = parts.both
    return denoiser(
        reading,
        media=_picture(1024, patch),
        blocks=double + single,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", _SINES, width),
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
        media=_picture(sides[0] * _LATENT_SIDE, patch),
        blocks=layers + 2 * refined,
        products=(
            Product(name="patch_embedding", inputs=channels * patch * patch, outputs=width),
            *embedder("time_embedding", _SINES, condition),
            Product(name="text_embedding", inputs=captions, outputs=width, at=text),
            once("modulation", condition, 4 * width, layers + refined),
            *(
                product
                for count, place, name in stacks
                for product in (
                    *attention_products(
                        width,
                        width,
                        count,
                        at=place,
                        kv=kv * head_dim,
                        bias=False,
                        out_bias=False,
                        name=name,
                    ),
                    *mlp_products(width, inner, count, at=place, gated=True, bias=False, name=name),
                )
            ),
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
