"""Models people ask for that are no decoder-only transformers of equal layers, known by words in their name."""

import re
from collections.abc import Iterator, Mapping

from estimator.models.huggingface.unsupported import UNSUPPORTED
from estimator.models.telling_words import (
    BOTH_WAYS,
    DETECTING,
    HEARD,
    LENGTHENED,
    MOVING,
    SEEN,
    SEVERAL,
    STEERED,
    TOLD,
    says_otherwise,
)
from estimator.models.transformer import Transformer

__all__ = [
    "HYBRID",
    "MOSTLY_DECODERS",
    "OTHER_SENSES",
    "WITHOUT_TOKENS",
    "built_like",
    "foreign_kind",
    "modelled_like",
    "names_another",
    "without_senses",
]

_WORD = re.compile(r"[^\W_]+(?:\.\d+)*")
_STEM = re.compile(r"[a-z]+\d*(?![a-z])")
_LONGEST_NAME = 200
_MOST_WORDS = 4
"""Of a family's name: `minimax-text-01`."""
HYBRID = "a state-space or hybrid model"
"""A kind of which a typical one is known by its size."""
_SPARSE = "a model with learned sparse attention"
_UNEQUAL = "a model whose layers differ in width"
_DETECTOR = "a detector made of convolutions"
_CONVOLUTIONS = "a network of convolutions"
_SPEAKER = "a network that speaks"
_LISTENER = "a recogniser of speech"
_CLIPS = "a diffusion model of clips"
_PICTURES = "an encoder of pictures"
_SEER = "a model of pictures and text"
_HEARER = "a model of sound and text"
_VIDEO = "a model of video"
_STEERED = "a network beside a denoiser, or another denoiser"
_LONG = "a network for longer sequences"
_ENCODER = "an encoder"
_MASKS = "a network for masks, depths or boxes on an encoder of pictures"
MOSTLY_DECODERS = frozenset({HYBRID, _SPARSE, _UNEQUAL})
"""Kinds that a typical decoder of equal size is near to, as far as its MLPs go."""
WITHOUT_TOKENS = frozenset({_CONVOLUTIONS, _DETECTOR, _MASKS})
"""Kinds whose weights are met many times a picture, so that their number tells nothing of their FLOPs."""
OTHER_SENSES = frozenset({_SEER, _HEARER, _VIDEO, _SPEAKER, _STEERED, _LONG, _ENCODER})
"""Kinds that a size in a name says too little of: what they read and say is no text of a decoder of that size."""
_MORE_SENSES = frozenset({_SEER, _HEARER, _VIDEO, _SPEAKER})
"""Those that read or say more than text, on a language model whose name may stand in theirs."""
# Names that model hubs use beside the `model_type` of a configuration.
_BY_NAME = {
    HYBRID: (
        *("mamba", "mamba2", "jamba", "zamba", "zamba2", "bamba", "rwkv", "rwkv4", "rwkv5", "rwkv6", "rwkv7", "xlstm"),
        *("hyena", "retnet", "stripedhyena", "samba", "hymba", "griffin", "recurrentgemma", "lfm2", "plamo2"),
        *("minimax", "minimax m1", "minimax text", "nemotronh", "nemotron nano 9b", "nemotron nano 12b"),
        *("nemotron 3 nano", "nemotron 3 super", "nemotron 3 ultra", "granite 4 h", "granite 4.0 h"),
        *("phi 4 mini flash", "ring linear", "ling linear", "lfm 2", "lfm2.5"),
        *("jetnemotron", "jet nemotron", "evo", "evo2", "gla", "deltanet", "gated deltanet", "hgrn", "hgrn2"),
    ),
    _SPARSE: ("deepseek v3.2", "glm 5", "glm 5.1", "minicpm 4.1", "minicpm4.1"),
    _UNEQUAL: ("nemotron super", "nemotron ultra", "llama nemotron super", "llama nemotron ultra", "openelm"),
    "an encoder-decoder": ("long t5", "codet5", "flan", "ul2", "nllb", "madlad"),
    "a diffusion model": (
        *("diffusion", "sdxl", "sd", "sd3", "flux", "dit", "unet", "pixart", "sora", "imagen", "kolors", "hidream"),
        *("omnigen", "omnigen2", "hunyuanimage"),
    ),
    _DETECTOR: (
        *("yolo", "yolov", "yolox", "yolonas", "faster rcnn", "fasterrcnn", "mask rcnn"),
        *(f"yolo{version}" for version in (11, 12, 26)),
        *(f"yolov{version}" for version in range(1, 14)),
        *(
            *DETECTING,
            "maskrcnn",
            "retinanet",
            "efficientdet",
            "dfine",
            "rfdetr",
            "centernet",
            "ssd300",
            "cascade rcnn",
        ),
    ),
    _CONVOLUTIONS: (
        *("vgg", "vgg11", "vgg16", "vgg19", "densenet", "densenet121", "densenet169", "densenet201", "inception"),
        *(
            "inceptionv3",
            "mobilenetv3",
            "mobilenetv4",
            "regnet",
            "regnetx",
            "regnety",
            "squeezenet",
            "alexnet",
            "resnext",
            "resnext50",
        ),
        "resnext101",
    ),
    _SPEAKER: (*("bark", "tortoise", "vall e", "cosyvoice", "cosyvoice2", "cosyvoice3", "chattts", "fish speech"),),
    _LISTENER: (
        *(
            "canary",
            "seamless",
            "seamlessm4t",
            "conformer",
            "conformer ctc",
            "deepspeech",
            "moonshine",
            "squeezeformer",
        ),
        *("branchformer", "zipformer", "citrinet", "quartznet", "paraformer", "sensevoice", "data2vec audio"),
    ),
    _CLIPS: (
        *("animatediff", "stable video diffusion", "svd", "ltx 2", "ltx2", "zeroscope", "modelscope t2v", "cogvideo"),
        *("open sora", "opensora", "latte"),
    ),
    _MASKS: (
        *("mask2former", "maskformer", "oneformer", "upernet", "dpt", "zoedepth", "depth anything", "depthanything"),
        *("grounding dino", "groundingdino", "owlvit", "owlv2", "clipseg", "vitpose", "vitmatte", "table transformer"),
        *(
            "sam2",
            "sam2.1",
            "sam3",
            "deeplab",
            "deeplabv3",
            "pspnet",
            "hrnet",
            "segnet",
        ),
    ),
    _PICTURES: ("eva02", "eva", "hiera", "coatnet", "maxvit", "mobilevit", "efficientformer"),
    _SEER: (
        *(*SEEN, *TOLD, *SEVERAL),
        *("llava next", "llava onevision", "video llava", "nvila", "cambrian", "ovis", "ovis1.5", "ovis1.6"),
        *("ovis2", "ovis2.5", "glm 4v", "glm 4.1v", "cogvlm", "cogvlm2", "minicpm v", "minicpm o", "molmo"),
        *("moondream", "emu3", "chameleon", "flamingo", "minigpt4", "internvl", "internvl2", "internvl2.5"),
        *("internvl3", "internvl3.5", "qwenvl", "mobilevlm", "video llama", "videollama2", "videollama3"),
        *("deepseek vl", "deepseek vl2", "yi vl", "mplug owl", "mplug owl2", "janus", "janus pro", "openvla"),
        *("blip", "blip2", "blip3", "instructblip", "xinstructblip", "bliva", "minigpt", "minigptv2", "minigpt v2"),
        *("open flamingo", "otter", "idefics", "idefics2", "idefics3", "mplug", "mplug owl3", "mplug docowl"),
        *("kosmos", "kosmos2", "shikra", "ferret", "cogagent", "pandagpt", "next gpt", "videochat", "videochat2"),
        *("video chatgpt", "textmonkey", "tinygptv", "xcomposer", "xcomposer2", "xgen mm", "pixtral", "fuyu"),
    ),
    _HEARER: (
        *HEARD,
        *("salmonn", "video salmonn", "pengi", "audiopalm", "speechgpt", "speechgpt2", "wavllm", "slam llm"),
        *("llama omni", "mini omni", "freeze omni", "ultravox", "voxtral", "moshi"),
    ),
    _VIDEO: MOVING,
    _STEERED: (*STEERED, "ip adapter", "t2i adapter"),
    _LONG: (*LENGTHENED, "longnet"),
    _ENCODER: (*BOTH_WAYS, "cross encoder", "bi encoder"),
}
_LIKE: Mapping[str, tuple[str, ...]] = {
    _DETECTOR: ("yolo11n", "yolo11m", "yolov8x", "faster-rcnn-r50-fpn", "mask-rcnn-r50-fpn", "rt-detr-r50"),
    _CONVOLUTIONS: ("resnet-50", "convnext-tiny", "efficientnet-v2-s", "mobilenet-v3-large", "resnext-50-32x4d"),
    _SPEAKER: ("orpheus-3b", "musicgen-small"),
    _LISTENER: ("whisper-large-v3", "parakeet-0.6b", "w2v-bert-2.0"),
    _CLIPS: ("wan-2.1-1.3b", "ltx-video-2b", "cogvideox-2b", "hunyuanvideo"),
    _PICTURES: ("dinov2-large", "vit-base-patch16-224", "clip-vit-large-patch14", "sam-vit-base", "swin-base"),
    _MASKS: ("sam-vit-base", "segformer-b0", "deeplabv3-r50", "mask-rcnn-r50-fpn", "unet", "dinov2-base"),
    "a diffusion model": ("sdxl", "sd-1.5", "flux.1-dev", "sd3.5-medium"),
    _SEER: ("qwen2.5-vl-7b", "llava-next-mistral-7b", "internvl3-8b", "smolvlm2-2.2b", "llama-3.2-11b-vision"),
    _HEARER: ("qwen2-audio-7b", "voxtral-mini-3b", "whisper-large-v3", "orpheus-3b"),
    _VIDEO: ("cogvideox-5b", "wan-2.1-1.3b", "qwen2.5-vl-7b", "videomae-base"),
    _STEERED: ("controlnet-sd-1.5", "controlnet-sdxl", "sd-2.1", "sdxl"),
    _LONG: ("longformer-base-4096", "led-base-16384", "modernbert-base"),
    _ENCODER: ("bert-base-uncased", "roberta-base", "modernbert-base"),
    "an encoder-decoder": ("t5-base", "bart-large", "whisper-small"),
}
"""Catalogued models of a kind, of which one near in size stands for what is not modelled."""
_BUILT_LIKE: Mapping[str, tuple[str, ...]] = dict.fromkeys(
    ("minigpt", "minigpt4"), ("instructblip-vicuna-7b", "instructblip-vicuna-13b", "blip2-opt-6.7b", "blip2-flan-t5-xl")
)
"""By parts of a name: MiniGPT-4 is BLIP-2's encoder and Q-Former on Vicuna (Zhu et al. 2023, section 3)."""
_KINDS: Mapping[str, str] = {
    **{re.sub(r"[^a-z0-9]", "", name.casefold()): kind for name, kind in UNSUPPORTED.items()},
    **{re.sub(r"[^a-z0-9]", "", name): kind for kind, names in _BY_NAME.items() for name in names},
}
_SAME_NAME = re.compile(r"ernie[-_ ]?(?:4|5|x)|(?<![^\W_])vit[-_ ]s(?![^\W_])")
"""Decoders that are called like the encoders before them, and a size of ViT that VITS has the letters of."""


def foreign_kind(name: str) -> str | None:
    """Return what `name` is the name of, such as `an encoder-decoder`; None where no words in it tell.

    Words are compared without what separates them: `Nemotron-H`, `nemotron_h` and `NemotronH` are one. What is near to
    a decoder comes last: a hybrid that sees is one that sees.
    """
    text = _SAME_NAME.sub(" ", name[:_LONGEST_NAME].casefold())
    kinds = [_KINDS[part] for part in _parts(text) if part in _KINDS]
    return next((kind for kind in kinds if kind not in MOSTLY_DECODERS), kinds[0] if kinds else None)


def names_another(given: str, matched: str, network: Transformer) -> bool:
    """Return whether `given` is another network than `matched`, whose name, that of `network`, was found in it.

    By a word that tells so, or by a family's name: those that read or say more than text hold the name of the language
    model that they stand on, as InstructBLIP's does Vicuna's.
    """
    if says_otherwise(given, matched, network):
        return True
    return network.media is None and bool(_sense_words(given) - _sense_words(matched))


def without_senses(name: str) -> str:
    """Return a name without the words that are those of models that read or say more than text."""
    words = _WORD.findall(name[:_LONGEST_NAME].casefold().rpartition("/")[2])
    found = _sense_words(name)
    at, left = 0, list[str]()
    while at < len(words):
        runs = range(min(_MOST_WORDS, len(words) - at), 0, -1)
        length = next((n for n in runs if "".join(words[at : at + n]).replace(".", "") in found), 0)
        if not length:
            left.append(words[at])
        at += length or 1
    return " ".join(left)


def _sense_words(name: str) -> frozenset[str]:
    """Return the parts of a name, its owner's aside, that are those of models which read or say more than text."""
    tail = name[:_LONGEST_NAME].casefold().rstrip("/").rpartition("/")[2]
    return frozenset(part for part in _parts(tail) if _KINDS.get(part) in _MORE_SENSES)


def modelled_like(kind: str) -> tuple[str, ...]:
    """Return the ids of catalogued models of a kind that `foreign_kind` tells; none where there are none."""
    return _LIKE.get(kind, ())


def built_like(name: str) -> tuple[str, ...]:
    """Return the ids of catalogued models that are built as `name` is, though they are called otherwise."""
    parts = _parts(name[:_LONGEST_NAME].casefold())
    return next((_BUILT_LIKE[part] for part in parts if part in _BUILT_LIKE), ())


def _parts(text: str) -> Iterator[str]:
    """Yield the runs of words in a name, the longest first, and words without what follows their number."""
    words = [match.group().replace(".", "") for match in _WORD.finditer(text)]
    for length in range(min(_MOST_WORDS, len(words)), 0, -1):
        yield from ("".join(words[start : start + length]) for start in range(len(words) - length + 1))
    yield from _STEM.findall(text)
