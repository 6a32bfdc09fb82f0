"""What a pasted configuration tells: numbers of arguments, words of how a step is run, and what cannot be taken."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.pasted import Pasted, Setting, folded_key, pasted
from estimator.resolve.framework.reading import reading_of
from estimator.resolve.framework.schedule_keys import ScheduledKeys, is_scheduled
from estimator.resolve.framework.setting_formats import FLAGS, FORMAT_KEYS, ToldFormats
from estimator.resolve.framework.setting_keys import (
    ALL_BELOW_ZERO,
    ARGUMENTS,
    CHOICES,
    DIALECTS,
    IDLE,
    IDLE_BELOW,
    MODELS,
    OFF,
    ON,
    OWN_KEYS,
    OWN_WORDS,
    SWITCHES,
    WRITTEN_OF,
)
from estimator.resolve.framework.spoken_settings import (
    PER_DEVICE,
    mentions_adapters,
    mentions_batch,
    visible_devices,
    with_spoken,
)

__all__ = ["Configuration", "Told", "configuration_of"]

_OPEN = frozenset({"", "auto", "default", "-1", "none"})
"""Values that leave a number to the trainer, or to nobody."""
_MOST_LENGTH = 1e8
"""Tokens above which `model_max_length` means that there is no limit."""
_OPTIMIZERS = ("optimizer", "optim", "optimizer.type", "optimizer.name", "optimizer._component_", "optimizer_name")
_FILES = frozenset({"deepspeed", "deepspeed_config", "deepspeed_config_file", "deepspeed_plugin"})
_STAGE = re.compile(r"z(?:ero)?[_-]?(?:stage)?[_-]?([0-3])(?!\d)|stage[_-]?([0-3])(?!\d)", re.IGNORECASE)
_SAMPLES = frozenset({"max_samples", "max_train_samples"})
_WORKERS = frozenset({"dataloader_num_workers", "num_workers"})
_OTHERS = _FILES | _SAMPLES | _WORKERS | MODELS | {"fsdp", "plugins", "disable_gradient_checkpointing"}
_PLUGINS = (("liger", "liger"), ("cut_cross_entropy", "cut cross entropy"), ("spectrum", ""))
_ENGINE = frozenset({"zero_optimization", "train_micro_batch_size_per_gpu", "zero_allow_untested_optimizer"})
_PREFERRED_KEYS: Mapping[str, int] = MappingProxyType({"max_seq_length": 0, "sequence_len": 0, "cutoff_len": 0})
"""Of several keys that tell one argument, the one that trainers go by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A number that a key tells of an argument."""

    value: float
    words: str
    """Key and value as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """A pasted configuration, read."""

    text: str
    """What it and the text beside it say of software and practice, in words."""
    dialect: str
    """Whose keys they are; empty where any trainer's may be."""
    numbers: Mapping[str, Told]
    """By argument."""
    most_samples: Told | None
    visible: Told | None
    """Devices that a process is shown."""
    models: tuple[str, ...]
    adapts: bool | None
    """Whether adapters are trained; None where no key tells."""
    unheeded: tuple[str, ...]
    """Settings that change how long a run takes, and cannot be taken."""
    unread: tuple[str, ...]
    """Keys that nobody knows here."""


@lru_cache(maxsize=256)
def configuration_of(text: str) -> Configuration | None:
    """Return what a configuration in `text` tells; None where the text is none. Never raises."""
    shown_text, shown = visible_devices(text)
    adapters = mentions_adapters(text)
    found = pasted(shown_text, knows=lambda key: _is_known(key) or (adapters and key == "r"), takes=_takes)
    dialect = _named(found)
    each_device = mentions_batch(text) and named_framework(found.rest).name in PER_DEVICE
    found = with_spoken(found, bare_batch=each_device or (dialect, "batch_size") in OWN_KEYS, adapters=adapters)
    settings = found.settings if shown is None else (shown, *found.settings)
    if not any(_is_particular(setting, adapters=adapters) for setting in settings):
        return None
    reader = _Reader(dialect, ranks=adapters, each_device=each_device)
    for setting in settings:
        reader.take(setting)
    return reader.configuration(found.rest)


def _is_particular(setting: Setting, *, adapters: bool) -> bool:
    """Return whether a key is one of a configuration alone, and no word of running text."""
    if setting.said or (adapters and setting.key == "r"):
        return True
    return _is_known(".".join(setting.path)) and (
        "_" in setting.key or len(setting.path) > 1 or "--" in setting.written
    )


def _is_known(key: str) -> bool:
    path = tuple(folded_key(part) for part in key.split("."))
    return any(_meaning(path)) or is_scheduled(path) or (IDLE.fullmatch(path[-1]) is not None and "_" in path[-1])


def _meaning(path: tuple[str, ...]) -> tuple[str, str]:
    """Return what kind of key a path ends in and the name that tables have it by; both empty for none."""
    *above, own = path
    if own in {"enabled", "enable"} and above:
        *above, own = above
    for name in (".".join((*above[-1:], own)), own):
        for kind, table in (("argument", ARGUMENTS), ("choice", CHOICES), ("switch", SWITCHES)):
            if name in table:
                return kind, name
        if name in _OPTIMIZERS:
            return "optimizer", name
        if name in FORMAT_KEYS:
            return "precision", name
        if name in _OTHERS:
            return "other", name
        if IDLE_BELOW & set(above):
            return "idle", name
    return "", ""


def _takes(key: str, value: str) -> bool:
    """Return whether a flag takes the word behind it as its value."""
    kind, name = _meaning((folded_key(key),))
    told = value.casefold()
    if kind == "switch" or name in FLAGS:
        return told in ON | OFF | _OPEN | {"full"} or (name in CHOICES and told in CHOICES[name])
    if kind or IDLE.fullmatch(folded_key(key)):
        return True
    return not _understood(key) or _understood(f"{key} {value}")


def _understood(text: str) -> bool:
    reading = reading_of(text)
    return bool(reading.phrases) and not reading.not_understood


def _named(found: Pasted) -> str:
    """Return whose keys are `found`, as the text beside them or they tell; empty where any trainer's may be."""
    if told := next((name for name, written in WRITTEN_OF if written.search(found.rest)), ""):
        return told
    settings = found.settings
    keys = {key for setting in settings for key in setting.path}
    keys |= {folded_key(setting.written) for setting in settings}
    keys |= {f"--{folded_key(setting.written)}" for setting in settings if "-" in setting.written.strip("-")}
    if {"base_model", "micro_batch_size"} <= keys:
        return "axolotl"
    return next((name for name, own in DIALECTS if own & keys), "")


@dataclass(slots=True)
class _Reader:
    """Takes one setting after another."""

    dialect: str
    ranks: bool
    """Whether a bare r is the rank of adapters."""
    each_device: bool
    """Whether a batch of which no more is said is each device's."""
    phrases: list[str] = field(default_factory=list)
    numbers: dict[str, Told] = field(default_factory=dict)
    formats: ToldFormats = field(default_factory=ToldFormats)
    models: list[str] = field(default_factory=list)
    most_samples: Told | None = None
    adapts: bool | None = None
    engine: bool = False
    asks_trainer: bool = False
    """Whether DeepSpeed is left numbers to by the trainer that calls it: `auto` is Hugging Face's word."""
    pads: bool = False
    schedule: ScheduledKeys = field(default_factory=ScheduledKeys)
    unheeded: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def take(self, setting: Setting) -> None:
        """Take what `setting` tells."""
        self.engine |= bool(_ENGINE & set(setting.path))
        self.asks_trainer |= setting.value == "auto" and "." not in setting.written
        kind, name = _meaning(self._own(setting.path))
        match kind:
            case _ if self.schedule.take(setting) or kind == "idle":
                pass
            case _ if (self.dialect, setting.key) in ALL_BELOW_ZERO and setting.value.startswith("-"):
                self.numbers[ARGUMENTS[name]] = Told(value=math.inf, words=setting.words)
            case "argument":
                self._number(ARGUMENTS[name], setting)
            case "choice":
                self._choice(name, setting)
            case "switch":
                self._switch(name, setting)
            case "precision":
                self._precision(name, setting)
            case "optimizer":
                self._optimizer(setting)
            case "other":
                self._other(name, setting)
            case _:
                self._rest(setting)

    def _own(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return a path whose key means with one trainer what it means with no other, under a name of its own."""
        own = OWN_KEYS.get((self.dialect, path[-1]))
        match (self.dialect, path[-1]):
            case _ if own is not None:
                return (own,)
            case (_, "r") if self.ranks:
                return ("lora_r",)
            case ("LLaMA-Factory", "stage"):
                return ("llamafactory", "stage")
            case _ if path == ("train_batch_size",) and self.engine:
                return ("global_batch_size",)
            case (_, "batch_size" | "train_batch_size") if self.each_device:
                return ("micro_batch_size",)
            case _:
                return path

    def _number(self, argument: str, setting: Setting) -> None:
        if setting.value.casefold() in _OPEN:
            return
        try:
            value = float(setting.value.replace("_", "").replace(",", ""))
        except ValueError:
            self.unheeded.append(setting.words)
            return
        if not 0 < value < _MOST_LENGTH:
            return
        if argument == "lora_rank":
            self.adapts = True if self.adapts is None else self.adapts
        told = Told(value=value, words=setting.words)
        known = self.numbers.get(argument)
        if known is None or _PREFERRED_KEYS.get(setting.key, 1) < _PREFERRED_KEYS.get(known.words.split()[0], 1):
            self.numbers[argument] = told

    def _choice(self, name: str, setting: Setting) -> None:
        value = setting.value.casefold().rpartition(".")[2]
        if name in SWITCHES and value in ON | OFF | {""}:
            self._switch(name, setting)
            return
        if name in {"adapter", "finetuning_type"}:
            self.adapts = value in {"lora", "qlora", "dora", "rslora"}
        if not value or (words := CHOICES[name].get(value)) == "":
            return
        if words is None:
            self.unheeded.append(setting.words)
        else:
            self.phrases.append(words)

    def _switch(self, name: str, setting: Setting) -> None:
        value, words = setting.value.casefold(), SWITCHES[name]
        if value in ON:
            self.phrases.append(words)
        elif value in OFF and words in OWN_WORDS:
            self.phrases.append(f"no {words}")
        elif value not in OFF | _OPEN:
            # `flash_attn: fa2`, `torch_compile: inductor`: what is read as it is written.
            self._rest(setting)

    def _precision(self, name: str, setting: Setting) -> None:
        if not self.formats.take(name, setting.value) and setting.value.casefold() not in OFF | _OPEN:
            self._rest(setting)

    def _optimizer(self, setting: Setting) -> None:
        value = setting.value.rpartition(".")[2]
        if not value:
            return
        if _understood(value):
            self.phrases.append(value)
        else:
            self.unheeded.append(setting.words)

    def _other(self, name: str, setting: Setting) -> None:
        value = setting.value
        if name in MODELS and value:
            self.models.append(value)
        elif name == "plugins":
            self.phrases += [words for mark, words in _PLUGINS if mark in value.casefold() and words]
        elif name == "disable_gradient_checkpointing":
            if value.casefold() in ON:
                self.phrases.append("no gradient checkpointing")
        elif name == "fsdp":
            self._sharded(value)
        elif name in _FILES and value.casefold() not in OFF | _OPEN:
            self._file(setting)
        elif name in _WORKERS and value.isdecimal():
            self.phrases.append(f"{value} dataloader workers")
        elif name in _SAMPLES and value.isdecimal() and int(value) > 0:
            self.most_samples = Told(value=float(value), words=setting.words)

    def _sharded(self, value: str) -> None:
        """Take Hugging Face's `fsdp: full_shard auto_wrap offload`."""
        words = re.findall(r"[a-z_]+", value.casefold())
        if not words or words[0] in OFF:
            return
        self.phrases.append(" ".join(["fsdp", *(word for word in words if word.endswith(("shard", "_op", "zero2")))]))
        self.phrases += ["cpu offload"] if "offload" in words else []

    def _file(self, setting: Setting) -> None:
        """Take the name of a file of DeepSpeed's, which tells its stage as often as not."""
        stage = _STAGE.search(setting.value)
        if stage is None:
            self.phrases.append("deepspeed")
            if setting.value.casefold() not in ON:
                self.unheeded.append(f"{setting.words} (what it holds is not known here)")
            return
        self.phrases.append(f"deepspeed zero {stage[1] or stage[2]}")
        self.phrases += ["cpu offload"] if "offload" in setting.value.casefold() else []

    def _rest(self, setting: Setting) -> None:
        """Take what the reader of running text understands; keep the key of what it does not."""
        key = setting.key
        if key == "pad_to_sequence_len":
            self.pads = setting.value.casefold() in ON
        elif setting.value in {"", "true"}:
            if _understood(key):
                self.phrases.append(key)
            elif setting.value and not IDLE.fullmatch(key):
                self.unread.append(key)
        elif _understood(f"{key}: {setting.value}"):
            self.phrases.append(f"{key}: {setting.value}")
        elif IDLE.fullmatch(key):
            pass
        elif any(letter.isalpha() for letter in setting.value) and _understood(setting.value):
            self.phrases.append(setting.value)
        else:
            self.unread.append(key)

    def configuration(self, rest: str) -> Configuration:
        """Return all that was told, with `rest` as the text beside it."""
        visible = self.numbers.pop("visible", None)
        words = [rest] if rest else []
        words += dict.fromkeys(self._in_order(rest))
        words += [*self.schedule.phrases, *self._machines()]
        if self.engine:
            words.append("HF Trainer, deepspeed" if self.asks_trainer else "deepspeed")
        if self.dialect and not (self.engine and self.dialect == "accelerate"):
            words.append(self.dialect)
        self._cut_in_parts()
        return Configuration(
            text=", ".join(words) or "auto",
            dialect=self.dialect or ("DeepSpeed" if self.engine else ""),
            numbers=MappingProxyType(dict(self.numbers)),
            most_samples=self.most_samples,
            visible=visible,
            models=tuple(dict.fromkeys(self.models)),
            adapts=self.adapts,
            unheeded=tuple(dict.fromkeys(self.unheeded)),
            unread=tuple(dict.fromkeys(self.unread)),
        )

    def _machines(self) -> list[str]:
        """Return in words over how many nodes it is launched: the count of devices alone is an argument."""
        nodes, devices = self.numbers.pop("nodes", None), self.numbers.get("gpus_per_node")
        if nodes is None:
            return []
        return [f"{nodes.value:.0f} nodes" + (f" of {devices.value:.0f} GPUs" if devices else "")]

    def _cut_in_parts(self) -> None:
        """Take where prompts are cut and where completions as where rows are, which hold both; either tells nothing."""
        prompt, completion = self.numbers.pop("prompt_length", None), self.numbers.pop("completion_length", None)
        told = self.numbers.get("sequence_length")
        if prompt is None or completion is None:
            return
        longest = prompt.value + completion.value
        if told is None or longest < told.value:
            self.numbers["sequence_length"] = Told(value=longest, words=f"{prompt.words} and {completion.words}")

    def _lengths_apart(self) -> list[str]:
        """Return in words where texts are cut that a model reads, and where those that it writes."""
        cut = ((name, self.numbers.pop(f"{name}_length", None)) for name in ("source", "target"))
        return [f"{name}s of at most {told.value:.0f} tokens" for name, told in cut if told is not None]

    def _in_order(self, rest: str) -> list[str]:
        phrases = [*self._lengths_apart(), *self.phrases, *self.formats.words(engine=self.engine)]
        if self.pads and "packing" not in phrases:
            phrases.append("pad to max length")
        told = " ".join((rest, *phrases))
        if self.adapts and not re.search(r"\b(?:lora|qlora|dora|rslora)\b", told, re.IGNORECASE):
            phrases.append("lora")
        if "4 bit base" in phrases and self.adapts:
            phrases = [words for words in phrases if words != "lora"]
            phrases.append("qlora")
        return [words for words in phrases if words]
