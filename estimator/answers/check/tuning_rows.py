"""The table of dialects, its second part: what trainers print that tune a model, by examples or by rewards."""

from estimator.answers.check.dialect import row

__all__ = ["TUNERS"]

TUNERS = (
    # verl, trainer/ppo/metric_utils.py `compute_throughout_metrics`: of one device, prompts and answers.
    row(
        "verl",
        "perf/throughput",
        "gpu_tps",
        step=("training/global_step", "~(?<![\\w/])step:{N}"),
        s=("perf/time_per_step", "timing_s/step"),
        gpu_tps="perf/throughput",
        step_tokens="perf/total_num_tokens",
    ),
    row(
        "verl",
        ("timing_s/step", "perf/time_per_step"),
        "s",
        step=("training/global_step", "~(?<![\\w/])step:{N}"),
        s=("perf/time_per_step", "timing_s/step"),
    ),
    # verl, trainer/fsdp_sft_trainer.py.
    row("verl-sft", "train/time(s)", "s", step="~(?<![\\w/])step:{N}", s="train/time(s)"),
    # prime-rl, trainer/rl and trainer/sft train.py: counted over all ranks.
    row("prime-rl", "tokens/s", "step tps s", step="Step", s="Time", tps="Throughput", percent="MFU"),
    # minimind, trainer/train_*.py: minutes to the end of the epoch, in micro-batches.
    row(
        "minimind",
        ("epoch_Time:", "epoch_time:"),
        "step left_min",
        counts_micro=True,
        epoch="~\\[{N}/{N}\\]\\(",
        first_epoch=1.0,
        step="~\\]\\({N}/{N}\\)",
        left_min=("epoch_Time", "epoch_time"),
    ),
    # LLaMA-Factory's trainer_log.jsonl: throughput is the mean since the start, so the clock goes before it.
    row(
        "llama-factory",
        "current_steps",
        "step clock",
        step="current_steps",
        total="total_steps",
        clock="elapsed_time",
        left="remaining_time",
        seen="total_tokens",
        tps="throughput",
    ),
    # ms-swift, trainers/callback.py: the speed is the mean since the start, the clock is to the second.
    row(
        "ms-swift",
        ("train_speed(iter/s)", "train_speed(s/it)"),
        "it_per_s|s",
        step=("~global_step/max_steps\\]?['\"]?:?\\s{0,3}['\"]?{N}/{N}", "iteration"),
        it_per_s="train_speed(iter/s)",
        s="train_speed(s/it)",
        clock="elapsed_time",
        left="remaining_time",
    ),
    # NeMo RL, algorithms/grpo.py: a report of many lines, joined; generation is in the step.
    row(
        "nemo-rl",
        "E2E (Tokens/sec/gpu)",
        "gpu_tps",
        step="Step",
        s="Total step time",
        gpu_tps="E2E (Tokens/sec/gpu)",
        gpu_samples="E2E (Samples/sec/gpu)",
    ),
    # slime: metrics by their names in a dict, behind the number of the rollout.
    row("slime", "perf/step_time", "s", step="~\\bperf {N}:", s="perf/step_time"),
)
