"""Read a name nobody catalogued as a copy or fine-tune of a model that is: by owner, suffix, or the name it holds."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from estimator.base.names import NameIndex, Resolved, tokens
from estimator.base.text import with_article

__all__ = ["OTHER_ARCHITECTURE", "copied", "held", "leaves_layers", "quantised_bits", "said_words"]

_LONGEST = 128
_BITS_4, _BITS_8, _BITS_UNSAID = 4, 8, 0
_QUANTISED = {
    **dict.fromkeys(("4bit", "int4", "nf4", "fp4", "nvfp4", "mxfp4", "w4a16", "w4a8", "q4", "iq4", "bnb"), _BITS_4),
    **dict.fromkeys(("awq", "gptq", "hqq", "autoround", "4bpw"), _BITS_4),
    **dict.fromkeys(("8bit", "int8", "fp8", "w8a8", "w8a16", "q8", "8bpw"), _BITS_8),
    **dict.fromkeys(("gguf", "ggml", "exl2", "exl3", "aqlm", "quip", "quantized", "quantised"), _BITS_UNSAID),
    **{f"{letter}{bits}": bits for letter in ("q", "iq") for bits in (1, 2, 3, 5, 6)},
    **{f"{bits}bit{plural}": bits for bits in (2, 3, 4, 5, 6, 8) for plural in ("", "s")},
}
"""Words of quantised copies and the bits they mean; methods that mostly come in 4 bits read so unless bits are said."""
_SAYS_NO_BITS = frozenset({"awq", "gptq", "hqq", "autoround", "bnb"})
_BESIDE_QUANTISED = frozenset(
    {"128g", "32g", "act", "block", "channel", "desc", "dynamic", "g128", "g32", "group", "marlin", "mlx", "onnx"}
    | {"order", "qat", "sequential", "smooth", "smoothed", "true", "ud"}
)
"""What only tells quantised copies apart."""
_GGUF_KIND = re.compile(r"(?<![a-z0-9])(i?q[1-8])[_-](?:k(?:[_-](?:xs|s|m|l|xl))?|[01]|xxs|xs|s|m|nl)(?![a-z0-9])")
"""`Q4_K_M` and `Q8_0`, of which the first part tells the bits."""
_COPIED = frozenset({"bf16", "fp16", "fp32", "mlx", "onnx", "sharded", "unsloth"})
"""Words of copies in 16 bits and more."""
_TUNED = frozenset(
    {"abliterated", "adapter", "adapters", "aligned", "base", "chat", "chatml", "checkpoint", "ckpt", "dpo", "final"}
    | {"finetune", "finetuned", "ft", "grpo", "hf", "instruct", "instruction", "it", "kto", "latest", "lora", "merged"}
    | {"model", "orpo", "ppo", "preview", "pretrain", "pretrained", "pt", "qlora", "reasoner", "reasoning", "release"}
    | {"rl", "rlaif", "rlhf", "sft", "simpo", "text", "tuned", "think", "thinking", "uncensored", "v"}
)
"""Words that leave the layers as they are."""
_VERSION = re.compile(r"v\d+(?:\.\d+)*|\d{4}|\d{6}|\d{8}|\d+k|[1-9]m")
"""A release, a date or a length of context at the end of a name."""
_SIZE = re.compile(r"\d+(?:\.\d+)?[bt]|\d{2,4}(?:\.\d+)?m|\d+x\d+(?:\.\d+)?b")
_WORD = re.compile(r"[^\W_]+(?:\.\d+[^\W\d_]*)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_ACTIVE = re.compile(r"a\d+(?:\.\d+)?[bm]")
_OTHER_SIZE = re.compile(r"[ae]\d+(?:\.\d+)?[bm]|\d+e")
OTHER_ARCHITECTURE = frozenset(
    {"conditional", "deformable", "draft", "eagle", "eagle2", "eagle3", "expanded", "franken", "hybrid"}
    | {"hymba", "linear", "mamba", "mamba2", "medusa", "minitron", "moe", "next", "pro"}
    | {"prune", "pruned", "rwkv", "sheared", "sparse", "upscaled"}
    | {"clipseg", "dpt", "mask2former", "maskformer", "oneformer", "upernet", "vitmatte", "vitpose", "zoedepth"}
)
"""Words beside a base's name that say its layers were changed, or that another network stands on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """Catalogued names, and those of fine-tunes, of which the exact ones come first."""

    models: NameIndex
    finetunes: NameIndex

    def found(self, words: Sequence[str]) -> Resolved | None:
        """Return the model that these words name together."""
        text = " ".join(words)
        return self.finetunes.found(text) or self.models.found(text)

    def is_open(self, words: Sequence[str]) -> bool:
        """Return whether these words alone could name several models."""
        found = self.models.found(" ".join(words))
        return found is not None and bool(found.note)


def copied(given: str, models: NameIndex, finetunes: NameIndex) -> Resolved | None:
    """Return the model that `given` is a copy or fine-tune of by its parts; None where they name nobody's.

    Left away are, one after the other, the owner before a slash, the words of a quantised copy, those of tuning, and
    release, date and length at the end, until the rest is a catalogued name.
    """
    if len(given) > _LONGEST:
        return None
    names = _Names(models=models, finetunes=finetunes)
    said = _said_of_copy(given)
    for words, left in _reduced(given):
        found = names.found(words)
        # `deepseek` without the version it came with is any of them.
        if found is None or (left == "release" and names.is_open(words)):
            continue
        return replace(found, note=_relation(said, left, found)) if said or left else found
    return None


def held(given: str, models: NameIndex, finetunes: NameIndex) -> Resolved | None:
    """Return the model whose name, its size with it, `given` holds among other words; None where none or in doubt.

    `Dolphin-2.6-Mistral-7B` holds Mistral 7B, and `Llama-3.1-Foo-8B` Llama 3.1 8B. A name with a second size, or a
    word that says the layers were changed (`moe`, `mamba`), is in doubt.
    """
    if len(given) > _LONGEST:
        return None
    names = _Names(models=models, finetunes=finetunes)
    words = said_words(given)
    if sum(map(_is_size, words)) != 1 or OTHER_ARCHITECTURE.intersection(words):
        return None
    for span, rest in _spans(words):
        found = names.found(span)
        if found is not None and not any(_OTHER_SIZE.fullmatch(word) for word in rest):
            said = f"; {found.note}" if found.note else ""
            note = f"taken for a fine-tune of {found.matched}, whose name it holds{said}"
            return replace(found, note=note)
    return None


def quantised_bits(given: str) -> int | None:
    """Return how many bits a weight of the copy named `given` has: 0 where that is not said, None where none is."""
    words = [word for word in tokens(given[:_LONGEST]) if word in _QUANTISED]
    if not words:
        return None
    told = [_QUANTISED[word] for word in words if word not in _SAYS_NO_BITS and _QUANTISED[word]]
    return told[0] if told else max(_QUANTISED[word] for word in words)


def leaves_layers(word: str) -> bool:
    """Return whether a word of a name is one of copies, of tuning, of a release or of a size."""
    plain = word in _COPIED or word in _TUNED or word in _QUANTISED or word in _BESIDE_QUANTISED
    return plain or any(form.fullmatch(word) is not None for form in (_VERSION, _SIZE, _ACTIVE))


def said_words(given: str) -> Sequence[str]:
    """Return the words of a name without its owner and those of copies."""
    return [word for word in _words(given[:_LONGEST]) if word not in _COPIED]


def _words(given: str) -> Sequence[str]:
    """Return the words of a name without its owner; `1.5b` is one of them."""
    folded = _GGUF_KIND.sub(r"\1", unicodedata.normalize("NFKC", given).casefold())
    return _WORD.findall(folded.strip().rstrip("/").rpartition("/")[2])


def _reduced(given: str) -> Iterator[tuple[Sequence[str], str]]:
    """Yield ever fewer words of a name, and what the left ones were: nothing, the owner, or a fine-tune's own."""
    words = _words(given)
    yield tokens(given), ""
    yield words, "owner"
    if quantised_bits(given) is not None:
        quantised = _QUANTISED.keys() | _BESIDE_QUANTISED
        words = [word for word in words if word not in quantised]
    words = [word for word in words if word not in _COPIED]
    yield words, "owner"
    # A version may tell architectures apart (Mistral 7B v0.1 and v0.3), so that it goes last.
    yield (words := [word for word in words if word not in _TUNED]), "tuned"
    # Without a size it is the date that tells: Mistral Large of 2411 is dense, and of 2512 a mixture of experts.
    while any(map(_is_size, words)) and _VERSION.fullmatch(words[-1]):
        yield (words := words[:-1]), "release"


def _said_of_copy(given: str) -> str:
    bits = quantised_bits(given)
    if bits is None:
        return ""
    return with_article(f"{bits}-bit copy") if bits else "a quantised copy"


def _relation(said: str, left: str, found: Resolved) -> str:
    """Return how a name stands to its base, from what was left away of it."""
    told = said or ("a copy" if left == "owner" else "taken for a fine-tune or release")
    return f"{told} of {found.matched}" + (f"; {found.note}" if found.note else "")


def _is_size(word: str) -> bool:
    return _SIZE.fullmatch(word) is not None


def _spans(words: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Yield the parts of a name that could be a base's, with what is beside them: the longest first.

    Whole runs of words around the size come before a generation (`llama 3.1`) with the size further on.
    """
    size = next(at for at, word in enumerate(words) if _is_size(word))
    after = size + 1 + (size + 1 < len(words) and _ACTIVE.fullmatch(words[size + 1]) is not None)
    runs = sorted(
        ((start, end) for start in range(size + 1) for end in range(after, len(words) + 1)),
        key=lambda run: run[0] - run[1],
    )
    for start, end in runs:
        if end - start > after - size:
            yield words[start:end], [*words[:start], *words[end:]]
    for start in range(size):
        for end in range(size, start, -1):
            if any(map(str.isdigit, "".join(words[start:end]))) and not (_NUMBER.fullmatch(words[end]) and end < size):
                rest = [*words[:start], *words[end:size], *words[after:]]
                yield [*words[start:end], *words[size:after]], rest
