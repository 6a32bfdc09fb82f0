"""How pictures, clips and sounds become positions: of a tower's sequences, and of the sequence that is trained on."""

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from estimator.base.errors import InvalidValueError

__all__ = ["MOST_PIXELS", "SMALL", "Media", "Picture", "Seen", "picture_of", "seen"]

MOST_PIXELS = 65_536
"""Pixels of a side, or frames of a clip, at most."""
SMALL = 64
"""Pixels a side up to which pictures are kept decoded, in one array: CIFAR, MNIST, Tiny ImageNet."""
_MOST_TOKENS = 1e7
_SIZE = re.compile(r"(\d{1,6})(?:\s*[x×*]\s*(\d{1,6})(?:\s*[x×*]\s*(\d{1,6}))?)?(?:\s*px)?", re.IGNORECASE)
_TOKENS = re.compile(
    r"([\d.,]{1,12}\s?[km]?)\s*(?:tokens?|tok)(?:\s*(?:a|per|/)\s*(?:image|picture|clip))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, or a clip of several frames; or only how many tokens it becomes."""

    width: int
    height: int
    frames: int = 1
    tokens: float | None = None
    """What it becomes in the main sequence, where that is what was said."""
    seconds: float = 0.0
    """Of a sound, where it is one."""

    @property
    def words(self) -> str:
        """The size as it is written: 1024×768, with frames behind it."""
        if self.tokens is not None:
            return f"{self.tokens:,.0f} tokens"
        if self.seconds:
            return f"{self.seconds:.3g} s"
        return f"{self.width}×{self.height}" + (f"×{self.frames} frames" if self.frames > 1 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What a network makes of pictures, clips or sounds."""

    kind: Literal["image", "clip", "sound"] = "image"
    main: bool = False
    """Whether the main stack reads them itself, so that its tokens are their positions: a ViT, Whisper, a diffusion
    transformer. False: towers read them, and the main stack reads what the projector makes of them."""
    policy: Literal["fixed", "resized", "native", "tiled"] = "fixed"
    """`fixed`: always so many positions, whatever the picture or sound; `resized`: to the size that is trained at;
    `native`: as many as the picture or sound has; `tiled`: cut into tiles of one size."""
    width: int = 0
    """Pixels of the usual picture, or of one tile."""
    height: int = 0
    usual: tuple[int, int] = (640, 480)
    """A usual picture, where its size decides: most of COCO's, of which instruction sets of pictures are made (Lin et
    al. 2014; Liu et al. 2023)."""
    patch: int = 1
    """Pixels a side of one patch."""
    frames: int = 1
    """Frames of the usual clip."""
    tubelet: int = 1
    """Frames that share one patch."""
    compression: int = 1
    """Pixels a side of one latent (a VAE's factor)."""
    frame_compression: int = 1
    """Frames of one latent; the first frame has one of its own."""
    extra: int = 0
    """Positions of a tower's sequence beside the patches: class token, registers."""
    kept: float = 1.0
    """Share of patches that are not masked away before the main stack (He et al. 2022)."""
    merge: int = 1
    """Patches a side that become one token of the main sequence (pixel shuffle, merger)."""
    tokens: int = 0
    """Tokens of the main sequence that a picture, tile or sound becomes, where patches do not tell."""
    before_merge: int = 0
    """Tokens that the projector works on, a picture or tile, where it does not work on those of the main sequence."""
    positions: int = 0
    """Positions of one tower sequence, where it has no patches: 1,500 of 30 seconds of sound."""
    seconds: float = 0.0
    """Of a sound that becomes so many positions; 0 where that is not known."""
    features: int = 0
    """Numbers that are stored of a sound for each position, after its feature extractor: samples of the wave, channels
    of the spectrogram; 0 where that is not known."""
    most_tiles: int = 1
    thumbnail: bool = False
    """Whether the whole picture is one more tile, where there are several."""
    overlap: int = 0
    """Patches that a tile shares with the next, or that frame the picture, on each side: tokens of them are one's only,
    and the whole picture is one more tile always."""
    grids: tuple[tuple[int, int], ...] = ()
    """Grids of tiles, columns and rows, that pictures are fitted to; empty: any of at most `most_tiles`."""
    tile_breaks: int = 0
    """Tokens that frame each picture or tile."""
    row_breaks: bool = False
    """Whether each row of merged patches ends in a token."""
    longest_side: int = 0
    """Pixels that the longer side is scaled to, down or (where tiled) up."""
    fewest_pixels: int = 0
    most_pixels: int = 0
    """Pixels that a picture is scaled into."""
    crosses: bool = False
    """Whether the main stack looks at them by cross-attention, so that they are one token of its sequence."""
    usual_count: int = 1
    """Pictures of a sample where nothing is said: 0 for models that are mostly trained on text alone."""
    usual_text: int = 256
    """Tokens of text beside them in a sample where nothing is said."""
    bridges: bool = False
    """Whether recipes train what lies between the towers and the main stack, and freeze both (Li et al. 2023, BLIP-2,
    section 3; Dai et al. 2023, InstructBLIP, section 2.5)."""
    window: int = 0
    """Positions of the towers' windowed layers, where some look no farther: of the tower itself."""

    def share_of(self, picture: Picture | None) -> float:
        """Return how long a sound is over the usual one; 1 of what is padded, and of what is no sound."""
        told = picture is not None and picture.seconds > 0.0 and self.policy == "native"
        return picture.seconds / self.seconds if picture is not None and told else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One picture, clip or sound as positions."""

    length: float
    """Positions of one of the tower's sequences."""
    sequences: float
    """Sequences of the tower: tiles, or frames that do not see one another."""
    projected: float
    """Positions that the projector works on."""
    tokens: float
    """Positions of the main sequence."""

    @property
    def positions(self) -> float:
        """Positions of the tower in all."""
        return self.length * self.sequences


def picture_of(given: str | float, argument: str = "image_size") -> Picture:
    """Return what `336`, `1024x768`, `1280x720x81` (with frames) or `576 tokens` says.

    Raises InvalidValueError for what is neither.
    """
    text = str(int(given) if isinstance(given, float) and given.is_integer() else given).strip()[:64]
    tokens = _TOKENS.fullmatch(text)
    if tokens:
        from estimator.base.units import parse_count

        count = parse_count(tokens[1], argument, most=_MOST_TOKENS)
        return Picture(width=0, height=0, tokens=count)
    size = _SIZE.fullmatch(text)
    if size is None:
        raise InvalidValueError(
            argument, given, 'must be pixels ("336", "1024x768", "1280x720x81" with frames) or tokens ("576 tokens")'
        )
    width = int(size[1])
    height = int(size[2]) if size[2] else width
    frames = int(size[3]) if size[3] else 1
    if not all(1 <= side <= MOST_PIXELS for side in (width, height, frames)):
        raise InvalidValueError(argument, given, f"must have sides and frames from 1 to {MOST_PIXELS:,}")
    return Picture(width=width, height=height, frames=frames)


def seen(media: Media, picture: Picture | None) -> Seen:
    """Return what one picture, clip or sound becomes; None: the usual one.

        patches    ⌈width / (patch · compression)⌉ · ⌈height / (patch · compression)⌉ · frames / tubelet
        tokens     patches / merge²

    Where only tokens are told, the tower has as many positions for each as it has in the usual picture.
    """
    if picture is not None and picture.tokens is not None:
        return _scaled(_seen(media, _usual(media)), picture.tokens, tiled=media.policy == "tiled", main=media.main)
    if picture is not None and picture.seconds:
        usual = _seen(media, _usual(media))
        tokens = max(1.0, round(usual.tokens * media.share_of(picture)))
        return _scaled(usual, tokens, tiled=False, main=media.main)
    return _seen(media, picture or _usual(media))


def _usual(media: Media) -> Picture:
    whole = media.policy in {"native", "tiled"} and not media.main
    width, height = media.usual if whole else (media.width, media.height)
    return Picture(width=width, height=height, frames=media.frames)


def _scaled(usual: Seen, tokens: float, *, tiled: bool, main: bool) -> Seen:
    """Return `usual` with so many tokens: in more sequences where it is tiled, else in longer ones."""
    share = tokens / usual.tokens
    if main:
        return Seen(length=tokens, sequences=1.0, projected=tokens, tokens=tokens)
    many = share if tiled else 1.0
    return Seen(
        length=usual.length * share / many,
        sequences=usual.sequences * many,
        projected=usual.projected * share,
        tokens=tokens,
    )


def _seen(media: Media, picture: Picture) -> Seen:
    if media.positions:
        made = float(media.tokens or media.positions)
        return Seen(
            length=float(media.positions), sequences=1.0, projected=float(media.before_merge or made), tokens=made
        )
    if media.policy == "tiled":
        return _tiled(media, picture)
    if media.policy == "fixed":
        picture = replace(picture, width=media.width, height=media.height)
    if media.policy == "native":
        picture = _fitted(media, picture)
    columns, rows = _patches(media, picture)
    depth = _depth(media, picture.frames)
    patches = columns * rows
    if media.main:
        length = round(patches * depth * media.kept) + media.extra
        return Seen(length=length, sequences=1.0, projected=length, tokens=length)
    merged = media.tokens or math.ceil(columns / media.merge) * math.ceil(rows / media.merge)
    breaks = math.ceil(rows / media.merge) if media.row_breaks else 0
    made = float(merged + breaks + media.tile_breaks) * depth
    # Frames of a clip do not see one another in a tower.
    return Seen(
        length=float(patches + media.extra),
        sequences=float(depth),
        projected=float(media.before_merge or merged) * depth,
        tokens=1.0 if media.crosses else made,
    )


def _patches(media: Media, picture: Picture) -> tuple[int, int]:
    """Return columns and rows of patches; what is smaller than a patch is left away, as convolutions do."""
    side = media.patch * media.compression
    return max(1, picture.width // side), max(1, picture.height // side)


def _depth(media: Media, frames: int) -> int:
    """Return the positions that a clip has in time."""
    latent = 1 + (frames - 1) // media.frame_compression if media.frame_compression > 1 else frames
    return max(1, math.ceil(latent / media.tubelet))


def _fitted(media: Media, picture: Picture) -> Picture:
    """Return a picture scaled as processors do: into its bounds, and to whole merged patches."""
    width, height = float(picture.width), float(picture.height)
    if media.longest_side and max(width, height) > media.longest_side:
        scale = media.longest_side / max(width, height)
        width, height = width * scale, height * scale
    pixels = width * height
    if media.most_pixels and pixels > media.most_pixels:
        scale = math.sqrt(media.most_pixels / pixels)
    elif media.fewest_pixels and pixels < media.fewest_pixels:
        scale = math.sqrt(media.fewest_pixels / pixels)
    else:
        scale = 1.0
    unit = media.patch * media.merge
    sides = [max(unit, round(side * scale / unit) * unit) for side in (width, height)]
    return replace(picture, width=sides[0], height=sides[1])


def _tiled(media: Media, picture: Picture) -> Seen:
    """Return a picture as tiles: the grid that keeps most of it, and the whole as one more where it is divided."""
    columns, rows = _grid(media, picture)
    tiles = columns * rows
    sequences = tiles + (1 if media.thumbnail and tiles > 1 else 0)
    side_patches = (media.width // media.patch) * (media.height // media.patch)
    per_tile = media.tokens or math.ceil(media.width // media.patch / media.merge) * math.ceil(
        media.height // media.patch / media.merge
    )
    frames = picture.frames
    if media.overlap and frames == 1:
        return _overlapping(media, picture, per_tile)
    return Seen(
        length=float(side_patches + media.extra),
        sequences=float(sequences * frames),
        projected=float((media.before_merge or per_tile) * sequences * frames),
        tokens=1.0 if media.crosses else float((per_tile + media.tile_breaks) * sequences * frames),
    )


def _overlapping(media: Media, picture: Picture, whole: int) -> Seen:
    """Return a picture as tiles that overlap, and as `whole` tokens besides: the grid that enlarges it the least.

    Source: Deitke et al. 2024 (Molmo), section 2; `select_tiling` of its processor.
    """
    margin, side = 2 * media.overlap, media.width // media.patch
    step = (side - margin) * media.patch
    sides = [max(1, pixels - margin * media.patch) for pixels in (picture.width, picture.height)]
    grids = [
        (columns, rows)
        for columns in range(1, media.most_tiles + 1)
        for rows in range(1, media.most_tiles // columns + 1)
    ]
    scales = {grid: min(tiles * step / pixels for tiles, pixels in zip(grid, sides, strict=True)) for grid in grids}
    enlarging = [grid for grid in grids if scales[grid] >= 1.0]
    columns, rows = min(enlarging, key=scales.__getitem__) if enlarging else max(grids, key=scales.__getitem__)
    made = math.prod(math.ceil((tiles * (side - margin) + margin) / media.merge) for tiles in (columns, rows))
    return Seen(
        length=float(side * side + media.extra),
        sequences=float(columns * rows + 1),
        projected=float(made + whole),
        tokens=float(made + whole + media.tile_breaks),
    )


def _grid(media: Media, picture: Picture) -> tuple[int, int]:
    """Return columns and rows of tiles for a picture."""
    if picture.frames > 1:
        # Frames of a clip are a tile each.
        return 1, 1
    width, height = picture.width, picture.height
    if media.longest_side:
        # Idefics 3: the longer side is scaled to a length, and cut.
        scale = media.longest_side / max(width, height)
        columns, rows = (max(1, math.ceil(round(side * scale) / media.width)) for side in (width, height))
        return columns, rows
    grids = media.grids or tuple(
        (columns, rows)
        for columns in range(1, media.most_tiles + 1)
        for rows in range(1, media.most_tiles // columns + 1)
    )
    if media.grids:
        return max(grids, key=lambda grid: _kept(media, grid, width, height))
    # InternVL: the nearest proportions; the larger grid where the picture has pixels for half of it.
    ratio = width / height
    area = width * height
    best, difference = (1, 1), math.inf
    for columns, rows in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        away = abs(ratio - columns / rows)
        enough = area > media.width * media.height * columns * rows / 2
        if away < difference or (away == difference and enough):
            best, difference = (columns, rows), away
    return best


def _kept(media: Media, grid: tuple[int, int], width: int, height: int) -> tuple[float, float]:
    """Return the pixels that a grid keeps of a picture, and, less it the better, those that it wastes."""
    most_width, most_height = grid[0] * media.width, grid[1] * media.height
    scale = min(most_width / width, most_height / height)
    filled = int(width * scale) * int(height * scale)
    kept = min(filled, width * height)
    return kept, -(most_width * most_height - kept)
