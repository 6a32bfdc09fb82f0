"""Kernel between runs' log-time residuals: the prior covariance that the kriged correction rests on.

Its inputs, the traits, are known before any layout is chosen, so that the correction never decides between layouts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimator.models.training import WITH_ADAPTERS
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.physics.choice import Setting
from estimator.physics.effects import bit_class, release
from estimator.physics.layout import Floats
from estimator.physics.stacks import Stack
from estimator.question.cluster import Accelerator

__all__ = [
    "RUN_SPREAD",
    "SOURCE_SPREAD",
    "Traits",
    "error_kernel",
    "joined_traits",
    "residual_kernel",
    "setting_traits",
    "traits_of",
]

Rows = NDArray[np.intp]

SOURCE_SPREAD = 0.15
"""Standard deviation of the random effect of a source, shared by all its runs: its machines, its tuning. Log time."""
RUN_SPREAD = 0.25
"""Noise (nugget) of the kernel: standard deviation between runs of equal traits and different sources. Log time."""
_SPREAD = 0.5
"""Amplitude of the kernel: prior standard deviation of a residual of the physics. Log time."""
_EXPERTS_SHARE = 0.35
"""Factor on that amplitude for models with experts: their shapes differ by more than these traits say."""
_SAME_STACK_AND_DEVICE = 0.06
_SAME_TIER_AND_FAMILY = 0.03
"""Standard deviations of constant kernels, which do not fade with size, length, batch or date. Log time."""
_FADING = {"log_size": 1.5, "log_length": 0.4, "log_batch": 1.5, "released": 2.0}
"""Length scales of the squared-exponential factors, in e-folds, and years for the release. The count of devices is not
among them: a batch on more of them must not become slower by being compared with other runs."""
_OTHER = {"stack": 0.25, "family": 0.3, "device": 0.3, "bits": 0.8, "experts": 0.1, "adapters": 0.25}
"""Factor on the kernel where two runs differ in a categorical trait: 1 would be no difference, 0 independence."""
_WIDE_FADING = {"log_size": 2.5, "log_length": 1.2, "log_batch": 3.0, "released": 2.0}
_WIDE_OTHER = {"stack": 0.3, "family": 0.4, "device": 0.5, "bits": 0.7, "experts": 0.15, "adapters": 0.4}
"""The same for the size of residuals, which is alike over longer distances than their sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """Inputs of the kernels, arrays of shape (R,); categorical ones are numbered by `_numbers`."""

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
        """Return the traits at `rows`, in that order."""
        return Traits(**{name: getattr(self, name)[rows] for name in Traits.__slots__})

    @property
    def values(self) -> tuple[float, ...]:
        """The first row as plain numbers: a hashable key for caches."""
        return tuple(float(getattr(self, name)[0]) for name in Traits.__slots__)

    @classmethod
    def of_values(cls, values: tuple[float, ...]) -> "Traits":
        """Return the one row whose numbers are `values`."""
        return cls(**{name: np.array([value]) for name, value in zip(Traits.__slots__, values, strict=True)})


_NUMBERS: dict[str, int] = {}


def _numbers(words: Iterable[str]) -> Rows:
    """Return an integer code for each word, stable within this process: codes compare faster than words."""
    return np.array([_NUMBERS.setdefault(word, len(_NUMBERS)) for word in words], dtype=np.intp)


def setting_traits(setting: Setting) -> Traits:
    """Return the traits of one question, one row."""
    question = setting.question
    chip = question.cluster.accelerator
    return traits_of(
        (setting.stack,),
        (chip,),
        (question.precision,),
        (question.transformer,),
        (question.method.name,),
        lengths=(question.sequence_length,),
        tokens_per_step=(setting.global_batch * question.sequence_length,),
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
        experts=np.array([int(transformer.experts is not None) for transformer in transformers]),
        adapters=np.array([int(method in WITH_ADAPTERS) for method in methods]),
        log_size=np.log([float(workload(transformer).active_parameters) for transformer in transformers]),
        log_length=np.log(np.array(lengths, dtype=np.float64)),
        log_batch=np.log(np.array(tokens_per_step, dtype=np.float64)),
        released=np.array(released, dtype=np.float64),
    )


def joined_traits(parts: Sequence[Traits]) -> Traits:
    """Return the rows of all `parts`, in order."""
    return Traits(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Traits.__slots__})


def residual_kernel(a: Traits, b: Traits) -> Floats:
    """Return the kernel between the log-time residuals of runs `a` and runs `b`, shape (A, B), in log time squared.

        s_a · s_b · exp(−½ Σ (Δx / length)²) · Π (factor of each trait that differs) + constants of shared traits

    x: log size, log sequence length, log tokens a step, release. A sum of products of kernels, so positive
    semi-definite (Rasmussen and Williams 2006, section 4.2.4).
    """
    share = _SPREAD * np.where(a.experts > 0, _EXPERTS_SHARE, 1.0)
    other = _SPREAD * np.where(b.experts > 0, _EXPERTS_SHARE, 1.0)
    same_device = _same(a, b, "stack") & _same(a, b, "device") & _same(a, b, "experts")
    same_family = _same(a, b, "tier") & _same(a, b, "family")
    constant = _SAME_STACK_AND_DEVICE**2 * same_device + _SAME_TIER_AND_FAMILY**2 * same_family
    return share[:, None] * other[None, :] * _kernel(a, b, _FADING, _OTHER) + constant


def error_kernel(a: Traits, b: Traits) -> Floats:
    """Return the kernel between the absolute log errors of runs `a` and runs `b`, 0 to 1, shape (A, B)."""
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
