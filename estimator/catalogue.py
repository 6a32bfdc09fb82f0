"""Every catalogued fact by name: reads the data files, each once and only when asked for."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from estimator.accelerators import NOISE, accelerator_entry, accelerator_names, source_table
from estimator.entries import AcceleratorEntry, Match
from estimator.files import AcceleratorFile, ModelFile, ModelRow
from estimator.model import Transformer
from estimator.names import NameIndex, name_index
from estimator.presets import NOISE as MODEL_NOISE
from estimator.presets import ModelEntry, model_entry, model_names

__all__ = ["accelerator", "accelerators", "data_version", "model", "transformer", "transformers"]

_DATA = Path(__file__).parent / "data"


def accelerator(name: str) -> Match[AcceleratorEntry]:
    """Return the accelerator that `name` means: an id, a full name or an alias, in any case and punctuation.

    Raises UnknownNameError with the nearest ids.
    """
    found = _accelerator_index().resolved(name)
    return Match(value=_accelerator_entries()[found.id], matched=found.matched, note=found.note)


@cache
def accelerators() -> tuple[AcceleratorEntry, ...]:
    """Return every accelerator, in the file's order: by vendor, then by age."""
    return tuple(_accelerator_entries().values())


def transformer(name: str) -> Match[Transformer]:
    """Return the transformer that `name` means: an id, a Hugging Face name or an alias, in any case and punctuation.

    Raises UnknownNameError with the nearest ids.
    """
    found = _model_index().resolved(name)
    return Match(value=model(found.id).transformer, matched=found.matched, note=found.note)


@cache
def model(model_id: str) -> ModelEntry:
    """Return everything known about the model with exactly this id."""
    return model_entry(_model_rows()[model_id])


@cache
def transformers() -> tuple[ModelEntry, ...]:
    """Return every model, in the file's order: by maker, then by age and size."""
    return tuple(model(model_id) for model_id in _model_rows())


@cache
def data_version() -> str:
    """Return a short hash of all data files: equal versions hold equal facts."""
    digest = hashlib.sha256()
    for path in sorted(_DATA.iterdir()):
        if path.suffix == ".json":
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _accelerator_file() -> AcceleratorFile:
    rows: AcceleratorFile = _loaded("accelerators.json")
    return rows


@cache
def _accelerator_index() -> NameIndex:
    return name_index("gpu", accelerator_names(_accelerator_file()["accelerators"]), NOISE)


@cache
def _accelerator_entries() -> dict[str, AcceleratorEntry]:
    rows = _accelerator_file()
    sources = source_table(rows["sources"])
    return {row["id"]: accelerator_entry(row, sources) for row in rows["accelerators"]}


@cache
def _model_file() -> ModelFile:
    rows: ModelFile = _loaded("models.json")
    return rows


@cache
def _model_rows() -> dict[str, ModelRow]:
    return {row["id"]: row for row in _model_file()["models"]}


@cache
def _model_index() -> NameIndex:
    rows = _model_file()
    return name_index("model", model_names(rows["models"], rows["ambiguous_aliases"]), MODEL_NOISE)


def _loaded(file_name: str) -> Any:  # noqa: ANN401 - the caller names the file's shape; validate() checks it
    return json.loads((_DATA / file_name).read_bytes())
