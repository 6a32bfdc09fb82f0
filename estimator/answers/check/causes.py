"""Why a run may be faster or slower than it should: each cause priced, and held against what was observed."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from estimator.answers.check.bookkeeping import bookkeeping_candidates
from estimator.answers.check.candidate import Candidate, Gap
from estimator.answers.check.expected import Expected, expected_of
from estimator.answers.check.flop_conventions import logs_refute
from estimator.answers.check.load_causes import weighed
from estimator.answers.check.observation import Observation
from estimator.answers.check.own_machines import own_machines, ruled_out
from estimator.answers.check.physics import physical_candidates
from estimator.answers.check.surroundings import surrounding_candidates
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.evidence.calibration import committed_calibration
from estimator.physics.choice import Setting, setting_of
from estimator.question.question import Question

__all__ = ["Cause", "likely_causes"]

_SMALLEST = 1.05
"""A cause that moves the speed by less is none."""
_CONTRADICTS = 0.3
"""Log distance added to a cause against which something was said."""
_FALLS_SHORT = 0.7
"""Log distance added to a cause whose own range does not reach what was observed: a factor of two."""
_LEFT_OVER = 0.5
"""Of what a cause moves, in log, that it may leave to a second one and still be the cause: the lesser part."""
_MOST = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that may be so, and the speed to expect if it is."""

    code: str
    what: str
    tokens_per_second: float
    """To expect with it."""
    explains: bool
    """Whether what was observed lies in the range around that."""
    evidence: str
    check: str
    """How to tell whether it is so."""
    usual: bool
    """Whether it is common, and nothing that was told speaks against it."""


def likely_causes(gap: Gap, steady: Expected) -> tuple[Cause, ...]:
    """Return what would explain the gap, best first: by how near it comes, how common it is, what speaks against.

    Each cause of physics is the run priced again with it, all else equal; each of bookkeeping is its factor. `steady`
    is the expected speed of steps alone, the gap's that of what was observed. What the caller's own runs show to be in
    order is no cause, nor what a log's own FLOPs refute.
    """
    seen, expected = gap.seen, gap.expected
    price, machines = _Prices(gap.run.question, expected, steady), own_machines(gap.run)
    ratio = math.log(gap.ratio)
    ranked: list[tuple[float, Cause]] = []
    for candidate in weighed(_candidates(gap), gap.load, n_gpus=gap.run.n_gpus):
        if logs_refute(gap.run, gap.reading, seen, candidate.work):
            continue
        priced = price(candidate)
        if priced is None:
            continue
        move = math.log(priced.tokens_per_second / expected.tokens_per_second)
        if move * ratio <= 0 or abs(move) < math.log(_SMALLEST) or ruled_out(candidate.shared, move, machines):
            continue
        explains = priced.low <= seen.tokens_per_second <= priced.high
        apart = abs(ratio - move)
        if apart <= math.log(candidate.nearly):
            explains, apart = True, 0.0
        elif not explains and apart <= _LEFT_OVER * abs(move):
            below, above = priced.low / seen.tokens_per_second, seen.tokens_per_second / priced.high
            beyond, room = (below, candidate.stretch[0]) if below > above else (above, candidate.stretch[1])
            explains = beyond <= room
            # What is left within the stretch is the second cause's, not this one's distance.
            apart = math.log(beyond) if explains else apart
        if not explains and abs(move) > abs(ratio) + _FALLS_SHORT:
            continue
        distance = apart + candidate.rarity
        distance += (_CONTRADICTS if candidate.contradicts else 0.0) + (0.0 if explains else _FALLS_SHORT)
        cause = Cause(
            code=candidate.code,
            what=candidate.what,
            tokens_per_second=priced.tokens_per_second,
            explains=explains,
            evidence=_evidence(candidate, priced, expected, seen),
            check=candidate.check,
            usual=candidate.rarity <= 0.0 and not candidate.contradicts,
        )
        ranked.append((distance, cause))
    ranked.sort(key=lambda entry: entry[0])
    best: dict[str, Cause] = {}
    for _, cause in ranked:
        best.setdefault(cause.code, cause)
    return tuple(best.values())[:_MOST]


class _Prices:
    """What to expect if a candidate is so."""

    def __init__(self, asked: Question | None, expected: Expected, steady: Expected) -> None:
        self._asked = asked
        self._expected = expected
        self._steady = steady
        self._bases: list[tuple[Question, Expected]] = []

    def __call__(self, candidate: Candidate) -> Expected | None:
        """Return the expected speed with the candidate's change; None where no layout allows it, or no memory.

        A question is held against the one it changes, because stating a layout moves a prediction by itself.
        """
        if candidate.question is None:
            return _times_faster(self._expected, candidate.factor)
        try:
            changed = expected_of(_setting(candidate.question))
            base = self._steady if candidate.base is None else self._base(candidate.base)
        except InfeasibleError:
            return None
        if base.fits and not changed.fits and not self._has_room(candidate.question):
            # What the device has no room for would have ended the run, not slowed it.
            return None
        by = candidate.factor * self._expected.tokens_per_second / base.tokens_per_second
        return _times_faster(changed, by)

    def _has_room(self, question: Question) -> bool:
        """Return whether a question fits in any layout that its caller leaves open.

        That expected is the fastest that fits, and who has less room takes another.
        """
        if self._asked is None:
            return False
        try:
            return expected_of(_setting(replace(question, layout=self._asked.layout))).fits
        except InfeasibleError:
            return False

    def _base(self, question: Question) -> Expected:
        base_speed = next((priced for base, priced in self._bases if base is question), None)
        if base_speed is None:
            base_speed = expected_of(_setting(question))
            self._bases.append((question, base_speed))
        return base_speed


def _setting(question: Question) -> Setting:
    return setting_of(runnable(question, committed_calibration().constants))


def _times_faster(expected: Expected, by: float) -> Expected:
    return replace(
        expected, tokens_per_second=expected.tokens_per_second * by, low=expected.low * by, high=expected.high * by
    )


def _evidence(candidate: Candidate, priced: Expected, expected: Expected, seen: Observation) -> str:
    change = priced.tokens_per_second / expected.tokens_per_second
    ratio = seen.tokens_per_second / expected.tokens_per_second
    how = "priced again with it, the run reaches" if candidate.question is not None else "it would make"
    lead = f"{candidate.why}; " if candidate.why else ""
    return f"{lead}{how} {_times(change)} the expected speed, and {_times(ratio)} was observed"


def _times(ratio: float) -> str:
    return f"{ratio:.2f}×" if ratio < 100 else f"{ratio:,.0f}×"  # noqa: PLR2004 - digits that tell something


def _candidates(gap: Gap) -> Iterator[Candidate]:
    yield from bookkeeping_candidates(gap)
    if not gap.faster:
        yield from surrounding_candidates(gap)
    # Of a site that averages now and then, batch and layout are not the run's.
    if gap.run.question is not None and gap.run.question.local is None:
        yield from physical_candidates(gap, gap.run.question)
