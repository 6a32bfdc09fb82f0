"""What is held out of the data for evaluation, and so not trained on."""

from dataclasses import replace

from estimator.question.schedule import Schedule
from estimator.resolve.amount import Amount

__all__ = ["held_share", "without_held_out"]

_MOST = 0.9
"""Share of a set that anybody holds out of it."""
_PERCENT = 100.0
_SCALED = ("tokens", "processed_tokens")


def held_share(amount: Amount, schedule: Schedule, sequences: int) -> float:
    """Return the share of the data of `amount`, of so many `sequences` a sample, that `schedule` holds out."""
    if schedule.held_share is not None:
        return min(schedule.held_share, _MOST)
    if schedule.held_samples is None or amount.tokens_per_sample is None:
        return 0.0
    samples = amount.real_tokens / (amount.tokens_per_sample * amount.epochs * sequences)
    # As many as there are, or more, are of another set.
    return 0.0 if schedule.held_samples >= samples else min(schedule.held_samples / samples, _MOST)


def without_held_out(amount: Amount, schedule: Schedule, sequences: int) -> Amount:
    """Return `amount` without what `schedule` holds out of each pass over data of so many `sequences` a sample."""
    share = held_share(amount, schedule, sequences)
    if not share:
        return amount
    kept = 1.0 - share
    return replace(
        amount,
        tokens=amount.tokens * kept,
        real_tokens=amount.real_tokens * kept,
        sequences=None if amount.sequences is None else amount.sequences * kept,
        assumptions=tuple(
            replace(told, value=float(told.value) * kept, note=_less(told.note, share))
            if told.name in _SCALED
            else told
            for told in amount.assumptions
        ),
    )


def _less(note: str, share: float) -> str:
    """Return `note` with what is held out behind its first clause."""
    first, _, rest = note.partition("; ")
    held = f"less {_PERCENT * share:.3g}% held out for evaluation"
    return "; ".join(part for part in (f"{first}, {held}" if first else held, rest) if part)
