"""Names of fine-tunes and siblings of catalogued models, from data/finetunes.json."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.base.names import Name

__all__ = ["FinetuneFile", "FinetuneRow", "finetune_names"]

_SIZE = "{size}"


class FinetuneRow(TypedDict):
    """Names that stand for a base; `{size}` in a name is each key of `bases` in turn."""

    names: list[str]
    bases: dict[str, str]
    like: NotRequired[bool]
    """True for a model trained on its own that has the architecture of the base."""
    note: NotRequired[str]


class FinetuneFile(TypedDict):
    """data/finetunes.json."""

    format: int
    checked: str
    conventions: list[str]
    finetunes: list[FinetuneRow]


def finetune_names(rows: Iterable[FinetuneRow], model_names: Mapping[str, str]) -> Iterator[Name]:
    """Yield every name with what it is to its base, whose own name is looked up in `model_names` by id."""
    for row in rows:
        for size, base in row["bases"].items():
            relation = "of the architecture of" if row.get("like") else "a fine-tune of"
            said = f"{relation} {model_names[base]}"
            note = f"{said}; {row['note']}" if "note" in row else said
            yield from (Name(text=text.replace(_SIZE, size), id=base, note=note) for text in row["names"])
