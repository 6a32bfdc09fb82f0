"""How far a question lies beyond what was measured: physics that is drawn on past its data is less sure, the further.

What runs of a kind are off by is told of those that were measured, whatever their size. But a sequence of a million
tokens, or a cluster of a hundred thousand devices, is not as sure as what is usual.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from estimator.evidence.calibration import generation
from estimator.evidence.correction import numbered
from estimator.evidence.likeness import Traits, setting_traits
from estimator.evidence.outlook import neighbours, served_runs
from estimator.models.kinds import decoder_share, measured_as
from estimator.physics.choice import Setting
from estimator.physics.layout import Floats
from estimator.question.question import Caution

__all__ = ["beyond_log", "beyond_of", "left_out_beyond", "length_beyond"]

_BEYOND = 0.12
"""Standard deviation that log time gains with each e-fold beyond what was measured. Without it ranges hold 78 % of the
runs that lie beyond what two other labs have, and 92 % of the others; from 0.10 to 0.14 they hold as many of either."""
_CONFIRMED = 2
"""Labs that have measured at least as far: what one lab alone did may be its own."""


_LENGTH = 2
"""Place of longer sequences among the quantities."""
_ROUNDING = 1e-9


def _quantities(traits: Traits, n_gpus: Floats) -> Floats:
    """Return the natural logs of what may lie beyond, shape (R, 6), each larger the further out; `n_gpus` is (R,).

    Parameters and sequence both ways; devices upwards, of which one is measured often; tokens of a device downwards,
    since more of them are more micro-batches of the same kind.
    """
    size, length, devices = traits.log_size, traits.log_length, np.log(n_gpus)
    return np.column_stack([size, -size, length, -length, devices, devices - traits.log_batch])


def _reached(quantities: Floats, labs: Sequence[str]) -> Floats:
    """Return how far at least `_CONFIRMED` labs have measured, shape (6,)."""
    codes = numbered(labs)
    furthest = np.array([quantities[codes == code].max(axis=0) for code in np.unique(codes)])
    return np.asarray(np.sort(furthest, axis=0)[-min(_CONFIRMED, len(furthest))])


def beyond_log(quantities: Floats, reached: Floats) -> Floats:
    """Return the standard deviation, in log time, from lying beyond what was `reached`, shape (R,).

    spread · sqrt(Σ (e-folds beyond)²)      each quantity's error is independent of the others'
    """
    return np.asarray(_BEYOND * np.sqrt(np.sum(np.maximum(quantities - reached, 0.0) ** 2, axis=1)))


def beyond_of(setting: Setting) -> float:
    """Return the standard deviation for a question, as far as decoders' runs tell of it: other kinds have their own."""
    share = decoder_share(setting.question.transformer)
    if not share:
        return 0.0
    return share * float(beyond_log(_asked(setting), _reached_by(generation()))[0])


def length_beyond(setting: Setting) -> tuple[Caution, ...]:
    """Return the warning that one lab at most has measured decoders on sequences as long as these."""
    longest = float(_reached_by(generation())[_LENGTH])
    if measured_as(setting.question.transformer) != "decoder" or _asked(setting)[0, _LENGTH] <= longest + _ROUNDING:
        return ()
    message = (
        f"no two labs have published the speed of sequences of more than {round(math.exp(longest)):,} tokens: the "
        "range widens with the distance"
    )
    return (Caution(code="unseen_length", message=message),)


def _asked(setting: Setting) -> Floats:
    return _quantities(setting_traits(setting), np.array([float(setting.question.cluster.n_gpus)]))


@cache
def _reached_by(_: int) -> Floats:
    runs = served_runs()
    n_gpus = np.array([float(run.n_gpus) for run in runs])
    return _reached(_quantities(neighbours().traits, n_gpus), [run.lab for run in runs])


def left_out_beyond(traits: Traits, n_gpus: Sequence[int], labs: Sequence[str]) -> Floats:
    """Return the standard deviation of each row in log time, shape (R,), its own lab left out of what was measured."""
    quantities = _quantities(traits, np.array(n_gpus, dtype=np.float64))
    whose = np.array(labs)
    spreads = np.zeros(len(whose))
    for lab in np.unique(whose):
        others = whose != lab
        if others.any():
            reached = _reached(quantities[others], whose[others].tolist())
            spreads[~others] = beyond_log(quantities[~others], reached)
    return spreads
