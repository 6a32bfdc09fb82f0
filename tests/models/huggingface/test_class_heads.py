"""Every class of a family with a reader of its own is read with its head, or refused by its name.

Authority: tests/published/class_heads.json, which scripts/reference_heads counts from the classes themselves.
"""

import json
from typing import Any

import pytest

from estimator.base.errors import UnsupportedModelError
from estimator.models.flops import flop_counts
from estimator.models.huggingface.class_heads import READ_HEADS, ending
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import parameter_counts
from tests.every import of_every
from tests.places import PUBLISHED

_CLASSES: dict[str, dict[str, Any]] = json.loads((PUBLISHED / "class_heads.json").read_text(encoding="utf-8"))[
    "classes"
]
_LEFT_AWAY = {
    "musicgen MusicgenForConditionalGeneration": "encoders of text and sound",
    "qwen2_5_omni Qwen2_5OmniForConditionalGeneration": "the talker",
}
"""Classes of which a part that is not trained is left away, and what the note about it names."""


def _bare(name: str) -> dict[str, Any]:
    """Return the configuration that states a family and a class, and nothing else."""
    return {"model_type": _CLASSES[name]["model_type"], "architectures": [name.rpartition(" ")[2]]}


def _is_read(name: str) -> bool:
    kind, _, model_class = name.partition(" ")
    return ending(model_class, kind) in READ_HEADS[kind]


@pytest.mark.parametrize("name", [name for name in _CLASSES if _is_read(name) and name not in _LEFT_AWAY])
def test_a_class_has_the_parameters_of_its_head(name: str) -> None:
    assert parameter_counts(configured_model(_bare(name)).transformer).total == _CLASSES[name]["total"]


@pytest.mark.parametrize("name", [name for name in _CLASSES if not _is_read(name)])
def test_a_class_whose_head_is_not_read_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.architectures: '{name.rpartition(' ')[2]}'"):
        configured_model(_bare(name))


@of_every(_LEFT_AWAY)
def test_what_is_left_away_of_a_class_is_said(name: str) -> None:
    configured = configured_model(_bare(name))
    assert parameter_counts(configured.transformer).total < _CLASSES[name]["total"]
    assert any(_LEFT_AWAY[name] in note for note in configured.notes)


_SEEING: dict[str, dict[str, Any]] = {
    path.stem: config
    for path in sorted((PUBLISHED / "hf_configs" / "vision_language").glob("*.json"))
    for config in [json.loads(path.read_text(encoding="utf-8"))]
    if str(config.get("architectures", [""])[0]).endswith("ForConditionalGeneration")
    and {"Model", "ForTokenClassification"} <= set(READ_HEADS.get(config["model_type"], ()))
}


@of_every(_SEEING)
def test_the_body_of_a_model_that_sees_lacks_its_logits_and_nothing_else(name: str) -> None:
    """Authority: the `…Model` that each `…ForConditionalGeneration` of Transformers holds beside its `lm_head`."""
    whole = configured_model(_SEEING[name]).transformer
    stem = _SEEING[name]["architectures"][0].removesuffix("ForConditionalGeneration")
    body = configured_model({**_SEEING[name], "architectures": [f"{stem}Model"]}).transformer
    logits = 0 if whole.tied_embeddings else whole.vocab * whole.hidden
    assert parameter_counts(body).total == parameter_counts(whole).total - logits
    assert not any(op.part == "logits" for op in flop_counts(body, sequence_length=1024).operations)
    labels = configured_model({**_SEEING[name], "architectures": [f"{stem}ForTokenClassification"], "num_labels": 3})
    assert parameter_counts(labels.transformer).total == parameter_counts(body).total + 3 * (whole.hidden + 1)
