"""The predicted step of one layout: what the answer to a single question and a comparison of thousands share."""

from estimator.evidence.calibration import Calibration
from estimator.evidence.outlook import outlook_of
from estimator.evidence.uncertainty import Interval
from estimator.models.flops import flop_counts
from estimator.physics.choice import Setting
from estimator.physics.effects import effect_keys
from estimator.physics.layout import Layouts
from estimator.physics.memory import Memory
from estimator.physics.step import PARTS, StepTime
from estimator.question.question import MemoryUse, Prediction

__all__ = ["effect", "layout_prediction", "time_shares"]


def effect(setting: Setting, calibration: Calibration) -> float:
    """Return the log correction of physical time: calibrated effects plus the kriged residual of runs like it."""
    keys = effect_keys(setting.question, setting.stack)
    return sum(calibration.effects.get(key, 0.0) for key in keys) + outlook_of(setting).correction_log


def layout_prediction(
    setting: Setting, span: Interval, *, factor: float, layouts: Layouts, times: StepTime, used: Memory, row: int
) -> Prediction:
    """Return the prediction of the layout at `row`, without what only the answer to a single question shows.

        step = physical time · factor      factor = exp(`effect`)

    `times` and `used` are those of all `layouts`; `span` is the range of the setting, whichever its layout.
    """
    question = setting.question
    layout = layouts.row(row)
    flop = flop_counts(
        question.transformer,
        sequence_length=question.sequence_length,
        method=question.method,
        recompute=layout.recompute,
    )
    return Prediction(
        step_s=float(times.total_s[row]) * factor,
        tokens_per_step=setting.global_batch * question.sequence_length,
        low_factor=span.low,
        high_factor=span.high,
        coverage=span.coverage,
        layout=layout,
        memory=MemoryUse(
            weights_bytes=float(used.weights_bytes[row]),
            gradients_bytes=float(used.gradients_bytes[row]),
            optimizer_bytes=float(used.optimizer_bytes[row]),
            activations_bytes=float(used.activations_bytes[row]),
            other_bytes=float(used.other_bytes[row]),
            capacity_bytes=question.cluster.accelerator.memory_bytes,
        ),
        breakdown=time_shares(times, row),
        model_flop_per_token=flop.model,
        hardware_flop_per_token=flop.hardware,
        assumptions=(),
        warnings=span.warnings,
        runner_ups=(),
        narrow_by=(),
        comparable_runs=(),
    )


def time_shares(times: StepTime, row: int) -> dict[str, float]:
    """Return the share of each part in the step of one layout; calibrated effects are the same on all."""
    total_s = float(times.total_s[row])
    return {part: float(getattr(times, f"{part}_s")[row]) / total_s for part in PARTS}
