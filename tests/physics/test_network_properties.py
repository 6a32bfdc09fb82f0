"""Communication takes its bytes over the slowest link that they must cross, and a worse link never takes less time.

Authority: where ranks lie (Megatron-Core: tensor, context, data, pipeline), what each kind of parallelism moves
(Shoeybi et al. 2019; Rajbhandari et al. 2020; Narayanan et al. 2021; Lepikhin et al. 2020; Liu et al. 2023).
"""

from collections import Counter
from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimator.base.errors import InfeasibleError
from estimator.catalogue import catalogue
from estimator.models.training import Method
from estimator.physics.case import Case
from estimator.physics.choice import ranked_layouts, setting_of
from estimator.physics.constants import prior_constants
from estimator.physics.execution import Execution
from estimator.physics.layout import layouts_of
from estimator.physics.step import step_time
from estimator.question.cluster import Cluster
from estimator.question.question import Layout, Question
from tests.physics_cases import any_execution, any_layout, catalogued_case

PRIORS = prior_constants()
MODELS = ("llama-3.1-8b", "gpt2", "mixtral-8x7b", "deepseek-v3", "llama-3.1-70b", "qwen3-30b-a3b")
GPUS = (
    *("h100-sxm", "a100-pcie-80gb", "h100-nvl", "a10", "rtx-4090", "v100-sxm2-32gb", "gb200"),
    *("mi300x", "mi210", "gaudi3", "trainium1", "dgx-spark-gb10", "gh200-96gb"),
)
NODES = (1, 2, 4, 8)
model = st.sampled_from(MODELS)
gpu = st.sampled_from(GPUS)
method = st.sampled_from([Method(), Method(name="lora"), Method(name="qlora"), Method(name="frozen")])


def _cluster(chip: str, n_gpus: int, *, node: int = 8, gigabits: float | None = None, **rates: float) -> Cluster:
    """Return a cluster of nodes of at most `node` devices, its `links` and `pcie` times `rates`."""
    accelerator = catalogue.accelerator(chip).value.accelerator
    network_bytes_per_s = accelerator.scale_out_bytes_per_s if gigabits is None else gigabits * 1e9 / 8
    accelerator = replace(
        accelerator,
        scale_up_bytes_per_s=accelerator.scale_up_bytes_per_s * rates.get("links", 1.0),
        pcie_bytes_per_s=accelerator.pcie_bytes_per_s * rates.get("pcie", 1.0),
    )
    return Cluster(
        accelerator=accelerator,
        n_gpus=n_gpus,
        gpus_per_node=min(node, accelerator.gpus_per_node, n_gpus),
        scale_out_bytes_per_s=network_bytes_per_s,
    )


def _n_gpus(lay: Layout) -> int:
    return lay.tensor_parallel * lay.pipeline_parallel * lay.context_parallel * lay.data_parallel


def _total_s(case: Case, lay: Layout) -> float:
    return float(step_time(case, layouts_of(lay), PRIORS).total_s[0])


@given(
    name=model,
    chip=gpu,
    lay=any_layout,
    how=method,
    execution=any_execution,
    gigabits=st.floats(0.001, 1000.0),
    worse=st.sampled_from(["network", "node", "links", "pcie"]),
    factor=st.sampled_from([0.999, 0.5, 0.01, 1e-5]),
    nodes=st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)),
)
@settings(max_examples=400)
def test_a_worse_link_or_a_smaller_node_never_quickens_a_layout(
    *,
    name: str,
    chip: str,
    lay: Layout,
    how: Method,
    execution: Execution,
    gigabits: float,
    worse: str,
    factor: float,
    nodes: tuple[int, int],
) -> None:
    n_gpus, small, large = _n_gpus(lay), min(nodes), max(nodes)
    good = _cluster(chip, n_gpus, node=large, gigabits=gigabits)
    bad = {
        "network": _cluster(chip, n_gpus, node=large, gigabits=gigabits * factor),
        "node": _cluster(chip, n_gpus, node=small, gigabits=gigabits),
        "links": _cluster(chip, n_gpus, node=large, gigabits=gigabits, links=factor),
        "pcie": _cluster(chip, n_gpus, node=large, gigabits=gigabits, pcie=factor),
    }[worse]
    now_s, then_s = (
        _total_s(catalogued_case(name, cluster, method=how, execution=execution), lay) for cluster in (good, bad)
    )
    assert then_s >= now_s * (1 - 1e-12)


@given(
    name=model,
    chip=gpu,
    n_gpus=st.sampled_from([2, 8, 16, 64]),
    framework=st.sampled_from(["megatron", "huggingface", "fsdp", "nemo", "deepspeed", "unsloth", "auto"]),
    how=method,
    nodes=st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)),
    gigabits=st.tuples(st.floats(0.01, 1000.0), st.floats(0.01, 1000.0)),
)
@settings(max_examples=60)
def test_a_worse_network_or_a_smaller_node_never_quickens_the_best_layout(
    *,
    name: str,
    chip: str,
    n_gpus: int,
    framework: str,
    how: Method,
    nodes: tuple[int, int],
    gigabits: tuple[float, float],
) -> None:
    clusters = (
        _cluster(chip, n_gpus, node=max(nodes), gigabits=max(gigabits)),
        _cluster(chip, n_gpus, node=min(nodes), gigabits=min(gigabits)),
    )
    best_s: list[float] = []
    for cluster in clusters:
        question = Question(
            transformer=catalogue.transformer(name).value,
            cluster=cluster,
            precision=cluster.accelerator.training_precision,
            method=how,
            sequence_length=1024,
            global_batch_sequences=64,
            framework=framework,
        )
        try:
            priced = ranked_layouts(setting_of(question), PRIORS)
        except InfeasibleError:
            return
        if not priced.fits[priced.order[0]]:
            return
        best_s.append(float(priced.seconds[priced.order[0]]))
    assert best_s[1] >= best_s[0] * (1 - 1e-12)


def _places(lay: Layout, node: int) -> dict[str, list[list[int]]]:
    """Return the node of each rank of each group, ranks placed one by one: tensor, context, data, pipeline."""
    groups: dict[str, dict[tuple[int, ...], list[int]]] = {"tensor": {}, "context": {}, "data": {}, "stages": {}}
    t, c, d = lay.tensor_parallel, lay.context_parallel, lay.data_parallel
    for rank in range(_n_gpus(lay)):
        tensor, context, data, stage = rank % t, rank // t % c, rank // (t * c) % d, rank // (t * c * d)
        place = rank // node
        for kind, others in (
            ("tensor", (context, data, stage)),
            ("context", (tensor, data, stage)),
            ("data", (tensor, stage)),
            ("stages", (tensor, context, data)),
        ):
            groups[kind].setdefault(others, []).append(place)
    return {kind: list(members.values()) for kind, members in groups.items()}


def _least_gather_s(members: list[int], size_bytes: float, rate_bytes_per_s: float) -> float:
    """Return the least seconds to all-gather: a node takes in what others hold, through the ports of its members."""
    held = Counter(members)
    return max(
        (1 - count / len(members)) * size_bytes / (count * rate_bytes_per_s) if len(held) > 1 else 0.0
        for count in held.values()
    )


@given(
    name=st.sampled_from(["llama-3.1-8b", "mixtral-8x7b", "qwen3-30b-a3b"]),
    chip=st.sampled_from(["h100-sxm", "a100-pcie-80gb", "a10", "rtx-4090", "v100-sxm2-32gb", "mi300x", "gaudi3"]),
    lay=any_layout,
    how=method,
    execution=any_execution,
    node=st.sampled_from(NODES),
    gigabits=st.sampled_from([0.001, 0.1, 10.0, 400.0]),
)
@settings(max_examples=400)
def test_a_step_never_takes_less_than_the_bytes_of_a_kind_over_the_network(
    *, name: str, chip: str, lay: Layout, how: Method, execution: Execution, node: int, gigabits: float
) -> None:
    """Ranks are placed one by one and bytes counted by hand, at the network's whole rate."""
    n_gpus = _n_gpus(lay)
    assume(lay.expert_parallel <= n_gpus // lay.pipeline_parallel)
    rate = gigabits * 1e9 / 8
    case = catalogued_case(name, _cluster(chip, n_gpus, node=node, gigabits=gigabits), method=how, execution=execution)
    places = _places(lay, node)
    layers = float(case.n_layers) / lay.pipeline_parallel
    activations = 2.0 * lay.micro_batch_size * 4096 / lay.context_parallel * float(case.hidden)

    def least_s(kind: str, size_bytes: float) -> float:
        return max(_least_gather_s(members, size_bytes, rate) for members in places[kind])

    trained = float(case.trained_share) * float(case.shared_parameters) / lay.tensor_parallel / lay.pipeline_parallel
    held = float(case.frozen_bytes) * float(case.shared_parameters) / lay.tensor_parallel / lay.pipeline_parallel
    keys_and_values = activations * lay.context_parallel * float(case.kv_width) / float(case.hidden)
    crosses = any(len(set(members)) > 1 for members in places["stages"])
    bounds = {
        "tensor": lay.micro_batches * layers * 8 * least_s("tensor", activations),
        "context": lay.micro_batches * layers * 3 * least_s("context", keys_and_values / lay.tensor_parallel),
        "stages": lay.micro_batches * 2 * activations / lay.tensor_parallel / rate * crosses,
    }
    if lay.data_sharding == "zero3":
        bounds["data"] = lay.micro_batches * least_s("data", 2 * held + 2 * trained)
    else:
        bounds["data"] = least_s("data", 2 * 2 * trained)
    total_s = _total_s(case, lay)
    assert {kind: seconds for kind, seconds in bounds.items() if seconds > total_s} == {}


@given(
    name=st.sampled_from(["mixtral-8x7b", "qwen3-30b-a3b", "deepseek-v3"]),
    expert=st.sampled_from([2, 4, 8, 16, 32]),
    node=st.sampled_from(NODES),
    gigabits=st.sampled_from([0.001, 0.1, 10.0, 400.0]),
    execution=any_execution,
)
def test_tokens_of_experts_on_other_nodes_cross_the_network(
    name: str, expert: int, node: int, gigabits: float, execution: Execution
) -> None:
    """Of k choices at random at least one lies elsewhere for 1 − 1/nodes of the tokens; out and back, twice a layer."""
    case = catalogued_case(name, _cluster("h100-sxm", 32, node=node, gigabits=gigabits), execution=execution)
    lay = Layout(
        tensor_parallel=1,
        pipeline_parallel=1,
        virtual_pipeline=1,
        context_parallel=1,
        expert_parallel=expert,
        data_parallel=32,
        data_sharding="zero1",
        micro_batch_size=1,
        micro_batches=4,
        recompute="none",
    )
    nodes = max(1.0, expert / node)
    sent = 2.0 * 4096 * float(case.hidden) * (1 - 1 / nodes)
    assert _total_s(case, lay) >= 4 * 4 * float(case.n_expert_layers) * sent / (gigabits * 1e9 / 8)
