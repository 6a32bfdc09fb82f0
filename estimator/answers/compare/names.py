"""What tells the options of a comparison from one another, in words."""

from collections.abc import Callable, Sequence
from dataclasses import fields

from estimator.answers.compare.compare import Outcome
from estimator.answers.estimate.wording import amount_words
from estimator.question.request import Request
from estimator.resolve.run import Run

__all__ = ["device_words", "distinct", "short_names"]

_MOST_WORDS = 40
"""Characters of a value that is told as it was written."""


def short_names(several: Sequence[Outcome]) -> list[str]:
    """Return each of several options that were estimated by what tells it from the others; else by its devices."""
    ways: tuple[Callable[[Run], str], ...] = (
        lambda run: run.subject.name,
        lambda run: f"on {amount_words(run)}",
        lambda run: run.method.name,
        lambda run: f"in {run.device.precision}",
        device_words,
    )
    runs = [outcome.estimate.run for outcome in several if outcome.estimate is not None]
    told = [[way(run) for run in runs] for way in ways]
    parts = [names for names in told if len(set(names)) > 1] or told[-1:]
    return distinct([", ".join(words) for words in zip(*parts, strict=True)], [outcome.request for outcome in several])


def device_words(run: Run) -> str:
    """Return the devices of a run in words, with what is said of their network beside them."""
    return ", ".join(part for part in (run.device.counted(run.n_gpus), run.device.network) if part)


def distinct(names: Sequence[str], requests: Sequence[Request]) -> list[str]:
    """Return the names of options, those of unlike ones with the arguments that differ where the name is one.

    Whatever they are: two prices of one device, or words that are read alike.
    """
    alike: dict[str, list[Request]] = {}
    for name, request in zip(names, requests, strict=True):
        alike.setdefault(name, []).append(request)
    differing = {name: _differing(several) for name, several in alike.items() if len(several) > 1}
    told: list[str] = []
    for name, request in zip(names, requests, strict=True):
        words = [f"{field} {_written(getattr(request, field))}" for field in differing.get(name, ())]
        told.append(f"{name} ({', '.join(words)})" if words else name)
    return told


def _differing(several: Sequence[Request]) -> list[str]:
    first = several[0]
    names = (field.name for field in fields(Request))
    return [name for name in names if any(getattr(other, name) != getattr(first, name) for other in several[1:])]


def _written(value: object) -> str:
    return "unsaid" if value is None else str(value)[:_MOST_WORDS]
