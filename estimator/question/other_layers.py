"""Layers with experts of either kind, where software is named that does not tell whose it runs."""

from dataclasses import dataclass

__all__ = ["OtherLayers"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherLayers:
    """What differs of a question in the other layers: one's own in place of Transformers', or those in place of them.

    How long sequences are where nobody said it goes with the code.
    """

    grown: float
    """Where the run's tokens lie between those that models are tuned on (0), and those on which hardly anybody trains
    in Transformers' layers (1), in their log; below 0 and above 1 beyond them."""
    width_log: float
    """Log of the ratio of those tokens."""
    sequence_length: int
