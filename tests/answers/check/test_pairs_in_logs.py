"""What a log counts beside what its caller counts, where a sample is more than one sequence.

Authority: TRL's trainers: a pair of answers is one sample of a batch.
"""

import pytest

from tools.check_training_speed import check_training_speed


@pytest.mark.parametrize("objective", ["next_token", "dpo", "orpo", "kto", "reward"])
def test_a_log_counts_samples_as_its_caller_does_whatever_a_sample_is_made_of(objective: str) -> None:
    """16 samples a step by both, be they texts or pairs; 48 are three times as many."""
    ended = (
        "{'train_runtime': 4000.0, 'train_samples_per_second': 2.0, 'train_steps_per_second': 0.125, "
        "'train_loss': 1.52, 'epoch': 1.0}"
    )
    for batch, apart in ((16, False), (48, True)):
        answer = check_training_speed(
            model="llama-3.1-8b",
            observed_log=ended,
            objective=objective,
            gpu="a100-80gb",
            n_gpus=1,
            method="lora",
            framework="trl",
            tokens_per_sample=410,
            global_batch_sequences=batch,
        )
        told = [warning.message for warning in answer.warnings if warning.code == "log_contradicts_arguments"]
        assert bool(told) == apart
        if apart:
            assert "16 samples by the log, 48 by what was told" in told[0]
