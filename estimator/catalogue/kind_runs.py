"""Published runs of models that are no decoders, as they are written, and the configurations that they name."""

import csv
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["kind_config", "kind_rows"]

_DATA = Path(__file__).resolve().parent / "data"


@cache
def kind_rows() -> tuple[Mapping[str, str], ...]:
    """Return the rows of data/runs_of_kinds.csv, in the file's order."""
    with (_DATA / "runs_of_kinds.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def kind_config(name: str) -> Mapping[str, object]:
    """Return the configuration that a row names."""
    config: Mapping[str, object] = json.loads((_DATA / "configs_of_kinds" / f"{name}.json").read_bytes())
    return config
