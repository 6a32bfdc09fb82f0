"""Quantities of another kind than an argument takes: what they count says where they belong."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from estimator.base.errors import InvalidValueError
from estimator.base.nouns import PARAMETER_NOUNS, SAMPLE_NOUNS, STEP_NOUNS, TOKEN_NOUNS
from estimator.base.numerals import NUMERAL
from estimator.base.spoken import spoken
from estimator.base.units import counted_noun, is_gpu_time
from estimator.question.request import Request
from estimator.resolve.text_tokens import text_tokens

__all__ = ["checked_kind", "checked_kinds"]

_LONGEST = 64
_NUMBER = rf"{NUMERAL}\s*(?:(?:[kmbgt]|mn|bn|hundred|thousand|lakh|crore|million|billion|trillion)(?![a-z]) ?)*"
_CURRENCY = r"(?:usd|us\$|dollars?|eur|euros?|cny|rmb|yuan|jpy|yen|gbp|pounds?|inr|rupees?|krw|won|hkd|[$€£¥₹₩])"
_TAKES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("tokens", "tokens_per_sample", "tokens_done", "sequence_length"), "tokens"),
        **dict.fromkeys(("model", "trainable_params"), "parameters"),
        "samples": "samples",
        "epochs": "passes",
        "steps": "steps",
        "global_batch_sequences": "samples",
    }
)
"""By argument, what it counts."""
_TAKES_TOO: Mapping[str, str] = MappingProxyType(
    # Papers tell a batch in tokens; tokens are told as a size of text.
    {"global_batch_sequences": "tokens", "tokens": "text", "tokens_per_sample": "text"}
)
_PARAMETERS = rf"(?:{'|'.join(sorted(PARAMETER_NOUNS))})"
_SOUNDS = r"(?:audio|speech|recordings?|sounds?|podcasts?|audiobooks?|calls|voice)"
_PREFIX = r"(?:[gtpezy]|giga|tera|peta|exa|zetta|yotta)"
_A_BUDGET = 'plan_training takes it as budget: solve_for "tokens" says what it trains'
_KINDS: tuple[tuple[str, str, str], ...] = (
    ("tokens", "", "give it as tokens"),
    ("samples", "", "give it as samples, with tokens_per_sample"),
    ("steps", "", "give it as steps, with the batch"),
    ("parameters", "", "they are a model's size: give it as model"),
    (
        "text",
        rf"{_NUMBER} ?(?:words?|pages?|books?|novels|characters?|chars|[kmgtp]i?b(?:ytes?)?|bytes)",
        "that is a size of text: give it as tokens, which takes it",
    ),
    ("passes", rf"{_NUMBER} ?(?:epochs?|passes)", "give it as epochs, beside tokens or samples"),
    ("GPUs", rf"{_NUMBER} ?(?:gpus?|cards?|accelerators?|nodes?)", "give it as n_gpus"),
    (
        "time",
        # A bare m is a million.
        rf"{_NUMBER} ?(?:h|d|(?:sec|second|min|minute|hr|hour|day|wk|week|month|quarter|yr|year)s?)",
        'plan_training takes it as deadline: solve_for "tokens" says what trains in it',
    ),
    (
        "sound",
        rf"{_NUMBER} ?(?:h|hrs?|hours?|min|minutes?)(?: of)? (?:\w[\w-]* ){{0,4}}{_SOUNDS}",
        "those are for a model that reads sounds, such as whisper-large-v3; of what text models read give the tokens",
    ),
    (
        "money",
        rf"{_CURRENCY} ?{_NUMBER}|{_NUMBER} ?(?:us )?{_CURRENCY}",
        _A_BUDGET,
    ),
    (
        "FLOPs",
        rf"{_NUMBER} ?{_PREFIX}?[ -]?(?:flops?|f|operations)(?:(?:/s)?[ -]?(?:day|year)s?)?",
        "they are the tokens times those of a token, about 6 for each parameter: give the tokens",
    ),
    (
        "ratio",
        rf"{_NUMBER} ?(?:x|×|times|tokens?) ?(?:(?:per|/|the) ?)?{_PARAMETERS}|(?:chinchilla|compute)(?:[ -]?optimal)?",
        "plan_training takes a ratio as tokens_per_parameter; here give the tokens, at 20 a parameter compute-optimal",
    ),
    ("energy", rf"{_NUMBER} ?[kmgt]?wh", "energy is what an answer tells: give the tokens"),
)
"""What is counted, how it is written where no noun of a count tells it, and where it belongs."""
_TOLD_IN_HOURS = frozenset({"samples", "tokens"})
_OF_SOUND = "hours of sound are counted of models that hear or speak, such as whisper-small or orpheus-3b; "
_SIZED = re.compile(rf"{_NUMBER} ?(?:[kmgtp]i?b(?:ytes?)?|bytes|words?|pages?|books?|characters?)\b")
"""A size that a text may have, whatever it is of."""
_WRITTEN = tuple((kind, re.compile(pattern), remedy) for kind, pattern, remedy in _KINDS if pattern)
_REMEDY = {kind: remedy for kind, _, remedy in _KINDS}
_OF_NOUNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(SAMPLE_NOUNS, ("samples", _REMEDY["samples"])),
        **dict.fromkeys(STEP_NOUNS, ("steps", _REMEDY["steps"])),
        **dict.fromkeys(TOKEN_NOUNS, ("tokens", _REMEDY["tokens"])),
        **dict.fromkeys(PARAMETER_NOUNS, ("parameters", _REMEDY["parameters"])),
    }
)
_GPU_TIME = ("GPU time", _A_BUDGET)


def checked_kind(argument: str, given: object) -> None:
    """Raise InvalidValueError where `given` counts something else than `argument` does, saying where that belongs.

    What is no quantity with a unit, a bare number or the name of a data set, is for others to read.
    """
    if not isinstance(given, str):
        return
    kind, remedy = _kind(given)
    takes = _TAKES[argument]
    if kind and kind not in {takes, _TAKES_TOO.get(argument)}:
        sounds = _OF_SOUND if argument in _TOLD_IN_HOURS and kind == "time" else ""
        raise InvalidValueError(argument, given, f"counts no {takes}; {sounds}{remedy}")


_READ_TOGETHER = (
    *("sequence_length", "trainable_params", "global_batch_sequences"),
    *("tokens", "samples", "tokens_per_sample", "epochs", "steps"),
)


def checked_kinds(request: Request) -> None:
    """Raise InvalidValueError for the first quantity of `request` that counts something else than its argument."""
    for argument in _READ_TOGETHER:
        checked_kind(argument, getattr(request, argument))


@lru_cache(maxsize=1024)
def _kind(given: str) -> tuple[str, str]:
    """Return what `given` counts and where that belongs; both empty where it does not say."""
    if len(given) > _LONGEST:
        return "", ""
    if is_gpu_time(given):
        return _GPU_TIME
    text, noun = spoken(given), counted_noun(given)
    if noun in _OF_NOUNS:
        return _OF_NOUNS[noun]
    found = next(((kind, remedy) for kind, written, remedy in _WRITTEN if written.fullmatch(text)), None)
    return found or (("text", _REMEDY["text"]) if _is_text(given, text) else ("", ""))


def _is_text(given: str, text: str) -> bool:
    """Return whether `given` is a size of text of some language or format: `5 MB jsonl`, `2 GB of German text`."""
    if _SIZED.search(text) is None:
        return False
    try:
        return text_tokens(given, "tokens") is not None
    except InvalidValueError:
        # Compressed, or of pictures or sounds, which is said where it is read.
        return False
