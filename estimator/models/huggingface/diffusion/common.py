"""What the readers of denoisers share: how a network is put together, and what stands in a configuration."""

from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.placed import NO_VECTORS, network
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.mixers.placed import Flow, Linear, Look, Place, Product
from estimator.models.transformer import Tower

__all__ = ["denoiser", "reading_of", "text_place", "width_of"]


def reading_of(config: Config, defaults: Config) -> Reading:
    """Return a configuration with the defaults of its class in Diffusers behind it."""
    return Reading(config=config, defaults=defaults, model_type=str(config.get("_class_name")))


def width_of(reading: Reading) -> tuple[int, int, int]:
    """Return heads, their width, and the model's."""
    heads, head_dim = reading.whole("num_attention_heads"), reading.whole("attention_head_dim")
    return heads, head_dim, heads * head_dim


def text_place(length: int) -> Place:
    """Return where text of `length` tokens stands."""
    return Place(fixed=float(length))


def denoiser(
    reading: Reading,
    *,
    media: Media,
    blocks: int,
    products: tuple[Product, ...],
    flows: tuple[Flow, ...],
    looks: tuple[Look, ...],
    own_vectors: int,
    linears: tuple[Linear, ...] = (),
    lookup: int = 0,
    gated: bool = False,
    conditioners: tuple[Tower, ...] = (),
    notes: tuple[str, ...] = (),
) -> ConfiguredModel:
    """Return a diffusion transformer of the width that its heads have."""
    heads, head_dim, hidden = width_of(reading)
    made = network(
        name=reading.model_type,
        hidden=hidden,
        head_dim=head_dim,
        heads=heads,
        blocks=blocks,
        products=products,
        flows=flows,
        tokens=seen(media, None).tokens,
        looks=looks,
        linears=linears,
        own_vectors=own_vectors,
        lookup=lookup,
        gated=gated,
        media=media,
        conditioners=conditioners,
    )
    return ConfiguredModel(transformer=made, vectors=NO_VECTORS, notes=notes)
