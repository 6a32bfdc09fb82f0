"""The speed read from trainers' logs.

Authority: the lines that each trainer's own source prints (named per case), with figures made up here; robust speed is
the median after warm-up, by the program's contract for `observed_log`.
"""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.answers.check.logs import MOST_LOG_BYTES, LogReading, log_reading
from estimator.base.errors import InvalidValueError

MEGATRON = (
    " [2024-05-01 10:00:{second:02d}] iteration {step:8d}/  500000 | consumed samples: {consumed:12d} | "
    "elapsed time per iteration (ms): {ms:.1f} | throughput per GPU (TFLOP/s/GPU): 450.1 | learning rate: 1.5E-04 | "
    "global batch size:   256 | lm loss: 2.1E+00 | number of skipped iterations:   0 |"
)


def _bar(step: int, total: int, seconds: int, rate: str) -> str:
    clock = f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f" {step * 100 // total}%|███       | {step}/{total} [{clock}<1:23:45, {rate}]"


def test_a_megatron_log_tells_step_batch_and_tflops() -> None:
    """Megatron-LM, training.py, `training_log`."""
    text = "\n".join(
        MEGATRON.format(second=step % 60, step=step, consumed=256 * step, ms=4000.0) for step in range(1, 60)
    )
    read = log_reading(text)
    assert read.dialect == "megatron"
    assert read.step_s == pytest.approx(4.0)
    assert read.sequences_per_step == 256
    assert read.flop_per_s_per_gpu == pytest.approx(450.1e12)
    assert (read.steps_done, read.total_steps) == (59, 500_000)


def test_batch_follows_from_consumed_samples_where_no_batch_is_printed() -> None:
    """Megatron-LM before 2023 printed consumed samples and no TFLOPS."""
    text = "\n".join(
        f"iteration {10 * i}/ 1000 | consumed samples: {10 * i * 512} | elapsed time per iteration (ms): 2500.0 |"
        for i in range(1, 9)
    )
    assert log_reading(text).sequences_per_step == 512


def test_megatron_deepspeed_seconds_are_not_read_as_milliseconds() -> None:
    """Megatron-DeepSpeed as used for BLOOM prints seconds and TFLOPs."""
    line = " iteration     {}/   10000 | consumed samples: 1 | elapsed time per iteration (s): 105.2 | TFLOPs: 149.3 |"
    read = log_reading("\n".join(line.format(i) for i in (100, 101, 102, 103)))
    assert read.step_s == pytest.approx(105.2)
    assert read.flop_per_s_per_gpu == pytest.approx(149.3e12)


def test_torchtitan_tokens_are_of_one_device_and_colours_are_no_text() -> None:
    """torchtitan, components/metrics.py: `tps` divides by the device's share; the line is coloured."""
    text = "\n".join(
        f"[rank0]:[titan] 2025-01-01 00:00:00,000 - root - INFO - \x1b[31mstep: {10 * i:2}  \x1b[32mloss:  7.1234  "
        f"\x1b[33mmemory: 42.17GiB(53.25%)  \x1b[34mtps: 6,543  \x1b[36mtflops: 380.21  \x1b[35mmfu: 38.44%\x1b[39m"
        for i in range(1, 20)
    )
    read = log_reading(text)
    assert read.dialect == "torchtitan"
    assert read.tokens_per_second_per_gpu == 6543
    assert read.flop_per_s_per_gpu == pytest.approx(380.21e12)
    assert read.utilization == pytest.approx(0.3844)


def test_nanogpt_utilization_is_of_an_a100_whatever_the_device() -> None:
    """nanoGPT, train.py and `estimate_mfu` in model.py: 312 TFLOPS."""
    lines = [
        "tokens per iteration will be: 491,520",
        *(f"iter {i}: loss 3.1, time 245.32ms, mfu 38.12%" for i in range(40)),
    ]
    read = log_reading("\n".join(lines))
    assert read.tokens_per_step == 491_520
    assert read.step_s == pytest.approx(0.24532)
    assert read.flop_per_s_per_gpu == pytest.approx(0.3812 * 312e12)
    assert read.utilization is None


def test_nanochat_and_llm_c_print_tokens_of_all_devices() -> None:
    """nanochat, base_train.py; llm.c, train_gpt2.cu."""
    nanochat = "step {:05d}/21400 (0.47%) | loss: 3.1 | lrm: 1.00 | dt: 420.11ms | tok/sec: 1,247,000 | mfu: 48.20 |"
    read = log_reading("\n".join(nanochat.format(i) for i in range(30)))
    assert (read.dialect, read.tokens_per_second, read.total_steps) == ("nanochat", 1_247_000, 21_400)
    llm_c = "step {:4d}/19560 | loss 7.1 (+nanz)| lr 9.5e-07 | 2500.68 ms | 57.0% bf16 MFU | 209660 tok/s"
    read = log_reading("\n".join(llm_c.format(i) for i in range(1, 30)))
    assert (read.dialect, read.tokens_per_second) == ("llm.c", 209_660)
    assert read.step_s == pytest.approx(2.50068)


def test_a_progress_bar_is_timed_by_its_clock_and_bars_of_evaluation_do_not_count() -> None:
    """transformers, Trainer with tqdm: the printed rate is a moving mean, the clock is not."""
    lines = [
        "***** Running training *****",
        "  Num examples = 52,002",
        "  Total train batch size (w. parallel, distributed & accumulation) = 128",
        "  Total optimization steps = 1,218",
    ]
    for step in range(1, 401):
        lines.append(_bar(step, 1218, 60 + 3 * step, "3.00s/it"))
        if step % 100 == 0:
            lines += [_bar(i, 500, i, "20.00it/s") for i in range(1, 50)]
    read = log_reading("\r".join(lines[4:]) + "\n" + "\n".join(lines[:4]))
    assert read.dialect == "huggingface"
    assert read.step_s == pytest.approx(3.0, rel=0.02)
    assert read.sequences_per_step == 128
    assert (read.steps_done, read.total_steps) == (400, 1218)


def test_the_closing_line_of_a_trainer_is_enough() -> None:
    """transformers, `speed_metrics`; version 5 prints the values as text."""
    for quote in ("", "'"):
        line = (
            f"{{'train_runtime': {quote}3600.0{quote}, 'train_samples_per_second': {quote}16.0{quote}, "
            f"'train_steps_per_second': {quote}0.125{quote}, 'train_loss': {quote}1.01{quote}}}"
        )
        read = log_reading(line)
        assert read.step_s == pytest.approx(8.0)
        assert read.sequences_per_step == pytest.approx(128)


def test_a_trainer_state_tells_its_speed_when_the_run_has_ended() -> None:
    """transformers, TrainerState: `log_history` closes with the run's times."""
    state = {
        "global_step": 1000,
        "max_steps": 1000,
        "log_history": [
            {"loss": 1.0, "step": 500, "epoch": 0.5},
            {
                "step": 1000,
                "total_flos": 1e18,
                "train_runtime": 4000.0,
                "train_samples_per_second": 32.0,
                "train_loss": 1.0,
            },
        ],
    }
    read = log_reading(json.dumps(state))
    assert read.step_s == pytest.approx(4.0)
    assert read.sequences_per_step == pytest.approx(128)
    del state["log_history"][1]["train_runtime"]  # type: ignore[index]
    with pytest.raises(InvalidValueError, match="observed_step_seconds"):
        log_reading(json.dumps(state))


def test_llama_factory_tokens_are_counted_between_clock_times() -> None:
    """LLaMA-Factory, trainer_log.jsonl: `throughput` is the mean since the start, slow start included."""
    lines: list[str] = []
    for i in range(1, 60):
        seconds = 120 + 10 * i
        lines.append(
            json.dumps(
                {
                    "current_steps": 5 * i,
                    "total_steps": 1000,
                    "loss": 0.9,
                    "percentage": i / 2,
                    "elapsed_time": f"0:{seconds // 60:02d}:{seconds % 60:02d}",
                    "remaining_time": "1:00:00",
                    "throughput": 40_960 * i / seconds,
                    "total_tokens": 40_960 * i,
                }
            )
        )
    read = log_reading("\n".join(lines))
    assert read.dialect == "llama-factory"
    assert read.tokens_per_second == pytest.approx(4096, rel=1e-6)
    assert read.tokens_seen == 40_960 * 59


def test_slow_first_steps_and_a_few_checkpoints_do_not_move_the_speed() -> None:
    """The median after warm-up."""
    plain = [MEGATRON.format(second=0, step=i, consumed=256 * i, ms=4000.0) for i in range(1, 101)]
    rough = [
        MEGATRON.format(second=0, step=i, consumed=256 * i, ms=60_000.0 if i < 8 or i % 20 == 0 else 4000.0)
        for i in range(1, 101)
    ]
    assert log_reading("\n".join(rough)).step_s == log_reading("\n".join(plain)).step_s


def test_a_path_is_refused_and_no_file_is_opened() -> None:
    """The contract: text, no paths."""
    for path in ("/etc/passwd", "train.log", "~/run/trainer_state.json", "C:\\runs\\log.txt", "file:///tmp/x.json"):
        with pytest.raises(InvalidValueError, match="path"):
            log_reading(path)


def test_a_text_without_speed_or_too_long_is_refused_with_what_would_do() -> None:
    with pytest.raises(InvalidValueError, match="Megatron") as refused:
        log_reading("epoch 1 done, loss 2.0\n" * 50)
    assert len(str(refused.value)) < 400
    with pytest.raises(InvalidValueError, match="4,000,000"):
        log_reading("é" * (MOST_LOG_BYTES // 2 + 1))


_FRAGMENTS = st.sampled_from(
    [
        "step: 1",
        "tps: 5",
        "iter 1: ",
        "time 2ms",
        "s/it",
        "0:01<",
        '"current_steps": 3',
        "1e999",
        ",",
        "\r",
        "{",
        "iteration 3",
        "nan",
        '"log_history"',
        "\n    elapsed time per iteration (ms): 0.0",
        "train_steps_per_second': 0",
        "9999999999999999999999999",
        "tokens_per_second_per_gpu: 1e300",
        "tps: 1e-300",
        "tok/s: 0",
        "train_speed(iter/s)': 1e-320",
        "global_step/max_steps': '1/0'",
        "It/sec 1e308, Tokens/sec inf",
        "throughput/device/TPS=1,2,3",
        "[step=1e308/0,eta=9999999 days, 9:99]",
        "Wall time,Step,Value\n1e308,1,1\n-1e308,2,1",
        "_runtime: 0 | _step: 0",
        "1/0 ━━━━ 0s 0s/step",
        "-1.0e-3s/it",
        "\\ud800",
        "&#55296;",
        "\x1b[0;1m",
        "Total train batch size = 1e17",
        "sequence length 1e300",
        "world size: 0",
        "train_runtime': 0.0",
        "2025-13-99 99:99:99 step=1",
    ]
)


@given(st.lists(_FRAGMENTS | st.just("| 1/2 [") | st.text(max_size=8), max_size=30).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other error, and no speed of zero or without end."""
    try:
        read = log_reading(text)
    except InvalidValueError:
        return
    assert isinstance(read, LogReading)
    for value in (
        read.step_s,
        read.tokens_per_second,
        read.tokens_per_second_per_gpu,
        read.sequences_per_second,
        read.sequences_per_second_per_gpu,
        read.flop_per_s_per_gpu,
    ):
        assert value is None or 0 < value < 1e19
    for value in (read.steps_done, read.total_steps, read.seconds_left, read.tokens_seen, read.sequences_per_step):
        assert value is None or 0 <= value < math.inf


@pytest.mark.parametrize(
    "unit",
    [
        "9",
        "9,",
        "9.",
        "9:",
        "9/",
        "1/2 [0:01<",
        "step",
        "iteration 9",
        "| 9/9 [",
        " ",
        "s/it",
        "tps: step:",
        "global_batch_size..",
        "[step=9]",
        "&lt;",
        "\\u0039",
        "\x1b[",
        "\uff19",
        "9 d ",
        "{",
        "wandb: 9",
    ],
)
def test_a_hostile_log_of_full_size_is_refused(unit: str) -> None:
    """Every repetition in a pattern is bounded; else this test would take hours, not be wrong."""
    keys = "tps: elapsed time per iteration tok/sec: it/s s/it train_steps_per_second iter tok/s Total batch size "
    line = (keys + unit * 2000)[:1900] + "\n"
    with pytest.raises(InvalidValueError):
        log_reading((line * 50)[: MOST_LOG_BYTES - 1].replace("1", "x") + "\n")


DICTS = {
    "transformers": "{'loss': 1.23, 'grad_norm': 1.0, 'learning_rate': 2e-05, 'epoch': 0.01}",
    "transformers 5": "{'loss': '1.23', 'grad_norm': '1.0', 'learning_rate': '2e-05', 'epoch': '0.01'}",
    "trl": "{'loss': 1.1, 'grad_norm': 0.5, 'learning_rate': 2e-05, 'num_tokens': 81920.0, 'mean_token_accuracy': 0.6}",
    "a logger": '2025-06-01 10:00:00 INFO {"loss": 1.23, "learning_rate": 2e-05, "epoch": 0.01}',
}
ORDERS = {
    "behind each bar": "{bar}\n{dict}\n{later}\n{dict}",
    "before each bar": "{dict}\n{bar}\n{dict}\n{later}",
    "behind one": "{bar}\n{dict}\n{later}",
    "on its line": "{bar}\n{dict} {later}",
    "with an evaluation between": "{bar}\n{dict}\n{evaluation}\n{{'eval_loss': 1.2, 'eval_runtime': 30.0}}\n{later}",
}


@pytest.mark.parametrize("trainer", DICTS)
@pytest.mark.parametrize("order", ORDERS)
def test_a_bar_beside_losses_is_trainings_and_not_doubted(trainer: str, order: str) -> None:
    """Transformers' bar names nothing; its dict of the step does, wherever it is printed."""
    bars = {"bar": _bar(10, 1000, 30, "3.00s/it"), "later": _bar(20, 1000, 60, "3.00s/it")}
    evaluation = _bar(40, 100, 20, "2.00it/s")
    read = log_reading(ORDERS[order].format(dict=DICTS[trainer], evaluation=evaluation, **bars))
    assert read.doubt is None
    assert (read.steps_done, read.total_steps) == (20, 1000)


@pytest.mark.parametrize("beside", ["", "{'eval_loss': 1.2, 'eval_runtime': 30.0}", "loss functions: 3 in all"])
def test_a_bar_that_nothing_names_is_doubted(beside: str) -> None:
    assert log_reading(f"{_bar(10, 1000, 30, '3.00s/it')}\n{beside}").doubt is not None
