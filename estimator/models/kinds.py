"""What kind of network one is, as far as published runs of its kind tell of its speed."""

import math
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from estimator.models.mixers.indexed import CompressedAttention, Indexer
from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = ["KIND_NAMES", "Kind", "decoder_share", "detects", "kind_of", "measured_as"]

Kind = Literal["decoder", "hybrid", "vision_language", "audio", "encoder", "encoder_decoder", "vision", "diffusion"]
KIND_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "decoder": "decoder",
        "hybrid": "hybrid or state-space model",
        "vision_language": "vision-language model",
        "audio": "model of sound",
        "encoder": "encoder",
        "encoder_decoder": "encoder–decoder",
        "vision": "vision model",
        "diffusion": "diffusion model",
    }
)
"""How each is called."""
_AS_ENCODERS_TO, _AS_DECODERS_FROM = 4e8, 7e9
"""Parameters up to which encoders' runs alone tell of an encoder's step, and from which on decoders' alone do.

Those published are of 0.4 billion or less, and what they are off by (launches, padding, short samples) is that of small
products. A diffusion model of language or an embedder of 7 billion (LLaDA, E5-Mistral) is a decoder that attends both
ways, whose layers are multiplied by the same kernels. Between them nobody has measured: small products become large
ones gradually, with the log of size as what is left of launches and padding does."""
_MOSTLY = 0.5
_OF_SOFTMAX = (SoftmaxAttention, Indexer, CompressedAttention)
"""Mixers whose scores all go through a softmax, of all keys or of those that an indexer selects: around them is a
decoder like any other."""
_OF_MEDIA = frozenset({"vision", "projector"})


@lru_cache(maxsize=1024)
def kind_of(transformer: Transformer) -> Kind:
    """Return the kind of a network, read off its parts; towers that no sample runs do not count."""
    media = transformer.media
    towers = {tower.name for tower in transformer.towers if tower.rate > 0}
    if media is not None and media.main:
        return "diffusion" if media.compression > 1 else "audio" if media.kind == "sound" else "vision"
    if "audio" in towers and "vision" not in towers:
        return "audio"
    if towers & _OF_MEDIA:
        return "vision_language"
    if "decoder" in towers:
        return "encoder_decoder"
    if not transformer.causal:
        return "encoder"
    return "decoder" if all(isinstance(mixer, _OF_SOFTMAX) for mixer in transformer.mixers) else "hybrid"


@lru_cache(maxsize=1024)
def decoder_share(transformer: Transformer) -> float:
    """Return how far decoders' runs tell of the speed of a network, from 0 to 1; what is left, runs of its kind do.

    log(parameters / smallest) / log(largest / smallest)      of an encoder, held to 0 and 1
    """
    kind = kind_of(transformer)
    if kind != "encoder":
        return float(kind == "decoder")
    beyond = math.log(workload(transformer).parameters / _AS_ENCODERS_TO)
    return min(1.0, max(0.0, beyond / math.log(_AS_DECODERS_FROM / _AS_ENCODERS_TO)))


def measured_as(transformer: Transformer) -> Kind:
    """Return the kind whose published runs tell most of the speed of a network."""
    return "decoder" if decoder_share(transformer) >= _MOSTLY else kind_of(transformer)


def detects(transformer: Transformer) -> bool:
    """Return whether a network finds things in pictures that keep their own proportions; what reads pages writes."""
    media = transformer.media
    if media is None or kind_of(transformer) != "vision" or media.kind != "image" or media.width == media.height:
        return False
    return not transformer.vocab and not any(tower.network.vocab for tower in transformer.towers)
