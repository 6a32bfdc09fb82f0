"""Turn rows of data/models.json into transformers, exact to the unit where their architecture is published."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from typing_extensions import TypedDict  # as in shapes

from estimator.base.names import Name
from estimator.catalogue.shapes import ArchitectureRow, ModelChoiceRow, ModelRow
from estimator.models.feed_forward import Experts
from estimator.models.mixers.softmax import LatentAttention
from estimator.models.transformer import Transformer
from estimator.models.vectors import VectorFacts, with_vectors

__all__ = ["MODEL_FILLER", "ModelEntry", "entry_of", "model_entry", "model_names"]

MODEL_FILLER = frozenset({"base", "chat", "hf", "instruct", "it", "model", "text"})
"""Words that tell no two architectures apart: a tuned model has the layers of its base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One catalogued architecture with everything the catalogue knows about it."""

    transformer: Transformer
    vectors: VectorFacts
    aliases: tuple[str, ...]
    hugging_face_ids: tuple[str, ...]
    published_parameters: int
    """As its publisher counts it; see `published_exact`."""
    published_exact: bool
    """True where the publisher's count is known to the unit, and then equals ours; False where it is rounded."""
    source: str
    checked: str
    """Day on which the facts were transcribed."""
    note: str = ""

    @property
    def id(self) -> str:
        """The catalogued id."""
        return self.transformer.id


class _Named(TypedDict):
    """What rows of both files have."""

    id: str
    name: str
    hugging_face_ids: list[str]
    aliases: list[str]


class _Known(_Named):
    """What rows of both files have beside an architecture."""

    published_parameters: int
    published_exact: bool
    source: str
    checked: str


def model_names(rows: Iterable[_Named], choices: Iterable[ModelChoiceRow]) -> Iterator[Name]:
    """Yield every name of every model, the most exact first: ids, full names, aliases, ambiguous ones, parts."""
    rows = tuple(rows)
    for row in rows:
        yield Name(text=row["id"], id=row["id"])
    for row in rows:
        yield from (Name(text=text, id=row["id"]) for text in (row["name"], *row["hugging_face_ids"], *row["aliases"]))
    for choice in choices:
        # Before names without their owner: `Qwen-7B` is the first Qwen's own, and is said of any.
        yield Name(text=choice["alias"], id=choice["id"], note=choice["note"])
    for row in rows:
        yield from (Name(text=hub.rpartition("/")[2], id=row["id"]) for hub in row["hugging_face_ids"])
    for row in rows:
        # `llama-3-1-8b`: a decimal point is often written as a hyphen where dots are not allowed.
        yield from (Name(text=text.replace(".", "-"), id=row["id"]) for text in (row["id"], *row["hugging_face_ids"]))


def model_entry(row: ModelRow) -> ModelEntry:
    """Return the model of one row, its vector parameters derived from its flags."""
    vectors = VectorFacts(**row["vectors"])
    bare = _transformer(row["id"], row["name"], row["architecture"], row["source"])
    if bare.experts is not None:
        bare = replace(bare, experts=replace(bare.experts, biased=vectors.expert_bias))
    whole = replace(with_vectors(bare, vectors), sinks=vectors.sinks)
    return entry_of(row, whole, vectors, row.get("note", ""))


def entry_of(row: _Known, transformer: Transformer, vectors: VectorFacts, note: str) -> ModelEntry:
    """Return a model with what its row says beside the architecture, in whichever file it stands."""
    return ModelEntry(
        transformer=transformer,
        vectors=vectors,
        aliases=tuple(row["aliases"]),
        hugging_face_ids=tuple(row["hugging_face_ids"]),
        published_parameters=row["published_parameters"],
        published_exact=row["published_exact"],
        source=row["source"],
        checked=row["checked"],
        note=note,
    )


def _transformer(model_id: str, name: str, facts: ArchitectureRow, source: str) -> Transformer:
    latent, experts = facts.get("latent"), facts.get("experts")
    return Transformer(
        id=model_id,
        name=name,
        n_layers=facts["n_layers"],
        hidden=facts["hidden"],
        ffn_hidden=facts["ffn_hidden"],
        gated_mlp=facts["gated_mlp"],
        n_heads=facts["n_heads"],
        n_kv_heads=facts["n_kv_heads"],
        head_dim=facts["head_dim"],
        vocab=facts["vocab"],
        tied_embeddings=facts["tied_embeddings"],
        latent=LatentAttention(**latent) if latent else None,
        experts=Experts(**experts) if experts else None,
        sliding_window=facts.get("sliding_window", 0),
        windowed_layers=facts.get("windowed_layers", 0),
        chunked_window=facts.get("chunked_window", False),
        soft_capped=facts.get("soft_capped", False),
        prediction_modules=facts.get("prediction_modules", 0),
        native_sequence_length=facts["native_sequence_length"],
        source=source,
    )
