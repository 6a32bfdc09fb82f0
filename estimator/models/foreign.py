"""Models people ask for that are no decoder-only transformers, known by a word in their name."""

import re
from collections.abc import Mapping

from estimator.base.units import parse_count
from estimator.models.huggingface.unsupported import UNSUPPORTED

__all__ = ["foreign_kind", "size_in_name"]

_WORD = re.compile(r"[a-z]+\d*(?![a-z])")
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?[mbt])(?![a-z0-9])")
_LONGEST_NAME = 200
# Names that model hubs use beside the `model_type` of a configuration.
_BY_NAME = {
    "a state-space or hybrid model": (
        *("mamba", "mamba2", "jamba", "zamba", "zamba2", "bamba", "rwkv", "rwkv4", "rwkv5", "rwkv6", "rwkv7", "xlstm"),
        *("hyena", "stripedhyena", "samba", "hymba", "griffin", "recurrentgemma", "lfm2", "plamo2"),
        *("minimax", "nemotronh"),
    ),
    "an encoder-decoder": ("codet5", "flan", "ul2", "nllb", "madlad"),
    "a diffusion model": ("diffusion", "sdxl", "sd", "sd3", "flux", "dit", "unet", "pixart", "sora", "imagen"),
}
_KINDS: Mapping[str, str] = {
    **{name.casefold(): kind for name, kind in UNSUPPORTED.items() if name.isalnum()},
    **{word: kind for kind, words in _BY_NAME.items() for word in words},
}


def foreign_kind(name: str) -> str | None:
    """Return what `name` is the name of, such as `an encoder-decoder`; None where no word in it tells."""
    words = _WORD.findall(name[:_LONGEST_NAME].casefold())
    return next((_KINDS[word] for word in words if word in _KINDS), None)


def size_in_name(name: str) -> float | None:
    """Return the parameter count that stands in a name, `2.8b` in `mamba-2.8b`; None where none does."""
    match = _SIZE.search(name[:_LONGEST_NAME].casefold())
    return parse_count(match[1], "model") if match else None
