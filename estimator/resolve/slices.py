"""What is rented or built whole: slices of TPUs, racks, machines that `gpu` counts; and the count given beside it."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from estimator.base.errors import EstimatorError, UnknownNameError
from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.catalogue import catalogue
from estimator.catalogue.entries import AcceleratorEntry, Match
from estimator.question.question import Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.pools import named_pools

__all__ = ["CountedWhole", "chip_of", "may_be_devices", "rack_of", "told_count", "with_whole_counted"]

_POD = re.compile(r"(?:super|base)pod", re.IGNORECASE)
"""Some dozens of machines, as many as were bought."""
_BOARD = "hgx"
"""A board of GPUs, by whose name people call the GPUs, too: eight of them may be one board, and so may be `8x HGX`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWhole:
    """A request with n_gpus in devices, how it was read, and what to beware of; all as it was where nothing was."""

    request: Request
    how: str
    cautions: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    chip: str
    devices: int
    meant_by: frozenset[int]
    """Counts that mean all of it."""
    is_slice: bool


def with_whole_counted(request: Request) -> CountedWhole:
    """Return `request` with n_gpus in devices where it counts the slice or the racks that gpu names.

    A slice is rented whole, so that one is that slice, and so is the number in its name: `v3-8` has eight cores, which
    JAX shows as devices, on four chips. So is a rack whole, whose devices nobody has singly. Another count is the
    caller's own.
    Raises InvalidValueError for a count that is none.
    """
    named = _whole(str(request.gpu))
    if named is None:
        return CountedWhole(request=request, how="")
    given = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    if given == named.devices or given not in named.meant_by:
        return CountedWhole(request=request, how="")
    counted = replace(request, n_gpus=named.devices)
    if named.is_slice:
        counts = "one slice" if given == 1 else "its cores"
        note = f"gpu names a slice of {named.devices:,} chips, and n_gpus {given:,} is read as {counts}"
        return CountedWhole(request=counted, how=note)
    each = named.devices // given
    racks, read = (
        ("a rack", "that rack") if given == 1 else (f"{given:,} racks", f"{named.devices:,} in {given:,} racks")
    )
    note = f"gpu names {racks} of {each:,} GPUs, and n_gpus {given:,} is read as {read}"
    singly = "one GPU is" if given == 1 else f"{given:,} GPUs are"
    message = f"{note}; if {singly} meant, say gpu {named.chip}"
    return CountedWhole(request=counted, how=note, cautions=(Caution(code="gpu_count_disagrees", message=message),))


def chip_of(gpu: Quantity) -> Quantity:
    """Return the chip of the slice or rack that `gpu` names, for runs on other counts than it has; else `gpu`."""
    named = _whole(str(gpu))
    return gpu if named is None else named.chip


def rack_of(match: Match[AcceleratorEntry]) -> int | None:
    """Return the devices of a rack that was named, whose links span its nodes; None where no rack was."""
    chip, holds = match.value.accelerator, match.holds
    return holds if holds is not None and chip.gpus_per_node < holds <= chip.scale_up_domain else None


def told_count(gpu: str) -> int | None:
    """Return the devices that `gpu` itself counts: `2 nodes of 8 H100`, `8x H100`, `v5e-16`, one `p5.48xlarge`.

    None where it counts none, or where a count may be of devices or of boards with as many (`8x HGX H100`).
    """
    try:
        match = catalogue.accelerator(gpu)
    except UnknownNameError:
        return _pooled(gpu)
    chip, count, holds = match.value.accelerator, match.count, match.holds
    if holds is None and match.of_machines:
        # Machines of people's own hold one card, or two, or eight.
        holds = chip.gpus_per_node if chip.segment == "datacenter" else None
        return None if count is None or holds is None else count * holds
    if count is None or holds is None:
        return None if _POD.search(gpu) and count is None else count or holds
    return None if may_be_devices(match, gpu) else count * holds


def may_be_devices(match: Match[AcceleratorEntry], gpu: str) -> bool:
    """Return whether a count beside a board's or a rack's name may be of the devices on it, filling whole nodes."""
    by_its_name = _BOARD in gpu.casefold() or rack_of(match) is not None
    nodes_of = match.value.accelerator.gpus_per_node
    return by_its_name and match.count is not None and not match.of_machines and match.count % nodes_of == 0


def _pooled(gpu: str) -> int | None:
    try:
        pools = named_pools(gpu)
    except EstimatorError:
        return None
    return sum(pool.count for pool in pools) or None


@lru_cache(maxsize=512)
def _whole(name: str) -> _Whole | None:
    """Return the slice or the racks that `name` tells; None where it tells none."""
    try:
        match = catalogue.accelerator(name)
    except UnknownNameError:
        return None
    chip = match.value.accelerator.id
    if match.slice_of is not None and match.count is not None:
        meant = frozenset({1, match.slice_of})
        return _Whole(chip=chip, devices=match.count, meant_by=meant, is_slice=True)
    rack = rack_of(match)
    if rack is None or may_be_devices(match, name):
        return None
    racks = match.count or 1
    return _Whole(chip=chip, devices=racks * rack, meant_by=frozenset({racks}), is_slice=False)
