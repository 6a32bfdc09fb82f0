"""Which accelerator is meant, in which precision, and the peak that counts."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.inputs import checked_choice, checked_number
from estimator.base.units import TERA
from estimator.catalogue import catalogue
from estimator.question.cluster import Accelerator
from estimator.question.pools import Pool
from estimator.question.profile import Profile
from estimator.question.question import Assumption, Caution
from estimator.question.request import PRECISION_CHOICES, Request
from estimator.resolve.measured import is_profiled, with_rates
from estimator.resolve.mig import named_slice
from estimator.resolve.pools import common_precision, named_pools, pooled_accelerator, pools_text
from estimator.resolve.slices import machine_name, may_be_devices, rack_of

__all__ = ["Device", "catalogued_peak_flop_per_s", "resolved_device"]

_LEAST_PEAK_TFLOPS, _MOST_PEAK_TFLOPS = 0.01, 1e6
_SAME = 0.02
"""Two rates closer than this are one rate, rounded differently."""
_SPARSE_OVER_DENSE = 2.0
_DIES: Mapping[str, str] = MappingProxyType({"mi250": "mi250-gcd", "mi250x": "mi250x-gcd"})
"""Modules of two dies, each a device to software, with what one of them is called here."""
_COUNTED: Mapping[str, str] = MappingProxyType(
    {
        **{
            module: f"a module of two dies is one GPU here; where n_gpus counts dies (GCDs), as ROCm shows, say {die}"
            for module, die in _DIES.items()
        },
        **{die: f"each die (GCD) is a GPU here, as ROCm shows; {module} is two" for module, die in _DIES.items()},
    }
)
_OF_A_RACK = re.compile(r"(?:,? per GPU(?=\))| \(per GPU\)$)")
"""What the catalogue adds to a rack's name where it means one of its devices."""
_OTHERWISE = "list_gpus shows the names that would do; for a card that is not among them give peak_tflops too"

_PROCESSOR = re.compile(
    r"\b(?:cpus?|processor|xeon|epyc|threadripper|opteron|pentium|celeron|graviton\d*|core (?:ultra )?i?[3579]|"
    r"i[3579](?:-?\d{4,5}\w*)?|ryzen [3579])\b",
    re.IGNORECASE,
)
_ACCELERATORS_ALONE = (
    "is a processor, and training is answered for accelerators: list_gpus shows them; with peak_tflops, what all cores "
    "multiply in FP32 (1 to 5 from a desktop to a server), its time is that of the usual utilization"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One accelerator as the arithmetic needs it."""

    name: str
    accelerator: Accelerator | None
    """None for a card that is not catalogued, of which only the peak is known."""
    precision: str
    peak_flop_per_s: float
    peak_note: str
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]
    spelt: str = ""
    """What reads as the machine that was named, in any number; its id where that is all."""
    network: str = ""
    """What was said of the network beside its name, as it was written."""
    machine: str = ""
    """As it was named, where `node` is what it holds."""
    node: int | None = None
    """Devices of the machine that was named, an instance of a cloud; None where a device was."""
    count: int | None = None
    """Devices that the name counts, as in `8x H100`, or machines where it names these; None where it counts none."""
    machines: int | None = None
    """Machines that the name counts, where it does not say how many devices each holds."""
    rack: int | None = None
    """Devices of the rack that was named, of several nodes; None where none was."""
    counts_either: bool = False
    """Whether `count` may be of devices as well as of the boards or racks that hold them."""
    slice_of: int | None = None
    """The number in the name of a slice of `count` chips, `v3-8`; None where the name is no slice's."""
    pools: tuple[Pool, ...] = ()
    """Where unlike ones share the run; `accelerator` is then what equal shares have."""

    def counted(self, n_gpus: int) -> str:
        """Return so many of it in words; of a machine that was named and is not used whole, a part of that.

        Of what is called by its rack, so many GPUs, and the racks that they are in.
        """
        if self.node is not None and self.count is None and n_gpus < self.node:
            return f"{n_gpus:,} of the {self.node} {self.name} of a {self.machine}"
        if self.accelerator is None or not _OF_A_RACK.search(self.name):
            return f"{n_gpus:,} × {self.name}"
        racks = math.ceil(n_gpus / self.accelerator.scale_up_domain)
        held = "1 rack" if racks == 1 else f"{racks:,} racks"
        return f"{n_gpus:,} GPU{'s' * (n_gpus > 1)} of {_OF_A_RACK.sub('', self.name)} (in {held})"

    @property
    def label(self) -> str:
        """What a row of an answer calls it, and what `gpu` takes for the same: its id, or what else it was named by.

        Of unlike ones each with its count; uncatalogued, its name.
        """
        if self.pools:
            return " + ".join(f"{pool.count} {pool.accelerator.id}" for pool in self.pools)
        return self.spelt or self.name


def resolved_device(request: Request) -> Device:
    """Return the accelerator that `request` names, with the dense peak of the precision in use.

    Raises UnknownNameError for a name no catalogue has (unless a peak is given with it), InvalidValueError for a
    precision the device does not have.
    """
    precision = checked_choice("precision", request.precision, PRECISION_CHOICES)
    device = _device(str(request.gpu), precision, _given_peak(request))
    device = _as_dies(device, request, precision)
    return device if request.profile is None else _measured(device, request.profile)


def _as_dies(device: Device, request: Request, precision: str) -> Device:
    """Return a module of two dies as one of these where its node is said to hold more devices than it has modules.

    Software shows each die (GCD) as a device, and who counts eight in a node counts those.
    """
    chip = device.accelerator
    die = None if chip is None else _DIES.get(chip.id)
    if chip is None or die is None or device.pools:
        return device
    per_node = request.gpus_per_node
    if not isinstance(per_node, int | float) or per_node <= chip.gpus_per_node:
        return device
    dies = _device(die, precision, _given_peak(request))
    note = f"no node holds {per_node:g} modules of {chip.name}: dies (GCDs) are counted, two a module"
    gpu = replace(dies.assumptions[0], note=note)
    return replace(dies, assumptions=(gpu, *dies.assumptions[1:]), count=device.count, node=device.node)


def _measured(device: Device, profile: Profile) -> Device:
    """Return `device` with the rates of the profile in place of the catalogue's, where it is the profile's."""
    chip = device.accelerator
    if chip is None or not is_profiled(chip, profile) or not profile.rates:
        return device
    return replace(device, accelerator=with_rates(chip, profile.rates))


def _given_peak(request: Request) -> float | None:
    if request.peak_tflops is None:
        return None
    tflops = checked_number("peak_tflops", request.peak_tflops, most=_MOST_PEAK_TFLOPS, unit="TFLOPS")
    if tflops < _LEAST_PEAK_TFLOPS:
        raise InvalidValueError(
            "peak_tflops", request.peak_tflops, f"must be at least {_LEAST_PEAK_TFLOPS:g}: it is 1e12 FLOP/s of one GPU"
        )
    return TERA * tflops


@lru_cache(maxsize=512)
def _device(name: str, precision: str, given_peak: float | None) -> Device:
    """Return the device with a name; the same few are asked for again and again."""
    if (slice_ := named_slice(name)) is not None:
        if given_peak is None:
            raise InvalidValueError("gpu", name, slice_.remedy)
        return _unlisted(name, precision, given_peak, UnknownNameError("gpu", name, ()))
    try:
        match = catalogue.accelerator(name)
    except UnknownNameError as error:
        if pools := named_pools(name):
            return _pooled(pools, precision, given_peak)
        if given_peak is None and _PROCESSOR.search(name):
            raise InvalidValueError("gpu", name, _ACCELERATORS_ALONE) from None
        if given_peak is None or not name.strip():
            raise UnknownNameError("gpu", name, error.nearest, _OTHERWISE) from None
        return _unlisted(name, precision, given_peak, error)
    accelerator, rack = match.value.accelerator, rack_of(match)
    if rack is not None:
        accelerator = replace(accelerator, scale_up_domain=rack)
    noted = "; ".join(part for part in (match.note, _COUNTED.get(accelerator.id, "")) if part)
    gpu = Assumption(name="gpu", value=accelerator.id, source="user", note=noted or accelerator.name)
    chosen, chosen_assumption = _precision(accelerator, precision)
    catalogued = catalogued_peak_flop_per_s(accelerator, chosen)
    peak = catalogued if given_peak is None else given_peak
    peak_assumption = Assumption(
        name="peak_tflops",
        value=round(peak / TERA, 4),
        unit="TFLOPS per GPU",
        source="catalogue" if given_peak is None else "user",
        note=_peak_note(accelerator, chosen)
        if given_peak is None
        else f"instead of the catalogued {catalogued / TERA:g}",
    )
    return Device(
        name=accelerator.name,
        accelerator=accelerator,
        precision=chosen,
        peak_flop_per_s=peak,
        peak_note=_peak_note(accelerator, chosen)
        if given_peak is None
        else f"{peak / TERA:g} TFLOPS as given; catalogued: {catalogued / TERA:g}, {_peak_note(accelerator, chosen)}",
        assumptions=(gpu, chosen_assumption, peak_assumption),
        warnings=() if given_peak is None else _peak_doubts(accelerator, chosen, catalogued, given_peak),
        spelt=machine_name(match),
        network=match.network,
        # What an answer calls some of a machine names it in its last words.
        machine=(match.matched if " of " in name else " ".join(name.split())) if match.holds else "",
        node=match.holds if rack is None else None,
        count=None if match.of_machines and match.holds is None else match.count,
        machines=match.count if match.of_machines and match.holds is None else None,
        rack=rack,
        counts_either=may_be_devices(match, name),
        slice_of=match.slice_of,
    )


def _pooled(pools: tuple[Pool, ...], wanted: str, given_peak: float | None) -> Device:
    """Return the device of a run with unlike ones in equal shares."""
    precision = common_precision(pools, wanted)
    text = pools_text(pools)
    if precision is None:
        raise InvalidValueError("precision", wanted, f"is not a rate that all of {text} have")
    if given_peak is not None:
        raise InvalidValueError("peak_tflops", given_peak / TERA, f"is one GPU's, and gpu names {text}")
    accelerator = pooled_accelerator(pools, precision)
    peak = sum(pool.count * catalogued_peak_flop_per_s(pool.accelerator, precision) for pool in pools)
    mean = peak / sum(pool.count for pool in pools)
    return Device(
        name=f"GPUs ({text})",
        accelerator=accelerator,
        precision=precision,
        peak_flop_per_s=mean,
        peak_note=f"mean of {text}: {_peak_note(accelerator, precision)}",
        assumptions=(
            Assumption(name="gpu", value=text, source="user", note="shares of the batch are taken as equal"),
            Assumption(
                name="precision", value=precision, source="default" if wanted == "auto" else "user", note="all have it"
            ),
            Assumption(name="peak_tflops", value=round(mean / TERA, 4), unit="TFLOPS per GPU", source="catalogue"),
        ),
        warnings=(),
        pools=pools,
    )


def _unlisted(name: str, precision: str, peak: float, error: UnknownNameError) -> Device:
    # One line: it stands in sentences.
    name = " ".join(name.split())
    nearest = f" (nearest names: {', '.join(error.nearest)})" if error.nearest else ""
    chosen = "bf16" if precision == "auto" else precision
    return Device(
        name=name,
        accelerator=None,
        precision=chosen,
        peak_flop_per_s=peak,
        peak_note=f"{peak / TERA:g} TFLOPS as given for a GPU that is not catalogued",
        assumptions=(
            Assumption(name="gpu", value=name, source="user", note="not catalogued"),
            Assumption(
                name="precision", value=chosen, source="default" if precision == "auto" else "user", note="not checked"
            ),
            Assumption(name="peak_tflops", value=round(peak / TERA, 4), unit="TFLOPS per GPU", source="user"),
        ),
        warnings=(
            Caution(
                code="gpu_not_catalogued",
                message=f"{name} is not catalogued{nearest}: only its given peak is known, so the time is the rule of "
                "thumb's, and memory, price and energy are left out",
            ),
        ),
    )


def _precision(accelerator: Accelerator, wanted: str) -> tuple[str, Assumption]:
    """Return the precision in use and where it came from."""
    usual = accelerator.training_precision
    if wanted == "auto":
        return usual, Assumption(name="precision", value=usual, source="default", note=f"usual on {accelerator.name}")
    if wanted == "fp16" and wanted not in accelerator.peak_flop_per_s and accelerator.shader_fp16_flop_per_s:
        note = f"FP16 products with FP32 sums, as training has them, run at the FP32 rate on {accelerator.name}"
        return usual, Assumption(name="precision", value=usual, source="inferred", note=note)
    if wanted not in accelerator.peak_flop_per_s:
        has = ", ".join(accelerator.peak_flop_per_s)
        raise InvalidValueError("precision", wanted, f"is not a rate that {accelerator.name} has; choose from {has}")
    return wanted, Assumption(name="precision", value=wanted, source="user")


def catalogued_peak_flop_per_s(accelerator: Accelerator, precision: str) -> float:
    """Return the dense peak of a precision that the card has."""
    if precision == accelerator.training_precision:
        return accelerator.training_peak_flop_per_s
    return accelerator.peak_flop_per_s[precision]


def _peak_note(accelerator: Accelerator, precision: str) -> str:
    """Return which rate counts, and which figures for the same card do not."""
    note = f"dense {precision.upper()} with FP32 accumulation"
    others: list[str] = []
    if precision in {"bf16", "fp16"}:
        peak = catalogued_peak_flop_per_s(accelerator, precision)
        accumulate = accelerator.fp16_accumulate_flop_per_s
        if accumulate is not None and abs(accumulate / peak - 1) > _SAME:
            others.append(f"{accumulate / TERA:g} is with FP16 accumulation")
        if accelerator.shader_fp16_flop_per_s is not None:
            others.append(f"{accelerator.shader_fp16_flop_per_s / TERA:g} the shader rate")
    return note + (f"; {', '.join(others)}, which training does not get" if others else "")


def _peak_doubts(accelerator: Accelerator, precision: str, catalogued: float, given: float) -> tuple[Caution, ...]:
    """Return what a given peak seems to be, where it is a known figure for another thing."""

    def near(other: float | None) -> bool:
        return other is not None and abs(given / other - 1) < _SAME

    if near(catalogued):
        return ()
    tflops = f"{given / TERA:g} TFLOPS"
    dense = f"the dense {precision.upper()} peak with FP32 accumulation is {catalogued / TERA:g}"
    if near(accelerator.fp16_accumulate_flop_per_s):
        code, what = "accumulate_peak_suspected", "rate with FP16 accumulation, which training does not get"
    elif near(accelerator.shader_fp16_flop_per_s) or near(accelerator.peak_flop_per_s.get("fp32")):
        code, what = "shader_peak_suspected", "shader rate, without the tensor cores that training uses"
    elif near(_SPARSE_OVER_DENSE * catalogued):
        code, what = "sparse_peak_suspected", "2:4 sparse headline figure (or another precision's)"
    elif given > _SPARSE_OVER_DENSE * catalogued:
        message = f"peak_tflops: {tflops} is above any rate of {accelerator.name}; {dense}"
        return (Caution(code="peak_implausible", message=message),)
    else:
        return ()
    return (Caution(code=code, message=f"peak_tflops: {tflops} looks like {accelerator.name}'s {what}; {dense}"),)
