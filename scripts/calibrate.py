"""Fit constants and effects to the published runs; write them, what leaving labs out showed, and further tables."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from estimator.calibrate.kinds import fitted_kinds, kind_errors, kind_tables  # noqa: E402
from estimator.calibrate.people import answered_threads, people_figures  # noqa: E402
from estimator.calibrate.people_left_out import answers_left_out  # noqa: E402
from estimator.calibrate.refit import refitted  # noqa: E402
from estimator.calibrate.tables_fitted import all_tables  # noqa: E402
from estimator.catalogue.calibration_shapes import AccuracyFile, CalibrationFile, TablesFile  # noqa: E402
from estimator.evidence.calibration import calibration_as_written, standing_in  # noqa: E402 - the checkout's own packages come first

DATA = ROOT / "estimator" / "catalogue" / "data"


def main() -> None:
    """Fit, judge, write."""
    fitted = refitted()
    others = kind_errors(calibration_as_written(fitted.calibration))
    levels = fitted_kinds(others)
    fitted.calibration["kinds"], fitted.calibration["manners"] = levels.kinds, levels.manners
    fitted.calibration["kind_runs"] = levels.runs
    _write("calibration.json", fitted.calibration)
    _write("accuracy.json", fitted.accuracy)
    written = calibration_as_written(fitted.calibration)
    tables = all_tables(written)
    tables["tables"] += kind_tables(others)
    with standing_in(written):
        tables["people"] = people_figures(answered_threads(), answers_left_out(written))
    _write("tables.json", tables)
    error = fitted.accuracy["median_in_sample"]
    print(f"{fitted.accuracy['rows_fitted_on']} rows, median error {error:.1%} with none left out")


def _write(name: str, content: CalibrationFile | AccuracyFile | TablesFile) -> None:
    (DATA / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {name}")


if __name__ == "__main__":
    main()
