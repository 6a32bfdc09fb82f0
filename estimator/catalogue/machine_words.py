"""What people say of machines beside a device: `2 nodes of 8 H100`, `4 nodes x 8 A100`, `16 H100 in 2 nodes`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["NUMBER_WORDS", "ToldMachines", "told_machines"]

NUMBER_WORDS: Mapping[str, int] = MappingProxyType(
    {
        "one": 1,
        "single": 1,
        "two": 2,
        "dual": 2,
        "three": 3,
        "four": 4,
        "quad": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "twelve": 12,
        "sixteen": 16,
    }
)
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMBER = rf"(?:\d{{1,5}}|{_WORDS}|an?)(?![^\W_x×]|[\d.])"
_FEW = rf"(?:\d{{1,3}}(?!\d)|(?:{_WORDS})\b)"
"""Devices of one machine; a `4090` is none."""
_BOX = r"(?:(?:compute )?(?:nodes?|machines?|servers?|hosts?|box(?:es)?|racks?|systems?|(?:base)?boards?|trays?))\b"
_BOXES = r"(?:(?:compute )?(?:nodes|machines|servers|hosts|boxes|racks|systems|(?:base)?boards|trays))\b"
_TIMES = r"\s?[x×*]\s?"
_OF = rf"(?:,? ?\(?(?:each )?(?:of|with|having|at|@|à) |{_TIMES}|,? \(?)"
_EACH = rf"(?:,? (?:each|apiece|(?:per|a|/) ?{_BOX}))?\)?"
_SOME = rf"(?P<nodes>{_NUMBER})(?:{_TIMES}| |-)"
_WAYS = tuple(
    re.compile(words)
    for words in (
        # 2 nodes of 8 H100, 4 nodes x 8 A100 80GB, 2 nodes (8x H100 each)
        rf"{_SOME}{_BOX}{_OF}(?P<each>{_FEW})(?:{_TIMES}|[ -])(?P<device>.+?){_EACH}",
        # 8 H100 per node, 2 nodes; 8x A100 / node x 4 nodes
        (
            rf"(?P<each>{_FEW})(?:{_TIMES}| )(?P<device>.+?) ?(?:per|a|/) ?{_BOX}(?:, ?|{_TIMES}| (?:on |over )?)"
            rf"{_SOME}{_BOX}"
        ),
        # 16 H100 in 2 nodes, 16x H100 (2 nodes)
        (
            rf"(?P<all>{_NUMBER})(?:{_TIMES}| )(?P<device>.+?)(?:,? ?\(| (?:in|on|over|across) |, ?){_SOME}{_BOX}"
            rf"(?:,? (?:of|with) (?P<each>{_FEW}))?\)?"
        ),
        # 2x8 H100
        r"(?P<nodes>\d{1,4})\s?[x×*]\s?(?P<each>\d{1,2}) (?P<device>[^\W\d].+)",
        # 2 nodes of H100, 2 racks of GB200 NVL72, 2 nodes with 8xH100
        rf"{_SOME}{_BOX}{_OF}(?P<device>.+?){_EACH}",
        # 4 H100 nodes, 2x GB200 NVL72 racks, 2 x 8xH100 servers
        rf"{_SOME}(?P<device>.+?)[ -]{_BOXES}",
        # 8xH100 node, 8-GPU H100 server
        rf"(?:an? )?(?P<each>{_FEW})(?:{_TIMES}|[ -]gpus? | )(?P<device>.+?)[ -]{_BOX}",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldMachines:
    """Some machines, what the devices in them were called, and how many of these each holds."""

    nodes: int | None
    """None where one was named, as `8xH100 node`, and it was not said how many there are."""
    device: str
    each: int | None
    """None where it was not said."""


def told_machines(text: str) -> tuple[ToldMachines, ...]:
    """Return how `text`, in lower case with single spaces, can be read as machines with devices, the best way first."""
    return tuple(told for way in _WAYS if (found := way.fullmatch(text)) and (told := _told(found.groupdict())))


def _told(found: Mapping[str, str | None]) -> ToldMachines | None:
    nodes, each, in_all = (_count(found.get(name)) for name in ("nodes", "each", "all"))
    if nodes is not None and in_all is not None:
        if in_all % nodes or each not in {None, in_all // nodes}:
            return None
        each = in_all // nodes
    return ToldMachines(nodes=nodes, device=found["device"] or "", each=each)


def _count(told: str | None) -> int | None:
    if told is None:
        return None
    return 1 if told in {"a", "an"} else NUMBER_WORDS.get(told) or max(1, int(told))
