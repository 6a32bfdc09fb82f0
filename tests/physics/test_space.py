"""The search offers what can run, and only that, and knows the best of it.

Authority: what each degree divides (Shoeybi et al. 2019; Narayanan et al. 2021; Rajbhandari et al. 2020).
"""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.physics.choice import Choice, Setting, ranked_layouts, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.layout import Layouts
from estimator.physics.memory import USABLE_SHARE, memory_of
from estimator.physics.step import step_time
from estimator.question.question import LayoutRequest, Question
from estimator.question.request import FRAMEWORK_CHOICES
from tests.physics_cases import catalogued_cluster

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "mixtral-8x7b", "deepseek-v3")


def _question(
    model: str, n_gpus: int, batch: int | None = 1024, *, gpu: str = "h100-sxm", sequence_length: int = 4096
) -> Question:
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=catalogued_cluster(gpu, n_gpus),
        precision="bf16",
        sequence_length=sequence_length,
        global_batch_sequences=batch,
        framework="megatron",
    )


def _priced(question: Question) -> tuple[Setting, Choice]:
    searched = setting_of(question)
    return searched, ranked_layouts(searched, prior_constants())


def _all(searched: Setting) -> Layouts:
    return searched.layouts.taken(np.arange(len(searched.layouts)))


@given(
    model=st.sampled_from(MODELS),
    n_gpus=st.sampled_from([1, 2, 8, 24, 64, 96, 256]),
    batch=st.sampled_from([64, 96, 256, 1024, 1536]),
    sequence_length=st.sampled_from([2048, 8192, 32768]),
)
def test_every_layout_uses_all_devices_and_the_whole_batch_and_splits_no_head_expert_or_layer(
    model: str, n_gpus: int, batch: int, sequence_length: int
) -> None:
    """A stage has a layer at least; stages divide the layers evenly where they are interleaved, and need not else."""
    question = _question(model, n_gpus, batch, sequence_length=sequence_length)
    t = question.transformer
    try:
        searched = setting_of(question)
    except InfeasibleError:
        assert batch % n_gpus, "a batch that all devices share has a layout"
        return
    lay = _all(searched)
    assert np.all(lay.tensor * lay.pipeline * lay.context * lay.data == n_gpus)
    assert np.all(lay.data * lay.micro_batch * lay.micro_batches == batch)
    assert np.all(lay.micro_batches >= 1)
    assert np.all(t.n_heads % lay.tensor == 0)
    assert np.all(lay.pipeline <= t.n_layers)
    interleaved = lay.virtual > 1
    chunks = (lay.pipeline * lay.virtual)[interleaved]
    ends = 2 if searched.stack.tier == "tuned" else 0
    assert np.all((t.n_layers % chunks == 0) | ((t.n_layers + ends) % chunks == 0))
    assert np.all((lay.micro_batches % lay.pipeline)[interleaved] == 0)
    experts = t.experts.n_experts if t.experts else 1
    assert np.all(experts % lay.expert == 0)
    assert np.all((n_gpus / lay.pipeline) % lay.expert == 0)
    assert np.all(sequence_length % (2 * lay.context)[lay.context > 1] == 0)


@pytest.mark.parametrize(
    ("framework", "interleaves"),
    [("megatron-deepspeed", False), ("gpt-neox", False), ("nanotron", False), ("megatron", True), ("nemo", True)],
)
def test_pipelines_without_an_interleaved_schedule_have_stages_of_one_chunk(framework: str, interleaves: bool) -> None:
    """DeepSpeed's `TrainSchedule` and nanotron's 1F1B; who asks for chunks all the same gets them."""
    question = replace(_question("llama-3.1-8b", 64), framework=framework)
    assert (_all(setting_of(question)).virtual > 1).any() == interleaves
    asked = LayoutRequest(pipeline_parallel=4, virtual_pipeline=2)
    assert set(_all(setting_of(replace(question, layout=asked))).virtual) == {2.0}


def test_what_a_caller_fixes_stays_fixed() -> None:
    asked = LayoutRequest(
        tensor_parallel=4,
        pipeline_parallel=2,
        virtual_pipeline=4,
        data_sharding="zero1",
        micro_batch_size=2,
        recompute="full",
    )
    lay = setting_of(replace(_question("llama-3.1-8b", 64), layout=asked)).layouts
    rows = [lay.row(index) for index in range(len(lay))]
    assert {(row.tensor_parallel, row.pipeline_parallel, row.virtual_pipeline) for row in rows} == {(4, 2, 4)}
    assert {(row.data_sharding, row.micro_batch_size, row.recompute) for row in rows} == {("zero1", 2, "full")}


def test_what_does_not_divide_is_refused_with_what_would() -> None:
    asked = LayoutRequest(tensor_parallel=1, pipeline_parallel=1)
    with pytest.raises(InfeasibleError, match="a multiple of 7 sequences would do"):
        setting_of(replace(_question("llama-3.1-8b", 7, 5), layout=asked))


@pytest.mark.parametrize("model", MODELS)
def test_no_layout_that_does_not_fit_is_preferred_to_one_that_does(model: str) -> None:
    searched, priced = _priced(_question(model, 256))
    capacity_bytes = searched.question.cluster.accelerator.memory_bytes
    assert np.array_equal(priced.fits, priced.memory_bytes <= USABLE_SHARE.mode * capacity_bytes)
    assert 0 < int(priced.fits.sum()) < len(priced.fits)
    ranked = priced.fits[priced.order]
    assert not np.any(ranked[1:] & ~ranked[:-1])
    best_first = priced.seconds[priced.order[ranked]]
    assert np.all(np.diff(best_first) >= 0)
    assert best_first[0] == priced.seconds[priced.fits].min()


def test_where_nothing_fits_the_fastest_of_nearly_the_smallest_comes_first() -> None:
    """Those that take a quarter more than the smallest at most; of what is known to have run, the smallest."""
    question = _question("deepseek-v3", 8)
    searched, priced = _priced(question)
    assert not priced.fits.any()
    near = priced.memory_bytes <= 1.25 * priced.memory_bytes.min()
    assert priced.seconds[priced.order[0]] == priced.seconds[near].min()
    assert searched.least_bytes == priced.memory_bytes.min()
    _, ran = _priced(replace(question, published=True))
    assert ran.memory_bytes[ran.order[0]] == ran.memory_bytes.min()


@given(
    model=st.sampled_from(MODELS),
    n_gpus=st.sampled_from([1, 8, 24, 96, 256, 2048]),
    batch=st.sampled_from([256, 1536, 16384]),
    sequence_length=st.sampled_from([2048, 32768]),
    framework=st.sampled_from(["megatron", "fsdp", "pytorch", "nemo"]),
)
@settings(max_examples=25)
def test_layouts_priced_by_their_knobs_are_priced_as_one_by_one(
    model: str, n_gpus: int, batch: int, sequence_length: int, framework: str
) -> None:
    """What a term does not depend on is left out of its arrays; that must not change an answer."""
    question = replace(_question(model, n_gpus, batch, sequence_length=sequence_length), framework=framework)
    try:
        searched, priced = _priced(question)
    except InfeasibleError:
        return
    lay = _all(searched)
    wanted_s = step_time(searched.case, lay, prior_constants()).total_s
    np.testing.assert_allclose(priced.seconds, wanted_s, rtol=1e-12)
    np.testing.assert_allclose(priced.memory_bytes, memory_of(searched.case, lay).total_bytes, rtol=1e-12)


def test_a_large_space_is_priced_in_blocks_that_hold_each_layout_once() -> None:
    lattice = setting_of(_question("deepseek-v3", 16384, 65536, sequence_length=131_072)).layouts
    assert len(lattice.blocks) > 1
    held = np.concatenate([np.arange(len(lattice))[block.rows] for block in lattice.blocks])
    assert np.array_equal(held, np.arange(len(lattice)))
    for block in lattice.blocks:
        for name in ("tensor", "virtual", "data", "micro_batches"):
            knob = block.of_layouts(getattr(block.layouts, name))
            assert np.array_equal(knob, lattice.knob(name)[block.rows])


def test_no_layout_stands_twice_in_a_space() -> None:
    lay = _all(setting_of(_question("mixtral-8x7b", 96, 1536)))
    rows = np.stack([getattr(lay, field.name) for field in fields(lay)])
    assert np.unique(rows, axis=1).shape[1] == len(lay)


@pytest.mark.parametrize("model", MODELS)
def test_more_devices_never_slow_the_best_layout_of_a_batch(model: str) -> None:
    """Strong scaling flattens while every device still has a sequence to work on; it does not turn round."""
    best: list[float] = []
    for n_gpus in (64, 128, 256, 512):
        _, priced = _priced(_question(model, n_gpus))
        if priced.fits.any():
            best.append(float(priced.seconds[priced.fits].min()))
    assert len(best) > 1
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("model", ["llama-3.1-8b", "llama-3.1-70b"])
def test_devices_that_a_batch_leaves_idle_split_its_sequences(model: str) -> None:
    """Whatever divides their count; else the step of a few samples would jump where nothing else divides it."""

    def degrees_and_s(n_gpus: int) -> tuple[set[int], float]:
        posed, choice = _priced(_question(model, n_gpus, 64, sequence_length=8192))
        return {int(degree) for degree in posed.layouts.knob("context")}, float(choice.seconds[choice.order[0]])

    assert degrees_and_s(512)[0] == {1}
    many = [degrees_and_s(n_gpus) for n_gpus in (4096, 8192, 9216, 16384, 18432)]
    assert all(max(degrees) == 8 for degrees, _ in many)
    seconds = [step_s for _, step_s in many]
    assert all(later < 1.5 * earlier for earlier, later in pairwise(seconds))


BETTER = ("memory", "bandwidth", "peak", "links", "network")


def _better(question: Question, what: str, factor: float) -> Question:
    cluster = question.cluster
    if what == "network":
        return replace(question, cluster=replace(cluster, scale_out_bytes_per_s=factor * cluster.scale_out_bytes_per_s))
    chip = cluster.accelerator
    if what == "peak":
        chip = replace(
            chip,
            training_peak_flop_per_s=factor * chip.training_peak_flop_per_s,
            peak_flop_per_s={key: factor * rate for key, rate in chip.peak_flop_per_s.items()},
            measured_matmul_flop_per_s={key: factor * rate for key, rate in chip.measured_matmul_flop_per_s.items()},
        )
    else:
        field = {
            "memory": "memory_bytes",
            "bandwidth": "memory_bandwidth_bytes_per_s",
            "links": "scale_up_bytes_per_s",
        }[what]
        chip = replace(chip, **{field: factor * getattr(chip, field)})
    return replace(question, cluster=replace(cluster, accelerator=chip))


@given(
    model=st.sampled_from(MODELS),
    n_gpus=st.sampled_from([1, 8, 64, 512]),
    gpu=st.sampled_from(["h100-sxm", "a100-sxm-40gb", "rtx-4090", "mi300x", "tpu-v5p"]),
    framework=st.sampled_from(FRAMEWORK_CHOICES),
    what=st.sampled_from(BETTER),
    factor=st.floats(1.0, 10.0),
)
@settings(max_examples=150, deadline=None)
def test_a_better_device_or_network_never_slows_the_layout_that_is_chosen(  # noqa: PLR0917 - Hypothesis gives them
    model: str, n_gpus: int, gpu: str, framework: str, what: str, factor: float
) -> None:
    """More memory opens layouts, all else quickens each; nothing that is chosen now is lost."""
    question = replace(_question(model, n_gpus, 512, gpu=gpu), framework=framework)
    _, now = _priced(question)
    if not now.fits[now.order[0]]:
        return
    _, then = _priced(_better(question, what, factor))
    assert then.fits[then.order[0]]
    assert then.seconds[then.order[0]] <= now.seconds[now.order[0]] * (1 + 1e-12)


def test_the_order_of_equal_questions_is_the_same() -> None:
    first, second = (_priced(_question("mixtral-8x7b", 64))[1].order for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("model", "length", "each"),
    [("vit-base-patch16-224", 197, 256), ("bert-base-uncased", 128, 256), ("clip-vit-b-32", 50, 512)],
)
def test_short_sequences_are_not_accumulated_while_more_at_once_fit(model: str, length: int, each: int) -> None:
    """timm, CLIP and BERT are trained in hundreds a device: launches and narrow products cost least so."""
    question = replace(_question(model, 8, 8 * each, gpu="a100-sxm-80gb", sequence_length=length), framework="pytorch")
    setting, priced = _priced(question)
    assert priced.fits[priced.order[0]]
    assert setting.layouts.taken(priced.order[:1]).row(0).micro_batch_size == each


def test_long_sequences_have_no_more_at_once_than_layouts_of_decoders_are_told_with() -> None:
    setting, _ = _priced(_question("llama-3.1-8b", 8, 1024))
    assert max(setting.layouts.knob("micro_batch")) == 32


@pytest.mark.parametrize("layers", [4, 7, 9, 11, 13, 14, 15, 17, 19])
def test_a_stage_of_any_number_of_layers_is_interleaved(layers: int) -> None:
    """Megatron interleaves whatever divides a stage's layers, 7 of 7 too (Narayanan et al. 2021, section 2.2)."""
    plain = _question("llama-3.1-8b", 32)
    asked = replace(
        plain,
        transformer=replace(plain.transformer, n_layers=4 * layers),
        layout=LayoutRequest(pipeline_parallel=4, tensor_parallel=1),
    )
    chunks = {int(v) for v in _all(setting_of(asked)).virtual}
    assert {v for v in chunks if layers % v == 0} > {1}
