"""Values as people read them: numbers, titles, what is true and what is not there."""

from typing import cast

from estimator.base.units import format_count

__all__ = ["is_plain", "shown_number", "shown_title", "shown_value"]

_DIGITS = 4


def is_plain(value: object) -> bool:
    """Return whether a value is shown in one cell."""
    return value is None or isinstance(value, str | int | float | bool)


def shown_value(value: object) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return shown_number(value)
    if isinstance(value, dict):
        facts = cast("dict[str, object]", value)
        return ", ".join(f"{shown_title(key).lower()} {shown_value(item)}" for key, item in facts.items())
    if isinstance(value, list):
        return ", ".join(shown_value(item) for item in cast("list[object]", value))
    return str(value)


def shown_number(value: float) -> str:
    """Return a number with four significant digits and thousands apart; whole ones in full."""
    if value == int(value):
        return f"{value:,.0f}" if abs(value) < 1e9 else format_count(value)  # noqa: PLR2004 - readable in full
    rounded = float(f"{value:.{_DIGITS}g}")
    if 1e3 <= abs(rounded) < 1e9:  # noqa: PLR2004 - readable in full
        return f"{rounded:,.0f}"
    return f"{rounded:g}"


def shown_title(name: str) -> str:
    """Return a key as people write it."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]
