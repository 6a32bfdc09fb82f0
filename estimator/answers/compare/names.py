"""What tells the options of a comparison from one another, in words."""

from collections.abc import Callable, Sequence

from estimator.answers.estimate.wording import amount_words
from estimator.resolve.run import Run

__all__ = ["short_names"]


def short_names(runs: Sequence[Run]) -> list[str]:
    """Return each of several options by what tells it from the others; where nothing does, by its devices."""
    ways: tuple[Callable[[Run], str], ...] = (
        lambda run: run.subject.name,
        lambda run: f"on {amount_words(run)}",
        lambda run: run.method.name,
        lambda run: f"in {run.device.precision}",
        lambda run: run.device.counted(run.n_gpus),
    )
    told = [[way(run) for run in runs] for way in ways]
    parts = [names for names in told if len(set(names)) > 1] or told[-1:]
    return [", ".join(words) for words in zip(*parts, strict=True)]
