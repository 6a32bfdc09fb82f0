"""Slices of TPUs and the counts that people give with them."""

import pytest

from estimator.answers.compare.compare import Choices, requests
from estimator.base.errors import InvalidValueError
from estimator.catalogue import catalogue
from estimator.catalogue.network_words import listed_devices
from estimator.question.request import Request
from estimator.resolve.run import resolve
from estimator.resolve.slices import told_count, uncounted, with_whole_counted
from server.protocol.errors import ArgumentError
from server.protocol.registry import TOOLS
from tools.estimate_training_time import estimate_training_time


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "chips"),
    [
        # Google Cloud's documentation: v2, v3, v4 and v5p are called by their cores, two a chip; v5e and v6e by chips.
        ("TPU v3-8", 1, 4),
        ("TPU v3-8", 8, 4),
        ("TPU v3-8", 4, 4),
        ("v2-8", 8, 4),
        ("v4-32", 32, 16),
        ("v4-32", 1, 16),
        ("v5p-128", 128, 64),
        ("v5e-8", 1, 8),
        ("v5e-8", 8, 8),
        ("v6e-1", 1, 1),
        # Another count than the slice has is the caller's own.
        ("TPU v3-8", 64, 64),
        ("TPU v3-8", 2, 2),
        ("v5e-16", 2, 2),
        # Machines of GPUs are no slices: a part of one is rented, too.
        ("p4d.24xlarge", 1, 1),
        ("TPU v3", 8, 8),
        ("TPU v3", 1, 1),
        # Parts of a rack are rented, but for less than a node of it.
        ("GB200 NVL72", 8, 8),
        ("GB200 NVL72", 72, 72),
        ("HGX B200", 1, 1),
    ],
)
def test_one_slice_and_the_number_in_its_name_are_the_chips_it_has(gpu: str, n_gpus: int, chips: int) -> None:
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B"))
    assert run.n_gpus == chips
    told = next(each for each in run.assumptions if each.name == "n_gpus")
    assert (told.value, told.source) == (chips, "user" if chips == n_gpus else "inferred")
    assert (f"a slice of {chips} chips, and n_gpus {n_gpus} is read" in told.note) == (chips != n_gpus)


@pytest.mark.parametrize(("gpu", "n_gpus", "right"), [("TPU v3-8", 64, 4), ("v5e-16", 2, 16), ("v4-8", 2, 4)])
def test_another_count_is_told_which_would_be_the_slice(gpu: str, n_gpus: int, right: int) -> None:
    answer = estimate_training_time(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B")
    (told,) = (each.message for each in answer.warnings if each.code == "gpu_count_disagrees")
    assert f"say n_gpus {right}" in told


@pytest.mark.parametrize(
    "name", ["v3-8", "TPUv3-8", "Cloud TPU v3-8", "TPU VM v3-8", "v3-8 TPU", "tpu-v3-8 pod slice", "Google TPU v3-8 VM"]
)
def test_a_slice_is_known_by_whatever_stands_beside_its_name(name: str) -> None:
    match = catalogue.accelerator(name)
    assert (match.value.id, match.count, match.slice_of) == ("tpu-v3", 4, 8)


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "counted"),
    [
        ("v3-8", [1, 4, 8, 16], [4, 16]),
        ("GB200 NVL72", [1, 8, 72, 144], [8, 72, 144]),
        ("GB200 NVL72", [1, 2, 36], [72, 144, 36]),
        ("8x H100", [1, 16], [8, 16]),
        ("h100", [1, 8], [1, 8]),
    ],
)
def test_of_several_counts_each_is_read_as_it_is_alone_and_what_is_the_same_comes_once(
    gpu: str, n_gpus: list[int], counted: list[int]
) -> None:
    common = Request(model="", gpu="", n_gpus=1)
    choices = Choices(models=["gpt-2"], gpus=[gpu], n_gpus=n_gpus, tokens=["1B"])
    asked = requests(choices, common)
    assert [resolve(each).n_gpus for each in asked] == counted
    assert {each.gpu for each in asked} == {gpu}


@pytest.mark.parametrize(
    ("gpu", "plain"),
    [
        ("h100", "h100-sxm"),
        ("8x H100", "h100-sxm"),
        ("DGX H100", "h100-sxm"),
        ("v5e-16", "tpu-v5e"),
        ("a2-highgpu-4g", "a2-highgpu-4g"),
        ("2x a2-highgpu-4g", "a2-highgpu-4g"),
        ("GB200 NVL72", "GB200 NVL72"),
        ("2x gb200 nvl36", "GB200 NVL36"),
        ("2x RTX 4090 48GB", "rtx-4090 48GB"),
        ("4090 48GB, InfiniBand HDR", "4090 48GB, InfiniBand HDR"),
        ("rtx 2080 ti 22GB", "rtx-2080-ti 22GB"),
        ("A100 80GB, InfiniBand HDR", "a100-sxm-80gb, InfiniBand HDR"),
        ("8xH100 NDR400", "h100-sxm, NDR400"),
        ("8 A100 + 16 H100", "8 a100-sxm-80gb + 16 h100-sxm"),
    ],
)
def test_what_an_answer_calls_its_devices_is_read_as_the_same_machine(gpu: str, plain: str) -> None:
    """So that a row or a plan can be asked back with it and its count."""

    def cluster(name: str) -> tuple[str, object]:
        run = resolve(Request(model="gpt-2", gpu=name, n_gpus=24, tokens="1B"))
        assert run.question is not None
        return run.device.label, run.question.cluster

    assert cluster(plain) == cluster(gpu)
    assert cluster(gpu)[0] == plain


@pytest.mark.parametrize(
    ("gpu", "n_gpus"),
    [
        *(("GB200 NVL72", 8), ("GB200 NVL72", 72), ("GB200 NVL72", 1152), ("GB300 NVL72", 144)),
        *(("DGX H100", 4), ("DGX H100", 16), ("p5.48xlarge", 2), ("h100", 8), ("4090", 2)),
    ],
)
def test_devices_as_a_summary_counts_them_are_read_as_the_same(gpu: str, n_gpus: int) -> None:
    """Copied from a sentence, with the count or without it; of thousands, with the comma between."""

    def answered(name: str) -> tuple[str, object]:
        run = resolve(Request(model="gpt-2", gpu=name, n_gpus=n_gpus, tokens="1B"))
        assert run.question is not None
        return run.device.counted(run.n_gpus), run.question.cluster

    words, cluster = answered(gpu)
    for name in (words, words.partition(" (in ")[0], words.removeprefix(f"{n_gpus:,} ").removeprefix("× ")):
        assert answered(name) == (words, cluster)
        assert listed_devices(name) == [name]


def test_fewer_than_a_tray_of_a_rack_are_racks_whichever_rack_it_is() -> None:
    for gpu in ("GB200 NVL72", "GB300 NVL72", "Vera Rubin NVL72"):
        counted = [with_whole_counted(Request(model="", gpu=gpu, n_gpus=n)).request.n_gpus for n in (1, 2, 3, 4, 8, 72)]
        assert counted == [72, 144, 216, 4, 8, 72]


COUNTING = [
    *(("8x MI300X", 8, 1), ("8xH100 node", 8, 1), ("dual 4090", 2, 1), ("2x RTX 4090 48GB", 2, 1)),
    *(("2 nodes of 8 H100", 16, 2), ("2 nodes of 8 H100", 16, 8), ("8x DGX H100", 64, 8), ("8xH100, NDR400", 8, 1)),
]


@pytest.mark.parametrize(("gpu", "devices", "n_gpus"), COUNTING)
def test_a_count_in_a_name_goes_before_one_of_it_and_before_a_count_of_its_machines(
    gpu: str, devices: int, n_gpus: int
) -> None:
    """Whoever writes `8x MI300X` has no single GPU; the summary says how it was read, and how to say otherwise."""
    assert with_whole_counted(Request(model="", gpu=gpu, n_gpus=n_gpus)).request.n_gpus == devices
    assert with_whole_counted(Request(model="", gpu=gpu, n_gpus=devices)).cautions == ()
    asked = estimate_training_time(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B")
    (told,) = (each.message for each in asked.warnings if each.code == "gpu_count_disagrees")
    assert f"read as these {devices}" in told
    assert asked.summary.startswith(f"Beware: {told}.")
    other = uncounted(gpu)
    assert f"say gpu {other}" in told
    assert told_count(str(other)) in {None, 8}


@pytest.mark.parametrize(("gpu", "n_gpus"), [("8x MI300X", 4), ("8xH100 node", 2), ("2 nodes of 8 H100", 4)])
def test_fewer_than_a_name_counts_are_refused_with_what_would_do(gpu: str, n_gpus: int) -> None:
    with pytest.raises(InvalidValueError, match=rf"say n_gpus \d+ for these, or gpu \S+ for {n_gpus}"):
        with_whole_counted(Request(model="", gpu=gpu, n_gpus=n_gpus))


@pytest.mark.parametrize("gpu", ["HGX B200", "DGX B300", "p5.48xlarge"])
def test_a_part_of_a_machine_is_counted_in_devices_and_the_answer_begins_with_that(gpu: str) -> None:
    """Parts of them are used, and n_gpus counts GPUs."""
    answer = estimate_training_time(model="gpt-2", gpu=gpu, n_gpus=2, tokens="1B")
    assert answer.summary.startswith("Beware: gpu names a machine of 8 and n_gpus counts GPUs, 2 of them here")
    assert "say n_gpus 16" in answer.summary.partition(".")[0]


def test_nodes_of_as_many_as_a_name_counts_are_no_contradiction() -> None:
    run = resolve(Request(model="gpt-2", gpu="8x H100", n_gpus=64, tokens="1B"))
    assert "gpu_count_disagrees" not in {caution.code for caution in run.warnings}


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "counted"), [("GB200 NVL72", 1, 72), ("GB200 NVL36", 1, 36), ("2 racks of GB200 NVL72", 2, 144)]
)
def test_one_rack_is_the_rack_and_a_warning_says_so(gpu: str, n_gpus: int, counted: int) -> None:
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B"))
    assert run.n_gpus == counted
    (told,) = (one.message for one in run.warnings if one.code == "gpu_count_disagrees")
    assert "say gpu gb200" in told
    assert run.question is not None
    assert run.question.cluster.gpus_per_node == 4
    assert run.question.cluster.scale_up_domain == counted / n_gpus


@pytest.mark.parametrize(
    ("gpu", "counted"),
    [
        ("2 nodes of 8 H100", 16),
        ("4 nodes x 8 A100 80GB", 32),
        ("2x8 H100", 16),
        ("16 H100 in 2 nodes", 16),
        ("8 H100 per node, 2 nodes", 16),
        ("two nodes with four A100 40GB each", 8),
        ("a node of 8 H100", 8),
        ("8xH100 node", 8),
        ("4 H100 nodes", 32),
        ("4 DGX H100 nodes", 32),
        ("two 4090s", 2),
        ("8 x H100 SXM", 8),
        ("8 A100 + 16 H100", 24),
        ("Cloud TPU v5e-16 pod slice", 16),
        ("TPU v5p-128", 64),
        ("p5.48xlarge", 8),
        ("2x p5.48xlarge", 16),
        ("HGX B200", 8),
        ("GB200 NVL72", 72),
        ("2 racks of GB200 NVL72", 144),
        # One board or eight, as many as were bought, one card or eight in each machine: nothing tells.
        ("8x HGX H100", None),
        ("72x GB200 NVL72", None),
        ("DGX H100 SuperPOD", None),
        ("2 nodes of 4090", None),
        ("H100", None),
        ("nothing known", None),
    ],
)
def test_a_name_that_counts_devices_spares_the_count(gpu: str, counted: int | None) -> None:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    asked = {"model": "gpt-2", "gpu": gpu, "tokens": "1B"}
    assert told_count(gpu) == counted
    if counted is None:
        with pytest.raises(ArgumentError, match="n_gpus is missing"):
            tool.arguments(asked)
    else:
        assert tool.arguments(asked)["n_gpus"] == counted


def test_devices_that_count_as_many_spare_the_counts_of_a_comparison() -> None:
    tool = TOOLS.tool("compare_training_options")
    assert tool is not None
    asked = {"models": ["gpt-2"], "tokens": ["1B"]}
    assert tool.arguments({**asked, "gpus": ["8x H100", "DGX A100"]})["n_gpus"] == [8]
    with pytest.raises(ArgumentError, match="n_gpus is missing"):
        tool.arguments({**asked, "gpus": ["8x H100", "4x A100"]})
