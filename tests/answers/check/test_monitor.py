"""What a monitor of the devices shows is evidence of why a run is slow, and never of how slow.

Authority: the rows as nvidia-smi 550, its `dmon` and `--query-gpu`, nvitop, gpustat and rocm-smi print them; NVML's
nvmlUtilization_t, whose `gpu` is the share of the time in which one or more kernels ran, those of NCCL among them.
"""

from dataclasses import replace

import pytest

from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.monitor import device_load, is_of_a_monitor
from estimator.answers.check.observation import Observed
from estimator.base.errors import InvalidValueError
from estimator.question.request import Request

SMI = "| 71%   71C    P0   {w}W / 400W |  70211MiB / 81920MiB |     {busy}%      Default |"
DMON = """# gpu   pwr gtemp mtemp    sm   mem   enc   dec  mclk  pclk
# Idx     W     C     C     %     %     %     %   MHz   MHz
    0   {w}    71     -    {busy}    60     0     0  1593  1410"""
ROWS = {
    "nvidia-smi": SMI,
    "dmon": DMON,
    "query": "utilization.gpu [%], power.draw [W], power.limit [W]\n{busy} %, {w}.11 W, 400.00 W",
    "query without units": "index, power.draw [W], utilization.gpu [%]\n0, {w}.11, {busy}",
    "query without header": "{busy} %, {w}.11 W",
    "nvitop": "\u2502 71%   71C    P0   {w}W / 400W \u2502  68.57GiB / 80.00GiB \u2502     {busy}%      Default \u2502",
    "gpustat": "[0] NVIDIA A100-SXM4-80GB | 71\u00b0C,  {busy} %,  {w} / 400 W | 70211 / 81920 MB | me(69000M)",
    "rocm-smi": "0    71.0c  {w}.0W   1700Mhz  1600Mhz  0%    auto  400.0W   92%   {busy}%",
}
ASKED = Request(model="llama-3.1-8b", gpu="a100 80gb", n_gpus=8, sequence_length=4096)
ALONE = replace(ASKED, model="qwen2.5-1.5b", n_gpus=1, framework="huggingface", method="lora")
SLOW = "\n".join(f"step {step} loss 2.1 tokens/sec: 9,000" for step in range(20, 30))


def _checked(row: str, asked: Request = ASKED, log: str = SLOW) -> SpeedCheck:
    check = speed_check(asked, Observed(log=f"{log}\n{row}"))
    assert check.verdict == "slow"
    return check


def _codes(check: SpeedCheck) -> list[str]:
    return [cause.code for cause in check.causes]


def _said(check: SpeedCheck) -> str:
    return next(warning.message for warning in check.warnings if warning.code == "device_load_read")


@pytest.mark.parametrize("monitor", ROWS)
@pytest.mark.parametrize(("busy", "w", "kind"), [(99, 392, "working"), (38, 142, "waiting"), (99, 142, "running")])
def test_utilization_and_power_are_read_as_each_monitor_prints_them(monitor: str, busy: int, w: int, kind: str) -> None:
    load = device_load(ROWS[monitor].format(busy=busy, w=w), n_gpus=8, usual_limit_w=400.0)
    assert load is not None
    assert load.busy == pytest.approx(busy / 100)
    assert load.power_w == pytest.approx(w, abs=0.2)
    assert load.limit_w == pytest.approx(400.0)
    assert load.kind == kind


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_alone_is_refused_as_a_whole_table_is(row: str) -> None:
    with pytest.raises(InvalidValueError, match="tells no speed: nvidia-smi and its like"):
        speed_check(ASKED, Observed(log=row.format(busy=99, w=392)))


@pytest.mark.parametrize(
    "line",
    [
        " 71%|#######1  | 392/400 [03:12<00:04,  1.99it/s, loss=2.1]",
        "epoch 1, 38 %, loss 2.1",
        "power.law 0.3, exponent 0.4",
        *SLOW.splitlines()[:1],
    ],
)
def test_a_line_of_a_trainer_is_none_of_a_monitor(line: str) -> None:
    assert not is_of_a_monitor(line)
    assert device_load(line, n_gpus=8) is None


def test_a_device_that_works_does_not_wait() -> None:
    """At nearly full power it multiplies; a kernel that waits for others draws much less."""
    check = _checked(SMI.format(w=392, busy=99))
    waits = {"starved_loader", "device_waits", "slow_network", "scale_up_link_unused", "pcie_tensor_parallel"}
    assert not waits & {*_codes(check)}
    assert _codes(check)
    assert "99% utilization and 392 of 400 W" in _said(check)
    assert "left out" in _said(check)


def test_a_device_that_is_idle_for_much_of_the_time_waits() -> None:
    check = _checked(SMI.format(w=142, busy=38))
    assert check.causes[0].code == "starved_loader"
    assert "38% utilization and 142 of 400 W" in check.causes[0].evidence
    assert "come first" in _said(check)
    # Among those that explain it as well, too: what a batch that nobody told may be always does.
    steps = "\n".join(f" iteration {n}/ 100 | elapsed time per iteration (ms): 60000.0 |" for n in range(20, 30))
    asked = replace(ASKED, global_batch_sequences=128)
    assert _codes(_checked(SMI.format(w=142, busy=38), asked, steps))[0] == "starved_loader"


def test_kernels_at_little_power_may_be_those_that_wait_for_other_devices() -> None:
    """Of one device there are no others."""
    row = SMI.format(w=142, busy=99)
    nodes = replace(ASKED, n_gpus=64)
    of_many, without = _checked(row, nodes), _checked("", nodes)
    assert _codes(of_many) == _codes(without)
    assert "slow_network" in _codes(of_many)
    assert "no cause is left out" in _said(of_many)
    alone = "\n".join(f"step {step} tokens/sec: 2,500" for step in range(20, 30))
    assert "starved_loader" in _codes(_checked("", ALONE, alone))
    assert "starved_loader" not in _codes(_checked(row, ALONE, alone))


def test_a_row_beside_a_speed_that_is_told_is_evidence_too() -> None:
    check = speed_check(ASKED, Observed(tokens_per_second="9000 total", log=SMI.format(w=392, busy=99)))
    assert check.verdict == "slow"
    assert "starved_loader" not in _codes(check)
    assert {"log_without_speed", "device_load_read"} <= {warning.code for warning in check.warnings}


def test_a_log_that_shows_its_loading_is_believed_over_a_moment() -> None:
    line = (
        "01/05 10:00:{n} - mmengine - INFO - Iter(train) [  {n}/1000]  lr: 2.0000e-05  eta: 1:00:26  time: 3.7000  "
        "data_time: 2.6000  memory: 12345  loss: 1.2000  tokens_per_sec: 1107.0"
    )
    log = "\n".join(line.format(n=n) for n in range(20, 30))
    assert "starved_loader" in _codes(_checked(SMI.format(w=392, busy=99), log=log))


def test_devices_that_others_left_empty_are_none_of_the_run() -> None:
    """A table has every device of a machine, whoever uses it."""
    idle = "| 30%   31C    P8    52W / 400W |      3MiB / 81920MiB |      0%      Default |"
    text = "\n".join([SMI.format(w=392, busy=99), *[idle] * 7])
    one, eight = (device_load(text, n_gpus=n) for n in (1, 8))
    assert one is not None
    assert eight is not None
    assert (one.kind, eight.kind) == ("working", "uneven")


def test_a_run_that_is_not_slow_is_told_that_its_row_was_not_used() -> None:
    log = SLOW.replace("9,000", "34,000")
    check = speed_check(ASKED, Observed(log=f"{log}\n{SMI.format(w=392, busy=99)}"))
    assert check.verdict == "normal"
    assert _said(check).endswith("was not used")


def test_one_busy_device_among_idle_ones_is_no_mean_of_them() -> None:
    """The mean of 100 % and 9 % says that each works half of the time."""
    rows = "\n".join(SMI.format(busy=busy, w=w) for busy, w in ((100, 341), (9, 98)))
    check = _checked(rows, replace(ALONE, n_gpus=2, framework="huggingface, torchrun"))
    assert "9% to 100% utilization" in _said(check)
    assert "unevenly" in _said(check)
