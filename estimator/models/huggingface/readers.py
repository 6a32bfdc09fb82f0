"""Families whose configurations are read by code of their own, where the table of families does not reach.

A reader takes the whole configuration, refuses what it cannot price, and returns the model with its vectors counted.
"""

from collections.abc import Callable, Mapping

from estimator.models.huggingface import (
    conformers,
    deberta,
    detectors,
    encoder_decoders,
    encoder_families,
    encoders,
    florence,
    inverted_residuals,
    masked_pictures,
    mobile_bert,
    modern_bert,
    music,
    native_pictures,
    own_encoders,
    pages,
    phi_multimodal,
    picture_to_text,
    pyramids,
    query_formers,
    segmentation,
    sound,
    speech,
    t5,
    tiled_pictures,
    vision,
    xlnet,
)
from estimator.models.huggingface.configured import ConfiguredModel, Read
from estimator.models.huggingface.cross_layer import read_hunyuan
from estimator.models.huggingface.diffusion import clips, joint, lumina, plain, sounds, unet
from estimator.models.huggingface.gemma import read_gemma_3n, read_gemma_4
from estimator.models.huggingface.hybrids.linear_attention import (
    bailing_hybrid,
    bailing_linear,
    kimi_linear,
    minimax,
    olmo_hybrid,
    xlstm,
)
from estimator.models.huggingface.hybrids.mamba_1_hybrids import jamba, zamba, zamba2
from estimator.models.huggingface.hybrids.mamba_hybrids import bamba, falcon_h1, granite_hybrid, nemotron_h, plamo2
from estimator.models.huggingface.hybrids.qwen import qwen3_5, qwen3_5_text, qwen3_next
from estimator.models.huggingface.hybrids.recurrences import recurrent_gemma, rwkv4, rwkv5, rwkv6, rwkv7
from estimator.models.huggingface.hybrids.short_convolutions import lfm2, lfm2_moe, lfm3
from estimator.models.huggingface.hybrids.state_spaces import falcon_mamba, mamba, mamba2, mamba_ssm
from estimator.models.huggingface.indexed_kin import read_axk2, read_dots3, read_hy_v4
from estimator.models.huggingface.irregular import read_laguna, read_longcat, read_mimo_v2, read_step
from estimator.models.huggingface.narrow import read_opt
from estimator.models.huggingface.other_attention import read_diffllama, read_jetmoe
from estimator.models.huggingface.reading import Config
from estimator.models.huggingface.searched import read_deci, read_openelm
from estimator.models.huggingface.sparse import read_deepseek_v4, read_indexed, read_minimax_m3

__all__ = ["CAUSAL_READERS", "COMPOSITES", "MARKED", "READERS", "READER_CLASSES", "TEXT_READERS", "Composite", "Reader"]

Reader = Callable[[Config], ConfiguredModel]
Composite = Callable[[Config, Read], ConfiguredModel]

CAUSAL_READERS: Mapping[str, Reader] = {
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
    "plamo2": plamo2,
    "qwen3_5": qwen3_5,
    "qwen3_5_moe": qwen3_5,
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
"""Reader of a causal language model that mixes its sequence otherwise, by `model_type`."""
READERS: Mapping[str, Reader] = {
    **CAUSAL_READERS,
    "AuraFlowTransformer2DModel": joint.auraflow,
    "ChromaTransformer2DModel": joint.chroma,
    "CogVideoXTransformer3DModel": clips.cogvideox,
    "CogView4Transformer2DModel": lumina.cogview4,
    "ControlNetModel": unet.controlnet,
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
    "StableAudioDiTModel": sounds.stable_audio,
    "Transformer2DModel": plain.transformer_2d,
    "UNet2DConditionModel": unet.unet,
    "UNet2DModel": unet.unet,
    "WanTransformer3DModel": clips.wan,
    "ZImageTransformer2DModel": lumina.z_image,
    **dict.fromkeys(encoder_decoders.BART_LIKE, encoder_decoders.bart_like),
    **dict.fromkeys(encoder_families.ENCODERS, encoders.encoder),
    **dict.fromkeys(speech.WAVES, speech.waves),
    **dict.fromkeys(t5.T5_LIKE, t5.t5),
    "audio-spectrogram-transformer": speech.spectrogram,
    "beit": vision.beit,
    "blip": picture_to_text.blip,
    "clip": vision.clip,
    "clip_vision_model": vision.clip,
    "convnext": pyramids.convnext,
    "convnextv2": pyramids.convnext,
    "deberta": deberta.deberta,
    "deberta-v2": deberta.deberta,
    "deit": vision.vit,
    "detr": detectors.detr,
    "dinov2": vision.dinov2,
    "dinov2_with_registers": vision.dinov2,
    "dinov3_vit": vision.dinov3,
    "donut-swin": pyramids.swin,
    "efficientnet": inverted_residuals.efficientnet,
    "ijepa": vision.vit,
    "layoutlmv3": pages.layoutlm_v3,
    "mobilebert": mobile_bert.mobile_bert,
    "mobilenet_v2": inverted_residuals.mobilenet_v2,
    "modernbert": modern_bert.modern_bert,
    "musicgen": music.musicgen,
    "musicgen_decoder": music.musicgen,
    "parakeet_ctc": conformers.parakeet,
    "parakeet_encoder": conformers.parakeet,
    "resnet": pyramids.resnet,
    "rt_detr": detectors.rt_detr,
    "rt_detr_v2": detectors.rt_detr,
    "sam": segmentation.sam,
    "segformer": segmentation.segformer,
    "siglip": vision.siglip,
    "siglip2": vision.siglip,
    "siglip2_vision_model": vision.siglip,
    "siglip_vision_model": vision.siglip,
    "swin": pyramids.swin,
    "swinv2": pyramids.swin,
    "t5gemma": t5.t5gemma,
    "timesformer": masked_pictures.timesformer,
    "videomae": masked_pictures.videomae,
    "vit": vision.vit,
    "vit_mae": masked_pictures.vit_mae,
    "wav2vec2-bert": conformers.wav2vec2_bert,
    "wav2vec2-conformer": conformers.wav2vec2_conformer,
    "whisper": encoder_decoders.whisper,
    "xlnet": xlnet.xlnet,
    "yolos": detectors.yolos,
}
"""Reader by `model_type`, or by the class name that diffusers writes."""
MARKED: Mapping[str, Reader] = {"ssm_cfg": mamba_ssm}
"""Reader of files that state no family, by a key that only such have."""

COMPOSITES: Mapping[str, Composite] = {
    "aria": query_formers.aria,
    "blip-2": query_formers.blip2,
    "cohere2_vision": tiled_pictures.cohere_vision,
    "eurobert": modern_bert.eurobert,
    "florence2": florence.florence2,
    "exaone4_5": native_pictures.qwen_vl,
    "fuyu": own_encoders.fuyu,
    "gemma3": tiled_pictures.gemma3,
    "gemma3n": native_pictures.gemma3n,
    "gemma4": native_pictures.gemma4,
    "glm46v": native_pictures.glm4v,
    "glm4v": native_pictures.glm4v,
    "glm4v_moe": native_pictures.glm4v,
    "glmga": native_pictures.glm4v,
    "idefics2": native_pictures.idefics2,
    "idefics3": tiled_pictures.idefics3,
    "instructblip": query_formers.blip2,
    "internvl": tiled_pictures.internvl,
    "internvl_chat": tiled_pictures.internvl,
    "kimi_k25": own_encoders.kimi_k25,
    "lfm2_vl": native_pictures.lfm2_vl,
    "lighton_ocr": native_pictures.mistral3,
    "llama4": own_encoders.llama4,
    "llava": tiled_pictures.llava,
    "llava_next": tiled_pictures.llava,
    "llava_next_video": tiled_pictures.llava,
    "llava_onevision": tiled_pictures.llava,
    "minimax_m3_vl": own_encoders.minimax_m3,
    "mistral3": native_pictures.mistral3,
    "mllama": tiled_pictures.mllama,
    "paligemma": tiled_pictures.gemma3,
    "phi4_multimodal": phi_multimodal.phi4_multimodal,
    "qwen2_5_omni": native_pictures.qwen_omni,
    "qwen2_5_omni_thinker": native_pictures.qwen_omni,
    "qwen2_5_vl": native_pictures.qwen_vl,
    "qwen2_audio": sound.sound_model,
    "qwen2_vl": native_pictures.qwen_vl,
    "qwen3_5": native_pictures.qwen_vl,
    "qwen3_5_moe": native_pictures.qwen_vl,
    "qwen3_vl": native_pictures.qwen_vl,
    "qwen3_vl_moe": native_pictures.qwen_vl,
    "smolvlm": tiled_pictures.idefics3,
    "step3p7": own_encoders.step3p7,
    "vipllava": tiled_pictures.llava,
    "vision-encoder-decoder": picture_to_text.vision_encoder_decoder,
    "voxtral": sound.sound_model,
}
"""Readers of models that hold another one, by `model_type`; they are given what reads that."""
TEXT_READERS: Mapping[str, Reader] = {
    "axk2": read_axk2,
    "deci": read_deci,
    "deepseek_v32": read_indexed,
    "deepseek_v4": read_deepseek_v4,
    "diffllama": read_diffllama,
    "dots3_note": read_dots3,
    "dots3_note_text": read_dots3,
    "gemma3n": read_gemma_3n,
    "gemma3n_text": read_gemma_3n,
    "gemma4": read_gemma_4,
    "gemma4_text": read_gemma_4,
    "gemma4_unified_text": read_gemma_4,
    "glm_moe_dsa": read_indexed,
    "hunyuan": read_hunyuan,
    "hy_v4": read_hy_v4,
    "jetmoe": read_jetmoe,
    "laguna": read_laguna,
    "longcat_flash": read_longcat,
    "mimo_v2": read_mimo_v2,
    "mimo_v2_flash": read_mimo_v2,
    "minimax_m3": read_minimax_m3,
    "minimax_m3_vl_text": read_minimax_m3,
    "nemotron-nas": read_deci,
    "openelm": read_openelm,
    "opt": read_opt,
    "step3p5": read_step,
    "step3p7": read_step,
}
"""Reader of a language model, alone or inside a multimodal one, by `model_type`; heads and keys of prediction modules
are read for it."""

READER_CLASSES: Mapping[str, tuple[str, ...]] = {
    "deci": ("DeciLM",),
    "minimax": ("MiniMaxText01", "MiniMaxM1"),
    "minimax_m3": ("MiniMaxM3Sparse", "MiniMaxM3VL"),
    "minimax_m3_vl_text": ("MiniMaxM3VL",),
    "nemotron-nas": ("DeciLM",),
    "rwkv5": ("Rwkv",),
    "rwkv6": ("Rwkv",),
}
"""Stems of the class names that a text family goes by, where they are not its own name."""
