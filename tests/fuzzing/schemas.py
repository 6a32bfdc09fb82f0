"""Arguments made from nothing but an advertised schema: what a client sends that knows no catalogue."""

import random
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["arguments_of"]

_GIVEN = 0.2
_TEXTS = ("h100", "llama-3.1-8b", "7B", "1T", "30 days", "$10k", "4k", "64", "packed", "auto", "dpo", "x")
_OTHER_TYPES: tuple[object, ...] = ("text", 1, 0.5, True, [], {}, None, [1], {"a": 1})
_WRONG = 0.05
_MOST_ITEMS = 3
_LARGEST = 4_096


def arguments_of(dice: random.Random, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is required and some of what may be given, of the advertised types more often than not."""
    required = schema.get("required", ())
    return {
        name: _value(dice, blank)
        for name, blank in schema["properties"].items()
        if name in required or dice.random() < _GIVEN
    }


def _value(dice: random.Random, blank: Mapping[str, Any]) -> object:
    if dice.random() < _WRONG:
        return dice.choice(_OTHER_TYPES)
    if "enum" in blank:
        return dice.choice(blank["enum"])
    return _MADE.get(blank["type"], _text)(dice, blank)


def _text(dice: random.Random, _blank: Mapping[str, Any]) -> object:
    return dice.choice(_TEXTS)


def _list(dice: random.Random, blank: Mapping[str, Any]) -> object:
    return [_value(dice, blank["items"]) for _ in range(dice.randint(0, _MOST_ITEMS))]


def _whole(dice: random.Random, blank: Mapping[str, Any]) -> object:
    return dice.randint(blank.get("minimum", 0), blank.get("maximum", _LARGEST))


def _number(dice: random.Random, _blank: Mapping[str, Any]) -> object:
    return dice.choice((0.0, dice.random(), 10 ** dice.uniform(-9, 15)))


def _object(dice: random.Random, _blank: Mapping[str, Any]) -> object:
    return {dice.choice(_TEXTS): dice.choice(_OTHER_TYPES) for _ in range(dice.randint(0, _MOST_ITEMS))}


_MADE: Mapping[str, Callable[[random.Random, Mapping[str, Any]], object]] = {
    "array": _list,
    "integer": _whole,
    "number": _number,
    "object": _object,
}
