"""Whether modules that predict further tokens are trained: by kind of run, and as said."""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.run import Run, resolve

_CONFIG_WITHOUT = {"model_type": "llama", "hidden_size": 512, "num_hidden_layers": 4, "num_attention_heads": 8,
                   "intermediate_size": 2048, "vocab_size": 32000}  # fmt: skip


def _run(**asked: Any) -> Run:  # noqa: ANN401 - any argument
    usual: dict[str, Any] = {"model": "deepseek-v3", "gpu": "h100", "n_gpus": 2048, "tokens": "1T"}
    return resolve(Request(**{**usual, **asked}))


def _modules(run: Run) -> int:
    """Return the modules that the question has."""
    assert run.question is not None
    return sum(tower.network.n_layers for tower in run.question.transformer.towers if tower.name == "prediction")


@pytest.mark.parametrize(
    ("asked", "modules"),
    [
        ({}, 1),
        ({"framework": "nemo"}, 1),
        # Recipes in plain PyTorch and classes of Transformers have no modules.
        ({"framework": "torchtitan"}, 0),
        ({"framework": "HF Trainer + DeepSpeed ZeRO-3"}, 0),
        ({"framework": "torchtitan, MTP"}, 1),
        ({"framework": "megatron, no MTP"}, 0),
        ({"framework": "w/o MTP"}, 0),
        # Fine-tuning, however it is told.
        ({"method": "lora"}, 0),
        ({"tokens": "2B"}, 0),
        ({"tokens": None, "samples": "100k", "tokens_per_sample": 2000}, 0),
        ({"objective": "dpo", "tokens": None, "samples": "100k", "tokens_per_sample": 2000}, 0),
        ({"model": "kimi-k2"}, 0),
        ({"model": "llama-3.1-8b", "framework": "megatron, mtp"}, 1),
        ({"model": "tiny", "hf_config": {**_CONFIG_WITHOUT, "num_nextn_predict_layers": 2}}, 2),
        ({"model": "tiny", "hf_config": {**_CONFIG_WITHOUT, "num_nextn_predict_layers": 0}}, 0),
    ],
)
def test_modules_are_trained_where_such_runs_train_them_or_someone_says_so(asked: dict[str, Any], modules: int) -> None:
    """Authority: recipes of Megatron-Bridge set `mtp_num_layers`; Transformers' classes drop the modules' weights."""
    run = _run(**asked)
    assert _modules(run) == modules
    told = [assumption for assumption in run.assumptions if assumption.name == "prediction_modules"]
    assert [assumption.value for assumption in told] in ([modules], [] if not modules else [modules])


def test_the_modules_of_a_model_are_told_apart_from_its_parameters() -> None:
    """Published totals leave them out: DeepSeek-V3 is a 671B model with and without."""
    with_module, without = _run(), _run(framework="no MTP")
    assert with_module.subject == without.subject
    (told,) = [assumption for assumption in with_module.assumptions if assumption.name == "prediction_modules"]
    assert "11.6B parameters" in told.note


def test_saying_that_no_module_is_trained_leaves_the_published_run_the_one_that_is_asked_about() -> None:
    """It is no word of how a step is run, and must not turn a question about a publication into another."""
    asked: dict[str, Any] = {"gpu": "h800", "tokens": "14.8T"}
    with_module, without = _run(**asked), _run(**asked, framework="no MTP")
    assert with_module.question is not None
    assert without.question is not None
    assert with_module.question.precedent is not None
    assert without.question.precedent is not None
