"""The published runs say what their sources say, and nothing that no device could do.

Authorities: the sources named in the rows; datasheets for the most a device can do.
"""

import csv
import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.catalogue import catalogue
from estimator.catalogue.published import PublishedRun
from estimator.catalogue.run_details import recompute_of, recomputed_parts
from estimator.catalogue.validation import CatalogueError, checked_files
from estimator.models.flops import flop_counts
from estimator.models.training import Method, Recompute
from estimator.models.workload import workload
from estimator.physics.stacks import STACKS
from estimator.question.practice import LayerPart
from estimator.resolve.published import published_question
from tests.physics_cases import LAYER_PARTS
from tests.places import ROOT

DATA = ROOT / "estimator" / "catalogue" / "data"
RUNS = catalogue.runs()
MEASURED = [run for run in RUNS if run.tokens_per_second_per_gpu is not None]


def _model_flop_per_s(run: PublishedRun) -> float:
    counts = flop_counts(run.transformer, sequence_length=run.sequence_length, method=Method(name=run.method))
    return (run.tokens_per_second_per_gpu or 0.0) * counts.model


def _of(pattern: str, accelerator_id: str, n_gpus: int) -> list[PublishedRun]:
    return [
        run
        for run in MEASURED
        if re.fullmatch(pattern, run.transformer.name) and run.accelerator_id == accelerator_id and run.n_gpus == n_gpus
    ]


def test_there_are_enough_runs_from_enough_sources_to_leave_any_out() -> None:
    assert len(MEASURED) > 1000
    assert len({run.group for run in MEASURED}) > 40
    assert len({run.accelerator_id for run in MEASURED}) > 20
    most = Counter(run.group for run in MEASURED).most_common(1)[0][1]
    assert most < len(MEASURED) / 2


def test_every_id_is_its_own() -> None:
    assert len({run.id for run in RUNS}) == len(RUNS)


def test_no_run_is_faster_than_its_device() -> None:
    """Dense peak at the run's precision, or twice 16 bit where none is listed; packed documents skip attention."""
    for run in MEASURED:
        chip = catalogue.accelerator(run.accelerator_id).value.accelerator
        peak = chip.peak_flop_per_s.get(run.precision, 2 * chip.training_peak_flop_per_s)
        share = _model_flop_per_s(run) / peak
        assert 0.005 < share < (1.0 if not run.packed_short else 1.5), (run.id, share)


@pytest.mark.parametrize(
    ("pattern", "accelerator_id", "n_gpus", "tokens_per_second_per_gpu", "source"),
    [
        ("MPT-70B", "h100-sxm", 512, 1007, "mosaicml/llm-foundry"),
        # DeepSeek-AI 2024, table 1: 2.664 million H800 hours for 14.8e12 tokens.
        ("DeepSeek-V3", "h800-sxm", 2048, 14.8e12 / 2.664e6 / 3600, "DeepSeek-V3"),
        # TinyLlama's README: 24 thousand tokens a second on each A100-40G.
        ("TinyLlama-1.1B", "a100-sxm-40gb", 16, 24_000, "TinyLlama"),
    ],
)
def test_a_run_has_the_speed_its_source_prints(
    pattern: str, accelerator_id: str, n_gpus: int, tokens_per_second_per_gpu: float, source: str
) -> None:
    found = _of(pattern, accelerator_id, n_gpus)
    assert any(
        run.tokens_per_second_per_gpu == pytest.approx(tokens_per_second_per_gpu, rel=0.002) and source in run.source
        for run in found
    )


MISNAMED = {"gemma-2b": 2.5, "gemma-7b": 8.5, "powerlm-3b": 3.5}
"""Models whose names round their billions of parameters away, and what they have."""


def test_a_model_has_about_as_many_parameters_as_its_name_says() -> None:
    """Rounded names, and mixtures named after a part, leave some room; a wrong width does not fit in it."""
    checked = 0
    for run in RUNS:
        said = re.fullmatch(r".*?[-_ ](\d+(?:\.\d+)?)B", run.transformer.name, flags=re.IGNORECASE)
        if said and run.transformer.experts is None:
            checked += 1
            # Widths here count both embeddings; the names of tied models do not count the second.
            parameters = workload(run.transformer).parameters
            untied = run.transformer.vocab * run.transformer.hidden
            billions = MISNAMED.get(run.transformer.name, float(said[1]))
            assert parameters >= 0.85e9 * billions, run.id
            assert parameters - untied <= (1.15e9 if billions > 1 else 1.35e9) * billions, run.id
    assert checked > 300


def test_a_four_bit_base_is_called_qlora() -> None:
    """Dequantizing it takes time that a base of 16 bits does not; one of 8 bits is told by its format."""
    for run in RUNS:
        assert (run.method == "qlora") == (run.details.base_bits == 4), run.id
    assert {run.details.base_format for run in RUNS if run.method == "qlora"} >= {"bnb-4bit", "gptq-int4"}


def test_what_a_source_says_of_its_setting_is_kept() -> None:
    """AnswerDotAI/fsdp_qlora caps its RTX 3090s at 280 W; fms-acceleration times kernels fused and not."""
    capped = {run.accelerator_id for run in RUNS if run.details.power_cap_w}
    assert capped == {"rtx-3090"}
    assert {run.details.fused_kernels for run in RUNS if run.lab == "IBM"} == {True, False}
    assert all(run.details.lora_rank is None for run in RUNS if run.method == "full")


def test_recomputation_of_some_layers_is_the_question_of_their_share() -> None:
    """AMD's MI300Xs run 21 of Llama-2 70B's 80 layers again (ACL in their recipes), and leave the others alone."""
    some = [run for run in RUNS if run.details.recomputed_layers is not None]
    assert {(run.accelerator_id, run.recompute, run.details.recomputed_layers) for run in some} >= {
        ("mi300x", "full", 21)
    }
    for run in some:
        layers, question = run.details.recomputed_layers or 0, published_question(run)
        assert question.layout.recompute == "full", run.id
        assert question.practice.recomputed_share == pytest.approx(layers / run.transformer.n_layers), run.id


@given(named=st.lists(st.sampled_from(LAYER_PARTS), unique=True))
def test_rows_name_parts_that_run_again_in_any_order(named: list[LayerPart]) -> None:
    words = " ".join(named) or "elementwise"
    assert recomputed_parts(words) == frozenset(named)
    assert recompute_of(words) == "selective"


@pytest.mark.parametrize(
    ("cell", "recompute"),
    [("none", "none"), ("selective", "selective"), ("full", "full"), ("full 21", "full"), ("", None)],
)
def test_rows_that_name_no_part_say_so(cell: str, recompute: Recompute | None) -> None:
    assert recomputed_parts(cell) is None
    assert recompute_of(cell) == recompute


def test_a_word_that_is_no_part_is_refused() -> None:
    with pytest.raises(KeyError, match="mlp"):
        recomputed_parts("core mlp")


@pytest.mark.parametrize(("graphs", "launch"), [("yes", "graphs"), ("no", "eager")])
def test_a_run_is_launched_as_its_source_says(graphs: str, launch: str) -> None:
    """Some of MLPerf's recipes capture CUDA graphs, others do not; what is compiled besides is told so."""
    told = [run for run in RUNS if run.details.cuda_graphs == graphs and not run.details.compiled]
    assert told
    assert {published_question(run).practice.launch for run in told} == {launch}


def test_a_duration_is_that_of_its_device_hours() -> None:
    """Hours of devices are devices times hours, rounded as sources round."""
    for run in RUNS:
        if run.gpu_hours and run.wallclock_days:
            assert run.gpu_hours == pytest.approx(run.n_gpus * run.wallclock_days * 24, rel=0.05), run.id


def test_layouts_that_a_source_states_divide_its_devices() -> None:
    for run in RUNS:
        split = (run.tensor_parallel or 1) * (run.pipeline_parallel or 1) * (run.context_parallel or 1)
        assert run.n_gpus % split == 0, run.id
        if run.expert_parallel and run.transformer.experts:
            assert run.transformer.experts.n_experts % run.expert_parallel == 0, run.id


def test_every_run_says_where_it_is_from_and_what_ran_it() -> None:
    for run in RUNS:
        assert run.source
        assert run.group
        assert run.framework
        assert run.stack in STACKS
        assert 2019 <= run.year <= 2026
        assert (run.tokens_per_second_per_gpu is None) == (not run.measured), run.id


def test_a_source_is_of_one_lab_but_for_mlperf() -> None:
    """A lab is one organisation with its machines, tuning and code.

    A submitter to MLPerf that runs a chip vendor's code on its chips counts as that vendor, and may do so for several.
    """
    labs: dict[str, set[str]] = {}
    for run in RUNS:
        assert run.lab, run.id
        labs.setdefault(run.group, set()).add(run.lab)
    several = {group for group, found in labs.items() if len(found) > 1}
    assert all(group.startswith("mlperf ") for group in several)
    assert labs["mlperf v5.1 Dell"] == {"NVIDIA", "AMD"}


def test_all_that_nvidia_measured_is_of_one_lab() -> None:
    """Its papers, containers and recipes share machines, tuning and code, so that they stand or fall together."""
    assert {run.lab for run in RUNS if run.group.startswith(("NVIDIA", "docs.nvidia.com"))} == {"NVIDIA"}


def test_a_run_without_a_speed_has_a_duration() -> None:
    """Else it says nothing."""
    for run in RUNS:
        assert run.tokens_per_second_per_gpu or run.wallclock_days or run.gpu_hours, run.id


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("accelerator", "h100-smx", "unknown accelerator"),
        ("stack", "nemmo", "unknown stack"),
        ("precision", "bf61", "precision"),
        ("tokens_per_s_per_gpu", "-5", "tokens_per_s_per_gpu is -5"),
        ("source", "", "where it is from"),
        ("measured", "", "worked out from"),
        ("lab", "", "where it is from"),
        ("tuning", "quick", "tuning is 'quick'"),
        ("offloaded_states", "router", "offloaded_states are 'router'"),
        ("recompute", "full 999", "recompute is 'full 999' of"),
        ("dispatcher", "deepep", "has no experts"),
        ("dispatcher", "deepep beside", "dispatcher is 'deepep beside'"),
        ("base_format", "gptq-int4", "qlora is a 4-bit base"),
        ("lora_rank", "-8", "lora_rank is -8"),
        ("lab", "Nobody", "is of several labs"),
    ],
)
def test_a_slip_in_a_row_is_named_with_the_row(field: str, value: str, fault: str) -> None:
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in DATA.glob("*.json")}
    with (DATA / "runs.csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    rows[0][field] = value
    with pytest.raises(CatalogueError, match=f"runs.csv: ({rows[0]['id']}|{rows[0]['group']})\\b.*{fault}"):
        checked_files(files, rows)


def test_a_calibration_of_other_runs_or_constants_is_refused() -> None:
    """It says that scripts/calibrate has to be run again."""
    files = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in DATA.glob("*.json")}
    with (DATA / "runs.csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    files["calibration.json"]["constants"]["luck"] = 7.0
    del files["calibration.json"]["ratios"][RUNS[0].id]
    with pytest.raises(CatalogueError) as refused:
        checked_files(files, rows)
    assert "calibration.json: luck" in str(refused.value)
    assert f"calibration.json: {RUNS[0].id}" in str(refused.value)
