"""Options that were estimated, ranked: by what is asked, by what none beats, and by how well they scale."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from estimator.answers.compare.compare import Outcome, same_step
from estimator.answers.estimate.estimate import Estimate
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.layout_request import OF_THE_RULE

__all__ = ["RankBy", "Row", "ranked", "shared_assumptions", "shown_rows"]

RankBy = Literal["time", "cost", "energy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An outcome among others."""

    outcome: Outcome
    rank: int | None
    """From 1; None where it cannot be run."""
    pareto: bool
    """Whether no other row is as fast and cheaper, or as cheap and faster."""
    pareto_same_work: bool
    """The same among rows of the same model, method and tokens: a smaller model or less data is no better way."""
    scaling_efficiency: float | None
    """Tokens per second and GPU, over those of the fewest GPUs that can run the same; None where it cannot be run."""
    fewest: Outcome | None
    """The same on those fewest."""


def ranked(several: Sequence[Outcome], rank_by: RankBy) -> list[Row]:
    """Return the outcomes best first, those that cannot be run last; equals stay in the order they came.

    Where a cost or an energy is not known, the option comes after those where it is.
    """
    possible = [outcome for outcome in several if not outcome.reason]
    order = sorted(range(len(possible)), key=lambda place: _worth(possible[place], rank_by))
    best, best_of_work = _pareto(possible, _anything), _pareto(possible, _work)
    fewest = _fewest(possible)
    return [
        *(
            Row(
                outcome=possible[place],
                rank=rank,
                pareto=place in best,
                pareto_same_work=place in best_of_work,
                scaling_efficiency=_per_gpu(possible[place]) / _per_gpu(fewest[place]),
                fewest=fewest[place],
            )
            for rank, place in enumerate(order, start=1)
        ),
        *(
            Row(outcome=outcome, rank=None, pareto=False, pareto_same_work=False, scaling_efficiency=None, fewest=None)
            for outcome in several
            if outcome.reason
        ),
    ]


def _answered(outcome: Outcome) -> Estimate:
    if outcome.estimate is None:
        raise TypeError("an outcome without a reason has an estimate")
    return outcome.estimate


def _worth(outcome: Outcome, rank_by: RankBy) -> tuple[float, float]:
    """Return what is ranked by, and the time, which decides between equals."""
    estimated = _answered(outcome)
    values: Mapping[RankBy, float | None] = {
        "time": estimated.training_s,
        "cost": estimated.cost_usd.value,
        "energy": estimated.energy_kwh.value,
    }
    value = values[rank_by]
    return math.inf if value is None else value, estimated.training_s


def _anything(_request: Request) -> object:
    """Return the same for all: every option competes with every other."""
    return None


def _work(request: Request) -> object:
    return str(request.model), request.method, str(request.tokens)


def _pareto(several: Sequence[Outcome], rivalry: Callable[[Request], object]) -> set[int]:
    """Return the places on the Pareto front of time and cost, among rivals.

    Nothing there is beaten in one without losing in the other; those without a known cost stand apart.
    """
    rivals: dict[object, list[tuple[float, float, int]]] = {}
    for place, outcome in enumerate(several):
        cost = _answered(outcome).cost_usd.value
        if cost is not None:
            entry = (_answered(outcome).training_s, cost, place)
            rivals.setdefault(rivalry(outcome.request), []).append(entry)
    best: set[int] = set()
    for group in rivals.values():
        last = (math.inf, math.inf)
        for training_s, cost, place in sorted(group):
            if cost < last[1] or (training_s, cost) == last:
                last = (training_s, cost)
                best.add(place)
    return best


def _per_gpu(outcome: Outcome) -> float:
    estimated = _answered(outcome)
    return estimated.tokens_per_second / estimated.run.n_gpus


def _fewest(several: Sequence[Outcome]) -> list[Outcome]:
    """Return for each the one on the fewest GPUs among the same options."""
    requests = [outcome.request for outcome in several]
    same = [(same_step(replace(request, n_gpus=0)), request.tokens) for request in requests]
    fewest: dict[object, Outcome] = {}
    for key, outcome in zip(same, several, strict=True):
        if key not in fewest or _answered(outcome).run.n_gpus < _answered(fewest[key]).run.n_gpus:
            fewest[key] = outcome
    return [fewest[key] for key in same]


def shown_rows(rows: Sequence[Row], limit: int) -> list[Row]:
    """Return at most `limit` rows, in their order: the best, those of the Pareto front, then what there is room for.

    The best have half of the room. Of a front that is longer than the rest, rows all along it are shown, its far end
    among them, which is the cheapest where the fastest is first. Those that cannot be run come last.
    """
    possible = [place for place, row in enumerate(rows) if row.rank is not None]
    best = possible[: limit - limit // 2]
    front = [place for place in possible[len(best) :] if rows[place].pareto]
    shown = {*best, *_spread(front, limit - len(best))}
    others = (place for place in (*possible, *range(len(rows))) if place not in shown)
    for place in others:
        if len(shown) == limit:
            break
        shown.add(place)
    return [rows[place] for place in sorted(shown)]


def _spread(places: Sequence[int], room: int) -> Sequence[int]:
    """Return at most `room` of `places`, evenly spread, the last among them."""
    if len(places) <= room:
        return places
    return [places[(step + 1) * len(places) // room - 1] for step in range(room)]


def shared_assumptions(several: Sequence[Estimate]) -> tuple[Assumption, ...]:
    """Return the assumptions that all of `several` make; the others are what is compared, or follow from it.

    What the rule of thumb alone takes is none of options that are predicted, beside which the rule is not shown.
    """
    if not several:
        return ()
    everywhere = set(several[0].assumptions).intersection(*(estimated.assumptions for estimated in several[1:]))
    predicted = all(estimated.basis == "predicted" for estimated in several)
    return tuple(
        assumption
        for assumption in several[0].assumptions
        if assumption in everywhere and not (predicted and assumption.name == OF_THE_RULE)
    )
