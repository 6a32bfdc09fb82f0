"""Fit constants and effects to the published runs; write the calibration and what leaving sources out showed."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.files import AccuracyFile, CalibrationFile  # noqa: E402 - the checkout's own packages come first
from estimator.refit import refit  # noqa: E402

DATA = ROOT / "estimator" / "data"


def main() -> None:
    """Fit, judge, write."""
    fitted = refit()
    _write("calibration.json", fitted.calibration)
    _write("accuracy.json", fitted.accuracy)
    error = fitted.accuracy["median_in_sample"]
    print(f"{fitted.accuracy['rows_fitted_on']} rows, median error {error:.1%} with none left out")


def _write(name: str, content: CalibrationFile | AccuracyFile) -> None:
    (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {name}")


if __name__ == "__main__":
    main()
