"""Faults of the file of data sets beside its shape: names that clash, numbers that contradict each other."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from estimator.base.names import normalised
from estimator.catalogue.datasets import (
    DATASET_FILLER,
    DatasetFile,
    DatasetRow,
    dataset_entry,
    dataset_names,
    dataset_rows,
)
from estimator.catalogue.shapes import ValueRow

__all__ = ["dataset_faults"]

_NUMBERS = frozenset({"samples", "tokens", "tokens_per_sample", "length_variation", "hours", "pixels", "text_tokens"})
_CONFIDENCES = frozenset({"read", "measured", "read-secondary", "derived", "remembered", "estimate"})
_MONTH = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])")
_CONSISTENT = 0.10
"""Share by which samples times mean may miss the tokens."""
_LARGEST = 1e15
_WIDEST_VARIATION = 10.0


def dataset_faults(file: DatasetFile) -> Iterator[str]:
    """Yield what is wrong with data/datasets.json beside its shape."""
    rows, listed = file["datasets"], file["sources"]
    counted = Counter(row["id"] for row in rows)
    yield from (f"datasets.json: {one} is listed twice" for one, count in counted.items() if count > 1)
    values = [value for row, part in dataset_rows(rows).values() for value in (part or row)["values"].values()]
    used = {key for value in values for key in value["sources"]}
    yield from (f"datasets.json: source {key} is listed and never used" for key in sorted(set(listed) - used))
    yield from (f"datasets.json: source {key} is not listed" for key in sorted(used - set(listed)))
    if used - set(listed):
        return
    keys: dict[str, set[str]] = {}
    for name in dataset_names(rows):
        keys.setdefault(normalised(name.text, DATASET_FILLER), set()).add(name.id)
    yield from (f"datasets.json: {key!r} names {', '.join(sorted(ids))}" for key, ids in keys.items() if len(ids) > 1)
    for row in rows:
        yield from (f"datasets.json: {row['id']}: {fault}" for fault in _row_faults(row))
    for dataset_id, (row, part) in dataset_rows(rows).items():
        entry = dataset_entry(dataset_id, row, part, listed)
        samples, tokens, mean = entry.samples, entry.tokens, entry.tokens_per_sample
        if samples and tokens and mean:
            product = samples * entry.rows_per_sample * mean
            if abs(product / tokens - 1.0) > _CONSISTENT:
                yield f"datasets.json: {dataset_id}: samples × mean are {product:.4g} tokens, not {tokens:.4g}"


def _row_faults(row: DatasetRow) -> Iterator[str]:
    if not _MONTH.fullmatch(row["date"]):
        yield f"date {row['date']!r}"
    for values in (row["values"], *(part["values"] for part in row.get("parts", ()))):
        if not values:
            yield "has no numbers"
        for name, value in values.items():
            yield from (f"{name} {fault}" for fault in _value_faults(name, value))
    has_tokens: Mapping[str, bool] = {name: name in row["values"] for name in ("tokens", "tokens_per_sample")}
    if any(has_tokens.values()) and not row.get("tokenizer"):
        yield "counts tokens, and does not say by what"


def _value_faults(name: str, value: ValueRow) -> Iterator[str]:
    most = _WIDEST_VARIATION if name == "length_variation" else _LARGEST
    if name not in _NUMBERS:
        yield "is no number that is known of a data set"
    if not math.isfinite(value["value"]) or not 0 < value["value"] <= most:
        yield f"is {value['value']}"
    if not value["sources"] or value["confidence"] not in _CONFIDENCES:
        yield "has no source or an unknown confidence"
