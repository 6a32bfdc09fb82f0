"""What a reader takes as given is refused where a file says otherwise, and passed over where it says the same.

Authority: the classes of Transformers 5.24 and Diffusers 0.42, whose parameters change with each of these keys.
"""

import json
from typing import Any

import pytest

from estimator.base.errors import UnsupportedModelError
from estimator.models.huggingface.as_given import AS_GIVEN
from estimator.models.huggingface.config import configured_model
from tests.places import PUBLISHED

_BY_KIND: dict[str, dict[str, Any]] = {
    str(config.get("_class_name") or config["model_type"]): config
    for path in sorted((PUBLISHED / "hf_configs").rglob("*.json"))
    for config in [json.loads(path.read_text(encoding="utf-8"))]
}
_CASES = [(kind, key, value) for kind, given in AS_GIVEN.items() for key, value in given.items()]
_OTHERS: dict[type, object] = {int: 7, float: 7.5, list: [1], type(None): 32}
_SEEING = _BY_KIND["llava"]


def _with(config: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    outer, _, last = key.rpartition(".")
    return {**config, outer: {**config.get(outer, {}), last: value}} if outer else {**config, last: value}


@pytest.mark.parametrize(("kind", "key", "value"), [case for case in _CASES if case[0] in _BY_KIND])
def test_what_is_taken_as_given_may_be_stated(kind: str, key: str, value: object) -> None:
    assert configured_model(_with(_BY_KIND[kind], key, value)) == configured_model(_BY_KIND[kind])


@pytest.mark.parametrize(("kind", "key", "value"), _CASES)
def test_another_value_is_refused_by_its_key(kind: str, key: str, value: object) -> None:
    other = not value if isinstance(value, bool) else _OTHERS[type(value)]
    written = json.dumps(other) if isinstance(other, bool) else ".*"
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.{key}: {written} is not modelled here for {kind}"):
        configured_model(_with(_BY_KIND.get(kind, {"model_type": kind}), key, other))


@pytest.mark.parametrize("key", ["in_channels", "num_channels", "in_chans"])
def test_pictures_have_three_colours_whatever_the_family(key: str) -> None:
    stated = _with(_SEEING, f"vision_config.{key}", 3)
    assert configured_model(stated) == configured_model(_SEEING)
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.vision_config\.{key}: 4 is not modelled here"):
        configured_model(_with(_SEEING, f"vision_config.{key}", 4))
