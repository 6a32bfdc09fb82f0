"""What a model is trained towards, as callers name it."""

from dataclasses import replace

import pytest

from estimator.answers.check.check import speed_check
from estimator.answers.check.observation import Observed
from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.estimate.wording import summary
from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.question.request import Request
from estimator.resolve.run import resolve
from server.protocol.tool import Tool
from tools.estimate_training_time import estimate_training_time

TOOL = Tool(estimate_training_time, title="Estimate training time")
_SAID = [
    ("next_token", "next_token"),
    ("SFT", "next_token"),
    ("causal-lm", "next_token"),
    ("DPO", "dpo"),
    ("ipo", "dpo"),
    ("ORPO", "orpo"),
    ("simpo", "orpo"),
    ("kto", "kto"),
    ("reward model", "reward"),
    ("rm", "reward"),
    ("embedding", "contrastive"),
    ("InfoNCE", "contrastive"),
    ("mlm", "masked"),
    ("sequence classification", "classification"),
    ("NER", "classification"),
    ("token classification", "classification"),
    ("regression", "classification"),
    ("QA", "next_token"),
    ("distillation from llama-3.1-70b", "distillation"),
    ("distill: 70B", "distillation"),
]
_SAMPLING = ("grpo", "PPO", "rloo", "RLHF", "reinforce++", "dapo", "GSPO")


def _request(objective: str = "next_token", framework: str = "auto") -> Request:
    return Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="100M", objective=objective, framework=framework)


@pytest.mark.parametrize(("said", "name"), _SAID)
def test_objectives_go_by_several_names(said: str, name: str) -> None:
    """What has the same passes is the same to the estimate."""
    assert resolve(_request(said)).objective.objective.name == name


@pytest.mark.parametrize("said", ["QA", "question answering"])
def test_an_encoder_marks_the_answer_that_a_decoder_writes(said: str) -> None:
    """Two outputs of a position (Devlin et al. 2018, section 4.2), and no vocabulary's."""
    for model, name in (("bert-base", "classification"), ("t5-base", "next_token"), ("llama-3.1-8b", "next_token")):
        asked = Request(model=model, gpu="h100", n_gpus=1, samples=1000, tokens_per_sample=384, objective=said)
        assert resolve(asked).objective.objective.name == name


@pytest.mark.parametrize("said", ["DPO", "orpo", "kto", "grpo", "reward model"])
def test_an_objective_that_stands_as_the_method_is_told_where_it_belongs(said: str) -> None:
    """By the estimator, and by the tools, whose schema names the methods."""
    with pytest.raises(InvalidValueError, match="say so in objective, and in method full, lora, qlora or frozen"):
        resolve(replace(_request(), method=said))
    with pytest.raises(EstimatorError, match=r"^method: .* say so in objective"):
        TOOL.answer({"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, "tokens": "100M", "method": said})


@pytest.mark.parametrize("said", _SAMPLING)
def test_reinforcement_learning_is_told_what_it_is_and_what_can_be_answered(said: str) -> None:
    """Sampling dominates, and the update is what can be priced."""
    with pytest.raises(InvalidValueError, match=r"rollouts.*update step can be answered"):
        resolve(_request(said))


@pytest.mark.parametrize("framework", ["verl", "OpenRLHF", "TRL GRPOTrainer", "slime grpo", "NeMo-RL"])
def test_a_trainer_of_reinforcement_learning_is_answered_for_its_updates_and_says_so_first(framework: str) -> None:
    """A stack is never refused; what is missing opens the summary."""
    run = resolve(_request(framework=framework))
    assert "rollouts_not_counted" in {warning.code for warning in run.warnings}
    assert summary(estimate_of(run)).startswith("Sampling of answers")


@pytest.mark.parametrize("framework", ["TRL", "megatron", "verl SFT", "llama-factory"])
def test_a_trainer_of_supervised_learning_is_not_taken_for_one(framework: str) -> None:
    """Even one whose name usually means it."""
    assert not resolve(_request(framework=framework)).objective.samples_answers


@pytest.mark.parametrize(
    ("framework", "name"), [("TRL DPOTrainer", "dpo"), ("trl orpo", "orpo"), ("TRL RewardTrainer", "reward")]
)
def test_a_trainers_name_tells_the_objective(framework: str, name: str) -> None:
    """Where the argument was left out."""
    assert resolve(_request(framework=framework)).objective.objective.name == name


@pytest.mark.parametrize(("objective", "times"), [("dpo", 2), ("reward", 2), ("kto", 1), ("next_token", 1)])
def test_a_pair_of_answers_is_two_sequences(objective: str, times: int) -> None:
    """Samples are counted by the caller, sequences by the device."""
    asked = replace(_request(objective), tokens=None, samples=1000, tokens_per_sample=500, packing="packed")
    assert resolve(asked).amount.real_tokens == times * 500_000


@pytest.mark.parametrize(
    ("model", "objective", "said"),
    [
        ("bge-base", "contrastive", "1k pairs of 2 × 100 tokens, 200k tokens"),
        ("llama-3.1-8b", "dpo", "1k pairs of 2 × 100 tokens, 200k tokens"),
        ("llama-3.1-8b", "next_token", "100k tokens"),
        ("t5-base", "translation", "100k source tokens and 100k target tokens"),
    ],
)
def test_a_summary_says_what_a_sample_was_taken_to_be(model: str, objective: str, said: str) -> None:
    """tokens_per_sample is of one text of a pair, and of what an encoder–decoder reads."""
    asked = Request(model=model, gpu="h100", n_gpus=1, samples=1000, tokens_per_sample="mean 100", objective=objective)
    assert f" on {said} " in summary(estimate_of(resolve(asked)))


def test_preferences_are_trained_with_trl_unless_told_otherwise() -> None:
    """Hardly anybody pre-trains by them."""
    assert resolve(_request("dpo")).stack.name == "trl"
    assert resolve(_request("dpo", "nemo")).stack.name == "nemo"


def test_distillation_asks_for_its_teacher() -> None:
    """Its forward pass may cost more than all else."""
    with pytest.raises(InvalidValueError, match="teacher"):
        resolve(_request("distillation"))
    with pytest.raises(InvalidValueError, match="objective"):
        resolve(_request("distillation from nobody-knows"))


def test_no_published_run_speaks_for_another_objective() -> None:
    """Its speed is that of another work."""
    question = resolve(_request("dpo")).question
    assert question is not None
    assert question.precedent is None


@pytest.mark.parametrize(("objective", "framework"), [("grpo", "auto"), ("next_token", "verl")])
def test_a_slow_step_of_reinforcement_learning_is_first_put_down_to_sampling(objective: str, framework: str) -> None:
    """An 80 s step of GRPO is not FP32."""
    asked = _request(objective, framework)
    request = replace(asked, tokens=None, global_batch_sequences=512, sequence_length=2048)
    checked = speed_check(request, Observed(step_seconds=80))
    assert checked.verdict == "slow"
    assert checked.causes[0].code == "rollouts"


@pytest.mark.parametrize(
    "said", ["GRPO with 8 generations", "PPO, 4 epochs", "online RLHF", "RL with verifiable rewards"]
)
def test_reinforcement_learning_among_other_words_is_told_the_same(said: str) -> None:
    with pytest.raises(InvalidValueError, match=r"rollouts.*update step can be answered"):
        resolve(_request(said))


@pytest.mark.parametrize(("said", "name"), [("DPO with beta 0.1", "dpo"), ("offline dpo on rlhf pairs", "dpo")])
def test_an_objective_among_other_words_is_that_one(said: str, name: str) -> None:
    assert resolve(_request(said)).objective.objective.name == name


@pytest.mark.parametrize("epochs", [1, 2, 4])
def test_a_reference_that_is_scored_before_training_runs_once(epochs: int) -> None:
    """Authority: TRL's `precompute_ref_log_probs`: one pass over the set, however often it is trained on."""
    asked = Request(
        model="llama-3.1-8b",
        gpu="h100",
        n_gpus=1,
        method="lora",
        objective="dpo",
        samples=1000,
        tokens_per_sample=400,
        epochs=epochs,
        framework="trl",
    )
    usual = resolve(asked).objective.objective
    once = resolve(replace(asked, framework="trl DPOConfig(precompute_ref_log_probs=True)")).objective.objective
    never = resolve(replace(asked, framework="trl DPOConfig(precompute_ref_log_probs=False)")).objective.objective
    assert once.reference_forwards * epochs == pytest.approx(usual.reference_forwards)
    assert never == usual
