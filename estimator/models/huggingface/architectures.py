"""What a configuration's `architectures` says: whose class it is, and which head stands on the layers."""

import re
from dataclasses import dataclass, replace

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.blocks import classes
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import LONGEST_NAME, Config, Reading

__all__ = ["HEADS", "Head", "head_of", "normal", "with_head"]

_CLASS = re.compile(
    r"(?P<stem>((?!For[A-Z])\w)+?)_?(?P<head>ForCausalLM|LMHeadModel|ForConditionalGeneration|ForSequenceClassification|"
    r"ForTokenClassification|ForQuestionAnswering|DoubleHeadsModel|Model)"
)
_LANGUAGE = frozenset({"ForCausalLM", "LMHeadModel", "ForConditionalGeneration"})
# Remote code that calls the whole language model by the name of its body.
_LANGUAGE_BODIES = frozenset({"ChatGLMModel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands on the layers in place of the vocabulary's logits."""

    outputs: str
    """Where the number of outputs is stated: `labels`, `2`, or nothing at all."""
    biased: bool
    says: str


HEADS = {
    "ForSequenceClassification": Head(outputs="labels", biased=False, says="a head that classifies sequences"),
    "ForTokenClassification": Head(outputs="labels", biased=True, says="a head that classifies tokens"),
    "ForQuestionAnswering": Head(outputs="2", biased=True, says="a head that marks answers"),
    "Model": Head(outputs="", biased=False, says="no head: its layers alone, as for embeddings of texts"),
}
"""What may stand on a language model in place of its logits, by what the class's name ends in."""


def normal(name: str) -> str:
    """Return a family's or class's name without what writings of it differ in."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def head_of(config: Config, model_type: str, stems: frozenset[str], *, multimodal: bool = False) -> Head | None:
    """Return the head that replaces the family's logits; None for its own causal language model.

    `stems` are the normal names of the classes that are read as the family. A multimodal class is another's.
    Raises UnsupportedModelError for a class that is not the family's, or a head that is not known.
    """
    names = config.get("architectures")
    if not isinstance(names, list | tuple) or not names or not isinstance(names[0], str):
        return None
    name = names[0][:LONGEST_NAME]
    match = _CLASS.fullmatch(name)
    if name in _LANGUAGE_BODIES:
        return None
    if multimodal:
        return HEADS.get(match["head"]) if match and match["head"] != "Model" else None
    if match is None or (match["head"] not in _LANGUAGE and match["head"] not in HEADS):
        raise UnsupportedModelError(
            f"hf_config.architectures: {shown(name)} is neither the causal language model of {shown(model_type)} nor a "
            "head on it that is modelled here (ForSequenceClassification, ForTokenClassification, "
            "ForQuestionAnswering, or the bare Model)"
        )
    if normal(match["stem"]) not in stems:
        raise UnsupportedModelError(
            f"hf_config.architectures: {shown(name)} is not a class of {shown(model_type)} models, and no family is "
            "read as another"
        )
    return HEADS.get(match["head"])


def with_head(configured: ConfiguredModel, head: Head | None, config: Config) -> ConfiguredModel:
    """Return the model with the head's outputs in place of the vocabulary's logits."""
    if head is None:
        return configured
    t = configured.transformer
    outputs = {"labels": classes(Reading(config=config, defaults={}, model_type="")), "2": 2, "": 0}[head.outputs]
    rows = t.vocab * t.hidden
    logits_bias = configured.vectors.logits_bias * t.vocab
    counted = f", {outputs} outputs" if outputs else ""
    return ConfiguredModel(
        transformer=replace(
            t,
            vocab=0,
            tied_embeddings=True,
            lookup_parameters=t.lookup_parameters + rows + outputs * (t.hidden + head.biased),
            vector_parameters=t.vector_parameters - logits_bias,
        ),
        vectors=replace(configured.vectors, logits_bias=False),
        notes=(
            *configured.notes,
            f"architectures names {head.says}{counted}, so no logits of the vocabulary are counted",
        ),
    )
