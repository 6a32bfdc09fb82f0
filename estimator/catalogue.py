"""Every catalogued fact by name: reads the data files, each once and only when asked for."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from estimator.accelerators import NOISE, accelerator_entry, accelerator_names, source_table
from estimator.entries import AcceleratorEntry, Match
from estimator.files import AcceleratorFile
from estimator.names import NameIndex, name_index

__all__ = ["accelerator", "accelerators", "data_version"]

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


def _loaded(file_name: str) -> Any:  # noqa: ANN401 - the caller names the file's shape; validate() checks it
    return json.loads((_DATA / file_name).read_bytes())
