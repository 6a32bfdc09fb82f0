"""How much of a step devices wait for one another."""

from collections.abc import Mapping

__all__ = ["MOSTLY", "host_share", "waiting_share"]

MOSTLY = 0.5
"""Share of a step from which on devices wait more than they work."""


def waiting_share(breakdown: Mapping[str, float]) -> float:
    """Return the share of a step that devices spend in communication, or idle in a pipeline."""
    return breakdown.get("communication", 0.0) + breakdown.get("bubble", 0.0)


def host_share(breakdown: Mapping[str, float]) -> float:
    """Return the share of a step in which devices wait for their host: for launches, or for what it reads."""
    return breakdown.get("other", 0.0)
