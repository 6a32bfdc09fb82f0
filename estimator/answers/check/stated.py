"""What a caller stated that makes a run slow, against the usual way: the same question priced without it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from estimator.answers.check.candidate import said
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.catalogue import catalogue
from estimator.question.practice import Practice
from estimator.question.question import LayoutRequest, Question
from estimator.question.reads import NO_READS
from estimator.resolve.run import Run

__all__ = ["Alternative", "alternatives"]

_WIDE = frozenset({"fp32", "tf32"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Something that was stated, and the question without it."""

    code: str
    """As the cause is called that it would be, were it not stated."""
    stated: str
    """What was, in words that follow `with`."""
    usual: str
    """What is usual instead, in words that follow `with`, too."""
    question: Question


_HABITS = (
    ("unfused_attention", Practice(attention="unfused"), "eager attention", "fused attention (SDPA, FlashAttention)"),
    ("eager_launch", Practice(launch="eager"), "kernels launched one by one", "those that are usual"),
    ("expert_loop", Practice(experts="loop"), "experts one after the other", "grouped products"),
    ("one_process", Practice(one_process=True), "nn.DataParallel", "DistributedDataParallel"),
    ("no_overlap", Practice(overlap=False), "no overlap of communication", "the usual overlap"),
    ("no_overlap", Practice(exchange_overlap=False), "no overlap of the experts' exchange", "the usual overlap"),
    ("channels_first", Practice(channels_last=False), "channels first", "channels last"),
    ("offloaded", Practice(offload_parameters=True), "weights in host memory", "all of them on the GPU"),
    ("offloaded", Practice(offload_optimizer=True), "optimizer states in host memory", "all of them on the GPU"),
    ("offloaded", Practice(offload_activations=True), "activations in host memory", "all of them on the GPU"),
)
"""Ways to run a step that are slow, each as a cause is called, as it is said, and against what the stack does unless
told."""


def alternatives(run: Run) -> Iterator[Alternative]:
    """Yield what was stated of `run` that may make it slow, each with the question without it: all else as asked."""
    if run.question is None or run.question.local is not None:
        return
    # A published run has a speed of its own, which says nothing of the run with something else.
    asked = replace(run.question, precedent=None)
    yield from _of_practice(asked)
    yield from _of_precision(run, asked)
    yield from _of_loader(asked)
    yield from _of_links(run, asked)
    yield from _of_layout(run, asked)


def _of_practice(asked: Question) -> Iterator[Alternative]:
    for code, costly, stated, usual in _HABITS:
        if costly.over(asked.practice) == asked.practice:
            told = [name for name in Practice.__dataclass_fields__ if getattr(costly, name) is not None]
            left = replace(asked.practice, **dict.fromkeys(told))
            yield Alternative(code=code, stated=stated, usual=usual, question=replace(asked, practice=left))


def _of_precision(run: Run, asked: Question) -> Iterator[Alternative]:
    usual = asked.cluster.accelerator.training_precision
    if asked.precision in _WIDE and usual not in _WIDE and said(run, "precision"):
        yield Alternative(
            code=f"runs_in_{asked.precision}",
            stated=asked.precision.upper(),
            usual=usual.upper(),
            question=replace(asked, precision=usual),
        )


def _of_loader(asked: Question) -> Iterator[Alternative]:
    workers = asked.practice.loader_workers
    if workers is None or asked.reads == NO_READS:
        return
    few = f"{workers} dataloader worker{'s' if workers > 1 else ''} a GPU" if workers else "no dataloader workers"
    ready = replace(asked, reads=NO_READS)
    yield Alternative(code="starved_loader", stated=few, usual="samples that are read in time", question=ready)


def _of_links(run: Run, asked: Question) -> Iterator[Alternative]:
    """Yield links told to be slower than the device's own, and a network slower than its reference system's."""
    cluster, chip = asked.cluster, asked.cluster.accelerator
    own = next((entry.accelerator for entry in catalogue.accelerators() if entry.id == chip.id), chip)
    if cluster.n_gpus > 1 and chip.scale_up_bytes_per_s < own.scale_up_bytes_per_s:
        has, can = (f"{each.scale_up_bytes_per_s / GIGA:,.3g} GB/s" for each in (chip, own))
        whole = replace(chip, scale_up_bytes_per_s=own.scale_up_bytes_per_s, scale_up_kind=own.scale_up_kind)
        yield Alternative(
            code="slow_interconnect",
            stated=f"{has} between the GPUs of a node",
            usual=f"the {can} that they can have",
            question=replace(asked, cluster=replace(cluster, accelerator=whole)),
        )
    told = said(run, "network_gbps_per_gpu") and cluster.n_gpus > cluster.gpus_per_node
    if told and cluster.scale_out_bytes_per_s < chip.scale_out_bytes_per_s:
        speeds = (cluster.scale_out_bytes_per_s, chip.scale_out_bytes_per_s)
        has, can = (f"{speed * BITS_PER_BYTE / GIGA:,.3g} Gb/s" for speed in speeds)
        faster = replace(cluster, scale_out_bytes_per_s=chip.scale_out_bytes_per_s)
        yield Alternative(
            code="slow_network",
            stated=f"a network of {has} a GPU",
            usual=f"the {can} of its reference system",
            question=replace(asked, cluster=faster),
        )


def _of_layout(run: Run, asked: Question) -> Iterator[Alternative]:
    """Yield parts of the layout that were told: recomputation, the micro-batch, and how the model is split."""
    layout = asked.layout
    if layout.recompute in {"full", "selective"} and said(run, "activation_recompute"):
        yield Alternative(
            code="recomputation",
            stated=f"activation_recompute {layout.recompute} (gradient checkpointing)",
            usual="as little of it as fits",
            question=replace(asked, layout=replace(layout, recompute=None)),
        )
    if layout.micro_batch_size is not None and said(run, "micro_batch_size"):
        yield Alternative(
            code="tiny_micro_batch",
            stated=f"micro_batch_size {layout.micro_batch_size // asked.sequences_each:,}",
            usual="the best that fits",
            question=replace(asked, layout=replace(layout, micro_batch_size=None)),
        )
    degrees = ("tensor_parallel", "pipeline_parallel", "context_parallel", "expert_parallel", "data_sharding")
    fixed = [f"{name} {value}" for name in degrees if said(run, name) and (value := getattr(layout, name))]
    if fixed:
        free = LayoutRequest(micro_batch_size=layout.micro_batch_size, recompute=layout.recompute)
        yield Alternative(
            code="layout",
            stated=" and ".join(fixed),
            usual="the fastest split that fits",
            question=replace(asked, layout=free),
        )
