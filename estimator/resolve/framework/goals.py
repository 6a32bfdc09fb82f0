"""What a model is trained towards, as people name it among the words on their software: DPO, contrastive, DINO, MLM."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from estimator.models.views import NOT_COUNTED
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase
from estimator.resolve.self_supervised import crops_end

__all__ = ["GOALS", "PICTURE_METHODS", "told_goal", "towards"]

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "dpo": "dpo | ipo | cdpo | robust dpo | direct preference optimization | direct preference optimisation",
        "orpo": "orpo | simpo | cpo",
        "kto": "kto | bco",
        "reward": "reward | reward model | reward modeling | reward modelling | reward model training | train rm",
        "contrastive": (
            "contrastive | contrastive loss | contrastive learning | contrastive training | contrastive pretraining | "
            "infonce | info nce | info nce loss | simcse | bi encoder | biencoder | multiple negatives ranking loss | "
            "mnrl | mnr loss"
        ),
        "masked": (
            "mlm | mlm loss | mlm pretraining | masked lm | masked language model | masked language modeling | "
            "masked language modelling | bert pretraining"
        ),
        "classification": (
            "classification | text classification | sequence classification | token classification | "
            "image classification | audio classification | classification head | cross encoder | crossencoder | "
            "reranker | cross encoder trainer"
        ),
        # Whose teacher is not named.
        "distillation": "distillation | knowledge distillation | kd | gkd | minillm | distillation loss | kd loss",
        "mae": "masked autoencoder | masked autoencoders | masked autoencoding | masked auto encoder",
    }
)
"""Words that name nothing else beside software, as `clip` (gradients are clipped) and `masked` (documents are) do."""
PICTURE_METHODS: Mapping[str, str] = MappingProxyType(
    {
        "simclr": "simclr | simclr v 1 | simclr v 2",
        "moco": "moco | moco v 1 | moco v 2",
        "moco v3": "moco v 3",
        "byol": "byol",
        "simsiam": "simsiam",
        "barlow twins": "barlow twins | barlow twin",
        "vicreg": "vicreg",
        "swav": "swav",
        "dino": "dino | dino v 1",
        "dinov2": "dinov 2",
        "ibot": "ibot",
        "mae": "mae",
    }
)
"""Ways to train encoders of pictures that are their own repositories' names; `dinov 2` is said of DINOv2 by all."""
_BEHIND = (
    *("pretrained", "weight", "checkpoint", "ckpt", "init", "initialization", "initialisation", "initialized"),
    *("initialised", "backbone", "feature", "finetune", "finetuning", "fine tune"),
    *("fine tuning", "linear", "linear probe", "linear probing", "linprobe", "linear eval", "eval", "evaluation"),
    *("loss weight", "pretrained weight", "pretrained backbone", "detr", "detector"),
)
_BEFORE = ("init from", "initialized from", "initialised from", "pretrained by", "pretrained with", "grounding")
"""What is said around such a method where weights that it made are trained otherwise, or another thing is meant."""
_TAUGHT = re.compile(
    r"(?:knowledge[ _-]?distillation|distillation|distilling|gkd|kd)\s+(?:from|by|with teacher|with|of|teacher[:=]?)\s+"
    r"(?:(?:a|the)\s+)?(?P<teacher>(?=[\w./-]*[a-z])[\w./-]*\d[\w./-]*)",
    re.IGNORECASE,
)
"""A teacher's name has a number in it: its size or its version."""


def towards(goal: str) -> Facts:
    """Return that a model is trained towards `goal`, in words of the argument that says so."""
    return Facts(objective=goal)


def _words(listed: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in listed.split("|"))


def _of_weights() -> tuple[tuple[str, Meaning], ...]:
    names = [word for listed in PICTURE_METHODS.values() for word in _words(listed)]
    behind = [f"{name} {word}" for name in names for word in _BEHIND]
    before = [f"{word} {name}" for name in names for word in _BEFORE]
    return ((" | ".join((*behind, *before)), Meaning(implies="pytorch")),)


GOALS: Mapping[str, Meaning] = by_phrase(
    *((words, Meaning(says=towards(goal))) for goal, words in _NAMES.items()),
    *((name, Meaning(says=towards(name), implies="pytorch")) for name in NOT_COUNTED),
    *_of_weights(),
)
"""By folded phrase. The argument wins over them."""


def told_goal(text: str, at: int) -> tuple[int, Meaning] | None:
    """Return where what is said of a teacher, or of crops, from `at` on ends, and what it means; None for neither."""
    taught = _TAUGHT.match(text, at)
    if taught is not None:
        return taught.end(), Meaning(says=towards(f"distillation from {taught['teacher'].rstrip('.')}"))
    end = crops_end(text, at)
    return None if end is None else (end, Meaning(says=Facts(crops=text[at:end])))
