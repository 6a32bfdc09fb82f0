"""Before a run is said not to fit, everything that its stack has is tried, and nothing is tried before it is needed.

Authorities: what was trained (Chowdhery et al. 2022; Grattafiori et al. 2024; BigScience's tr11; MaxText's recipes),
and the stacks' own documentation of how they split a model.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.catalogue import catalogue
from estimator.physics.choice import Setting, ranked_layouts, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.stacks import STACKS
from estimator.question.question import LayoutRequest, Question
from tests.physics_cases import catalogued_cluster


def _question(
    model: str,
    gpu: str,
    n_gpus: int,
    framework: str,
    *,
    layout: LayoutRequest | None = None,
    sequence_length: int = 2048,
) -> Question:
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=catalogued_cluster(gpu, n_gpus),
        precision="bf16",
        sequence_length=sequence_length,
        global_batch_sequences=None,
        layout=layout or LayoutRequest(),
        framework=framework,
    )


def _degrees(setting: Setting, knob: str) -> set[int]:
    return {int(degree) for degree in np.unique(setting.layouts.knob(knob))}


@pytest.mark.parametrize(
    "asked",
    [
        # Chowdhery et al. 2022, section 4: 540B on 6,144 chips of 32 GB, data and model parallelism.
        _question("palm-540b", "tpu-v4", 6144, "jax"),
        # BigScience, tr11-176B: tensor 4, pipeline 12, on 384 A100 80GB.
        _question(
            "bloom-176b",
            "a100-sxm-80gb",
            384,
            "megatron-deepspeed",
            layout=LayoutRequest(tensor_parallel=4, pipeline_parallel=12),
        ),
        # MaxText's recipes: 70B on 256 chips of 16 GB (v5e) and of 32 GB (v6e), 405B with tensor parallelism 4.
        _question("llama-2-70b", "tpu-v5e", 256, "maxtext", sequence_length=4096),
        _question("llama-3.1-70b", "tpu-v6e", 256, "maxtext", sequence_length=8192),
        _question("llama-3.1-405b", "tpu-v6e", 256, "maxtext", sequence_length=8192),
        # Grattafiori et al. 2024, table 4, and counts near it that divide badly.
        _question("llama-3.1-405b", "h100-sxm", 1024, "megatron", sequence_length=8192),
        _question("llama-3.1-405b", "h100-sxm", 1031, "nemo", sequence_length=8192),
        # torchtitan's benchmarks, table 4: 405B on 512 H100 with tensor and pipeline parallelism.
        _question("llama-3.1-405b", "h100-sxm", 512, "torchtitan", sequence_length=8192),
    ],
    ids=lambda asked: f"{asked.transformer.id}-{asked.cluster.n_gpus}-{asked.framework}",
)
def test_what_was_trained_fits(asked: Question) -> None:
    assert setting_of(asked).fits


def test_tensor_parallelism_is_tried_only_where_nothing_else_fits() -> None:
    """MaxText shards by FSDP alone; at 405B on 256 v6e its recipe adds tensor parallelism."""
    small, large = (
        setting_of(_question(model, "tpu-v6e", 256, "maxtext", sequence_length=8192))
        for model in ("llama-3.1-8b", "llama-3.1-405b")
    )
    assert _degrees(small, "tensor") == {1}
    assert max(_degrees(large, "tensor")) > 1


@pytest.mark.parametrize("name", ["huggingface", "trl", "llama-factory", "axolotl", "unsloth", "deepspeed"])
def test_a_stack_without_tensor_parallelism_is_not_given_it(name: str) -> None:
    assert not STACKS[name].reserve
    setting = setting_of(_question("llama-3.1-405b", "a100-sxm-80gb", 8, name))
    assert not setting.fits
    assert _degrees(setting, "tensor") == {1}


def test_what_a_caller_fixes_stays_fixed_in_need() -> None:
    asked = LayoutRequest(tensor_parallel=1, context_parallel=1, recompute="none", data_sharding="zero1")
    setting = setting_of(_question("llama-3.1-405b", "h100-sxm", 64, "nemo", layout=asked))
    assert not setting.fits
    assert _degrees(setting, "tensor") == _degrees(setting, "context") == {1}
    assert _degrees(setting, "recompute") == {0}


@pytest.mark.parametrize("framework", ["nemo", "torchtitan", "maxtext", "huggingface", "jax"])
@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.1-405b", "deepseek-v3"])
def test_what_fits_is_one_question(framework: str, model: str) -> None:
    """The same limit holds in the choice of a layout, in its ranking, and for the setting as a whole."""
    setting = setting_of(_question(model, "h100-sxm", 64, framework))
    priced = ranked_layouts(setting, prior_constants())
    assert setting.fits == bool(priced.fits.any())
    assert np.array_equal(priced.fits, priced.memory_bytes <= setting.usable_bytes)
    assert bool(priced.fits[priced.order[0]]) == setting.fits


def test_more_memory_never_makes_a_run_not_fit() -> None:
    for model in ("llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b"):
        asked = _question(model, "a100-sxm-80gb", 8, "huggingface")
        fits = [
            setting_of(
                replace(
                    asked,
                    cluster=replace(
                        asked.cluster, accelerator=replace(asked.cluster.accelerator, memory_bytes=gb * 1e9)
                    ),
                )
            ).fits
            for gb in (10, 20, 40, 80, 160, 320)
        ]
        assert fits == sorted(fits)
