"""Read single values out of a Hugging Face configuration, refusing what no model can have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from estimator.base.errors import InvalidValueError

__all__ = ["LONGEST_NAME", "SYNONYMS", "Config", "Reading", "entries", "inside", "nested", "own_name"]

Config = Mapping[str, object]

LONGEST_NAME = 80
"""Characters of a model's or class's name that are read: more than any class has, and few enough to search."""
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "hidden_size": ("n_embd", "n_embed", "d_model"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
    "max_position_embeddings": ("n_positions", "max_seq_len", "max_sequence_length", "seq_length", "n_ctx"),
    "vocab_size": ("padded_vocab_size",),
}
"""What the same quantity is called in other families."""

_MOST = {"num_hidden_layers": 10_000, "num_attention_heads": 100_000, "num_key_value_heads": 100_000}
_MOST_OTHERWISE = 100_000_000
"""Ten times the widest matrix or largest vocabulary anyone has trained, or more."""


def nested(config: Config, key: str) -> Config | None:
    """Return the configuration that lies inside `config`; None where there is none.

    Raises InvalidValueError where something else lies there.
    """
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidValueError(f"hf_config.{key}", value, "must be an object, as in the model's config.json")
    return cast("Config", value)


def entries(value: object) -> list[object]:
    """Return what a list of a configuration holds; nothing of what is no list."""
    return list(cast("list[object] | tuple[object, ...]", value)) if isinstance(value, list | tuple) else []


def inside(value: object, key: str) -> Config:
    """Return the object at `key` of what may be an object; an empty one where there is none."""
    if not isinstance(value, Mapping):
        return {}
    part = cast("Config", value).get(key)
    return cast("Config", part) if isinstance(part, Mapping) else {}


def own_name(config: Config, otherwise: str) -> str:
    """Return what a configuration calls its model; `otherwise` where it does not."""
    given = config.get("_name_or_path")
    return given[:LONGEST_NAME] if isinstance(given, str) and given else otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A configuration with its family's defaults behind it; null counts as left out."""

    config: Config
    defaults: Config
    model_type: str
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """What the family's files also call a key, beside the names that many share."""

    def value(self, key: str) -> object:
        """Return what stands at `key` or a synonym of it, else the family's default, else None."""
        for name in (key, *self.aliases.get(key, ()), *SYNONYMS.get(key, ())):
            value = self.config.get(name)
            if value is not None:
                return value
        return self.defaults.get(key)

    def whole(self, key: str, *, least: int = 1) -> int:
        """Return the whole number at `key`.

        Raises InvalidValueError where it is missing, or not a whole number from `least` to what a model can have.
        """
        value = self.value(key)
        if value is None:
            others = SYNONYMS.get(key, ())
            called = f" (or {', '.join(others)})" if others else ""
            raise InvalidValueError(
                "hf_config", self.model_type, f"configuration lacks {key}{called}; give the model's whole config.json"
            )
        most = _MOST.get(key, _MOST_OTHERWISE)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            number = int(value)
            if number == value:
                return number
        raise InvalidValueError(f"hf_config.{key}", value, f"must be a whole number from {least} to {most:,}")

    def optional(self, key: str, default: int, *, least: int = 0) -> int:
        """Return the whole number at `key`, or `default` where it is left out."""
        return default if not key or self.value(key) is None else self.whole(key, least=least)

    def number(self, key: str, default: float) -> float:
        """Return the number at `key`, whole or not, or `default` where there is none."""
        value = self.value(key)
        return float(value) if isinstance(value, int | float) else default

    def flag(self, key: str, *, default: bool) -> bool:
        """Return the truth at `key`, or `default` where it is left out."""
        value = self.value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InvalidValueError(f"hf_config.{key}", value, "must be true or false")
        return value

    def items(self, key: str) -> tuple[object, ...]:
        """Return the list at `key`, or nothing where it is left out."""
        value = self.value(key)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise InvalidValueError(f"hf_config.{key}", value, "must be a list")
        return tuple(cast("list[object] | tuple[object, ...]", value))
