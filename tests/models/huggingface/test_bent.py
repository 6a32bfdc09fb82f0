"""Publishers' configurations with one value bent are read or refused in words, never by a fault.

Authority: the program's public contract, on errors.
"""

from collections.abc import Iterator
from typing import cast

import pytest

from estimator.base.errors import EstimatorError
from estimator.models.huggingface.config import configured_model
from estimator.models.media import seen
from estimator.models.workload import workload
from tests.fuzzing.configurations import published

BENT: tuple[object, ...] = ({"a": 1}, [], [0], 1e30, 1e8, 1e-9, -1, 0, 3, "x", True)
_THIRD = 3


def _bent(config: dict[str, object], value: object) -> Iterator[dict[str, object]]:
    """Yield `config` with `value` in place of each of its own, and of those one level down."""
    for key, own in config.items():
        yield {**config, key: value}
        if isinstance(own, dict):
            for inner in cast("dict[str, object]", own):
                yield {**config, key: {**own, inner: value}}


@pytest.mark.parametrize("value", BENT, ids=repr)
def test_one_bent_value_is_read_or_refused(value: object) -> None:
    read = refused = 0
    # Each file meets a third of the values, and each value a third of the files of every family.
    for config in published()[BENT.index(value) % _THIRD :: _THIRD]:
        for bent in _bent(config, value):
            try:
                transformer = configured_model(bent).transformer
                table = workload(transformer)
                if transformer.media is not None:
                    assert seen(transformer.media, None).tokens > 0
            except EstimatorError:
                refused += 1
            else:
                assert table.parameters > 0
                layers = [gemm.layers for gemm in table.gemms] + [part.layers for part in table.attentions]
                assert min(layers) >= 0
                read += 1
    assert read > 100
    assert refused > 100
