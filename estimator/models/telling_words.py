"""Words in a model's name that say it is another network than the one whose name they stand beside."""

import re

from estimator.models.transformer import Transformer

__all__ = [
    "BOTH_WAYS",
    "DETECTING",
    "HEARD",
    "LENGTHENED",
    "MOVING",
    "SEEN",
    "SEVERAL",
    "STEERED",
    "TELLING",
    "TOLD",
    "is_spelt_apart",
    "says_otherwise",
    "tells_another",
    "without_telling",
]

_WORD = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")
STEERED, LENGTHENED, DETECTING = (
    frozenset({"controlnet", "refiner"}),
    frozenset({"long"}),
    frozenset({"4scale", "5scale", "dc5", "rf"}),
)
"""Other layers, or more of them, whatever stands beside."""
SEEN = frozenset({"image", "images", "ocr", "vision", "visual"})
TOLD = frozenset({"llava", "vila", "vl", "vla", "vlm"})
"""Of a language model that sees."""
HEARD = frozenset({"asr", "audio", "speech", "tts", "voice"})
MOVING = frozenset({"video", "videos"})
BOTH_WAYS = frozenset({"encoder"})
SEVERAL = frozenset({"multimodal", "omni"})
TELLING = STEERED | LENGTHENED | DETECTING | SEEN | TOLD | HEARD | MOVING | BOTH_WAYS | SEVERAL
"""All of them."""
_WITHIN = ("controlnet", "llava", "video", "vision")
"""Words that are joined to others: `CogVideoX`, `ControlNetXS`."""
_APART = frozenset({"vits", "vits2"})
"""Words of other networks that a catalogued name has the letters of: VITS speaks, and ViT-S sees."""


def tells_another(name: str) -> frozenset[str]:
    """Return the words of a name that tell another network apart, its owner's aside."""
    tail = name.casefold().rstrip("/").rpartition("/")[2]
    words = frozenset(_WORD.findall(tail))
    letters = frozenset(_LETTERS.findall(tail))
    return ((words | letters) & TELLING) | {part for part in _WITHIN if any(part in word for word in words)}


def without_telling(name: str) -> str:
    """Return a name without those words, which may be that of the language model below."""
    return " ".join(word for word in re.split(r"[\s_-]+", name.rpartition("/")[2]) if not tells_another(word))


def is_spelt_apart(name: str) -> bool:
    """Return whether a word of a name is one that means another network than its letters alone would."""
    return not _APART.isdisjoint(_WORD.findall(name.casefold()))


def says_otherwise(given: str, matched: str, network: Transformer) -> frozenset[str]:
    """Return the words by which `given` is another network than `matched`, whose name was found in it.

    A word is no other's where the network found reads what it says: `image` beside a ViT, `speech` beside Whisper.
    """
    return tells_another(given) - tells_another(matched) - _at_home(network)


def _at_home(network: Transformer) -> frozenset[str]:
    """Return the words that tell nothing new of a network: of what it reads already."""
    media = network.media
    read = frozenset[str]() if network.causal else BOTH_WAYS
    if media is None:
        return read
    if network.causal and media.kind == "image":
        read |= TOLD | SEVERAL
    return read | {"image": SEEN, "clip": SEEN | MOVING, "sound": HEARD}[media.kind]
