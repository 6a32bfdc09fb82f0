"""Words around a model's name that are none of it: how it is trained, and a size that stands in front."""

import re
from collections.abc import Mapping

from estimator.base.errors import shown
from estimator.catalogue import catalogue
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.objective import ROLLOUTS, is_rollouts

__all__ = ["method_doubts", "size_behind", "without_method"]

_UNSAID = frozenset({"", "auto", "default", "next_token"})
_WORD = re.compile(r"[^\W_]+")
_SIZE = re.compile(r"\d+(?:\.\d+)?[mbt]", re.IGNORECASE)
_SAYS_METHOD: Mapping[str, str] = {"lora": "lora", "dora": "lora", "qlora": "qlora", "dreambooth": "lora"}
"""Words in a model's name that say how it is trained, and the method that they mean or mean as often as not."""
_METHOD_WORDS = frozenset(_SAYS_METHOD) | {
    *(
        "a",
        "fine",
        "fine-tune",
        "fine-tuned",
        "fine-tuning",
        "finetune",
        "finetuned",
        "finetuning",
        "full",
        "inversion",
    ),
    *(
        "pretrain",
        "pretraining",
        "sft",
        "textual",
        "the",
        "train",
        "training",
        "tune",
        "tuning",
        "with",
        "for",
        "of",
        "on",
    ),
}
"""Words beside a name that leave it as it is."""


def method_doubts(name: str, request: Request) -> tuple[Caution, ...]:
    """Return a warning where a model's name says how it is trained, and its method or objective says otherwise."""
    return (*_method_doubts(name, request), *_rollout_doubts(name, request))


def _rollout_doubts(name: str, request: Request) -> tuple[Caution, ...]:
    """Return a warning where a model's name says that answers are sampled in training, and its objective does not."""
    said = [word for word in _WORD.findall(name.rpartition("/")[2].casefold()) if is_rollouts(word)]
    if not said or catalogue.is_named(name) or request.objective.strip().casefold() not in _UNSAID:
        return ()
    message = (
        f"model: {shown(name)} holds {said[0]}, which is a way of training and no part of the model: {ROLLOUTS}; this "
        "is the time of training on tokens that are given, such as those of the answers"
    )
    return (Caution(code="method_in_model_name", message=message),)


def _method_doubts(name: str, request: Request) -> tuple[Caution, ...]:
    said = [word for word in _WORD.findall(name.casefold()) if word in _SAYS_METHOD]
    if not said or request.method.strip().casefold() != "full":
        return ()
    method = _SAYS_METHOD[said[0]]
    message = (
        f"model: {shown(name)} holds {said[0]}, which is a way of training and no part of the model: all weights are "
        f'counted as trained; give method "{method}" if adapters are'
    )
    return (Caution(code="method_in_model_name", message=message),)


def size_behind(name: str) -> str:
    """Return `llama 2 13B` of `13B llama 2`, as names have it; empty where no size stands in front."""
    size, _, rest = name.partition(" ")
    return f"{rest.strip()} {size}" if rest.strip() and _SIZE.fullmatch(size) else ""


def without_method(name: str) -> str:
    """Return `name` without the words that say how it is trained; empty where it has none, or nothing else."""
    words = name.split()
    left = [word for word in words if word.casefold().strip("(),:") not in _METHOD_WORDS]
    return " ".join(left) if len(left) < len(words) else ""
