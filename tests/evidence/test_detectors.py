"""Detectors are trained by code of examples: two large pictures a device, in FP32 unless it is told otherwise.

Authority: detectron2's `Base-RCNN-FPN` (IMS_PER_BATCH 16 of 8 devices, no AMP), mmdetection's `samples_per_gpu` 2.
"""

from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

_DETECTORS = ("mask-rcnn-r50-fpn", "faster-rcnn-r50-fpn", "retinanet-r50-fpn", "detr-resnet-50", "deformable-detr")


def _answer(model: str, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - the tool's arguments
    return answer(**{"model": model, "gpu": "v100", "n_gpus": 8, "tokens": None, "samples": "coco", **said})


@pytest.mark.parametrize("model", _DETECTORS)
@pytest.mark.parametrize("n_gpus", [1, 8])
def test_a_detector_that_nobody_says_more_of_reads_two_pictures_a_device(model: str, n_gpus: int) -> None:
    layout = _answer(model, n_gpus=n_gpus)["layout"]
    assert layout["micro_batch_size"] == 2
    assert layout["global_batch_sequences"] == 2 * n_gpus


@pytest.mark.parametrize("model", _DETECTORS)
@pytest.mark.parametrize("gpu", ["v100", "rtx 2080 ti"])
def test_it_may_be_computed_in_fp32_and_the_range_holds_both(model: str, gpu: str) -> None:
    """On chips of today as well, where TF32 and kernels of many launches leave less between the two."""
    unsaid = _answer(model, gpu=gpu)
    half, single = (_answer(model, gpu=gpu, precision=said) for said in ("fp16", "fp32"))
    assert "trained_in_fp32" in codes(unsaid)
    assert unsaid["training_days_low"] < half["training_days"] < unsaid["training_days"]
    assert unsaid["training_days"] < single["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    "said",
    [
        {"precision": "fp16"},
        {"framework": "pytorch, AMP fp16"},
        {"model": "vit-b-16", "samples": "1M"},
        {"model": "yolov8m"},
    ],
)
def test_precision_is_not_doubted_where_it_is_told_or_it_is_no_detector(said: dict[str, Any]) -> None:
    assert "trained_in_fp32" not in codes(_answer(**{"model": "detr-resnet-50", **said}))


@pytest.mark.parametrize(
    ("model", "framework"),
    [
        ("segformer-b0", "mmsegmentation"),
        ("deeplabv3-resnet50", "mmseg"),
        ("mask-rcnn-r50-fpn", "detectron2"),
        ("faster-rcnn-r50-fpn", "mmdetection"),
        ("resnet-50", "torchvision references"),
        ("resnet-50", "keras"),
    ],
)
def test_examples_for_pictures_compute_in_fp32_unless_told_however_many_steps_they_take(
    model: str, framework: str
) -> None:
    """Authority: AMP is an option of each (`--amp`, `SOLVER.AMP.ENABLED`, `AmpOptimWrapper`, `mixed_precision`)."""
    steps: dict[str, Any] = {"samples": None, "steps": 160_000, "global_batch_sequences": 16, "framework": framework}
    assert "trained_in_fp32" in codes(_answer(model, **steps))
    assert "trained_in_fp32" not in codes(_answer(model, precision="fp16", **steps))
