"""Settings in running words beside software: `batch size 8`, `grad accum 4`, `r=16`, `CUDA_VISIBLE_DEVICES=0,1`."""

import re

from estimator.resolve.framework.pasted import Pasted, Setting, tidied

__all__ = ["PER_DEVICE", "mentions_adapters", "mentions_batch", "visible_devices", "with_spoken"]

PER_DEVICE = frozenset(
    {
        # per_device_train_batch_size of Transformers' TrainingArguments, and of what is built on them
        *("huggingface", "trl", "axolotl", "unsloth", "llama-factory", "ms-swift", "fastchat", "open-instruct"),
        *("optimum-habana", "xtuner"),
        "lightning",  # of each process's DataLoader
    }
)
"""Trainers whose batch, of which no more is said, is that of each device before anything is accumulated."""
_GAP = r"[\s_-]*"
_BATCH = rf"(?:batch(?:{_GAP}size)?|bsz?|mini{_GAP}batch(?:{_GAP}size)?)"
_TRAIN = rf"(?:train(?:ing)?{_GAP})?"
_EACH = rf"(?:per{_GAP}(?:device|gpu|card)|micro|local|device)"
_ALL = r"(?:global|total|effective|overall)"
_IS = r"(?:[\s:=x×~]|\b(?:of|is|to|at)\b)*"
# A batch of `0.5M` or of `512k tokens` is told in tokens.
_COUNT = r"(?P<count>\d{1,3}(?:,\d{3})+|\d+)(?!\w|[.,]\d)(?!\s*(?:[kmb]|tokens?|toks?|million|thousand)\b)"
_OF_SAMPLES = r"(?:\s*(?:samples?|sequences?|examples?|seqs?|pairs?)\b)?"
_ACCUMULATED = rf"(?:(?:grad(?:ient)?s?{_GAP})?accum(?:ulation|ulate[ds]?)?(?:{_GAP}steps?)?)"
_DECIMAL = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_WORD = r"(?<![\w./-])"


def _ways(*rows: tuple[str, str]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((key, re.compile(f"{_WORD}(?:{words})", re.IGNORECASE)) for key, words in rows)


_BATCHES = _ways(
    ("global_batch_size", rf"(?:{_ALL}{_GAP}{_TRAIN}{_BATCH}|gbs){_IS}{_COUNT}{_OF_SAMPLES}"),
    ("micro_batch_size", rf"(?:{_EACH}{_GAP}{_TRAIN}{_BATCH}|mbs){_IS}{_COUNT}{_OF_SAMPLES}"),
    (
        "micro_batch_size",
        rf"{_TRAIN}{_BATCH}{_IS}{_COUNT}{_OF_SAMPLES}\s*(?:per{_GAP}|/\s*|on each\s+|each\s+)(?:device|gpu|card)s?\b",
    ),
    ("gradient_accumulation_steps", rf"{_ACCUMULATED}{_IS}{_COUNT}"),
    (
        "gradient_accumulation_steps",
        rf"(?P<count>\d+)\s*x?\s*(?:steps of\s+)?grad(?:ient)?{_GAP}accum\w*(?:{_GAP}steps?)?",
    ),
    ("num_train_epochs", rf"(?P<count>{_DECIMAL})\s*epochs?\b"),
    ("num_train_epochs", rf"epochs?{_IS}(?P<count>{_DECIMAL})(?!\w|[.,]\d)"),
)
_MENTIONED = re.compile(r"batch|\bbsz?\b", re.IGNORECASE)
_BARE_BATCH = _ways(("batch_size", rf"{_TRAIN}{_BATCH}{_IS}{_COUNT}{_OF_SAMPLES}"))
_RANKS = _ways(
    ("lora_rank", rf"(?:lora{_GAP})?(?:rank|r){_IS}(?P<count>\d+)(?!\w|[.,]\d)"),
    ("lora_alpha", rf"(?:lora{_GAP})?alpha{_IS}(?P<count>{_DECIMAL})(?!\w|[.,]\d)"),
    ("lora_dropout", rf"(?:lora{_GAP})?dropout{_IS}(?P<count>{_DECIMAL})(?!\w|[.,]\d)"),
)
_UNFELT = rf"(?:lr|learning{_GAP}rate|seed|beta|weight{_GAP}decay|temperature)"
_IDLE = _ways(
    ("learning_rate", rf"(?:(?:peak|max|initial)\s+)?{_UNFELT}{_IS}{_DECIMAL}(?!\w|[.,]\d)"),
    ("warmup_steps", rf"warm{_GAP}up(?:{_GAP}(?:steps?|ratio))?{_IS}{_DECIMAL}%?(?:{_GAP}steps?)?(?!\w|[.,]\d)"),
)
"""What no step waits for, under one key of its kind."""
_ADAPTERS = re.compile(r"lora|dora|peft|adapter|target[ _]modules", re.IGNORECASE)
_VISIBLE = re.compile(
    r"(?<![\w-])(?:CUDA|NVIDIA|HIP|ROCR|ASCEND_RT|HABANA|TPU|GPU)_VISIBLE_(?:DEVICES|MODULES|CHIPS)[ \t]*=[ \t]*"
    r"[\"']?(?P<devices>\d{1,3}(?:[ \t]?,[ \t]?\d{1,3})*)[\"']?"
)


def mentions_adapters(text: str) -> bool:
    """Return whether `text` is of adapters, so that a bare `r` is their rank."""
    return _ADAPTERS.search(text) is not None


def mentions_batch(text: str) -> bool:
    """Return whether `text` tells of a batch, whose trainer then says what it is of."""
    return _MENTIONED.search(text) is not None


def visible_devices(text: str) -> tuple[str, Setting | None]:
    """Return `text` without the devices that a process is shown, and how many those are; None where that is not said.

    The values of `CUDA_VISIBLE_DEVICES` and its like have commas, as no other setting's have.
    """
    found = _VISIBLE.search(text)
    if found is None:
        return text, None
    shown = len({device.strip() for device in found["devices"].split(",")})
    setting = Setting(path=("visible_devices",), value=str(shown), written="visible_devices", said=found[0].strip())
    return f"{text[: found.start()]} {text[found.end() :]}", setting


def with_spoken(found: Pasted, *, bare_batch: bool, adapters: bool) -> Pasted:
    """Return `found` with what is said in words beside its settings as further ones.

    A `bare_batch` is one of whose trainer it is known what it is of; ranks are told where there are `adapters`.
    """
    settings = list(found.settings)
    rest = found.rest
    for key, way in (*_BATCHES, *(_RANKS if adapters else ()), *(_BARE_BATCH if bare_batch else ()), *_IDLE):

        def taken(match: re.Match[str], key: str = key) -> str:
            count = match.groupdict().get("count") or ""
            said = " ".join(match[0].split())
            settings.append(Setting(path=(key,), value=count.replace(",", ""), written=key, said=said))
            return " , "

        rest = way.sub(taken, rest)
    if len(settings) == len(found.settings):
        return found
    return Pasted(settings=tuple(settings), rest=tidied(rest))
