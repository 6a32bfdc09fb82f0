"""Networks of convolutions have the parameters and operations that torchvision states of its own.

Authority: `num_params` and `_ops` (billions of multiplications) of the weights in pytorch/vision's torchvision/models;
of Faster R-CNN less what its 488 further regions at inference take, and of U-Net what its sums make.
"""

import pytest

from estimator.base.errors import InvalidValueError
from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.media import Picture
from estimator.models.parameters import parameter_counts
from estimator.models.towers import with_sample
from estimator.models.transformer import Transformer

_REGIONS = 488 * (256 * 49 * 1024 + 1024 * 1024 + 1024 * 91 * 5) / 1e9

# Side of the picture, billions of multiplications, how near.
_PUBLISHED = {
    "vgg-16": (224, 15.47, 1e-3),
    "vgg-19": (224, 19.632, 1e-3),
    "densenet-121": (224, 2.834, 1e-3),
    "densenet-201": (224, 4.291, 1e-3),
    "mobilenet-v3-large": (224, 0.217, 3e-3),
    "mobilenet-v3-small": (224, 0.057, 1e-2),
    "efficientnet-v2-s": (384, 8.366, 1e-3),
    "efficientnet-v2-m": (480, 24.582, 1e-3),
    "efficientnet-v2-l": (480, 56.08, 1e-3),
    "resnext-50-32x4d": (224, 4.23, 1e-3),
    "resnext-101-64x4d": (224, 15.46, 1e-3),
    "wide-resnet-50-2": (224, 11.398, 1e-3),
    "deeplabv3-r50": (520, 178.722, 1e-3),
    "retinanet-r50-fpn": (800, 151.54, 3e-3),
    "faster-rcnn-r50-fpn": (800, 134.38 - _REGIONS, 3e-3),
}


def _multiplications(network: Transformer, side: int) -> float:
    assert network.media is not None
    sample = with_sample(network, network.media, Picture(width=side, height=side), 1.0, 0.0)
    counts = flop_counts(sample.transformer, sequence_length=sample.tokens)
    return sum(op.forward for op in counts.operations) * sample.tokens / 2e9


@pytest.mark.parametrize("model_id", _PUBLISHED)
def test_a_network_has_its_published_operations(model_id: str) -> None:
    """Its parameters are held to the unit where all catalogued totals are."""
    side, billions, within = _PUBLISHED[model_id]
    assert _multiplications(catalogue.model(model_id).transformer, side) == pytest.approx(billions, rel=within)


def test_masks_add_their_heads_operations_on_the_regions_that_hold_something() -> None:
    """He et al. 2017, figure 4: four filters on 14 by 14 positions, a doubling, and a mask for each class."""
    plain, masked = (catalogue.model(f"{kind}-rcnn-r50-fpn").transformer for kind in ("faster", "mask"))
    positions, width = 128 * 14 * 14, 256
    head = positions * (4 * 9 * width * width + 4 * width * width + 4 * width * 91) / 1e9
    assert _multiplications(masked, 800) - _multiplications(plain, 800) == pytest.approx(head, rel=1e-6)


def test_filters_spread_out_in_the_last_stage_quadruple_what_the_encoder_reads() -> None:
    """Carion et al. 2020, table 1: DC5 has DETR's parameters and about twice its operations."""
    plain, spread = (catalogue.model(f"detr-resnet-50{kind}").transformer for kind in ("", "-dc5"))
    assert parameter_counts(plain).total == parameter_counts(spread).total
    assert 1.8 < _multiplications(spread, 800) / _multiplications(plain, 800) < 2.4


def test_a_u_net_halved_in_width_has_a_quarter_of_the_operations() -> None:
    """But for its first filters and its last, whose inputs and outputs stay."""
    whole, half = (
        configured_model({"model_type": "unet", "hidden_sizes": [width << stage for stage in range(5)]}).transformer
        for width in (64, 32)
    )
    assert _multiplications(whole, 512) / _multiplications(half, 512) == pytest.approx(4.0, rel=0.02)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "unet", "hidden_sizes": [64, 100, 200]}, "must double"),
        ({"model_type": "resnext", "groups": 3, "width_per_group": 5}, "must make a multiple"),
        ({"model_type": "resnext", "groups": 4096}, "must make a multiple"),
        ({"model_type": "vgg", "depths": [2, 2]}, "must be a list of 2"),
        ({"model_type": "mobilenet_v3", "strides": [1]}, "must be a list of 15"),
        ({"model_type": "efficientnet_v2", "num_block_repeats": [1]}, "must be a list of 1"),
    ],
)
def test_what_no_network_can_be_is_refused_by_its_key(config: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        configured_model(config)
