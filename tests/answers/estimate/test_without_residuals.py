"""Networks that add nothing to what they read, as those before ResNet, are priced as any other.

Authority: Simonyan and Zisserman 2015, table 1, and WongKinYiu/yolov7's file: neither has a residual connection.
"""

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.question.request import Request
from estimator.resolve.run import resolve


def _estimate(model: str) -> Estimate:
    return estimate_of(resolve(Request(model=model, gpu="a100", n_gpus=8, samples="118k", epochs=10)))


@pytest.mark.parametrize(
    "model", ["vgg-16", "vgg-16-bn", "yolov7", "unet", "mask-rcnn-r50-fpn", "depth-anything-v2-small"]
)
def test_a_network_with_or_without_residuals_takes_a_time(model: str) -> None:
    """What is told of each pair of halves of a layer was divided by none."""
    assert 0.0 < _estimate(model).training_low_s <= _estimate(model).training_s


def test_norms_behind_every_filter_take_a_vgg_longer() -> None:
    assert _estimate("vgg-16-bn").training_s > _estimate("vgg-16").training_s
