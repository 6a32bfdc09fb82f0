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
_CASES = [(kind, key, value) for kind, given in AS_GIVEN.items() if kind in _BY_KIND for key, value in given.items()]
_OTHERS: dict[type, object] = {bool: None, int: 7, float: 7.5, list: [1], type(None): 32}


def _with(config: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    outer, _, last = key.rpartition(".")
    return {**config, outer: {**config.get(outer, {}), last: value}} if outer else {**config, last: value}


@pytest.mark.parametrize(("kind", "key", "value"), _CASES)
def test_another_value_is_refused_by_its_key_and_the_given_one_changes_nothing(
    kind: str, key: str, value: object
) -> None:
    plain = configured_model(_BY_KIND[kind])
    assert configured_model(_with(_BY_KIND[kind], key, value)) == plain
    other = not value if isinstance(value, bool) else _OTHERS[type(value)]
    with pytest.raises(UnsupportedModelError, match=rf"^hf_config\.{key}: "):
        configured_model(_with(_BY_KIND[kind], key, other))


def test_most_of_what_is_given_is_tried() -> None:
    assert len(_CASES) > 15
