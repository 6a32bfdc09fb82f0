"""The model as it is trained: its towers that learn, its head, what runs beside it."""

from estimator.models.masked import MASKED, predicts_masked
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
from estimator.resolve.replaced_tokens import generator_beside
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
    towards = objective.objective
    generator = generator_beside(request, subject.transformer, towards, whole=whole)
    gathers = name in STACKS and bool(practice.over(STACKS[name].habit).gathers_masked)
    model = with_objective(
        with_trained_towers(subject.transformer, parts),
        towards,
        adapters=method.name in WITH_ADAPTERS,
        teacher=objective.teacher,
        gathers=gathers,
    )
    positions = (_positions(model, name),) if towards.name == "masked" and predicts_masked(model) else ()
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
    return model, (*generator, *positions, *prediction)


def _positions(model: Transformer, stack: str) -> Assumption:
    """Return of which positions a masked language model works out logits, and who does otherwise."""
    gathered = model.predicted < 1.0
    if gathered:
        note = "masked ones are gathered before the output layer"
    else:
        whose = "Transformers' models have" if stack == "huggingface" else "plain masked language models have"
        note = (
            f"as {whose} them; code that gathers masked ones first (fairseq's, Composer's, DeBERTa's own) has "
            f'{MASKED:.0%} of them: say "gathered predictions" in framework'
        )
    return Assumption(name="predicted_positions", value="masked" if gathered else "all", source="default", note=note)
