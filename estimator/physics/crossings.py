"""Two ways to train between which the amount of data decides: the more tokens, the more take the second.

Whoever has more to train on takes another batch, or writes other code. What is answered goes over from the one way's
time to the other's in the log of both, and so slowly that no run takes less time for having more tokens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from estimator.physics.batch import global_batch_sequences, growing_batch
from estimator.question.question import Question

__all__ = ["Crossing", "amount_decides", "crossings"]

_WIDER = 1.25
"""Width of a crossing over the log ratio of its ways' times: at 1 more tokens would take the same time all the way."""
_WIDEST = 2.0
"""Times that a crossing is widened at most: its ways may then lie nine hundred times apart before time falls."""
_LOOKED_FROM, _LOOKED_UNTIL = (1.0 - _WIDEST) / 2.0, (1.0 + _WIDEST) / 2.0
"""Where the widest begins and ends: below nobody takes the second way, and above all do who ever will."""
_LEFT = 0.05
"""Share that stay with Transformers' layers, however many tokens they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """The other of two ways to train, and where a run lies between the tokens of the first and of the second."""

    other: Question
    """As the other way has it, which leaves nothing open that this crossing does."""
    of_layers: bool
    """Whether it is whose layers with experts run, and not how large a batch is."""
    other_is_second: bool
    grown: float
    """Log tokens between those up to which all take the first way (0), and those from which on the second (1)."""
    width_log: float
    """Log of the ratio of those tokens."""
    left: float
    """Share that stay with the first way for all that, as far as they bear it: the range may reach to them."""

    @property
    def argument(self) -> str:
        """What a caller says to end it."""
        return "framework" if self.of_layers else "global_batch_sequences"

    def second_share(self, ratio_log: float) -> float:
        """Return the weight of the second way where the first takes `ratio_log` of log time a token longer.

            1/2 + (grown − 1/2) · min(1, width / (1.25 · ratio))

        Log time of a run grows with log tokens by 1 − ratio · (slope of the weight), which is not below 0 where the
        crossing is as wide as the ratio. One that is less is widened about its middle, to both sides, so that the way
        of most is the same however far the two lie apart.
        """
        narrower = 1.0 if ratio_log <= 0.0 else min(1.0, self.width_log / (_WIDER * ratio_log))
        return min(1.0, max(0.0, 0.5 + (self.grown - 0.5) * max(1.0 / _WIDEST, narrower)))

    def point_log(self, taken_log: float, other_log: float) -> float:
        """Return the log time of a token between the way that is printed and the other, by their weights."""
        first, second = (taken_log, other_log) if self.other_is_second else (other_log, taken_log)
        weight = self.second_share(first - second)
        return (1.0 - weight) * first + weight * second


def crossings(question: Question) -> tuple[Crossing, ...]:
    """Return the other ways that the amount of data leaves open: one at most, for where layers are, no batch is."""
    return tuple(
        replace(crossing, grown=min(crossing.grown, _LOOKED_UNTIL))
        for crossing in (*_of_batch(question), *_of_layers(question))
        if crossing.grown > _LOOKED_FROM
    )


def amount_decides(question: Question) -> tuple[float, ...]:
    """Return what the amount of data decides of a step: questions that differ in no more than it take the same one."""
    return (global_batch_sequences(question), *(crossing.grown for crossing in crossings(question)))


def _of_batch(question: Question) -> Iterator[Crossing]:
    batch = growing_batch(question)
    if batch is not None:
        other = batch.few if batch.is_many else batch.many
        yield Crossing(
            other=replace(question, global_batch_sequences=other, run_tokens=None),
            of_layers=False,
            other_is_second=not batch.is_many,
            grown=batch.grown,
            width_log=batch.width_log,
            left=0.0,
        )


def _of_layers(question: Question) -> Iterator[Crossing]:
    layers, own = question.other_layers, bool(question.practice.own_experts)
    if layers is not None:
        other = replace(
            question,
            practice=replace(question.practice, own_experts=not own),
            sequence_length=layers.sequence_length,
            reads=question.reads.times(layers.sequence_length / question.sequence_length),
            other_layers=None,
        )
        yield Crossing(
            other=other,
            of_layers=True,
            other_is_second=not own,
            grown=layers.grown,
            width_log=layers.width_log,
            left=_LEFT,
        )
