"""Sweeps: the product of any arguments, point by point or a slice at a time, each point a row of plain columns."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, cast

from estimator.answers.compare.compare import Outcome, outcomes
from estimator.base.errors import EstimatorError, InvalidValueError, MissingValueError, UnknownNameError
from estimator.base.units import parse_count
from estimator.evidence.precedent import trained_runs
from estimator.question.request import NOT_ASKED, Quantity, Request
from estimator.resolve.device import resolved_device
from estimator.resolve.misplaced import checked_kind
from estimator.resolve.run import resolve

__all__ = ["MOST_POINTS", "Axis", "Sweep", "outcome_of_points", "sweep"]

MOST_POINTS = 1_000_000_000
_MOST_VALUES = 1_000_000
_ARGUMENTS = tuple(field.name for field in fields(Request) if field.name not in NOT_ASKED)
_REQUIRED = ("model", "gpu", "n_gpus")
_RANGE = ("from", "to", "step", "times")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One argument and the values it takes."""

    name: str
    values: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The points of a sweep: the product of its axes, the last varying fastest, all else fixed."""

    axes: tuple[Axis, ...]
    fixed: Mapping[str, object]

    def __len__(self) -> int:
        """Return the number of points."""
        return math.prod(len(axis.values) for axis in self.axes)

    def places(self, point: int) -> tuple[int, ...]:
        """Return which value of each axis `point` has."""
        places: list[int] = []
        for axis in reversed(self.axes):
            point, place = divmod(point, len(axis.values))
            places.append(place)
        return tuple(reversed(places))

    def request(self, places: Sequence[int]) -> Request:
        """Return the request with the values at `places`."""
        varied = {axis.name: axis.values[place] for axis, place in zip(self.axes, places, strict=True)}
        # What does not fit a field is refused by `resolve`.
        arguments: dict[str, Any] = {**self.fixed, **varied}
        return Request(**arguments, method_chosen="method" in varied)


def sweep(spec: Mapping[str, object]) -> Sweep:
    """Return the sweep that `spec` describes: a table `vary` of lists or ranges, and a table `fixed` of values.

    A range is a table of `from`, `to` and either `step` or `times`. The names are those of the arguments of
    `estimate_training_time`.
    Raises EstimatorError naming the entry that does not fit, and what would.
    """
    for name in spec:
        if name not in {"vary", "fixed"}:
            raise UnknownNameError("table", name, ("vary", "fixed"))
    vary, fixed = _table(spec, "vary"), _table(spec, "fixed")
    _check_names(vary, fixed)
    axes = tuple(Axis(name=name, values=_values(name, given)) for name, given in vary.items())
    described = Sweep(axes=axes, fixed=fixed)
    total = len(described)
    if total > MOST_POINTS:
        raise InvalidValueError("vary", f"{total:,}", f"points are more than the {MOST_POINTS:,} that a sweep takes")
    _check_fixed(described)
    _check_devices(described)
    return described


def _check_names(vary: Mapping[str, object], fixed: Mapping[str, object]) -> None:
    if not vary:
        remedy = "give a table [vary], such as n_gpus = [8, 64] or n_gpus = {from = 8, to = 512, times = 2}"
        raise MissingValueError("vary", remedy)
    for name in (*vary, *fixed):
        if name not in _ARGUMENTS:
            raise UnknownNameError("argument", name, get_close_matches(name, _ARGUMENTS, n=3) or _ARGUMENTS)
    for name in vary:
        if name in fixed:
            raise InvalidValueError(name, fixed[name], "is both varied and fixed; give it once")
    for name in _REQUIRED:
        if name not in vary and name not in fixed:
            raise MissingValueError(name, "give it under [vary] or [fixed]")


def _table(spec: Mapping[str, object], name: str) -> Mapping[str, object]:
    given = spec.get(name, {})
    if not isinstance(given, Mapping):
        raise InvalidValueError(name, given, f"must be a table: write [{name}] and a line for each argument")
    return cast("Mapping[str, object]", given)


def _values(name: str, given: object) -> tuple[Quantity, ...]:
    """Return the values of one axis; token counts as numbers, since rows are scaled by them."""
    if name == "hf_config":
        raise InvalidValueError(name, "", "cannot be varied; give it under [fixed], or several sweeps")
    if isinstance(given, Mapping):
        values = _ranged(name, cast("Mapping[str, object]", given))
    else:
        values = tuple(cast("Sequence[object]", given)) if isinstance(given, list) else (given,)
    if not values:
        raise InvalidValueError(name, "[]", "is empty; give at least one value")
    if len(values) > _MOST_VALUES:
        raise InvalidValueError(name, f"{len(values):,}", f"values are more than the {_MOST_VALUES:,} an axis takes")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidValueError(name, value, "must be text or a number")
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidValueError(name, value, "must be finite")
    quantities = cast("tuple[Quantity, ...]", values)
    if name == "tokens":
        for value in quantities:
            checked_kind(name, value)
        return tuple(parse_count(value, name) for value in quantities)
    # A column holds one type.
    return quantities if len({isinstance(value, str) for value in quantities}) == 1 else tuple(map(str, quantities))


def _ranged(name: str, given: Mapping[str, object]) -> tuple[object, ...]:
    for key in given:
        if key not in _RANGE:
            raise UnknownNameError(f"{name} range entry", key, _RANGE)
    first, last = _number(name, given, "from"), _number(name, given, "to")
    if ("step" in given) == ("times" in given):
        raise InvalidValueError(name, "", "range needs from, to, and either step or times")
    step = _number(name, given, "step" if "step" in given else "times")
    adds = "step" in given
    if (adds and step <= 0) or (not adds and (step <= 1 or first <= 0)):
        raise InvalidValueError(name, step, "must be a step above 0, or a factor (times) above 1")
    values: list[object] = []
    # Each from the first, so that errors do not add up.
    while (value := first + len(values) * step if adds else first * step ** len(values)) <= last * (1 + 1e-12):
        values.append(int(value) if value == int(value) else value)
        if len(values) > _MOST_VALUES:
            raise InvalidValueError(name, step, f"makes more than the {_MOST_VALUES:,} values that an axis takes")
    return tuple(values)


def _number(name: str, given: Mapping[str, object], key: str) -> float:
    value = given.get(key)
    if isinstance(value, str):
        return parse_count(value, f"{name} {key}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValueError(f"{name} {key}", value, "must be a finite number")
    return float(value)


def _check_fixed(described: Sweep) -> None:
    """Raise what is wrong with a fixed value: it would be wrong at every point."""
    try:
        resolve(described.request([0] * len(described.axes)))
    except EstimatorError as error:
        argument = error.argument if isinstance(error, InvalidValueError) else ""
        if argument in described.fixed or isinstance(error, MissingValueError):
            raise
        # Else of this point alone, as far as one can tell: its row says so.


def _check_devices(described: Sweep) -> None:
    """Raise what is wrong with the name of a device: misspelt, it would be in a row after another.

    A model that no catalogue has may be meant: its rows say so.
    """
    places = [0] * len(described.axes)
    for index, axis in enumerate(described.axes):
        if axis.name != "gpu":
            continue
        for place in range(len(axis.values)):
            try:
                resolved_device(described.request([*places[:index], place, *places[index + 1 :]]))
            except UnknownNameError as error:
                if error.argument == axis.name:
                    raise
            except EstimatorError:
                continue


def outcome_of_points(
    described: Sweep, start: int, stop: int
) -> tuple[list[Outcome], list[int], list[tuple[int, ...]]]:
    """Return the distinct outcomes of points `start` to `stop`, which of them each point has, and its places.

    Points that differ in nothing but tokens share one outcome, that of the axis' first value: all that is reported of
    a run is independent of its tokens, or follows from its speed and them. Where its step follows from them, too, or
    they may be those of a published training, each has an outcome of its own.
    """
    tokens_at = next((place for place, axis in enumerate(described.axes) if axis.name == "tokens"), None)
    places = [described.places(point) for point in range(start, stop)]
    keys = [place if tokens_at is None else (*place[:tokens_at], 0, *place[tokens_at + 1 :]) for place in places]
    found = _outcomes(described, keys)
    apart = [place for place, key in zip(places, keys, strict=True) if _follows(found[key]) and place not in found]
    found |= _outcomes(described, apart)
    distinct = {key: number for number, key in enumerate(found)}
    which = [distinct[place if place in found else key] for place, key in zip(places, keys, strict=True)]
    return list(found.values()), which, places


def _outcomes(described: Sweep, keys: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Outcome]:
    several = list(dict.fromkeys(keys))
    return dict(zip(several, outcomes(described.request(key) for key in several), strict=True))


def _follows(outcome: Outcome) -> bool:
    """Return whether a step is another on other tokens: it follows from them, or a training is told by them."""
    run = outcome.estimate.run if outcome.estimate else None
    if run is None or run.question is None or run.subject.transformer is None:
        return False
    chip = run.question.cluster.accelerator
    return run.question.step_follows or bool(trained_runs(run.subject.transformer, chip, run.method.name))
