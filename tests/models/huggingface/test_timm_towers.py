"""Encoders of pictures that Transformers takes from timm have its parameters and its FLOPs.

Authority: timm 1.0's own networks on the meta device, and PyTorch 2.14's counter of FLOPs over one picture.
"""

import pytest

from estimator.models.flops import flop_counts
from estimator.models.huggingface.fastvit import fastvit_hd
from estimator.models.huggingface.mobilenet_v5 import mobilenet_v5
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer

_TOWERS: dict[str, tuple[Transformer, int, int]] = {
    "mobilenetv5_300m_enc at 768 pixels": (mobilenet_v5(), 294_126_912, 871_482_949_632),
    "fastvit_mci3, merged, at 1,024 pixels": (fastvit_hd(), 122_714_208, 486_707_822_592),
}


@pytest.mark.parametrize("name", _TOWERS)
def test_a_tower_has_the_parameters_and_flops_of_its_own_class(name: str) -> None:
    tower, parameters, flop = _TOWERS[name]
    assert parameter_counts(tower).total == parameters
    positions = tower.native_sequence_length
    counted = flop_counts(tower, sequence_length=positions)
    assert sum(op.forward for op in counted.operations) * positions == pytest.approx(flop, rel=1e-9)
