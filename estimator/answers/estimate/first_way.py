"""What a run that does not fit takes with the first way to make it: asked as a caller would who does what is said."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.base.errors import EstimatorError
from estimator.question.request import Request
from estimator.resolve.run import resolve

__all__ = ["first_way_s"]

_DEFAULTS = {field.name: field.default for field in fields(Request)}
_AS_SAID = "…"


def first_way_s(request: Request, estimate: Estimate) -> float | None:
    """Return the seconds of training as `request` is changed by the first of the estimate's ways to fit.

    None where it fits, where nothing makes it fit, and where its speed was not predicted.
    """
    if estimate.basis != "predicted" or not estimate.ways_to_fit:
        return None
    try:
        changed = estimate_of(resolve(_changed(request, estimate.ways_to_fit[0].arguments)), advised=False, told=False)
    except EstimatorError:
        return None
    fits = changed.memory is not None and changed.memory.fits
    return changed.training_s if fits else None


def _changed(request: Request, arguments: Mapping[str, str | int | None]) -> Request:
    """Return `request` with `arguments`; None leaves one out."""
    said: dict[str, Any] = {name: _DEFAULTS[name] if value is None else value for name, value in arguments.items()}
    if "framework" in said:
        said["framework"] = said["framework"].replace(_AS_SAID, request.framework)
    return replace(request, **said)
