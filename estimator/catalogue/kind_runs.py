"""Published runs of models that are no decoders, as they are written, and the configurations that they name."""

import csv
from collections.abc import Mapping
from functools import cache

from estimator.catalogue.files import DATA, loaded

__all__ = ["kind_config", "kind_rows"]


@cache
def kind_rows() -> tuple[Mapping[str, str], ...]:
    """Return the rows of data/runs_of_kinds.csv, in the file's order."""
    with (DATA / "runs_of_kinds.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def kind_config(name: str) -> Mapping[str, object]:
    """Return the configuration that a row names."""
    config: Mapping[str, object] = loaded(f"configs_of_kinds/{name}.json")
    return config
