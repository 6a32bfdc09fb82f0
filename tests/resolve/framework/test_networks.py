"""What people say of the network between nodes is counted as the argument would be.

Authority: InfiniBand Trade Association's rates of four lanes (EDR 100, HDR 200, NDR 400 Gb/s); a port of 10 GbE is a
node's; EFA's rates are told of an instance (p4d: 400 Gb/s, p5: 3,200).
"""

from itertools import pairwise
from typing import Any

import pytest

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.question.practice import NOTHING_SAID
from estimator.resolve.framework.beside import with_said_beside
from estimator.resolve.framework.named import named_framework
from tools.estimate_training_time import estimate_training_time

TOLD = [
    ("fsdp, 10 GbE", 10.0, None, "node"),
    ("FSDP over 10 Gbps ethernet", 10.0, None, "node"),
    ("Megatron, connected with 100G InfiniBand", 100.0, None, None),
    ("deepspeed zero-3, InfiniBand HDR", 200.0, None, None),
    ("torchtitan, 8x400G NDR", 400.0, 8, None),
    ("torchtitan, 8 x CX-7 400G", 400.0, 8, None),
    ("fsdp, 4 x 100 Gbps IB", 100.0, 4, None),
    ("fsdp, EFA 400 Gbps", 400.0, None, "node"),
    ("fsdp, 3.2 Tbps EFA", 3200.0, None, "node"),
    ("fsdp, dual 25GbE", 25.0, 2, "node"),
    ("fsdp, RoCE v2 at 100 Gb/s per GPU", 100.0, None, "device"),
    ("fsdp, gigabit ethernet", 1.0, None, "node"),
    ("fsdp, 10 gigabit", 10.0, None, None),
    ("fsdp, 50 GB/s InfiniBand", 400.0, None, None),
    ("fsdp, network: 800 Mbps", 0.8, None, None),
    ("fsdp, one HDR100 per node", 100.0, 1, "node"),
    ("fsdp, two HDR100 per node", 100.0, 2, "node"),
    ("fsdp, NDR400", 400.0, None, None),
]
CARRIED = {"rdma": ", InfiniBand", "sockets": ", TCP", "ethernet": ", ethernet", None: ""}
NOT_TOLD = ["fsdp, nvlink 600 GB/s", "fsdp, pcie 32 GB/s", "fsdp, 24 GB", "fsdp, 10G", "fsdp, NVMe at 25 Gb/s", "no IB"]
A100S: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 16, "tokens": "1B", "detail": "detailed"}


def _asked(framework: str, **given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    asked: dict[str, Any] = {**A100S, "framework": framework, **given}
    return estimate_training_time(**asked)


def _days(answer: Any) -> tuple[float, ...]:  # noqa: ANN401 - the tool's own answer
    return answer.training_days_low, answer.training_days, answer.training_days_high


@pytest.mark.parametrize(("text", "gbps", "ports", "of"), TOLD)
def test_words_for_a_network_are_understood(text: str, gbps: float, ports: int | None, of: str | None) -> None:
    found = named_framework(text)
    assert found.practice.network_gbps == pytest.approx(gbps)
    assert (found.practice.network_ports, found.practice.network_of) == (ports, of)
    assert not found.not_understood


@pytest.mark.parametrize("text", NOT_TOLD)
def test_rates_and_sizes_of_something_else_are_no_network(text: str) -> None:
    assert named_framework(text).practice.network_gbps is None


@pytest.mark.parametrize(
    ("text", "each"),
    [
        ("fsdp, 10 GbE", 1.25),
        ("fsdp, 2 x 25 GbE", 6.25),
        ("fsdp, HDR", 200.0),  # An A100's own adapter in its vendor's system.
        ("fsdp, EDR", 12.5),  # Half as fast: the node's only one.
        ("fsdp, 8 x 100 Gb/s", 100.0),
        ("fsdp, 1.6 Tb/s", 200.0),  # Clouds tell a node's.
        ("fsdp, 50 Gb/s per GPU", 50.0),
    ],
)
def test_a_network_in_words_costs_what_the_argument_does(text: str, each: float) -> None:
    kind = CARRIED[named_framework(text).practice.transport]
    told, given = _asked(text), _asked(f"fsdp{kind}", network_gbps_per_gpu=each)
    assert _days(told) == _days(given)
    assert any(one.code == "network_from_framework" for one in told.warnings)


FABRICS = [
    *(
        (words, "rdma")
        for words in (
            *("InfiniBand RDMA", "InfiniBand HDR100", "EDR", "HDR", "NDR", "FDR", "QDR", "IB", "RoCE v2 over 100GbE"),
            *(
                "100 GbE RoCE",
                "EFA",
                "EFA v2 400 Gbps",
                "Slingshot 11",
                "Omni-Path",
                "Intel Omni-Path 100 Gb/s",
                "RDMA",
            ),
            *("GPUDirect RDMA", "GPUDirect-TCPX 200 Gb/s", "no InfiniBand, EFA", "RDMA enabled", "InfiniBand network"),
        )
    ),
    *(
        (words, "sockets")
        for words in (
            *("TCP", "100 Gb/s TCP", "25 Gbps TCP/IP ethernet", "IPoIB", "TCP over InfiniBand", "no RDMA"),
            *("RDMA disabled", "NCCL_IB_DISABLE=1", "NCCL_NET=Socket", "without EFA"),
        )
    ),
    *((words, "ethernet") for words in ("Ethernet", "plain Ethernet", "100GbE", "10 GbE", "no InfiniBand")),
    *((words, None) for words in ("100 Gb/s", "NCCL_IB_DISABLE=0", "no TCP", "Mellanox ConnectX-5 100G", "wan2.1")),
]


@pytest.mark.parametrize(("words", "transport"), FABRICS)
def test_words_tell_what_carries_bytes_apart_from_how_fast(words: str, transport: str | None) -> None:
    """Authority: InfiniBand, RoCE, EFA (SRD), Slingshot and Omni-Path bypass the host's sockets; IPoIB does not."""
    found = named_framework(f"fsdp, {words}")
    assert found.practice.transport == transport
    assert transport is None or not found.not_understood


SLOW: dict[str, Any] = {
    "model": "7B", "gpu": "V100 32GB", "n_gpus": 64, "network_gbps_per_gpu": 12.5, "data_sharding": "zero3",
    "micro_batch_size": 2, "global_batch_sequences": 128, "sequence_length": 1024, "activation_recompute": "full",
}  # fmt: skip


def test_what_carries_bytes_is_doubted_until_it_is_said_and_the_range_holds_both() -> None:
    answers = {
        said: _asked(f"DeepSpeed ZeRO-3{said}", **SLOW) for said in ("", ", InfiniBand", ", Ethernet", ", TCP sockets")
    }
    days = [answer.training_days for answer in answers.values()]
    unsaid, rdma, _, sockets = answers.values()
    assert days[1] < days[0] < days[2] <= days[3]
    assert unsaid.training_days_low < rdma.training_days < sockets.training_days < unsaid.training_days_high
    doubted = [any(one.code == "transport_unsaid" for one in answer.warnings) for answer in answers.values()]
    assert doubted == [True, False, True, False]
    told = {one.name: one.value for one in rdma.assumptions}
    assert told["network_transport"] == "RDMA"


def test_a_fabric_may_be_said_beside_the_device() -> None:
    beside = _asked("DeepSpeed ZeRO-3", **{**SLOW, "gpu": "V100 32GB InfiniBand"})
    assert _days(beside) == _days(_asked("DeepSpeed ZeRO-3, InfiniBand", **SLOW))


BESIDE = [
    *(
        "with InfiniBand",
        ", InfiniBand HDR",
        " over TCP",
        " (EFA)",
        " with 25 Gb/s Ethernet",
        " NDR400",
        " without RDMA",
    ),
    *(", 8x400G NDR", " via 100 Gbps TCP", " w/ 100GbE", ", no InfiniBand", "-IB", " (one HDR100 per node)"),
    *(", InfiniBand disabled", " with 40G Ethernet", ", 2 x 100 Gb/s RoCE v2", ", IPoIB"),
]
DEVICES = [
    *("A100", "A100 80GB", "A100 40GB", "h100", "V100 32GB", "8xH100", "DGX H100", "p4d.24xlarge", "L40S", "MI300X"),
    *("4 nodes of 8 H100", "A100-SXM4-80GB", "2x RTX 4090 48GB", "H100 NVLink"),
]


@pytest.mark.parametrize("said", BESIDE)
@pytest.mark.parametrize("device", DEVICES)
def test_a_network_beside_any_device_is_what_it_is_in_framework(device: str, said: str) -> None:
    said = said if said[0] in " ,-" else f" {said}"
    found, alone = catalogue.accelerator(device + said), catalogue.accelerator(device)
    assert (found.value, found.count, found.holds) == (alone.value, alone.count, alone.holds)
    told = with_said_beside(NOTHING_SAID, device + said)
    assert told == named_framework(said).practice


@pytest.mark.parametrize(
    "text", ["A100 600 GB/s NVLink", "H100 3.35 TB/s", "A100 PCIe 64 GB/s", "Ethernet", "foo over TCP", "with TCP"]
)
def test_what_is_no_network_beside_a_device_is_none(text: str) -> None:
    with pytest.raises(UnknownNameError):
        catalogue.accelerator(text)


DENIALS = ["without InfiniBand", "no InfiniBand", "IB disabled", "plain Ethernet", "no RDMA", "TCP/IP", "IPoIB"]


@pytest.mark.parametrize("denial", DENIALS)
@pytest.mark.parametrize("gpu", ["a100", "h100", "mi300x", "l40s"])
def test_who_denies_the_reference_network_has_not_its_speed(gpu: str, denial: str) -> None:
    """The middle of what such nodes have is assumed and named, the range holds its neighbours, and it is asked for."""
    asked = {"gpu": gpu, "n_gpus": 64, "data_sharding": "zero3"}
    denied, reference = _asked(f"DeepSpeed ZeRO-3, {denial}", **asked), _asked("DeepSpeed ZeRO-3, InfiniBand", **asked)
    told = {one.name: one for one in denied.assumptions}["network_gbps_per_gpu"]
    full = {one.name: one for one in reference.assumptions}["network_gbps_per_gpu"]
    assert isinstance(told.value, float)
    assert told.value <= 0.25 * float(str(full.value))
    assert told.source == "inferred"
    given = _asked(f"DeepSpeed ZeRO-3, {denial}", **asked, network_gbps_per_gpu=told.value)
    assert reference.training_days < denied.training_days
    assert denied.training_days_low < given.training_days < denied.training_days_high
    if denied.training_days > 1.5 * reference.training_days:
        (message,) = (one.message for one in denied.warnings if one.code == "network_unsaid")
        assert "say network_gbps_per_gpu" in message


@pytest.mark.parametrize("gpu", ["4090", "gaudi2", "tpu-v5e"])
def test_networks_that_are_no_infiniband_are_as_fast_when_it_is_denied(gpu: str) -> None:
    nodes = {"gpu": gpu, "n_gpus": 64}
    values = [
        {one.name: one.value for one in _asked(f"fsdp{said}", **nodes).assumptions}.get("network_gbps_per_gpu")
        for said in ("", ", no InfiniBand")
    ]
    assert values[0] == values[1]


@pytest.mark.parametrize(("gpu", "node"), [("V100 32GB", 8), ("a100", 8), ("L40S", 8), ("4090", 2)])
@pytest.mark.parametrize("said", ["", ", InfiniBand", ", Ethernet", ", TCP"])
def test_time_never_falls_when_the_network_gets_slower(gpu: str, node: int, said: str) -> None:
    asked = {**SLOW, "gpu": gpu, "n_gpus": 8 * node, "gpus_per_node": node, "model": "llama-3.2-1b"}
    days = [
        _asked(f"DeepSpeed ZeRO-3{said}", **{**asked, "network_gbps_per_gpu": gbps / node}).training_days
        for gbps in (800, 400, 300, 200, 150, 120, 100, 70, 50, 25, 10)
    ]
    assert all(slower >= 0.98 * faster for faster, slower in pairwise(days))


@pytest.mark.parametrize(("gbps", "contradicted"), [(6.25, False), (12.5, False), (100, False), (9, True)])
def test_an_argument_that_no_such_ports_make_is_told_of(gbps: float, *, contradicted: bool) -> None:
    asked = _asked("fsdp, HDR100", n_gpus=32, gpus_per_node=16, network_gbps_per_gpu=gbps)
    assert any(one.code == "framework_contradicted" for one in asked.warnings) == contradicted


def test_who_names_a_network_alone_has_named_no_software() -> None:
    for said in ("InfiniBand", "auto"):
        codes = {one.code for one in _asked(said, gpu="h100", n_gpus=16).warnings}
        assert "framework_unsaid" in codes


def test_an_argument_wins_over_words() -> None:
    given = _asked("fsdp", network_gbps_per_gpu=200)
    assert _days(_asked("fsdp, 10 GbE", network_gbps_per_gpu=200)) == _days(given)


def test_a_network_that_is_not_used_is_not_told_of() -> None:
    codes = {one.code for one in _asked("fsdp, 10 GbE", n_gpus=8).warnings}
    assert not codes & {"network_from_framework", "framework_not_understood"}


@pytest.mark.parametrize("other", ["DeepSpeed ZeRO-3", "HF Trainer, FSDP", "torchtitan"])
@pytest.mark.parametrize("network", ["1 GbE", "10 GbE", "25 GbE"])
def test_a_slow_line_is_as_fast_whichever_stack_sends_over_it(other: str, network: str) -> None:
    """All call one library: what is sent may differ by a gather of three, and not by the rate."""
    asked: dict[str, Any] = {"n_gpus": 32, "data_sharding": "zero3", "activation_recompute": "full"}
    asked |= {"global_batch_sequences": 256, "micro_batch_size": 2, "sequence_length": 2048}
    days = [_asked(f"{stack}, {network}", **asked).training_days for stack in ("FSDP", other)]
    assert 0.65 < days[1] / days[0] < 1.6
