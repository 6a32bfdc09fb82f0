"""A denoiser's frozen base in fewer bits, or partly in host memory: what it holds and what it takes.

Authority: arithmetic on the bytes that each kernel moves; musubi-tuner's docs/block_swap.md (blocks trade places).
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.models.diffusion.blocks import counted_blocks
from estimator.models.training import Method, Recompute
from estimator.physics.choice import setting_of
from estimator.physics.execution import Execution
from estimator.physics.kernels import widening_s
from estimator.physics.layout import layouts_of
from estimator.physics.memory import memory_of
from estimator.physics.sharing import sharded_s
from estimator.question.practice import Dequantization
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tests.physics_cases import CONSTANTS, MEMORY_BYTES_PER_S, PLAIN, small_case

MATRICES = 2 * (4 * 1024 * 1024 + 2 * 1024 * 4096)
LORA = Method(name="lora")
KERNELS: list[tuple[Dequantization, float]] = [("cast", 3.0), ("scaled", 7.0), ("quanto", 7.0)]
FULL = layouts_of(replace(PLAIN, recompute="full"))


def _question(model: str, framework: str, **asked: object) -> Question:
    known: dict[str, Any] = {"gpu": "rtx-4090", "n_gpus": 1, "steps": 10, "method": "lora", "micro_batch_size": 1}
    known.update(asked)
    question = resolve(Request(model=model, framework=framework, **known)).question
    assert question is not None
    return question


@pytest.mark.parametrize(("kernel", "moved"), KERNELS)
@pytest.mark.parametrize(("recompute", "passes"), [("none", 2), ("full", 3)])
def test_weights_held_in_8_bits_are_widened_for_each_pass(
    kernel: Dequantization, moved: float, recompute: Recompute, passes: int
) -> None:
    """A byte read and two written; where a scale is multiplied, two read and two written more."""
    case = small_case(method=LORA, execution=Execution(base_bits=8, dequantization=kernel))
    spent_s = widening_s(case, CONSTANTS, layouts_of(replace(PLAIN, recompute=recompute)))
    assert spent_s == pytest.approx(passes * moved * MATRICES / MEMORY_BYTES_PER_S)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 7, 8])
def test_fewer_bits_hold_less(bits: int) -> None:
    """With their scales they hold at most a twelfth more than the bits alone."""
    case = small_case(method=LORA, execution=Execution(base_bits=bits, dequantization="quanto"))
    assert bits / 8.0 < case.frozen_bytes < bits / 8.0 * 13.0 / 12.0


def test_nothing_is_widened_of_a_base_that_learns_or_is_whole() -> None:
    for method, bits in ((Method(), 8), (LORA, None)):
        case = small_case(method=method, execution=Execution(base_bits=bits, dequantization="quanto"))
        assert case.widened_bytes == 0.0


def test_copies_that_autograd_keeps_go_where_layers_are_run_again() -> None:
    """Two bytes a weight beside the one that is held; a library's own product keeps the packed weights."""
    cast, library = (
        small_case(method=LORA, execution=Execution(base_bits=8, dequantization=kernel))
        for kernel in ("cast", "quanto")
    )

    def more(recompute: Recompute) -> float:
        lay = layouts_of(replace(PLAIN, recompute=recompute))
        return float((memory_of(cast, lay).activations_bytes - memory_of(library, lay).activations_bytes)[0])

    assert more("none") == pytest.approx(2.0 * MATRICES)
    assert more("full") == pytest.approx(2.0 * MATRICES / float(cast.n_layers))


@pytest.mark.parametrize(
    ("model", "blocks"), [("flux.1-dev", 38), ("hunyuanvideo", 40), ("wan-2.1-14b", 40), ("qwen-image", 60)]
)
def test_blocks_are_counted_as_trainers_count_them(model: str, blocks: int) -> None:
    """One of two streams is swapped as two of a single one: FLUX.1 has 19 and 38, HunyuanVideo 20 and 40."""
    assert counted_blocks(_question(model, "kohya").transformer) == blocks


@given(fewer=st.integers(0, 58), more=st.integers(0, 58))
def test_more_swapped_blocks_hold_less_and_take_longer(fewer: int, more: int) -> None:
    fewer, more = sorted((fewer, more))
    cases = [setting_of(_question("qwen-image", f"musubi-tuner, blocks_to_swap {n}")).case for n in (fewer, more)]
    held = [float(memory_of(case, FULL).weights_bytes[0]) for case in cases]
    took = [float(np.max(sharded_s(case, CONSTANTS, FULL, 0.0, 0.0))) for case in cases]
    assert held[0] >= held[1]
    assert took[0] <= took[1]


def test_a_swapped_block_is_copied_both_ways_unless_the_host_keeps_it() -> None:
    """musubi-tuner's `--block_swap_h2d_only` drops what makes room, for the base is frozen."""
    both, one = (
        setting_of(_question("qwen-image", f"musubi-tuner, blocks_to_swap 30{more}")).case
        for more in ("", ", block_swap_h2d_only")
    )
    taken = [float(np.max(sharded_s(case, CONSTANTS, FULL, 0.0, 0.0))) for case in (both, one)]
    assert taken[0] == pytest.approx(2.0 * taken[1])


def test_encoders_that_run_are_not_swapped() -> None:
    """Blocks are the denoiser's: all of its own on the host leave those of T5 where they are."""
    question = _question("flux.1-dev", "diffusers, cached latents, blocks_to_swap 38")
    case = setting_of(question).case
    assert float(memory_of(case, FULL).weights_bytes[0]) == pytest.approx(2.0 * 4.885e9, rel=0.01)


def test_modulations_stay_wide_where_weights_are_scaled() -> None:
    """Of Qwen-Image's 20.4 billion weights 6.8 are modulations: 27.2 GB, not 20.4."""
    held = [setting_of(_question("qwen-image", f"musubi-tuner, {words}")).case for words in ("fp8_base", "fp8_scaled")]
    cast, scaled = (float(memory_of(case, FULL).weights_bytes[0]) for case in held)
    assert scaled - cast == pytest.approx(6.8e9, rel=0.06)


@pytest.mark.parametrize(
    ("model", "bits"), [("flux.1-dev", 8), ("sd3.5-large", 8), ("z-image", 8), ("sdxl", None), ("wan-2.1-1.3b", None)]
)
def test_a_habit_of_quantising_is_for_large_bases(model: str, bits: int | None) -> None:
    """ai-toolkit's defaults by model; whoever trains all of it quantises nothing."""
    question = _question(model, "ai-toolkit")
    widened = setting_of(question).case.widened_bytes
    assert (widened > 0.0) is (bits is not None)
    assert setting_of(replace(question, method=Method())).case.widened_bytes == 0.0
