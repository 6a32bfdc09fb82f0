"""Stacks of equal layers that read pictures, sounds or text both ways, as configurations of encoders describe them."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from estimator.base.errors import InvalidValueError, UnsupportedModelError
from estimator.models.feed_forward import Dense, Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config, Reading, entries, own_name
from estimator.models.media import Media
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower, Transformer
from estimator.models.vectors import VectorFacts, vector_parameters

__all__ = [
    "BIASED",
    "classes",
    "classifier",
    "configured",
    "head_class",
    "image_side",
    "linear_stack",
    "mlp_projections",
    "names_class",
    "patches_a_side",
    "refuse_untied",
    "stack",
    "transformed_classifier",
]

BIASED = VectorFacts(norm_vectors=2, query_bias=True, kv_bias=True, output_bias=True, mlp_bias=True)
"""Layer norms with shifts, and biases everywhere: BERT, ViT and what descends from them; a norm at the end."""
_USUAL_CLASSES = 2


def stack(
    *,
    name: str,
    hidden: int,
    layers: int,
    heads: int,
    ffn: int,
    facts: VectorFacts = BIASED,
    gated: bool = False,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    vocab: int = 0,
    causal: bool = False,
    mixers: tuple[Mixer, ...] = (),
    lookup: int = 0,
    besides: int = 0,
    window: int = 0,
    windowed_layers: int = 0,
    chunked: bool = False,
    towers: tuple[Tower, ...] = (),
    media: Media | None = None,
    native: int = 512,
    attention_layers: int | None = None,
    mlp_layers: int | None = None,
    experts: Experts | None = None,
    feed_forwards: tuple[Dense, ...] = (),
) -> Transformer:
    """Return a stack of equal layers with its vectors counted; `besides` are parameters that no rule here counts.

    `lookup` are tables of which a position reads a row: positions, token types, an embedding without an output.
    """
    if head_dim is None and hidden % heads:
        raise InvalidValueError("hf_config.num_attention_heads", heads, f"must divide the width, which is {hidden}")
    bare = Transformer(
        id="hf-config",
        name=name,
        n_layers=layers,
        hidden=hidden,
        ffn_hidden=ffn,
        gated_mlp=gated,
        n_heads=heads,
        n_kv_heads=kv_heads or heads,
        head_dim=head_dim or hidden // heads,
        vocab=vocab,
        tied_embeddings=True,
        causal=causal,
        mixers=mixers,
        lookup_parameters=lookup,
        sliding_window=window if windowed_layers else 0,
        windowed_layers=windowed_layers,
        chunked_window=chunked,
        attention_layers=attention_layers,
        mlp_layers=mlp_layers,
        experts=experts,
        feed_forwards=feed_forwards,
        towers=towers,
        media=media,
        native_sequence_length=native,
        source="hf_config",
    )
    return replace(bare, vector_parameters=vector_parameters(bare, facts) + besides)


def linear_stack(name: str, *projections: Mixer, besides: int = 0, lookup: int = 0, hidden: int = 1) -> Transformer:
    """Return a network of single matrices, or a mixer among them, as projectors are."""
    return stack(
        name=name,
        hidden=hidden,
        layers=1,
        heads=1,
        ffn=1,
        facts=VectorFacts(norms_per_layer=0, outer_norms=0),
        mixers=projections,
        besides=besides,
        lookup=lookup,
        attention_layers=0,
        mlp_layers=0,
    )


def mlp_projections(*widths: int, bias: bool = True, count: int = 1, rate: float = 1.0) -> tuple[Projection, ...]:
    """Return the matrices of an MLP through `widths`."""
    return tuple(
        Projection(name=f"projection_{place}", inputs=before, outputs=after, bias=bias, count=count, rate=rate)
        for place, (before, after) in enumerate(itertools.pairwise(widths))
    )


def configured(transformer: Transformer, config: Config, *notes: str) -> ConfiguredModel:
    """Return a model under the name that its configuration gives."""
    named = replace(transformer, name=own_name(config, transformer.name))
    return ConfiguredModel(transformer=named, vectors=VectorFacts(), notes=notes)


def names_class(config: Config, *words: str) -> bool:
    """Return whether the class that a configuration names holds one of `words`."""
    first = head_class(config, "")
    return any(word in first for word in words)


def head_class(config: Config, default: str) -> str:
    """Return the class that a configuration names; `default` where it names none."""
    names = entries(config.get("architectures"))
    return str(names[0]) if names else default


def classes(reading: Reading) -> int:
    """Return how many classes a classifier tells apart."""
    labels = reading.value("id2label")
    if isinstance(labels, Mapping) and labels:
        return len(cast("Config", labels))
    return reading.optional("num_labels", _USUAL_CLASSES, least=1)


def classifier(reading: Reading, inputs: int, *, positions: int, count: int = 1, norms: int = 0) -> Projection:
    """Return the classifier of one vector, `inputs` wide, of a picture, sound or text of so many positions."""
    return Projection(
        name="classifier",
        inputs=inputs,
        outputs=classes(reading),
        count=count,
        rate=1.0 / positions,
        norms=norms,
        part="logits",
    )


def transformed_classifier(reading: Reading, hidden: int, *, positions: int) -> tuple[Projection, Projection]:
    """Return the classifier of one vector of so many positions, behind a matrix of the head's own."""
    transform = Projection(name="transform", inputs=hidden, outputs=hidden, rate=1.0 / positions)
    return transform, classifier(reading, hidden, positions=positions)


def refuse_untied(reading: Reading) -> None:
    """Raise UnsupportedModelError where the output is said to be another matrix than the embedding."""
    if reading.value("tie_word_embeddings") is False:
        raise UnsupportedModelError(
            f"hf_config.tie_word_embeddings: false is not modelled here for {reading.model_type}, which ties them"
        )


def image_side(reading: Reading, key: str = "image_size") -> int:
    """Return a side in pixels, of a picture or a patch; width and height may be listed."""
    value = reading.value(key)
    if isinstance(value, list | tuple) and value:
        # As one number would be held to: the same bounds, and the same words.
        return replace(reading, config={key: value[0]}).whole(key)
    return reading.whole(key)


def patches_a_side(reading: Reading) -> int:
    """Return how many patches lie along a side of the picture that a tower is made for; at least one."""
    side, patch = image_side(reading), image_side(reading, "patch_size")
    if patch > side:
        raise InvalidValueError("hf_config.patch_size", patch, f"must be at most the image_size, which is {side}")
    return side // patch
