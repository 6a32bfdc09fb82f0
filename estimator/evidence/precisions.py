"""The precision that nobody told, of a model that is published in fewer bits on the chip: the range holds both."""

import math
from dataclasses import replace

from estimator.evidence.blend import blend_of
from estimator.evidence.calibration import Calibration
from estimator.evidence.mixture import Doubt, Times
from estimator.evidence.precedent import narrow_format
from estimator.physics.choice import Setting, posed_case
from estimator.physics.execution import execution_of
from estimator.physics.layout import Layouts
from estimator.physics.step import step_time

__all__ = ["precision_doubts"]

_NARROW_SHARE = 0.2
"""Share of those who train on a chip with 8-bit products, and say nothing of them, that use them: two of the seven labs
with whole trainings on such chips did, one of them in one of three; labs alike one in five."""
_FELT = 0.05
"""Log time below which the formats differ by nothing that is felt: a tenth is worth choosing one for, on any stack."""


def precision_doubts(
    setting: Setting, layouts: Layouts, physical_s: float, calibration: Calibration
) -> tuple[Doubt, ...]:
    """Return the doubt whether a step of `physical_s` in the one layout is run in 8 bits or fewer.

    The same on however many devices, and in whatever length. None where no run of the model on such a chip is
    published so, or on stacks that few would do it with. The point stays that of the precision that is printed.
    """
    question, stack = setting.question, setting.stack
    told = "precision" not in question.unsaid or question.published
    if told or stack.tier != "tuned" or question.fine_tunes:
        return ()
    narrow = narrow_format(question.transformer, question.cluster.accelerator, question.method.name)
    if narrow is None or narrow == question.precision:
        return ()
    asked = replace(question, precision=narrow)
    other = replace(setting, question=asked, case=posed_case(asked, execution_of(asked, stack)))
    narrow_s = float(step_time(other.case, layouts, calibration.constants).total_s[0])
    factor = narrow_s * blend_of(other, calibration, narrow_s).factor
    factor /= physical_s * blend_of(setting, calibration, physical_s).factor
    if -math.log(factor) < _FELT:
        return ()

    def words(times: Times) -> str:
        return (
            f"{question.precision} is assumed, as is usual; in {narrow}, as some published runs of the model on such "
            f"chips are, a step would take about {times.told('', assumed=f'in {question.precision}')}, and the range "
            "holds both: say precision"
        )

    ways = ((factor, _NARROW_SHARE),)
    return (Doubt(argument="precision", ways=ways, code="precision_unsaid", words=words, moves=False),)
