"""Detectors of convolutions alone that find objects in one stage: YOLOv5, YOLOv8 and YOLO11.

Each is a table of layers, as Ultralytics' files have them: what a layer is, how wide, how often it is repeated, and
which layers it reads. Sizes scale depths and widths. What blocks are made of follows the names of its `nn/modules`;
their parameters add up to the published ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import classes, image_side
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.pyramids import Pyramid, built, stage_place
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import Flow, Place
from estimator.models.mixers.placed_parts import convolution, self_look

__all__ = ["VERSIONS", "one_stage"]

_DEFAULTS: Config = {"num_channels": 3, "num_labels": 80, "image_size": 640, "size": "n"}
_FIRST_STAGE = 2
"""Halvings of the picture's sides before the stage whose positions are a pyramid's tokens."""
_DIVISOR = 8
"""Of all widths."""
_BINS, _SIDES, _STARTS = 16, 4, 3
"""Bins for each side of a box (Li et al. 2020), sides of a box, and boxes that YOLOv5 starts from at each place."""
_FEWEST, _QUARTER, _MOST_BY_CLASS = 64, 4, 100
"""Channels of a head: at least for boxes, the first level's over it, and at most by the number of classes."""
_POOLED = 4
"""Maps that fast pyramid pooling joins: one, and it pooled once, twice and three times."""
_HEAD_DIM, _KEY_DIM = 64, 32
"""Of YOLO11's attention, whose keys are half as wide as its values."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One layer of a table: `reads` are earlier layers, relative to itself where negative."""

    kind: str
    width: int = 0
    repeats: int = 1
    reads: tuple[int, ...] = (-1,)
    side: int = 1
    deep: bool = False
    narrowed: float = 0.5


@dataclass(frozen=True, slots=True)
class _Map:
    """What a layer makes: channels, and how often the picture's sides were halved."""

    channels: int
    halvings: int

    @property
    def place(self) -> Place:
        return stage_place(self.halvings - _FIRST_STAGE)


@dataclass(frozen=True, slots=True)
class _Version:
    """A network: its layers, and for each size factors on depth and width, and the widest layer before the latter."""

    rows: tuple[_Row, ...]
    sizes: Mapping[str, tuple[float, float, int]]
    deep_sizes: frozenset[str] = frozenset()
    """Sizes whose blocks are deep everywhere."""


def _halving(width: int, side: int = 3) -> _Row:
    return _Row("halving", width, side=side)


def _joined(layer: int) -> _Row:
    return _Row("joined", reads=(-1, layer))


_DOUBLED = _Row("doubled")
_V5 = _Version(
    rows=(
        *(_halving(64, 6), _halving(128), _Row("c3", 128, 3)),
        *(_halving(256), _Row("c3", 256, 6)),
        *(_halving(512), _Row("c3", 512, 9)),
        *(_halving(1024), _Row("c3", 1024, 3), _Row("pooled", 1024)),
        *(_Row("projected", 512), _DOUBLED, _joined(6), _Row("c3", 512, 3)),
        *(_Row("projected", 256), _DOUBLED, _joined(4), _Row("c3", 256, 3)),
        *(_halving(256), _joined(14), _Row("c3", 512, 3)),
        *(_halving(512), _joined(10), _Row("c3", 1024, 3)),
        _Row("starts", reads=(17, 20, 23)),
    ),
    sizes={
        "n": (0.33, 0.25, 1024),
        "s": (0.33, 0.5, 1024),
        "m": (0.67, 0.75, 1024),
        "l": (1.0, 1.0, 1024),
        "x": (1.33, 1.25, 1024),
    },
)
_V8 = _Version(
    rows=(
        *(_halving(64), _halving(128), _Row("c2f", 128, 3)),
        *(_halving(256), _Row("c2f", 256, 6)),
        *(_halving(512), _Row("c2f", 512, 6)),
        *(_halving(1024), _Row("c2f", 1024, 3), _Row("pooled", 1024)),
        *(_DOUBLED, _joined(6), _Row("c2f", 512, 3)),
        *(_DOUBLED, _joined(4), _Row("c2f", 256, 3)),
        *(_halving(256), _joined(12), _Row("c2f", 512, 3)),
        *(_halving(512), _joined(9), _Row("c2f", 1024, 3)),
        _Row("bins", reads=(15, 18, 21)),
    ),
    sizes={
        "n": (0.33, 0.25, 1024),
        "s": (0.33, 0.5, 1024),
        "m": (0.67, 0.75, 768),
        "l": (1.0, 1.0, 512),
        "x": (1.0, 1.25, 512),
    },
)
_V11 = _Version(
    rows=(
        *(_halving(64), _halving(128), _Row("c3k2", 256, 2, narrowed=0.25)),
        *(_halving(256), _Row("c3k2", 512, 2, narrowed=0.25)),
        *(_halving(512), _Row("c3k2", 512, 2, deep=True)),
        *(_halving(1024), _Row("c3k2", 1024, 2, deep=True), _Row("pooled", 1024), _Row("attending", 1024, 2)),
        *(_DOUBLED, _joined(6), _Row("c3k2", 512, 2)),
        *(_DOUBLED, _joined(4), _Row("c3k2", 256, 2)),
        *(_halving(256), _joined(13), _Row("c3k2", 512, 2)),
        *(_halving(512), _joined(10), _Row("c3k2", 1024, 2, deep=True)),
        _Row("light_bins", reads=(16, 19, 22)),
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
VERSIONS: Mapping[str, _Version] = {"yolov5": _V5, "yolov8": _V8, "yolo11": _V11}
"""By the `model_type` of a configuration."""


@dataclass(slots=True)
class _Network:
    """A network while its table is read."""

    labels: int
    deep: bool
    """Whether blocks are deep everywhere."""
    pyramid: Pyramid = field(default_factory=Pyramid)

    def add(self, row: _Row, read: list[_Map], outputs: int, repeats: int) -> _Map:
        """Add what one row stands for, and return what it makes."""
        inputs, halvings, at = sum(each.channels for each in read), read[0].halvings, read[0].place
        match row.kind:
            case "joined":
                return _Map(inputs, halvings)
            case "doubled":
                return _Map(inputs, halvings - 1)
            case "halving":
                made = _Map(outputs, halvings + 1)
                self.convolve(inputs, outputs, made.place, row.side)
                return made
            case "projected":
                self.convolve(inputs, outputs, at)
            case "pooled":
                self.convolve(_POOLED * self.convolve(inputs, inputs // 2, at), outputs, at)
            case "c3":
                self.crossing(inputs, outputs, repeats, at, (1, 3))
            case "attending":
                self.attending(inputs, repeats, at)
            case "starts":
                self.detect_from_starts(read)
            case "bins" | "light_bins":
                self.detect(read, light=row.kind == "light_bins")
            case _:
                self.splitting(inputs, row, outputs, repeats, at, deep=row.kind == "c3k2" and (row.deep or self.deep))
        return _Map(outputs, halvings)

    def convolve(self, inputs: int, outputs: int, at: Place, side: int = 1) -> int:
        """Add a convolution and its norm, and return its width."""
        self.pyramid.convolve("convolution", inputs, outputs, side, at)
        return outputs

    def depthwise(self, channels: int, at: Place) -> int:
        """Add a filter of three by three for each channel, and its norm."""
        self.pyramid.convolve("depthwise", 1, channels, 3, at)
        return channels

    def plain(self, inputs: int, outputs: int, at: Place) -> None:
        """Add what ends a head: a projection with a bias and no norm."""
        self.pyramid.products.append(convolution("found", inputs, outputs, at=at, side=1))

    def bottlenecks(self, width: int, repeats: int, at: Place, *, sides: tuple[int, int], inner: int) -> None:
        """Add pairs of filters, each of which may be added to what it reads."""
        for _ in range(repeats):
            self.convolve(width, inner, at, sides[0])
            self.convolve(inner, width, at, sides[1])
        self.pyramid.flows.append(Flow(width=width, halves=repeats, at=at, normed=False))

    def crossing(self, inputs: int, outputs: int, repeats: int, at: Place, sides: tuple[int, int]) -> None:
        """Add a C3: a half that passes bottlenecks, and one that does not."""
        half = outputs // 2
        self.convolve(inputs, half, at)
        self.convolve(inputs, half, at)
        self.bottlenecks(half, repeats, at, sides=sides, inner=half)
        self.convolve(2 * half, outputs, at)

    def splitting(self, inputs: int, row: _Row, outputs: int, repeats: int, at: Place, *, deep: bool) -> None:
        """Add a C2f, or a C3k2: a half passes block after block, and all that came about is joined."""
        half = int(outputs * row.narrowed)
        self.convolve(inputs, 2 * half, at)
        for _ in range(repeats):
            if deep:
                self.crossing(half, half, 2, at, (3, 3))
            else:
                self.bottlenecks(half, 1, at, sides=(3, 3), inner=half if row.kind == "c2f" else half // 2)
        self.convolve((2 + repeats) * half, outputs, at)

    def attending(self, inputs: int, repeats: int, at: Place) -> None:
        """Add a C2PSA: attention and an MLP on one half of the channels."""
        half = inputs // 2
        heads = half // _HEAD_DIM
        self.convolve(inputs, 2 * half, at)
        for _ in range(repeats):
            self.convolve(half, half + 2 * heads * _KEY_DIM, at)
            self.depthwise(half, at)
            self.convolve(half, half, at)
            self.convolve(half, 2 * half, at)
            self.convolve(2 * half, half, at)
        # Scores by keys half as wide as values are: three quarters of a head on average.
        self.pyramid.looks.append(self_look(heads, (_HEAD_DIM + _KEY_DIM) // 2, repeats, at=at))
        self.pyramid.flows.append(Flow(width=half, halves=2 * repeats, at=at, normed=False))
        self.convolve(2 * half, inputs, at)

    def detect(self, maps: list[_Map], *, light: bool) -> None:
        """Add heads at each level: bins of a box's sides, and classes, those of a light head by depthwise filters."""
        first = maps[0].channels
        boxes = max(_BINS, first // _QUARTER, _SIDES * _BINS)
        kinds = max(first, min(self.labels, _MOST_BY_CLASS))
        for read in maps:
            at = read.place
            self.convolve(read.channels, boxes, at, 3)
            self.convolve(boxes, boxes, at, 3)
            self.plain(boxes, _SIDES * _BINS, at)
            width = read.channels
            for _ in range(2):
                if light:
                    width = self.convolve(self.depthwise(width, at), kinds, at)
                else:
                    width = self.convolve(width, kinds, at, 3)
            self.plain(kinds, self.labels, at)
        # The bins' own values, which are not trained.
        self.pyramid.lookup += _BINS

    def detect_from_starts(self, maps: list[_Map]) -> None:
        """Add a projection at each level to boxes, their likelihood and classes, for each box that is started from."""
        for read in maps:
            self.plain(read.channels, _STARTS * (_SIDES + 1 + self.labels), read.place)


def one_stage(config: Config) -> ConfiguredModel:
    """Return a YOLO, by `model_type` (yolov5, yolov8, yolo11) and `size` (n, s, m, l, x).

    Raises InvalidValueError for another size.
    """
    version = VERSIONS[str(config.get("model_type"))]
    reading = Reading(config=config, defaults=_DEFAULTS, model_type=str(config.get("model_type")))
    size = reading.value("size")
    if not isinstance(size, str) or size not in version.sizes:
        raise InvalidValueError("hf_config.size", size, f"must be one of {', '.join(version.sizes)}")
    deeper, wider, widest = version.sizes[size]
    image = _Map(reading.whole("num_channels"), 0)
    made = _Network(labels=classes(reading), deep=size in version.deep_sizes)
    maps: list[_Map] = []
    repeats = [max(round(row.repeats * deeper), 1) for row in version.rows]
    for place, (row, many) in enumerate(zip(version.rows, repeats, strict=True)):
        read = [maps[layer if layer >= 0 else place + layer] for layer in row.reads] if maps else [image]
        outputs = -(-int(min(row.width, widest) * wider) // _DIVISOR) * _DIVISOR
        maps.append(made.add(row, read, outputs, many))
    side = image_side(reading)
    return built(made.pyramid, reading, config, depths=repeats, width=maps[0].channels, sides=(side, side))
