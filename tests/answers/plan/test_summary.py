"""What a plan's summary says of limits and devices.

Authority: the arguments as given; 72 GPUs in a rack of NVL72.
"""

import math
import re
from typing import Any

from tools.plan_training import TrainingPlan, plan_training


def _plan(**asked: Any) -> TrainingPlan:  # noqa: ANN401 - any argument
    return plan_training(detail="detailed", **asked)


def test_a_deadline_that_nobody_gave_is_told_as_one() -> None:
    asked = {"solve_for": "gpu", "model": "llama-3.1-8b", "tokens": "1B", "budget": "$200"}
    assert "no deadline was given" in _plan(**asked).summary
    assert "no deadline was given" not in _plan(**asked, deadline="30 days").summary


def test_gpus_of_a_rack_are_counted_as_such_with_the_racks_that_hold_them() -> None:
    asked = {"solve_for": "n_gpus", "model": "llama-3.1-70b", "gpu": "GB200 NVL72", "tokens": "15T"}
    summary = _plan(**asked, deadline="60 days").summary
    found = re.findall(r"([\d,]+) GPUs of GB200 NVL72 \(in ([\d,]+) racks?\)", summary)
    assert found
    for gpus, racks in found:
        assert math.ceil(int(gpus.replace(",", "")) / 72) == int(racks.replace(",", ""))
    assert "×" not in summary
