"""Whoever trains a model of pictures or sounds is told how many of them, and not their positions alone.

Authority: people count their data in images, clips and recordings; the tokens are the model's.
"""

import pytest

from tools.check_training_speed import check_training_speed
from tools.compare_training_options import compare_training_options
from tools.estimate_training_time import estimate_training_time
from tools.plan_training import plan_training

THINGS = [("sdxl", "images"), ("vit-b-16", "images"), ("whisper-small", "sounds"), ("wan2.1-t2v-1.3b", "clips")]


@pytest.mark.parametrize(("model", "things"), THINGS)
def test_every_summary_counts_what_a_model_reads(model: str, things: str) -> None:
    estimated = estimate_training_time(model=model, gpu="h100", n_gpus=8, samples="20k")
    planned = plan_training(solve_for="n_gpus", model=model, gpu="h100", samples="20k", deadline="30 days")
    told = f"on 20k {things}, "
    assert told in estimated.summary
    assert told in planned.summary


@pytest.mark.parametrize(("model", "things"), THINGS)
def test_a_checked_speed_is_told_in_what_a_model_reads(model: str, things: str) -> None:
    checked = check_training_speed(
        model=model, gpu="h100", n_gpus=8, observed_step_seconds=2.0, global_batch_sequences=64
    )
    assert f"(32 {things}/s)" in checked.summary


def test_an_option_counts_pictures_and_one_that_reads_text_counts_tokens_alone() -> None:
    pictures = compare_training_options(models=["sdxl"], gpus=["h100"], n_gpus=[8], tokens=["1B"])
    text = compare_training_options(models=["7B"], gpus=["h100"], n_gpus=[8], tokens=["1B"])
    assert "images, 1B tokens with" in pictures.summary
    assert "on 1B tokens with" in text.summary
