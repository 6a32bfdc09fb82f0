"""What is left is of the run where log or caller tell its epochs, and is called an epoch's where neither does.

Authority: what each trainer counts in its lines, by its source: an epoch's iterations (Keras, Lightning, torchvision,
timm, Ultralytics, MMEngine's epochs), or the run's (Hugging Face, Kohya's `steps`); figures made up.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest

from estimator.answers.check.check import SpeedCheck, speed_check
from estimator.answers.check.observation import Observed
from estimator.answers.check.wording import check_summary
from estimator.question.request import Request

BAR = "{} 45%|████▌     | 450/1000 [07:30<09:10,  1.00s/it, loss=2.1]"
"""Half an epoch of a thousand steps, at a second each."""
LINES = {
    "lightning": "Epoch 3:  45%|████▌     | 450/1000 [07:30<09:10,  1.00s/it, v_num=0, loss=2.1]",
    "rich": "Epoch 3/{last}  ━━━━━━━━╺━━━━ 450/1000 0:07:30 • 0:09:10 1.00it/s v_num: 3.000 train_loss: 2.1",
    "torchvision": "Epoch: [3]  [ 450/1000]  eta: 0:09:10  lr: 0.1  loss: 2.3  time: 1.0000  data: 0.0010  max mem: 9",
    "pytorch/examples": "Epoch: [3][ 450/1000]\tTime  1.000 ( 1.000)\tData  0.010 ( 0.020)\tLoss 6.9e+00 (6.9e+00)",
    "timm": "Train: 3 [ 450/1000 ( 45%)]  Loss: 6.9 (6.9)  Time: 1.000s,   32.00/s  (1.000s,   32.00/s)  LR: 1.0e-03",
    "keras": "Epoch 4/{epochs}\n 450/1000 ━━━━━━━━━━━━━━━━━━━━ 9:10 1s/step - loss: 2.1",
    "a loop's head": f"Epoch 4/{{epochs}}\n{BAR.format('')}",
    "a loop's label": BAR.format("Epoch 4/{epochs}:"),
    "a bar of epochs": f"Epoch:  30%|███ | 3/{{epochs}} [50:00<1:00:00, 1000.00s/it]\n{BAR.format('Iteration:')}",
    "ultralytics": "      4/{epochs}      4.42G      1.186      2.012        199        640:  45%|████▌     | 450/1000 "
    "[07:30<09:10,  1.00s/it]",
    "mindformers": "INFO - {{ Epoch:[  4/ {epochs}], step:[  450/ 1000], loss: 1.1, per_step_time: 1000ms, lr: 1e-6 }}",
    "composer": "[epoch=4/{epochs}][batch=450/1000]:\n\t Train throughput/batches_per_sec: 1.0\n"
    "\t Train throughput/samples_per_sec: 32.0",
    "minimind": "Epoch:[4/{epochs}](450/1000) loss:3.1 lr:0.0005 epoch_Time:9.1667min:",
}
"""The same moment in each: three epochs and 450 steps are through."""
NOTHING: Mapping[str, Any] = MappingProxyType({})
SILENT = frozenset({"lightning", "torchvision", "pytorch/examples", "timm"})
"""Which never say how many epochs there are."""


ASKED = Request(model="vit-base", gpu="3090", n_gpus=1, global_batch_sequences=32)


def _checked(log: str, told: Mapping[str, Any] = NOTHING) -> SpeedCheck:
    return speed_check(replace(ASKED, **told), Observed(log=log))


def _left_s(check: SpeedCheck) -> float:
    assert check.remaining is not None
    return check.remaining.seconds


@pytest.mark.parametrize("trainer", LINES)
@pytest.mark.parametrize("epochs", [4, 10])
def test_what_is_left_is_of_all_epochs_where_log_or_caller_tell_them(trainer: str, epochs: int) -> None:
    log = LINES[trainer].format(epochs=epochs, last=epochs - 1)
    told = ({"epochs": epochs}, {"epochs": epochs, "samples": 32_000}, {"steps": 1_000 * epochs})
    for amount in told if trainer in SILENT | {"rich"} else ({}, *told):
        check = _checked(log, amount)
        assert _left_s(check) == pytest.approx(1_000 * epochs - 3_450, rel=0.01)
        assert "in this epoch" not in check_summary(check)


@pytest.mark.parametrize("trainer", sorted(SILENT))
@pytest.mark.parametrize("told", [{}, {"samples": 32_000}, {"tokens": "10M"}], ids=str)
def test_what_is_left_of_an_epoch_is_called_so_where_nobody_tells_how_many_follow(
    trainer: str, told: dict[str, Any]
) -> None:
    """Data without epochs are those of one, and the log is in its fourth."""
    check = _checked(LINES[trainer], told)
    assert _left_s(check) == pytest.approx(550)
    assert "left in this epoch" in check_summary(check)


def test_a_bar_without_a_name_is_an_epochs_where_its_steps_are_one_epochs_samples() -> None:
    """32,000 samples by 32 are a thousand steps: of one epoch, or of ten."""
    assert "left in this epoch" in check_summary(_checked(BAR.format(""), {"samples": 32_000, "epochs": 10}))
    assert _left_s(_checked(BAR.format(""), {"samples": 3_200, "epochs": 10})) == pytest.approx(550)


@pytest.mark.parametrize(
    "bar", ["steps:", "Steps:", "Epoch 4/10, Steps:", "my_flux_lora:"], ids=["kohya", "diffusers", "simpletuner", "own"]
)
def test_a_bar_of_all_steps_is_the_runs_whatever_epoch_stands_beside_it(bar: str) -> None:
    """Kohya's scripts print `epoch 4/10` above theirs."""
    check = _checked(f"\nepoch 4/10\n{BAR.format(bar)}")
    assert _left_s(check) == pytest.approx(550)
    assert "in this epoch" not in check_summary(check)


def test_an_eta_of_all_epochs_goes_before_the_steps_of_one() -> None:
    """MMEngine, hooks/logger_hook.py: `eta` is of the whole run, the counter of an epoch."""
    log = (
        "06/01 10:00:00 - mmengine - INFO - Epoch(train)  [3][ 450/1000]  lr: 1.9e-03  eta: 2:39:10  time: 1.0000  "
        "data_time: 0.0100  memory: 7890  loss: 0.9"
    )
    check = _checked(log)
    assert _left_s(check) == pytest.approx(9_550)
    assert "in this epoch" not in check_summary(check)


ENDS = {
    "transformers": "{'train_runtime': 1834.2, 'train_samples_per_second': 28.35, 'train_steps_per_second': 0.443, "
    "'train_loss': 1.05, 'epoch': 1.0}",
    "run_clm.py": "***** train metrics *****\n  epoch                    =        1.0\n"
    "  train_runtime            = 0:30:34.20\n  train_samples_per_second =      28.35\n"
    "  train_steps_per_second   =      0.443",
    "lightning": f"{LINES['lightning']}\n`Trainer.fit` stopped: `max_epochs=10` reached.",
    "ultralytics": f"{LINES['ultralytics'].format(epochs=100)}\n\n12 epochs completed in 1.234 hours.",
    "trainer_state.json": '{"global_step": 812, "max_steps": 812, "log_history": [{"train_runtime": 1834.2, '
    '"train_samples_per_second": 28.35, "train_steps_per_second": 0.443, "step": 812}]}',
    "an evaluation after it": "{'train_runtime': 1834.2, 'train_samples_per_second': 28.35, "
    "'train_steps_per_second': 0.443}\n 45%|████▌     | 45/100 [00:45<00:55,  1.00s/it]\n"
    "{'eval_loss': 1.2, 'eval_runtime': 30.0, 'eval_samples_per_second': 99.0}",
}


@pytest.mark.parametrize("trainer", ENDS)
@pytest.mark.parametrize("told", [{}, {"samples": "52k"}, {"samples": "52k", "epochs": 3}], ids=str)
def test_nothing_is_left_of_a_run_that_its_trainer_says_is_through(trainer: str, told: dict[str, Any]) -> None:
    check = _checked(ENDS[trainer], told)
    assert _left_s(check) == 0.0
    assert "its run has ended" in check_summary(check)


@pytest.mark.parametrize("line", ["{'eval_runtime': 30.0, 'eval_loss': 1.2}", BAR.format("Training 2:")])
def test_a_run_goes_on_after_what_ends_only_its_evaluation_or_the_run_before_it(line: str) -> None:
    before = "" if "eval" in line else ENDS["transformers"]
    assert _left_s(_checked(f"{BAR.format('Training:')}\n{before}\n{line}")) == pytest.approx(550)
