"""A judgement with a name: the value used, the range it lies in, and why."""

from dataclasses import dataclass

__all__ = ["Prior"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A number nobody measured for the case at hand, from `low` to `high`, `mode` where one is needed."""

    low: float
    mode: float
    high: float
    why: str
    """The reason, with its source."""

    @property
    def ends(self) -> tuple[float, float, float]:
        """What it is at least, most likely and at most."""
        return self.low, self.mode, self.high
