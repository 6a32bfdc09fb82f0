"""What holds of every step, whatever the model, the device, the layout, the method and the stack.

Authority: arithmetic, and the roofline of Williams et al. 2009.
"""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.models.training import Method
from estimator.physics.case import stacked
from estimator.physics.constants import prior_constants
from estimator.physics.execution import Execution
from estimator.physics.layout import RECOMPUTES, layouts_of
from estimator.physics.matmul import matrices_s, products_s
from estimator.physics.step import PARTS, StepTime, step_time
from estimator.question.question import Layout
from tests.physics_cases import any_execution, any_layout, catalogued_case, catalogued_cluster

MODELS = ("llama-3.1-8b", "mixtral-8x7b", "deepseek-v3", "gpt-3-175b", "qwen3-30b-a3b")
GPUS = ("h100-sxm", "a100-sxm-40gb", "h100-nvl", "a10", "rtx-4090", "v100-sxm2-32gb", "gb200", "tpu-v5p", "mi210")
model = st.sampled_from(MODELS)
gpu = st.sampled_from(GPUS)
precision = st.sampled_from(["bf16", "fp8", "fp32"])
method = st.builds(
    Method, name=st.sampled_from(["full", "lora", "qlora", "frozen"]), lora_rank=st.sampled_from([4, 256])
)
CONSTANTS = prior_constants()


@given(name=model, chip=gpu, rows=st.lists(any_layout, min_size=1, max_size=6), how=method, execution=any_execution)
def test_many_layouts_at_once_equal_each_alone(
    name: str, chip: str, rows: list[Layout], how: Method, execution: Execution
) -> None:
    """Vectorising must not change an answer."""
    case = catalogued_case(name, catalogued_cluster(chip, 512), method=how, execution=execution)
    together = step_time(case, layouts_of(*rows), CONSTANTS)
    for index, row in enumerate(rows):
        alone = step_time(case, layouts_of(row), CONSTANTS)
        for field in fields(StepTime):
            assert getattr(together, field.name)[index] == pytest.approx(getattr(alone, field.name)[0], rel=1e-12)


@given(name=model, chip=gpu, rows=st.lists(any_layout, min_size=1, max_size=6), how=method, execution=any_execution)
@settings(max_examples=50)
def test_matrices_timed_together_equal_each_alone(
    name: str, chip: str, rows: list[Layout], how: Method, execution: Execution
) -> None:
    """And a step is as long with products that are known already."""
    case, lay = catalogued_case(name, catalogued_cluster(chip, 512), method=how, execution=execution), layouts_of(*rows)
    tokens = lay.micro_batch * case.sequence_length / lay.context
    for matrix, forward, backward in matrices_s(case, CONSTANTS, case.matrices, lay, tokens):
        [(_, forward_alone, backward_alone)] = matrices_s(case, CONSTANTS, [matrix], lay, tokens)
        assert forward == pytest.approx(forward_alone, rel=1e-12)
        assert backward == pytest.approx(backward_alone, rel=1e-12)
    known = step_time(case, lay, CONSTANTS, products_s(case, CONSTANTS, lay)).total_s
    assert np.array_equal(known, step_time(case, lay, CONSTANTS).total_s)


@given(
    asked=st.lists(st.tuples(model, gpu, method, any_execution, any_layout, precision), min_size=2, max_size=6),
)
@settings(max_examples=50)
def test_many_questions_at_once_equal_each_alone(
    asked: list[tuple[str, str, Method, Execution, Layout, str]],
) -> None:
    """What one of them lacks (experts, adapters, a packed base) must cost the others nothing."""
    cases = [
        catalogued_case(name, catalogued_cluster(chip, 512), precision=bits, method=how, execution=execution)
        for name, chip, how, execution, _, bits in asked
    ]
    together = step_time(stacked(cases), layouts_of(*(row for *_, row, _ in asked)), CONSTANTS).total_s
    alone = [
        step_time(case, layouts_of(row), CONSTANTS).total_s[0] for case, (*_, row, _) in zip(cases, asked, strict=True)
    ]
    assert together == pytest.approx(alone, rel=1e-12)


@given(
    name=model,
    chip=gpu,
    row=any_layout,
    how=method,
    execution=any_execution,
    bits=precision,
    rate=st.sampled_from(["peak", "memory", "links", "pcie", "network"]),
    factor=st.floats(1.0, 100.0),
    slowness=st.sampled_from([1.0, 0.1, 0.001]),
)
@settings(max_examples=400)
def test_a_faster_device_or_network_never_slows_a_step(
    *,
    name: str,
    chip: str,
    row: Layout,
    how: Method,
    execution: Execution,
    bits: str,
    rate: str,
    factor: float,
    slowness: float,
) -> None:
    """Where links are slow, too, so that little of communication is hidden."""
    slow = {"links": slowness, "network": slowness}
    fast = {**slow, rate: slow.get(rate, 1.0) * factor}
    clusters = (catalogued_cluster(chip, 512, **slow), catalogued_cluster(chip, 512, **fast))
    cases = (catalogued_case(name, cluster, precision=bits, method=how, execution=execution) for cluster in clusters)
    now, then = (step_time(case, layouts_of(row), CONSTANTS).total_s[0] for case in cases)
    assert then <= now * (1 + 1e-12)


@given(name=model, chip=gpu, row=any_layout, how=method, execution=any_execution)
@settings(max_examples=200)
def test_recomputing_more_never_quickens_a_step(
    name: str, chip: str, row: Layout, how: Method, execution: Execution
) -> None:
    """It adds operations and takes none away; comparisons leave it out where less fits."""
    case = catalogued_case(name, catalogued_cluster(chip, 512), method=how, execution=execution)
    columns = layouts_of(*[row] * len(RECOMPUTES))
    columns.recompute[:] = np.arange(len(RECOMPUTES))
    times = step_time(case, columns, CONSTANTS).total_s
    assert np.all(np.diff(times) >= -1e-12 * times[1:])


@given(name=model, chip=gpu, row=any_layout, how=method, execution=any_execution, bits=precision)
def test_a_steps_parts_are_finite_and_none_is_negative(
    *, name: str, chip: str, row: Layout, how: Method, execution: Execution, bits: str
) -> None:
    cluster = catalogued_cluster(chip, 512)
    case = catalogued_case(name, cluster, precision=bits, method=how, execution=execution)
    times = step_time(case, layouts_of(row), CONSTANTS)
    parts = np.array([getattr(times, f"{part}_s")[0] for part in PARTS])
    assert bool(np.all(np.isfinite(parts) & (parts >= 0)))
    assert float(times.total_s[0]) == pytest.approx(float(parts.sum()))
