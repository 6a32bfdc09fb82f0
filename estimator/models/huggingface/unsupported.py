"""Architectures that are known and are not decoder-only transformers of equal layers."""

from collections.abc import Mapping

__all__ = ["UNSUPPORTED", "UNSUPPORTED_MARKS"]

# One name a line would hide the six kinds behind two screens.
# fmt: off
_KINDS = {
    "a state-space or hybrid model": (
        "nemotron_nas", "retnet",
    ),
    "an encoder-decoder": (
        "bart", "bigbird_pegasus", "blenderbot", "encoder-decoder", "florence2", "led", "longt5", "m2m_100",
        "marian", "mbart", "moonshine", "mt5", "nllb-moe", "pegasus", "prophetnet", "seamless_m4t",
        "speech_to_text", "switch_transformers", "t5", "t5gemma", "umt5", "vision-encoder-decoder", "vits",
        "whisper",
    ),
    "an encoder": (
        "albert", "bert", "big_bird", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "esm",
        "hubert", "longformer", "modernbert", "mpnet", "nomic_bert", "roberta", "roformer", "wav2vec2", "wavlm",
        "xlm", "xlm-roberta", "xlm-roberta-xl", "xlnet",
    ),
    "a vision model": (
        "beit", "clip", "clip_text_model", "clip_vision_model", "convnext", "convnextv2", "deit", "detr", "dinov2",
        "dinov3_vit", "efficientnet", "mobilenet_v2", "resnet", "sam", "segformer", "siglip", "siglip2",
        "siglip_vision_model", "swin", "swinv2", "vit", "vit_mae", "yolos",
    ),
    "a decoder with cross-attention": (
        "idefics", "mllama", "mllama_text_model", "musicgen", "musicgen_decoder", "trocr",
    ),
    "a model with learned sparse attention": (
        "deepseek_v32", "glm_moe_dsa",
    ),
    "a model whose layers differ in width": (
        "deci", "gemma3n", "gemma3n_text", "gemma4", "openelm",
    ),
    "a diffusion model": (
        "AuraFlowTransformer2DModel", "CogVideoXTransformer3DModel", "DiTTransformer2DModel",
        "FluxTransformer2DModel", "HunyuanVideoTransformer3DModel", "LTXVideoTransformer3DModel", "MMDiT",
        "PixArtTransformer2DModel", "QwenImageTransformer2DModel", "SD3Transformer2DModel",
        "SanaTransformer2DModel", "Transformer2DModel", "UNet2DConditionModel", "UNet2DModel",
        "WanTransformer3DModel", "dream", "Dream", "llada",
    ),
}
# fmt: on
UNSUPPORTED: Mapping[str, str] = {name: kind for kind, names in _KINDS.items() for name in names}
"""What each is, by `model_type` (or the class name that diffusers writes)."""
UNSUPPORTED_MARKS: Mapping[str, str] = {
    "_diffusers_version": "a diffusion model",
}
"""What a configuration is that has such a key, whatever else it says."""
