"""What verdicts `check_training_speed` gives on the published runs, as they were, at a third, and beyond the device.

Twice: by the constants that answers use, and by those fitted without each run's own source.
"""

from collections.abc import Sequence

from estimator.answers.check.expected import verdict
from tests.published_checks import Row, left_out, rows, share

_REGIMES = ("all", "dense", "experts", "adapters", "untuned")


def main() -> None:
    """Print one table of shares for the fitted constants, and one for those left out."""
    for title, several in (("constants as shipped", rows()), ("own source left out", left_out(rows()))):
        print(f"| {title} | runs | normal (≥ 90 %) | slow at a third (≥ 95 %) | implausible above the device (100 %) |")
        print("| --- | ---: | ---: | ---: | ---: |")
        for regime in _REGIMES:
            of_regime = [row for row in several if regime in row.regimes]
            if of_regime:
                print(f"| {regime} | {len(of_regime):,} | {_shares(of_regime)} |")
        print()


def _shares(several: Sequence[Row]) -> str:
    above = sum(verdict(row.above, row.expected, row.bound) == "implausible" for row in several) / len(several)
    return " | ".join(f"{figure:.1%}" for figure in (share(several, "normal"), share(several, "slow", 1 / 3), above))


if __name__ == "__main__":
    main()
