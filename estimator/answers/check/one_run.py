"""Of all points of a log, those of one run's training: bars by what they name, the last run of several."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from estimator.answers.check.epochs import counts_epochs
from estimator.answers.check.log_point import BAR, LogPoint

__all__ = ["Group", "chosen_groups"]

_RESTART_STEPS, _RESTART_SHARE = 2.0, 0.02
"""Ranks that print side by side are that far apart at most; a step that falls back further begins a run anew."""
_MANY = 3
_FAR_LONGER = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Points of one kind, of the last run in the text."""

    points: tuple[LogPoint, ...]
    doubt: str | None = None
    """Why they may not be training's."""


def chosen_groups(points: Sequence[LogPoint], known_total: float | None) -> list[Group]:
    """Return groups of points, the one whose word counts first; empty where all speak of something else.

    What names itself training wins over what does not; what names itself something else is left out.
    """
    kept = [point for point in points if point.training is not False]
    # What somebody quotes, as in a mail, is another's run where there are lines of one's own.
    kept = [point for point in kept if not point.line.lstrip().startswith(">")] or kept
    kinds: dict[tuple[int, str], list[tuple[int, LogPoint]]] = {}
    for place, point in enumerate(kept):
        bar = point.rank == BAR and point.dialect != "unknown"
        kinds.setdefault((point.rank, "bar" if bar else point.dialect), []).append((place, point))
    repeated = any(len(listed) > 1 for listed in kinds.values())

    def order(kind: tuple[int, str]) -> tuple[bool, int, bool, int, int]:
        listed, unknown = kinds[kind], kind[1] == "unknown"
        # A figure by everybody's names that comes once stands in a sentence.
        said_once = unknown and repeated and len(listed) == 1
        # Of trainers one after the other the last one's run counts.
        later = sum(listed[0][0] > others[-1][0] for name, others in kinds.items() if name[0] == kind[0])
        return said_once, kind[0], unknown, -later, -len(listed)

    groups: list[Group] = []
    for kind in sorted(kinds, key=order):
        listed, doubt = [point for _, point in kinds[kind]], None
        if kind[1] == "bar":
            listed, doubt = _training_bar(listed, known_total)
        groups.append(Group(points=tuple(_last_run(listed)), doubt=doubt))
    return groups


def _training_bar(points: Sequence[LogPoint], known_total: float | None) -> tuple[list[LogPoint], str | None]:
    """Return the points of the bar that is training's, and why that is doubted, if it is."""
    bars: dict[tuple[str, float | None], list[LogPoint]] = {}
    for point in points:
        label = re.sub(r"[\d/]+", "", point.label) if point.training else ""
        total = point.total_steps
        if total is None:
            # Beyond its end, a bar forgets it.
            total = next((known for named, known in bars if named == label), None)
        bars.setdefault((label, total), []).append(point)

    def unfinished(bar: list[LogPoint]) -> bool:
        last = bar[-1]
        return not (last.total_steps and last.step is not None and last.step >= last.total_steps)

    longest = {key: max((point.elapsed_s or 0.0) for point in bar) for key, bar in bars.items()}
    longest_open = max((longest[key] for key, bar in bars.items() if unfinished(bar)), default=0.0)

    def weight(key: tuple[str, float | None]) -> tuple[bool, bool, bool, int, float]:
        bar = bars[key]
        # A training bar that is through and evaluated since has printed more, for longer.
        through = len(bar) > _MANY and longest[key] > _FAR_LONGER * longest_open
        named = any(point.training for point in bar)
        return (named, key[1] is not None and key[1] == known_total, unfinished(bar) or through, len(bar), longest[key])

    best = max(bars, key=weight)
    doubt = None
    if not weight(best)[0] and not weight(best)[1]:
        others = len({key for key in bars if not weight(key)[0]}) > 1
        doubt = (
            "the bar may count epochs, and was taken to count steps"
            if counts_epochs(bars[best][-1])
            else "several bars name nothing, and one was taken for training's by how it goes on"
            if others
            else "the bar names nothing: it was taken for training's"
        )
    return bars[best], doubt


def _last_run(points: Sequence[LogPoint]) -> list[LogPoint]:
    """Return the points of the last run in the text: where the steps fall back, one begins anew."""
    start, highest = 0, None
    for index, point in enumerate(points):
        if point.step is None:
            continue
        if highest is not None and point.step < highest - max(_RESTART_STEPS, _RESTART_SHARE * highest):
            start, highest = index, None
        highest = point.step if highest is None else max(highest, point.step)
    return list(points[start:])
