"""How alike two runs are: the covariance of what the physics gets wrong about them.

What a question has in common with published runs is known before any layout is chosen, so that the correction that
follows from it never decides between layouts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.physics.choice import Setting
from estimator.physics.effects import bit_class, release
from estimator.physics.layout import Floats
from estimator.physics.stacks import Stack
from estimator.question.cluster import Accelerator

__all__ = ["NOISE", "SOURCE_SPREAD", "Traits", "joined_traits", "likeness", "nearness", "setting_traits", "traits_of"]

Rows = NDArray[np.intp]

SOURCE_SPREAD = 0.15
"""Spread that all runs of one source share and no other has: its machines, its tuning. Log time."""
NOISE = 0.25
"""Spread between runs that nothing recorded tells apart; releases and submitters differ. Log time."""
_SPREAD = 0.5
"""Spread of what a stack does with one kind of question on one device beyond the physics. Log time."""
_EXPERTS_SHARE = 0.35
"""Share of that spread which carries over between models with experts: their shapes differ more than these traits."""
_SAME_STACK_AND_DEVICE = 0.06
_SAME_TIER_AND_FAMILY = 0.03
"""Spreads that do not fade with size, length, batch or date."""
_FADING = {"log_size": 1.5, "log_length": 0.4, "log_batch": 1.5, "released": 2.0}
"""Distance at which likeness has fallen to 0.61: e-folds, and years. The count of devices is not among them: a batch
on more of them must not become slower by being compared with other runs."""
_OTHER = {"stack": 0.25, "family": 0.3, "device": 0.3, "bits": 0.8, "experts": 0.1, "adapters": 0.25}
"""What is left of likeness where two runs differ in a trait."""
_WIDE_FADING = {"log_size": 2.5, "log_length": 1.2, "log_batch": 3.0, "released": 2.0}
_WIDE_OTHER = {"stack": 0.3, "family": 0.4, "device": 0.5, "bits": 0.7, "experts": 0.15, "adapters": 0.4}
"""The same for how far off predictions are, which fades more slowly than in which direction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What tells runs apart, arrays of shape (R,); words are numbered by `_numbers`."""

    stack: Rows
    tier: Rows
    family: Rows
    """Family and segment of the device."""
    device: Rows
    bits: Rows
    experts: Rows
    adapters: Rows
    log_size: Floats
    """Log of active parameters."""
    log_length: Floats
    log_batch: Floats
    """Log of tokens a step."""
    released: Floats
    """Release of the software, in years."""

    def taken(self, rows: Rows) -> "Traits":
        """Return the given rows."""
        return Traits(**{name: getattr(self, name)[rows] for name in Traits.__slots__})

    @property
    def values(self) -> tuple[float, ...]:
        """The first row as numbers, which can be a key."""
        return tuple(float(getattr(self, name)[0]) for name in Traits.__slots__)

    @classmethod
    def of_values(cls, values: tuple[float, ...]) -> "Traits":
        """Return the one row whose numbers are `values`."""
        return cls(**{name: np.array([value]) for name, value in zip(Traits.__slots__, values, strict=True)})


_NUMBERS: dict[str, int] = {}


def _numbers(words: Iterable[str]) -> Rows:
    """Return a number of this process for each word: comparing numbers is faster than comparing words."""
    return np.array([_NUMBERS.setdefault(word, len(_NUMBERS)) for word in words], dtype=np.intp)


def setting_traits(of: Setting) -> Traits:
    """Return the traits of one question, one row."""
    question = of.question
    chip = question.cluster.accelerator
    return traits_of(
        (of.stack,),
        (chip,),
        (question.precision,),
        (question.transformer,),
        (question.method.name,),
        lengths=(question.sequence_length,),
        tokens_per_step=(of.global_batch * question.sequence_length,),
        released=(release(question),),
    )


def traits_of(
    stacks: Sequence[Stack],
    chips: Sequence[Accelerator],
    precisions: Sequence[str],
    transformers: Sequence[Transformer],
    methods: Sequence[str],
    *,
    lengths: Sequence[int],
    tokens_per_step: Sequence[float],
    released: Sequence[float],
) -> Traits:
    """Return the traits of runs, a row each."""
    return Traits(
        stack=_numbers(stack.kin for stack in stacks),
        tier=_numbers(stack.tier for stack in stacks),
        family=_numbers(f"{chip.family}-{chip.segment}" for chip in chips),
        device=_numbers(chip.id for chip in chips),
        bits=_numbers(map(bit_class, precisions)),
        experts=np.array([int(one.experts is not None) for one in transformers]),
        adapters=np.array([int(method != "full") for method in methods]),
        log_size=np.log([float(workload(one).active_parameters) for one in transformers]),
        log_length=np.log(np.array(lengths, dtype=np.float64)),
        log_batch=np.log(np.array(tokens_per_step, dtype=np.float64)),
        released=np.array(released, dtype=np.float64),
    )


def joined_traits(parts: Sequence[Traits]) -> Traits:
    """Return the rows of all `parts`, in order."""
    return Traits(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Traits.__slots__})


def likeness(a: Traits, b: Traits) -> Floats:
    """Return the covariance of what the physics gets wrong about runs `a` and runs `b`, shape (A, B), log time squared.

    spread² · fading(size, length, batch, release) · product of what differing traits leave + what never fades
    """
    share = _SPREAD * np.where(a.experts > 0, _EXPERTS_SHARE, 1.0)
    other = _SPREAD * np.where(b.experts > 0, _EXPERTS_SHARE, 1.0)
    same_device = _same(a, b, "stack") & _same(a, b, "device") & _same(a, b, "experts")
    same_family = _same(a, b, "tier") & _same(a, b, "family")
    constant = _SAME_STACK_AND_DEVICE**2 * same_device + _SAME_TIER_AND_FAMILY**2 * same_family
    return share[:, None] * other[None, :] * _kernel(a, b, _FADING, _OTHER) + constant


def nearness(a: Traits, b: Traits) -> Floats:
    """Return how much the size of errors of runs `b` says about that of runs `a`, 0 to 1, shape (A, B)."""
    return _kernel(a, b, _WIDE_FADING, _WIDE_OTHER)


def _kernel(a: Traits, b: Traits, fading: Mapping[str, float], other: Mapping[str, float]) -> Floats:
    squared = np.zeros((len(a.stack), len(b.stack)))
    for name, length in fading.items():
        squared += ((getattr(a, name)[:, None] - getattr(b, name)[None, :]) / length) ** 2
    out = np.exp(-0.5 * squared)
    for name, left in other.items():
        out *= np.where(_same(a, b, name), 1.0, left)
    return out


def _same(a: Traits, b: Traits, name: str) -> NDArray[np.bool_]:
    return np.asarray(getattr(a, name)[:, None] == getattr(b, name)[None, :])
