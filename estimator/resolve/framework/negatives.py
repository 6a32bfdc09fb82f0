"""Negatives of a sample among the words on its software: understood there, and counted with the objective."""

from estimator.resolve.framework.meaning import Meaning
from estimator.resolve.hard_negatives import HARD_NEGATIVES

__all__ = ["told_negatives"]


def told_negatives(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of a sample's negatives from `at` on ends; None where nothing is said of them."""
    found = HARD_NEGATIVES.match(text, at)
    return None if found is None else (found.end(), Meaning())
