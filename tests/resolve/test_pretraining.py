"""Encoders of text whose objective nobody says are pre-trained as their families were.

Authority: Devlin et al. 2018, section 3.1; Clark et al. 2020, section 3.1; He et al. 2023 (DeBERTaV3), section 3.1.
"""

import math
from itertools import pairwise
from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.catalogue import catalogue
from estimator.evidence.mixture import WORTH_SAYING
from estimator.models.flops import flop_counts
from estimator.models.objective import OBJECTIVES, with_objective
from estimator.models.workload import workload
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tools.estimate_training_time import estimate_training_time

_FAMILIES = {
    "bert-base": "masked",
    "xlm-roberta-large": "masked",
    "modernbert-base": "masked",
    "albert-base-v2": "masked",
    "deberta-base": "masked",
    "electra-base-generator": "masked",
    "electra-base": "replaced_token",
    "deberta-v3-base": "replaced_token",
}


def _run(model: str, **said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    given: dict[str, Any] = {"model": model, "gpu": "h100", "n_gpus": 8, "tokens": "200B", **said}
    return resolve(Request(**given))


@pytest.mark.parametrize(("model", "objective"), _FAMILIES.items())
@pytest.mark.parametrize("said", ["next_token", "pretraining", "auto"])
def test_an_encoder_from_scratch_has_its_familys_objective(model: str, objective: str, said: str) -> None:
    """As where it is said, but for whose word it is."""
    unsaid, told = _run(model, objective=said), _run(model, objective=objective)
    assert unsaid.objective.objective.name == objective
    assert unsaid.question == told.question
    (assumed,) = (one for one in unsaid.assumptions if one.name == "objective")
    assert assumed.source == "inferred"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("bert-base", {"tokens": "1B"}),
        ("bert-base", {"framework": "fine-tuning"}),
        ("bert-base", {"method": "lora"}),
        ("bert-base", {"trained_layers": "head"}),
        ("bert-base", {"objective": "classification"}),
        ("bge-large-en", {}),
        ("t5-base", {}),
        ("gpt2", {}),
        ("xlnet-base-cased", {}),
    ],
)
def test_what_is_tuned_or_no_such_encoder_is_left_as_it_is(model: str, said: dict[str, Any]) -> None:
    assert _run(model, **said).objective.objective.name in {"next_token", "classification"}


def test_the_summary_says_what_it_is_trained_by() -> None:
    asked: dict[str, Any] = {"model": "electra-base", "tokens": "200B", "gpu": "a100", "n_gpus": 8}
    unsaid = estimate_training_time(**asked).summary
    assert "replaced-token detection" in unsaid
    assert unsaid == estimate_training_time(objective="electra", **asked).summary


@pytest.mark.parametrize(("model", "width"), [("electra-small", 128), ("electra-base", 768), ("electra-large", 1024)])
def test_a_discriminator_that_predicts_masked_tokens_has_an_output_over_the_vocabulary(model: str, width: int) -> None:
    """By hand: a transform to the embedding's width and the embedding, in place of the head that tells."""
    network = catalogue.transformer(model).value
    masked = with_objective(network, OBJECTIVES["masked"], adapters=False)
    (logits,) = (gemm for gemm in workload(masked).gemms if gemm.name == "logits")
    assert (logits.inputs, logits.outputs) == (width, 30_522)
    head, told = network.hidden * width + width * 30_522, network.hidden * network.hidden + network.hidden
    one = flop_counts(network, sequence_length=512).model
    assert flop_counts(masked, sequence_length=512).model - one == pytest.approx(6.0 * (head - told), rel=1e-6)
    assert workload(masked).parameters == pytest.approx(workload(network).parameters, rel=0.01)


@pytest.mark.parametrize("model", ["bert-base", "albert-base-v2", "electra-small", "deberta-v3-base"])
def test_who_gathers_masked_positions_works_out_logits_of_those_alone(model: str) -> None:
    network = catalogue.transformer(model).value
    every, few = (with_objective(network, OBJECTIVES["masked"], adapters=False, gathers=on) for on in (False, True))
    heads = [
        {gemm.name: gemm.rate for gemm in workload(each).gemms if gemm.name in {"logits", "transform"}}
        for each in (every, few)
    ]
    assert heads == [{"transform": 1.0, "logits": 1.0}, {"transform": 0.15, "logits": 0.15}]


@pytest.mark.parametrize(
    ("framework", "positions"),
    [
        ("huggingface", "all"),
        ("llm-foundry", "masked"),
        ("fairseq", "masked"),
        ("PyTorch, gathered predictions", "masked"),
    ],
)
def test_the_stack_decides_of_which_positions_logits_are_and_says_so(framework: str, positions: str) -> None:
    run = _run("deberta-v3-base", objective="masked", framework=framework)
    (told,) = (one for one in run.assumptions if one.name == "predicted_positions")
    assert told.value == positions


@pytest.mark.parametrize(
    "model", ["bert-base", "xlm-roberta-large", "electra-base", "deberta-v3-base", "modernbert-base"]
)
@pytest.mark.parametrize(("gpu", "n_gpus"), [("h100", 1), ("4090", 1), ("a100", 8), ("h100", 64)])
def test_no_token_more_makes_tuning_leap_to_pre_training(model: str, gpu: str, n_gpus: int) -> None:
    """As tokens grow, more of those who tell no more than them pre-train; batches grow with them, and no more.

    Ways that lie less than `WORTH_SAYING` apart are no doubt.
    """

    def each(tokens: float) -> float:
        return _hours(model, gpu=gpu, n_gpus=n_gpus, tokens=tokens) / tokens

    for at in (1e9, 1e10, 1e11):
        assert each(0.99 * at) == pytest.approx(each(1.01 * at), rel=WORTH_SAYING)
    amounts = [each(1e9 * 10 ** (step / 4)) for step in range(9)]
    assert max(abs(math.log(more / fewer)) for fewer, more in pairwise(amounts)) < math.log(1.45)


@pytest.mark.parametrize(("model", "gpu"), [("electra-base", "a100"), ("xlm-roberta-large", "h100")])
@pytest.mark.parametrize("tokens", ["5B", "20B"])
def test_what_may_be_tuning_or_pre_training_is_told_and_the_range_holds_both(model: str, gpu: str, tokens: str) -> None:
    family, stack = _FAMILIES[model], "llm-foundry" if gpu == "h100" else "huggingface"
    asked: dict[str, Any] = {"model": model, "gpu": gpu, "n_gpus": 1, "tokens": tokens}
    unsaid = estimate_training_time(**asked)
    tuned = estimate_training_time(**asked, framework="huggingface, fine-tuning")
    pretrained = estimate_training_time(**asked, framework=stack, objective=family)
    assert "training_unsaid" in {warning.code for warning in unsaid.warnings}
    assert "training_unsaid" not in {warning.code for each in (tuned, pretrained) for warning in each.warnings}
    for told in (tuned, pretrained):
        assert unsaid.training_days_low < told.training_days < unsaid.training_days_high


@pytest.mark.parametrize("said", [{"objective": "classification"}, {"framework": "fine-tuning"}, {"method": "lora"}])
def test_what_is_said_to_be_tuned_is_open_at_no_amount(said: dict[str, Any]) -> None:
    question = _run("electra-base", tokens="9B", **said).question
    assert question is not None
    assert question.otherwise is None


def _hours(model: str, **said: Any) -> float:  # noqa: ANN401 - the arguments of a request
    return estimate_of(_run(model, **said), advised=False).training_s / 3600.0
