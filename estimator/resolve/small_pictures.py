"""Sets of pictures of a few pixels, and the networks that people train on them as they do."""

from dataclasses import replace

from estimator.catalogue.picture_sizes import PictureSizes, picture_sizes
from estimator.models.media import SMALL, Media, picture_of
from estimator.models.small_pictures import with_small_stem
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.data import ToldData
from estimator.resolve.subject import Subject

__all__ = ["on_small_pictures"]

_SMALL_PATCH = 8
"""Pixels a side of patches up to which a ViT is built for small pictures: 4 of CIFAR's 32, 8 of Tiny ImageNet's 64."""
_TINY_PATCH = 4
"""Pixels a side of patches up to which hardly any ViT is trained on pictures of 224."""
_SCALED_UP = 2.0
"""Times their own side from which on pictures that are scaled up are a doubt."""


def on_small_pictures(data: ToldData, subject: Subject, told: Request) -> tuple[ToldData, Subject]:
    """Return the data and the model of `told` as people train on small pictures, where they are.

    They are stored as they are. A classifier of convolutions sees them so, with the stem that is made for them, unless
    a configuration was given. So does a ViT whose name tells small patches and no size of pictures: ViT-S/4. Encoders
    with larger patches are trained on them scaled up, and take their own size, with a warning.
    """
    network = subject.transformer
    media = None if network is None else network.media
    if network is None or media is None or media.kind != "image":
        return data, subject
    small = None if told.hf_config is not None else with_small_stem(network)
    sizes = picture_sizes("" if told.hf_config is not None else str(told.model))
    named = sizes.pixels if sizes.pixels and sizes.pixels <= SMALL and media.main else None
    own = data.entry.pixels if data.entry else None
    if own is not None and named is None:
        if small is not None or (media.main and media.width <= SMALL) or _has_small_patches(sizes, media):
            data = _of_the_sets_size(data, network, own)
        else:
            subject = _warned_of_scaling(data, subject, sizes, own)
    elif data.entry is None and _has_small_patches(sizes, media, most=_TINY_PATCH):
        subject = _warned_of_open_size(data, subject, media)
    side = own or _small_side(data.request) or (None if data.entry else named)
    if side is None:
        return data, subject
    if small is not None and _small_side(data.request) is not None:
        subject = replace(subject, assumptions=(*subject.assumptions, _stem(network)))
        network, media = small, small.media or media
    stored = replace(network, media=replace(media, usual=(side, side)))
    return data, replace(subject, transformer=stored)


def _has_small_patches(sizes: PictureSizes, media: Media, *, most: int = _SMALL_PATCH) -> bool:
    """Return whether a name tells small patches alone, of a network that takes pictures of any size."""
    told = sizes.patch is not None and sizes.patch <= most and not sizes.pixels and not sizes.window
    return told and media.main and media.policy == "resized"


def _warned_of_open_size(data: ToldData, subject: Subject, media: Media) -> Subject:
    """Return `subject` with a warning where nobody said how large pictures are that so small patches are cut of."""
    request = data.request
    if request.image_size is not None or request.tokens_per_sample is not None:
        return subject
    message = (
        f"pictures are taken to have {media.width}×{media.height} pixels, of which patches of {media.patch} make "
        f"{(media.width // media.patch) ** 2:,} positions; most ViTs with such patches see pictures of 32 to 64, for a "
        'tenth of the time or less: say image_size, such as "32"'
    )
    return replace(subject, warnings=(*subject.warnings, Caution(code="picture_size_unsaid", message=message)))


def _warned_of_scaling(data: ToldData, subject: Subject, sizes: PictureSizes, side: int) -> Subject:
    """Return `subject` with a warning where nobody said that pictures of `side` pixels are scaled up for it."""
    network, entry, request = subject.transformer, data.entry, data.request
    media = None if network is None else network.media
    told = sizes.pixels or request.image_size is not None or request.tokens_per_sample is not None
    if network is None or media is None or entry is None or told or request.hf_config is not None:
        return subject
    if not media.main or media.policy != "resized" or media.compression > 1 or media.width < _SCALED_UP * side:
        return subject
    message = (
        f"{entry.name}'s pictures of {side}×{side} are taken to be scaled up to {media.width}×{media.height}, as is "
        f"usual with {network.name}; as they are they have {(media.width / side) ** 2:.0f} times fewer pixels and "
        f'would be much cheaper: say image_size "{side}" if yours are'
    )
    return replace(subject, warnings=(*subject.warnings, Caution(code="pictures_scaled_up", message=message)))


def _small_side(request: Request) -> int | None:
    """Return the longer side of a picture that is said to be so small that it is stored as it is taken."""
    if request.image_size is None:
        return None
    picture = picture_of(request.image_size)
    side = max(picture.width, picture.height)
    return side if picture.tokens is None and side <= SMALL else None


def _of_the_sets_size(data: ToldData, network: Transformer, side: int) -> ToldData:
    """Return `data` with pictures as large as those of the set that is named, where nobody said how large."""
    entry, request = data.entry, data.request
    if entry is None or request.image_size is not None or request.tokens_per_sample is not None:
        return data
    note = f"those of {entry.name}, which {network.name} is taken to see as they are: say 224 if they are scaled up"
    assumed = Assumption(name="image_size", value=f"{side}×{side}", source="inferred", note=note)
    return replace(data, request=replace(request, image_size=str(side)), assumed=(*data.assumed, assumed))


def _stem(network: Transformer) -> Assumption:
    note = (
        f"{network.name} as it is trained on pictures of up to {SMALL} pixels, 3×3 and without pooling; ImageNet's "
        "leaves a sixteenth of the positions: where yours has it, give its config.json as hf_config"
    )
    return Assumption(name="stem", value="of small pictures", source="inferred", note=note)
