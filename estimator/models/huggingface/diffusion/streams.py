"""What several readers of denoisers share: blocks of two streams, embeddings of patches, sizes of pictures."""

from dataclasses import dataclass

from estimator.models.huggingface.diffusion.common import width_of
from estimator.models.huggingface.reading import Reading
from estimator.models.media import Media
from estimator.models.mixers.placed import LATENT, Flow, Look, Place, Product
from estimator.models.mixers.placed_parts import attention_products, mlp_products, once, self_look

__all__ = [
    "LATENT_SIDE",
    "MODULATED",
    "SINES",
    "Streams",
    "clip",
    "cross_look",
    "output",
    "patch_embedding",
    "picture",
    "streams",
]

SINES = 256
"""Sines and cosines that a time step becomes."""
MODULATED = 6
"""Shifts, scales and gates of attention and MLP (Peebles and Xie 2023, section 3.2)."""
LATENT_SIDE = 8
"""Pixels a side of a latent of the usual autoencoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Widths of a stack of blocks of two streams, and then of one (Esser et al. 2024, section 4)."""

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
        return (
            *((once("single_modulation", width, 3 * width, layers, bias=bias),) if modulated else ()),
            attention_products(width, width, layers, at=both, bias=bias, name="single_")[0],
            mlp_products(width, inner, layers, at=both, gated=gated, bias=bias, name="single_")[0],
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


def streams(reading: Reading, text: Place) -> Streams:
    """Return the streams of a network of the width that its heads have."""
    heads, head_dim, width = width_of(reading)
    return Streams(width=width, heads=heads, head_dim=head_dim, text=text)


def picture(side: int, patch: int, *, compression: int = LATENT_SIDE) -> Media:
    """Return how a network reads pictures that are usually `side` pixels wide and high."""
    return Media(
        main=True, policy="resized", width=side, height=side, patch=patch, compression=compression, usual_text=0
    )


def clip(
    width: int,
    height: int,
    frames: int,
    *,
    patch: int,
    tubelet: int = 1,
    compression: int = LATENT_SIDE,
    frame_compression: int = 4,
) -> Media:
    """Return how a network reads clips that are usually of that size."""
    return Media(
        main=True,
        kind="clip",
        policy="resized",
        width=width,
        height=height,
        frames=frames,
        patch=patch,
        tubelet=tubelet,
        compression=compression,
        frame_compression=frame_compression,
        usual_text=0,
    )


def patch_embedding(inputs: int, width: int, *, bias: bool = True) -> Product:
    """Return what embeds the latents of a patch."""
    return Product(name="patch_embedding", inputs=inputs, outputs=width, bias=bias)


def output(width: int, outputs: int, *, bias: bool = True) -> Product:
    """Return what makes a patch of latents again."""
    return Product(name="output", inputs=width, outputs=outputs, bias=bias)


def cross_look(
    heads: int, head_dim: int, layers: int, keys: Place, *, at: Place = LATENT, kv_heads: int | None = None
) -> Look:
    """Return the attention of the positions at a place to what lies at `keys`."""
    return Look(
        name="cross_attention", heads=heads, head_dim=head_dim, layers=layers, at=at, keys=keys, kv_heads=kv_heads
    )
