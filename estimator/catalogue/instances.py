"""Read what people rent and buy as the accelerators in it: cloud instances, TPU slices, `8x H100`, a MacBook."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

from estimator.base.names import Name, NameIndex, Resolved
from estimator.catalogue.machine_words import NUMBER_WORDS, told_machines
from estimator.catalogue.network_words import apart_from_network
from estimator.catalogue.shapes import SourceRow

__all__ = ["InstanceFile", "InstanceRow", "instance_names", "lent_card", "named_system"]

_LONGEST = 128
_COUNTED = (
    re.compile(r"(?:gpu[_ ])?(?P<count>\d{1,5})\s*[x×*][\s_-]*(?P<device>\S.*)"),
    re.compile(r"(?P<device>.*\S)\s*(?:[\s_-][x×*]\s?|:)(?P<count>\d{1,5})"),
    re.compile(r"(?P<device>.*\S)[x×*](?P<count>\d{1,3})"),
    re.compile(r"(?P<count>\d{1,5})\s+(?P<device>(?:[^\W\d]|\d{4}).*)"),
)
"""A count before the device, or behind it; what is left must be one, so that `rtx3090` counts nothing."""
_AMONG = (
    re.compile(
        r"(?:(?P<count>\d[\d,]{0,6}) )?(?:gpu|card|device|chip|accelerator)s? (?:of|in|from) (?:an? |the )?"
        r"(?P<device>\S.*?)(?: \(in \d[\d,]* racks?\))?"
    ),
    re.compile(r"(?:(?P<count>\d[\d,]{0,6}) )?of the \d+ \S.* of (?:an? |the )(?P<device>\S.*)"),
)
"""So many devices of a machine or a rack, as an answer says it (`72 GPUs of GB200 NVL72 (in 1 rack)`); the count may be
left out. What is counted is devices, never machines."""
_SLICE = re.compile(r"(?:tpu[\s_-]*)?(?P<chip>v2|v3|v4|v5e|v5litepod|v5p|v6e|v7x|tpu7x|7x)-(?P<count>\d{1,5})")
_BESIDE_SLICE = re.compile(r"\b(?:google|cloud|tpus?|vms?|pods?|slices?)\b")
"""What people call a slice beside its name, before or behind it."""
_COUNTS_CORES = frozenset({"v2", "v3", "v4", "v5p"})
"""Generations whose slices are called by TensorCores, two a chip. Source: Google Cloud documentation."""
_COMPUTER = re.compile(r"\b(?:macbook(?:\s+(?:pro|air))?|mac\s+(?:studio|mini|pro)|imac)\b")
_APPLE_CHIP = re.compile(r"(?:apple\s+)?m\d\b.*")
_MEMORY = re.compile(r"\b(\d+)\s?gb?\b")
_GEFORCE = re.compile(r"(?:nvidia )?(?:geforce )?(?:[rg]tx[ -])?[2-5]0[5-9]0[ -]?(?:d|ti|s)?\b.*")
_MODIFIED = re.compile(r"\b(?:modded|modified|refitted|mod)\b")
_FEWEST_GB, _MOST_GB = 4.0, 128.0
_RENTED = re.compile(
    r"\b(?:google\s+colab|colab(?:\s+pro)?|kaggle|runpod|vast(?:\.ai)?|lambda(?:\s+labs)?|azure|gcp|paperspace|coreweave|"
    r"modal|free(?:\s+tier)?|instances?|notebooks?|pods?|nodes?|(?:super|base)pods?|racks?|clusters?|servers?|systems?|"
    r"(?:base)?boards?|on[\s-]demand|n1-(?:standard|high\w+|custom)-\d+|with)\b"
)
"""Where a device is, which changes nothing of what it does."""
_LINKED = re.compile(r"\b(?:(?:with\s+)?(?:nv-?link(?:ed)?|nv-?switch|infiniband|ib|roce))(?:\s+bridge)?\b")
"""Links that are catalogued with the device, and no part of its name."""
_BARE_MEMORY = re.compile(r"(?P<device>.*[^\W_])[\s_-]+\(?(?P<gb>\d{2,3})\s*(?:g|gb|gib|gigs?|gigabytes?|go|vram)?\)?")
"""`A100-40`, `a100 40 gig`: a memory that the device is sold with, behind its name."""
_INTERRUPTED = re.compile(r"\b(?:spot|pre-?emptible|interruptible)\b")
_NUMBER_WORD = re.compile(rf"^({'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})\b\s*")
_PLURAL = re.compile(r"^(\d+\s*(?:[x×*]|\s).*\d|[abh]\d{3})s$")
"""Several of a device. One alone that ends in an s may be another (a 4080S is a Super), save for data centres' own."""
_SERIES = re.compile(r"(?:standard[\s_])?n[cdv]m?[\s_-](?P<device>\S.*?)[\s_-]v\d(?:[\s_-]series)?")
"""Azure's series, as its pages head them: `ND H100 v5`."""
_SAGEMAKER = "ml."
_AZURE = "Standard_"
_NOTEBOOKS: Mapping[str, str] = {"colab": "t4", "google colab": "t4", "kaggle": "t4"}
"""What a notebook service gives away, where no device is named with it."""
_FREE = re.compile(r"\bfree(?:\s+tier)?\b")

_LENT: Mapping[tuple[str, str], tuple[str, str]] = {
    ("colab", "a100"): ("a100-sxm-40gb", "Colab's A100 is the one of 40 GB as a rule; say A100 80GB for the larger one")
}
"""Cards that a service has in a size of its own where none is said, by service and card."""
_SAYS_MEMORY = re.compile(r"\d{2,3}\s*g(?:b|ib|ig\w*)?\b")


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
    rows = tuple(rows)
    sizes: dict[str, set[str]] = {}
    for row in rows:
        for text in row["instances"]:
            sizes.setdefault(_size(text), set()).add(row["accelerator_id"])
    for row in rows:
        name = accelerator_names[row["accelerator_id"]]
        for text, count in row["instances"].items():
            note = f"{text} ({row['cloud']}) holds {count} {name}: n_gpus counts devices, not instances"
            short = (_size(text),) if len(sizes[_size(text)]) == 1 else ()
            for written in dict.fromkeys((text, text.removeprefix(_AZURE), f"ml.{text}", *short)):
                yield Name(text=written, id=row["accelerator_id"], note=note, holds=count)


def _size(text: str) -> str:
    """Return `ND96asr` of Azure's `Standard_ND96asr_v4`, as people call a machine; other names whole."""
    return text.removeprefix(_AZURE).split("_")[0] if text.startswith(_AZURE) else text


def named_system(given: str, accelerators: NameIndex) -> Resolved | None:
    """Return the accelerator in what `given` names with a count, as a slice or as a computer; None where it is none.

    A count in a name says nothing of the run's: `n_gpus` stays, and the note says so.
    """
    if len(given) > _LONGEST:
        return None
    for device, network in apart_from_network(" ".join(given.split())):
        if (found := accelerators.found(device) or named_system(device, accelerators)) is not None:
            return replace(found, network=network)
    text = " ".join(given.casefold().split())
    free = _NOTEBOOKS.get(" ".join(_FREE.sub(" ", text).split()))
    if free is not None:
        match = accelerators.found(free)
        return match and replace(match, note=f"{text} alone is read as the {match.matched} that it has for free")
    plain = _plain(text)
    found = _machines(text, accelerators) or _system(text, accelerators)
    if found is None and plain != text:
        found = accelerators.found(plain) or _system(plain, accelerators)
    if found is not None and _LINKED.search(text):
        note = "links are those that it is catalogued with, whatever its name says of them"
        found = replace(found, note="; ".join(part for part in (found.note, note) if part))
    if found is None or not _INTERRUPTED.search(text):
        return found
    note = "interruptions are not counted: a profile's goodput tells them; nor is their price: price_per_gpu_hour does"
    return replace(found, note="; ".join(part for part in (found.note, note) if part))


def lent_card(given: str, accelerators: NameIndex) -> Resolved | None:
    """Return the card that a notebook service lends under the name of several; None where that is not what is named."""
    text = given[:_LONGEST].casefold()
    words = set(re.findall(r"[a-z]+\d*", text))
    name, note = next((lent for named, lent in _LENT.items() if words.issuperset(named)), ("", ""))
    found = accelerators.found(name) if name and not _SAYS_MEMORY.search(text) else None
    return found and replace(found, note=note)


def _system(text: str, accelerators: NameIndex) -> Resolved | None:
    named = _slice(text, accelerators) or _counted(text, accelerators) or _computer(text, accelerators)
    named = named or _among(text, accelerators)
    return named or _refitted(text, accelerators) or _named_loosely(text, accelerators)


def _machines(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return the device of so many machines, each with so many of it, as told, as it holds, or as usual."""
    for told in told_machines(text):
        # Several are told in the plural, save where an s is part of the name.
        ways = dict.fromkeys((told.device, _plain(told.device), told.device.removesuffix("s")))
        named = (accelerators.found(device) or _system(device, accelerators) for device in ways)
        found = next(filter(None, named), None)
        if found is None or found.slice_of is not None or (found.holds is not None and found.count is not None):
            continue
        own = found.holds or found.count
        if told.each is not None and own not in {None, told.each}:
            continue
        nodes = "a machine" if told.nodes is None else f"{told.nodes} machine{'s' if told.nodes > 1 else ''}"
        said = f"{found.note}; " if found.note else ""
        note = f"{said}{text} names {nodes}: n_gpus counts the devices in them"
        return replace(found, count=told.nodes, holds=told.each or own, of_machines=True, note=note)
    return None


def _named_loosely(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return the device whose name has the same words in another order, or with the memory as a bare number."""
    found = accelerators.reordered(text)
    if found is not None:
        return found
    told = _BARE_MEMORY.fullmatch(text)
    found = accelerators.found(f"{told['device']} {told['gb']}gb") if told else None
    if told is None or found is None:
        return None
    note = f"{told['gb']} taken as its memory in GB"
    return replace(found, note="; ".join(part for part in (found.note, note) if part))


def _plain(text: str) -> str:
    """Return `text` without where a device is rented, its number in digits and the device not in the plural."""
    series = _SERIES.fullmatch(text)
    if series is not None:
        return series["device"].replace("_", " ")
    bare = _LINKED.sub(" ", text)
    bare = _INTERRUPTED.sub(" ", _RENTED.sub(" ", bare.removeprefix(_SAGEMAKER)))
    bare = bare.replace("(", " ").replace(")", " ").replace(",", " ")
    bare = _NUMBER_WORD.sub(lambda word: f"{NUMBER_WORDS[word[1]]}x ", " ".join(bare.split()))
    return _PLURAL.sub(r"\1", bare)


def _slice(text: str, accelerators: NameIndex) -> Resolved | None:
    plain = " ".join(_BESIDE_SLICE.sub(" ", text.replace("_", "-")).split()).strip("- ")
    match = _SLICE.fullmatch(plain)
    found = accelerators.found(f"tpu {match['chip'].removeprefix('tpu')}") if match else None
    if match is None or found is None:
        return None
    chip, named = match["chip"], int(match["count"])
    count = max(named // 2, 1) if chip in _COUNTS_CORES else named
    held = f"{named} cores, {count} chips" if chip in _COUNTS_CORES else f"{count} chip{'s' if count > 1 else ''}"
    note = f"{text} is a slice of {held}: n_gpus counts chips"
    return replace(found, count=count, slice_of=named, note=note)


def _counted(text: str, accelerators: NameIndex) -> Resolved | None:
    for pattern in _COUNTED:
        match = pattern.fullmatch(text)
        device = match["device"] if match else ""
        found = accelerators.found(device) or _refitted(device, accelerators) or _named_loosely(device, accelerators)
        if match is not None and found is not None:
            count = int(match["count"])
            said = f"{found.note}; " if found.note else ""
            return replace(found, count=count, note=f"{said}{text} names {count} of them: n_gpus is what is counted")
    return None


def _among(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return the device of the machine or rack of which some are named, or of so many that are in none."""
    for pattern in _AMONG:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        count, device = (match["count"] or "").replace(",", ""), match["device"]
        found = accelerators.found(device) or _system(device, accelerators)
        if found is not None:
            alone = not count or found.holds is not None or found.count is not None
            return found if alone else _counted(f"{count}x {device}", accelerators) or found
    return None


def _computer(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return the chip of an Apple computer, with the memory that the name tells, or the largest it is sold with."""
    chip = " ".join(_COMPUTER.sub(" ", text).replace("(", " ").replace(")", " ").split())
    if not _APPLE_CHIP.fullmatch(chip):
        return None
    told = _MEMORY.search(chip)
    found = accelerators.found(chip) or accelerators.found(_MEMORY.sub("", chip))
    if found is None or told is None:
        return found
    return _with_memory(found, told[1], ", of which software can use the share that it can of the largest memory")


def _refitted(text: str, accelerators: NameIndex) -> Resolved | None:
    """Return a GeForce with another memory than it is catalogued with: sold so, or refitted, as a 4090 with 48 GB."""
    told = _MEMORY.search(text)
    if told is None or not _FEWEST_GB <= float(told[1]) <= _MOST_GB:
        return None
    card = " ".join(_MODIFIED.sub(" ", _MEMORY.sub(" ", text)).split())
    found = accelerators.found(card) if _GEFORCE.fullmatch(card) else None
    if found is None:
        return None
    return _with_memory(found, told[1], ", and else as it is catalogued")


def _with_memory(found: Resolved, gigabytes: str, remark: str) -> Resolved:
    """Return `found` with another memory than it is catalogued with, which the note says."""
    note = "; ".join(part for part in (found.note, f"with {gigabytes} GB{remark}") if part)
    return replace(found, memory_gb=float(gigabytes), note=note)
