"""What a run is told to do between its steps: how often it evaluates and saves, and on how much, or what."""

import math
from dataclasses import dataclass, fields, replace

__all__ = ["NOTHING_SCHEDULED", "Schedule", "Times"]

_SLACK = 1e-9
"""Share of a run by which rounding may make it shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How often something is done in a run: one of these is told."""

    steps: float | None = None
    """After every so many steps …"""
    share: float | None = None
    """… each time that this share of the run is done …"""
    epochs: float | None = None
    """… after every so many epochs, half of one being twice in each …"""
    seconds: float | None = None
    """… after so much time in steps …"""
    count: float | None = None
    """… or so many times in all, 0: never."""

    def occasions(self, *, steps: float, epochs: float, seconds: float) -> float:
        """Return how many times it is done in a run of so many steps, epochs and seconds; at most once a step."""
        if self.count is not None:
            return self.count
        every = ((self.steps, steps), (self.share, 1.0), (self.epochs, epochs), (self.seconds, seconds))
        times = next((float(math.floor((1.0 + _SLACK) * whole / part)) for part, whole in every if part), 0.0)
        return min(times, max(1.0, steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What was said of it; None where nothing was."""

    evaluated: Times | None = None
    evaluated_samples: float | None = None
    """Samples of one evaluation, as trainers count them …"""
    evaluated_share: float | None = None
    """… or the share of the data set that they are …"""
    evaluated_batches: float | None = None
    """… or batches …"""
    evaluated_tokens: float | None = None
    """… or tokens."""
    held_share: float | None = None
    """Share of the data set that was told which is kept for evaluation, and so not trained on …"""
    held_samples: float | None = None
    """… or how many samples of it; an evaluation is of all that is held out unless another size was told."""
    generated: str | None = None
    """What is generated now and then, in the words that told it: its time is another matter than a forward pass."""
    saved: Times | None = None
    saves_weights_alone: bool | None = None
    """Whether a checkpoint is of the weights, without what the optimizer needs to go on."""
    saves_in_background: bool | None = None
    """Whether training goes on while a checkpoint is written."""

    def over(self, other: "Schedule") -> "Schedule":
        """Return `other` with all that is said here in its place; of two sizes this one."""
        said = {name: value for name in _NAMES if (value := getattr(self, name)) is not None}
        told_anew = [group for group in _GROUPS if any(name in said for name in group)]
        kept = {name: getattr(other, name) for name in _NAMES if not any(name in group for group in told_anew)}
        return Schedule(**{**kept, **said})

    def with_nothing_held(self) -> "Schedule":
        """Return the same with what is held out as what is evaluated on alone, of a set beside that which is told."""
        if self.held_share is None and self.held_samples is None:
            return self
        kept = Schedule(evaluated_share=self.held_share, evaluated_samples=self.held_samples)
        return replace(self.over(kept), held_share=None, held_samples=None)

    @property
    def sized(self) -> bool:
        """Whether it was said how much an evaluation is of."""
        return any(getattr(self, name) is not None for group in _GROUPS for name in group)

    @property
    def evaluates(self) -> bool:
        """Whether evaluations were told of, how often or of how much."""
        return self.sized if self.evaluated is None else self.evaluated.count != 0

    @property
    def saves(self) -> bool:
        """Whether it was told how often checkpoints are saved, and that they are."""
        return self.saved is not None and self.saved.count != 0


_NAMES = tuple(one.name for one in fields(Schedule))
_GROUPS = (
    ("evaluated_samples", "evaluated_share", "evaluated_batches", "evaluated_tokens"),
    ("held_share", "held_samples"),
)
"""Of each, one is told."""

NOTHING_SCHEDULED = Schedule()
