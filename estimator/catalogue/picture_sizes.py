"""Names that say for which pictures a network is made: `vit_large_patch16_384` is ViT-L/16, and no 224 pixels wide."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, cast

from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.base.names import Resolved
from estimator.catalogue.entries import Match
from estimator.catalogue.model_configs import ModelConfigRow
from estimator.models.transformer import Transformer

__all__ = ["PictureSizes", "made_for", "picture_sizes"]

_LONGEST = 128
_WORD = re.compile(r"[^\W_]+(?:\.\d+)*")
_PATCH = re.compile(r"patch(\d{1,2})")
_WINDOW = re.compile(r"window(?:\d{1,2}to)?(\d{1,2})")
_PIXELS = re.compile(r"(?:\d{2,4}to)?(\d{2,4})")
_SAYS_PIXELS = re.compile(r"(\d{2,4})(?:px|x\1)")
_HEIGHT = re.compile(r"(\d{3,4})p")
_SPACED_PATCH = re.compile(
    r"(?<![^\W_])(?:patch(?:[-_ ]?size)?[-_ =:]{0,2}(?P<side>\d{1,2})(?:x(?P=side))?"
    r"|(?P<each>\d{1,2})x(?P=each)[-_ ]?patch(?:es)?)"
    r"(?![^\W_])"
)
"""`patch 4`, `patch_size=4` and `4x4 patches`."""
_SHORT = re.compile(r"(?<![^\W_])vit[-_ ]?(?P<size>ti|[stblhg])[-_/ ]?(?P<patch>\d{1,2})(?![^\W_])")
"""`ViT-B/16`, `vit_l_14` and `vitb16`."""
_CLASSES: Mapping[str, str] = MappingProxyType(
    {"ti": "tiny", "t": "tiny", "s": "small", "b": "base", "l": "large", "h": "huge", "g": "giant"}
)
_TAILS = frozenset(
    {"1k", "21k", "22k", "22kto1k", "diffusers", "finetuned", "ft", "hf", "in1k", "in21k", "in22k", "lvd142m", "mim"}
    | {"ms", "pretrained", "pt", "pt22k", "timm", "to", "webli"}
)
"""What networks were trained on, behind the size of their pictures."""
_FEWEST, _MOST = 64, 2048
_SMALL_SIDES = frozenset({28, 32, 48})
"""Sides of pictures below that, as MNIST's and CIFAR's: behind a patch, where no depth or count is told."""
_YEARS = range(1900, 2100)
_ROUND = frozenset({100, 1000})
"""As many classes, or so many thousand samples."""
_USUAL = frozenset(
    {192, 224, 240, 256, 288, 320, 336, 384, 392, 416, 448, 480, 512, 518, 560, 576, 640, 672, 768, 896, 1024, 1280}
)
"""Sides of pictures in catalogued names, whose other numbers are depths: ResNet-152."""
_CLIPS: Mapping[int, tuple[int, int]] = MappingProxyType(
    {360: (640, 360), 480: (832, 480), 540: (960, 544), 720: (1280, 720), 768: (1360, 768), 1080: (1920, 1088)}
)
"""Width and height of clips by what they are called. Source: the publishers' cards of Wan, HunyuanVideo, CogVideoX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSizes:
    """Sides in pixels that a name tells, None where it does not, and the words that are left of it."""

    pixels: int | None
    height: int | None
    """Of a clip, whose width follows."""
    patch: int | None
    window: int | None
    left: tuple[str, ...]
    tails: frozenset[str]
    """Words of what it was trained on."""

    @property
    def are_said(self) -> bool:
        """Whether the name tells any."""
        return any(side is not None for side in (self.pixels, self.height, self.patch, self.window))


def picture_sizes(name: str, *, beside: Iterable[str] = (), usual: bool = False) -> PictureSizes:
    """Return what `name` says of pictures in words that are not among `beside`; `usual`: in sizes that many have."""
    words = _words(name)
    own = list(beside)
    for word in own:
        if word in words:
            words.remove(word)
    tails = _TAILS.intersection(words)
    patch = window = pixels = height = None
    left: list[str] = []
    last = len(words) - 1
    while last >= 0 and words[last] in _TAILS:
        last -= 1
    for at, word in enumerate(words):
        if found := _PATCH.fullmatch(word):
            patch = int(found[1])
        elif found := _WINDOW.fullmatch(word):
            window = int(found[1])
        elif side := _side(word, is_last=at == last, usual=usual, patch=patch):
            pixels = side
        elif (found := _HEIGHT.fullmatch(word)) and int(found[1]) in _CLIPS:
            height = int(found[1])
        elif word not in _TAILS:
            left.append(word)
    return PictureSizes(pixels=pixels, height=height, patch=patch, window=window, left=tuple(left), tails=tails)


def made_for(
    name: str, match: Resolved, network: Transformer, row: ModelConfigRow | None, sizes: PictureSizes
) -> Match[Transformer]:
    """Return what was found as `network`, read from `row`, made for pictures of the sizes that `name` says.

    What its reader takes from the configuration changes with them: patch embedding, positions, windows. A network of
    tiles, or one that takes pictures as they are, has no such size, and is left as it is.

    Raises InvalidValueError where it cannot be, saying how their size is told.
    """
    at = network if row is None or network.media is None else _at(row, network, sizes)
    if at is None:
        pixels = f" with image_size {sizes.pixels}" if sizes.pixels else ""
        remedy = f'says sizes of pictures that {network.name} is not known to be made for; give "{network.id}"{pixels}'
        raise InvalidValueError("model", name, f"{remedy}, or its config.json as hf_config")
    said = "" if at is network else f"{at.name}, whose layers are those of {match.id}"
    return Match(value=at, matched=match.matched, note="; ".join(part for part in (match.note, said) if part))


def _at(row: ModelConfigRow, network: Transformer, sizes: PictureSizes) -> Transformer | None:
    """Return `network` at these sizes; None where it cannot be made for them."""
    media = network.media
    if media is None or media.kind == "sound" or (not media.main and media.policy != "fixed"):
        return network
    across = _CLIPS[sizes.height] if sizes.height else (sizes.pixels or media.width, sizes.pixels or media.height)
    if sizes.pixels in {media.width, media.height}:
        across = media.width, media.height
    patch = media.patch if sizes.patch is None else sizes.patch
    window = sizes.window is not None and row["config"].get("window_size", sizes.window) != sizes.window
    if across == (media.width, media.height) and patch == media.patch and not window:
        return network
    if media.width != media.height and sizes.height is None and across != (media.width, media.height):
        return None
    read = _read_again(row["config"], network, across[0], sizes) if media.width == media.height else network
    if read is None or read.media is None or read.media.patch != patch:
        return None
    if (read.media.width, read.media.height) != across:
        if media.policy != "resized":
            return None
        read = replace(read, media=replace(read.media, width=across[0], height=across[1]))
    return replace(read, id=network.id, name=_called(network.name, sizes), source=network.source)


def _read_again(config: Mapping[str, Any], network: Transformer, side: int, sizes: PictureSizes) -> Transformer | None:
    """Return the network of a configuration with these sizes in place of its own; None where its reader refuses."""
    # Most questions name a network as it is catalogued: readers of families are for those that do not.
    from estimator.models.huggingface.config import configured_model

    asked: dict[str, object] = {"image_size": side}
    if sizes.patch is not None:
        asked["patch_size"] = sizes.patch
    if sizes.window is not None and "window_size" in config:
        asked["window_size"] = sizes.window
    nested = config.get("vision_config")
    if nested:
        asked = {"vision_config": {**cast("dict[str, object]", nested), **asked}}
    try:
        return configured_model({**config, **asked}).transformer
    except EstimatorError:
        return network if sizes.patch is None and sizes.window is None else None


def _called(name: str, sizes: PictureSizes) -> str:
    """Return what a network is called at these sizes."""
    patch = "" if sizes.patch is None else f"patch{sizes.patch}"
    pixels = f"{sizes.pixels or sizes.height or ''}"
    bare = [word for word in name.split() if not (word.isdigit() and int(word) in _USUAL and pixels)]
    bare = [patch if patch and _PATCH.fullmatch(word) else word for word in bare]
    at = f" at {pixels} pixels" if pixels else ""
    beside = f" {patch}" if patch and patch not in bare else ""
    return f"{' '.join(bare)}{beside}{at}"


def _side(word: str, *, is_last: bool, usual: bool, patch: int | None) -> int:
    """Return the pixels that a word says: `384px` wherever it stands, a number alone behind all else; 0 where none."""
    says = _SAYS_PIXELS.fullmatch(word)
    found = says or (_PIXELS.fullmatch(word) if is_last else None)
    if found is None:
        return 0
    side = int(found[1])
    is_small = side in _SMALL_SIDES and (says is not None or (patch is not None and patch < side))
    return side if is_small or _is_side(side, usual=usual) else 0


def _is_side(number: int, *, usual: bool) -> bool:
    if usual:
        return number in _USUAL
    return _FEWEST <= number <= _MOST and number % 2 == 0 and number not in _YEARS and number not in _ROUND


def _words(name: str) -> list[str]:
    """Return the words of a name without its owner, sizes of ViTs spelt out."""
    tail = name[:_LONGEST].casefold().strip().rstrip("/")
    tail = _SPACED_PATCH.sub(lambda told: f"patch{told['side'] or told['each']}", tail)
    spelt = _SHORT.sub(lambda short: f"vit-{_CLASSES[short['size']]}-patch{short['patch']}", tail)
    return _WORD.findall(spelt.rpartition("/")[2] if "/" in spelt else spelt)
