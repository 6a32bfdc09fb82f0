"""Causes of physics: the run as it may be instead, to be priced again."""

from collections.abc import Iterator
from dataclasses import replace

from estimator.answers.check.candidate import Candidate, length_unsaid, said
from estimator.answers.check.expected import Expected, attention_flop_per_token
from estimator.base.prior import Prior
from estimator.base.units import BITS_PER_BYTE, GIGA
from estimator.models.flops import flop_counts
from estimator.models.parameters import takes_adapters
from estimator.models.training import Method
from estimator.question.question import LayoutRequest, Question
from estimator.resolve.run import Run

__all__ = ["EXPERT_LAUNCH_S", "physical_candidates"]

EXPERT_LAUNCH_S = Prior(
    low=1.5e-4,
    mode=3e-4,
    high=6e-4,
    why="Forward and backward of one expert in a Python loop: some 40 kernels at 4 to 15 µs of launch each, and a "
    "wait for the indices of its tokens.",
)
_PLAIN_ETHERNET_GBPS_PER_GPU = (25.0, 12.5, 7.5, 5.0, 2.5, 1.25)
"""One port of 200 to 10 Gb/s for eight GPUs, or a part of it, where the collective library falls back to TCP sockets;
no further apart than a range is wide. The one that comes nearest to what was observed is told."""
_GPU_LINKS = frozenset({"nvlink", "xgmi", "pcie"})
_PCIE_BYTES_PER_S = 25e9
"""PCIe 4.0 ×16 as collectives get it, where a device's own link is not listed."""
_UNCOMMON, _RARE = 0.25, 1.0
"""How much less often a cause is found than a wrong peak, an untuned stack, padding or recomputation."""
_LONGER = 4
_LARGER_BATCH = 4


def physical_candidates(run: Run, asked: Question, expected: Expected, *, faster: bool) -> Iterator[Candidate]:
    """Yield what would make the run slower, or faster, than `expected`: all else as in the layout expected."""
    layout = expected.layout
    if layout is None:
        return
    pinned = replace(asked, layout=layout.pinned, global_batch_sequences=layout.global_batch_sequences)
    if faster:
        yield from _of_more(run, asked, pinned, expected)
        return
    yield from _of_less(run, asked, pinned, expected)
    yield from _of_small_batches(run, pinned, expected)
    yield from _of_links(asked, pinned, splits=run.stack.model_parallel)
    yield from _of_experts(run, asked, pinned, expected)


def _of_less(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield what slows a run down."""
    layout, chip = pinned.layout, pinned.cluster.accelerator
    for precision in ("bf16", "tf32", "fp32") if pinned.precision not in {"bf16", "fp16"} else ("tf32", "fp32"):
        if precision in chip.peak_flop_per_s and precision != pinned.precision:
            yield Candidate(
                code=f"runs_in_{precision}",
                what=f"the matrix products run in {precision.upper()}, not in {pinned.precision.upper()}",
                base=pinned,
                question=replace(pinned, precision=precision),
                contradicts=said(run, "precision"),
                rarity=_UNCOMMON,
                check="look whether autocast (or the mixed-precision plug-in) is really on, and profile a few kernels",
            )
    if layout.recompute != "full":
        yield Candidate(
            code="recomputation",
            what="activations are recomputed in full (gradient checkpointing)",
            base=pinned,
            question=replace(pinned, layout=replace(layout, recompute="full")),
            contradicts=said(run, "activation_recompute"),
            check="turn activation (gradient) checkpointing off if memory allows, or use the selective kind",
        )
    if expected.tier != "untuned":
        yield Candidate(
            code="untuned_stack",
            what="the stack is not tuned as the one assumed is",
            question=replace(asked, framework="huggingface", layout=_unsplit(asked.layout)),
            why=f"{expected.stack} is assumed, a Hugging Face trainer is priced",
            contradicts=said(run, "framework"),
            check="name yours with framework; fused kernels, torch.compile and overlap are what differs",
        )
    yield Candidate(
        code="unfused_attention",
        what="attention writes its score matrix to memory (no FlashAttention)",
        base=pinned,
        question=replace(pinned, practice=replace(pinned.practice, attention="unfused")),
        contradicts=expected.tier != "untuned" or pinned.practice.attention is not None,
        rarity=_UNCOMMON,
        check='set attn_implementation="flash_attention_2" or use PyTorch\'s scaled_dot_product_attention',
    )
    if not pinned.practice.offload_optimizer:
        offloaded = replace(pinned.practice, offload_optimizer=True)
        yield Candidate(
            code="offloaded",
            what="optimizer states lie in host memory and are updated there (CPU offload)",
            base=pinned,
            question=replace(pinned, practice=offloaded),
            rarity=_UNCOMMON if expected.fits else 0.0,
            check="look for offload in the DeepSpeed or FSDP configuration; free GPU memory otherwise",
        )
    if length_unsaid(run) and run.sequence_length * _LONGER <= asked.transformer.native_sequence_length:
        longer = run.sequence_length * _LONGER
        yield Candidate(
            code="longer_sequence",
            what=f"sequences are longer than the {run.sequence_length:,} assumed",
            question=replace(asked, sequence_length=longer, global_batch_sequences=None),
            rarity=_UNCOMMON,
            why=f"priced at {longer:,}",
            check="give sequence_length as trained",
        )


def _of_experts(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield what experts cost on stacks that do not group their products."""
    experts = asked.transformer.experts
    if experts is None or expected.layout is None:
        return
    launches = Candidate(
        code="expert_loop",
        what="experts run one after the other in a loop, as in Hugging Face's own model code",
        factor=_loop_factor(asked, expected),
        why=f"{experts.n_experts} experts in each of {asked.transformer.n_expert_layers} layers, "
        f"{EXPERT_LAUNCH_S.mode * 1e6:.0f} µs of launches each",
        contradicts=expected.tier == "tuned" and said(run, "framework"),
        check="use grouped matrix products: Megatron, torchtitan, or a fused-experts kernel for Hugging Face",
    )
    yield launches
    looped = replace(pinned.practice, experts="loop")
    yield replace(launches, base=pinned, question=replace(pinned, practice=looped), factor=1.0)


def _loop_factor(asked: Question, expected: Expected) -> float:
    """Return the speed left where every expert of every layer waits for its own launches."""
    layout = expected.layout
    experts = asked.transformer.experts
    if layout is None or experts is None:
        return 1.0
    tokens = layout.global_batch_sequences * asked.sequence_length
    step_s = tokens / expected.tokens_per_second
    loops = asked.transformer.n_expert_layers * experts.n_experts / (layout.expert_parallel * layout.pipeline_parallel)
    return step_s / (step_s + layout.micro_batches * loops * EXPERT_LAUNCH_S.mode)


def _of_small_batches(run: Run, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    layout = expected.layout
    if layout is None:
        return
    if layout.micro_batch_size > 1:
        yield Candidate(
            code="tiny_micro_batch",
            what="each replica runs one sequence at a time",
            base=pinned,
            question=replace(pinned, layout=replace(pinned.layout, micro_batch_size=1)),
            contradicts=said(run, "micro_batch_size"),
            check="raise the micro-batch (per-device batch) until memory is full",
        )
    if layout.micro_batches > 1:
        once = layout.data_parallel * layout.micro_batch_size
        yield Candidate(
            code="tiny_batch",
            what="the batch is too small to accumulate: gradients are exchanged after every micro-batch",
            base=pinned,
            question=replace(pinned, global_batch_sequences=once),
            why=f"{once:,} sequences a step in place of {layout.global_batch_sequences:,}",
            contradicts=said(run, "global_batch_sequences"),
            check="raise the global batch, or accumulate gradients",
        )


def _of_links(asked: Question, pinned: Question, *, splits: bool) -> Iterator[Candidate]:
    """Yield slower links than the catalogued ones, and layouts that lean on them.

    Tensor parallelism that nobody asked for is a cause only on a stack that `splits` models where nothing is said.
    """
    cluster, chip = pinned.cluster, pinned.cluster.accelerator
    if cluster.n_gpus == 1:
        return
    tensor = pinned.layout.tensor_parallel or 1
    if chip.scale_up_kind not in _GPU_LINKS:
        return
    if chip.scale_up_kind != "pcie":
        slow = replace(
            chip,
            scale_up_kind="pcie",
            scale_up_bytes_per_s=min(chip.pcie_bytes_per_s or _PCIE_BYTES_PER_S, _PCIE_BYTES_PER_S),
        )
        yield Candidate(
            code="pcie_tensor_parallel" if tensor > 1 else "scale_up_link_unused",
            what=f"tensor parallelism ({tensor}) runs over PCIe" if tensor > 1 else "GPUs of a node talk over PCIe",
            base=pinned,
            question=replace(pinned, cluster=replace(cluster, accelerator=slow)),
            contradicts=chip.segment == "datacenter",
            rarity=_UNCOMMON,
            why=f"{chip.name} is taken to have {chip.scale_up_bytes_per_s / GIGA:,.0f} GB/s to its neighbours",
            check="nvidia-smi topo -m shows the links, NCCL_DEBUG=INFO what is used of them",
        )
    elif tensor == 1 and splits:
        split = min(cluster.n_gpus, cluster.gpus_per_node)
        if asked.layout.tensor_parallel is None and asked.transformer.n_heads % split == 0:
            yield Candidate(
                code="pcie_tensor_parallel",
                what=f"tensor parallelism ({split}) runs over PCIe",
                question=replace(
                    asked,
                    framework="megatron",
                    layout=LayoutRequest(tensor_parallel=split, recompute=pinned.layout.recompute),
                    global_batch_sequences=None,
                ),
                check="shard the states (zero3, FSDP) in place of every matrix product",
            )
    if cluster.n_gpus <= cluster.gpus_per_node:
        return
    for gbps in _PLAIN_ETHERNET_GBPS_PER_GPU:
        plain = replace(cluster, scale_out_bytes_per_s=gbps * GIGA / BITS_PER_BYTE)
        if plain.scale_out_bytes_per_s >= cluster.scale_out_bytes_per_s:
            continue
        why = f"{gbps:g} Gb/s per GPU in place of {cluster.scale_out_bytes_per_s * BITS_PER_BYTE / GIGA:,.3g}"
        yield Candidate(
            code="slow_network",
            what="nodes talk over plain Ethernet (TCP sockets), not over RDMA",
            base=pinned,
            question=replace(pinned, cluster=plain),
            why=why,
            check="NCCL_DEBUG=INFO says NET/IB or NET/Socket; give network_gbps_per_gpu",
        )
        if asked.layout.data_sharding is None and pinned.layout.data_sharding != "zero3":
            yield Candidate(
                code="sharded_over_network",
                what="weights are gathered in each pass (ZeRO-3, FSDP) over plain Ethernet",
                question=replace(asked, cluster=plain, layout=replace(asked.layout, data_sharding="zero3")),
                rarity=_UNCOMMON,
                why=why,
                check="shard within a node alone (HSDP, hybrid shard, zero_hpz_partition_size), or ZeRO-1",
            )


def _of_more(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield what makes a run faster than was told."""
    chip, layout = pinned.cluster.accelerator, pinned.layout
    for precision in ("fp8", "mxfp8", "nvfp4"):
        if precision in chip.peak_flop_per_s and precision != pinned.precision:
            yield Candidate(
                code=f"runs_in_{precision}",
                what=f"the matrix products run in {precision.upper()}",
                base=pinned,
                question=replace(pinned, precision=precision),
                contradicts=said(run, "precision"),
                check="give precision as trained",
            )
    if expected.tier != "tuned" and asked.cluster.accelerator.vendor == "NVIDIA":
        yield Candidate(
            code="tuned_stack",
            what="the stack is better tuned than the one assumed",
            question=replace(asked, framework="nemo"),
            why=f"{expected.stack} is assumed",
            contradicts=said(run, "framework"),
            check="name yours with framework",
        )
    if layout.recompute in {"full", "selective"}:
        yield Candidate(
            code="no_recomputation",
            what="activations are not recomputed",
            base=pinned,
            question=replace(pinned, layout=replace(layout, recompute="none")),
            contradicts=said(run, "activation_recompute"),
            check="give activation_recompute as set",
        )
    if pinned.method.name == "full" and takes_adapters(pinned.transformer):
        yield Candidate(
            code="adapters",
            what="only adapters are trained (LoRA)",
            question=replace(asked, method=Method(name="lora")),
            rarity=_RARE,
            check="give method as trained",
        )
    if not said(run, "global_batch_sequences"):
        larger = _LARGER_BATCH * _batch_of(pinned)
        yield Candidate(
            code="larger_batch",
            what="the batch is larger than assumed",
            question=replace(asked, global_batch_sequences=larger),
            why=f"{larger:,} sequences a step in place of {_batch_of(pinned):,}",
            check="give global_batch_sequences",
        )
    if asked.transformer.reads_media_itself:
        return
    full = flop_counts(asked.transformer, sequence_length=asked.sequence_length, method=asked.method).model
    short = full - attention_flop_per_token(asked)
    yield Candidate(
        code="short_documents",
        what="short documents are packed and attention stays inside each, or sequences are shorter than assumed",
        factor=full / short,
        why=f"attention is {1 - short / full:.0%} of the FLOPs at sequences of {asked.sequence_length:,}",
        check="give sequence_length as trained, or tokens_per_sample",
    )


def _batch_of(pinned: Question) -> int:
    return pinned.global_batch_sequences or 1


def _unsplit(asked: LayoutRequest) -> LayoutRequest:
    """Return the part of a layout that a stack without model parallelism has too."""
    return LayoutRequest(micro_batch_size=asked.micro_batch_size, recompute=asked.recompute)
