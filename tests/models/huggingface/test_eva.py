"""EVA-02 by the names that timm has for it.

Authority: parameters of timm 1.0.31's own classes, which its model cards publish in millions, and forward FLOPs of one
of them by PyTorch's counter (attention as plain products).
"""

import pytest

from estimator.base.errors import EstimatorError
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import parameter_counts

PARAMETERS = {
    "eva02_tiny_patch14_224": 5_502_144,
    "eva02_tiny_patch14_336": 5_756_584,
    "eva02_small_patch14_224": 21_621_120,
    "eva02_small_patch14_336.mim_in22k_ft_in1k": 22_129_000,
    "eva02_base_patch14_224": 85_758_720,
    "eva02_base_patch14_448": 87_117_544,
    "eva02_large_patch14_224": 303_268_800,
    "eva02_large_patch14_448.mim_m38m_ft_in22k_in1k": 305_080_232,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_an_eva_has_the_parameters_of_its_class(name: str) -> None:
    """Those for pictures of 224 pixels classify nothing."""
    config = {"architecture": name, "num_classes": 0 if "_224" in name else 1000}
    assert parameter_counts(configured_model(config).transformer).total == PARAMETERS[name]


def test_an_eva_takes_the_flops_that_pytorch_counts() -> None:
    network = configured_model({"architecture": "eva02_small_patch14_336", "num_classes": 1000}).transformer
    positions = network.native_sequence_length
    counted = flop_counts(network, sequence_length=positions, causal=False).forward * positions
    assert counted == pytest.approx(30_901_075_968, rel=1e-9)


@pytest.mark.parametrize(
    "config",
    [
        {"architecture": "vit_base_patch16_224"},
        {"architecture": "eva02_huge_patch14_224"},
        {"architecture": "eva02_large_patch00_448"},
        {"architecture": 3},
        {"architecture": "eva02_large_patch14_448", "num_classes": -1},
    ],
)
def test_what_is_no_eva_of_timm_is_refused(config: dict[str, object]) -> None:
    with pytest.raises(EstimatorError, match="hf_config"):
        configured_model(config)
