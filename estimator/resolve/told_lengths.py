"""Lengths of samples as people write them: `300`, `500-600`, `550 ± 30`, `mean 300, max 2048`, `p50 200, p95 900`."""

import math
import re
from collections.abc import Mapping
from statistics import NormalDist

from estimator.base.errors import InvalidValueError
from estimator.base.prior import Prior
from estimator.base.units import KILO, parse_count
from estimator.resolve.sample_lengths import LENGTH_VARIATION, USUAL_SAMPLE, SampleLengths, expected_longest
from estimator.resolve.text_tokens import text_tokens

__all__ = ["told_lengths"]

_ARGUMENT = "tokens_per_sample"
_LONGEST = 80
_REMEDY = (
    'must be a mean length ("400"), a range ("500-600"), "550 ± 30", "mean 300, max 2048" or "median 200, p95 900", '
    'in tokens, the longest alone ("max 512"), one length of all ("exactly 384", "padded to 384"), turns ("6 turns of '
    '200"), or source and target ("300 source, 60 target")'
)
_TURNS = re.compile(
    r"(?:conversations? of |dialogues? of )?(?P<turns>\d+(?:\.\d+)?)[\s-]*(?:turns?|messages?|rounds?|exchanges?)"
    r"(?:\s*(?:each|per conversation))?\s*(?:of|x|×|\*|with|at|,|à)\s*(?:about\s*|~\s*)?(?P<each>[\d.,_]*\d\s*k?)"
    r"(?:\s*(?:tokens?|toks?))?(?:\s*(?:each|(?:a|per|/)\s*(?:turn|message|round|exchange)))?"
)
_COUNT = r"[\d.,_]*\d[\d.,_]*(?:e\d+)?\s*k?"
_ABOUT = re.compile(r"^(?:about|approximately|approx\.?|around|avg\.?|average|circa|ca\.?|mean|~|≈)[\s:=]*(?:of\s+)?")
_TOKENS = re.compile(r"\s*\b(?:tokens?|toks?)\b(?:\s*(?:per|/|a|each)\s*(?:sample|example|row|conversation)?)?\s*$")
_RANGE = re.compile(rf"(?:between|from)?\s*({_COUNT})\s*(?:-|–|—|\.\.+|…|to|and|bis)\s*({_COUNT})")
_AROUND = re.compile(rf"({_COUNT})\s*(?:±|\+/-|\+-|plus or minus)\s*({_COUNT})\s*(%?)")
_ALL_WORDS = r"(?:all|each|every|always|exactly|fixed|constant|uniform|equal|same)"
_ALL = re.compile(
    rf"(?:{_ALL_WORDS}\s+)+(?:(?:length|size|of|at|to|are|is)\s+)*({_COUNT})|({_COUNT})[\s,(]*(?:{_ALL_WORDS}\s*)+\)?"
)
_UP_TO = re.compile(r"\bup to\b|\bat most\b|\b(?:cut|truncated)(?: off)? (?:at|to)\b|<=|≤|<")
_SEPARATOR = re.compile(r",(?!\d{3}(?!\d))|[;:=/()]")
"""What stands between named numbers; a comma before three digits is in one."""
_IDLE = frozenset({"a", "and", "is", "length", "of", "token", "tokens", "toks", "with"})
_SHORTEST = 2
"""Words of the shortest text with a name in it."""
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("mean", "avg", "avg.", "average", "about"), "mean"),
    **dict.fromkeys(("max", "max.", "maximum", "longest", "most", "limit"), "max"),
    **dict.fromkeys(("min", "min.", "minimum", "shortest", "least"), "min"),
    **dict.fromkeys(("std", "std.", "stdev", "sd", "sigma", "deviation"), "std"),
    **dict.fromkeys(("median", "p50"), "p50"),
    **{f"p{percent}": f"p{percent}" for percent in (75, 80, 90, 95, 98, 99)},
}
_EVEN = 2.0
"""Ratio of the ends of a range up to which lengths are taken to lie evenly between them: "500 to 600" is a band that
was chosen; a wide range is of the shortest and the longest of a skewed set."""
_ENDS_AT = 2.0
"""Standard deviations of log length at which the ends of a wide range lie."""
_HALF_RANGE = math.sqrt(3.0)
"""Half the width over the standard deviation, where lengths lie evenly and "± 30" means their ends."""
_MOST_SIGMA = 3.0
"""Standard deviation of log length beyond which no set of samples lies."""
_SAMPLES_SEEN = 10_000
"""Samples whose longest was looked up: the spread depends on it as the root of its logarithm."""


def told_lengths(given: object) -> SampleLengths:
    """Return the lengths of samples that `given` tells; of a number alone the mean, with a usual spread.

    Raises InvalidValueError for what is none, naming the forms that are read.
    """
    if not isinstance(given, str):
        return SampleLengths(mean=parse_count(given, _ARGUMENT), bare=True)
    if len(given) > _LONGEST:
        raise InvalidValueError(_ARGUMENT, given, _REMEDY)
    text = _UP_TO.sub("max ", _TOKENS.sub("", " ".join(given.casefold().split())))
    found = (
        _in_turns(text, given)
        or _alike(text, given)
        or _ranged(text, given)
        or _around(text, given)
        or _parts(text, given)
        or _of_text(given)
    )
    if found is not None:
        return found
    mean = _count(_ABOUT.sub("", text), given)
    return SampleLengths(mean=mean, bare=_ABOUT.match(text) is None)


def _of_text(given: str) -> SampleLengths | None:
    """Return the lengths of samples that are so much text each: `400 words`, `2 KB`; None for what is none."""
    told = text_tokens(given, _ARGUMENT)
    if told is None:
        return None
    return SampleLengths(
        mean=round(told.tokens, 1), low_factor=told.low / told.tokens, high_factor=told.high / told.tokens
    )


def _in_turns(text: str, given: str) -> SampleLengths | None:
    """Return the lengths of conversations that are told turn by turn: `6 turns of 200 tokens`; None for what is none.

    One sample is a whole conversation.
    """
    match = _TURNS.fullmatch(_ABOUT.sub("", text))
    if match is None:
        return None
    return SampleLengths(mean=float(match["turns"]) * _count(match["each"], given))


def _alike(text: str, given: str) -> SampleLengths | None:
    """Return lengths that are all the same: `exactly 384`, `fixed 384`, `384 (fixed)`."""
    match = _ALL.fullmatch(text)
    if match is None:
        return None
    length = _count(match[1] or match[2], given)
    return _between(length, length)


def _ranged(text: str, given: str) -> SampleLengths | None:
    match = _RANGE.fullmatch(_ABOUT.sub("", text))
    if match is None:
        return None
    shortest, longest = (_count(part, given) for part in match.groups())
    if match[2].endswith("k") and not match[1].endswith("k") and shortest * KILO <= longest:
        # "1-2k" is in thousands at both ends, "500-2k" at one.
        shortest *= KILO
    if shortest > longest:
        raise InvalidValueError(
            _ARGUMENT, given, "is a range whose first end is the longer; give the shorter one first"
        )
    return _between(shortest, longest)


def _between(shortest: float, longest: float) -> SampleLengths:
    """Return lengths in a range: even ones in a narrow range, log-normal ones where the ends lie far apart.

    Log-normal, the ends are two standard deviations from the median, and the mean may be as much as the middle.
    """
    middle = (shortest + longest) / 2.0
    if longest <= _EVEN * shortest:
        variation = (longest - shortest) / (2.0 * _HALF_RANGE) / middle
        spread = Prior(low=variation, mode=variation, high=variation, why="the caller's range")
        return SampleLengths(mean=middle, variation=spread, shortest=shortest, longest=longest, told=True)
    sigma = min(_MOST_SIGMA, math.log(longest / shortest) / (2.0 * _ENDS_AT))
    skewed = math.sqrt(shortest * longest) * math.exp(sigma * sigma / 2.0)
    mean = round(math.sqrt(skewed * max(middle, skewed)), 1)
    variation = math.sqrt(math.expm1(sigma * sigma))
    spread = Prior(low=variation, mode=variation, high=variation, why="the caller's range")
    return SampleLengths(
        mean=mean,
        variation=spread,
        longest=longest,
        told=True,
        low_factor=min(middle, skewed) / mean,
        high_factor=max(middle, skewed) / mean,
    )


def _around(text: str, given: str) -> SampleLengths | None:
    match = _AROUND.fullmatch(_ABOUT.sub("", text))
    if match is None:
        return None
    mean, about = _count(match[1], given), _count(match[2], given)
    variation = about / 100.0 if match[3] else about / mean
    if variation >= 1.0:
        raise InvalidValueError(_ARGUMENT, given, "deviates by as much as the mean; give mean and max, or p50 and p95")
    # Half a range or a standard deviation: who writes ± seldom says which.
    spread = Prior(low=variation / _HALF_RANGE, mode=variation, high=variation, why="the caller's deviation")
    return SampleLengths(mean=mean, variation=spread, told=True)


def _parts(text: str, given: str) -> SampleLengths | None:
    """Return lengths from named numbers: mean, median, min, max, std, p90, …; None where the text has none."""
    number = _named_numbers(text, given)
    if not number:
        return None
    longest = number.get("max")
    percentile = next((name for name in number if name.startswith("p") and name != "p50"), None)
    if percentile and ("p50" in number or "mean" in number):
        return _of_percentile(number, percentile, longest, given)
    mean = number.get("mean")
    if mean is None and "p50" in number:
        sigma = math.sqrt(math.log1p(LENGTH_VARIATION.mode**2))
        mean = number["p50"] * math.exp(sigma * sigma / 2.0)
    if mean is None:
        return _of_ends(number, given)
    if longest is not None and longest < mean:
        remedy = "has a mean above the longest; where samples are cut there, say that length in sequence_length"
        raise InvalidValueError(_ARGUMENT, given, remedy)
    if "std" in number:
        variation = number["std"] / mean
        spread = Prior(low=variation, mode=variation, high=variation, why="the caller's deviation")
        return SampleLengths(mean=mean, variation=spread, longest=longest, told=True)
    if longest is None:
        return SampleLengths(mean=mean)
    return SampleLengths(mean=mean, variation=_spread_up_to(mean, longest), longest=longest, told=True)


def _of_ends(number: Mapping[str, float], given: str) -> SampleLengths:
    """Return lengths of which the longest is known, and maybe the shortest."""
    longest = number.get("max")
    if longest is not None and number.get("min", math.inf) <= longest:
        return _between(number["min"], longest)
    if longest is not None and len(number) == 1:
        return _up_to(longest)
    raise InvalidValueError(_ARGUMENT, given, f"does not say how long a mean sample is; it {_REMEDY}")


def _up_to(longest: float) -> SampleLengths:
    """Return lengths of which the longest alone is known: those of a usual set, cut there."""
    low, mean, high = (
        round(expected_longest(uncut, 1, longest, LENGTH_VARIATION.mode, chunks=False), 1)
        for uncut in (USUAL_SAMPLE.low, USUAL_SAMPLE.mode, USUAL_SAMPLE.high)
    )
    return SampleLengths(
        mean=mean,
        variation=_spread_up_to(mean, longest),
        longest=longest,
        told=True,
        low_factor=low / mean,
        high_factor=high / mean,
        usual_mean=True,
    )


def _named_numbers(text: str, given: str) -> dict[str, float]:
    """Return the numbers of `text` by their names, which stand before or behind them; a first bare one is the mean."""
    words = [word for word in _SEPARATOR.sub(" ", text).split() if word not in _IDLE]
    if len(words) < _SHORTEST or not any(word in _NAMES for word in words):
        return {}
    if not _is_name(words[0]) and (len(words) % 2 or not _is_name(words[1])):
        words.insert(0, "mean")
    elif not _is_name(words[0]):
        words = [word for pair in zip(words[1::2], words[::2], strict=True) for word in pair]
    names, counts = words[::2], words[1::2]
    if len(names) != len(counts) or not all(name in _NAMES for name in names):
        return {}
    return {_NAMES[name]: _count(count, given) for name, count in zip(names, counts, strict=True)}


def _is_name(word: str) -> bool:
    return word[0].isalpha()


def _of_percentile(number: Mapping[str, float], percentile: str, longest: float | None, given: str) -> SampleLengths:
    """Return log-normal lengths from a percentile and either the median or the mean.

    σ = ln(p / median) / z;   with a mean m, ln(p / m) = z σ − σ² / 2
    """
    z = NormalDist().inv_cdf(float(percentile[1:]) / 100.0)
    anchor = number.get("p50", number.get("mean", 0.0))
    log_ratio = math.log(number[percentile] / anchor)
    if log_ratio < 0:
        raise InvalidValueError(_ARGUMENT, given, f"has a {percentile} below the middle")
    if "p50" in number:
        sigma = min(_MOST_SIGMA, log_ratio / z)
        mean = number.get("mean", anchor * math.exp(sigma * sigma / 2.0))
    else:
        sigma, mean = z - math.sqrt(max(0.0, z * z - 2.0 * log_ratio)), anchor
    variation = math.sqrt(math.expm1(sigma * sigma))
    spread = Prior(low=variation, mode=variation, high=variation, why="the caller's percentiles")
    return SampleLengths(mean=mean, variation=spread, longest=longest, told=True)


def _spread_up_to(mean: float, longest: float) -> Prior:
    """Return the spread of lengths whose mean and longest are known.

    At least that at which the longest of many is as long; as much as usual where samples are cut there.
    """
    z = NormalDist().inv_cdf(1.0 - 1.0 / _SAMPLES_SEEN)
    sigma = z - math.sqrt(max(0.0, z * z - 2.0 * math.log(longest / mean)))
    least = min(LENGTH_VARIATION.high, math.sqrt(math.expm1(sigma * sigma)))
    most = max(least, LENGTH_VARIATION.mode)
    return Prior(low=least, mode=math.sqrt(least * most), high=most, why="between no sample cut and a usual spread cut")


def _count(text: str, given: str) -> float:
    try:
        return parse_count(text.strip(), _ARGUMENT)
    except InvalidValueError:
        raise InvalidValueError(_ARGUMENT, given, _REMEDY) from None
