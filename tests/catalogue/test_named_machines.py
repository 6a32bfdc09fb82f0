"""Machines that a device's name tells of: their nodes, their parts, and what of theirs is counted.

Authority: vendors' pages of each machine.
"""

import pytest

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tools.estimate_training_time import estimate_training_time


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "node"),
    [("g5.xlarge", 4, 1), ("g5.12xlarge", 8, 4), ("a2-megagpu-16g", 32, 16), ("g2-standard-24", 2, 2), ("a10g", 16, 8)],
)
def test_the_machine_that_is_named_is_the_node(gpu: str, n_gpus: int, node: int) -> None:
    """The provider's own count; a device by its own name has the usual node."""
    question = resolve(Request(model="7B", gpu=gpu, n_gpus=n_gpus, tokens="1B")).question
    assert question is not None
    assert question.cluster.gpus_per_node == node


def test_a_node_that_is_said_goes_before_that_of_the_machine() -> None:
    question = resolve(Request(model="7B", gpu="g5.xlarge", n_gpus=4, tokens="1B", gpus_per_node=2)).question
    assert question is not None
    assert question.cluster.gpus_per_node == 2


@pytest.mark.parametrize(
    ("said", "device"),
    [
        *((text, "a100-sxm-40gb") for text in ("A100-40", "A100 40", "a100 40 gig", "A100 (40)", "8x A100-40")),
        *((text, "a100-sxm-80gb") for text in ("A100-80", "A100 80", "A100 80GB SXM4 with NVLink")),
        *(("V100-32", "v100-sxm2-32gb"), ("3090 24", "rtx-3090"), ("H100 NVL 94", "h100-nvl")),
        *(("2x RTX A6000 NVLink", "rtx-a6000"), ("h100 sxm nvlink", "h100-sxm")),
        *(("rtx 6000 pro blackwell", "rtx-pro-6000-blackwell-ws"), ("pcie a100 80gb", "a100-pcie-80gb")),
    ],
)
def test_a_device_may_be_told_loosely(said: str, device: str) -> None:
    assert catalogue.accelerator(said).value.accelerator.id == device


@pytest.mark.parametrize("said", ["A100 48", "h100 8", "H100-400", "40 80"])
def test_a_memory_that_no_such_device_has_is_none(said: str) -> None:
    with pytest.raises(UnknownNameError):
        catalogue.accelerator(said)


@pytest.mark.parametrize(
    ("name", "device", "also"),
    [
        ("Mac Studio", "apple-m4-max", "apple-m3-ultra"),
        ("MacBook Pro", "apple-m4-pro", "apple-m3-max"),
        ("RTX 3050", "rtx-3050-8gb", "6 GB"),
    ],
)
def test_a_name_of_several_devices_says_which_is_taken_of_which(name: str, device: str, also: str) -> None:
    match = catalogue.accelerator(name)
    assert match.value.id == device
    assert also in match.note


@pytest.mark.parametrize(
    ("size", "device"), [("ND96asr", "a100-sxm-40gb"), ("nd96amsr", "a100-sxm-80gb"), ("NC24ads", "a100-pcie-80gb")]
)
def test_a_size_without_its_version_is_found_where_one_device_has_it(size: str, device: str) -> None:
    assert catalogue.accelerator(size).value.id == device


def test_a_size_that_several_devices_have_is_not_guessed() -> None:
    """ND96isr is of H100, H200 and MI300X."""
    with pytest.raises(UnknownNameError):
        catalogue.accelerator("ND96isr")


@pytest.mark.parametrize("n_gpus", [1, 4, 8, 16])
def test_a_part_of_a_machine_that_was_named_is_told_as_one(n_gpus: int) -> None:
    """Whoever counts machines must see it in the first sentence."""
    answer = estimate_training_time(model="gpt-2", gpu="p4d.24xlarge", n_gpus=n_gpus, tokens="1B")
    assert (f"with {n_gpus} of the 8 A100 SXM4 40GB of a p4d.24xlarge" in answer.summary) == (n_gpus < 8)
    told = next((one.message for one in answer.warnings if one.code == "gpu_count_disagrees"), "")
    assert (f"say n_gpus {n_gpus * 8}" in told) == (n_gpus < 8)


@pytest.mark.parametrize(
    ("gpu", "per_node", "counted"),
    [
        ("MI250X", None, "mi250x"),
        ("MI250X", 4, "mi250x"),
        ("MI250X", 8, "mi250x-gcd"),
        ("MI250", 8, "mi250-gcd"),
        ("mi250x-gcd", 8, "mi250x-gcd"),
        ("Frontier", None, "mi250x-gcd"),
        ("LUMI", None, "mi250x-gcd"),
        ("MI250X (Frontier)", None, "mi250x-gcd"),
    ],
)
def test_what_is_counted_of_a_module_of_two_dies_is_told(gpu: str, per_node: int | None, counted: str) -> None:
    """No node holds eight modules: who says eight counts dies, as Frontier's and LUMI's users do."""
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=8, tokens="1B", gpus_per_node=per_node))
    told = next(one for one in run.assumptions if one.name == "gpu")
    assert told.value == counted
    assert "dies" in told.note or "each die" in told.note
