"""What an encoder–decoder writes for each token that it reads, by what is told of its task.

Authority: Lewis et al. 2020 (BART), section 2.2: the decoder rebuilds the whole text; Raffel et al. 2020 (T5), section
3.1.4: 114 targets for 512 tokens; Transformers' scripts of summarization: 128 for 1,024.
"""

from typing import Any

import pytest

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
