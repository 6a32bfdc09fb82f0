"""What a model is trained towards, where the words on its software say so, is what the argument would have said.

Authority: each method's own paper, as `estimator/models/views.py` and `estimator/models/objective.py` cite them; He et
al. 2022, section 4, for masked autoencoders.
"""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from estimator.answers.estimate.estimate import estimate_of
from estimator.models.views import METHODS, NOT_COUNTED
from estimator.question.request import Request
from estimator.resolve.framework.goals import PICTURE_METHODS
from estimator.resolve.framework.named import named_framework
from estimator.resolve.run import Run, resolve
from tools.check_training_speed import check_training_speed
from tools.plan_training import plan_training

PICTURES: dict[str, Any] = {"gpu": "v100", "n_gpus": 16, "samples": "imagenet", "epochs": 300}
_WAYS = ("{}", "facebookresearch/{}", "PyTorch, {}", "lightly {}", "https://github.com/someone/{}")
_SPELT = [word.strip() for words in PICTURE_METHODS.values() for word in words.split("|")]
_ON_TEXT = [
    ("TRL DPO", "dpo"),
    ("DPOTrainer", "dpo"),
    ("ipo, trl", "dpo"),
    ("TRL SimPO", "orpo"),
    ("CPOTrainer", "orpo"),
    ("BCOTrainer", "kto"),
    ("reward model, trl", "reward"),
    ("RewardTrainer", "reward"),
    ("contrastive, DeepSpeed", "contrastive"),
    ("InfoNCE", "contrastive"),
    ("MultipleNegativesRankingLoss", "contrastive"),
    ("sentence-transformers", "contrastive"),
    ("sentence-transformers CrossEncoder", "classification"),
    ("HF Trainer MLM", "masked"),
    ("masked language modeling", "masked"),
    ("run_mlm.py", "masked"),
    ("run_glue.py", "classification"),
    ("HF Trainer, token classification", "classification"),
    ("knowledge distillation from llama-3.1-70b", "distillation"),
    ("gradient clip, masked attention, fp16", "next_token"),
    ("TRL SFT", "next_token"),
    ("no contrastive loss, HF Trainer", "next_token"),
]


def _seen(model: str = "vit-s/16", **given: object) -> Run:
    asked: dict[str, Any] = {"model": model, **PICTURES, **given}
    return resolve(Request(**asked))


def _codes(run: Run) -> set[str]:
    return {warning.code for warning in run.warnings}


@pytest.mark.parametrize(("way", "spelt"), list(product(_WAYS, _SPELT)))
def test_a_way_to_train_encoders_is_the_objective_however_it_stands_in_framework(way: str, spelt: str) -> None:
    """And is told; none of it is left as not understood."""
    name = spelt.replace(" v ", " v").replace("dinov 2", "dinov2")
    name = name.replace(" ", "-") if "/" in way else name
    model = "vit-b/16" if name == "mae" else "resnet-50"
    run = _seen(model, framework=way.format(name))
    told = next(each for each in run.assumptions if each.name == "objective")
    assert (told.source, "told in framework" in told.note) == ("inferred", True)
    assert "framework_not_understood" not in _codes(run)
    if name == "mae":
        return
    argued = _seen(model, objective=name, framework=way.format("torch") if "/" not in way else "pytorch")
    assert run.objective.objective == argued.objective.objective
    assert run.question is not None
    assert argued.question is not None
    assert run.question.transformer == argued.question.transformer


def test_every_method_that_is_modelled_has_words_in_framework() -> None:
    assert {one.replace(" ", "_") for one in PICTURE_METHODS} == {*METHODS, "mae"}


@pytest.mark.parametrize("crops", ["2x224+8x96", "2x224 and 6x96", "6 local crops"])
def test_crops_beside_a_method_are_read(crops: str) -> None:
    """Also beside a method that the argument names."""
    views = _seen(objective=f"dino {crops}").objective.objective.views
    for framework, objective in ((f"DINO {crops}", "auto"), (f"DINO, {crops}", "dino")):
        run = _seen(framework=framework, objective=objective)
        assert run.objective.objective.views == views
        assert "framework_not_understood" not in _codes(run)
    own = _seen(framework=f"DINO {crops}", objective="dino 2x224+4x96").objective.objective.views
    assert own is not None
    assert own.small == 4


@pytest.mark.parametrize(
    ("objective", "framework"), [("classification", "DINO"), ("ibot", "DINO"), ("sft", "TRL DPO"), ("dpo", "TRL ORPO")]
)
def test_an_argument_wins_and_the_contradiction_is_said(objective: str, framework: str) -> None:
    of_text = "TRL" in framework
    text = Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="10M")
    base = text if of_text else Request(model="vit-s/16", **PICTURES)
    run = resolve(replace(base, objective=objective, framework=framework))
    alone = resolve(replace(base, objective=objective, framework="TRL" if of_text else "pytorch"))
    assert run.objective.objective == alone.objective.objective
    assert "framework_contradicted" in _codes(run)
    agreed = {"sft": "TRL SFT", "dpo": "TRL DPO", "ibot": "iBOT", "classification": "timm"}[objective]
    assert "framework_contradicted" not in _codes(resolve(replace(base, objective=objective, framework=agreed)))


@pytest.mark.parametrize(
    "given",
    [
        {"framework": "DINO weights, timm"},
        {"framework": "DINOv2 backbone, PyTorch"},
        {"framework": "MAE fine-tuning"},
        {"framework": "facebookresearch/dino, linear evaluation"},
        {"framework": "no DINO, timm"},
        {"framework": "DINO", "trained_layers": "head", "method": "frozen"},
        {"framework": "DINO", "model": "llama-3.1-8b", "samples": None, "epochs": None, "tokens": "10M"},
    ],
)
def test_what_only_begins_from_such_weights_is_trained_as_ever(given: dict[str, Any]) -> None:
    """And so is a network that reads no pictures alone."""
    asked: dict[str, Any] = {"model": "vit-s/16", **PICTURES, **given}
    run = resolve(Request(**asked))
    assert run.objective.objective.views is None
    assert not [each for each in run.assumptions if each.name == "objective"]


@pytest.mark.parametrize("model", ["vit-s/16", "vit-b/16", "vit-l/16", "deit-base"])
@pytest.mark.parametrize("given", [{"framework": "MAE"}, {"objective": "mae"}, {"objective": "masked autoencoder"}])
def test_a_masked_autoencoder_is_the_network_with_its_decoder(model: str, given: dict[str, Any]) -> None:
    """A quarter of the patches is encoded, 50 positions of 197, and eight layers of 512 read all."""
    run = _seen(model, **given)
    assert run.question is not None
    network = run.question.transformer
    assert network.media is not None
    assert network.media.kept == 0.25
    assert run.sequence_length == 50
    assert [(tower.name, tower.network.n_layers, tower.network.hidden) for tower in network.towers] == [
        ("painter", 8, 512)
    ]
    assert any(each.name == "objective" and each.value == "masked autoencoding" for each in run.assumptions)


def test_a_masked_autoencoder_that_is_catalogued_is_the_one_that_is_named() -> None:
    named, told = _seen("mae-vit-base", objective="mae"), _seen("vit-b/16", framework="MAE")
    assert estimate_of(named).training_s == estimate_of(told).training_s
    assert "objective_not_counted" in _codes(_seen("resnet-50", framework="MAE"))


@pytest.mark.parametrize("name", NOT_COUNTED)
def test_a_method_that_is_not_counted_is_said(name: str) -> None:
    assert "objective_not_counted" in _codes(_seen(framework=name))


@pytest.mark.parametrize(("framework", "name"), _ON_TEXT)
def test_an_objective_on_text_is_read_in_framework(framework: str, name: str) -> None:
    encoder = name in {"contrastive", "masked", "classification"}
    model = "bert-base" if encoder else "llama-3.1-8b"
    run = resolve(Request(model=model, gpu="h100", n_gpus=8, tokens="10M", framework=framework))
    assert run.objective.objective.name == name
    if name != "next_token":
        assert "framework_not_understood" not in _codes(run)


def test_what_software_is_usually_for_contradicts_nothing() -> None:
    run = resolve(
        Request(model="bert-base", gpu="h100", n_gpus=1, tokens="1M", framework="sbert", objective="classification")
    )
    assert run.objective.objective.name == "classification"
    assert "framework_contradicted" not in _codes(run)


def test_a_teacher_that_is_not_named_is_said_not_to_be_counted() -> None:
    run = resolve(Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="10M", framework="distillation"))
    assert "objective_not_counted" in _codes(run)


def test_a_reward_that_scores_sampled_answers_is_no_model_in_training() -> None:
    run = resolve(Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, tokens="10M", framework="GRPO, reward model"))
    assert run.objective.objective.name == "next_token"
    assert run.objective.samples_answers


def test_a_plan_and_a_check_read_it_as_an_estimate_does() -> None:
    """A step as long as the method's is no slow one."""
    asked: dict[str, Any] = {"model": "vit-s/16", "gpu": "v100", "global_batch_sequences": 1024}
    ways: tuple[dict[str, Any], ...] = ({"framework": "DINO"}, {"framework": "pytorch", "objective": "dino"})
    both = [check_training_speed(**asked, n_gpus=16, observed_step_seconds=0.6, **said) for said in ways]
    assert both[0].expected == both[1].expected
    plans = [
        plan_training(model="vit-s/16", gpu="v100", samples="imagenet", deadline="9 days", solve_for="n_gpus", **said)
        for said in ways
    ]
    assert plans[0].summary == plans[1].summary


def test_software_is_what_it_was() -> None:
    """Repositories of such methods are plain PyTorch."""
    for name in ("DINO", "MAE", "MoCo v2", "SimCLR", "iBOT"):
        assert named_framework(name).name == "pytorch"
        assert named_framework(f"jax, {name}").name == "jax"
