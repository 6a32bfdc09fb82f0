"""Encoders that are pre-trained to tell which tokens a generator replaced.

Authority: Clark et al. 2020 (ELECTRA), sections 3.1 to 3.2 and table 6; He et al. 2023 (DeBERTaV3), section 3.1.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.objective import OBJECTIVES, with_objective
from estimator.models.training import Method
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tools.estimate_training_time import estimate_training_time

ELECTRAS = {
    "electra-small-discriminator": 1 / 4,
    "electra-base-discriminator": 1 / 3,
    "electra-large-discriminator": 1 / 4,
}
"""By model, the width of its generator over its own (table 6)."""
_PRETRAINED: dict[str, Any] = {"steps": "1M", "global_batch_sequences": 128, "sequence_length": 128}


def _run(**said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    given: dict[str, Any] = {"model": "electra-small-discriminator", "gpu": "v100", "n_gpus": 1, **said}
    return resolve(Request(**given))


def _towers(**said: Any) -> list[str]:  # noqa: ANN401 - the arguments of a request
    question = _run(**said).question
    assert question is not None
    return [tower.name for tower in question.transformer.towers]


def _generator_of(model: str) -> Transformer:
    generator = catalogue.transformer(model).value.generator
    assert generator is not None
    return generator


@pytest.mark.parametrize(("model", "share"), ELECTRAS.items())
def test_a_generator_of_electra_is_as_deep_and_narrower(model: str, share: float) -> None:
    network, generator = catalogue.transformer(model).value, _generator_of(model)
    assert generator.n_layers == network.n_layers
    for name in ("hidden", "n_heads", "ffn_hidden"):
        assert getattr(generator, name) == share * getattr(network, name)


@pytest.mark.parametrize("model", ["deberta-v3-base", "deberta-v3-large"])
def test_a_generator_of_deberta_is_as_wide_and_half_as_deep(model: str) -> None:
    network, generator = catalogue.transformer(model).value, _generator_of(model)
    assert (generator.hidden, generator.n_layers) == (network.hidden, network.n_layers // 2)


@pytest.mark.parametrize("model", [*ELECTRAS, "deberta-v3-base"])
def test_both_share_one_embedding_and_logits_are_of_masked_positions(model: str) -> None:
    """What is added is the generator without its output."""
    network, generator = catalogue.transformer(model).value, _generator_of(model)
    both = workload(with_objective(network, OBJECTIVES["replaced_token"], adapters=False))
    (shared,) = (gemm for gemm in workload(generator).gemms if gemm.name == "logits")
    added = workload(generator).parameters - shared.parameters
    assert both.parameters - workload(network).parameters == pytest.approx(added, rel=1e-3)
    assert shared.rate in {0.15, 0.25}
    logits = [gemm for gemm in both.gemms if "logits" in gemm.name and gemm.outputs == shared.outputs]
    assert [gemm.rate for gemm in logits] == [shared.rate]


@pytest.mark.parametrize(
    ("model", "length", "forward_flop"),
    [("electra-small-discriminator", 128, 2.97e9), ("electra-base-discriminator", 128, 2.59e10)],
)
def test_work_is_that_of_both(model: str, length: int, forward_flop: float) -> None:
    """As the published runs in data/runs_of_kinds.csv have it, counted by hand there."""
    both = with_objective(catalogue.transformer(model).value, OBJECTIVES["replaced_token"], adapters=False)
    counted = flop_counts(both, sequence_length=length, method=Method(name="full")).model * length
    assert counted == pytest.approx(3.0 * forward_flop, rel=0.02)


@pytest.mark.parametrize(
    "said",
    [
        _PRETRAINED,
        {"tokens": "100B"},
        {"tokens": "1B", "objective": "pretraining"},
        {"tokens": "1B", "framework": "PyTorch, from scratch"},
        {"tokens": "1B", "objective": "replaced token detection"},
        {"tokens": "1B", "objective": "ELECTRA"},
        {"tokens": "100B", "model": "deberta-v3-base"},
    ],
)
def test_pretraining_trains_the_generator_and_says_so(said: dict[str, Any]) -> None:
    assert _towers(**said) == ["generator"]
    (told,) = (assumption for assumption in _run(**said).assumptions if assumption.name == "generator")
    assert told.value == "trained"
    assert "Clark et al. 2020" in told.note


@pytest.mark.parametrize(
    "said",
    [
        {"samples": "67k", "tokens_per_sample": 40},
        {"samples": "67k", "tokens_per_sample": 40, "objective": "classification"},
        {"tokens": "100B", "method": "lora"},
        {"tokens": "100B", "objective": "masked"},
        {"tokens": "20B", "framework": "Hugging Face, fine-tuning a pretrained checkpoint"},
        {"tokens": "100B", "model": "bert-base"},
        {"tokens": "1B", "model": "deberta-v3-base"},
        {"tokens": "100B", "model": "deberta-base"},
        {"tokens": "100B", "model": "google/electra-base-generator"},
    ],
)
def test_what_is_tuned_or_trained_otherwise_has_no_generator(said: dict[str, Any]) -> None:
    assert "generator" not in _towers(**said)


@pytest.mark.parametrize("model", ["bert-base", "llama-3.1-8b", "t5-base"])
def test_a_model_without_a_generator_is_told_what_would_do(model: str) -> None:
    with pytest.raises(InvalidValueError, match="ELECTRA") as raised:
        _run(model=model, tokens="100B", objective="replaced_token", gpu="a100")
    assert "masked" in str(raised.value)


def test_a_generator_takes_longer_and_holds_more() -> None:
    asked: dict[str, Any] = {"model": "electra-base-discriminator", "gpu": "a100", "n_gpus": 8, "sequence_length": 128}
    alone = estimate_training_time(tokens="1B", micro_batch_size=16, **asked)
    both = estimate_training_time(tokens="1B", micro_batch_size=16, objective="rtd", **asked)
    assert 1.1 < both.training_days / alone.training_days < 2.0
    assert "replaced-token detection" in both.summary
