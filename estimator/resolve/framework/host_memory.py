"""What people say of a machine's own memory: `64 GB of RAM`, `1 TB host memory`, `DDR5 128GB`, `8 x 32 GB RAM`."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning
from estimator.resolve.framework.whose import EACH, whose

__all__ = ["told_host_memory"]

_UNITS: Mapping[str, float] = MappingProxyType({"g": 1e9, "t": 1e12})
"""Bytes of a unit. Binary ones count as decimal: what is left of theirs the operating system has."""
_SIZE = r"(?:(?P<{0}modules>\d{{1,2}}) ?[x×*] ?)?(?P<{0}number>\d{{1,4}}(?:\.\d{{1,2}})?)[ -]?(?P<{0}unit>[gt])(?:i?b)?"
_OF = rf"(?: ?{EACH})?"
_KIND = (
    r"(?:(?:(?:system|host|cpu|main|server|machine|node|ecc|free|available|total|physical|pc)['s]*[ -]){1,2}"
    r"(?:memory|d?ram)|(?:ecc )?(?:sys)?d?ram|(?:lp)?ddr[345]x?(?:-\d{4})?(?: (?:ecc|memory|d?ram)){0,2})"
)
_LINKING = r" ?(?:[:=(@] ?|(?:of|is|has|limit(?:ed)? to|with) (?:only )?){0,2}"
_NO_MORE = r"(?![a-z0-9]|[-/ ]*(?:speed|bandwidth|s\b))"
_TOLD = re.compile(
    rf"(?:{_SIZE.format('')}{_OF.format('of')} ?(?:of )?{_KIND}|{_KIND}{_LINKING}{_SIZE.format('behind_')})"
    rf"{_OF.format('last_of')}{_NO_MORE}",
    re.IGNORECASE,
)
_SIZE_ALONE = re.compile(rf"{_SIZE.format('')}{_OF.format('of')}{_NO_MORE}", re.IGNORECASE)
_KIND_BEFORE = re.compile(rf"(?<![a-z])(?<!gpu )(?<!card )(?<!video ){_KIND}{_LINKING}$", re.IGNORECASE)
"""Where a phrase that was read before ends in the memory's name: `offload to host memory (256 GB)`."""
_OF_DEVICES = re.compile(r"(?:gpu|video|graphics|device|card|cuda|unified)s?['s]*[ -]$", re.IGNORECASE)
_FARTHEST = 60
"""Characters that are looked back at."""


def told_host_memory(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of host memory from `at` on ends, and what it means; None where nothing is said of it.

    `memory` alone is as likely the device's, and tells nothing here.
    """
    before = text[max(0, at - _FARTHEST) : at]
    found = _TOLD.match(text, at)
    if found is None and _KIND_BEFORE.search(before):
        found = _SIZE_ALONE.match(text, at)
    if found is None or _OF_DEVICES.search(before):
        return None
    told = {
        name.removeprefix("behind_").removeprefix("last_"): value for name, value in found.groupdict().items() if value
    }
    size = float(told["number"]) * _UNITS[told["unit"].casefold()] * int(told.get("modules", 1))
    if not size:
        return None
    practice = Practice(host_memory_bytes=size, host_memory_of=whose(told.get("of", "")))
    return found.end(), Meaning(says=Facts(practice=practice))
