"""Parameter counts of adapters and parts."""

import pytest

from estimator.catalogue import catalogue
from estimator.models.parameters import is_adapted, lora_parameters, matrix_counts, parameter_counts
from estimator.models.workload import workload


@pytest.mark.parametrize(
    ("model_id", "rank", "trainable"),
    [
        # Dettmers et al. 2023: Guanaco 7B, rank 64 on all linear layers; as PEFT prints it.
        ("llama-7b", 64, 159_907_840),
        # As PEFT prints it for rank 16 on the seven linear layers of each block.
        ("llama-3.1-8b", 16, 41_943_040),
        # Attention alone, for the experts are no linear layers: "0.022% (6.685M / 30532.123M)", mlx-lm, issue 571.
        ("qwen3-30b-a3b", 8, 6_684_672),
    ],
)
def test_adapters_hold_what_the_library_prints(model_id: str, rank: int, trainable: int) -> None:
    assert lora_parameters(catalogue.model(model_id).transformer, rank) == trainable


def test_adapters_on_every_expert_and_router_were_what_transformers_4_made_of_all_linear() -> None:
    """PEFT, issue 1594: 242,225,152 trainable parameters of Mixtral 8x7B at rank 16, experts one module each."""
    transformer = catalogue.model("mixtral-8x7b").transformer
    experts = 16 * 32 * 8 * 3 * (4096 + 14336)
    routers = 16 * 32 * (4096 + 8)
    assert lora_parameters(transformer, 16) + experts + routers == 242_225_152


@pytest.mark.parametrize("model_id", ["deepseek-v3", "llama-4-scout", "qwen3-30b-a3b", "gpt-oss-20b"])
def test_adapters_lie_on_attention_dense_and_shared_mlps_and_not_on_routed_experts(model_id: str) -> None:
    """PEFT, issue 3009: Transformers 5 holds experts as one parameter a layer, which names of modules do not match."""
    transformer = catalogue.model(model_id).transformer
    adapted = {gemm.name for gemm in workload(transformer).gemms if is_adapted(gemm)}
    assert "attention_out" in adapted
    assert not adapted & {"expert_up", "expert_down", "router", "logits"}
    assert {"shared_up", "mlp_up"} & adapted == {"shared_up", "mlp_up"} & {g.name for g in workload(transformer).gemms}


def test_adapters_grow_in_proportion_to_their_rank() -> None:
    """Authority: Hu et al. 2021, section 4.1."""
    transformer = catalogue.model("mixtral-8x7b").transformer
    assert lora_parameters(transformer, 32) == 4 * lora_parameters(transformer, 8)


@pytest.mark.parametrize("model_id", ["llama-3.1-8b", "gemma-2-9b", "deepseek-v2-lite", "gpt-oss-20b"])
def test_the_parts_add_up_to_the_whole(model_id: str) -> None:
    transformer = catalogue.model(model_id).transformer
    counts = parameter_counts(transformer)
    parts = matrix_counts(transformer)
    assert sum(part.total for part in parts) + counts.vectors == counts.total
    idle = workload(transformer).idle_vectors
    assert sum(part.active for part in parts) + counts.vectors - idle == counts.active


def test_a_tied_embedding_is_counted_once() -> None:
    """Authority: the configuration of Llama 3.2 1B: 128,256 rows of 2,048, tied; Llama 3.1 8B unties 4,096."""
    assert parameter_counts(catalogue.model("llama-3.2-1b").transformer).embedding == 128_256 * 2048
    assert parameter_counts(catalogue.model("llama-3.1-8b").transformer).embedding == 2 * 128_256 * 4096
