"""What lies in host memory or on drives, in any order of words: `weights and optimizer on CPU`, `offload both`."""

import re
from functools import lru_cache

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning

__all__ = ["told_offload"]

_GAP = r"[\s_\-./]{0,3}"
"""What parts words; nothing, as in `cpuoffload`."""
_OPTIMIZER = rf"optim(?:i[sz]er)?s?(?:{_GAP}(?:states?|moments?|step))?"
_PARAMETERS = rf"(?:model{_GAP})?(?:param(?:eter)?s?|weights?)|model"
_GRADIENTS = r"grad(?:ient)?s?"
_ACTIVATIONS = rf"activations?(?:{_GAP}checkpoints?)?"
_ARTICLES = rf"(?:(?:of|for|the|both|all|its){_GAP}){{0,3}}"
_ITEM = rf"{_ARTICLES}(?:{_OPTIMIZER}|{_PARAMETERS}|{_GRADIENTS}|{_ACTIVATIONS})"
_ITEMS = rf"(?P<items>{_ITEM}(?:(?:\s?,\s?{_ITEM}){{0,3}}{_GAP}(?:,\s*and\b|and|&|\+|/|plus){_GAP}{_ITEM})?)"
_ALL = rf"(?P<all>all(?:{_GAP}states)?|both|everything|model{_GAP}states)"
_DRIVES = "nvme|ssds?|disks?|drives?"
_PLACE = rf"(?:the{_GAP})?(?:(?:cpu|host|system|main)(?:{_GAP}(?:memory|d?ram))?|ram|(?P<DISK>{_DRIVES}))"
_TO = rf"(?:to|onto|on|into|in|at){_GAP}"
_VERB = r"off-?load(?:ed|ing|s)?"
_STATE = rf"(?:(?:are|is|be|being|both|all|fully|kept|held|moved|stored|placed|put|live|lie|lying){_GAP}){{0,3}}"
_BEFORE, _BEHIND = (_PLACE.replace("DISK", name) for name in ("before", "behind"))
_THERE = rf"(?:{_GAP}(?:{_TO})?{_BEHIND})?"
_WAYS = tuple(
    re.compile(rf"(?:{words})(?![^\W_])", re.IGNORECASE)
    for words in (
        # optimizer and params (are) (cpu) offload(ed) (to cpu)
        rf"(?:{_ITEMS}|{_ALL}){_GAP}{_STATE}(?:{_BEFORE}{_GAP})?{_VERB}{_THERE}",
        # (cpu) offload (of) optimizer and params (to cpu), offload_optimizer_device
        rf"(?:{_BEFORE}{_GAP})?{_VERB}{_GAP}[:=]?{_GAP}{_ARTICLES}(?:{_ITEMS}|{_ALL})(?:{_GAP}device)?{_THERE}",
        # (keep) optimizer and params on cpu
        rf"(?:(?:keep|move|put|hold|store|place){_GAP})?{_ITEMS}{_GAP}{_STATE}{_TO}{_BEHIND}",
        # offload to host memory, nvme offloading
        rf"offload(?:ing)?{_GAP}{_TO}{_BEHIND}|{_BEFORE}{_GAP}offload(?:ing)?",
    )
)
_BEGINNINGS = re.compile(
    r"off|cpu|host|system|main|ram|nvme|ssd|dis[ck]|drive|the|of|for|both|all|its|every|opti?m|param|weight|model|grad|"
    r"activ|keep|move|put|hold|store|place",
    re.IGNORECASE,
)
"""What any of it begins with: most words do not."""


def told_offload(text: str, start: int) -> tuple[int, Meaning] | None:
    """Return where what `text` tells of offloading from `start` on ends, and its meaning; None where it tells none."""
    if not _BEGINNINGS.match(text, start):
        return None
    found = max((way for ways in _WAYS if (way := ways.match(text, start))), key=lambda way: way.end(), default=None)
    if found is None:
        return None
    told = found.groupdict()
    meaning = _meaning(
        items=(told.get("items") or "").casefold(),
        everything=bool(told.get("all")),
        on_disk=bool(told.get("before") or told.get("behind")),
    )
    return None if meaning is None else (found.end(), meaning)


@lru_cache(maxsize=256)
def _meaning(*, items: str, everything: bool, on_disk: bool) -> Meaning | None:
    """Return what is offloaded of `items`; the optimizer where nothing is named, and with weights that are on drives.

    Gradients go where the optimizer is, and tell nothing alone.
    """
    activations = re.search(_ACTIVATIONS, items) is not None
    rest = re.sub(_ACTIVATIONS, "", items)
    optimizer = everything or not items or re.search(_OPTIMIZER, rest) is not None
    parameters = everything or re.search(r"param|weight|model", rest) is not None
    if not (optimizer or parameters or activations):
        return None
    said, denied = (
        Practice(
            offload_optimizer=to if optimizer or (on_disk and parameters and to) else None,
            offload_parameters=to if parameters else None,
            offload_activations=to if activations else None,
        )
        for to in (True, False)
    )
    if on_disk:
        said, denied = Practice(states_on_disk=True).over(said), Practice(states_on_disk=False)
    return Meaning(says=Facts(practice=said), denies=Facts(practice=denied))
