"""How many devices share what, as people write it beside software: `TP 4, PP 4`, `EP=8`, `16-way pipeline`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["DEGREES", "told_degrees"]

_EXPERT, _DATA, _STAGED = "expert_parallel", "data_parallel", "pipeline_parallel"
_SPREAD = Practice(spreads_experts=True)
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # Model parallelism without more is Megatron's first kind (`--model-parallel-size`).
        "tensor_parallel": ("tp|mp", r"tensor|model(?=[\s_\-]{0,2}parallel)"),
        "pipeline_parallel": ("pp", "pipeline"),
        "virtual_pipeline": ("vpp|vp", r"virtual[ _\-]pipeline|interleaved[ _\-]pipeline"),
        "context_parallel": ("cp", "context"),
        _EXPERT: ("ep", "experts?|moe"),
        _DATA: ("dp", "data"),
    }
)
"""Initials and names of each kind of parallelism, by the argument that holds its degree; data parallelism has none."""
_GAP = r"[\s_\-]{0,2}"
_COUNT = r"(?P<{0}>\d{{1,6}})"
_PARALLEL = rf"(?:{_GAP}(?:model{_GAP})?parallel(?:ism|izm)?)"
_SIZE = rf"(?:{_GAP}(?:world{_GAP})?(?:size|degree|stages?))"
_IS = r"(?:\s?[=:×x]\s?|\s(?:of|is|at)\s|[\s_\-(]{0,2})"
"""Between what is shared and by how many."""
_LARGEST = 10**6


def _ways(argument: str, initials: str, name: str) -> str:
    """Return a pattern of one degree, whose named groups begin with its argument."""
    counts = [_COUNT.format(f"{argument}_{number}") for number in range(4)]
    # `pipeline 16`, but not `data 16` nor `context 8192`: those are counts of something else.
    bare = "?" if argument in {"tensor_parallel", "pipeline_parallel", "virtual_pipeline"} else ""
    return "|".join(
        (
            *(_staged(name) if argument == _STAGED else ()),
            rf"(?:{initials})(?:{_GAP}(?:size|degree))?{_IS}{counts[0]}",
            rf"(?:{name}){_PARALLEL}{bare}{_SIZE}?{_IS}{counts[1]}",
            rf"{counts[2]}{_GAP}(?:(?:way|fold|stage)s?{_GAP}(?:{name}){_PARALLEL}?|(?:{name}){_PARALLEL})",
            # `3 ep` is of epochs.
            rf"{counts[3]}{_GAP}way{_GAP}(?:{initials})",
        )
    )


def _staged(name: str) -> tuple[str, str]:
    """Return patterns of `4 pipeline stages` and `pipeline of 4 stages`."""
    before, behind = (_COUNT.format(f"{_STAGED}_{number}") for number in (4, 5))
    stages = rf"{_GAP}stages?"
    return rf"{before}{_GAP}(?:{name}){stages}", rf"(?:{name}){_PARALLEL}?\s(?:with|of|in|over)\s{behind}{stages}"


_ONE = "|".join(_ways(argument, *words) for argument, words in _WORDS.items())
_END = r"(?![^\W_]|\.\d)"
_JOINED = re.compile(rf"(?:(?:{_ONE})(?:{_END}|(?=(?:tp|mp|pp|vpp|cp|ep|dp)\d)))", re.IGNORECASE)
"""One degree; another may follow at once where it begins with its initials, as in `TP8PP4`."""
_BEGINNINGS = re.compile(
    r"(?<![^\W_])(?:[\d(\[]|tp|mp|pp|vp|cp|ep|dp|tensor|model|pipe|virt|inter|context|expert|moe|data|[tpdce]\s?=)",
    re.IGNORECASE,
)
_LETTERS: Mapping[str, str] = MappingProxyType(
    {"t": "tensor_parallel", "p": "pipeline_parallel", "d": _DATA, "c": "context_parallel", "e": _EXPERT}
)
"""As papers abbreviate them (Narayanan et al. 2021), several at once: `t=8, p=4, d=16`. One alone may be anything."""
_LETTER = r"[tpdce]\s?=\s?\d{1,6}(?![^\W_]|\.\d)"
_BY_LETTER = re.compile(rf"{_LETTER}(?:(?:\s?[,;/×x]\s?|\s(?:and\s)?){_LETTER})+", re.IGNORECASE)
_INITIALS: Mapping[str, str] = MappingProxyType(
    {one: argument for argument, (initials, _) in _WORDS.items() for one in initials.split("|")}
)
_BETWEEN = r"\s?[,/×x:\-]\s?"
_NAMES = rf"[(\[]?(?P<names>(?:{'|'.join(_INITIALS)})(?:{_BETWEEN}(?:{'|'.join(_INITIALS)}))+)[)\]]?"
_NUMBERS = rf"[(\[]?(?P<counts>\d{{1,6}}(?:{_BETWEEN}\d{{1,6}})+)(?![^\W_]|\.\d)[)\]]?"
_IN_ORDER = tuple(
    re.compile(rf"{one}(?:\s?(?:=|:|of|is)?\s?|\s(?:for|as)\s){other}", re.IGNORECASE)
    for one, other in ((_NAMES, _NUMBERS), (_NUMBERS, _NAMES))
)
"""Names and then their degrees, or the other way round: `(TP, PP, DP) = (8, 4, 16)`, `8x4x16 (TP x PP x DP)`."""


def told_degrees(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where degrees of parallelism from `at` on end, and what they mean; None where none is said.

    Whoever tells over how many devices experts are spread has layers that can spread them.
    """
    if not _BEGINNINGS.match(text, at):
        return None
    degrees, end = _listed(text, at)
    while found := _JOINED.match(text, end):
        told = next(group for group, count in found.groupdict().items() if count is not None)
        degrees[told.rpartition("_")[0]] = int(found[told])
        end = found.end()
    if not degrees or 0 in degrees.values() or max(degrees.values()) > _LARGEST:
        return None
    spread = degrees.get(_EXPERT, 1) > 1
    says = Facts(degrees=tuple(degrees.items()), practice=_SPREAD if spread else Practice())
    return end, Meaning(says=says)


def _listed(text: str, at: int) -> tuple[dict[str, int], int]:
    """Return degrees that stand at `at` as a list, by argument, and where it ends; none where it is no such list."""
    if found := _BY_LETTER.match(text, at):
        pairs = re.findall(r"([tpdce])\s?=\s?(\d+)", found[0], re.IGNORECASE)
        return {_LETTERS[letter.casefold()]: int(count) for letter, count in pairs}, found.end()
    for way in _IN_ORDER:
        if found := way.match(text, at):
            names = re.findall(r"[a-z]p{1,2}", re.sub(_BETWEEN, " ", found["names"].casefold()))
            counts = re.findall(r"\d+", found["counts"])
            if len(names) == len(counts):
                told = zip(names, counts, strict=True)
                return {_INITIALS[name]: int(count) for name, count in told}, found.end()
    return {}, at


def _named(argument: str, words: str, says: Facts | None = None) -> tuple[str, Meaning]:
    """Return names without a degree: to deny them is to say that it is 1."""
    return words, Meaning(says=says or Facts(), denies=Facts(degrees=((argument, 1),)))


DEGREES = (
    _named(
        "tensor_parallel",
        "tensor parallel | tensor parallelism | tensor model parallel | tensor model parallelism | tp",
    ),
    _named(
        "pipeline_parallel",
        "pipeline parallel | pipeline parallelism | pipeline model parallel | pipeline model parallelism | pp",
    ),
    _named("virtual_pipeline", "vpp | virtual pipeline | virtual pipeline parallel | virtual pipeline parallelism"),
    _named(
        _EXPERT,
        "expert parallel | expert parallelism | expert model parallel | expert model parallelism | moe parallel | "
        "moe parallelism | ep | experts parallel | expert sharding | sharded experts",
        Facts(practice=_SPREAD),
    ),
)
"""Kinds of parallelism by name alone."""
