"""Modules that predict further tokens (MTP): their size, their FLOPs, and that they change nothing else."""

from dataclasses import replace

import pytest

from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.parameters import parameter_counts
from estimator.models.prediction import prediction_parameters, prediction_share, with_prediction

_DEEPSEEK = catalogue.model("deepseek-v3").transformer


def test_the_module_of_deepseek_v3_has_the_size_that_its_publisher_tells() -> None:
    """Authority: README_WEIGHTS of DeepSeek-V3: 11.5B of its own, 14B with the embedding and output that it shares."""
    shared = 2 * _DEEPSEEK.vocab * _DEEPSEEK.hidden
    assert prediction_parameters(_DEEPSEEK) == pytest.approx(11.5e9, rel=0.01)
    assert prediction_parameters(_DEEPSEEK) + shared == pytest.approx(14e9, rel=0.04)


def test_the_module_of_deepseek_v3_costs_what_megatron_bridge_counts() -> None:
    """Authority: model TFLOPS over tokens/s in Megatron-Bridge's tables of performance at 4,096 tokens.

    NeMo 26.08 with the module: 1635 / 6288 and 1276 / 4912; 25.11 without: 961 / 3848, 1088 / 4357 and 1003 / 4018.
    """
    with_module = (1635 / 6288 + 1276 / 4912) / 2
    without = (961 / 3848 + 1088 / 4357 + 1003 / 4018) / 3
    counted = prediction_share(_DEEPSEEK, sequence_length=4096)
    assert counted == pytest.approx(with_module / without - 1, abs=0.002)


def test_modules_leave_the_model_itself_as_it_is() -> None:
    """They come after it, and its own operations stay the same."""
    own = flop_counts(_DEEPSEEK, sequence_length=4096).operations
    whole = {
        operation.name: operation
        for operation in flop_counts(with_prediction(_DEEPSEEK), sequence_length=4096).operations
    }
    assert all(whole[operation.name] == operation for operation in own)


def test_two_modules_cost_twice_what_one_does() -> None:
    """Each has a layer, a projection and logits of its own positions."""
    two = replace(_DEEPSEEK, prediction_modules=2)
    assert prediction_parameters(two) == 2 * prediction_parameters(_DEEPSEEK)
    shares = [prediction_share(model, sequence_length=4096) for model in (two, _DEEPSEEK)]
    assert shares[0] == pytest.approx(2 * shares[1])


@pytest.mark.parametrize("model_id", ["llama-3.1-8b", "kimi-k2", "moonlight-16b-a3b"])
def test_models_published_without_have_none(model_id: str) -> None:
    """Authority: their configurations, `num_nextn_predict_layers` 0 or left out."""
    model = catalogue.model(model_id).transformer
    assert with_prediction(model) == model
    assert parameter_counts(with_prediction(model)) == parameter_counts(model)
