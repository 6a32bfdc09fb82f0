"""What is rented or built whole: slices of TPUs, racks, machines that `gpu` counts; and the count given beside it."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from estimator.base.errors import EstimatorError, InvalidValueError, UnknownNameError
from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.catalogue import catalogue
from estimator.catalogue.entries import AcceleratorEntry, Match
from estimator.question.question import Caution
from estimator.question.request import Quantity, Request
from estimator.resolve.pools import named_pools

__all__ = [
    "CountedWhole",
    "machine_name",
    "may_be_devices",
    "rack_of",
    "told_count",
    "uncounted",
    "with_whole_counted",
]

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
    """What to say for the devices alone."""
    name: str
    """What to say for as much of the same as is counted beside it."""
    devices: int
    """Of all that is named; of one rack where their number is not told."""
    meant_by: frozenset[int]
    """Counts that mean all of it."""
    kind: Literal["slice", "racks", "counted"]
    fewest: int = 1
    """Devices below which nobody has a part of it."""


def with_whole_counted(request: Request) -> CountedWhole:
    """Return `request` with n_gpus in devices where it cannot count devices of what gpu names.

    n_gpus counts devices, a part of a machine that is named (`DGX H100`, `p5.48xlarge`) among them, for parts are used.
    It counts wholes where so few devices cannot be had, or are not what the name says:

    - one slice is that slice, and so is the number in its name: `v3-8` has eight cores, which JAX shows as devices;
    - fewer than a tray of a rack are racks, whose devices nobody has singly;
    - beside a name that counts devices itself (`8x H100`, `2 nodes of 8 H100`) one is all of those, and so is the
      number of its machines, or of the devices in each.

    Raises InvalidValueError for a count that is none, and for fewer devices than the name counts.
    """
    named = _whole(str(request.gpu))
    if named is None:
        return CountedWhole(request=request, how="")
    given = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    if given == named.devices and named.kind != "racks":
        return CountedWhole(request=request, how="")
    if given not in named.meant_by:
        if named.kind == "counted" and named.fewest <= given < named.devices:
            raise InvalidValueError("n_gpus", given, _fewer(named, given))
        if named.kind != "racks" or named.meant_by or given >= named.fewest:
            return CountedWhole(request=request, how="")
    devices = named.devices if named.meant_by else given * named.devices
    counted = replace(request, n_gpus=devices)
    if named.kind == "slice":
        counts = "one slice" if given == 1 else "its cores"
        note = f"gpu names a slice of {devices:,} chips, and n_gpus {given:,} is read as {counts}"
        return CountedWhole(request=counted, how=note)
    singly = "one GPU is" if given == 1 else f"{given:,} GPUs are"
    message = f"{_read(named, given, devices)}; if {singly} meant, say gpu {named.chip}"
    caution = Caution(code="gpu_count_disagrees", message=message)
    return CountedWhole(request=counted, how=_read(named, given, devices), cautions=(caution,))


def _read(named: _Whole, given: int, devices: int) -> str:
    if named.kind == "counted":
        return f"gpu names {devices:,} GPUs, and n_gpus {given:,} is read as these {devices:,}"
    if not named.meant_by:
        read = f"{devices:,} in {given:,} racks" if given > 1 else "that rack"
        return f"gpu names a rack of {named.devices:,} GPUs, and n_gpus {given:,} is read as {read}"
    each = devices // max(named.meant_by)
    racks = f"{max(named.meant_by):,} racks" if max(named.meant_by) > 1 else "a rack"
    return f"gpu names {racks} of {each:,} GPUs, and n_gpus {given:,} is read as {devices:,} in {racks}"


def _fewer(named: _Whole, given: int) -> str:
    return (
        f"contradicts the {named.devices:,} GPUs that gpu names; say n_gpus {named.devices:,} for these, or gpu "
        f"{named.chip} for {given:,}"
    )


def uncounted(gpu: Quantity) -> Quantity:
    """Return what reads as the machines that `gpu` names, for another number of them than it counts; else `gpu`.

    Of a slice its chip, of racks one of them, with what is said of its network.
    """
    named = _whole(str(gpu))
    return gpu if named is None else named.name


def machine_name(match: Match[AcceleratorEntry]) -> str:
    """Return what reads as the machine that was named, whatever its number: the device's id where it is the usual one.

    Of a machine of another size, and of a rack, its own name; of a device its memory where that is no usual one. With
    what is said of the network.
    """
    entry, usual = match.value, catalogue.accelerator(match.value.id).value
    its_own = match.holds is not None and catalogue.accelerator(match.matched).holds == match.holds
    name = entry.id
    if its_own and match.holds != entry.accelerator.gpus_per_node:
        name = match.matched
    elif entry.nominal_memory_gb != usual.nominal_memory_gb:
        name = f"{match.matched} {entry.nominal_memory_gb:g}GB"
    return _with_network(name, match)


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
    """Return what `name` tells of that is had whole, or counted by it; None where that is nothing."""
    try:
        match = catalogue.accelerator(name)
    except UnknownNameError:
        return None
    chip = _with_network(match.value.accelerator.id, match)
    if match.slice_of is not None and match.count is not None:
        meant = frozenset({1, match.slice_of})
        return _Whole(chip=chip, name=chip, devices=match.count, meant_by=meant, kind="slice")
    if may_be_devices(match, name):
        return None
    rack = rack_of(match)
    if rack is not None:
        racks = frozenset[int]() if match.count is None else frozenset({1, match.count})
        return _Whole(
            chip=chip,
            name=machine_name(match),
            devices=(match.count or 1) * rack,
            meant_by=racks,
            kind="racks",
            fewest=match.value.accelerator.gpus_per_node,
        )
    counts_itself = match.count is not None or (match.of_machines and match.holds is not None)
    devices = told_count(name) if counts_itself else None
    if devices is None:
        return None
    meant = frozenset(count for count in (1, match.count, match.holds) if count is not None)
    alone = _uncounted(match)
    return _Whole(chip=alone, name=alone, devices=devices, meant_by=meant, kind="counted")


def _uncounted(match: Match[AcceleratorEntry]) -> str:
    """Return what to say for what `match` counts, without its count: a machine or a device, and its network."""
    is_machine = match.holds is not None and not match.of_machines
    return _with_network(match.matched, match) if is_machine else machine_name(match)


def _with_network(name: str, match: Match[AcceleratorEntry]) -> str:
    return ", ".join(part for part in (name, match.network) if part)
