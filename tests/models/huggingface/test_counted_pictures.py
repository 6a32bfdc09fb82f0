"""Encoders of pictures that Transformers takes from timm, and detectors, have the FLOPs of their own classes.

Authority: timm 1.0's and Transformers 5.24's networks, and PyTorch 2.14's counter of FLOPs over one picture.
"""

import pytest

from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.huggingface.fastvit import fastvit_hd
from estimator.models.huggingface.mobilenet_v5 import mobilenet_v5
from estimator.models.media import Picture
from estimator.models.parameters import parameter_counts
from estimator.models.towers import with_sample
from estimator.models.transformer import Transformer

_TOWERS: dict[str, tuple[Transformer, int, int]] = {
    "mobilenetv5_300m_enc at 768 pixels": (mobilenet_v5(), 294_126_912, 871_482_949_632),
    "fastvit_mci3, merged, at 1,024 pixels": (fastvit_hd(), 122_714_208, 486_707_822_592),
}
_DETECTORS = {
    "detr": (41_501_895, 49_782_126_592),
    "table-transformer": (41_502_407, 49_782_126_592),
    "conditional_detr": (43_395_528, 55_718_723_584),
}
"""With the defaults of their classes, a ResNet-50 below, at 512 pixels."""


def _forward_flop(transformer: Transformer, positions: float) -> float:
    return sum(op.forward for op in flop_counts(transformer, sequence_length=positions).operations) * positions


@pytest.mark.parametrize("name", _TOWERS)
def test_a_tower_has_the_parameters_and_flops_of_its_own_class(name: str) -> None:
    tower, parameters, flop = _TOWERS[name]
    assert parameter_counts(tower).total == parameters
    assert _forward_flop(tower, tower.native_sequence_length) == pytest.approx(flop, rel=1e-9)


@pytest.mark.parametrize("kind", _DETECTORS)
def test_a_detector_has_the_parameters_and_flops_of_its_own_class(kind: str) -> None:
    parameters, flop = _DETECTORS[kind]
    detector = configured_model({"model_type": kind}).transformer
    assert parameter_counts(detector).total == parameters
    assert detector.media is not None
    sample = with_sample(detector, detector.media, Picture(width=512, height=512), 1.0, 0.0)
    assert _forward_flop(sample.transformer, sample.tokens) == pytest.approx(flop, rel=1e-9)
