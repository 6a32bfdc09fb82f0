"""What a text says of the software that trains."""

from functools import lru_cache

from estimator.resolve.framework.software import AUTO, NOTHING_NAMED, NamedFramework

__all__ = ["named_framework"]


@lru_cache(maxsize=1024)
def named_framework(given: str) -> NamedFramework:
    """Return what `given` says of the software; the same few texts are asked for again and again. Never raises."""
    if given == AUTO:
        return NOTHING_NAMED
    # Most questions name none, and the tables of names and practices take a while to be made.
    from estimator.resolve.framework.naming import framework_named_by

    return framework_named_by(given)
