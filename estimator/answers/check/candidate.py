"""A thing that may be so of a run, before it is priced."""

from dataclasses import dataclass

from estimator.question.question import Question
from estimator.resolve.run import Run

__all__ = ["Candidate", "has_length", "length_unsaid", "said"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What may be so; priced as a question of physics, or as a factor on the expected speed."""

    code: str
    what: str
    check: str
    question: Question | None = None
    """Priced for the speed, where the cause is one of physics."""
    base: Question | None = None
    """What `question` differs from by the cause alone; None: from the run as asked."""
    factor: float = 1.0
    """On the expected speed, where it is one of bookkeeping."""
    why: str = ""
    contradicts: bool = False
    """Whether the caller, or what is catalogued, says otherwise."""
    rarity: float = 0.0
    """Log distance by which it must come nearer than a common cause to stand before it."""


def has_length(run: Run) -> bool:
    """Return whether a caller could say how long sequences are: not where a model makes them of pictures or sounds."""
    network = run.subject.transformer
    return network is None or not network.reads_media_itself


def length_unsaid(run: Run) -> bool:
    """Return whether a caller could say how long sequences are, and did not."""
    return has_length(run) and not said(run, "sequence_length")


def said(run: Run, argument: str) -> bool:
    """Return whether the caller gave `argument`."""
    return any(assumption.name == argument and assumption.source == "user" for assumption in run.assumptions)
