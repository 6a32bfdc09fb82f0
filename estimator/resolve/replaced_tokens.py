"""Pre-training by telling which tokens a generator replaced: whether it is meant, and of which model it can be."""

import re

from estimator.base.errors import InvalidValueError
from estimator.base.units import format_count
from estimator.models.objective import OBJECTIVES, Objective
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.packing import is_from_scratch

__all__ = ["with_generator"]

_REPLACED: Objective = OBJECTIVES["replaced_token"]
_PRETRAINS = re.compile(r"pre[-_ ]?train|from[-_ ]scratch")
_TUNES = re.compile(r"fine[-_ ]?tun|\bsft\b|instruct")


def with_generator(
    request: Request, network: Transformer, objective: Objective, *, whole: bool
) -> tuple[Objective, tuple[Assumption, ...]]:
    """Return the objective that `network` is trained towards, and what is said of its generator.

    A discriminator whose `whole` network learns is pre-trained as it was, where words or an amount say that it is
    pre-training; else it is tuned alone.
    Raises InvalidValueError where the objective needs a generator that the model has none of.
    """
    generator = network.generator
    if objective.generates and generator is None:
        remedy = 'needs a model with a generator, such as ELECTRA or DeBERTa v3; other encoders are trained by "masked"'
        raise InvalidValueError("objective", request.objective, remedy)
    if generator is None:
        return objective, ()
    discriminates = not network.vocab and objective.name == "next_token" and whole
    if not (objective.generates or discriminates):
        return objective, ()
    meant = objective.generates or _pretrains(request)
    more = f"{format_count(workload(generator).parameters)} parameters, its output the shared embedding"
    if meant:
        note = f"{generator.n_layers} layers of {generator.hidden}, {more}; {_REPLACED.why}"
    else:
        note = f'the model is tuned alone; pre-trained, a generator of {more}, learns beside it: say "replaced_token"'
    told = Assumption(
        name="generator",
        value="trained" if meant else "none",
        source="user" if objective.generates else "inferred",
        note=f"{note} in objective" if not meant else note,
    )
    return (_REPLACED if meant else objective), (told,)


def _pretrains(request: Request) -> bool:
    """Return whether words say that it is pre-training, or the amount is more than any fine-tuning takes."""
    said = f"{request.objective} {request.framework}".casefold()
    if _TUNES.search(said):
        return False
    return bool(_PRETRAINS.search(said)) or is_from_scratch(request)
