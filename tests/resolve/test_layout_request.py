"""A stated layout that cannot be is refused with the degree that is wrong, and with one that would do.

Authority: Shoeybi et al. 2020, Narayanan et al. 2021: degrees divide the devices; experts lie on those of one stage.
"""

import re

import pytest

from estimator.base.errors import EstimatorError
from tools.estimate_training_time import estimate_training_time

GPUS = 256


def _refusal(stages: int, experts: int) -> str:
    try:
        estimate_training_time(
            model="deepseek-v3",
            gpu="h100",
            n_gpus=GPUS,
            tokens="1T",
            framework="megatron",
            pipeline_parallel=stages,
            expert_parallel=experts,
        )
    except EstimatorError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("stages", [1, 4, 8, 32])
@pytest.mark.parametrize("experts", [8, 48, 64, 128, 256])
def test_what_is_said_to_do_does(stages: int, experts: int) -> None:
    refused = _refusal(stages, experts)
    fits = GPUS % (stages * experts) == 0
    assert (not refused) == fits
    if refused:
        assert refused.startswith(f"expert_parallel: {experts} must divide")
        told = re.findall(r"\d+", refused.split(";")[1])
        assert told
        for near in map(int, told):
            assert not _refusal(stages, near)
