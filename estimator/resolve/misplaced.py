"""Quantities of another kind than an argument takes: what they count says where they belong."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from estimator.base.east_asian import latin
from estimator.base.errors import InvalidValueError
from estimator.base.units import SAMPLE_NOUNS, STEP_NOUNS, is_gpu_time

__all__ = ["checked_kind"]

_LONGEST = 64
_NUMBER = r"[\d.,_ ]*\d[.,_ ]*(?:e[+-]?\d+)?\s*(?:[kmbgt]|mn|bn|thousand|million|billion|trillion)?"
_CURRENCY = r"(?:usd|us\$|dollars?|eur|euros?|cny|rmb|yuan|jpy|yen|gbp|pounds?|inr|rupees?|krw|won|hkd|[$€£¥₹₩])"
_TAKES: Mapping[str, str] = MappingProxyType(
    {"tokens": "tokens", "samples": "samples", "tokens_per_sample": "tokens", "epochs": "passes", "steps": "steps"}
)
"""By argument, what it counts."""
_A_BUDGET = 'plan_training takes it as budget: solve_for "tokens" says what it trains'
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("tokens", rf"{_NUMBER} ?(?:tokens?|toks?)", "give it as tokens"),
    ("samples", rf"{_NUMBER} ?(?:{'|'.join(sorted(SAMPLE_NOUNS))})", "give it as samples, with tokens_per_sample"),
    ("steps", rf"{_NUMBER} ?(?:{'|'.join(sorted(STEP_NOUNS))})", "give it as steps, with the batch"),
    ("passes", rf"{_NUMBER} ?(?:epochs?|passes)", "give it as epochs, beside tokens or samples"),
    ("GPUs", rf"{_NUMBER} ?(?:gpus?|cards?|accelerators?|nodes?)", "give it as n_gpus"),
    (
        "time",
        # A bare m is a million.
        rf"{_NUMBER} ?(?:h|d|(?:sec|second|min|minute|hr|hour|day|wk|week|month|quarter|yr|year)s?)",
        'plan_training takes it as deadline: solve_for "tokens" says what trains in it',
    ),
    (
        "money",
        rf"{_CURRENCY} ?{_NUMBER}|{_NUMBER} ?(?:us )?{_CURRENCY}",
        _A_BUDGET,
    ),
    (
        "FLOPs",
        rf"{_NUMBER} ?(?:[pezy]|tera|peta|exa|zetta|yotta)?[ -]?(?:flops?|f|operations)(?:(?:/s)?[ -]?(?:day|year)s?)?",
        "they are the tokens times those of a token, about 6 for each parameter: give the tokens",
    ),
    ("energy", rf"{_NUMBER} ?[kmgt]?wh", "energy is what an answer tells: give the tokens"),
)
"""What is counted, how it is written, and where it belongs."""
_WRITTEN = tuple((kind, re.compile(pattern), remedy) for kind, pattern, remedy in _KINDS)
_GPU_TIME = ("GPU time", _A_BUDGET)


def checked_kind(argument: str, given: object) -> None:
    """Raise InvalidValueError where `given` counts something else than `argument` does, saying where that belongs.

    What is no quantity with a unit, a bare number or the name of a data set, is for others to read.
    """
    if not isinstance(given, str):
        return
    kind, remedy = _kind(given)
    takes = _TAKES[argument]
    if kind and kind != takes:
        raise InvalidValueError(argument, given, f"counts no {takes}; {remedy}")


@lru_cache(maxsize=1024)
def _kind(given: str) -> tuple[str, str]:
    """Return what `given` counts and where that belongs; both empty where it does not say."""
    if len(given) > _LONGEST:
        return "", ""
    if is_gpu_time(given):
        return _GPU_TIME
    text = " ".join(latin(given).casefold().split())
    return next(((kind, remedy) for kind, written, remedy in _WRITTEN if written.fullmatch(text)), ("", ""))
