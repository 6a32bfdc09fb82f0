"""Epochs as logs tell of them: which one a counter of steps is of, how many there are, and when a run is through."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from estimator.answers.check.log_point import BAR, LogPoint

__all__ = ["EpochTold", "Heads", "counts_epochs", "epoch_of_bar", "epochs_before", "is_end"]

_OF_ALL_STEPS = re.compile(r"\bsteps\b", re.IGNORECASE)
"""A bar of `Steps` goes through all epochs, whichever it names: SimpleTuner's, Kohya's."""
_NAMED = re.compile(r"epochs?\W{0,4}(\d{1,6})(?!\d|\.\d|\s?%)(?:\s?(?:/|of)\s?(\d{1,6}))?", re.IGNORECASE)
"""Not `'epoch': 0.25`, a share of all, nor the per cent behind the name."""
_BEFORE_MEMORY = re.compile(r"^\s{0,9}(\d{1,6})/(\d{1,6})\s{1,12}[\d.]{1,8}[MG]")
"""Ultralytics', whose columns begin with epoch and memory."""
_HEAD = re.compile(r"^\W{0,9}epoch\W{0,4}(\d{1,6})\s?(?:/|of)\s?(\d{1,6})\W{0,9}$", re.IGNORECASE)
"""A line of its own above the bar of an epoch: Keras', and that of most loops."""
_BAR_OF_EPOCHS = re.compile(r"^(?:train(?:ing)?\s)?epochs?[\W_]*$", re.IGNORECASE)
_BAR_OF_EPOCHS_BEGUN = re.compile(
    r"^(?:train(?:ing)?\s)?epochs?[\s.:_]{0,6}\d{1,3}%\|[^|]{0,80}\|\s{0,9}(\d{1,6})/(\d{1,6}) \[", re.IGNORECASE
)
"""One that tells no time yet, for its first epoch is not through."""
_END = re.compile(
    r"(?<!eval_)train_runtime\b|`?Trainer\.fit`? stopped:|\bepochs completed in\b|"
    r"\b[Tt]raining (?:is |was )?(?:complete|completed|done|finished)\b(?! \d)|\b[Ff]inished training\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTold:
    """An epoch by its number, as printed, and how many there are."""

    number: float
    total: float | None = None
    first: float | None = None
    """What the first one is counted as; None where the number alone does not tell."""


def epoch_of_bar(before: str) -> EpochTold | None:
    """Return the epoch whose steps a bar counts, by what stands `before` it; None where nothing there tells one.

    The last one named: a prefix may name another.
    """
    match = _BEFORE_MEMORY.match(before)
    if match is None and not _OF_ALL_STEPS.search(before):
        for match in _NAMED.finditer(before):  # noqa: B007 - the last one is kept
            pass
    return None if match is None else _told(match)


def _told(match: re.Match[str]) -> EpochTold:
    return EpochTold(number=float(match[1]), total=float(match[2]) if match[2] else None)


class Heads:
    """What stands above bars and tells their epoch: a line of its own, or a bar that counts epochs."""

    def __init__(self) -> None:
        self._line: EpochTold | None = None
        self._bar: EpochTold | None = None

    def take(self, line: str) -> None:
        """Take note of `line` if it heads an epoch."""
        if "poch" not in line and "POCH" not in line:
            return
        if (head := _HEAD.match(line)) is not None:
            self._line = _told(head)
        if (bar := _BAR_OF_EPOCHS_BEGUN.match(line)) is not None:
            # It counts those that are through.
            self._bar = EpochTold(number=float(bar[1]), total=float(bar[2]), first=0.0)

    def placed(self, point: LogPoint) -> LogPoint:
        """Return `point` with the epoch that it stands below, where it names none itself."""
        if point.rank != BAR:
            return point
        if point.epoch is not None:
            total = self._bar.total if self._bar and point.epochs is None else point.epochs
            return replace(point, epochs=total)
        if counts_epochs(point):
            # Of two bars, the one that counts epochs is not the one of steps.
            return replace(point, training=None)
        head = self._bar or (self._line if not point.label else None)
        if head is None or _OF_ALL_STEPS.search(point.label):
            return point
        return replace(point, of_epoch=True, epoch=head.number, epochs=head.total, first_epoch=head.first)


def counts_epochs(point: LogPoint) -> bool:
    """Return whether a bar is named for epochs and for none of them: it may count those, or the steps of one."""
    return point.dialect == "tqdm" and point.epoch is None and _BAR_OF_EPOCHS.match(point.label) is not None


def epochs_before(points: Sequence[LogPoint]) -> float | None:
    """Return how many epochs are through before the last of `points`; None where its steps are not an epoch's.

    A count begins at 0 where a 0 is seen, or where no total stands behind it, as in a loop over `range`; one that has a
    total beside it, `3/10`, is taken as a person counts.
    """
    last = points[-1]
    if last.epoch is None:
        return None
    first = last.first_epoch
    if first is None:
        from_zero = last.epochs is None or any(point.epoch == 0.0 for point in points)
        first = 0.0 if from_zero else 1.0
    return max(0.0, last.epoch - first)


def is_end(line: str) -> bool:
    """Return whether `line` is what a trainer prints when a run is through."""
    return _END.search(line) is not None
