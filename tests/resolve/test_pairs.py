"""A batch of pairs is as many samples as trainers count, and twice as many sequences.

Authority: TRL's DPOTrainer, whose batches hold pairs and whose forward pass concatenates both answers of each.
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.run import resolve
from server.protocol.registry import TOOLS

RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100-sxm",
    "n_gpus": 8,
    "samples": "50k",
    "tokens_per_sample": 400,
    "framework": "trl",
    "global_batch_sequences": 64,
    "micro_batch_size": 4,
}
PAIRS = ("dpo", "orpo", "reward")


def _answer(tool: str = "estimate_training_time", **changes: object) -> dict[str, Any]:
    found = TOOLS.tool(tool)
    assert found is not None
    return found.answer(RUN | {"detail": "detailed"} | changes).structured


@pytest.mark.parametrize("objective", PAIRS)
def test_a_step_holds_two_sequences_of_each_pair_that_was_told(objective: str) -> None:
    question = resolve(Request(**RUN, objective=objective)).question
    assert question is not None
    assert question.global_batch_sequences == 2 * RUN["global_batch_sequences"]
    assert question.layout.micro_batch_size == 2 * RUN["micro_batch_size"]


@pytest.mark.parametrize("objective", PAIRS)
def test_answers_count_pairs_as_trainers_do(objective: str) -> None:
    pairs = _answer(objective=objective)
    assert pairs["layout"]["global_batch_sequences"] == RUN["global_batch_sequences"]
    assert pairs["layout"]["micro_batch_size"] == RUN["micro_batch_size"]
    steps = pairs["training_seconds"] / pairs["step_seconds"]
    assert steps == pytest.approx(50_000 / RUN["global_batch_sequences"], rel=0.05)


@pytest.mark.parametrize("objective", PAIRS)
def test_accumulated_micro_batches_of_pairs_make_the_same_batch(objective: str) -> None:
    accumulated = _answer(objective=objective, global_batch_sequences=None, gradient_accumulation=2)
    assert accumulated["step_seconds"] == pytest.approx(_answer(objective=objective)["step_seconds"])


@pytest.mark.parametrize("objective", [*PAIRS, "kto", "next_token"])
def test_a_step_as_predicted_is_normal_where_its_batch_is_told_as_for_the_prediction(objective: str) -> None:
    step_s = _answer(objective=objective)["step_seconds"]
    checked = _answer("check_training_speed", objective=objective, observed_step_seconds=step_s)
    assert checked["verdict"] == "normal"
    assert checked["observed"] == pytest.approx(checked["expected"], rel=0.02)


def test_pictures_with_their_texts_are_one_sample_and_no_pair() -> None:
    """CLIP's towers read both of a sample; contrasting them is what it is for."""
    clip: dict[str, Any] = {
        "model": "clip-vit-b-32",
        "framework": "pytorch",
        "tokens_per_sample": None,
        "micro_batch_size": 64,
        "global_batch_sequences": 512,
    }
    contrasted, plain = _answer(**clip, objective="contrastive"), _answer(**clip)
    assert contrasted["training_seconds"] == pytest.approx(plain["training_seconds"])


@pytest.mark.parametrize(("objective", "drawn"), [("contrastive", 4), ("reward", 8), ("dpo", 8)])
def test_queries_and_passages_are_padded_apart_and_answers_together(objective: str, drawn: int) -> None:
    """The longest of a micro-batch of four samples is of four texts where each column has a batch of its own."""
    answer = _answer(objective=objective, framework="huggingface")
    (padded,) = (a for a in answer["assumptions"] if a["name"] == "padded_length")
    assert padded["note"].startswith(f"longest of {drawn}:")


@pytest.mark.parametrize(
    ("framework", "most"), [("trl", 1024), ("unsloth", 1024), ("llama-factory", 2048), ("axolotl", 131_072)]
)
def test_answers_are_cut_where_their_trainer_cuts_them(framework: str, most: int) -> None:
    """`max_length` and `cutoff_len`: rows of long pairs are no longer; what is stated wins."""
    long: dict[str, Any] = {**RUN, "tokens_per_sample": 900, "framework": framework, "objective": "dpo"}
    cut, stated = resolve(Request(**long)), resolve(Request(**long, sequence_length=4096))
    assert cut.sequence_length <= most
    assert (cut.sequence_length < stated.sequence_length) is (most < 4096)
