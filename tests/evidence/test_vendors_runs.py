"""Devices of which their maker alone has published runs: the answer lies above the maker's, and the range further up.

Authority: the catalogue's own runs; arithmetic on the answers.
"""

from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

CODE = "vendor_runs_alone"


@pytest.mark.parametrize(
    ("asked", "doubted"),
    [
        ({"gpu": "trainium", "framework": "neuron"}, True),
        ({"gpu": "gaudi2", "framework": "optimum-habana"}, True),
        ({"gpu": "mi355x", "framework": "Primus"}, True),
        # Others have published on these; the framework is open, or a general trainer's port.
        ({"gpu": "tpu-v4", "framework": "maxtext"}, False),
        ({"gpu": "mi250x", "framework": "megatron-deepspeed"}, False),
        ({"gpu": "h100", "framework": "megatron"}, False),
        ({"gpu": "mi300x", "framework": "huggingface"}, False),
        ({"gpu": "mi300x", "framework": "torchtitan"}, False),
    ],
    ids=str,
)
def test_a_makers_runs_alone_are_doubted(asked: dict[str, Any], doubted: bool) -> None:
    answered = answer(model="llama-2-7b", n_gpus=16, sequence_length=4096, **asked)
    assert (CODE in codes(answered)) is doubted


def test_the_range_reaches_what_other_labs_take_beside_a_maker() -> None:
    answered = answer(model="llama-2-7b", n_gpus=16, sequence_length=4096, gpu="trainium", framework="neuron")
    assert answered["training_days_high"] > 1.6 * answered["training_days"]
    assert answered["training_days_high"] < 3.0 * answered["training_days_low"]
