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
        "bigbird_pegasus", "encoder-decoder", "florence2", "led", "longt5",
        "moonshine", "nllb-moe", "prophetnet", "seamless_m4t",
        "speech_to_text", "switch_transformers", "t5gemma", "vision-encoder-decoder", "vits",
    ),
    "an encoder": (
        "ernie", "roformer", "xlm", "xlnet",
    ),
    "a vision model": (
        "clip_text_model", "detr", "efficientnet", "mobilenet_v2", "yolos",
    ),
    "a decoder with cross-attention": (
        "idefics", "mllama_text_model", "musicgen", "musicgen_decoder", "trocr",
    ),
    "a diffusion model": (
        "AutoencoderKL", "HiDreamImageTransformer2DModel", "MMDiT", "StableCascadeUNet", "UNet3DConditionModel",
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
