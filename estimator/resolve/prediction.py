"""Whether modules that predict tokens beyond the next (MTP) are trained: said, or as runs of its kind have it."""

from dataclasses import replace

from estimator.base.errors import InvalidValueError
from estimator.base.units import format_count, parse_count
from estimator.models.prediction import prediction_parameters, prediction_share, with_prediction
from estimator.models.transformer import Transformer
from estimator.question.practice import Practice
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.packing import LARGEST_SET, is_small_set
from estimator.resolve.training_method import asked_method

__all__ = ["predicted_ahead"]

_TRAINERS = frozenset({"auto", "hai-llm", "megatron", "mindspeed", "nemo", "primus"})
"""Stacks whose recipes for such models train the modules: Megatron-Bridge's of DeepSeek-V3 and Qwen3-Next set
`mtp_num_layers`, which plain Megatron leaves off. Transformers' classes drop their weights, torchtitan's have none."""


def predicted_ahead(
    request: Request, transformer: Transformer, practice: Practice, stack: str, *, plain: bool, sequence_length: float
) -> tuple[Transformer, tuple[Assumption, ...]]:
    """Return `transformer` with its modules where they are trained, and what was taken; nothing where it has none.

    Trained unless said otherwise where a model that is published with them is pre-trained: all of it (`plain`: every
    layer, towards the next token), on more than a set for fine-tuning, by a stack whose recipes train them. Whoever
    says that they are trained of a model that is published without has one, as DeepSeek-V3.
    """
    said = practice.prediction
    modules = transformer.prediction_modules or (1 if said else 0)
    if not modules:
        return transformer, ()
    published = replace(transformer, prediction_modules=modules)
    usual = plain and stack in _TRAINERS and asked_method(request) == "full" and not _tunes(request)
    trained = usual if said is None else said
    more = format_count(prediction_parameters(published))
    share = prediction_share(published, sequence_length=sequence_length)
    cost = f"{more} parameters, which published totals leave out, and {share:.1%} FLOPs more"
    if trained:
        note = f'of {cost}; say "no MTP" in framework where it is not trained (DeepSeek-AI 2024, section 2.2)'
    else:
        note = f'not trained here; say "MTP" in framework where it is: {cost}'
    assumption = Assumption(
        name="prediction_modules",
        value=modules if trained else 0,
        unit="modules",
        source="default" if said is None else "user",
        note=note,
    )
    return (with_prediction(published) if trained else transformer), (assumption,)


def _tunes(request: Request) -> bool:
    """Return whether the amount told is no more than a fine-tuning set."""
    if is_small_set(request):
        return True
    if request.tokens is None:
        return False
    try:
        return parse_count(request.tokens, "tokens") <= LARGEST_SET
    except InvalidValueError:
        # A size of text, which is read where amounts are.
        return False
