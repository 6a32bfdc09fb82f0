"""What a trainer does where nobody says: its rank, layers, batch, length and padding, and what it recomputes.

Authority: the trainers' public code. mlx_lm.lora's CONFIG_DEFAULTS; block_size of nanoGPT's configurations, -t of
llm.c, max_seq_len of nanochat's base_train; dataset_concatenation and max_seq_length of Optimum Habana's run_lora_clm;
gradient_checkpointing of sd-scripts, an option, and of configurations of ai-toolkit and SimpleTuner.
"""

from typing import Any

import pytest

from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from tools.estimate_training_time import TrainingTime, estimate_training_time

MLX = {"model": "mistral-7b", "gpu": "M3 Max", "n_gpus": 1, "tokens": "5M", "method": "lora", "framework": "mlx-lm"}
SIZED = {"gpu": "h100", "n_gpus": 8, "tokens": "1B"}
HABANA = {"model": "llama-3.1-8b", "gpu": "Gaudi 2", "n_gpus": 8, "method": "lora", "framework": "optimum-habana"}
SDXL = {"model": "sdxl", "n_gpus": 1, "samples": "1000", "method": "lora"}


def _run(**asked: Any) -> Run:  # noqa: ANN401 - a request's values
    return resolve(Request(**asked))


def _told(run: Run, name: str) -> tuple[Any, str]:
    found = next(one for one in run.assumptions if one.name == name)
    return found.value, found.source


def _answer(**asked: Any) -> TrainingTime:  # noqa: ANN401 - the tool's arguments
    return estimate_training_time(**asked, detail="detailed")


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_mlx_tunes_the_top_sixteen_layers_at_rank_eight_by_fours(method: str) -> None:
    run = _run(**MLX | {"method": method})
    assert _told(run, "lora_rank") == (8, "default")
    assert _told(run, "trained_layers") == ("16", "default")
    assert _told(run, "global_batch_sequences") == (4, "default")
    assert run.question is not None
    assert (run.method.trained_layers, run.question.global_batch_sequences) == (16, 4)


@pytest.mark.parametrize(
    ("said", "layers", "rank", "batch"),
    [
        ({"trained_layers": "all"}, None, 8, 4),
        ({"lora_rank": 32}, 16, 32, 4),
        ({"global_batch_sequences": 2}, 16, 8, 2),
        ({"model": "llama-3.2-1b"}, None, 8, 4),
        ({"method": "full"}, None, 16, None),
        ({"framework": "mlx_lm.lora --train --num-layers 8 --batch-size 2"}, 8, 8, 2),
        ({"framework": "unsloth", "gpu": "4090"}, None, 16, None),
    ],
)
def test_what_is_said_stands_and_what_another_trainer_does_is_its_own(
    said: dict[str, Any], layers: int | None, rank: int, batch: int | None
) -> None:
    run = _run(**MLX | said)
    assert run.question is not None
    assert (run.method.trained_layers, run.method.lora_rank, run.question.global_batch_sequences) == (
        layers,
        rank,
        batch,
    )


@pytest.mark.parametrize(
    ("framework", "model", "length"),
    [
        ("nanoGPT", "10M", 256),
        ("nanoGPT", "124M", 1024),
        ("nanoGPT", "774M", 1024),
        ("llm.c", "350M", 1024),
        ("modded-nanogpt", "124M", 1024),
        ("nanochat", "561M", 2048),
        ("torchtitan", "561M", 4096),
        ("auto", "124M", 4096),
        ("nanoGPT", "gpt-2-124m", 1024),
        ("nanoGPT", "llama-3.1-8b", 8192),
    ],
)
def test_a_trainer_with_a_length_of_its_own_gives_it_to_a_bare_size(framework: str, model: str, length: int) -> None:
    run = _run(**SIZED, model=model, framework=framework)
    assert _told(run, "sequence_length") == (length, "default")
    assert _told(_run(**SIZED, model=model, framework=framework, sequence_length=512), "sequence_length")[0] == 512


@pytest.mark.parametrize(
    ("model", "length"),
    [("modernbert-base", 1024), ("modernbert-large", 1024), ("mmbert-base", 1024), ("gte-base-en-v1.5", 512)],
)
def test_an_encoder_is_pre_trained_at_the_length_of_most_of_its_pre_training(model: str, length: int) -> None:
    """Their windows of 8,192 came at the end."""
    run = _run(**SIZED, model=model, objective="masked")
    assert _told(run, "sequence_length") == (length, "default")
    assert run.question is not None
    assert run.question.transformer.native_sequence_length == 8192


def test_samples_are_padded_on_optimum_habana_unless_they_are_joined() -> None:
    padded, joined = (_answer(**HABANA | said, samples="alpaca") for said in ({}, {"packing": "packed"}))
    assert "packing_assumed" in {warning.code for warning in padded.warnings}
    assert padded.training_seconds > 2.0 * joined.training_seconds
    told = _answer(**HABANA | {"framework": "optimum-habana --dataset_concatenation"}, samples="alpaca")
    assert told.training_seconds == joined.training_seconds
    assert "packing_unsaid" in {warning.code for warning in _answer(**HABANA, tokens="20M").warnings}


@pytest.mark.parametrize(
    ("framework", "gpu", "recompute"),
    [
        ("kohya", "4090", "none"),
        ("kohya", "rtx 3060", "full"),
        ("kohya, gradient checkpointing", "4090", "full"),
        ("ai-toolkit", "4090", "full"),
        ("SimpleTuner", "4090", "full"),
        ("SimpleTuner, no gradient checkpointing", "4090", "none"),
    ],
)
def test_what_a_trainer_recomputes_by_habit_is_nothing_that_was_stated(
    framework: str, gpu: str, recompute: str
) -> None:
    """Where it is an option, those take it whose card is too small without."""
    answer = _answer(**SDXL, framework=framework, gpu=gpu)
    assert answer.layout is not None
    assert answer.layout.activation_recompute == recompute
    told = any(one.name == "activation_recompute" and one.source == "user" for one in answer.assumptions or ())
    assert told == ("checkpointing" in framework)
