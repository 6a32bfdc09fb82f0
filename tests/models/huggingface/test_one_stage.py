"""YOLOs have the parameters and FLOPs that their publishers' own summaries print.

Authority: the comments of ultralytics/ultralytics' cfg/models/v8/yolov8.yaml and cfg/models/11/yolo11.yaml, what its
8.4.190 prints of v9, v10 and 12, the table of ultralytics/yolov5's README with the totals that its code prints, and
what WongKinYiu/yolov7 prints before a training. Those FLOPs count norms and activations too.
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
    "yolov7": {"base": (37_622_682, 106.5)},
    "yolov8": {
        "n": (3_157_200, 8.9),
        "s": (11_166_560, 28.8),
        "m": (25_902_640, 79.3),
        "l": (43_691_520, 165.7),
        "x": (68_229_648, 258.5),
    },
    "yolov9": {
        "t": (2_128_720, 8.5),
        "s": (7_318_368, 27.6),
        "m": (20_216_160, 77.9),
        "c": (25_590_912, 104.0),
    },
    "yolov10": {
        "n": (2_775_520, 8.8),
        "s": (8_128_272, 25.2),
        "m": (16_576_768, 64.6),
        "b": (20_574_384, 99.5),
        "l": (25_888_688, 128.0),
        "x": (31_808_960, 172.0),
    },
    "yolo11": {
        "n": (2_624_080, 6.6),
        "s": (9_458_752, 21.7),
        "m": (20_114_688, 68.5),
        "l": (25_372_160, 87.6),
        "x": (56_966_176, 196.0),
    },
    "yolo12": {
        "n": (2_602_288, 7.6),
        "s": (9_284_096, 23.7),
        "m": (20_199_168, 71.3),
        "l": (26_450_784, 96.3),
        "x": (59_210_784, 210.1),
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
    """Attention of YOLOv10, 11 and 12 looks from every position at every other, and grows faster."""
    more = {"yolov10": 0.05, "yolo11": 0.05, "yolo12": 0.5}.get(version, 1e-6)
    small, large = (_gflop(_detector(version, size), side) for side in (640, 1280))
    assert large == pytest.approx(4.0 * small, rel=more)


@pytest.mark.parametrize(
    ("version", "size", "changed"),
    [
        # One class less is a channel less of each last projection, with its bias: three of them a level with starts.
        ("yolov5", "l", 3 * (256 + 512 + 1024) + 9),
        ("yolov7", "base", 3 * (256 + 512 + 1024) + 9 + 9),
        ("yolov8", "l", 3 * 256 + 3),
        ("yolov9", "c", 3 * 256 + 3),
        ("yolov10", "l", 2 * (3 * 256 + 3)),
        ("yolo11", "l", 3 * 256 + 3),
        ("yolo12", "l", 3 * 256 + 3),
    ],
)
def test_own_classes_change_the_heads_alone(version: str, size: str, changed: int) -> None:
    few, many = (parameter_counts(_detector(version, size, num_labels=labels)).total for labels in (79, 80))
    assert many - few == changed


def test_another_size_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidValueError, match="n, s, m, l, x"):
        _detector("yolov8", "xxl")
