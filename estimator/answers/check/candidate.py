"""A thing that may be so of a run, before it is priced, and the gap that it is to explain."""

import math
from dataclasses import dataclass
from typing import Literal

from estimator.answers.check.expected import Expected
from estimator.answers.check.logs import LogReading
from estimator.answers.check.monitor import DeviceLoad
from estimator.answers.check.observation import Observation
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = ["Candidate", "Gap", "Shared", "has_length", "length_unsaid", "said", "says_packed"]

Shared = Literal["nothing", "machine", "links", "network"]
"""What runs of one lab have in common that a cause lies in: nothing; its machines with the software on them; what joins
the devices of one, or the machines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A speed that is not as expected, with all that was told of the run."""

    request: Request
    run: Run
    seen: Observation
    expected: Expected
    flop_per_token: float
    """Of the model."""
    reading: LogReading | None
    faster: bool
    most: float = math.inf
    """Tokens per second of all devices that none exceed."""
    load: DeviceLoad | None = None
    """What a monitor shows of the devices."""

    @property
    def ratio(self) -> float:
        """Observed over expected speed."""
        return self.seen.tokens_per_second / self.expected.tokens_per_second


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
    """On the expected speed, where it is one of bookkeeping; on that of `question`, where its tokens are others."""
    why: str = ""
    contradicts: bool = False
    """Whether the caller, or what is catalogued, says otherwise."""
    work: float = 1.0
    """On the FLOPs that the devices do each second, if it is so: of more tokens, or of a larger model."""
    rarity: float = 0.0
    """Log distance by which it must come nearer than a common cause to stand before it."""
    stretch: tuple[float, float] = (1.0, 1.0)
    """By which the range around it reaches further down, and up, where it leaves room for a second cause beside it."""
    nearly: float = 1.0
    """Ratio within which what was observed is as near to it as can be told: what else it may be off by is as usual."""
    shared: Shared = "nothing"
    """What runs of the same lab would have in common with it, if it were so."""


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


def says_packed(run: Run) -> bool:
    """Return whether the caller says that samples are packed into full sequences."""
    if run.question is not None and run.question.practice.packing is not None:
        return run.question.practice.packing == "packed"
    return any(told.name == "packing" and told.source == "user" and told.value == "packed" for told in run.assumptions)
