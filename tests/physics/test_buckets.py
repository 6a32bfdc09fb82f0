"""DDP reduces flat buckets as large as all gradients, and holds them beside these unless told otherwise.

Authority: torch.nn.parallel.DistributedDataParallel, `gradient_as_bucket_view`, False by default; nanoGPT's `train.py`;
Accelerate's `DistributedDataParallelKwargs`; optimum-habana's trainer, which sets it.
"""

from dataclasses import replace

import numpy as np
import pytest

from estimator.catalogue import catalogue
from estimator.models.training import Method, MethodName
from estimator.models.workload import workload
from estimator.physics.choice import setting_of
from estimator.physics.constants import Constants
from estimator.physics.layout import layouts_of
from estimator.physics.memory import memory_of
from estimator.physics.sharing import gradient_reduction_s
from estimator.question.practice import Practice
from estimator.question.question import LayoutRequest, Question, Sharding
from tests.physics_cases import CONSTANTS, PLAIN, catalogued_cluster, small_case

MODEL = "llama-3.2-1b"
PARAMETERS = workload(catalogue.transformer(MODEL).value).parameters
TWICE = replace(PLAIN, micro_batch_size=1, micro_batches=2)


def _question(framework: str, n_gpus: int = 2, *, method: MethodName = "full", **practice: bool | str) -> Question:
    return Question(
        transformer=catalogue.transformer(MODEL).value,
        cluster=catalogued_cluster("a100-sxm-80gb", n_gpus),
        precision="bf16",
        sequence_length=1024,
        global_batch_sequences=2 * n_gpus,
        method=Method(name=method),
        layout=LayoutRequest(recompute="full", micro_batch_size=1),
        framework=framework,
        practice=Practice(**practice),  # type: ignore[arg-type]
    )


def _gradients_bytes(question: Question, *, sharding: Sharding = "ddp") -> float:
    n = question.cluster.n_gpus
    layout = replace(TWICE, data_parallel=n, data_sharding=sharding, recompute="full")
    return float(memory_of(setting_of(question).case, layouts_of(layout)).gradients_bytes[0])


@pytest.mark.parametrize("framework", ["nanogpt", "pytorch", "huggingface", "trl", "axolotl", "lightning", "unsloth"])
@pytest.mark.parametrize(("master", "size"), [(True, 4.0), (False, 2.0)])
def test_ddp_holds_buckets_as_wide_as_the_weights_beside_the_gradients(
    framework: str, master: bool, size: float
) -> None:
    """AMP's gradients of FP32 weights are in FP32; one device reduces nothing."""
    alone, both = (_gradients_bytes(_question(framework, n, master_weights=master)) for n in (1, 2))
    assert both - alone == pytest.approx(size * PARAMETERS)


@pytest.mark.parametrize("sharding", ["zero1", "zero2", "zero3"])
def test_who_shards_has_no_buckets_of_all_gradients(sharding: Sharding) -> None:
    question = _question("huggingface")
    assert _gradients_bytes(question, sharding=sharding) <= 2.0 * PARAMETERS


@pytest.mark.parametrize("framework", ["megatron", "nemo", "llm.c", "llmq", "deepspeed", "optimum-habana", "nanochat"])
def test_buffers_of_their_own_and_views_are_no_copies(framework: str) -> None:
    alone, both = (_gradients_bytes(_question(framework, n)) for n in (1, 2))
    assert both == alone


def test_deepspeeds_engine_reduces_by_itself() -> None:
    assert setting_of(_question("huggingface", zero_engine="deepspeed")).case.bucket_bytes == 0.0


def test_buckets_are_of_what_learns_alone() -> None:
    alone, both = (_gradients_bytes(_question("huggingface", n, method="lora")) for n in (1, 2))
    assert 0.0 < both - alone < 0.1 * PARAMETERS


def test_without_accumulation_buckets_stay_and_gradients_go() -> None:
    """`zero_grad(set_to_none=True)` frees gradients, so that the next are made as what was kept goes."""
    case = replace(small_case(), gradients_freed=1.0, bucket_bytes=4.0, gradient_bytes=2.0)
    once, twice = (
        memory_of(case, layouts_of(replace(PLAIN, micro_batches=times, data_parallel=2))) for times in (1, 2)
    )
    parameters = case.shared_parameters + case.expert_parameters
    assert twice.gradients_bytes[0] == pytest.approx(6.0 * parameters)
    assert 4.0 * parameters <= once.gradients_bytes[0] < 6.0 * parameters


def test_what_is_reduced_is_as_wide_as_the_buckets() -> None:
    wide, narrow = (setting_of(_question("huggingface", master_weights=master)).case for master in (True, False))
    rows = layouts_of(replace(TWICE, data_parallel=2))
    slow = Constants({**CONSTANTS, "shard_overlap": 0.0, "gradient_visible": 1.0, "latency_s": 0.0})
    sent = [float(np.asarray(gradient_reduction_s(case, slow, rows, 0.0))[0]) for case in (wide, narrow)]
    assert sent[0] == pytest.approx(2.0 * sent[1], rel=0.01)
