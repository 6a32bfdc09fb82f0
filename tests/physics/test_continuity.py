"""A token, a device or a sequence more hardly changes the time, unless the answer says what divides better.

Authority: what a trainer really splits. A sequence is padded to what its ranks divide, so that its length has no
favourites; heads, devices and batches are not, so that counts and batches have, and whoever asks of others is told.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.answers.estimate.predict import prediction
from estimator.answers.estimate.runnable import runnable
from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.physics.batch import ENOUGH_AT_A_TIME, batch_shared_by_more, global_batch_sequences
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.physics.step import step_time
from estimator.question.question import LayoutRequest, Question
from tests.physics_cases import catalogued_cluster

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "deepseek-v3", "llama-3.1-405b")
ENOUGH_BYTES = 1e15
"""What fits and what does not is a threshold in truth: where lengths are compared memory is kept out of the way."""


def _question(
    model: str, gpu: str, n_gpus: int, framework: str, *, length: int = 4096, batch: int | None = None
) -> Question:
    cluster = catalogued_cluster(gpu, n_gpus)
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=cluster,
        precision=cluster.accelerator.training_precision,
        sequence_length=length,
        global_batch_sequences=batch,
        framework=framework,
    )


def _token_s(question: Question) -> float:
    """Return physical seconds per token of the best layout, whether it fits or not."""
    chip = replace(question.cluster.accelerator, memory_bytes=ENOUGH_BYTES)
    question = replace(question, cluster=replace(question.cluster, accelerator=chip))
    setting = setting_of(question)
    priced = ranked_layouts(setting, committed_calibration().constants)
    return float(priced.seconds[priced.order[0]]) / (setting.global_batch * question.sequence_length)


@given(
    model=st.sampled_from(MODELS),
    gpu=st.sampled_from(["h100-sxm", "a100-sxm-80gb", "b200-sxm", "mi300x", "tpu-v5p"]),
    n_gpus=st.sampled_from([8, 64, 512, 2048]),
    framework=st.sampled_from(["megatron", "nemo", "fsdp", "huggingface", "maxtext"]),
    length=st.one_of(st.integers(4097, 140_000), st.integers(12, 17).map(lambda power: 1 << power)),
)
@settings(deadline=None, max_examples=60)
def test_a_token_more_in_a_sequence_is_a_token_more(
    model: str, gpu: str, n_gpus: int, framework: str, length: int
) -> None:
    """16,383 and 16,384 tokens differed by a fifth, because one of them divides by twice any degree."""
    less, more = (_question(model, gpu, n_gpus, framework, length=each) for each in (length - 1, length))
    assert _token_s(more) == pytest.approx(_token_s(less), rel=0.03)


@pytest.mark.parametrize("n_gpus", [511, 1416, 1000, 520, 999, 1023, 4095])
@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.1-70b", "deepseek-v3"])
def test_counts_that_divide_badly_are_told_of_fewer_that_are_faster(model: str, n_gpus: int) -> None:
    asked = _question(model, "h100-sxm", n_gpus, "nemo")
    found = prediction(asked)
    mine_s = found.step_s / found.tokens_per_step
    told = [warning.message for warning in found.warnings if warning.code == "fewer_gpus_are_faster"]
    if not found.memory.fits:
        assert "fits_on_fewer_gpus" in {warning.code for warning in found.warnings}
        return
    for power in range(3, 9):
        fewer = n_gpus >> power << power
        cluster = replace(asked.cluster, n_gpus=fewer)
        other = prediction(replace(asked, cluster=cluster))
        other_s = other.step_s / other.tokens_per_step
        assert other_s > 0.97 * mine_s or told, fewer
        if told and int(told[0].split()[0].replace(",", "")) == fewer:
            assert other_s < mine_s


@pytest.mark.parametrize("model", ["llama-3.1-70b", "gpt-3-175b"])
def test_511_gpus_are_told_that_504_are_faster(model: str) -> None:
    """511 = 7 · 73: no tensor parallelism divides it."""
    found = prediction(_question(model, "h100-sxm", 511, "nemo"))
    (message,) = [warning.message for warning in found.warnings if warning.code == "fewer_gpus_are_faster"]
    assert message.startswith("504 GPUs")


@given(
    model=st.sampled_from(["llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b"]),
    n_gpus=st.sampled_from([8, 64, 512]),
    framework=st.sampled_from(["nemo", "fsdp", "huggingface"]),
    batch=st.integers(128, 3000),
)
@settings(deadline=None, max_examples=60)
def test_a_batch_takes_no_longer_than_one_near_it_or_the_answer_says_so(
    model: str, n_gpus: int, framework: str, batch: int
) -> None:
    """Nobody trains 977 sequences (4M tokens of 4,096 each) on 512 devices with one replica."""
    asked = _question(model, "h100-sxm", n_gpus, framework, batch=batch)
    try:
        found = prediction(asked)
    except InfeasibleError:
        return
    codes = {warning.code for warning in found.warnings}
    share = n_gpus
    while batch < share:
        share //= 2
    near = round(batch / share) * share
    if abs(near / batch - 1) < 1 / 16 and not codes & {"other_batch_is_faster"}:
        other = prediction(replace(asked, global_batch_sequences=near))
        assert found.step_s / found.tokens_per_step < 1.08 * other.step_s / other.tokens_per_step
    # Further off only where no layout divides the batch that was stated.
    assert abs(found.layout.global_batch_sequences / batch - 1) <= (1 / 16 if framework == "nemo" else 1 / 4)
    assert ("batch_rounded" in codes) == (found.layout.global_batch_sequences != batch)


@pytest.mark.parametrize(
    ("batch", "n_gpus", "priced"),
    [(511, 512, 512), (977, 512, 1024), (129, 64, 128), (1000, 512, 1024), (1000, 64, 1000), (96, 64, 96)],
)
def test_a_batch_of_large_primes_or_that_costs_much_gives_way_and_any_other_stands(
    batch: int, n_gpus: int, priced: int
) -> None:
    asked = _question("llama-3.1-8b", "h100-sxm", n_gpus, "nemo", batch=batch)
    assert runnable(asked, committed_calibration().constants).global_batch_sequences == priced


@given(batch=st.integers(1, 5000), n_gpus=st.integers(1, 2048), tensor=st.sampled_from([None, 1, 2, 8]))
def test_the_batch_that_more_replicas_share_is_near_and_shared_by_more_or_by_all_with_several_each(
    batch: int, n_gpus: int, tensor: int | None
) -> None:
    if tensor is not None and n_gpus % tensor:
        return
    asked = replace(
        _question("llama-3.1-8b", "h100-sxm", n_gpus, "nemo", batch=batch), layout=LayoutRequest(tensor_parallel=tensor)
    )
    better = batch_shared_by_more(asked)
    if better is None:
        return
    replicas = n_gpus // (tensor or 1)

    def shared(whole: int) -> int:
        return max(share for share in range(1, replicas + 1) if replicas % share == 0 and whole % share == 0)

    assert abs(better / batch - 1) <= 1 / 16
    assert shared(better) > shared(batch) or better % (replicas * ENOUGH_AT_A_TIME) == 0


@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.1-70b"])
def test_the_usual_batch_keeps_near_the_usual_tokens_whichever_the_count(model: str) -> None:
    """Counts of whole nodes divide by 8; the batch does not double or halve from one to the next."""
    tokens = 2**22 if model == "llama-3.1-8b" else 2**23
    for n_gpus in range(128, 4097, 8):
        batch = global_batch_sequences(_question(model, "h100-sxm", n_gpus, "nemo"))
        assert batch * 4096 == pytest.approx(tokens, rel=0.26)


@pytest.mark.parametrize("n_gpus", [1, 8, 16, 32, 33, 48, 64, 96, 100, 120, 384, 400])
def test_the_usual_batch_gives_a_device_a_number_that_micro_batches_divide(n_gpus: int) -> None:
    """32 devices had 15 sequences each, which no micro-batch between 1 and 3 divides, and nobody chooses."""
    batch = global_batch_sequences(_question("llama-3.2-1b", "a100-sxm-80gb", n_gpus, "nemo", length=2048))
    shared = batch / n_gpus
    assert batch == pytest.approx(min(2**21 / 2048, 16 * n_gpus), rel=0.25)
    if shared >= 1:
        assert shared in {1, 2, 3, 4, 6, 8, 12, 16}


@pytest.mark.parametrize(
    ("tokens", "sequences"), [(None, 128), (1e9, 128), (5e9, 128), (1e11, 1024), (1.4e12, 1024), (1e15, 1024)]
)
def test_a_fine_tuner_that_pre_trains_does_so_in_more_than_128_sequences(tokens: float | None, sequences: int) -> None:
    """A hundred billion tokens in batches of 262,144 are 380,000 steps; Phi-2's 1.4 trillion took 14 days."""
    asked = _question("phi-2", "a100-sxm-80gb", 64, "deepspeed", length=2048)
    assert global_batch_sequences(replace(asked, run_tokens=tokens)) == sequences


@given(tokens=st.floats(1e6, 1e15), factor=st.floats(1, 100), framework=st.sampled_from(["trl", "deepspeed", "nemo"]))
def test_more_data_is_never_trained_in_smaller_batches(tokens: float, factor: float, framework: str) -> None:
    asked = _question("llama-3.1-8b", "h100-sxm", 64, framework)
    less, more = (global_batch_sequences(replace(asked, run_tokens=each)) for each in (tokens, factor * tokens))
    assert less <= more


@given(
    n_gpus=st.sampled_from([8, 24, 64, 96, 640, 1000]),
    tensor=st.sampled_from([1, 2, 4, 8]),
    pipeline=st.sampled_from([1, 2, 4]),
    micro=st.sampled_from([None, 1, 2]),
)
def test_the_usual_batch_divides_over_the_replicas_of_a_stated_split(
    n_gpus: int, tensor: int, pipeline: int, micro: int | None
) -> None:
    if n_gpus % (tensor * pipeline):
        return
    split = LayoutRequest(tensor_parallel=tensor, pipeline_parallel=pipeline, micro_batch_size=micro)
    asked = replace(_question("llama-3.1-8b", "h100-sxm", n_gpus, "megatron"), layout=split)
    assert global_batch_sequences(asked) % (n_gpus // (tensor * pipeline) * (micro or 1)) == 0
    assert len(setting_of(asked).layouts)


@pytest.mark.parametrize("tensor", [1, 4])
def test_stages_that_do_not_divide_the_layers_wait_for_the_fullest(tensor: int) -> None:
    """Of 57 to 64 layers the fullest of eight stages has eight, and computes and tells its ranks as much.

    Of 64 the last stage has as many, and the logits on top: they take no longer than the layer that it is spared else.
    """
    asked = _question("llama-3.1-70b", "h100-sxm", 8 * tensor, "megatron", batch=64)
    split = LayoutRequest(
        tensor_parallel=tensor, pipeline_parallel=8, virtual_pipeline=1, micro_batch_size=1, recompute="none"
    )

    def busy_s(layers: int) -> float:
        setting = setting_of(replace(asked, transformer=replace(asked.transformer, n_layers=layers), layout=split))
        rows = setting.layouts.taken(np.array([0]))
        times = step_time(setting.case, rows, committed_calibration().constants)
        return float((times.compute_s + times.attention_s + times.communication_s)[0])

    uneven = busy_s(63)
    for layers in range(57, 63):
        assert busy_s(layers) == pytest.approx(uneven, rel=0.01)
    whole = busy_s(64)
    assert uneven < whole < 9 / 8 * uneven
    assert busy_s(56) < 0.95 * whole
