"""Models that are read from a configuration, data/model_configs.json, each when it is asked for."""

from dataclasses import replace
from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.catalogue.models import ModelEntry, entry_of
from estimator.catalogue.shapes import ModelChoiceRow

__all__ = ["ModelConfigFile", "ModelConfigRow", "configured_entry"]


class ModelConfigRow(TypedDict):
    """One model with the keys of its publisher's configuration."""

    id: str
    name: str
    hugging_face_ids: list[str]
    aliases: list[str]
    config: dict[str, Any]
    published_parameters: int
    published_exact: bool
    source: str
    checked: str
    note: NotRequired[str]
    usual_text: NotRequired[int]
    """Tokens of text beside the pictures of a sample, where they are not those of an instruction set."""
    trained_length: NotRequired[int]
    """Tokens of a sequence in most of its pre-training, where its publisher made it for longer ones at the end."""


class ModelConfigFile(TypedDict):
    """data/model_configs.json."""

    format: int
    checked: str
    conventions: list[str]
    ambiguous_aliases: list[ModelChoiceRow]
    models: list[ModelConfigRow]


def configured_entry(row: ModelConfigRow) -> ModelEntry:
    """Return the model of one row, as the reader of its family reads its configuration."""
    # Most questions name a model of the other file: readers of families are for those that do not.
    from estimator.models.huggingface.config import configured_model

    configured = configured_model(row["config"])
    notes = (*configured.notes, row["note"]) if "note" in row else configured.notes
    named = replace(
        configured.transformer,
        id=row["id"],
        name=row["name"],
        source=row["source"],
        trained_sequence_length=row.get("trained_length"),
    )
    if "usual_text" in row and named.media is not None:
        named = replace(named, media=replace(named.media, usual_text=row["usual_text"]))
    return entry_of(row, named, configured.vectors, "; ".join(notes))
