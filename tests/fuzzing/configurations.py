"""Publishers' configurations with keys bent at random: dropped, swapped, negated, made huge or deep."""

import copy
import random
from functools import cache
from typing import Any, cast

from estimator.catalogue import catalogue

__all__ = ["BENT", "configuration", "published"]

BENT: tuple[object, ...] = (
    0, 1, -1, 2, 3, 1e9, 10**15, 10**30, 0.5, None, "", "x", True, [], {}, [0], [1, 2], {"a": 1}, "\x1b[2J", 1e-320, 7,
)  # fmt: skip
_MOST_BENT = 3
_DEEP = 30


def configuration(dice: random.Random) -> dict[str, Any]:
    """Return one publisher's configuration, whole or with up to three keys bent; now and then nonsense."""
    given = copy.deepcopy(dice.choice(published()))
    for _ in range(dice.randint(0, _MOST_BENT)):
        _bend(dice, given)
    return given


def _bend(dice: random.Random, given: dict[str, Any]) -> None:
    if not given:
        return
    name = dice.choice(tuple(given))
    inner = given[name]
    if isinstance(inner, dict) and inner and dice.random() < 0.7:
        _bend(dice, cast("dict[str, Any]", inner))
        return
    kind = dice.random()
    if kind < 0.3:
        del given[name]
    elif kind < 0.4 and isinstance(inner, int):
        given[name] = inner * dice.choice((2, 1_000, -1))
    elif kind < 0.45:
        given[name] = _nested()
    else:
        # A copy: what is put in may be bent in its turn, and another seed's question must not know.
        given[name] = copy.deepcopy(dice.choice(BENT))


def _nested() -> dict[str, Any]:
    deep: dict[str, Any] = {}
    for _ in range(_DEEP):
        deep = {"text_config": deep}
    return deep


@cache
def published() -> tuple[dict[str, Any], ...]:
    """Return the configurations of every catalogued model that has one."""
    rows: Any = catalogue.data_files()["model_configs.json"]
    return tuple(row["config"] for row in rows["models"])
