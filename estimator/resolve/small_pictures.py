"""Sets of pictures of a few pixels, and the networks that people train on them as they do."""

from dataclasses import replace

from estimator.models.media import SMALL, picture_of
from estimator.models.small_pictures import with_small_stem
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.data import ToldData
from estimator.resolve.subject import Subject

__all__ = ["on_small_pictures"]


def on_small_pictures(data: ToldData, subject: Subject, told: Request) -> tuple[ToldData, Subject]:
    """Return the data and the model of `told` as people train on small pictures, where they are.

    They are stored as they are. A classifier of convolutions sees them so, with the stem that is made for them, unless
    a configuration was given; encoders with patches are trained on them scaled up, and take their own size.
    """
    network = subject.transformer
    media = None if network is None else network.media
    if network is None or media is None or media.kind != "image":
        return data, subject
    small = None if told.hf_config is not None else with_small_stem(network)
    own = data.entry.pixels if data.entry else None
    if own is not None and (small is not None or (media.main and media.width <= SMALL)):
        data = _of_the_sets_size(data, network, own)
    side = own or _small_side(data.request)
    if side is None:
        return data, subject
    if small is not None and _small_side(data.request) is not None:
        subject = replace(subject, assumptions=(*subject.assumptions, _stem(network)))
        network, media = small, small.media or media
    stored = replace(network, media=replace(media, usual=(side, side)))
    return data, replace(subject, transformer=stored)


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
