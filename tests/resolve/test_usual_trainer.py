"""What is trained with a trainer that nobody named: the one that nearly all who ask so have.

Authority: the fine-tuning recipes that model cards name, which call Transformers' trainer; notebooks on rented cards.
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.run import Run, resolve


def _run(**said: Any) -> Run:  # noqa: ANN401 - any argument
    asked: dict[str, Any] = {"model": "qwen2.5-7b", "gpu": "h100", "n_gpus": 8, **said}
    return resolve(Request(**asked))


@pytest.mark.parametrize("n_gpus", [1, 8, 32])
@pytest.mark.parametrize("gpu", ["h100", "a100", "mi300x", "v100"])
@pytest.mark.parametrize("said", [{"samples": "50k", "tokens_per_sample": 400}, {"tokens": "alpaca x3"}])
def test_a_set_of_samples_is_trained_on_with_a_general_trainer(n_gpus: int, gpu: str, said: dict[str, Any]) -> None:
    run = _run(gpu=gpu, n_gpus=n_gpus, **said)
    assert run.stack.name == "huggingface"
    told = next(one for one in run.assumptions if one.name == "framework")
    assert told.source == "default"


@pytest.mark.parametrize(
    "said",
    [
        {"tokens": "1T"},
        {"tokens": "fineweb-edu 100BT"},
        {"samples": "100M", "tokens_per_sample": 4000},
        {"samples": "50k", "tokens_per_sample": 400, "framework": "nemo"},
        {"samples": "50k", "tokens_per_sample": 400, "n_gpus": 64},
    ],
)
def test_text_and_what_is_larger_than_any_set_are_trained_on_as_the_vendor_does(said: dict[str, Any]) -> None:
    assert _run(**said).stack.name == "nemo"


def test_a_chip_with_a_stack_of_its_own_keeps_it() -> None:
    assert _run(gpu="tpu-v5p", samples="50k", tokens_per_sample=400).stack.name == "maxtext"


@pytest.mark.parametrize("gpu", ["M1 Max", "M2 Ultra", "M4 Pro"])
@pytest.mark.parametrize("method", ["full", "lora", "qlora"])
def test_a_mac_is_trained_on_with_its_makers_framework(gpu: str, method: str) -> None:
    run = _run(model="llama-3.2-1b", gpu=gpu, n_gpus=1, samples=1000, tokens_per_sample=300, method=method)
    assert run.stack.name == "mlx"


@pytest.mark.parametrize("gpu", ["t4", "l4", "a10g", "p40", "p100-pcie-16gb"])
@pytest.mark.parametrize("n_gpus", [1, 4])
def test_a_card_that_is_rented_to_infer_with_is_trained_on_with_a_script(gpu: str, n_gpus: int) -> None:
    assert _run(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B").stack.name == "huggingface"


@pytest.mark.parametrize(
    ("said", "stack"),
    [
        ({"model": "modernbert-base", "tokens": "1T"}, "llm-foundry"),
        ({"model": "bert-base-uncased", "steps": "1M", "global_batch_sequences": 256}, "llm-foundry"),
        ({"model": "bert-base-uncased", "tokens": "1T", "gpu": "v100"}, "huggingface"),
        ({"model": "bert-base-uncased", "samples": "50k", "tokens_per_sample": 100}, "huggingface"),
        ({"model": "bert-base-uncased", "tokens": "1T", "framework": "HF Trainer"}, "huggingface"),
        ({"model": "t5-large", "tokens": "1T"}, "huggingface"),
    ],
    ids=str,
)
def test_an_encoder_is_trained_from_scratch_by_code_made_for_that(said: dict[str, Any], stack: str) -> None:
    """Composer's, as Portes et al. 2023 (MosaicBERT) and Warner et al. 2024 (ModernBERT) have it."""
    assert _run(**said).stack.name == stack
