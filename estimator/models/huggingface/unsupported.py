"""Architectures that are known and are not decoder-only transformers of equal layers."""

from collections.abc import Mapping

__all__ = ["UNSUPPORTED", "UNSUPPORTED_MARKS"]

# One name a line would hide the six kinds behind two screens.
# fmt: off
_KINDS = {
    "a state-space or hybrid model": (
        "retnet",
    ),
    "an encoder-decoder": (
        "bigbird_pegasus", "encoder-decoder", "moonshine", "prophetnet", "seamless_m4t",
        "speech_to_text", "t5gemma2", "vits",
    ),
    "an encoder": (
        "squeezebert", "xlm",
    ),
    "a vision model": (
        "clip_text_model", "mobilenet_v1",
    ),
    "a decoder with cross-attention": (
        "idefics", "mllama_text_model", "trocr",
    ),
    "a diffusion model": (
        "AutoencoderKL", "MMDiT", "StableCascadeUNet", "UNet3DConditionModel",
        "UNetSpatioTemporalConditionModel", "dream", "Dream", "llada",
    ),
}
# fmt: on
UNSUPPORTED: Mapping[str, str] = {name: kind for kind, names in _KINDS.items() for name in names}
"""What each is, by `model_type` (or the class name that diffusers writes)."""
UNSUPPORTED_MARKS: Mapping[str, str] = {
    "_diffusers_version": "a diffusion model",
}
"""What a configuration is that has such a key, whatever else it says."""
