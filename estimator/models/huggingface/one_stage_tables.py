"""The layers of detectors that find objects in one stage, as their publishers' files list them: YOLOv5 to YOLO12.

Ultralytics' files hold all but YOLOv7's, which is in its own repository (Wang et al. 2022).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["VERSIONS", "Row", "Version"]


@dataclass(frozen=True, slots=True)
class Row:
    """One layer of a table: `reads` are earlier layers, relative to itself where negative.

    `deep`: a block of blocks, or one with filters of seven by seven. `inner`: widths inside it, which do not scale.
    """

    kind: str
    width: int = 0
    repeats: int = 1
    reads: tuple[int, ...] = (-1,)
    side: int = 1
    deep: bool = False
    narrowed: float = 0.5
    inner: tuple[int, int] = (0, 0)
    areas: int = 1
    """Parts of the picture that attention looks within."""


@dataclass(frozen=True, slots=True)
class Version:
    """A network: its layers, and for each size factors on depth and width, and the widest layer before the latter."""

    rows: tuple[Row, ...]
    sizes: Mapping[str, tuple[float, float, int]]
    deep_sizes: frozenset[str] = frozenset()
    """Sizes whose blocks are deep everywhere."""
    scaled_sizes: frozenset[str] = frozenset()
    """Sizes whose blocks of attention are scaled and added to what they read, with narrower MLPs."""
    own_rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict[str, tuple[Row, ...]])
    """Of sizes whose layers are other ones."""


def _halving(width: int, side: int = 3) -> Row:
    return Row("halving", width, side=side)


def _joined(layer: int) -> Row:
    return Row("joined", reads=(-1, layer))


_DOUBLED = Row("doubled")
_V5 = Version(
    rows=(
        *(_halving(64, 6), _halving(128), Row("c3", 128, 3)),
        *(_halving(256), Row("c3", 256, 6)),
        *(_halving(512), Row("c3", 512, 9)),
        *(_halving(1024), Row("c3", 1024, 3), Row("pooled", 1024)),
        *(Row("projected", 512), _DOUBLED, _joined(6), Row("c3", 512, 3)),
        *(Row("projected", 256), _DOUBLED, _joined(4), Row("c3", 256, 3)),
        *(_halving(256), _joined(14), Row("c3", 512, 3)),
        *(_halving(512), _joined(10), Row("c3", 1024, 3)),
        Row("starts", reads=(17, 20, 23)),
    ),
    sizes={
        "n": (0.33, 0.25, 1024),
        "s": (0.33, 0.5, 1024),
        "m": (0.67, 0.75, 1024),
        "l": (1.0, 1.0, 1024),
        "x": (1.33, 1.25, 1024),
    },
)
_V8 = Version(
    rows=(
        *(_halving(64), _halving(128), Row("c2f", 128, 3)),
        *(_halving(256), Row("c2f", 256, 6)),
        *(_halving(512), Row("c2f", 512, 6)),
        *(_halving(1024), Row("c2f", 1024, 3), Row("pooled", 1024)),
        *(_DOUBLED, _joined(6), Row("c2f", 512, 3)),
        *(_DOUBLED, _joined(4), Row("c2f", 256, 3)),
        *(_halving(256), _joined(12), Row("c2f", 512, 3)),
        *(_halving(512), _joined(9), Row("c2f", 1024, 3)),
        Row("bins", reads=(15, 18, 21)),
    ),
    sizes={
        "n": (0.33, 0.25, 1024),
        "s": (0.33, 0.5, 1024),
        "m": (0.67, 0.75, 768),
        "l": (1.0, 1.0, 512),
        "x": (1.0, 1.25, 512),
    },
)
_V11 = Version(
    rows=(
        *(_halving(64), _halving(128), Row("c3k2", 256, 2, narrowed=0.25)),
        *(_halving(256), Row("c3k2", 512, 2, narrowed=0.25)),
        *(_halving(512), Row("c3k2", 512, 2, deep=True)),
        *(_halving(1024), Row("c3k2", 1024, 2, deep=True), Row("pooled", 1024), Row("attending", 1024, 2)),
        *(_DOUBLED, _joined(6), Row("c3k2", 512, 2)),
        *(_DOUBLED, _joined(4), Row("c3k2", 256, 2)),
        *(_halving(256), _joined(13), Row("c3k2", 512, 2)),
        *(_halving(512), _joined(10), Row("c3k2", 1024, 2, deep=True)),
        Row("light_bins", reads=(16, 19, 22)),
    ),
    sizes={
        "n": (0.5, 0.25, 1024),
        "s": (0.5, 0.5, 1024),
        "m": (0.5, 1.0, 512),
        "l": (1.0, 1.0, 512),
        "x": (1.0, 1.5, 512),
    },
    deep_sizes=frozenset("mlx"),
)
_UNSCALED = (1.0, 1.0, 1 << 20)


def _v7() -> tuple[Row, ...]:
    def stacked(width: int, one: int, three: int, kind: str = "stacked") -> Row:
        return Row(kind, width, inner=(one, three))

    return (
        *(Row("projected", 32, side=3), _halving(64), Row("projected", 64, side=3), _halving(128)),
        *(stacked(256, 64, 64), Row("pool_halving", 256), stacked(512, 128, 128)),
        *(Row("pool_halving", 512), stacked(1024, 256, 256)),
        *(Row("pool_halving", 1024), stacked(1024, 256, 256), Row("crossed_pool", 512)),
        *(Row("projected", 256), _DOUBLED, Row("projected", 256, reads=(8,)), Row("joined", reads=(13, 14))),
        stacked(256, 256, 128, "stacked_whole"),
        *(Row("projected", 128), _DOUBLED, Row("projected", 128, reads=(6,)), Row("joined", reads=(18, 19))),
        stacked(128, 128, 64, "stacked_whole"),
        *(Row("pool_halving", 256), _joined(16), stacked(256, 256, 128, "stacked_whole")),
        *(Row("pool_halving", 512), _joined(11), stacked(512, 512, 256, "stacked_whole")),
        *(Row("two_filters", width, reads=(layer,)) for width, layer in ((256, 21), (512, 24), (1024, 27))),
        Row("implied_starts", reads=(28, 29, 30)),
    )


def _v9(
    first: Row, widths: tuple[int, int, int], *, stem: int, third: int, many: int = 1, split: bool = False
) -> tuple[Row, ...]:
    """Return YOLOv9 (Wang et al. 2024) of stages so wide, `third` inside the third; `split`: halved half by half."""
    outer, fourth, fifth = widths

    def block(width: int, inner: int) -> Row:
        return Row("layered", width, many, inner=(inner, inner // 2))

    def down(width: int) -> Row:
        return Row("split_halving", width) if split else _halving(width)

    return (
        *(_halving(stem), _halving(2 * stem), first),
        *(down(third), block(outer, third)),
        *(down(fourth), block(fourth, fourth)),
        *(down(fifth), block(fifth, fifth), Row("pooled", fifth)),
        *(_DOUBLED, _joined(6), block(fourth, fourth)),
        *(_DOUBLED, _joined(4), block(third, third)),
        *(down(third if split else fourth // 2), _joined(12), block(fourth, fourth)),
        *(down(fourth if split else fifth // 2), _joined(9), block(fifth, fifth)),
        Row("bins", reads=(15, 18, 21)),
    )


def _v10(inverted: Mapping[int, bool]) -> tuple[Row, ...]:
    """Return YOLOv10 (Wang et al. 2024b), whose layers at these places are inverted, some with large filters."""

    def block(layer: int, width: int, many: int = 3) -> Row:
        kind = "inverted" if layer in inverted else "c2f"
        return Row(kind, width, many, deep=inverted.get(layer, False))

    return (
        *(_halving(64), _halving(128), block(2, 128)),
        *(_halving(256), block(4, 256, 6)),
        *(Row("light_halving", 512), block(6, 512, 6)),
        *(Row("light_halving", 1024), block(8, 1024), Row("pooled", 1024), Row("attending", 1024)),
        *(_DOUBLED, _joined(6), block(13, 512)),
        *(_DOUBLED, _joined(4), block(16, 256)),
        *(_halving(256), _joined(13), block(19, 512)),
        *(Row("light_halving", 512), _joined(10), block(22, 1024)),
        Row("light_bins_twice", reads=(16, 19, 22)),
    )


_V7 = Version(rows=_v7(), sizes={"base": _UNSCALED})
_V9 = Version(
    rows=_v9(Row("layered", 256, inner=(128, 64)), (512, 512, 512), stem=64, third=256, split=True),
    sizes=dict.fromkeys("ctsm", _UNSCALED),
    own_rows={
        "t": _v9(Row("elan", 32, inner=(32, 16)), (64, 96, 128), stem=16, third=64, many=3),
        "s": _v9(Row("elan", 64, inner=(64, 32)), (128, 192, 256), stem=32, third=128, many=3),
        "m": _v9(Row("layered", 128, inner=(128, 64)), (240, 360, 480), stem=32, third=240),
    },
)
_BALANCED = {8: False, 13: False, 19: False, 22: False}
_V10 = Version(
    rows=_v10(_BALANCED),
    sizes={
        "n": (0.33, 0.25, 1024),
        "s": (0.33, 0.5, 1024),
        "m": (0.67, 0.75, 768),
        "b": (0.67, 1.0, 512),
        "l": (1.0, 1.0, 512),
        "x": (1.0, 1.25, 512),
    },
    own_rows={
        "n": _v10({22: True}),
        "s": _v10({8: True, 22: True}),
        "m": _v10({8: False, 19: False, 22: False}),
        "x": _v10({6: False, **_BALANCED}),
    },
)
_V12 = Version(
    rows=(
        *(_halving(64), _halving(128), Row("c3k2", 256, 2, narrowed=0.25)),
        *(_halving(256), Row("c3k2", 512, 2, narrowed=0.25)),
        *(_halving(512), Row("looking", 512, 4, areas=4)),
        *(_halving(1024), Row("looking", 1024, 4)),
        *(_DOUBLED, _joined(6), Row("gathered", 512, 2)),
        *(_DOUBLED, _joined(4), Row("gathered", 256, 2)),
        *(_halving(256), _joined(11), Row("gathered", 512, 2)),
        *(_halving(512), _joined(8), Row("c3k2", 1024, 2, deep=True)),
        Row("light_bins", reads=(14, 17, 20)),
    ),
    sizes=_V11.sizes,
    deep_sizes=_V11.deep_sizes,
    scaled_sizes=frozenset("lx"),
)
VERSIONS: Mapping[str, Version] = {
    "yolov5": _V5,
    "yolov7": _V7,
    "yolov8": _V8,
    "yolov9": _V9,
    "yolov10": _V10,
    "yolo11": _V11,
    "yolo12": _V12,
}
"""By the `model_type` of a configuration."""
