"""What is added to an assumption once more is known of its value."""

from collections.abc import Iterable
from dataclasses import replace

from estimator.question.question import Assumption, SourceKind

__all__ = ["noted"]


def noted(
    assumptions: Iterable[Assumption], name: str, note: str, source: SourceKind | None = None
) -> tuple[Assumption, ...]:
    """Return `assumptions` with a note on the value `name`, if there is one, and where the value came from with it."""
    return tuple(
        replace(each, note=note, source=source or each.source) if note and each.name == name else each
        for each in assumptions
    )
