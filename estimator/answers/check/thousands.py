"""A speed whose point may set thousands apart: read so where it would be absurd as a decimal, and only then."""

import re
from dataclasses import replace

from estimator.answers.check.observation import Observed
from estimator.base.errors import shown
from estimator.base.numerals import other_reading
from estimator.base.speeds import parse_tokens_per_second
from estimator.question.question import Caution

__all__ = ["with_thousands"]

_POINT = re.compile(r"(?<![\d.,])([1-9]\d{0,2})\.(\d{3})(?![\d.,e])")
_THOUSAND = 1000.0
_ABSURD = 0.02
"""Share of the expected speed below which nobody asks about tokens rather than what is broken …"""
_LEAST, _MOST = 0.05, 3.0
"""… and shares between which the other reading is a speed that runs have."""
_MOST_SPEED = 1e15


def with_thousands(observed: Observed, expected: float, n_gpus: int) -> tuple[Observed, tuple[Caution, ...]]:
    """Return `observed` with `12.000 tok/s` as twelve thousand where twelve is absurd beside what is `expected`.

    Half of Europe writes thousands so; where either may be so, the text is read as it always is.
    """
    name, given = "observed_tokens_per_second", observed.tokens_per_second
    if not isinstance(given, str) or other_reading(given) is None or _POINT.search(given) is None:
        return observed, ()
    speed, _ = parse_tokens_per_second(given, name, n_gpus=n_gpus, most=_MOST_SPEED)
    if speed >= _ABSURD * expected or not _LEAST <= speed * _THOUSAND / expected <= _MOST:
        return observed, ()
    meant = _POINT.sub(r"\1\2", given)
    message = (
        f"{name}: {shown(given)} is read as {meant.strip()}, its point between thousands, for as a decimal it would be "
        f"{speed / expected:.2g} of what is expected; if that is meant, write it with fewer digits behind the point"
    )
    return replace(observed, tokens_per_second=meant), (Caution(code="thousands_taken", message=message),)
