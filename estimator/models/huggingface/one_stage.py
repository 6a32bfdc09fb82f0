"""Detectors of convolutions that find objects in one stage: YOLOv5 to YOLO12, YOLOv6 aside.

Each is a table of layers: what a layer is, how wide, how often it is repeated, and
which layers it reads. Sizes scale depths and widths. What blocks are made of follows the names of its `nn/modules`;
their parameters add up to the published ones.
"""

from dataclasses import dataclass, field

from estimator.base.errors import InvalidValueError
from estimator.models.huggingface.blocks import classes, image_side
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.one_stage_tables import VERSIONS, Row
from estimator.models.huggingface.pyramids import Pyramid, built, stage_place
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.placed import Flow, Look, Place
from estimator.models.mixers.placed_parts import convolution, self_look

__all__ = ["one_stage"]

_DEFAULTS: Config = {"num_channels": 3, "num_labels": 80, "image_size": 640}
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
_STACKED = 4
"""Filters in a block of YOLOv7, one behind the other."""
_HEAD_DIM = 64
"""Of the attention of YOLOv10 and YOLO11 at least; its keys are half as wide as its values."""
_AREA_DIM, _AREA_SIDE = 32, 7
"""Of the attention of YOLO12, and the side of the filter beside it (Tian et al. 2025)."""
_MLP, _SCALED_MLP = 2.0, 1.2
_LARGE = 7
"""Side of YOLOv10's large filters."""


@dataclass(frozen=True, slots=True)
class _Map:
    """What a layer makes: channels, and how often the picture's sides were halved."""

    channels: int
    halvings: int

    @property
    def place(self) -> Place:
        return stage_place(self.halvings - _FIRST_STAGE)


@dataclass(slots=True)
class _Network:
    """A network while its table is read."""

    labels: int
    deep: bool
    """Whether blocks are deep everywhere."""
    scaled: bool
    """Whether blocks of attention are scaled and added to what they read."""
    pyramid: Pyramid = field(default_factory=Pyramid)

    def add(self, row: Row, read: list[_Map], outputs: int, repeats: int) -> _Map:
        """Add what one row stands for, and return what it makes."""
        inputs, halvings, at = sum(each.channels for each in read), read[0].halvings, read[0].place
        match row.kind:
            case "joined":
                return _Map(inputs, halvings)
            case "doubled":
                return _Map(inputs, halvings - 1)
            case "halving" | "split_halving" | "light_halving" | "pool_halving":
                made = _Map(outputs, halvings + 1)
                self.halve(row, inputs, outputs, at, made.place)
                return made
            case "starts" | "implied_starts":
                self.detect_from_starts(read, implied=row.kind == "implied_starts")
            case "bins" | "light_bins" | "light_bins_twice":
                for _ in range(2 if row.kind == "light_bins_twice" else 1):
                    self.detect(read, light=row.kind != "bins")
                # The bins' own values, which are not trained.
                self.pyramid.lookup += _BINS
            case _:
                self.block(row, inputs, outputs, repeats, at)
        return _Map(outputs, halvings)

    def block(self, row: Row, inputs: int, outputs: int, repeats: int, at: Place) -> None:
        """Add a block that keeps the resolution."""
        match row.kind:
            case "projected":
                self.convolve(inputs, outputs, at, row.side)
            case "two_filters":
                self.convolve(inputs, outputs, at, 3)
                self.convolve(inputs, outputs, at)
            case "pooled":
                self.convolve(_POOLED * self.convolve(inputs, inputs // 2, at), outputs, at)
            case "crossed_pool":
                self.pool_crossing(inputs, outputs, at)
            case "c3":
                self.crossing(inputs, outputs, repeats, at, (1, 3))
            case "attending":
                self.attending(inputs, repeats, at)
            case "looking" | "gathered":
                self.gathering(row, inputs, outputs, repeats, at)
            case "stacked" | "stacked_whole":
                self.stacking(row, inputs, outputs, at)
            case "layered" | "elan":
                self.layering(row, inputs, outputs, repeats, at)
            case _:
                self.splitting(inputs, row, outputs, repeats, at, deep=row.kind == "c3k2" and (row.deep or self.deep))

    def halve(self, row: Row, inputs: int, outputs: int, at: Place, below: Place) -> None:
        """Add what halves the sides: a filter, one beside a pooled half, or one for each channel."""
        half = outputs // 2
        match row.kind:
            case "split_halving":
                self.convolve(inputs // 2, half, below, 3)
                self.convolve(inputs // 2, half, below)
            case "pool_halving":
                self.convolve(inputs, half, below)
                self.convolve(self.convolve(inputs, half, at), half, below, 3)
            case "light_halving":
                self.depthwise(self.convolve(inputs, outputs, at), below)
            case _:
                self.convolve(inputs, outputs, below, row.side)

    def convolve(self, inputs: int, outputs: int, at: Place, side: int = 1) -> int:
        """Add a convolution and its norm, and return its width."""
        self.pyramid.convolve("convolution", inputs, outputs, side, at)
        return outputs

    def depthwise(self, channels: int, at: Place, side: int = 3) -> int:
        """Add a filter for each channel, and its norm."""
        self.pyramid.convolve("depthwise", 1, channels, side, at)
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

    def crossing(
        self, inputs: int, outputs: int, repeats: int, at: Place, sides: tuple[int, int], *, doubled: bool = False
    ) -> None:
        """Add a C3: a half that passes bottlenecks, and one that does not.

        `doubled`: beside each bottleneck's first filter is one of a single position, until training is over.
        """
        half = outputs // 2
        self.convolve(inputs, half, at)
        self.convolve(inputs, half, at)
        self.bottlenecks(half, repeats, at, sides=sides, inner=half)
        for _ in range(repeats * doubled):
            self.convolve(half, half, at)
        self.convolve(2 * half, outputs, at)

    def layering(self, row: Row, inputs: int, outputs: int, repeats: int, at: Place) -> None:
        """Add YOLOv9's GELAN: half of what came in passes block after block, each of a C3 and a filter or only that."""
        wide, narrow = row.inner
        width = self.convolve(inputs, wide, at) // 2
        for _ in range(2):
            if row.kind == "layered":
                self.crossing(width, narrow, repeats, at, (3, 3), doubled=True)
                width = narrow
            width = self.convolve(width, narrow, at, 3)
        self.convolve(wide + 2 * narrow, outputs, at)

    def stacking(self, row: Row, inputs: int, outputs: int, at: Place) -> None:
        """Add YOLOv7's ELAN: two projections, four filters one behind the other, and half or all of them joined."""
        one, three = row.inner
        self.convolve(inputs, one, at)
        width = self.convolve(inputs, one, at)
        for _ in range(_STACKED):
            width = self.convolve(width, three, at, 3)
        joined = _STACKED if row.kind == "stacked_whole" else _STACKED // 2
        self.convolve(2 * one + joined * three, outputs, at)

    def pool_crossing(self, inputs: int, outputs: int, at: Place) -> None:
        """Add YOLOv7's pooling of a half that passes filters, beside one that does not."""
        self.convolve(inputs, outputs, at)
        self.convolve(self.convolve(self.convolve(inputs, outputs, at), outputs, at, 3), outputs, at)
        self.convolve(self.convolve(_POOLED * outputs, outputs, at), outputs, at, 3)
        self.convolve(2 * outputs, outputs, at)

    def inverting(self, width: int, at: Place, *, large: bool) -> None:
        """Add YOLOv10's inverted block: filters for each channel around a widening and its narrowing."""
        self.depthwise(width, at)
        wide = self.depthwise(self.convolve(width, 2 * width, at), at)
        if large:
            self.depthwise(wide, at, _LARGE)
        self.depthwise(self.convolve(wide, width, at), at)
        self.pyramid.flows.append(Flow(width=width, halves=1, at=at, normed=False))

    def gathering(self, row: Row, inputs: int, outputs: int, repeats: int, at: Place) -> None:
        """Add YOLO12's block: attention within areas or filters, one behind the other, and all of them joined."""
        half = self.convolve(inputs, outputs // 2, at)
        for _ in range(repeats):
            if row.kind == "gathered":
                self.crossing(half, half, 2, at, (3, 3))
                continue
            for _ in range(2):
                self.looking(half, row.areas, at)
        self.convolve((1 + repeats) * half, outputs, at)
        if row.kind == "looking" and self.scaled:
            self.pyramid.vectors += outputs

    def looking(self, width: int, areas: int, at: Place) -> None:
        """Add attention of each position to those of its area, a large filter beside it, and an MLP."""
        inner = int(width * (_SCALED_MLP if self.scaled else _MLP))
        self.convolve(width, 3 * width, at)
        self.depthwise(width, at, _AREA_SIDE)
        self.convolve(width, width, at)
        self.convolve(self.convolve(width, inner, at), width, at)
        keys = Place(share=at.share / areas)
        look = Look(name="attention", heads=width // _AREA_DIM, head_dim=_AREA_DIM, layers=1, at=at, keys=keys)
        self.pyramid.looks.append(look)
        self.pyramid.flows.append(Flow(width=width, halves=2, at=at, normed=False))

    def splitting(self, inputs: int, row: Row, outputs: int, repeats: int, at: Place, *, deep: bool) -> None:
        """Add a C2f, C3k2 or C2fCIB: a half passes block after block, and all that came about is joined."""
        half = int(outputs * row.narrowed)
        self.convolve(inputs, 2 * half, at)
        for _ in range(repeats):
            if row.kind == "inverted":
                self.inverting(half, at, large=row.deep)
            elif deep:
                self.crossing(half, half, 2, at, (3, 3))
            else:
                self.bottlenecks(half, 1, at, sides=(3, 3), inner=half if row.kind == "c2f" else half // 2)
        self.convolve((2 + repeats) * half, outputs, at)

    def attending(self, inputs: int, repeats: int, at: Place) -> None:
        """Add a PSA or C2PSA: attention and an MLP on one half of the channels."""
        half = inputs // 2
        heads = max(half // _HEAD_DIM, 1)
        value = half // heads
        key = value // 2
        self.convolve(inputs, 2 * half, at)
        for _ in range(repeats):
            self.convolve(half, half + 2 * heads * key, at)
            self.depthwise(half, at)
            self.convolve(half, half, at)
            self.convolve(half, 2 * half, at)
            self.convolve(2 * half, half, at)
        # Scores by keys half as wide as values are: three quarters of a head on average.
        self.pyramid.looks.append(self_look(heads, (value + key) // 2, repeats, at=at))
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

    def detect_from_starts(self, maps: list[_Map], *, implied: bool) -> None:
        """Add a projection at each level to boxes, their likelihood and classes, for each box that is started from.

        `implied`: a vector is added to what it reads, and one scales what it writes (Wang et al. 2021, YOLOR).
        """
        for read in maps:
            outputs = _STARTS * (_SIDES + 1 + self.labels)
            self.plain(read.channels, outputs, read.place)
            self.pyramid.vectors += (read.channels + outputs) * implied


def one_stage(config: Config) -> ConfiguredModel:
    """Return a YOLO, by `model_type` (yolov5, yolov8, yolo12) and `size` (n, s, m, l, x).

    Raises InvalidValueError for another size.
    """
    version = VERSIONS[str(config.get("model_type"))]
    usual = {**_DEFAULTS, "size": next(iter(version.sizes))}
    reading = Reading(config=config, defaults=usual, model_type=str(config.get("model_type")))
    size = reading.value("size")
    if not isinstance(size, str) or size not in version.sizes:
        raise InvalidValueError("hf_config.size", size, f"must be one of {', '.join(version.sizes)}")
    deeper, wider, widest = version.sizes[size]
    rows = version.own_rows.get(size, version.rows)
    image = _Map(reading.whole("num_channels"), 0)
    made = _Network(labels=classes(reading), deep=size in version.deep_sizes, scaled=size in version.scaled_sizes)
    maps: list[_Map] = []
    repeats = [max(round(row.repeats * deeper), 1) for row in rows]
    for place, (row, many) in enumerate(zip(rows, repeats, strict=True)):
        read = [maps[layer if layer >= 0 else place + layer] for layer in row.reads] if maps else [image]
        outputs = -(-int(min(row.width, widest) * wider) // _DIVISOR) * _DIVISOR
        maps.append(made.add(row, read, outputs, many))
    side = image_side(reading)
    return built(made.pyramid, reading, config, depths=repeats, width=maps[0].channels, sides=(side, side))
