"""A release has what came before it and nothing of what came after, so that an older one is never faster.

Authority: Korthikanti et al. 2022 (selective recomputation), Narayanan et al. 2021 (interleaved stages).
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.physics.choice import fastest, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.layout_releases import SELECTIVE_SINCE
from estimator.physics.stacks import STACKS, XLA
from estimator.question.question import LayoutRequest, Question
from tests.physics_cases import catalogued_cluster

YEARS = (2019.5, 2020.5, 2021.5, 2022.5, 2023.5, 2024.5, 2025.5)
RUNS = {
    "gpt2-xl on 64 V100": ("gpt2-xl", "v100-sxm2-16gb", 64, 1024),
    "13B on 128 V100": ("gpt-3-13b", "v100-sxm2-32gb", 128, 2048),
    "7B on 64 A100": ("llama-2-7b", "a100-sxm-80gb", 64, 4096),
    "175B on 1,024 A100": ("gpt-3-175b", "a100-sxm-80gb", 1024, 2048),
    "8B on 64 H100": ("llama-3.1-8b", "h100-sxm", 64, 8192),
    "experts on 64 H100": ("mixtral-8x7b", "h100-sxm", 64, 4096),
}


def _asked(run: str, stack: str) -> Question:
    model, gpu, n_gpus, length = RUNS[run]
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=catalogued_cluster(gpu, n_gpus),
        precision="fp16" if gpu.startswith("v100") else "bf16",
        sequence_length=length,
        global_batch_sequences=2 * max(256, n_gpus),
        framework=stack,
    )


@pytest.mark.parametrize("run", RUNS)
def test_an_older_release_of_a_stack_is_never_faster(run: str) -> None:
    for stack in STACKS:
        question = _asked(run, stack)
        found = [fastest(replace(question, released=year), prior_constants()) for year in YEARS]
        seconds = [one.step_s for one in found if one is not None]
        for older, newer in pairwise(seconds):
            assert newer <= older * 1.0001, stack


@pytest.mark.parametrize("stack", sorted(STACKS))
def test_layouts_have_nothing_that_came_after_a_release(stack: str) -> None:
    for year in YEARS[:3]:
        question = replace(_asked("13B on 128 V100", stack), released=year)
        try:
            setting = setting_of(question)
        except InfeasibleError:
            continue
        if STACKS[stack].kin not in XLA and STACKS[stack].recompute != "selective":
            assert not np.any(setting.layouts.knob("recompute") == 1)
        if year < 2021.0:
            assert np.all(setting.layouts.knob("virtual") == 1)


def test_what_is_stated_is_run_whatever_the_release_has() -> None:
    layout = LayoutRequest(recompute="selective", virtual_pipeline=2, pipeline_parallel=2)
    question = replace(_asked("13B on 128 V100", "megatron"), released=SELECTIVE_SINCE - 2.0, layout=layout)
    setting = setting_of(question)
    assert np.all(setting.layouts.knob("recompute") == 1)
    assert np.all(setting.layouts.knob("virtual") == 2)
