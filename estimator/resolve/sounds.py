"""Sounds as people count them: hours of speech, sets of utterances, clips of so many seconds."""

import re
from dataclasses import dataclass, replace

from estimator.base.inputs import checked_number
from estimator.base.prior import Prior
from estimator.base.units import HOUR_S, format_count, parse_count
from estimator.catalogue import catalogue
from estimator.catalogue.datasets import DatasetEntry
from estimator.models.media import Media
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption, Caution
from estimator.question.request import Request
from estimator.resolve.data import EXACT, ToldData, data_for
from estimator.resolve.named_data import named_data
from estimator.resolve.spoken_tokens import SpokenTokens, spoken_tokens

__all__ = ["CLIP_S", "ToldSounds", "data_of_network", "seconds_of", "told_sounds"]

CLIP_S = Prior(
    low=4.3,
    mode=8.0,
    high=15.6,
    why="Mean seconds of a clip of speech where nobody says: GigaSpeech and AISHELL-1 have 4.3 to 4.5, Common Voice "
    "and TED-LIUM about 6, LibriSpeech and VoxPopuli 11 to 12; pre-training crops at 15.6 (wav2vec 2.0, HuBERT)",
)
_UNLIKE = Prior(
    low=1.0,
    mode=1.0,
    high=1.5,
    why="A micro-batch's longest over its mean sound: trainers of speech put those of like length together (fairseq, "
    "ESPnet, NeMo; `group_by_length` in Transformers' scripts); eight at random of a usual set have half as long again",
)
_LONGEST_S = 86_400.0
_HOURS = re.compile(
    r"(?P<count>[\d.,]{1,15}\s?[kmb]?)\s*(?:h|hrs?|hours?)(?:\s+of)?(?:\s+(?P<of>\S.{0,60}))?", re.IGNORECASE
)
_ANY = frozenset(
    {
        *("audio", "audiobooks", "calls", "clips", "podcasts", "recordings", "sound", "sounds", "speech", "utterances"),
        *("voice", "conversations", "broadcasts", "lectures"),
    }
)
"""What hours are said to be of where no set is named, whatever is said of it before: `German call-centre speech`."""
_LENGTH = re.compile(
    r"(?:mean\s+|about\s+|~\s*)?(\d{1,6}(?:\.\d{1,6})?)\s*(?:s|secs?|seconds?)(?:\s+(?:of\s+\w{1,20}|clips?|each))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSounds:
    """A request with its sounds counted one by one, and what was assumed of how long they are."""

    request: Request
    factors: Prior = EXACT
    """How far what is trained on may be another amount."""
    understood: tuple[Assumption, ...] = ()
    """What its sounds become, where that is no length of theirs."""
    assumed: tuple[Assumption, ...] = ()
    cautions: tuple[Caution, ...] = ()

    def of(self, data: ToldData) -> ToldData:
        """Return `data`, read of this request, with what was assumed."""
        return replace(
            data,
            low_factor=data.low_factor * self.factors.low,
            high_factor=data.high_factor * self.factors.high,
            assumptions=(*data.assumptions, *self.understood),
            assumed=(*data.assumed, *self.assumed),
            cautions=(*data.cautions, *self.cautions),
        )


def data_of_network(request: Request, network: Transformer | None, sequences: int) -> ToldData:
    """Return the data of `request` in numbers, its sounds counted one by one where `network` reads sounds.

    It is trained on so many `sequences` a sample.

    Raises as `told_data` does.
    """
    sounds = told_sounds(request, network)
    return sounds.of(data_for(sounds.request, network, sequences))


def seconds_of(given: object) -> float | None:
    """Return the seconds that `12 s` says; None for what says none."""
    match = _LENGTH.fullmatch(str(given).strip())
    return None if match is None else checked_number("image_size", float(match[1]), most=_LONGEST_S)


def told_sounds(request: Request, network: Transformer | None) -> ToldSounds:
    """Return `request` with hours, and sets of sounds, as so many clips of so many seconds.

    A clip is as long as was said, as those of the set that is named, or as a usual one; where a model pads each to
    one length, hours of no set are taken to be cut into pieces of it, and the range holds shorter ones.
    """
    media = None if network is None else network.media
    if media is None:
        spoken = spoken_tokens(request)
        return ToldSounds(request=request) if spoken is None else _of_tokens(request, spoken)
    if media.kind != "sound" or not media.seconds:
        return ToldSounds(request=request)
    request = _with_length_in_place(request)
    told = _told_hours(request)
    if told is not None:
        return _of_hours(request, media, *told)
    entry = _named_set(request)
    if request.image_size is not None or (entry is None and _is_fixed(media)):
        return ToldSounds(request=request)
    return _of_clips(request, media, entry)


def _told_hours(request: Request) -> tuple[float, DatasetEntry | None, str] | None:
    """Return the hours of sound that are told, the set that they are of, and the argument; None where none are."""
    for argument in ("samples", "tokens"):
        match = _HOURS.fullmatch(str(getattr(request, argument) or "").strip())
        of = match["of"] if match else None
        entry = None if of is None else _set_of_sounds(of)
        if match and (of is None or _of_any(of) or entry is not None):
            return parse_count(match["count"], "samples"), entry, argument
    return None


def _of_tokens(request: Request, spoken: SpokenTokens) -> ToldSounds:
    """Return sounds as samples of the tokens that they become, a clip each; what is told in tokens stays as it is."""
    request = _with_length_in_place(request)
    hours, entry, argument = _told_hours(request) or (None, _named_set(request), "samples")
    length_s = None if request.image_size is None else seconds_of(request.image_size)
    if hours is None and entry is None and length_s is None:
        return ToldSounds(request=request)
    clip_s = length_s or _clip_s(entry) or CLIP_S.mode
    if hours is None and entry is not None and entry.samples is None:
        hours = entry.hours
    samples = request.samples if hours is None else hours * HOUR_S / clip_s
    note = f"tokens of each second, {spoken.note}; clips of {clip_s:.3g} s"
    return ToldSounds(
        request=replace(
            request,
            tokens=None if hours is not None and argument == "tokens" else request.tokens,
            samples=samples,
            tokens_per_sample=request.tokens_per_sample or clip_s * spoken.a_second,
            image_size=None if length_s else request.image_size,
        ),
        understood=(Assumption(name="sound_tokens", value=spoken.a_second, source="inferred", note=note),),
    )


def _is_fixed(media: Media) -> bool:
    return media.policy == "fixed"


def _with_length_in_place(request: Request) -> Request:
    """Return `request` with seconds told as the length of a sample where a clip's size belongs."""
    given = request.tokens_per_sample
    if given is None or request.image_size is not None or seconds_of(given) is None:
        return request
    return replace(request, image_size=str(given), tokens_per_sample=None)


def _of_any(said: str) -> bool:
    words = re.findall(r"[^\W\d_]+", said.casefold())
    return bool(words) and (words[-1] in _ANY or ("audio" in words or "speech" in words))


def _set_of_sounds(name: str) -> DatasetEntry | None:
    found = catalogue.found_dataset(name)
    return found.value if found is not None and found.value.kind == "audio" else None


def _named_set(request: Request) -> DatasetEntry | None:
    """Return the set of sounds that `request` names, if it is known how long they are together."""
    named = named_data(request.samples, "samples")
    return named.entry if named is not None and named.entry.hours else None


def _clip_s(entry: DatasetEntry | None) -> float | None:
    """Return the seconds of a set's mean clip; None where nobody counted them."""
    if entry is None or not entry.hours or not entry.samples:
        return None
    return entry.hours * HOUR_S / entry.samples


def _of_hours(request: Request, media: Media, hours: float, entry: DatasetEntry | None, argument: str) -> ToldSounds:
    """Return hours as clips; a model that takes sounds as they are works on as much of them, however they are cut."""
    told, own = seconds_of(request.image_size), _clip_s(entry)
    usual = media.seconds if _is_fixed(media) else CLIP_S.mode
    clip_s = told or own or usual
    clips = hours * HOUR_S / clip_s
    counted = replace(request, tokens=None if argument == "tokens" else request.tokens, samples=clips)
    if _is_fixed(media):
        unsaid = told is None and own is None
        return ToldSounds(
            request=counted,
            factors=replace(EXACT, high=max(1.0, usual / CLIP_S.mode)) if unsaid else EXACT,
            cautions=(_padded_caution(media),) if unsaid else (),
        )
    if request.image_size is not None:
        return ToldSounds(request=counted)
    whose = f"mean of {entry.name}" if entry and own else "usual of speech"
    return ToldSounds(
        request=replace(counted, image_size=f"{clip_s:.4g} s"),
        factors=_UNLIKE,
        assumed=(_clip(clip_s, f"{whose}, {format_count(clips)} clips in {hours:,.0f} hours"),),
    )


def _of_clips(request: Request, media: Media, entry: DatasetEntry | None) -> ToldSounds:
    """Return a number of clips, or a set, of sounds that nobody told the length of."""
    own = _clip_s(entry)
    if entry is not None and own is None:
        # Hours that nobody cut: as many clips as usual ones make of them.
        named = named_data(request.samples, "samples")
        passes = request.epochs if named is None or named.passes is None else named.passes
        return _of_hours(replace(request, epochs=passes), media, entry.hours or 0.0, None, "samples")
    if _is_fixed(media):
        return ToldSounds(request=request)
    if own is not None and entry is not None:
        clip = _clip(own, f"mean of {entry.name}: {entry.hours:,.0f} hours in {format_count(entry.samples or 0.0)}")
        return ToldSounds(request=replace(request, image_size=f"{own:.4g} s"), factors=_UNLIKE, assumed=(clip,))
    low, mode, high = CLIP_S.low, CLIP_S.mode, CLIP_S.high
    message = (
        f"nobody told how long sounds are: {mode:g} s are assumed, where sets of speech have {low:g} to {high:g} on "
        'average; time is proportional to that: say "12 s" in image_size, or samples in hours'
    )
    return ToldSounds(
        request=replace(request, image_size=f"{mode:g} s"),
        factors=Prior(low=low / mode, mode=1.0, high=high / mode, why=CLIP_S.why),
        assumed=(_clip(mode, "usual of speech; say yours"),),
        cautions=(Caution(code="clip_length_assumed", message=message),),
    )


def _padded_caution(media: Media) -> Caution:
    each = f"{media.seconds:.3g} s"
    message = (
        f"the model pads every sound to {each}; hours are taken to be cut into pieces of that length, and clips of "
        f"{CLIP_S.mode:g} s would take {media.seconds / CLIP_S.mode:.2g} times as long: give the number of samples, or "
        f'"{CLIP_S.mode:g} s" in image_size'
    )
    return Caution(code="clips_padded", message=message, times=media.seconds / CLIP_S.mode)


def _clip(seconds: float, note: str) -> Assumption:
    return Assumption(name="image_size", value=f"{seconds:.3g} s", source="inferred", note=note)
