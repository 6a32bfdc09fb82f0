"""No cause is told that the log itself rules out, and what it says against the arguments comes first.

Authority: what each trainer's source divides and counts, as the excerpts name it; for FLOPs of a GPU, the same run with
the right arguments.
"""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from estimator.answers.check.check import speed_check
from estimator.answers.check.logs import ANYBODYS, log_reading
from estimator.answers.check.observation import Observed
from estimator.base.errors import EstimatorError
from estimator.models.flops import flop_counts
from estimator.physics.stacks import STACKS
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tests.answers.check.excerpts import EXCERPTS, Excerpt

OF_UNITS = frozenset({"speed_of_one_gpu", "multiplied_twice"})
FIRST = {log_reading(excerpt.text).dialect: excerpt for excerpt in EXCERPTS if "refused" not in excerpt.reads}
"""One excerpt of each trainer, for a check with all its causes is dear."""


@pytest.mark.parametrize("excerpt", FIRST.values(), ids=lambda excerpt: excerpt.name)
def test_what_a_trainer_is_known_to_count_is_not_doubted(excerpt: Excerpt) -> None:
    """Tokens of one GPU that were multiplied once, and steps that are the optimizer's."""
    asked = Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, global_batch_sequences=64, sequence_length=2048)
    try:
        check = speed_check(asked, Observed(log=excerpt.text))
    except EstimatorError:
        # A speed that no run has, with a batch that is another's.
        return
    read = log_reading(excerpt.text)
    codes = {cause.code for cause in check.causes}
    known = read.dialect not in ANYBODYS
    if known or read.tokens_per_second_per_gpu is not None:
        assert not codes & OF_UNITS
    if known and not read.counts_micro:
        assert "micro_step_timed" not in codes
    if read.data_share is not None:
        assert check.verdict != "slow" or ("starved_loader" in codes) is (read.data_share > 0.1)


def test_tokens_whose_scope_nothing_tells_may_be_of_one_gpu() -> None:
    """A loop of one's own prints whatever it counts."""
    asked = Request(model="llama-3.1-8b", gpu="h100", n_gpus=8)
    log = "\n".join(f"step {step} loss 2.1 tokens/sec: 9,000" for step in range(20, 30))
    assert "speed_of_one_gpu" in {cause.code for cause in speed_check(asked, Observed(log=log)).causes}


@pytest.mark.parametrize("framework", sorted(set(STACKS) - {"auto"}))
def test_a_stack_that_splits_no_model_unasked_is_told_of_no_tensor_parallelism(framework: str) -> None:
    asked = Request(
        model="llama-3.1-8b", gpu="4090", n_gpus=4, method="lora", framework=framework, global_batch_sequences=16
    )
    try:
        check = speed_check(asked, Observed(tokens_per_second=1_500))
    except EstimatorError:
        # Not every stack runs on every card.
        return
    if not check.run.stack.model_parallel:
        assert "pcie_tensor_parallel" not in {cause.code for cause in check.causes}


LINE = (
    " iteration {step}/ 1000 | consumed samples: {seen} | elapsed time per iteration (ms): 10742.0 | "
    "throughput per GPU (TFLOP/s/GPU): 398.2 |"
)
LOG = "\n".join(LINE.format(step=step, seen=1536 * step) for step in range(100, 110))
RIGHT = Request(
    model="llama-3.1-70b",
    gpu="h100",
    n_gpus=640,
    sequence_length=4096,
    global_batch_sequences=1536,
    framework="megatron",
)


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"n_gpus": 64}, "about 640 GPUs"),
        ({"n_gpus": 2048}, "about 640 GPUs"),
        ({"model": "llama-3.1-8b"}, "a model 9 times larger"),
        ({"sequence_length": 32_768}, "sequences 10 times shorter"),
    ],
    ids=str,
)
def test_flops_of_a_gpu_in_a_log_tell_which_argument_is_not_its_own(wrong: Mapping[str, object], remedy: str) -> None:
    """Megatron-LM, training.py `num_floating_point_operations`: of the model, over all devices."""
    right = speed_check(RIGHT, Observed(log=LOG))
    assert (right.verdict, right.causes) == ("normal", ())
    check = speed_check(replace(RIGHT, **wrong), Observed(log=LOG))  # type: ignore[arg-type]
    first = check.causes[0]
    assert (first.code, first.usual) == ("log_contradicts_arguments", True)
    assert remedy in first.what
    assert next(iter(wrong)) in first.check


def test_flops_that_are_counted_in_another_way_contradict_nothing() -> None:
    """With recomputation, or with attention in full, the same run is said to do up to twice as many."""
    for tflops in (398.2 * 4 / 3, 398.2 * 1.9, 398.2 / 1.5):
        check = speed_check(RIGHT, Observed(log=LOG.replace("398.2", f"{tflops:.1f}")))
        assert check.causes == ()


_LONG = 32_768
LONG = replace(RIGHT, sequence_length=_LONG, global_batch_sequences=192)
"""As many tokens a step, of which attention is a larger part."""


def _counting(convention: str) -> str:
    """Return the log of the right run as a trainer prints it that counts in another way."""
    asked = resolve(replace(LONG, tokens="1T")).question
    assert asked is not None
    ours = flop_counts(asked.transformer, sequence_length=_LONG)
    whole = flop_counts(asked.transformer, sequence_length=_LONG, causal=False)
    counts = {
        "the whole score matrix": whole.model,
        "full recomputation": flop_counts(asked.transformer, sequence_length=_LONG, recompute="full").hardware,
        # Of a causal mask, the half that is counted is as large as that which is not.
        "no attention": 2.0 * ours.model - whole.model,
    }
    per_gpu = 1536 * 4096 / 13.428 / 640 * counts[convention]
    log = "\n".join(LINE.format(step=step, seen=192 * step) for step in range(100, 110)).replace("10742.0", "13428.0")
    return log.replace("398.2", f"{per_gpu / 1e12:.1f}")


@pytest.mark.parametrize("convention", ["the whole score matrix", "full recomputation", "no attention"])
def test_flops_that_a_trainer_counts_in_another_way_are_explained(convention: str) -> None:
    """Megatron-LM's `num_floating_point_operations` counts the masked half too; Megatron-DeepSpeed recomputation."""
    check = speed_check(LONG, Observed(log=_counting(convention)))
    told = next(warning for warning in check.warnings if warning.code == "flops_counted_otherwise")
    assert f"the log counts {convention}" in told.message
    assert f"this answer {check.flop_per_s_per_gpu / 1e12:.3g}" in told.message
    assert check.verdict == "normal"


@pytest.mark.parametrize("times", [0.93, 0.97, 1.0, 1.03, 1.08])
def test_flops_that_are_counted_nearly_alike_are_not_explained(times: float) -> None:
    """A difference of less than a tenth changes nothing that is read off a utilization."""
    ours = speed_check(RIGHT, Observed(log=LOG)).flop_per_s_per_gpu / 1e12
    log = LOG.replace("398.2", f"{times * ours:.1f}")
    assert "flops_counted_otherwise" not in {told.code for told in speed_check(RIGHT, Observed(log=log)).warnings}


MEGATRON = (
    " iteration      100/  500000 | consumed samples:       102400 | elapsed time per iteration (ms): 21003.2 | "
    "throughput per GPU (TFLOP/s/GPU): {tflops} | learning rate: 1.0E-4 | global batch size:  1024 | lm loss: 2.1 |"
)
THIRTEEN = Request(model="llama-2-13b", gpu="a100", n_gpus=256, framework="megatron")


def test_a_length_that_the_logs_own_flops_refute_is_no_cause() -> None:
    """70 TFLOPS are those of 4,096 tokens a sequence; of 8,192 they would be 140, and then the log prints those."""
    fitting = speed_check(THIRTEEN, Observed(log=MEGATRON.format(tflops="70.2")))
    assert fitting.verdict == "slow"
    assert "longer_sequence" not in {cause.code for cause in fitting.causes}
    open_one = speed_check(THIRTEEN, Observed(log=MEGATRON.format(tflops="70.2").replace("TFLOP/s/GPU", "unknown")))
    assert "longer_sequence" in {cause.code for cause in open_one.causes}


@pytest.mark.parametrize(
    ("length", "tflops", "agrees"), [(4096, 70.2, True), (8192, 70.2, False), (2048, 70.2, False), (8192, 142.0, True)]
)
def test_a_length_that_the_logs_own_flops_do_not_make_contradicts_it(length: int, tflops: float, agrees: bool) -> None:
    check = speed_check(
        replace(THIRTEEN, sequence_length=length), Observed(log=MEGATRON.format(tflops=f"{tflops:.1f}"))
    )
    told = [warning for warning in check.warnings if warning.code == "log_contradicts_arguments"]
    assert (not told) is agrees
    assert agrees or "sequence" in told[0].message
