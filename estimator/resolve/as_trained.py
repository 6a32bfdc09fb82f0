"""The model as it is trained: its towers that learn, its head, what runs beside it."""

from estimator.models.objective import with_objective
from estimator.models.training import WITH_ADAPTERS, Method
from estimator.models.transformer import Transformer
from estimator.models.views import with_views
from estimator.physics.stacks import STACKS
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.batch import told_length, usual_length
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.objective import AskedObjective
from estimator.resolve.prediction import predicted_ahead
from estimator.resolve.replaced_tokens import with_generator
from estimator.resolve.subject import Subject
from estimator.resolve.trained_parts import TrainedParts, with_trained_towers

__all__ = ["as_trained"]


def as_trained(
    request: Request,
    subject: Subject,
    parts: TrainedParts | None,
    objective: AskedObjective,
    framework: NamedFramework,
    *,
    stack: str,
    method: Method,
) -> tuple[Transformer | None, tuple[Assumption, ...]]:
    """Return the model as it is trained, with what was assumed: its towers that learn, its head, what runs beside it.

    None where the architecture is not known.
    """
    if subject.transformer is None:
        return None, ()
    name, practice = framework.name, framework.practice
    whole = method.name == "full" and parts is None
    towards, generator = with_generator(request, subject.transformer, objective.objective, whole=whole)
    model = with_objective(
        with_trained_towers(subject.transformer, parts),
        towards,
        adapters=method.name in WITH_ADAPTERS,
        teacher=objective.teacher,
        gathers=name in STACKS and bool(practice.over(STACKS[name].habit).gathers_masked),
    )
    length = told_length(request) or usual_length(subject)
    if objective.objective.views is not None:
        model = with_views(model, objective.objective.views, length)
    model, prediction = predicted_ahead(
        request,
        model,
        practice,
        stack,
        plain=parts is None and objective.objective.name == "next_token",
        sequence_length=length,
    )
    return model, (*generator, *prediction)
