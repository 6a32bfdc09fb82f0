"""Arguments that nobody said, set to one value for all that is set side by side."""

from dataclasses import replace

from estimator.question.question import Assumption

__all__ = ["said_of_none"]


def said_of_none(assumptions: tuple[Assumption, ...], names: frozenset[str]) -> tuple[Assumption, ...]:
    """Return `assumptions`, those of arguments that were set for the sake of comparison as what they are."""
    note = "not said: one for all that are set side by side"
    return tuple(
        replace(one, source="default", note=note) if one.name in names and one.source == "user" else one
        for one in assumptions
    )
