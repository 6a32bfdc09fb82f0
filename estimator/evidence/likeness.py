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
    "LAB_SPREAD",
    "RUN_SPREAD",
    "Traits",
    "error_kernel",
    "joined_traits",
    "kernel",
    "residual_kernel",
    "setting_traits",
    "traits_of",
]

Rows = NDArray[np.intp]

LAB_SPREAD = 0.2
"""Standard deviation of the random effect of a lab, shared by all its runs: its machines, its tuning. Log time."""
RUN_SPREAD = 0.15
"""Noise (nugget) of the kernel: standard deviation between runs of equal traits of one lab. Log time."""
_SPREAD = 0.08
"""Amplitude of the kernel: standard deviation of what runs alike share across labs. Log time. With whole labs left out
a larger one makes predictions worse: most of what a residual holds is the lab's own."""
_FADING = {"log_size": 1.5, "log_length": 0.8, "log_batch": 2.0, "released": 2.0}
"""Length scales of the squared-exponential factors, in e-folds, and years for the release. The count of devices is not
among them: a batch on more of them must not become slower by being compared with other runs."""
_OTHER = {"stack": 0.4, "family": 0.4, "device": 0.6, "bits": 0.8, "experts": 0.2, "adapters": 0.4}
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
    network: Rows
    """Which network it is: its layers and widths."""
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
        # Links are the physics' to know, of which a chip with others is no other device.
        device=_numbers(chip.chip for chip in chips),
        bits=_numbers(map(bit_class, precisions)),
        experts=np.array([int(transformer.experts is not None) for transformer in transformers]),
        adapters=np.array([int(method in WITH_ADAPTERS) for method in methods]),
        network=_numbers(f"{each.n_layers}/{each.hidden}/{each.ffn_hidden}/{each.n_heads}" for each in transformers),
        log_size=np.log([float(workload(transformer).active_parameters) for transformer in transformers]),
        log_length=np.log(np.array(lengths, dtype=np.float64)),
        log_batch=np.log(np.array(tokens_per_step, dtype=np.float64)),
        released=np.array(released, dtype=np.float64),
    )


def joined_traits(parts: Sequence[Traits]) -> Traits:
    """Return the rows of all `parts`, in order."""
    return Traits(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Traits.__slots__})


def residual_kernel(a: Traits, b: Traits) -> Floats:
    """Return the prior covariance of the residuals of runs `a` and `b`, shape (A, B), in squared log time.

    spread² · exp(−½ Σ (difference / length)²) · Π factor of each categorical trait that differs
    """
    return _SPREAD**2 * kernel(a, b, _FADING, _OTHER)


def error_kernel(a: Traits, b: Traits) -> Floats:
    """Return the kernel between the absolute log errors of runs `a` and runs `b`, 0 to 1, shape (A, B)."""
    return kernel(a, b, _WIDE_FADING, _WIDE_OTHER)


def kernel(a: Traits, b: Traits, fading: Mapping[str, float], other: Mapping[str, float]) -> Floats:
    """Return exp(−½ Σ (difference / length)²) · Π factor of each categorical trait that differs, shape (A, B)."""
    squared = np.zeros((len(a.stack), len(b.stack)))
    for name, length in fading.items():
        squared += ((getattr(a, name)[:, None] - getattr(b, name)[None, :]) / length) ** 2
    out = np.exp(-0.5 * squared)
    for name, left in other.items():
        out *= np.where(_same(a, b, name), 1.0, left)
    return out


def _same(a: Traits, b: Traits, name: str) -> NDArray[np.bool_]:
    return np.asarray(getattr(a, name)[:, None] == getattr(b, name)[None, :])
