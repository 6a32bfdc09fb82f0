"""All that an answer assumes, each name once."""

from estimator.question.question import Assumption, Prediction
from estimator.resolve.run import Run

__all__ = ["united_assumptions"]


def united_assumptions(
    run: Run, prediction: Prediction | None, of_speed: tuple[Assumption, ...], *, predicted: bool
) -> tuple[Assumption, ...]:
    """Return what a run, its prediction and its speed assume; whether that speed is the one `predicted` matters too.

    A published run's assumption says where its speed and the predicted one part.
    """
    united = _united(run.assumptions, prediction.assumptions if prediction else (), of_speed)
    if prediction is None or not predicted or run.question is None or run.question.precedent is None:
        return united
    # The step-time model comes with it.
    from estimator.answers.estimate.published import with_parting

    return with_parting(united, run, prediction)


def _united(*groups: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
    """Return all assumptions, each name once: what the caller said stands, else what was found out last.

    What was inferred in the place of something said says so itself.
    """
    by_name: dict[str, Assumption] = {}
    for assumption in (assumption for group in groups for assumption in group):
        earlier = by_name.get(assumption.name)
        if earlier is None or earlier.source != "user" or assumption.source == "inferred":
            by_name[assumption.name] = assumption
    return tuple(by_name.values())
