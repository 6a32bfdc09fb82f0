"""Pre-training by telling which tokens a generator replaced: of which model it can be, and what it adds."""

from estimator.base.errors import InvalidValueError
from estimator.base.units import format_count
from estimator.models.objective import Objective
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.question import Assumption
from estimator.question.request import Request

__all__ = ["generator_beside"]


def generator_beside(
    request: Request, network: Transformer, objective: Objective, *, whole: bool
) -> tuple[Assumption, ...]:
    """Return what is said of the generator of `network`, which is trained beside it where the objective generates.

    Raises InvalidValueError where the objective needs a generator that the model has none of.
    """
    generator = network.generator
    if objective.generates and generator is None:
        remedy = 'needs a model with a generator, such as ELECTRA or DeBERTa v3; other encoders are trained by "masked"'
        raise InvalidValueError("objective", request.objective, remedy)
    discriminates = not network.vocab and objective.name == "next_token" and whole
    if generator is None or not (objective.generates or discriminates):
        return ()
    more = f"{format_count(workload(generator).parameters)} parameters, its output the shared embedding"
    if objective.generates:
        note = f"{generator.n_layers} layers of {generator.hidden}, {more}; {objective.why}"
        return (Assumption(name="generator", value="trained", source="user", note=note),)
    note = f'the model is tuned alone; pre-trained, a generator of {more}, learns beside it: say "replaced_token"'
    return (Assumption(name="generator", value="none", source="inferred", note=f"{note} in objective"),)
