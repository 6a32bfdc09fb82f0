"""Keys of a question's random effects, calibrated factors on step time, and of its regime of uncertainty."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.kinds import decoder_share
from estimator.models.training import EIGHT_BIT, WITH_ADAPTERS
from estimator.physics.stacks import Stack
from estimator.question.choices import as_wide
from estimator.question.question import Question

__all__ = [
    "CURRENT_RELEASE",
    "bit_class",
    "effect_keys",
    "effect_weights",
    "is_ported",
    "regime_keys",
    "release",
    "trainer_release",
]

CURRENT_RELEASE = 2026.0
"""Assumed software release, in years: clusters run what came out about a year ago."""
_YEARS_TUNED = 4.25
"""Years after its launch in which software for a device still becomes faster; later kernels are for its successors."""
_MEASURED_VENDOR = "NVIDIA"
"""Whose chips most runs, and the ceilings of matrix products inside a step, were measured on."""
_EARLY_YEARS = 1
"""Years after its launch in which a device's software is still young."""


_WRITTEN_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "primus": ("AMD",),
        "mlperf": ("AMD", "Intel", "Google"),
        "maxtext": ("Google",),
        "jax": ("Google",),
        "easylm": ("Google",),
        "levanter": ("Google",),
        "mesh-transformer-jax": ("Google",),
        "torch-xla": ("Google",),
        "neuron": ("AWS", "Amazon"),
        "optimum-habana": ("Intel",),
        "mindspeed": ("Huawei",),
        "mlx": ("Apple",),
    }
)
"""Vendors, besides NVIDIA, whose chips a stack's kernels were written for."""


def bit_class(precision: str) -> str:
    """Return the class of operand width, `16-bit`, `8-bit` or `4-bit`; whatever has more than 8 bits is `16-bit`."""
    return "8-bit" if precision in EIGHT_BIT else "4-bit" if precision == "nvfp4" else "16-bit"


def release(question: Question) -> float:
    """Return the software release of a question, in years: as stated, else the latest tuned for its device.

    A V100 never had fused attention kernels, nor an A100 those that hide communication in matmuls.
    """
    if question.released is not None:
        return question.released
    return min(CURRENT_RELEASE, question.cluster.accelerator.chip_year + _YEARS_TUNED)


def trainer_release(question: Question) -> float:
    """Return the release of a general trainer's own code, in years: as stated, else today's, on old cards, too."""
    return CURRENT_RELEASE if question.released is None else question.released


def is_ported(stack: str, vendor: str) -> bool:
    """Return whether a stack runs on chips that its kernels were not written for."""
    return vendor != _MEASURED_VENDOR and vendor not in _WRITTEN_FOR.get(stack, ())


def effect_keys(question: Question, stack: Stack) -> tuple[str, ...]:
    """Return the keys whose effects, additive in log time, apply to one question; see `effect_weights`."""
    return tuple(effect_weights(question, stack))


def effect_weights(question: Question, stack: Stack) -> Mapping[str, float]:
    """Return how far each effect, additive in log time, applies to one question, by key: 1 is wholly.

    None depends on what of the layout was stated: whoever states the layout that was found is told the same time.
    All were fitted to decoders. Experts are the same in any model; what devices, stacks and precisions are off by
    beside the physics is not: with labs left out, runs of other kinds are nearer to the physics alone. These apply as
    far as decoders' runs tell of a network.
    """
    chip = question.cluster.accelerator
    experts: tuple[str, ...] = ()
    if question.transformer.experts is not None:
        experts = ("experts", f"experts-stack:{stack.kin}")
    share = decoder_share(question.transformer)
    if not share:
        return dict.fromkeys(experts, 1.0)
    keys = [
        f"device:{chip.family}-{chip.segment}",
        f"stack:{stack.kin}",
        f"tier:{stack.tier}",
        f"precision:{_fitted_precision(question)}",
        *experts,
    ]
    if question.method.name in WITH_ADAPTERS:
        keys.append("frozen-base")
    if int(release(question)) - chip.chip_year <= _EARLY_YEARS:
        keys.append("early")
    if chip.vendor != _MEASURED_VENDOR:
        keys.append("other-vendor")
    if is_ported(stack.name, chip.vendor):
        keys.append("ported")
    return {key: 1.0 if key in experts else share for key in keys}


def _fitted_precision(question: Question) -> str:
    """Return the precision whose effect applies: that of the device's usual half precision for its other one.

    The same units multiply both as fast. On devices that have BF16, what is published in FP16 is of the years before
    its kernels and trainers were had in BF16 as well: what it is off by is those runs' own.
    """
    usual = question.cluster.accelerator.training_precision
    return usual if as_wide(usual, question.precision) and not question.published else question.precision


def regime_keys(question: Question, stack: Stack) -> tuple[str, ...]:
    """Return the regimes whose conformal quantiles apply to a question, the narrowest first."""
    chip = question.cluster.accelerator
    what = "adapters" if question.method.name in WITH_ADAPTERS else "dense"
    if question.transformer.experts is not None:
        what = "experts"
    if what != "dense":
        return f"{stack.tier} {what}", what, "all"
    if chip.segment != "datacenter":
        return "consumer", "all"
    if chip.vendor != "NVIDIA":
        return "other vendors", "all"
    return f"{stack.tier} dense", "all"
