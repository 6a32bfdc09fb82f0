"""Read what people rent and buy as the accelerators in it: cloud instances, TPU slices, `8x H100`, a MacBook."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.base.names import Name, NameIndex, Resolved
from estimator.catalogue.shapes import SourceRow

__all__ = ["InstanceFile", "InstanceRow", "instance_names", "named_system"]

_LONGEST = 128
_COUNTED = re.compile(
    r"(?:gpu[_ ])?(?P<before>\d{1,5})\s*[x×*][\s_-]*(?P<device>\S.*)"
    r"|(?P<named>.*\S)\s*(?:[\s_-][x×*]\s?|:)(?P<after>\d{1,5})",
    re.IGNORECASE,
)
_SLICE = re.compile(r"(?:tpu[\s_-]*)?(?P<chip>v2|v3|v4|v5e|v5litepod|v5p|v6e|v7x|tpu7x|7x)-(?P<count>\d{1,5})")
_COUNTS_CORES = frozenset({"v2", "v3", "v4", "v5p"})
"""Generations whose slices are called by TensorCores, two a chip. Source: Google Cloud documentation."""
_COMPUTER = re.compile(r"\b(?:macbook(?:\s+(?:pro|air))?|mac\s+(?:studio|mini|pro)|imac)\b")
_APPLE_CHIP = re.compile(r"(?:apple\s+)?m\d\b.*")
_MEMORY = re.compile(r"\b\d+\s?gb?\b")


class InstanceRow(TypedDict):
    """Instances of one provider with the same accelerator, and how many each holds."""

    cloud: str
    accelerator_id: str
    source: str
    instances: dict[str, int]


class InstanceFile(TypedDict):
    """data/instances.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    instances: list[InstanceRow]


def instance_names(rows: Iterable[InstanceRow], accelerator_names: Mapping[str, str]) -> Iterator[Name]:
    """Yield the name of every instance, with what it holds; names of accelerators are looked up by id."""
    for row in rows:
        name = accelerator_names[row["accelerator_id"]]
        for text, count in row["instances"].items():
            note = f"{text} ({row['cloud']}) holds {count} {name}: n_gpus counts devices, not instances"
            for written in (text, text.removeprefix("Standard_"), f"ml.{text}"):
                yield Name(text=written, id=row["accelerator_id"], note=note, holds=count)


def named_system(given: str, accelerators: NameIndex) -> Resolved | None:
    """Return the accelerator in what `given` names with a count, as a slice or as a computer; None where it is none.

    A count in a name says nothing of the run's: `n_gpus` stays, and the note says so.
    """
    if len(given) > _LONGEST:
        return None
    text = " ".join(given.casefold().split())
    return _slice(text, accelerators) or _counted(text, accelerators) or _computer(text, accelerators)


def _slice(text: str, accelerators: NameIndex) -> Resolved | None:
    match = _SLICE.fullmatch(text.replace("_", "-"))
    found = accelerators.found(f"tpu {match['chip'].removeprefix('tpu')}") if match else None
    if match is None or found is None:
        return None
    chip, count = match["chip"], int(match["count"])
    held = f"{count} cores, {max(count // 2, 1)} chips" if chip in _COUNTS_CORES else f"{count} chips"
    return replace(found, note=f"{text} is a slice of {held}: n_gpus counts chips")


def _counted(text: str, accelerators: NameIndex) -> Resolved | None:
    match = _COUNTED.fullmatch(text)
    found = accelerators.found(match["device"] or match["named"]) if match else None
    if match is None or found is None:
        return None
    count = int(match["before"] or match["after"])
    said = f"{found.note}; " if found.note else ""
    return replace(found, note=f"{said}{text} names {count} of them: n_gpus is what is counted")


def _computer(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return the chip of an Apple computer; its memory is that of the largest, whatever the name says."""
    chip = " ".join(_COMPUTER.sub(" ", text).replace("(", " ").replace(")", " ").split())
    if not _APPLE_CHIP.fullmatch(chip):
        return None
    found = accelerators.found(chip) or accelerators.found(_MEMORY.sub("", chip))
    if found is None:
        return None
    told = _MEMORY.search(chip)
    note = f"{told.group()} was said, and the chip's largest memory is counted with" if told else ""
    return replace(found, note="; ".join(part for part in (found.note, note) if part))
