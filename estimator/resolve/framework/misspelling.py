"""The stack that a misspelt name is nearest to: `megatorn`, `hugingface`."""

import re

from estimator.resolve.framework.meaning import Meaning, folded
from estimator.resolve.framework.names import NAMES

__all__ = ["nearest_name"]

_SHORTEST, _LONGEST = 6, 40
"""Letters; a slip in a shorter word makes another word of it: llama is not llava."""
_LONG = 10
"""Letters from which two slips are forgiven: `gigatron` is two from `megatron`, and another stack."""
_CONTENT = re.compile(r"[^\W_]+")
_KEYS = tuple(key for key, meaning in NAMES.items() if len(key) >= _SHORTEST and meaning.rank >= 0)


def nearest_name(text: str) -> tuple[Meaning, str] | None:
    """Return the one stack that `text` misspells and the name it is near; None where there is none, or several."""
    key = folded(text)
    if not _SHORTEST <= len(key) <= _LONGEST or not _CONTENT.search(text):
        return None
    allowed = 2 if len(key) >= _LONG else 1
    near = [(slips, name) for name in _KEYS if (slips := _slips(key, name, allowed)) <= allowed]
    if not near:
        return None
    fewest = min(near)[0]
    names = [name for slips, name in near if slips == fewest]
    if len({NAMES[name].stack for name in names}) > 1:
        return None
    return NAMES[names[0]], names[0]


def _slips(a: str, b: str, most: int) -> int:
    """Return letters left out, put in, changed or swapped between `a` and `b`, counted up to one more than `most`.

    Source: Damerau 1964, in the restricted form (optimal string alignment).
    """
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, right in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
