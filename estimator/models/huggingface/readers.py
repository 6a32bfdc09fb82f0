"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface import deberta, encoder_decoders, encoders, modern_bert, vision
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.reading import Config

__all__ = ["READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {
    **dict.fromkeys(encoder_decoders.BART_LIKE, encoder_decoders.bart_like),
    **dict.fromkeys(encoders.ENCODERS, encoders.encoder),
    "beit": vision.beit,
    "clip": vision.clip,
    "clip_vision_model": vision.clip,
    "deberta": deberta.deberta,
    "deberta-v2": deberta.deberta,
    "deit": vision.vit,
    "dinov2": vision.dinov2,
    "dinov2_with_registers": vision.dinov2,
    "dinov3_vit": vision.dinov3,
    "eurobert": modern_bert.eurobert,
    "ijepa": vision.vit,
    "modernbert": modern_bert.modern_bert,
    "mt5": encoder_decoders.t5,
    "siglip": vision.siglip,
    "siglip2": vision.siglip,
    "siglip2_vision_model": vision.siglip,
    "siglip_vision_model": vision.siglip,
    "t5": encoder_decoders.t5,
    "umt5": encoder_decoders.t5,
    "vit": vision.vit,
    "whisper": encoder_decoders.whisper,
}
"""Reader by `model_type`, or by the class name that diffusers writes."""
