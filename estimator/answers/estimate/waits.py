"""How much of a step devices wait for one another."""

from collections.abc import Mapping

__all__ = ["MOSTLY", "waiting_share"]

MOSTLY = 0.5
"""Share of a step from which on devices wait more than they work."""


def waiting_share(breakdown: Mapping[str, float]) -> float:
    """Return the share of a step that devices spend in communication, or idle in a pipeline."""
    return breakdown.get("communication", 0.0) + breakdown.get("bubble", 0.0)
