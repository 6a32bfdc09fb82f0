"""Parameter counts of adapters and parts."""

import pytest

from estimator.catalogue import catalogue
from estimator.models.parameters import lora_parameters, matrix_counts, parameter_counts


@pytest.mark.parametrize(
    ("model_id", "rank", "trainable"),
    [
        # Dettmers et al. 2023: Guanaco 7B, rank 64 on all linear layers; as PEFT prints it.
        ("llama-7b", 64, 159_907_840),
        # As PEFT prints it for rank 16 on the seven linear layers of each block.
        ("llama-3.1-8b", 16, 41_943_040),
    ],
)
def test_adapters_hold_what_the_library_prints(model_id: str, rank: int, trainable: int) -> None:
    assert lora_parameters(catalogue.model(model_id).transformer, rank) == trainable


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
    assert sum(part.active for part in parts) + counts.vectors == counts.active


def test_a_tied_embedding_is_counted_once() -> None:
    """Authority: the configuration of Llama 3.2 1B: 128,256 rows of 2,048, tied; Llama 3.1 8B unties 4,096."""
    assert parameter_counts(catalogue.model("llama-3.2-1b").transformer).embedding == 128_256 * 2048
    assert parameter_counts(catalogue.model("llama-3.1-8b").transformer).embedding == 2 * 128_256 * 4096
