"""Choose accelerators by words, vendor, memory and precision, and put them in order."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from types import MappingProxyType

from estimator.answers.estimate.money import hourly_prices
from estimator.base.errors import UnknownNameError
from estimator.base.inputs import checked_choice
from estimator.base.names import tokens
from estimator.base.units import GIGA, TERA
from estimator.catalogue import catalogue
from estimator.catalogue.accelerators import ACCELERATOR_FILLER, RATED_PRECISIONS
from estimator.catalogue.entries import AcceleratorEntry
from estimator.question.cluster import Accelerator

__all__ = ["Selection", "rate_notes", "selection", "usd_per_gpu_hour"]

_BETWEEN = re.compile(r"[,;/|&]|\b(?:or|and|vs|versus)\b", re.IGNORECASE)
"""Between devices of a list."""
_TOLD_BEFORE_NUMBERS = re.compile(r"\b(cdna|rdna) (?=\d)", re.IGNORECASE)
_SERIES = re.compile(r"\b(?P<of>[a-z]{1,4}|[a-z]{0,4}\d{1,4})[-_ ]?(?:series|family|gen(?:eration)?)\b", re.IGNORECASE)
"""`RTX 50 series`, `MI300-series`, `H series`."""
_BRANDS = frozenset({"geforce", "instinct", "radeon", "tesla"})
_SYNONYMS: Mapping[str, str] = MappingProxyType({"ada": "lovelace"})
"""What else families are called."""
_LONGEST_TOLD = 40
"""Characters of a part of a query that is told back."""
_SAME = 0.01
"""Two rates closer than this are one rate, rounded differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The accelerators that fit, best first, and what was assumed about a name."""

    entries: tuple[AcceleratorEntry, ...]
    named: AcceleratorEntry | None
    """The device that the query names outright; it comes first where it fits the other conditions."""
    note: str


def selection(
    *, query: str = "", vendor: str = "", min_memory_gb: float = 0.0, precision: str = "", sort_by: str = "peak"
) -> Selection:
    """Return the accelerators that match every word of `query`, or one of several that it lists, and all conditions.

    A word matches the start of a word in an id, name, alias, architecture or segment; empty and 0 admit everything.
    What is listed is told by commas, `or` and their like, or by words that each name devices and none together.
    `memory`, `bandwidth`, `peak` and `year` put the largest first, `price` the cheapest, `name` is alphabetical.
    Raises UnknownNameError for a query that matches nothing at all, and for an unknown vendor, precision or order.
    """
    order = _ORDERS[checked_choice("sort_by", sort_by, tuple(_ORDERS))]
    maker = checked_choice("vendor", vendor, _vendors()) if vendor.strip() else ""
    rate = checked_choice("precision", precision, RATED_PRECISIONS) if precision.strip() else ""
    listed = _listed(query)
    named, note = _named(listed[0]) if len(listed) == 1 else (None, "")
    found = {one: _matching(one) for one in listed}
    ids = frozenset(entry_id for of_one in found.values() for entry_id in of_one)
    matching = [entry for entry in catalogue.accelerators() if entry.id in ids]
    if query.strip() and (not matching or query.strip().casefold() in _vendors()):
        return _vendor_or_error(query, min_memory_gb=min_memory_gb, precision=precision, sort_by=sort_by)
    fitting = [
        entry
        for entry in matching
        if (not maker or entry.accelerator.vendor.casefold() == maker)
        and entry.nominal_memory_gb >= min_memory_gb
        and (not rate or rate in entry.accelerator.peak_flop_per_s)
    ]
    fitting.sort(key=lambda entry: (entry is not named, *order(entry, rate), entry.id))
    unmatched = [repr(one[:_LONGEST_TOLD]) for one, of_one in found.items() if not of_one]
    note = f"no accelerator matches {' or '.join(unmatched)}" if unmatched else note
    return Selection(entries=tuple(fitting), named=named, note=note)


def usd_per_gpu_hour(accelerator_id: str) -> float | None:
    """Return the median of the dated prices that a long run pays; None where none is known."""
    usd = [price.usd_per_gpu_hour for price in hourly_prices(catalogue.prices(accelerator_id))]
    return median(usd) if usd else None


def rate_notes(accelerator: Accelerator) -> tuple[str, ...]:
    """Return what the other figures printed for this device are, so that nobody takes them for its training rate."""
    notes: list[str] = []
    accumulate, shader = accelerator.fp16_accumulate_flop_per_s, accelerator.shader_fp16_flop_per_s
    half = accelerator.peak_flop_per_s.get("fp16")
    if accumulate is not None and half is not None and abs(accumulate / half - 1) > _SAME:
        notes.append(f"{accumulate / TERA:g} TFLOPS is the tensor rate with FP16 accumulation, which training avoids.")
    if shader is not None and abs(shader / accelerator.training_peak_flop_per_s - 1) > _SAME:
        notes.append(f"{shader / TERA:g} TFLOPS is the shader (non-tensor) FP16 rate, not what training gets.")
    return tuple(notes)


def _listed(query: str) -> tuple[str, ...]:
    """Return what a query lists: itself, its parts between commas and their like, or its words.

    Words are a list where no device has them all and each names one, as `3090 4090`; of `a100 80gb` one has both.
    """
    parts = tuple(part.strip() for part in _BETWEEN.split(query) if part.strip())
    if len(parts) != 1:
        return parts or (query,)
    words = tokens(query, ACCELERATOR_FILLER)
    if len(words) == 1 or _of_words(query):
        return parts
    return tuple(words) if words and all(_named(word)[0] is not None for word in words) else parts


def _matching(query: str) -> frozenset[str]:
    """Return the ids that match every word of `query`, or that it names; all where it is empty."""
    if not query.strip():
        return frozenset(_words())
    named, matching = _named(query)[0], _of_words(query)
    return matching if named is None else matching | {named.id}


def _of_words(query: str) -> frozenset[str]:
    """Return the ids that match every word of `query`: brands and vendors among them, if any match those as well.

    Many a device is called by a brand that its own maker has dropped, as the Tesla A100 is.
    """
    spelt, series = _without_series(_TOLD_BEFORE_NUMBERS.sub(r"\1", query))
    branding = _BRANDS.union(_vendors())
    for filler in (ACCELERATOR_FILLER - branding, ACCELERATOR_FILLER):
        wanted = tokens(spelt, filler)
        if not wanted and not series:
            continue
        found = [
            entry_id
            for entry_id, words in _words().items()
            if _matches(wanted, words) and all(any(one.fullmatch(word) for word in words) for one in series)
        ]
        if found:
            return frozenset(found)
    return frozenset()


def _without_series(query: str) -> tuple[str, tuple[re.Pattern[str], ...]]:
    """Return a query without the series that it names, and what the words of their devices look like."""
    series = tuple(_of_series(found["of"].casefold()) for found in _SERIES.finditer(query))
    return _SERIES.sub(" ", query), series


def _of_series(name: str) -> re.Pattern[str]:
    """Return what a word of a device of a series looks like: 5090 of the 50 or the 5000 series, 7900 of the 7000."""
    if re.fullmatch(r"\d\d", name):
        return re.compile(rf"{name}[1-9]0")
    if re.fullmatch(r"\d000", name):
        return re.compile(rf"{name[0]}(?:0[1-9]0|[1-9]00)")
    return re.compile(rf"{name}\d.*") if len(name) == 1 else re.compile(rf"{name}.*")


def _named(query: str) -> tuple[AcceleratorEntry | None, str]:
    if not query.strip():
        return None, ""
    try:
        match = catalogue.accelerator(query)
    except UnknownNameError:
        return None, ""
    return match.value, match.note


def _vendor_or_error(query: str, *, min_memory_gb: float, precision: str, sort_by: str) -> Selection:
    """Return the devices of the vendor that `query` is, whose name may be a word of others'; else raise."""
    if query.strip().casefold() in _vendors():
        return selection(vendor=query, min_memory_gb=min_memory_gb, precision=precision, sort_by=sort_by)
    raise UnknownNameError(
        "query",
        query,
        catalogue.nearest_accelerators(query),
        "give words of a name, architecture or segment, such as h100, hopper or consumer, or leave it out to list all",
    )


def _matches(wanted: Sequence[str], words: frozenset[str]) -> bool:
    return all(any(word.startswith(want) for word in words) for want in wanted)


@cache
def _vendors() -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.accelerator.vendor.casefold() for entry in catalogue.accelerators()))


@cache
def _words() -> Mapping[str, frozenset[str]]:
    """Return the words that can find each accelerator."""
    return {
        entry.id: frozenset(
            word
            for text in (
                entry.id,
                entry.accelerator.name,
                entry.accelerator.architecture,
                entry.accelerator.family,
                _SYNONYMS.get(entry.accelerator.family, ""),
                entry.accelerator.vendor,
                entry.accelerator.segment,
                entry.memory_type,
                *entry.aliases,
            )
            for word in tokens(text)
        )
        for entry in catalogue.accelerators()
    }


def _by_peak(entry: AcceleratorEntry, rate: str) -> tuple[float | str, ...]:
    accelerator = entry.accelerator
    peak = accelerator.peak_flop_per_s[rate] if rate else accelerator.training_peak_flop_per_s
    # A promised device should not head a list of those one can use.
    return (float(entry.status == "announced"), -peak)


def _by_price(entry: AcceleratorEntry, _rate: str) -> tuple[float | str, ...]:
    usd = usd_per_gpu_hour(entry.id)
    return (float(usd is None), usd or 0.0)


_ORDERS: Mapping[str, Callable[[AcceleratorEntry, str], tuple[float | str, ...]]] = {
    "name": lambda entry, _rate: (entry.accelerator.name.casefold(),),
    "memory": lambda entry, _rate: (-entry.nominal_memory_gb,),
    "bandwidth": lambda entry, _rate: (-entry.accelerator.memory_bandwidth_bytes_per_s / GIGA,),
    "peak": _by_peak,
    "price": _by_price,
    "year": lambda entry, _rate: (-float(entry.accelerator.year),),
}
