"""Networks whose parts work on positions of their own: what readers of denoisers and of pyramids share."""

from dataclasses import replace
from typing import cast

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.reading import Reading
from estimator.models.media import Media
from estimator.models.mixers.placed import Flow, Linear, Look, Placed, Product
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts, vector_parameters

__all__ = ["NO_VECTORS", "network", "whole_list"]

NO_VECTORS = VectorFacts(norm_vectors=0)
"""Such networks count what is outside their matrices themselves."""
_MOST_LISTED, _MOST = 4096, 1_000_000


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
    """Return a network that is one `Placed`, its vectors counted; the plain fields describe no layer of it."""
    inner = Placed(products=products, flows=flows, looks=looks, linears=linears, own_vectors=own_vectors, tokens=tokens)
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
