"""How many modules that predict tokens beyond the next (MTP) a configuration states, under any name."""

import re

from estimator.models.huggingface.reading import Config

__all__ = ["prediction_modules"]

_COUNTS = re.compile(r"mtp|nextn|next_n_|multi_token|predict_layers")
_MOST = 64
"""More modules than anyone trains: what is larger counts something else, such as tokens."""


def prediction_modules(config: Config) -> int:
    """Return how many modules are stated; 0 where none is, 1 where they are named and not counted."""
    stated = [(key, value) for key, value in config.items() if _COUNTS.search(key) and value]
    if not stated:
        return 0
    return next(
        (value for key, value in stated if type(value) is int and 0 < value <= _MOST and "id" not in key),
        1,
    )
