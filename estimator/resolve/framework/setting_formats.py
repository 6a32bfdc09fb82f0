"""What keys of a configuration tell of number formats: flags, names, what a model is loaded in, and which counts."""

import re
from dataclasses import dataclass, field

from estimator.resolve.framework.setting_keys import OFF, ON

__all__ = ["FLAGS", "FORMAT_KEYS", "ToldFormats"]

FLAGS = ("fp8", "bf16", "bfloat16", "fp16", "tf32")
"""Formats that are keys themselves."""
_FORMATS = re.compile(r"(?:amp_|bnb_)?(?P<name>bf16|bfloat16|fp16|float16|16|fp8|fp32|float32|32|no)(?P<how>[-_]\w+)?")
_NAMED_FORMATS = ("mixed_precision", "precision", "training_precision")
_LOADED = ("torch_dtype", "dtype", "model_dtype", "torchdtype")
"""Keys of what a model is loaded in, which is what its weights learn in where no trainer casts them …"""
_COMPUTED = ("bnb_4bit_compute_dtype", "compute_dtype")
"""… and of what products are in."""
FORMAT_KEYS = frozenset({*FLAGS, "pure_bf16", *_NAMED_FORMATS, *_LOADED, *_COMPUTED})
"""All keys that tell of formats."""


@dataclass(slots=True)
class ToldFormats:
    """Takes one key after another."""

    flags: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def take(self, key: str, given: str) -> bool:
        """Take what `key` tells; return whether its value is one of a format."""
        value = given.casefold().removeprefix("torch.")
        if key == "pure_bf16":
            if value in ON:
                self.named[key] = "pure bf16"
        elif key in FLAGS:
            self.flags["bf16" if key == "bfloat16" else key] = "on" if value in ON else value
        elif (match := _FORMATS.fullmatch(value)) is not None:
            bare = match["name"].replace("bfloat", "bf").replace("float", "fp")
            told = {"16": "fp16", "32": "fp32"}.get(bare, bare)
            if told != "no":
                self.named.setdefault(key, f"{told} true" if match["how"] == "-true" else told)
        elif key in _LOADED and value == "auto":
            self.named.setdefault(key, value)
        else:
            return False
        return True

    def words(self, *, engine: bool) -> list[str]:
        """Return what the model is loaded in and the one precision of products; `engine`: of DeepSpeed's own file."""
        if words := self.named.get("pure_bf16"):
            return [words]
        loaded = next((f"torch dtype {self.named[name]}" for name in _LOADED if name in self.named), "")
        return [loaded, self._precision(loaded=bool(loaded), engine=engine)]

    def _precision(self, *, loaded: bool, engine: bool) -> str:
        """Return the one precision that flags, then other keys tell; both flags off are FP32, or TF32 where allowed."""
        for name in ("fp8", "bf16", "fp16"):
            if self.flags.get(name) == "full":
                return f"full {name}"
            if self.flags.get(name) == "on":
                return name
        for names in (_NAMED_FORMATS, () if loaded else _COMPUTED):
            if told := next((self.named[name] for name in names if name in self.named), ""):
                return told
        off = all(self.flags.get(name) in OFF for name in ("bf16", "fp16"))
        if self.flags.get("tf32") == "on" and not self.flags.get("bf16"):
            return "tf32"
        return "fp32" if off and not engine and not loaded else ""
