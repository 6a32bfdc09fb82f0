"""What a data loader has to read for a sample of pictures, clips or sounds."""

from estimator.base.units import MEGA
from estimator.models.media import SMALL, Media, Picture, Seen
from estimator.question.reads import NO_READS, Reads

__all__ = ["reads_of"]


def reads_of(media: Media, picture: Picture | None, one: Seen) -> Reads:
    """Return what has to be read for one picture or clip of the size that was said, which became `one`.

        pixels      stored · frames + positions · tubelet · (patch · compression)² / kept

    They are decoded as they are stored, and scaled to what the network takes. A size that was said may be the one that
    the network takes, of a picture that is stored as others are. Small ones are stored decoded.
    """
    if media.kind == "sound":
        return Reads(numbers=one.positions * media.features) if media.features else NO_READS
    width, height = media.usual if media.kind == "image" else (media.width, media.height)
    stored, frames = width * height, media.frames
    small = max(width, height) <= SMALL
    if picture is not None and picture.tokens is None:
        stored, frames = stored if small else max(stored, picture.width * picture.height), picture.frames
    taken = one.positions * media.tubelet * (media.patch * media.compression) ** 2 / media.kept
    arrays = frames if small else 0
    return Reads(pictures=frames, arrays=arrays, megapixels=(stored * frames + taken) / MEGA)
