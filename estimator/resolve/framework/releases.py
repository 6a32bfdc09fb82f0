"""When software came out: years, containers named by year and month, and versions whose date is well known."""

import re
from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["MONTHS", "PARTS_OF_YEAR", "dated", "is_year", "month_start", "version_date"]

MONTHS = MappingProxyType(
    {
        name: number
        for number, names in enumerate(
            (
                ("jan", "january"),
                ("feb", "february"),
                ("mar", "march"),
                ("apr", "april"),
                ("may",),
                ("jun", "june"),
                ("jul", "july"),
                ("aug", "august"),
                ("sep", "sept", "september"),
                ("oct", "october"),
                ("nov", "november"),
                ("dec", "december"),
            ),
            1,
        )
        for name in names
    }
)
PARTS_OF_YEAR: Mapping[str, float] = MappingProxyType({"early": 0.15, "mid": 0.5, "late": 0.85})
_YEAR = re.compile(r"20[12]\d")
_CONTAINER = re.compile(r"v?(2\d)\.(0[1-9]|1[0-2])(?:\.\d+)*")
"""NVIDIA's containers, `25.09`; the same month's fixes, `26.04.01`."""
_SHORT_CONTAINER = re.compile(r"v?(2\d)\.([1-9])(?:\.\d+)*")
"""AMD's, `v25.6`, and NVIDIA's as people say them."""
_CALENDAR = re.compile(r"(20[12]\d)[-/.](1[0-2]|0?[1-9])(?:[-/.]\d{1,2})?")
_QUARTER = re.compile(r"(20[12]\d)q([1-4])")
_NUMBERS = re.compile(r"(\d+)(?:\.(\d+))?")
_VERSIONS: Mapping[str, tuple[tuple[int, int, float], ...]] = MappingProxyType(
    {
        "torch": (
            *((1, 8, 2021.17), (1, 9, 2021.46), (1, 10, 2021.8), (1, 11, 2022.2), (1, 12, 2022.5), (1, 13, 2022.8)),
            *((2, 0, 2023.2), (2, 1, 2023.76), (2, 2, 2024.08), (2, 3, 2024.31), (2, 4, 2024.56), (2, 5, 2024.8)),
            *((2, 6, 2025.08), (2, 7, 2025.31), (2, 8, 2025.6), (2, 9, 2025.79)),
        ),
        "transformers": (
            *((4, 0, 2020.9), (4, 10, 2021.67), (4, 20, 2022.46), (4, 28, 2023.28), (4, 31, 2023.55), (4, 36, 2023.95)),
            *((4, 40, 2024.3), (4, 44, 2024.6), (4, 46, 2024.81), (4, 50, 2025.22), (4, 53, 2025.48), (4, 57, 2025.75)),
            (5, 0, 2026.07),
        ),
        "deepspeed": (
            *((0, 3, 2020.7), (0, 4, 2021.4), (0, 5, 2021.62), (0, 6, 2022.17), (0, 7, 2022.56), (0, 8, 2023.04)),
            *((0, 9, 2023.28), (0, 10, 2023.54), (0, 12, 2023.87), (0, 14, 2024.2), (0, 15, 2024.62), (0, 16, 2024.9)),
            (0, 17, 2025.44),
        ),
        "te": (
            *((0, 6, 2023.2), (1, 0, 2023.85), (1, 7, 2024.5), (1, 11, 2024.8), (2, 0, 2025.12), (2, 4, 2025.46)),
            *((2, 8, 2025.77), (2, 11, 2026.04)),
        ),
        "mcore": (
            *((0, 3, 2023.8), (0, 5, 2024.2), (0, 7, 2024.45), (0, 8, 2024.6), (0, 9, 2024.8), (0, 10, 2025.1)),
            *((0, 11, 2025.2), (0, 12, 2025.37), (0, 13, 2025.56), (0, 14, 2025.77), (0, 15, 2025.95)),
        ),
        "nemo": ((1, 0, 2021.4), (1, 10, 2022.5), (1, 20, 2023.6), (1, 23, 2024.15), (2, 0, 2024.85), (2, 3, 2025.4)),
        "neuron": (
            *((2, 10, 2023.35), (2, 13, 2023.66), (2, 15, 2023.82), (2, 16, 2023.97), (2, 18, 2024.25)),
            *((2, 20, 2024.71), (2, 21, 2024.97), (2, 24, 2025.48)),
        ),
        "habana": ((1, 6, 2023.45), (1, 10, 2024.06), (1, 12, 2024.48), (1, 14, 2024.82)),
        "trl": (
            (0, 4, 2023.2),
            (0, 7, 2023.65),
            (0, 8, 2024.2),
            (0, 9, 2024.43),
            (0, 12, 2024.84),
            (0, 15, 2025.12),
            (0, 20, 2025.57),
            (0, 22, 2025.68),
            (0, 26, 2025.94),
            (1, 0, 2026.24),
            (1, 4, 2026.35),
            (1, 7, 2026.48),
            (1, 9, 2026.55),
        ),
        "accelerate": ((0, 20, 2023.43), (0, 25, 2023.92), (0, 30, 2024.35), (1, 0, 2024.76)),
        "torchtune": (
            (0, 1, 2024.29),
            (0, 2, 2024.56),
            (0, 3, 2024.73),
            (0, 4, 2024.87),
            (0, 5, 2025.05),
            (0, 6, 2025.27),
        ),
        "lightning": ((1, 5, 2021.84), (2, 0, 2023.2), (2, 2, 2024.1), (2, 5, 2024.97)),
        "swift": ((1, 0, 2023.6), (2, 0, 2024.38), (3, 0, 2025.0)),
        "rocm": (
            (5, 4, 2022.9),
            (6, 0, 2023.96),
            (6, 1, 2024.3),
            (6, 2, 2024.6),
            (6, 3, 2024.92),
            (6, 4, 2025.28),
            (7, 0, 2025.71),
        ),
    }
)
"""Major and minor version, and when it came out, by project; from their release pages. CUDA is none of them: drivers
and toolkits are years older than what runs on them."""


def is_year(text: str) -> bool:
    """Return whether `text` is a year."""
    return _YEAR.fullmatch(text) is not None


def month_start(year: float, month: int) -> float:
    """Return when a month begins, in years."""
    return year + (month - 1) / 12.0


def dated(text: str, *, of_name: bool = False) -> float | None:
    """Return the date that `2025-06`, `2025q2` or a container's `25.09` tells, in years; None for other versions.

    Right behind a name (`of_name`) a container's month may have one digit: `25.9`.
    """
    if found := _CALENDAR.fullmatch(text):
        return month_start(float(found[1]), int(found[2]))
    if found := _CONTAINER.fullmatch(text):
        return month_start(2000.0 + float(found[1]), int(found[2]))
    if of_name and (found := _SHORT_CONTAINER.fullmatch(text)):
        return month_start(2000.0 + float(found[1]), int(found[2]))
    if found := _QUARTER.fullmatch(text):
        return float(found[1]) + (int(found[2]) - 1) / 4.0
    return None


def version_date(project: str, text: str) -> float | None:
    """Return when `text`, a version of `project`, came out, in years; None where that is not known.

    A version between two known ones is as old as the older; one above all, of the same major version, as the newest.
    """
    known = _VERSIONS.get(project)
    found = _NUMBERS.search(text.replace("x", "0"))
    if known is None or found is None:
        return None
    version = int(found[1]), int(found[2] or 0)
    if version[0] > known[-1][0] or version < known[0][:2]:
        return None
    return max(date for major, minor, date in known if (major, minor) <= version)
