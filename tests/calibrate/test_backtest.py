"""Which published runs are fitted to and judged by.

Authority: what their sources say of their own timing.
"""

from estimator.calibrate.backtest import table
from estimator.catalogue import catalogue
from estimator.physics.constants import prior_constants


def test_a_speed_that_its_own_source_disclaims_is_neither_fitted_to_nor_judged_by() -> None:
    """Cards call the timing of what they ran to show that it works a sanity check; a footnote names a regression."""
    disclaimed = [run for run in catalogue.runs() if run.details.disclaimed]
    other = next(run for run in catalogue.runs() if run.tokens_per_second_per_gpu and run not in disclaimed)
    rows = table(prior_constants(), [*disclaimed, other])
    assert [run.id for run in rows.runs] == [other.id]
    assert dict(rows.left_out) == {run.id: run.details.disclaimed for run in disclaimed}
    assert {run.details.tuning for run in disclaimed} == {"functional", "regression"}
