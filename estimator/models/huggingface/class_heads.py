"""Which heads are read of families that have a reader of their own, by what the names of their classes end in."""

import re
from collections.abc import Mapping

from estimator.base.errors import UnsupportedModelError, shown
from estimator.models.huggingface.architectures import HEADS, Head, normal
from estimator.models.huggingface.blocks import head_class
from estimator.models.huggingface.reading import LONGEST_NAME, Config

__all__ = ["READ_HEADS", "ending", "outer_head"]

_FOR = re.compile(r"For[A-Z]\w*$")
_OTHERS = ("WithLMHeadModel", "LMHeadModel", "MTModel", "EncoderModel", "TextModel", "VisionModel", "Model")

_MASKED = ("ForMaskedLM", "Model")
_LABELS = ("ForSequenceClassification", "ForTokenClassification")
_TEXT = (*_MASKED, *_LABELS, "ForQuestionAnswering", "ForMultipleChoice")
_BERT = (*_TEXT, "ForPreTraining", "ForNextSentencePrediction")
_PAIRS = ("ForConditionalGeneration", "Model")
_T5 = (*_PAIRS, "WithLMHeadModel", "EncoderModel", *_LABELS, "ForQuestionAnswering")
_PICTURES = ("ForImageClassification", "Model")
_FOUND = ("ForObjectDetection",)
_WAVES = ("ForCTC", "ForSequenceClassification", "ForAudioFrameClassification", "Model")
_SEES = ("ForConditionalGeneration", "ForCausalLM", "Model", "ForSequenceClassification", "ForTokenClassification")

_SEEING = frozenset(
    {
        *("aria", "cohere2_vision", "exaone4_5", "fast_vlm", "fuyu", "gemma3", "gemma3n", "gemma4", "glm46v", "glm4v"),
        *("glm4v_moe", "glmga", "idefics2", "idefics3", "internvl", "kimi_k25", "lfm2_vl", "lighton_ocr", "llama4"),
        *("llava", "llava_next", "llava_next_video", "llava_onevision", "minimax_m3_vl", "mistral3", "mllama"),
        *("molmo2", "paligemma", "phi4_multimodal", "qwen2_5_omni_thinker", "qwen2_5_vl", "qwen2_audio", "qwen2_vl"),
        *("qwen3_5", "qwen3_5_moe", "qwen3_vl", "qwen3_vl_moe", "smolvlm", "step3p7", "vipllava", "voxtral"),
    }
)
"""Language models with towers, of which a class without `For` is the body alone, and a label stands on that body."""
READ_HEADS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SEEING, _SEES),
    **dict.fromkeys(("albert", "bert", "ernie", "megatron-bert"), _BERT),
    **dict.fromkeys(
        ("camembert", "data2vec-text", "deberta", "deberta-v2", "distilbert", "esm", "gte", "jina_embeddings_v3"), _TEXT
    ),
    **dict.fromkeys(("layoutlm", "longformer", "mpnet", "new", "rembert", "roberta"), _TEXT),
    **dict.fromkeys(("roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl"), _TEXT),
    "eurobert": (*_MASKED, *_LABELS),
    "modernbert": (*_MASKED, *_LABELS, "ForQuestionAnswering"),
    # The publisher's class of pre-training has a masked language model's head alone.
    "nomic_bert": (*_TEXT, "ForPreTraining"),
    "layoutlmv3": ("Model", *_LABELS, "ForQuestionAnswering"),
    "roformer": (*_MASKED, *_LABELS, "ForQuestionAnswering"),
    "big_bird": (*_MASKED, *_LABELS, "ForPreTraining", "ForMultipleChoice"),
    "electra": (*_MASKED, *_LABELS, "ForPreTraining", "ForQuestionAnswering"),
    "mobilebert": (*_MASKED, *_LABELS, "ForPreTraining", "ForQuestionAnswering"),
    "xlnet": ("LMHeadModel", "Model", *_LABELS),
    **dict.fromkeys(("bart", "led", "mbart"), (*_PAIRS, "ForSequenceClassification", "ForQuestionAnswering")),
    **dict.fromkeys(("blenderbot", "m2m_100", "nllb-moe", "pegasus", "switch_transformers", "whisper"), _PAIRS),
    "marian": ("MTModel", "Model"),
    **dict.fromkeys(("mt5", "t5", "umt5"), _T5),
    "t5gemma": (*_PAIRS, "EncoderModel"),
    **dict.fromkeys(("convnext", "convnextv2", "dinov2", "dinov2_with_registers", "dinov3_vit"), _PICTURES),
    **dict.fromkeys(("donut-swin", "efficientnet", "ijepa", "mobilenet_v2", "resnet", "swin", "vit"), _PICTURES),
    "swinv2": _PICTURES,
    "beit": (*_PICTURES, "ForMaskedImageModeling"),
    "deit": (*_PICTURES, "ForImageClassificationWithTeacher"),
    "segformer": (*_PICTURES, "ForSemanticSegmentation"),
    "vit_mae": ("ForPreTraining", "Model"),
    "timesformer": ("ForVideoClassification", "Model"),
    "videomae": ("ForVideoClassification", "ForPreTraining", "Model"),
    **dict.fromkeys(("clip", "sam", "siglip", "siglip2"), ("Model",)),
    **dict.fromkeys(("clip_vision_model", "siglip2_vision_model", "siglip_vision_model"), ("VisionModel",)),
    **dict.fromkeys(("conditional_detr", "deformable_detr", "detr"), _FOUND),
    **dict.fromkeys(("rt_detr", "rt_detr_v2", "table-transformer", "yolos"), _FOUND),
    "audio-spectrogram-transformer": ("ForAudioClassification", "Model"),
    **dict.fromkeys(("hubert", "wavlm"), _WAVES),
    **dict.fromkeys(("wav2vec2", "wav2vec2-conformer"), (*_WAVES, "ForPreTraining")),
    "wav2vec2-bert": _WAVES,
    "parakeet_ctc": ("ForCTC",),
    "blip": ("ForConditionalGeneration",),
    **dict.fromkeys(("blip-2", "florence2", "instructblip"), _PAIRS),
    "speecht5": ("ForTextToSpeech", "ForSpeechToText", "ForSpeechToSpeech"),
    "musicgen": ("ForConditionalGeneration",),
    "musicgen_decoder": ("ForCausalLM",),
    # Its `Qwen2_5OmniModel` is no body: first files call the whole model so.
    "qwen2_5_omni": _PAIRS,
    "vision-encoder-decoder": ("Model",),
}
"""What is read of each family, by `model_type`; of one that is not here, whatever its file names."""


def ending(name: str, kind: str) -> str:
    """Return what tells the head of a class of `kind`: `ForMaskedLM`, `Model`; the whole name where nothing does."""
    # The body of `cohere2_vision` is no encoder of pictures.
    if normal(name) == f"{normal(kind)}model":
        return "Model"
    found = _FOR.search(name)
    return found[0] if found else next((end for end in _OTHERS if name.endswith(end)), name)


def outer_head(config: Config, kind: str) -> Head | None:
    """Return what stands on a language model with towers in place of its logits; None where those do.

    Raises UnsupportedModelError for a class whose head is not read.
    """
    name, read = head_class(config, "")[:LONGEST_NAME], READ_HEADS.get(kind)
    if not name or read is None:
        return None
    end = ending(name, kind)
    if end not in read:
        others = ", ".join(sorted(read))
        raise UnsupportedModelError(
            f"hf_config.architectures: {shown(name)} has a head that is not modelled here on {shown(kind)}; classes "
            f"that end in {others} are"
        )
    return HEADS.get(end) if kind in _SEEING else None
