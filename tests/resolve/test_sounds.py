"""Sounds as people count them: hours, sets of utterances, clips of so many seconds.

Authority: Radford et al. 2022, section 2.2 (every sound is padded to 30 s, 1,500 positions); Baevski et al. 2020,
section 2 (a position of every 20 ms); Panayotov et al. 2015 (LibriSpeech: 281,241 utterances of 961 hours).
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from estimator.resolve.sounds import CLIP_S

UTTERANCES, HOURS = 281_241, 961.1
PADDED = ["whisper-tiny", "whisper-large-v3"]
AS_LONG = ["wav2vec2-base", "hubert-large", "wav2vec2-conformer-large", "wav2vec2-bert", "parakeet-ctc-1.1b"]


def _run(model: str, **more: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    return resolve(Request(model=model, gpu="a100-sxm-80gb", n_gpus=8, **more))


def _codes(run: Run) -> set[str]:
    return {caution.code for caution in run.warnings}


def _said(run: Run, name: str) -> Assumption:
    return next(assumption for assumption in run.assumptions if assumption.name == name)


@pytest.mark.parametrize("model", AS_LONG)
@pytest.mark.parametrize(
    "said",
    [
        {"samples": "librispeech"},
        {"samples": "960 hours of librispeech"},
        {"tokens": "960 hours of speech"},
        {"samples": "960 h", "image_size": "15 s"},
        {"samples": 288_000, "image_size": "12 s"},
        {"samples": 288_000, "tokens_per_sample": "12 s"},
    ],
    ids=str,
)
def test_as_many_hours_are_as_many_positions_however_they_are_told(model: str, said: dict[str, Any]) -> None:
    a_second = _run(model, samples=1000, image_size="30 s").amount.tokens / 30_000
    assert _run(model, **said).amount.tokens == pytest.approx(960 * 3600 * a_second, rel=0.01)


@pytest.mark.parametrize("model", PADDED)
@pytest.mark.parametrize("said", [{}, {"image_size": "12 s"}, {"tokens_per_sample": "5 s"}], ids=str)
def test_what_is_padded_costs_its_number(model: str, said: dict[str, Any]) -> None:
    assert _run(model, samples="librispeech", **said).amount.tokens == UTTERANCES * 1500
    # Hours of a set that is named are as many of its utterances.
    of_set = _run(model, samples="961.1 hours of librispeech")
    assert of_set.amount.tokens == pytest.approx(UTTERANCES * 1500)
    assert "clips_padded" not in _codes(of_set)


def test_hours_of_nothing_named_may_be_padded_clips_and_the_range_holds_them() -> None:
    run = _run("whisper-tiny", samples="1000 hours")
    assert run.amount.high_factor == pytest.approx(30 / CLIP_S.mode)
    assert "clips_padded" in _codes(run)
    assert "clips_padded" not in _codes(_run("whisper-tiny", samples="1000 hours", image_size="12 s"))


@pytest.mark.parametrize("said", [{"samples": 10_000}, {"steps": 100, "global_batch_sequences": 100}], ids=str)
def test_clips_of_unknown_length_are_usual_ones_and_the_range_holds_others(said: dict[str, Any]) -> None:
    run = _run("wav2vec2-base", **said)
    assert run.amount.high_factor / run.amount.low_factor == pytest.approx(CLIP_S.high / CLIP_S.low)
    assert "clip_length_assumed" in _codes(run)
    assert _said(run, "image_size").source == "inferred"
    told = _run("wav2vec2-base", **said, image_size="8 s")
    assert told.amount.tokens == pytest.approx(run.amount.tokens)
    assert told.amount.high_factor == 1.0
    assert _said(told, "image_size").source == "user"


def test_a_set_known_by_its_hours_alone_is_cut_into_usual_clips() -> None:
    run = _run("wav2vec2-base", samples="libri-light", epochs=2)
    assert run.amount.tokens == pytest.approx(2 * 60_000 * 3600 * 50, rel=0.02)


def test_text_beside_a_sound_is_as_long_as_it_is_spoken() -> None:
    short, long = (_run("speecht5-asr", samples=1000, image_size=f"{seconds} s").question for seconds in (5, 20))
    assert short is not None
    assert long is not None
    rates = [tower.rate for question in (short, long) for tower in question.transformer.towers]
    assert rates[0] == pytest.approx(rates[-1], rel=0.02)


@pytest.mark.parametrize(
    "said", ["100 hours of German audio", "100 h of labelled call-centre speech", "100 hours of podcasts"]
)
def test_what_is_said_of_sounds_changes_no_hours(said: str) -> None:
    plain, told = (_run("whisper-large-v3", samples=samples) for samples in ("100 hours", said))
    assert told.amount == plain.amount


def test_hours_of_sound_for_a_model_of_text_name_no_set_of_text() -> None:
    with pytest.raises(InvalidValueError, match="for a model that reads sounds"):
        _run("llama-3.1-8b", samples="100 hours of German audio", tokens_per_sample=100)


@pytest.mark.parametrize(
    ("model", "a_second"), [("orpheus-3b", 86.3), ("sesame/csm-1b", 15.8), ("conformer-120m", 25.0)]
)
@pytest.mark.parametrize("argument", ["samples", "tokens"])
def test_hours_are_as_many_tokens_as_a_second_becomes(model: str, a_second: float, argument: str) -> None:
    """Authority: Orpheus' card (83 of SNAC), Sesame 2025 (12.5 frames of Mimi), Gulati et al. 2020, section 2."""
    run = _run(model, **{argument: "10 hours"})
    assert run.amount.real_tokens == pytest.approx(36_000 * a_second, rel=1e-3)
    assert "sound_tokens" in {assumption.name for assumption in run.assumptions}


def test_clips_and_sets_of_what_speaks_tokens_are_as_long_as_they_are() -> None:
    clips = _run("orpheus-3b", samples=1000, tokens_per_sample="12 s")
    assert clips.amount.real_tokens == pytest.approx(12_000 * 86.3, rel=1e-3)
    named = _run("orpheus-3b", samples="librispeech")
    assert named.amount.real_tokens == pytest.approx(960 * 3600 * 86.3, rel=0.02)
    told = _run("orpheus-3b", samples=1000, tokens_per_sample=500)
    assert told.amount.real_tokens == 500_000


def test_a_sound_of_stable_audio_is_told_in_seconds() -> None:
    """Authority: Evans et al. 2024: 2,097,152 samples at 44.1 kHz are 47.6 s, to which shorter ones are padded."""
    for said in ("47 s", "12 s", None):
        assert _run("stable-audio", samples=1000, image_size=said).sequence_length == 1024


def test_hours_of_what_neither_hears_nor_speaks_are_told_who_does() -> None:
    with pytest.raises(InvalidValueError, match=r"hours of sound .* whisper-small"):
        _run("llama-3.1-8b", samples="10 hours")


@pytest.mark.parametrize(
    ("name", "hours", "clips"),
    [
        ("librispeech train-clean-100", 100.6, 28_539),
        ("librispeech 360h", 363.6, 104_014),
        ("Common Voice 11 Hindi", 8.0, 6_540),
        ("common voice", 1_700.0, 1_100_000),
        ("google/fleurs", 9.0, 2_600),
        ("VoxPopuli en", 523.0, 182_482),
        ("GigaSpeech M", 1_000.0, 910_140),
        ("AISHELL-1", 150.0, 120_098),
        ("TED-LIUM", 452.0, 268_263),
    ],
)
def test_sets_of_speech_are_as_long_as_their_papers_say(name: str, hours: float, clips: int) -> None:
    """Whisper pads each clip; a model that takes sounds as they are works on their hours."""
    assert _run("whisper-tiny", samples=name).amount.tokens == clips * 1500
    a_second = _run("wav2vec2-base", samples=1000, image_size="30 s").amount.tokens / 30_000
    assert _run("wav2vec2-base", samples=name).amount.tokens == pytest.approx(hours * 3600 * a_second, rel=0.02)


@pytest.mark.parametrize("name", ["Earnings-22", "WenetSpeech"])
def test_a_set_of_which_hours_are_known_alone_has_usual_clips(name: str) -> None:
    a_second = _run("wav2vec2-base", samples=1000, image_size="30 s").amount.tokens / 30_000
    hours = _run("wav2vec2-base", samples=name).amount.tokens / a_second / 3600
    assert hours == pytest.approx({"Earnings-22": 105.0, "WenetSpeech": 10_005.0}[name], rel=0.02)


@pytest.mark.parametrize(
    "said",
    [
        "log-mel features precomputed",
        "features precomputed with dataset.map",
        "features are precomputed",
        "prepare_dataset map",
        "precomputed features",
        "cached features",
        "input_features stored",
        "Common Voice",
        "FLEURS dataset",
        "google/fleurs",
    ],
)
def test_how_features_were_made_and_of_which_set_is_no_riddle_beside_the_software(said: str) -> None:
    """Features are taken to be stored anyway, and what is trained on is told in samples."""
    plain, told = (_run("whisper-tiny", samples=1000, framework=f"HF Trainer{more}") for more in ("", f", {said}"))
    assert "framework_not_understood" not in _codes(told)
    assert plain.question == told.question
