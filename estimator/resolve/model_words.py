"""Words around a model's name that are none of it: how it is trained, and a size that stands in front."""

import re
from collections.abc import Mapping

from estimator.base.errors import shown
from estimator.catalogue import catalogue
from estimator.catalogue.entries import Match
from estimator.catalogue.unread import unread_words
from estimator.models.transformer import Transformer
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.objective import ROLLOUTS, is_rollouts
from estimator.resolve.self_supervised import UNSAID, view_doubts

__all__ = ["method_doubts", "size_behind", "unread_doubts", "without_method"]

_TOLD = 3
"""Words that are not known, named in a warning."""
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
    """Return a warning where a model's name says how it is trained, and its method or objective says otherwise.

    Raises as `view_doubts` does.
    """
    return (*_method_doubts(name, request), *_rollout_doubts(name, request), *view_doubts(name, request))


def _rollout_doubts(name: str, request: Request) -> tuple[Caution, ...]:
    """Return a warning where a model's name says that answers are sampled in training, and its objective does not."""
    said = [word for word in _WORD.findall(name.rpartition("/")[2].casefold()) if is_rollouts(word)]
    if not said or catalogue.is_named(name) or request.objective.strip().casefold() not in UNSAID:
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


def unread_doubts(name: str, match: Match[Transformer]) -> tuple[Caution, ...]:
    """Return a warning where `name` holds the one that was matched among words which may tell another network.

    Words of fine-tunes, tasks and data leave the layers as they are; the others may as well be a tower's.
    """
    # timm names weights by what they were trained on, behind a point.
    unread = () if match.note.startswith("weights of") else unread_words(name, match.matched)
    if not unread:
        return ()
    words, do = " and ".join(unread[:_TOLD]), "does" if len(unread) == 1 else "do"
    message = (
        f"model: {shown(name)} is answered as {match.matched}, whose name it holds; what {words} {do} to the network "
        "is not known: give its config.json as hf_config where it has other layers or towers"
    )
    return (Caution(code="name_part_unread", message=message),)


def size_behind(name: str) -> str:
    """Return `llama 2 13B` of `13B llama 2`, as names have it; empty where no size stands in front."""
    size, _, rest = name.partition(" ")
    return f"{rest.strip()} {size}" if rest.strip() and _SIZE.fullmatch(size) else ""


def without_method(name: str) -> str:
    """Return `name` without the words that say how it is trained; empty where it has none, or nothing else."""
    words = name.split()
    left = [word for word in words if word.casefold().strip("(),:") not in _METHOD_WORDS]
    return " ".join(left) if len(left) < len(words) else ""
