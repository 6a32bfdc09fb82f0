"""What an encoder–decoder writes for each token that it reads, by what is told of its task.

Authority: Lewis et al. 2020 (BART), section 2.2: the decoder rebuilds the whole text; Raffel et al. 2020 (T5), section
3.1.4: 114 targets for 512 tokens; Transformers' scripts of summarization: 128 for 1,024.
"""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve

SPANS = 114 / 512


def _run(**said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    asked: dict[str, Any] = {"gpu": "a100-sxm-80gb", "n_gpus": 8, **said}
    return resolve(Request(**asked))


def _ratio(run: Run) -> Assumption:
    return next(assumption for assumption in run.assumptions if assumption.name == "target_ratio")


FEW = {"samples": "100k", "tokens_per_sample": 300}
MANY = {"tokens": "1T"}
STEPS = {"steps": "500k", "global_batch_sequences": 8000, "sequence_length": 512}


@pytest.mark.parametrize(
    ("said", "ratio", "source"),
    [
        ({"model": "bart-large", **MANY}, 1.0, "inferred"),
        ({"model": "bart-large", **STEPS}, 1.0, "inferred"),
        ({"model": "bart-large", "tokens": "c4"}, 1.0, "inferred"),
        ({"model": "bart-large", **FEW}, 1 / 8, "default"),
        ({"model": "bart-large", **FEW, "objective": "denoising"}, 1.0, "user"),
        ({"model": "bart-large", **FEW, "objective": "text infilling"}, 1.0, "user"),
        ({"model": "bart-large", **FEW, "framework": "HF Trainer, translation"}, 1.0, "user"),
        ({"model": "bart-large", **MANY, "objective": "summarization"}, 1 / 8, "user"),
        ({"model": "bart-large", "samples": "xsum"}, 1 / 8, "catalogue"),
        ({"model": "pegasus-large", **MANY}, 0.3, "inferred"),
        ({"model": "pegasus-large", **FEW}, 1 / 8, "default"),
        ({"model": "t5-large", **MANY}, SPANS, "inferred"),
        ({"model": "t5-large", **FEW}, SPANS, "default"),
        ({"model": "t5-large", **FEW, "objective": "span corruption"}, SPANS, "user"),
        ({"model": "t5-large", **FEW, "objective": "translation"}, 1.0, "user"),
        ({"model": "t5-large", "samples": "cnn-dailymail"}, 1 / 8, "catalogue"),
        ({"model": "nllb-200-1.3b", **FEW}, 1.0, "default"),
    ],
    ids=str,
)
def test_targets_are_as_long_as_the_task_writes(said: dict[str, Any], ratio: float, source: str) -> None:
    run = _run(**said)
    told = _ratio(run)
    assert told.value == pytest.approx(ratio, abs=1e-4)
    assert told.source == source
    assert run.question is not None
    assert [tower.rate for tower in run.question.transformer.towers] == [pytest.approx(ratio)]


@pytest.mark.parametrize("model", ["bert-base-uncased", "llama-3.1-8b", "whisper-small"])
def test_nothing_is_said_of_targets_where_no_text_is_rewritten(model: str) -> None:
    run = _run(model=model, samples=1000, tokens_per_sample=None if model == "whisper-small" else 100)
    assert "target_ratio" not in {assumption.name for assumption in run.assumptions}


CUT = "Seq2SeqTrainer max_source_length=512 max_target_length=32"


@pytest.mark.parametrize(
    ("said", "read", "written"),
    [
        ({"tokens_per_sample": "mean 300", "framework": "Seq2SeqTrainer, 60 target tokens"}, 300, 60),
        ({"tokens_per_sample": "mean 300", "framework": "HF Trainer, targets of 60 tokens"}, 300, 60),
        ({"tokens_per_sample": "mean 300", "framework": "HF Trainer, 60-token summaries"}, 300, 60),
        ({"tokens_per_sample": "300 source, 60 target"}, 300, 60),
        ({"tokens_per_sample": "source 300, target 60"}, 300, 60),
        ({"tokens_per_sample": "source 300 target 60"}, 300, 60),
        ({"tokens_per_sample": "300 in, 60 out"}, 300, 60),
        ({"tokens_per_sample": "300 tokens of input and 60 tokens of output"}, 300, 60),
        ({"tokens_per_sample": "mean 300, max 512 source, 60 target"}, 300, 60),
        ({"tokens_per_sample": "300 article / 60 summary"}, 300, 60),
        # Assumed are 114 for 512, and no more than are kept.
        ({"tokens_per_sample": "mean 100", "framework": CUT}, 100, 100 * SPANS),
        ({"tokens_per_sample": "mean 300, max 512", "framework": CUT}, 300, 32),
        ({"tokens_per_sample": "mean 300, max 512 source, 60 target", "framework": CUT}, 300, 32),
    ],
    ids=str,
)
@pytest.mark.parametrize("model", ["t5-large", "flan-t5-large"])
def test_what_is_told_of_targets_is_what_is_written(
    said: dict[str, Any], read: float, written: float, model: str
) -> None:
    """Authority: Transformers' run_summarization.py, which cuts sources and targets each at a length of its own."""
    run = _run(model=model, samples=1000, **said)
    assert run.amount.tokens_per_sample == read
    told = _ratio(run)
    assert float(told.value) * read == pytest.approx(written, rel=0.02)
    assert not [one for one in run.warnings if one.code in {"framework_not_understood", "lengths_not_apart"}]


@pytest.mark.parametrize("model", ["bart-large", "pegasus-large", "t5-large", "flan-t5-large"])
@pytest.mark.parametrize("target", [64, 142, 512])
def test_where_targets_are_cut_sources_are_not(model: str, target: int) -> None:
    asked: dict[str, Any] = {"model": model, "samples": 1000, "tokens_per_sample": "mean 400, max 512"}
    plain = _run(**asked, framework="HF Trainer, summarization")
    cut = _run(**asked, framework=f"HF Trainer, summarization --max_source_length 1024 --max_target_length {target}")
    assert cut.amount.tokens == plain.amount.tokens
    assert float(_ratio(cut).value) <= float(_ratio(plain).value)
    assert "samples_longer_than_sequence" not in {one.code for one in cut.warnings}


def test_sources_are_cut_where_they_are_told_to_be() -> None:
    asked: dict[str, Any] = {"model": "t5-large", "samples": 1000, "tokens_per_sample": "mean 800"}
    keys = _run(**asked, framework="HF Trainer --max_source_length 256 --max_target_length 64")
    argument = _run(**asked, framework="HF Trainer", sequence_length=256)
    assert keys.sequence_length == argument.sequence_length == 256


def test_a_decoder_reads_source_and_target_in_one_sequence() -> None:
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "method": "lora", "samples": 1000}
    apart = _run(**asked, tokens_per_sample="300 prompt, 60 answer")
    joined = _run(**asked, tokens_per_sample=360)
    assert apart.amount.tokens == joined.amount.tokens
    keys = "HF Trainer --max_source_length 1024 --max_target_length 128"
    cut = _run(**asked, tokens_per_sample=300, framework=keys)
    assert cut.sequence_length <= 1152
    assert (
        cut.amount.tokens
        == _run(**asked, tokens_per_sample=300, framework="HF Trainer", sequence_length=1152).amount.tokens
    )
    assert "lengths_not_apart" in {one.code for one in cut.warnings}
    one_alone = _run(**asked, tokens_per_sample=300, framework="HF Trainer --max_target_length 128")
    assert one_alone.amount.tokens == _run(**asked, tokens_per_sample=300, framework="HF Trainer").amount.tokens
    assert "lengths_not_apart" in {one.code for one in one_alone.warnings}


def test_targets_alone_tell_of_no_sample() -> None:
    with pytest.raises(InvalidValueError, match="300 source, 60 target"):
        _run(model="t5-large", samples=1000, tokens_per_sample="60 target tokens")
