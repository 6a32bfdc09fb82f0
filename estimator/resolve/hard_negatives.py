"""How many negatives a contrastive sample has of its own, as people say it: `with 7 hard negatives`."""

import re

from estimator.base.errors import InvalidValueError
from estimator.base.spoken import spoken

__all__ = ["HARD_NEGATIVES", "hard_negatives"]

HARD_NEGATIVES = re.compile(
    r"(?<!\w)(?<!\w-)(?:with )?(?:"
    r"(?P<none>no|without|zero) (?:hard|mined|explicit)[ -]negatives?"
    r"|(?P<count>\d{1,9}|one|two|three|four|five|six|seven|eight|nine|ten) "
    r"(?:(?:hard|mined|explicit|random|sampled)[ -]){0,3}negatives?"
    r"|(?:num|n|number(?: of)?)[ _-](?:hard[ _-])?negatives?\s?(?:[:=]|is|of)?\s?(?P<named>\d{1,9})"
    r"|train[ _-]group[ _-]size\s?(?:[:=]|of|is)?\s?(?P<group>\d{1,9})"
    r"|(?:a )?(?:hard|mined)[ -]negatives?(?:\s?[:=]\s?(?P<behind>\d{1,9}))?"
    r")(?: (?:(?:per|for each|for every|a|an|each) (?:query|sample|anchor|positive|question|pair)|each))?(?![\w-])",
    re.IGNORECASE,
)
"""The others of a batch, which cost nothing, are not meant: `in-batch negatives`. FlagEmbedding's group is a positive
and its negatives."""
_MOST = 1_000
"""More are kept as vectors, in a queue or a memory bank, and not run."""


def hard_negatives(text: str, argument: str) -> int | None:
    """Return the negatives of its own that `text` gives a sample, one where it gives no number; None where it has none.

    Raises InvalidValueError for more than any model is run on.
    """
    found = HARD_NEGATIVES.search(spoken(text))
    if found is None:
        return None
    number = found["count"] or found["named"] or found["behind"]
    if found["group"]:
        count = max(0, int(found["group"]) - 1)
    else:
        count = 0 if found["none"] else 1 if number is None else int(spoken(number))
    if count > _MOST:
        remedy = (
            f"gives each sample more than {_MOST:,} negatives; leave out those of the batch, of a queue or of a memory "
            "bank, which the model does not run on"
        )
        raise InvalidValueError(argument, text, remedy)
    return count
