"""What a data loader has to read for a sample of pictures, clips or sounds."""

from estimator.base.prior import Prior
from estimator.base.units import MEGA
from estimator.models.media import SMALL, Media, Picture, Seen
from estimator.question.reads import NO_READS, Reads

__all__ = ["reads_of"]

_PASSED = Prior(
    low=60.0,
    mode=120.0,
    high=300.0,
    why="Frames from the key frame before a clip to its end, decoded in order: keys lie 12 to 250 apart, so that clips "
    "begin 6 to 125 behind one, and span 32 to 64 (SlowFast, VideoMAE) up to 256 frames (TimeSformer), or the whole "
    "ten seconds are decoded",
)


def reads_of(media: Media, picture: Picture | None, one: Seen, *, apart: bool = False) -> Reads:
    """Return what has to be read for one picture or clip of the size that was said, which became `one`.

        pixels      stored · frames + positions · tubelet · (patch · compression)² / kept

    A clip is one file of video, whose frames are decoded up to its end, those before and between them too; only as the
    network takes them are they pixels to be scaled. Kept `apart`, each of its frames is a picture.
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
    if media.kind == "clip" and frames > 1 and not (apart or small):
        return Reads(pictures=1.0, passed=_PASSED.mode, megapixels=taken / MEGA)
    return Reads(pictures=frames, arrays=arrays, megapixels=(stored * frames + taken) / MEGA)
