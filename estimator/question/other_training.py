"""What else a run may be where nobody said what its model learns."""

from dataclasses import dataclass

from estimator.models.transformer import Transformer
from estimator.question.reads import Reads

__all__ = ["OtherTraining"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherTraining:
    """Another training that the same words may mean: how a step of it differs from the one that is assumed."""

    transformer: Transformer
    framework: str
    sequence_length: int
    reads: Reads
    tokens: float
    """Tokens of it for each token of the training that is assumed: where pictures are seen whole, they are more."""
    share: float
    """How many mean it of those who say no more."""
    assumed: str
    """What is assumed in its place, in words …"""
    words: str
    """… and what it is itself."""
    argument: str
    """The one that tells most …"""
    say: str
    """… and all that tell which it is, with what they would hold."""
