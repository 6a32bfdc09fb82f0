"""What an answer takes from runs of its kind: nothing for decoders, a level and a width for all others.

Authority: reason, as `estimator/evidence/kinds.py` states it.
"""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from estimator.answers.estimate.best_step import best_step
from estimator.catalogue import catalogue
from estimator.evidence.account import evidence_of
from estimator.evidence.calibration import Calibration, KindLevel, committed_calibration, standing_in
from estimator.evidence.kinds import kind_outlook, manner_of
from estimator.evidence.own_lab import NO_OWN_RUNS
from estimator.models.diffusion.sample import CACHED, with_conditioners
from estimator.models.kinds import KIND_NAMES, decoder_share, kind_of, measured_as
from estimator.models.passes import passes_of, trained_share
from estimator.models.workload import workload
from estimator.physics.choice import nearest_setting
from estimator.question.question import Question
from estimator.question.request import Request
from estimator.resolve.published import published_question
from estimator.resolve.run import resolve
from tests.backtests import of_other_kinds
from tools.estimate_training_time import estimate_training_time

KINDS = sorted(set(KIND_NAMES) - {"decoder"})


def _asked(kind: str) -> Question:
    """Return the last published run of a kind."""
    return next(run.question for run in reversed(of_other_kinds()) if run.kind == kind)


def _with_levels(**levels: float) -> Calibration:
    """Return the committed calibration with these levels, and one of 0.2 for all kinds however they are set up."""
    every = {"all": 0.2, **levels}
    rows = {name: KindLevel(level_log=log, half_log=0.8, runs=9, labs=4) for name, log in every.items()}
    return replace(committed_calibration(), kinds=rows, manners={})


def _answer(question: Question, calibration: Calibration) -> tuple[float, float]:
    """Return seconds of the best step, and the width of its range as a factor."""
    with standing_in(calibration):
        best = best_step(nearest_setting(question), calibration)
    return best.prediction.step_s, best.span.high / best.span.low


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_moves_its_own_kind_by_as_much(kind: str) -> None:
    question = _asked(kind)
    plain, _ = _answer(question, _with_levels(**{kind: 0.0}))
    moved, _ = _answer(question, _with_levels(**{kind: 0.3}))
    assert moved / plain == pytest.approx(math.exp(0.3))


@pytest.mark.parametrize("kind", KINDS)
def test_how_a_run_is_set_up_moves_all_kinds_alike(kind: str) -> None:
    question = _asked(kind)
    manner = manner_of(nearest_setting(question))
    calibration = _with_levels(**{kind: 0.1})
    plain, _ = _answer(question, replace(calibration, manners={manner: 0.0}))
    moved, _ = _answer(question, replace(calibration, manners={manner: 0.4, "another": 9.0}))
    assert moved / plain == pytest.approx(math.exp(0.4))


def test_people_have_a_manner_of_their_own_whatever_their_stack() -> None:
    question = next(run.question for run in of_other_kinds() if nearest_setting(run.question).case.as_people_run)
    assert manner_of(nearest_setting(question)) == "people"
    published = nearest_setting(replace(question, published=True))
    assert manner_of(published) == published.stack.tier


@pytest.mark.parametrize("kind", KINDS)
def test_what_decoders_are_off_by_does_not_correct_other_kinds(kind: str) -> None:
    """Neither by device, stack or precision, nor by runs near it; experts are the same in any model."""
    question = replace(_asked(kind), precedent=None)
    if question.transformer.experts is not None:
        return
    calibration = _with_levels(**{kind: 0.0})
    shifted = replace(calibration, effects=dict.fromkeys(calibration.effects, 0.5))
    assert _answer(question, shifted) == _answer(question, calibration)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_called_with_the_article_that_it_is_spoken_with(kind: str) -> None:
    name = KIND_NAMES[kind]
    article = "an" if name in {"encoder", "encoder–decoder"} else "a"
    for levels in ({kind: 0.2}, {}):
        caution = kind_outlook(nearest_setting(_asked(kind)), _with_levels(**levels)).caution
        assert caution is not None
        assert f" {article} {name}" in f" {caution.message}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_was_not_measured_is_wider_and_says_so(kind: str) -> None:
    question = _asked(kind)
    setting = nearest_setting(question)
    known = kind_outlook(setting, _with_levels(**{kind: 0.0}))
    unseen = kind_outlook(setting, _with_levels())
    assert unseen.half_log > known.half_log
    assert unseen.level_log == known.level_log == 0.2
    assert unseen.caution is not None
    assert unseen.caution.code == "kind_not_measured"
    assert known.caution is not None
    assert known.caution.code == "few_runs_of_its_kind"
    assert _answer(question, _with_levels())[1] > _answer(question, _with_levels(**{kind: 0.0}))[1]


@pytest.mark.parametrize(("labs", "told"), [(1, True), (4, True), (10, False), (19, False)])
def test_a_kind_of_many_labs_is_not_said_to_have_few_runs(labs: int, told: bool) -> None:
    """118 runs of 17 labs are not few."""
    calibration = _with_levels(encoder=0.0)
    level = replace(calibration.kinds["encoder"], labs=labs)
    many = replace(calibration, kinds={**calibration.kinds, "encoder": level})
    assert (kind_outlook(nearest_setting(_asked("encoder")), many).caution is not None) == told


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_rests_on_the_runs_of_its_kind(kind: str) -> None:
    setting = nearest_setting(_asked(kind))
    with standing_in(_with_levels(**{kind: 0.1})):
        told = evidence_of(setting, (), NO_OWN_RUNS)
    assert (told.runs, told.labs, told.nearest) == (9, 4, "")
    assert told.correction == pytest.approx(100 * math.expm1(0.3), abs=0.01)
    assert told.note.startswith("9 published runs of 4 labs of its kind")


def test_a_decoder_is_not_touched_by_levels_of_other_kinds() -> None:
    decoders = [published_question(run) for run in catalogue.runs()[::250]]
    assert len(decoders) >= 5
    far = _with_levels(**dict.fromkeys(KINDS, 2.0))
    none = replace(committed_calibration(), kinds={})
    for question in decoders:
        assert kind_of(question.transformer) == "decoder"
        assert kind_outlook(nearest_setting(question), far).half_log == 0.0
        assert _answer(question, far) == _answer(question, none)


@pytest.mark.parametrize("model", ["controlnet-sd-1.5", "controlnet-sdxl", "sd-1.5", "sdxl"])
@pytest.mark.parametrize("n_gpus", [1, 64, 16_384])
def test_a_denoiser_that_may_encode_in_each_step_has_each_network_once(model: str, n_gpus: int) -> None:
    """The frozen U-Net beside a ControlNet runs in any case, and is not another one where encoders run, too."""
    answer = estimate_training_time(model=model, gpu="rtx-4060", n_gpus=n_gpus, tokens="1B", detail="detailed")
    assert answer.training_days_high is not None
    question = resolve(Request(model=model, gpu="rtx-4060", n_gpus=n_gpus, tokens="1B")).question
    assert question is not None
    running = with_conditioners(question.transformer, CACHED)
    again = with_conditioners(replace(running, conditioners=question.transformer.conditioners), CACHED)
    names = [tower.name for tower in again.towers]
    assert len(names) == len(set(names))
    table = workload(again)
    assert 0.0 < trained_share(table, passes_of(table, question.method)) <= 1.0


@pytest.mark.parametrize(("model", "objective"), [("llama-3.1-8b", "masked"), ("qwen2.5-7b", "masked")])
def test_a_large_model_that_attends_both_ways_is_as_sure_as_a_decoder(model: str, objective: str) -> None:
    """Its layers are those of decoders, and no run of an encoder is nearly as large."""
    asked: dict[str, Any] = {"model": model, "gpu": "h100", "n_gpus": 64, "tokens": "100B", "framework": "megatron"}
    decoder = estimate_training_time(**asked)
    both_ways = estimate_training_time(**asked, objective=objective)
    widths = [answer.training_days_high / answer.training_days_low for answer in (decoder, both_ways)]
    assert widths[1] < 1.2 * widths[0]
    assert both_ways.training_days == pytest.approx(decoder.training_days, rel=0.25)
    assert both_ways.evidence.runs > 0


def _bert(layers: int, hidden: int) -> dict[str, Any]:
    return {
        "model_type": "bert",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 64,
        "intermediate_size": 4 * hidden,
        "vocab_size": 30522,
        "max_position_embeddings": 1024,
    }


_LAYERS: dict[int, tuple[int, ...]] = {
    1024: (15, 18, 21, 24, 28, 32, 37, 42),
    1536: (8, 10, 12, 14, 17, 20, 23, 27, 32, 36, 42, 48),
    3072: (8, 9, 10, 12, 14, 16, 19, 22, 26, 30, 35, 40, 46, 52, 60, 66, 72),
}
"""By width, each a sixth or so more than the last: 0.2 to 0.6 billion parameters, 0.3 to 1.4, and 1 to 8."""
_SAID: dict[str, Any] = {
    "tokens": "100B",
    "sequence_length": 1024,
    "objective": "masked",
    "activation_recompute": "full",
    "micro_batch_size": 4,
    "global_batch_sequences": 1024,
}


@pytest.mark.parametrize("hidden", _LAYERS)
@pytest.mark.parametrize(
    "where",
    [
        {"gpu": "V100 32GB", "n_gpus": 64, "network_gbps_per_gpu": 100, "data_sharding": "zero1"},
        {"gpu": "H100", "n_gpus": 64, "framework": "megatron", "network_gbps_per_gpu": 400},
        {"gpu": "A100 80GB", "n_gpus": 8, "framework": "Hugging Face, DeepSpeed ZeRO-2"},
    ],
)
def test_a_deeper_encoder_takes_longer_and_is_gradually_as_sure_as_a_decoder(
    hidden: int, where: dict[str, Any]
) -> None:
    """From the largest that was measured to what is as large as decoders no layer is a cliff, either way."""
    asked = {**_SAID, **where}
    answers = [
        estimate_training_time(model=f"BERT of {layers}", hf_config=_bert(layers, hidden), **asked)
        for layers in _LAYERS[hidden]
    ]
    for fewer, more in pairwise(answers):
        assert more.training_days > fewer.training_days
    widths = [answer.training_days_high / answer.training_days_low for answer in answers]
    for narrower, wider in pairwise(widths):
        assert 1.0 / 1.1 < narrower / wider < 1.1


@pytest.mark.parametrize("kind", KINDS)
def test_how_far_decoders_tell_of_a_network_follows_its_size_where_it_encodes_alone(kind: str) -> None:
    share = decoder_share(_asked(kind).transformer)
    assert share == 0.0
    assert measured_as(_asked(kind).transformer) == kind


def test_a_range_is_never_narrower_than_decoders_and_one_of_a_kind_alone_is_its_own() -> None:
    known = kind_outlook(nearest_setting(_asked("encoder")), _with_levels(encoder=0.0))
    halves = [replace(known, weight=weight).widened(0.3) for weight in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert halves[0] == 0.3
    assert halves[-1] == known.half_log == 0.8
    assert halves == sorted(halves)
    assert [replace(known, weight=weight).widened(0.9) for weight in (0.0, 0.5, 1.0)] == pytest.approx([0.9] * 3)


def test_encoders_as_large_as_are_measured_keep_the_range_of_encoders() -> None:
    bert = estimate_training_time(model="bert-large", gpu="a100", n_gpus=8, tokens="10B")
    assert bert.training_days_high > 3.0 * bert.training_days_low
