"""Towers of pictures and sounds: how much they do for each token of a sample, and which of them learn."""

from dataclasses import dataclass, replace

from estimator.models.diffusion.sample import pixels_of, with_positions
from estimator.models.media import Media, Picture, Seen, seen
from estimator.models.mixers.cross import CrossAttention
from estimator.models.mixers.mixer import Mixer
from estimator.models.training import WITH_ADAPTERS, MethodName
from estimator.models.transformer import Tower, Transformer

__all__ = [
    "MEDIA_TOWERS",
    "Sample",
    "pretraining_ratio",
    "text_ratio",
    "usual_parts",
    "with_sample",
    "with_text_ratio",
    "with_trained_parts",
]

MEDIA_TOWERS = frozenset({"audio", "projector", "vision"})
"""Towers that read pictures and sounds."""
_ENCODERS = frozenset({"audio", "vision"})
_TEXT_TOWERS = frozenset({"decoder", "text"})
"""Towers whose positions are text beside pictures or sounds that the main stack reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample of pictures (or sounds) and text, and the network as it sees one."""

    transformer: Transformer
    """With its towers at the rates of such a sample."""
    tokens: float
    """Positions of the main sequence that the sample becomes."""
    media_tokens: float
    """Those of them that are pictures or sounds."""
    one: Seen
    """One picture, clip or sound."""


def with_sample(transformer: Transformer, media: Media, picture: Picture | None, count: float, text: float) -> Sample:
    """Return `transformer` as it sees samples of `count` pictures and `text` tokens of text.

        main stack reads text and pictures      tokens = text + count · tokens of a picture
        a tower's rate                          count · its positions / tokens

    Where the main stack itself reads pictures or sounds, a sample's tokens are their positions, and towers of text
    have `text` of their own. Towers without anything to read have a rate of 0, and are idle.
    """
    one = seen(media, picture)
    if media.main:
        towers = tuple(
            with_text_ratio(tower, text / one.tokens) if tower.name in _TEXT_TOWERS else tower
            for tower in transformer.towers
        )
        tokens = one.tokens * count
        network = with_positions(replace(transformer, towers=towers), one.tokens, pixels_of(media, picture))
        return Sample(transformer=network, tokens=tokens, media_tokens=tokens, one=one)
    media_tokens = count * one.tokens
    tokens = text + media_tokens
    encoder = "audio" if media.kind == "sound" else "vision"
    rates = {encoder: count * one.positions / tokens, "projector": count * one.projected / tokens}
    lengths = {encoder: one.length, "projector": one.projected / one.sequences}
    towers = tuple(
        replace(tower, rate=rates.get(tower.name, 0.0), length=lengths.get(tower.name, 0.0))
        if tower.name in MEDIA_TOWERS
        else tower
        for tower in transformer.towers
    )
    mixers = tuple(_looking(mixer, count * one.projected, tokens) for mixer in transformer.mixers)
    network = replace(transformer, towers=towers, mixers=mixers)
    return Sample(transformer=network, tokens=tokens, media_tokens=media_tokens, one=one)


def _looking(mixer: Mixer, keys: float, tokens: float) -> Mixer:
    """Return a mixer of the main stack with what it sees of pictures."""
    if isinstance(mixer, CrossAttention) and mixer.pictures:
        return replace(mixer, keys=keys, source_rate=keys / tokens)
    return mixer


def with_text_ratio(tower: Tower, ratio: float) -> Tower:
    """Return a decoder (or tower of text) with `ratio` positions for each token of the main sequence."""
    mixers = tuple(
        mixer.looking(ratio) if isinstance(mixer, CrossAttention) and not mixer.pictures else mixer
        for mixer in tower.network.mixers
    )
    return replace(tower, rate=ratio, network=replace(tower.network, mixers=mixers))


def text_ratio(transformer: Transformer) -> float | None:
    """Return the target tokens for each source token of an encoder–decoder; None of any other network."""
    return next((tower.rate for tower in transformer.towers if tower.name == "decoder"), None)


def pretraining_ratio(transformer: Transformer) -> float:
    """Return the target tokens for each source token in pre-training; as in what it is made for where none is known."""
    towers = [tower for tower in transformer.towers if tower.name == "decoder"]
    return next((tower.pretraining_rate or tower.rate for tower in towers), 0.0)


def usual_parts(method: MethodName, *, small_set: bool) -> frozenset[str]:
    """Return which parts of a network with towers usually learn: `vision` (and `audio`), `projector`, `language`.

    Encoders are frozen under adapters, and where a set of samples is trained on: LLaVA 1.5 and Qwen2-VL's recipes
    freeze them, as LLaMA-Factory (`freeze_vision_tower`) and ms-swift (`freeze_vit`) do unless told. Under adapters
    the projector is frozen too, as both have it; LLaVA trains it. Long training trains everything.
    """
    if method in WITH_ADAPTERS:
        return frozenset({"language"})
    if method == "frozen" or small_set:
        return frozenset({"language", "projector"})
    return frozenset({"language", "projector", "vision"})


def with_trained_parts(transformer: Transformer, parts: frozenset[str]) -> Transformer:
    """Return `transformer` with the towers that learn by the names of `usual_parts`; `all` names each.

    Whether the main stack (`language`) learns is the method's to say, and left as it is.
    """
    everything = "all" in parts

    def learns(tower: Tower) -> bool:
        name = "vision" if tower.name in _ENCODERS and tower.name not in parts else tower.name
        return everything or name in parts

    towers = tuple(
        replace(tower, trained=learns(tower)) if tower.name in MEDIA_TOWERS else tower for tower in transformer.towers
    )
    return replace(transformer, towers=towers)
