"""The parameter counts that stand in a model's name: `8B`, `80B-A3B`, `8x7B`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from estimator.base.units import parse_count

__all__ = ["NamedSize", "named_size", "with_short_size"]

_LONGEST_NAME = 200
_WORD = re.compile(r"[^\W_]+")
_COUNT = r"(?:\d+(?:\.\d+)?|\.\d+)"
_SIZE = re.compile(rf"(?<![\w.])e?({_COUNT}(?:\s?[mbt]|[\s-]?(?:bn|million|billion|trillion)))(?![a-z0-9])")
_ACTIVE = re.compile(rf"(?<![a-z0-9.])a({_COUNT}[mb])(?![a-z0-9])")
_TIMES = re.compile(rf"(?<![\w.])(\d{{1,3}})\s?[x×]\s?({_COUNT}[mb])(?![a-z0-9])")
_SAYS_ACTIVE = re.compile(r"\bactiv(?:e|ated|ating)\b")
_EXPERTS = re.compile(r"moe(?![a-z])|\bexperts?\b|(?<![a-z0-9])\d+e(?![a-z0-9])")
_SPELT = re.compile(
    rf"(?<![\w.])(?:(?P<count>{_COUNT}|\d+,\d{{1,2}})[\s-]*(?P<multiple>(?:million|billion|trillion)s?|mio|mrd|millionen|milliarden|"
    r"milliards|millones)|(?P<short>\d+(?:\.\d+)?[mbt]))\b\.?(?:[\s-]+(?:de\s+)?(?:param(?:eter|ètre|etro|étro)?[sn]?)\b)?",
    re.IGNORECASE,
)
"""A size in words, `7 billion parameter` and `1,5 Milliarden`, or with what it counts: `7B params`."""
_MULTIPLES = {"mil": "M", "mio": "M", "bil": "B", "mrd": "B", "tri": "T"}
_BESIDE = frozenset(
    {"a", "all", "and", "dense", "experts", "for", "in", "is", "llm", "model", "moe", "of", "param"}
    | {"parameter", "parameters", "params", "token", "total", "with", "active", "activated", "one"}
    | {"transformer", "decoder", "language", "lm", "network"}
)
"""What is said around sizes that name no model."""
_KNOWN: Mapping[str, tuple[float, float]] = {
    "mistral large 3": (675e9, 41e9),
    "mistral large 2512": (675e9, 41e9),
    "hunyuan large": (389e9, 52e9),
    "snowflake arctic": (480e9, 17e9),
    "longcat flash": (560e9, 27e9),
    "dots llm1": (142e9, 14e9),
    "skywork moe": (146e9, 22e9),
    "pangu pro moe": (72e9, 16e9),
    "jetmoe 8b": (8.5e9, 2.2e9),
    "llama 4 behemoth": (2e12, 288e9),
    "kimi k2 5": (1.03e12, 32e9),
    "ling 1t": (1e12, 50e9),
    "ring 1t": (1e12, 50e9),
    "step3": (321e9, 38e9),
    "glm 4 7": (355e9, 32e9),
    "glm 4 5v": (106e9, 12e9),
}
"""Total and active parameters of mixtures of experts that are not called by both. Source: their publishers' cards."""
_MLP_SHARE = 0.8
"""Of a dense model's weights lie in its MLPs: Mixtral 8x7B (46.7B, 12.9B active) and 8x22B (141B, 39B)."""
_VISITED = 2
"""Experts a token visits in models that are called 8x7B."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSize:
    """The parameters a name tells; a mixture of experts has fewer active ones than in all."""

    total: float
    active: float
    experts: bool
    """Whether the name is that of a mixture of experts, its active parameters known or not."""
    bare: bool = False
    """Whether there is nothing else in the name."""
    note: str = ""
    """What was assumed in working them out."""

    @property
    def is_split(self) -> bool:
        """Whether the name tells both counts of a mixture of experts."""
        return self.experts and self.active < self.total


def named_size(name: str) -> NamedSize | None:
    """Return the parameter counts that stand in a name, `2.8b` in `mamba-2.8b`; None where none does.

        80B-A3B, 80B with 3B active    80B in all, 3B for one token
        8x7B                           7B · (0.2 + 0.8 · 8) in all, and with 2 instead of 8 active

    Of two plain sizes in the name of a mixture of experts, as in `OLMoE-1B-7B`, the smaller is the active one; some
    mixtures of experts are known by a name that tells less.
    """
    text = name[:_LONGEST_NAME].casefold().replace("_", "-")
    owner, _, tail = text.rpartition("/")
    # `80B/3B active` has no owner.
    text = text if _SIZE.search(owner) else tail
    left = _ACTIVE.sub(" ", _SIZE.sub(" ", _TIMES.sub(" ", text)))
    bare = _BESIDE.issuperset(_WORD.findall(left))
    words = " " + " ".join(_WORD.findall(tail)) + " "
    # Models of embeddings are called like their publisher's largest, and are none of these.
    known = next((sizes for name, sizes in _KNOWN.items() if f" {name} " in words and " embed " not in words), None)
    if known is not None:
        return NamedSize(total=known[0], active=known[1], experts=True, note="parameters as its publisher counts them")
    if times := _TIMES.search(text):
        return _multiplied(int(times[1]), parse_count(times[2], "model"), bare=bare)
    sizes = [parse_count(found.replace("-", " "), "model") for found in _SIZE.findall(text)]
    if not sizes:
        return None
    experts = _EXPERTS.search(text) is not None
    if active := _ACTIVE.search(text):
        return NamedSize(total=max(sizes), active=parse_count(active[1], "model"), experts=True, bare=bare)
    if (experts or _SAYS_ACTIVE.search(text)) and len(set(sizes)) > 1:
        return NamedSize(total=max(sizes), active=min(sizes), experts=True, bare=bare)
    return NamedSize(total=sizes[0], active=sizes[0], experts=experts, bare=bare)


def with_short_size(name: str) -> str:
    """Return `name` with its size as names have it: `7B llama` of `7 billion parameter llama`."""
    return " ".join(_SPELT.sub(_shortened, name[:_LONGEST_NAME]).split())


def _shortened(size: re.Match[str]) -> str:
    if size["short"]:
        return size["short"]
    multiple = size["multiple"].casefold()
    letter = "B" if multiple.startswith(("millia", "mrd")) else _MULTIPLES[multiple[:3]]
    return f"{size['count'].replace(',', '.')}{letter}"


def _multiplied(n_experts: int, one: float, *, bare: bool) -> NamedSize:
    """Return the parameters of a model that is called by its experts and the dense model each of them is of."""
    total, active = (one * (1 - _MLP_SHARE + _MLP_SHARE * n) for n in (n_experts, min(n_experts, _VISITED)))
    note = f"read as {n_experts} experts, {_VISITED} of them for a token, beside what they share"
    return NamedSize(total=total, active=active, experts=True, bare=bare, note=note)
