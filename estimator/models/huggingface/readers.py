"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface import (
    deberta,
    encoder_decoders,
    encoders,
    modern_bert,
    multimodal,
    phi_multimodal,
    vision,
)
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.diffusion import clips, joint, lumina, plain, unet
from estimator.models.huggingface.hybrids.linear_attention import (
    bailing_hybrid,
    bailing_linear,
    kimi_linear,
    minimax,
    olmo_hybrid,
    xlstm,
)
from estimator.models.huggingface.hybrids.mamba_1_hybrids import jamba, zamba, zamba2
from estimator.models.huggingface.hybrids.mamba_hybrids import bamba, falcon_h1, granite_hybrid, nemotron_h
from estimator.models.huggingface.hybrids.qwen import qwen3_5_text, qwen3_next
from estimator.models.huggingface.hybrids.recurrences import recurrent_gemma, rwkv4, rwkv5, rwkv6, rwkv7
from estimator.models.huggingface.hybrids.short_convolutions import lfm2, lfm2_moe, lfm3
from estimator.models.huggingface.hybrids.state_spaces import falcon_mamba, mamba, mamba2, mamba_ssm
from estimator.models.huggingface.reading import Config

__all__ = ["MARKED", "READERS", "Reader"]

Reader = Callable[[Config], ConfiguredModel]

READERS: Mapping[str, Reader] = {
    "AuraFlowTransformer2DModel": joint.auraflow,
    "CogVideoXTransformer3DModel": clips.cogvideox,
    "CogView4Transformer2DModel": lumina.cogview4,
    "DiTTransformer2DModel": plain.dit,
    "Flux2Transformer2DModel": joint.flux2,
    "FluxTransformer2DModel": joint.flux,
    "HunyuanVideo15Transformer3DModel": clips.hunyuan_video_15,
    "HunyuanVideoTransformer3DModel": clips.hunyuan_video,
    "LTXVideoTransformer3DModel": clips.ltx,
    "Lumina2Transformer2DModel": lumina.lumina2,
    "MochiTransformer3DModel": clips.mochi,
    "PixArtTransformer2DModel": plain.pixart,
    "QwenImageTransformer2DModel": joint.qwen_image,
    "SD3Transformer2DModel": joint.sd3,
    "SanaTransformer2DModel": plain.sana,
    "Transformer2DModel": plain.transformer_2d,
    "UNet2DConditionModel": unet.unet,
    "UNet2DModel": unet.unet,
    "WanTransformer3DModel": clips.wan,
    "ZImageTransformer2DModel": lumina.z_image,
    **dict.fromkeys(encoder_decoders.BART_LIKE, encoder_decoders.bart_like),
    **dict.fromkeys(encoders.ENCODERS, encoders.encoder),
    "beit": vision.beit,
    "clip": vision.clip,
    "clip_vision_model": vision.clip,
    "cohere2_vision": multimodal.cohere_vision,
    "deberta": deberta.deberta,
    "deberta-v2": deberta.deberta,
    "deit": vision.vit,
    "dinov2": vision.dinov2,
    "dinov2_with_registers": vision.dinov2,
    "dinov3_vit": vision.dinov3,
    "eurobert": modern_bert.eurobert,
    "gemma3": multimodal.gemma3,
    "gemma4": multimodal.gemma4,
    "glm4v": multimodal.glm4v,
    "glm4v_moe": multimodal.glm4v,
    "idefics2": multimodal.idefics2,
    "idefics3": multimodal.idefics3,
    "ijepa": vision.vit,
    "internvl": multimodal.internvl,
    "internvl_chat": multimodal.internvl,
    "llava": multimodal.llava,
    "llava_next": multimodal.llava,
    "llava_onevision": multimodal.llava,
    "mistral3": multimodal.mistral3,
    "mllama": multimodal.mllama,
    "modernbert": modern_bert.modern_bert,
    "mt5": encoder_decoders.t5,
    "paligemma": multimodal.gemma3,
    "phi4_multimodal": phi_multimodal.phi4_multimodal,
    "qwen2_5_vl": multimodal.qwen_vl,
    "qwen2_audio": multimodal.sound_model,
    "qwen2_vl": multimodal.qwen_vl,
    "qwen3_5": multimodal.qwen_vl,
    "qwen3_5_moe": multimodal.qwen_vl,
    "qwen3_vl": multimodal.qwen_vl,
    "qwen3_vl_moe": multimodal.qwen_vl,
    "siglip": vision.siglip,
    "siglip2": vision.siglip,
    "siglip2_vision_model": vision.siglip,
    "siglip_vision_model": vision.siglip,
    "smolvlm": multimodal.idefics3,
    "t5": encoder_decoders.t5,
    "umt5": encoder_decoders.t5,
    "vit": vision.vit,
    "voxtral": multimodal.sound_model,
    "whisper": encoder_decoders.whisper,
    "bailing_hybrid": bailing_hybrid,
    "bailing_moe_linear": bailing_linear,
    "bailing_moe_linear_v2": bailing_linear,
    "bamba": bamba,
    "falcon_h1": falcon_h1,
    "falcon_mamba": falcon_mamba,
    "granitemoehybrid": granite_hybrid,
    "jamba": jamba,
    "kimi_linear": kimi_linear,
    "lfm2": lfm2,
    "lfm2_moe": lfm2_moe,
    "lfm3": lfm3,
    "mamba": mamba,
    "mamba2": mamba2,
    "minimax": minimax,
    "minimax_m1": minimax,
    "minimax_text_01": minimax,
    "nemotron_h": nemotron_h,
    "olmo_hybrid": olmo_hybrid,
    "qwen3_5_moe_text": qwen3_5_text,
    "qwen3_5_text": qwen3_5_text,
    "qwen3_next": qwen3_next,
    "recurrent_gemma": recurrent_gemma,
    "rwkv": rwkv4,
    "rwkv5": rwkv5,
    "rwkv6": rwkv6,
    "rwkv7": rwkv7,
    "xlstm": xlstm,
    "zamba": zamba,
    "zamba2": zamba2,
}
"""Reader by `model_type`, or by the class name that diffusers writes."""
MARKED: Mapping[str, Reader] = {"ssm_cfg": mamba_ssm}
"""Reader of files that state no family, by a key that only such have."""
