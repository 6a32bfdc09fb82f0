"""What tells no speed beside one is left out; a point is one between thousands where it would be absurd as another."""

from typing import Any

import pytest

from estimator.base.errors import InvalidValueError
from tools.check_training_speed import check_training_speed

RUN: dict[str, Any] = {"model": "7B", "gpu": "a100", "n_gpus": 8}
MONITOR = """\
| NVIDIA-SMI 550.54.15              Driver Version: 550.54.15      CUDA Version: 12.4     |
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
|   0  NVIDIA A100-SXM4-80GB          On  |   00000000:07:00.0 Off |                    0 |
| N/A   62C    P0             385W / 400W |   71234MiB /  81920MiB |     98%      Default |
"""
PROGRESS = " 10%|█         | 100/1000 [02:00<18:00,  1.20s/it]\n 20%|██        | 200/1000 [04:00<16:00,  1.20s/it]\n"


@pytest.mark.parametrize("log", [MONITOR, "loading weights\ndone\n"])
def test_a_log_without_a_speed_beside_one_is_left_out_and_said_to_be(log: str) -> None:
    asked: dict[str, Any] = {**RUN, "observed_tokens_per_second": "24k"}
    alone, beside = check_training_speed(**asked), check_training_speed(**asked, observed_log=log)
    assert beside.observed == alone.observed
    assert "log_without_speed" in {one.code for one in beside.warnings}


def test_what_a_monitor_shows_is_told_to_be_no_speed() -> None:
    with pytest.raises(InvalidValueError, match="tells no speed: nvidia-smi"):
        check_training_speed(**RUN, observed_log=MONITOR)


def test_a_log_with_a_speed_beside_another_is_said_to_be_the_same_twice() -> None:
    with pytest.raises(InvalidValueError, match="twice"):
        check_training_speed(**RUN, observed_tokens_per_second="24k", observed_log=PROGRESS, global_batch_sequences=8)


@pytest.mark.parametrize(
    ("said", "read", "code"),
    [
        ("12.000 tok/s", 12_000.0, "thousands_taken"),
        ("3.000 tokens/s/GPU", 24_000.0, "thousands_taken"),
        # A thousand times as much is no speed of such a run, either.
        ("900.000 tok/s", 900.0, "separator_ambiguous"),
        ("12.5 tok/s", 12.5, None),
    ],
)
def test_a_point_before_three_digits_is_read_as_what_runs_reach(said: str, read: float, code: str | None) -> None:
    answer = check_training_speed(**RUN, observed_tokens_per_second=said)
    assert answer.observed == pytest.approx(read)
    told = {one.code for one in answer.warnings} & {"thousands_taken", "separator_ambiguous"}
    assert told == ({code} if code else set())


def test_a_small_model_may_be_as_slow_as_it_says() -> None:
    """On one old card the decimal is a speed that runs have: then it stands."""
    slow: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "t4", "n_gpus": 1, "method": "qlora"}
    assert check_training_speed(**slow, observed_tokens_per_second="110.000").observed == pytest.approx(110.0)
