"""YOLOv5, YOLOv8 and YOLO11 have the parameters and FLOPs that their publisher's own summaries print.

Authority: the comments of ultralytics/ultralytics' cfg/models/v8/yolov8.yaml and cfg/models/11/yolo11.yaml, and the
table of ultralytics/yolov5's README with the totals that its code prints. Those FLOPs count norms and activations too.
"""

import pytest

from estimator.base.errors import InvalidValueError
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.media import Picture
from estimator.models.parameters import parameter_counts
from estimator.models.towers import with_sample
from estimator.models.transformer import Transformer

PUBLISHED = {
    "yolov5": {
        "n": (1_872_157, 4.5),
        "s": (7_235_389, 16.5),
        "m": (21_190_557, 49.0),
        "l": (46_563_709, 109.1),
        "x": (86_749_405, 205.7),
    },
    "yolov8": {
        "n": (3_157_200, 8.9),
        "s": (11_166_560, 28.8),
        "m": (25_902_640, 79.3),
        "l": (43_691_520, 165.7),
        "x": (68_229_648, 258.5),
    },
    "yolo11": {
        "n": (2_624_080, 6.6),
        "s": (9_458_752, 21.7),
        "m": (20_114_688, 68.5),
        "l": (25_372_160, 87.6),
        "x": (56_966_176, 196.0),
    },
}
SIZES = [(version, size) for version, sizes in PUBLISHED.items() for size in sizes]


def _detector(version: str, size: str, **others: int) -> Transformer:
    return configured_model({"model_type": version, "size": size, **others}).transformer


def _gflop(detector: Transformer, side: int) -> float:
    assert detector.media is not None
    sample = with_sample(detector, detector.media, Picture(width=side, height=side), 1.0, 0.0)
    counts = flop_counts(sample.transformer, sequence_length=sample.tokens)
    return sum(op.forward for op in counts.operations) * sample.tokens / 1e9


@pytest.mark.parametrize(("version", "size"), SIZES)
def test_a_detector_has_its_published_parameters_and_flops(version: str, size: str) -> None:
    parameters, gflop = PUBLISHED[version][size]
    detector = _detector(version, size)
    assert parameter_counts(detector).total == parameters
    counted = _gflop(detector, 640)
    assert 0.95 * gflop <= counted <= gflop


@pytest.mark.parametrize(("version", "size"), SIZES)
def test_four_times_the_pixels_are_four_times_the_convolutions(version: str, size: str) -> None:
    """Attention of YOLO11 looks from every position at every other, and grows faster."""
    small, large = (_gflop(_detector(version, size), side) for side in (640, 1280))
    assert large == pytest.approx(4.0 * small, rel=1e-6 if version != "yolo11" else 0.05)


@pytest.mark.parametrize("version", PUBLISHED)
def test_own_classes_change_the_heads_alone(version: str) -> None:
    """One class less is a channel less of each last projection, three of them in YOLOv5, with their biases."""
    few, many = (parameter_counts(_detector(version, "l", num_labels=labels)).total for labels in (79, 80))
    widths = {"yolov5": 3 * (256 + 512 + 1024), "yolov8": 3 * 256, "yolo11": 3 * 256}[version]
    biases = {"yolov5": 9, "yolov8": 3, "yolo11": 3}[version]
    assert many - few == widths + biases


def test_another_size_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidValueError, match="n, s, m, l, x"):
        _detector("yolov8", "xxl")
