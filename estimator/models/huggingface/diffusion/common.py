"""What the readers of denoisers share: how a network is put together, and what stands in a configuration."""

from dataclasses import replace
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.diffusion.denoiser import Denoiser, Flow, Linear, Look, Place, Product
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.media import Media, seen
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts, vector_parameters

__all__ = ["NO_VECTORS", "denoiser", "network", "reading_of", "text_place", "whole_list", "width_of"]

NO_VECTORS = VectorFacts(norm_vectors=0)
"""Denoisers count what is outside their matrices themselves."""
_MOST_LISTED, _MOST = 4096, 1_000_000


def reading_of(config: Config, defaults: Config) -> Reading:
    """Return a configuration with the defaults of its class in Diffusers behind it."""
    return Reading(config=config, defaults=defaults, model_type=str(config.get("_class_name")))


def width_of(reading: Reading) -> tuple[int, int, int]:
    """Return heads, their width, and the model's."""
    heads, head_dim = reading.whole("num_attention_heads"), reading.whole("attention_head_dim")
    return heads, head_dim, heads * head_dim


def whole_list(reading: Reading, key: str, length: int | None = None, *, least: int = 1) -> tuple[int, ...]:
    """Return the whole numbers at `key`, one of them standing for `length` alike; none where it is left out.

    Raises InvalidValueError for another number of them, and for one below `least`.
    """
    value = reading.value(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        return (reading.whole(key, least=least),) * (length or 1)
    items = cast("list[object] | tuple[object, ...]", value)
    numbers = tuple(
        item for item in items if isinstance(item, int) and not isinstance(item, bool) and least <= item <= _MOST
    )
    if len(numbers) != len(items) or len(items) > _MOST_LISTED or (length is not None and len(items) != length):
        many = "" if length is None else f"{length} "
        raise InvalidValueError(f"hf_config.{key}", items, f"must be a list of {many}whole numbers from {least}")
    return numbers


def text_place(length: int) -> Place:
    """Return where text of `length` tokens stands."""
    return Place(fixed=float(length))


def network(
    *,
    name: str,
    hidden: int,
    head_dim: int,
    heads: int,
    blocks: int,
    products: tuple[Product, ...],
    flows: tuple[Flow, ...],
    tokens: float,
    looks: tuple[Look, ...] = (),
    linears: tuple[Linear, ...] = (),
    own_vectors: int = 0,
    lookup: int = 0,
    gated: bool = False,
    media: Media | None = None,
    conditioners: tuple[Tower, ...] = (),
) -> Transformer:
    """Return a network that is one denoiser, its vectors counted; the plain fields describe no layer of it."""
    inner = Denoiser(
        products=products, flows=flows, looks=looks, linears=linears, own_vectors=own_vectors, tokens=tokens
    )
    bare = Transformer(
        id="hf-config",
        name=name,
        n_layers=blocks,
        hidden=hidden,
        ffn_hidden=0,
        gated_mlp=gated,
        n_heads=heads,
        n_kv_heads=heads,
        head_dim=head_dim,
        vocab=0,
        tied_embeddings=True,
        causal=False,
        attention_layers=0,
        mlp_layers=0,
        mixers=(inner,),
        lookup_parameters=lookup,
        own_streams=True,
        conditioners=conditioners,
        media=media,
        native_sequence_length=max(1, round(tokens)),
        source="hf_config",
    )
    return replace(bare, vector_parameters=vector_parameters(bare, NO_VECTORS))


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
