"""Of what a rate or a size is told: of each device, or of each machine."""

from estimator.question.practice import NetworkOf

__all__ = ["EACH", "whose"]

EACH = r"(?:per|/|a|each|for each) ?(?P<{0}>gpu|card|device|accelerator|node|machine|server|host)s?"
"""A pattern of `per GPU`, `each node`; to be given the name of its group."""
_DEVICES = frozenset({"gpu", "card", "device", "accelerator"})


def whose(name: str) -> NetworkOf:
    """Return whether `name`, as `EACH` finds it, is a device's or a machine's."""
    return "device" if name.casefold() in _DEVICES else "node"
