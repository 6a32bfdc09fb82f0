"""Data sets by the names that people train on them under: how many samples and tokens, and how long a sample is."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NotRequired, get_args

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.base.names import Name
from estimator.catalogue.shapes import SourceRow, ValueRow

__all__ = [
    "DATASET_FILLER",
    "DATASET_KINDS",
    "DatasetEntry",
    "DatasetFile",
    "DatasetKind",
    "DatasetPartRow",
    "DatasetRow",
    "dataset_entry",
    "dataset_names",
    "dataset_rows",
]

DATASET_FILLER = frozenset({"corpus", "data", "dataset", "set", "sft", "split", "the", "train", "training"})
"""Words that tell no two of them apart."""
DatasetKind = Literal[
    "text", "instruction", "preference", "encoder-text", "image-text", "image-instruction", "image", "audio"
]
"""`text` is packed into full sequences, whatever its documents; of the others a sample is one row, or two where it is a
pair of answers. `encoder-text` is what encoders classify, or embed in pairs, and shorter than what is answered;
`image-text` has captions beside its pictures, `image-instruction` questions with their answers."""
DATASET_KINDS: tuple[DatasetKind, ...] = get_args(DatasetKind)
_BETWEEN = " "
_WHOLE = ""


class DatasetPartRow(TypedDict):
    """A part that has a name of its own."""

    name: str
    aliases: NotRequired[list[str]]
    tokenizer: NotRequired[str]
    values: dict[str, ValueRow]


class DatasetRow(TypedDict):
    """One data set; see `DatasetEntry`."""

    id: str
    name: str
    kind: DatasetKind
    date: str
    hugging_face_ids: list[str]
    aliases: list[str]
    tokenizer: NotRequired[str]
    values: dict[str, ValueRow]
    parts: NotRequired[list[DatasetPartRow]]
    note: NotRequired[str]


class DatasetFile(TypedDict):
    """data/datasets.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    datasets: list[DatasetRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEntry:
    """One data set, or a part of one that has a name of its own."""

    id: str
    """`fineweb-edu`; of a part `fineweb-edu 100BT`."""
    name: str
    kind: DatasetKind
    date: str
    """Year and month in which it was published."""
    samples: float | None
    """Documents, conversations, pairs of answers, images or utterances; None where nobody counted."""
    tokens: float | None
    """By `tokenizer`; None where it holds no text to speak of, or nobody counted."""
    tokens_per_sample: float | None
    """Mean; of a preference pair, of one prompt with one of its answers."""
    length_variation: float | None
    """Standard deviation of samples' lengths over their mean; None where nobody measured or judged it."""
    variation_measured: bool
    """Whether it was measured on its own samples, if only on a part of them."""
    hours: float | None
    """Of audio."""
    text_tokens: float | None
    """Mean of the text beside a sample's pictures; None where nobody counted, or it has no pictures."""
    pixels: int | None
    """A side of its pictures, where all are of one size."""
    tokenizer: str
    confidence: str
    """The least that any of its counts has: read, measured, read-secondary, derived, remembered, estimate."""
    sources: tuple[str, ...]
    """Titles and addresses of the documents that have the numbers, that of its tokens first."""
    note: str

    @property
    def rows_per_sample(self) -> int:
        """Sequences that a sample becomes: two of a pair of answers."""
        return 2 if self.kind == "preference" else 1


_TRUST = ("read", "measured", "read-secondary", "derived", "remembered", "estimate")
"""Confidences, the surest first."""
_COUNTS = ("tokens_per_sample", "tokens", "samples", "hours")
"""What an amount of data follows from, the least certain first."""
_NOTHING: ValueRow = {"value": 0.0, "confidence": "", "sources": []}
_CARRIED = ("tokens_per_sample", "length_variation")
"""What a part has in common with the whole, unless it says otherwise."""


def dataset_rows(rows: Iterable[DatasetRow]) -> dict[str, tuple[DatasetRow, DatasetPartRow | None]]:
    """Return every data set and every part of one by its id."""
    by_id: dict[str, tuple[DatasetRow, DatasetPartRow | None]] = {}
    for row in rows:
        by_id[row["id"]] = (row, None)
        for part in row.get("parts", ()):
            by_id[_part_id(row, part["name"])] = (row, part)
    return by_id


def dataset_names(rows: Iterable[DatasetRow]) -> Iterator[Name]:
    """Yield every name of every data set and part, the most exact first."""
    rows = tuple(rows)
    for row in rows:
        yield Name(text=row["id"], id=row["id"])
    for row in rows:
        whole = (row["name"], *row["hugging_face_ids"], *row["aliases"])
        whole += tuple(hub.rpartition("/")[2] for hub in row["hugging_face_ids"])
        yield from (Name(text=text, id=row["id"]) for text in whole)
        for part in row.get("parts", ()):
            own = (part["name"], *part.get("aliases", ()))
            yield from (
                Name(text=f"{text}{_BETWEEN}{suffix}", id=_part_id(row, part["name"]))
                for suffix in own
                for text in (row["id"], *whole)
            )


def dataset_entry(
    dataset_id: str, row: DatasetRow, part: DatasetPartRow | None, sources: Mapping[str, SourceRow]
) -> DatasetEntry:
    """Return the data set of one row, or its part; what it says of three numbers gives the one that is left out.

    tokens = samples · rows of a sample · tokens of a row
    """
    values = dict(row["values"])
    if part is not None:
        values = {key: value for key, value in values.items() if key in _CARRIED} | part["values"]
    number = MappingProxyType({key: value["value"] for key, value in values.items()})
    samples, tokens, mean = number.get("samples"), number.get("tokens"), number.get("tokens_per_sample")
    rows = 2 if row["kind"] == "preference" else 1
    if mean is None and samples and tokens:
        mean = tokens / (samples * rows)
    if tokens is None and samples and mean:
        tokens = samples * rows * mean
    if samples is None and tokens and mean:
        samples = tokens / (mean * rows)
    by_weight = sorted(values, key=lambda name: _COUNTS.index(name) if name in _COUNTS else len(_COUNTS))
    keys = dict.fromkeys(key for name in by_weight for key in values[name]["sources"])
    return DatasetEntry(
        id=dataset_id,
        name=row["name"] if part is None else f"{row['name']}, {part['name']}",
        kind=row["kind"],
        date=row["date"],
        samples=samples,
        tokens=tokens,
        tokens_per_sample=mean,
        length_variation=number.get("length_variation"),
        variation_measured=values.get("length_variation", _NOTHING)["confidence"] == "measured",
        hours=number.get("hours"),
        text_tokens=number.get("text_tokens"),
        pixels=round(number["pixels"]) if "pixels" in number else None,
        tokenizer=(part or row).get("tokenizer", row.get("tokenizer", "")),
        confidence=max((values[key]["confidence"] for key in _COUNTS if key in values), key=_TRUST.index),
        sources=tuple(_cited(sources[key]) for key in keys),
        note=row.get("note", "") if part is None else "",
    )


def _part_id(row: DatasetRow, name: str) -> str:
    return f"{row['id']}{_BETWEEN}{name}"


def _cited(source: SourceRow) -> str:
    return ", ".join(part for part in (source["title"], source.get("url", _WHOLE)) if part)
