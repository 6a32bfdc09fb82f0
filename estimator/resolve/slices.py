"""A slice of TPUs, whose name counts cores or chips, and the count that is given beside it."""

from dataclasses import replace
from functools import lru_cache

from estimator.base.errors import UnknownNameError
from estimator.base.inputs import MOST_GPUS, checked_whole_count
from estimator.catalogue import catalogue
from estimator.question.request import Quantity, Request

__all__ = ["chip_of", "with_slice_count"]


def with_slice_count(request: Request) -> tuple[Request, str]:
    """Return `request` with n_gpus in chips where it counts the slice that gpu names, and how that was read.

    A slice is rented whole, so that one is that slice, and so is the number in its name: `v3-8` has eight cores, which
    JAX shows as devices, on four chips. Another count is the caller's own.
    Raises InvalidValueError for a count that is none.
    """
    named = _slice(str(request.gpu))
    if named is None:
        return request, ""
    given = checked_whole_count("n_gpus", request.n_gpus, most=MOST_GPUS)
    _, chips, number = named
    if given == chips or given not in {1, number}:
        return request, ""
    counts = "one slice" if given == 1 else "its cores"
    note = f"gpu names a slice of {chips:,} chips, and n_gpus {given:,} is read as {counts}"
    return replace(request, n_gpus=chips), note


def chip_of(gpu: Quantity) -> Quantity:
    """Return the chip of the slice that `gpu` names, for runs on other counts than the slice has; else `gpu`."""
    named = _slice(str(gpu))
    return gpu if named is None else named[0]


@lru_cache(maxsize=512)
def _slice(name: str) -> tuple[str, int, int] | None:
    """Return the chip of a slice, how many it has and the number in its name; None where `name` is no slice's."""
    try:
        match = catalogue.accelerator(name)
    except UnknownNameError:
        return None
    if match.slice_of is None or match.count is None:
        return None
    return match.value.accelerator.id, match.count, match.slice_of
