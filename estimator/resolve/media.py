"""What samples of pictures and sounds are: how many tokens they become, and which towers learn."""

from dataclasses import dataclass, replace

from estimator.base.errors import InvalidValueError
from estimator.base.inputs import checked_number
from estimator.base.units import MEGA, parse_count
from estimator.models.diffusion.sample import is_placed, met_parameters, pixels_of
from estimator.models.masked import predicts_masked
from estimator.models.media import Media, Picture, picture_of, seen
from estimator.models.towers import (
    MEDIA_TOWERS,
    Sample,
    usual_parts,
    with_sample,
    with_trained_parts,
)
from estimator.models.transformer import Transformer
from estimator.physics.stacks import LARGE_CLUSTER
from estimator.question.cluster import Accelerator
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.question import Assumption, SourceKind
from estimator.question.reads import NO_READS, Reads
from estimator.question.request import Request
from estimator.resolve.conditioners import conditioned, told_text
from estimator.resolve.data import ToldData
from estimator.resolve.framework.software import AUTO
from estimator.resolve.objective import OF_MASKED, asked_objective
from estimator.resolve.packing import is_from_scratch, is_small_set
from estimator.resolve.picture_text import PictureText
from estimator.resolve.reads import reads_of
from estimator.resolve.sample_lengths import SampleLengths
from estimator.resolve.self_supervised import asked_views, read_in_views, whole_view
from estimator.resolve.sounds import seconds_of
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = [
    "GENERAL",
    "MediaUse",
    "in_padded_rows",
    "media_use",
    "stack_for_encoders",
    "usual_trainer",
    "with_media",
    "with_usual_parts",
]

GENERAL = "huggingface"
"""The trainer of what is nearly always trained with it."""

_OF_THEIR_OWN = frozenset({"apple", "tpu", "trainium"})
"""Families of chips that are hardly trained on with Hugging Face's trainer."""

_FUSED_ATTENTION = 2022
"""Year from which whoever trains an encoder anew has kernels for it (Dao et al. 2022)."""
_MOST_PICTURES = 1e6
_THINGS = {"image": "pictures", "clip": "clips", "sound": "sounds"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUse:
    """A request and its model, with what samples hold beside text told in tokens."""

    request: Request
    subject: Subject
    fixed_tokens: float = 0.0
    """Tokens of a sample that are pictures or sounds: the same in each."""
    picture: Picture | None = None
    """What towers read of a sample, where that was said: one of its pictures …"""
    count: float = 0.0
    """… and how many they are; 0 where no tower reads any."""
    reads: Reads = NO_READS
    """What of a sample has to be read and decoded."""
    sample_tokens: float = 1.0
    """Positions that it becomes."""
    whole_rows: bool = False
    """Whether every sample is one row of equal length, so that nothing is packed or padded."""
    encodes: bool = False
    """Whether samples are texts of an encoder, which are padded by habit, and many at a time."""
    assumptions: tuple[Assumption, ...] = ()


def usual_trainer(
    stack: str, network: Transformer | None, chip: Accelerator | None, n_gpus: int, request: Request
) -> str:
    """Return the stack of a run where none is named: Hugging Face's for what is nearly always trained with it.

    Encoders, encoder–decoders, and sets of samples, pictures or sounds; a ViT in plain PyTorch, as timm and DINO do.
    Encoders of text that are trained from scratch on chips of today have code made for that, which packs and fuses as
    Composer's does (MosaicBERT, ModernBERT); on older ones as many were trained by Transformers' models.
    Of text on chips that have a stack of their own, theirs; and none is usual on a cluster.
    """
    if stack != "auto" or network is None:
        return stack
    media = network.media
    if media is not None and media.main and media.kind != "sound" and network.vocab == 0:
        return "pytorch"
    tuned = n_gpus >= LARGE_CLUSTER or (chip is not None and chip.family in _OF_THEIR_OWN)
    small_set = is_small_set(request)
    if (
        is_from_scratch(request)
        and predicts_masked(network)
        and asked_objective(request, AUTO).objective.name in OF_MASKED
    ):
        return stack_for_encoders(chip)
    if not network.causal or (small_set and (media is not None or not tuned)):
        return GENERAL
    return stack


def stack_for_encoders(chip: Accelerator | None) -> str:
    """Return the stack that most train an encoder of text on from scratch, on chips of that kind.

    Code that is made for it where a chip is no older than fused attention, and has no stack of its own.
    """
    of_today = chip is not None and chip.year >= _FUSED_ATTENTION and chip.family not in _OF_THEIR_OWN
    return "llm-foundry" if of_today else GENERAL


def media_use(
    request: Request, subject: Subject, practice: Practice = NOTHING_SAID, beside: PictureText | None = None
) -> MediaUse:
    """Return `request` and its model with what samples of pictures and sounds amount to.

    tokens_per_sample counts text; those of pictures are added. Where nobody says, it is what stands `beside` them, or
    as much as is usual of the model. Where the model itself reads pictures or sounds (a ViT, Whisper), they are all of
    a sample, and it need not be told.
    Raises InvalidValueError where pictures are told of a model that reads none.
    """
    network = subject.transformer
    if network is None:
        return MediaUse(request=request, subject=subject)
    media = network.media
    if media is None:
        for name in ("image_size", "images_per_sample"):
            given = getattr(request, name)
            if given is not None and not (name == "images_per_sample" and str(given).strip() == "0"):
                raise InvalidValueError(name, given, f"has no meaning: {subject.name} reads no pictures; leave it out")
        return _without_media(request, subject, network)
    picture = _told_size(request, media)
    if media.main:
        return _read_by_itself(request, subject, (network, media), picture, practice)
    usual = beside or PictureText(tokens=float(media.usual_text), note="beside each sample's pictures")
    return _read_by_towers(request, subject, (network, media), picture, usual)


def _without_media(request: Request, subject: Subject, network: Transformer) -> MediaUse:
    """Return a request about text; encoders' samples are padded by habit, for their positions are few and learned."""
    return MediaUse(request=request, subject=subject, encodes=not network.causal)


def _read_by_itself(
    request: Request,
    subject: Subject,
    model: tuple[Transformer, Media],
    picture: Picture | None,
    practice: Practice,
) -> MediaUse:
    """Return the use of a model whose main stack reads pictures or sounds: a sample is what one of them becomes."""
    network, media = model
    count, source = _count(request, media)
    if count == 0:
        raise InvalidValueError("images_per_sample", 0, f"must be 1 or more: {subject.name} reads nothing else")
    if picture is None and request.tokens_per_sample is not None:
        told = parse_count(request.tokens_per_sample, "tokens_per_sample")
        picture = Picture(width=0, height=0, tokens=told)
    viewed = whole_view(request, media)
    picture = picture or viewed
    text = media.usual_text * media.share_of(picture)
    network, prompt = told_text(network, request, seen(media, picture).tokens, sized=picture is not None)
    sample = with_sample(network, media, picture, 1.0, text)
    network, encoders = conditioned(sample.transformer, practice)
    length = max(1, round(sample.one.tokens))
    samples = request.samples
    if samples is not None:
        samples = parse_count(samples, "samples") * count
    resolved = replace(
        request,
        samples=samples,
        tokens_per_sample=None if samples is None else length,
        sequence_length=length,
        packing="packed",
    )
    return MediaUse(
        request=resolved,
        subject=_met(subject, network),
        reads=(
            NO_READS
            if _is_at_hand(request, media, practice)
            else _read(request, media, picture, sample, apart=bool(practice.stores_frames))
        ),
        sample_tokens=length,
        whole_rows=True,
        assumptions=(
            _size(media, picture, sample, ("position", "of the model"), viewed=viewed is not None),
            *_pictures(media, count, source, many=count != 1),
            *_beside(sample.transformer, text),
            *prompt,
            *encoders,
        ),
    )


def _read(request: Request, media: Media, picture: Picture | None, sample: Sample, *, apart: bool) -> Reads:
    """Return what is read of a picture or sound, each view of it where several are trained on."""
    reads, views = reads_of(media, picture, sample.one, apart=apart), asked_views(request)
    return reads if views is None else read_in_views(reads, views, pixels_of(media, picture) / MEGA)


def _is_at_hand(request: Request, media: Media, practice: Practice) -> bool:
    """Return whether nothing has to be read for a sample, as far as its time is known.

    Sounds that are classified are decoded as they are read (`run_audio_classification.py`), which takes a tenth.
    """
    decoded = media.kind == "sound" and asked_objective(request, AUTO).objective.name == "classification"
    return bool(practice.caches_latents or practice.made_up_samples) or decoded


def _met(subject: Subject, network: Transformer) -> Subject:
    """Return the subject with its network at this size, and the parameters that a position of it meets."""
    if not is_placed(network):
        return replace(subject, transformer=network)
    return replace(subject, transformer=network, active_parameters=met_parameters(network))


def _read_by_towers(
    request: Request,
    subject: Subject,
    model: tuple[Transformer, Media],
    picture: Picture | None,
    usual: PictureText,
) -> MediaUse:
    """Return the use of a language model with towers: a sample is text and what pictures become in it."""
    network, media = model
    count, source = _count(request, media)
    if request.images_per_sample is None and picture is not None and not count:
        count = 1.0
    given = request.tokens_per_sample
    text = usual.tokens if given is None else parse_count(given, "tokens_per_sample")
    sample = with_sample(network, media, picture, count, text)
    told = [_pictures(media, count, source, many=True)[0]]
    if count:
        told.append(_size(media, picture, sample, ("token", "of the sequence")))
        if given is None:
            note = f"{usual.note}; say tokens_per_sample, which counts text alone"
            told.append(Assumption(name="text_tokens", value=text, unit="tokens", source="default", note=note))
        else:
            note = f"{text:,.0f} of text and {sample.media_tokens:,.0f} of pictures or sounds"
            told.append(
                Assumption(name="sample_tokens", value=sample.tokens, unit="tokens", source="inferred", note=note)
            )
    resolved = request
    if _counts_samples(request) and (given is not None or count):
        resolved = replace(request, tokens_per_sample=sample.tokens)
    return MediaUse(
        request=resolved,
        subject=replace(subject, transformer=sample.transformer),
        fixed_tokens=sample.media_tokens,
        picture=picture,
        count=count,
        reads=reads_of(media, picture, sample.one).times(count),
        sample_tokens=sample.tokens,
        assumptions=tuple(told),
    )


def _counts_samples(request: Request) -> bool:
    """Return whether the amount is one of samples: by number, or as steps whose batches hold them.

    Of steps whose rows are said to be full, or padded to a length that is said, that length tells the amount.
    """
    if request.samples is not None:
        return True
    full = request.packing == "packed" or (request.packing == "padded" and request.sequence_length is not None)
    return request.steps is not None and request.tokens is None and not full


def with_usual_parts(use: MediaUse, request: Request) -> MediaUse:
    """Return `use` with the towers learning that usually do where `request`, its amount counted, names no parts.

    Raises as `asked_method` does.
    """
    network = use.subject.transformer
    if network is None or network.media is None or network.media.main or request.trained_layers is not None:
        return use
    parts = usual_parts(asked_method(request), small_set=is_small_set(request))
    return replace(
        use,
        subject=replace(use.subject, transformer=with_trained_parts(network, parts)),
        assumptions=(*use.assumptions, _trained(network, parts, idle=not use.count)),
    )


def _told_size(request: Request, media: Media) -> Picture | None:
    """Return how large a picture is said to be; None where nothing is said."""
    given = request.image_size
    if given is None:
        return None
    seconds = seconds_of(given) if media.kind == "sound" and media.seconds else None
    if seconds is not None:
        return Picture(width=0, height=0, seconds=seconds)
    return picture_of(given)


def in_padded_rows(network: Transformer, use: MediaUse, length: int) -> Transformer:
    """Return `network` as it sees rows of `length` positions that are a sample each.

    What a row is padded with is text: its towers read the pictures of one sample, however long it is.
    """
    if network.media is None or not use.count:
        return network
    return with_sample(network, network.media, use.picture, use.count, length - use.fixed_tokens).transformer


def _count(request: Request, media: Media) -> tuple[float, SourceKind]:
    """Return the pictures (or sounds) of a sample, and who says so."""
    given = request.images_per_sample
    if given is None:
        return float(media.usual_count), "default"
    text = str(given).strip()
    if text in {"0", "0.0"}:
        return 0.0, "user"
    return checked_number("images_per_sample", parse_count(given, "images_per_sample"), most=_MOST_PICTURES), "user"


def _size(
    media: Media, picture: Picture | None, sample: Sample, becomes: tuple[str, str], *, viewed: bool = False
) -> Assumption:
    """Return how large a picture is taken to be, and what it `becomes`: what is counted, and of what.

    `viewed`: whether the method that it is trained by tells the size.
    """
    one, (unit, whole) = sample.one, becomes
    usual = media.usual if media.policy in {"native", "tiled"} and not media.main else (media.width, media.height)
    if picture is not None:
        words = picture.words
    elif usual[0]:
        words = f"{usual[0]}×{usual[1]}"
    else:
        words = f"{media.seconds:.3g} s" if media.seconds else f"{one.tokens:,.0f} tokens"
    note = f"{one.tokens:,.0f} {unit if one.tokens == 1 else f'{unit}s'} {whole}"
    if not media.main:
        several = f", in {one.sequences:,.0f} sequences" if one.sequences > 1 else ""
        note += f"; {one.positions:,.0f} positions of the encoder{several}"
    if media.policy == "fixed" and picture is not None and media.width:
        note += f"; every picture is scaled to {media.width}×{media.height}"
    if media.policy == "fixed" and picture is not None and picture.seconds:
        note += f"; every sound is padded, or cut, to {media.seconds:.3g} s"
    if viewed:
        own = "" if words == f"{usual[0]}×{usual[1]}" else f"; the model's own is {usual[0]}×{usual[1]}, by image_size"
        note += f"; as large as the method's whole views{own}"
    source: SourceKind = "inferred" if viewed else "default" if picture is None else "user"
    return Assumption(name="image_size", value=words, source=source, note=note)


def _pictures(media: Media, count: float, source: SourceKind, *, many: bool) -> tuple[Assumption, ...]:
    """Return how many pictures a sample has."""
    if not many:
        return ()
    note = "" if count else "text alone: the towers are idle; say images_per_sample where there are pictures"
    unit = _THINGS[media.kind]
    return (Assumption(name="images_per_sample", value=count, unit=unit, source=source, note=note),)


def _beside(network: Transformer, text: float) -> tuple[Assumption, ...]:
    """Return the text beside what the main stack reads, where a tower reads any."""
    names = [tower.name for tower in network.towers if tower.name not in MEDIA_TOWERS]
    if not names or not text:
        return ()
    note = f"of each sample, in the {names[0]}"
    return (Assumption(name="text_tokens", value=text, unit="tokens", source="default", note=note),)


def _trained(network: Transformer, parts: frozenset[str], *, idle: bool) -> Assumption:
    """Return which parts learn."""
    names = [tower.name for tower in network.towers if tower.name in MEDIA_TOWERS]
    kept = sorted(name for name in names if name not in parts and not (name == "audio" and "vision" in parts))
    value = ", ".join(sorted(parts))
    note = f"{' and '.join(kept)} frozen, as usual recipes have it" if kept and not idle else "everything learns"
    return Assumption(name="trained_parts", value=value, source="default", note="no towers run" if idle else note)


def with_media(data: ToldData, use: MediaUse) -> ToldData:
    """Return `data` with its samples as long as their pictures and sounds make them."""
    request = use.request
    if request is data.request:
        return data
    lengths = data.lengths
    if use.whole_rows:
        lengths = None if request.tokens_per_sample is None else SampleLengths(mean=float(request.tokens_per_sample))
    elif lengths is None and request.tokens_per_sample is not None:
        lengths = SampleLengths(mean=float(request.tokens_per_sample), fixed=use.fixed_tokens)
    elif lengths is not None:
        lengths = lengths.beside(use.fixed_tokens)
    return replace(data, request=request, lengths=lengths)
