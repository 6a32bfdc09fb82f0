"""How many devices share what, as people write it beside software: `TP 4, PP 4`, `EP=8`, `16-way pipeline`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["DEGREES", "told_degrees"]

_EXPERT, _DATA = "expert_parallel", "data_parallel"
_SPREAD = Practice(spreads_experts=True)
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "tensor_parallel": ("tp", "tensor"),
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
            rf"(?:{initials})(?:{_GAP}(?:size|degree))?{_IS}{counts[0]}",
            rf"(?:{name}){_PARALLEL}{bare}{_SIZE}?{_IS}{counts[1]}",
            rf"{counts[2]}{_GAP}(?:(?:way|fold|stage)s?{_GAP}(?:{name}){_PARALLEL}?|(?:{name}){_PARALLEL})",
            # `3 ep` is of epochs.
            rf"{counts[3]}{_GAP}way{_GAP}(?:{initials})",
        )
    )


_ONE = "|".join(_ways(argument, *words) for argument, words in _WORDS.items())
_END = r"(?![^\W_]|\.\d)"
_JOINED = re.compile(rf"(?:(?:{_ONE})(?:{_END}|(?=(?:tp|pp|vpp|cp|ep|dp)\d)))", re.IGNORECASE)
"""One degree; another may follow at once where it begins with its initials, as in `TP8PP4`."""
_BEGINNINGS = re.compile(
    r"(?<![^\W_])(?:\d|tp|pp|vp|cp|ep|dp|tensor|pipe|virt|inter|context|expert|moe|data)", re.IGNORECASE
)


def told_degrees(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where degrees of parallelism from `at` on end, and what they mean; None where none is said.

    Whoever tells over how many devices experts are spread has layers that can spread them.
    """
    if not _BEGINNINGS.match(text, at):
        return None
    degrees: dict[str, int] = {}
    end = at
    while found := _JOINED.match(text, end):
        told = next(group for group, count in found.groupdict().items() if count is not None)
        degrees[told.rpartition("_")[0]] = int(found[told])
        end = found.end()
    if not degrees or 0 in degrees.values() or max(degrees.values()) > _LARGEST:
        return None
    spread = degrees.get(_EXPERT, 1) > 1
    says = Facts(degrees=tuple(degrees.items()), practice=_SPREAD if spread else Practice())
    return end, Meaning(says=says)


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
