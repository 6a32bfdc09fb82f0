"""What kind of network one is, as far as published runs of its kind tell of its speed."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from estimator.models.mixers.softmax import SoftmaxAttention
from estimator.models.transformer import Transformer
from estimator.models.workload import workload

__all__ = ["KIND_NAMES", "Kind", "kind_of", "measured_as"]

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
_AS_LARGE_AS_DECODERS = 1e9
"""Parameters from which on an encoder's step is one of decoders': those published are of 0.4 billion or less,
and what they are off by (launches, padding, short samples) is that of small products. A diffusion model of language or
an embedder of several billions is a decoder that attends both ways, whose layers are multiplied by the same kernels."""
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
    softmax = all(isinstance(mixer, SoftmaxAttention) for mixer in transformer.mixers)
    return "decoder" if softmax else "hybrid"


@lru_cache(maxsize=1024)
def measured_as(transformer: Transformer) -> Kind:
    """Return the kind whose published runs tell of the speed of a network."""
    kind = kind_of(transformer)
    large = kind == "encoder" and workload(transformer).parameters >= _AS_LARGE_AS_DECODERS
    return "decoder" if large else kind
