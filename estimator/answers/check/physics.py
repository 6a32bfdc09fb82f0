"""Causes of physics: the run as it may be instead, to be priced again."""

from collections.abc import Iterator
from dataclasses import replace

from estimator.answers.check.candidate import Candidate, Gap, length_unsaid, said, says_packed
from estimator.answers.check.expected import Expected, attention_flop_per_token
from estimator.answers.check.link_causes import link_candidates
from estimator.answers.check.stated import alternatives
from estimator.answers.check.told import is_from_scratch
from estimator.answers.check.usual_lengths import USUAL_ROW
from estimator.base.prior import Prior
from estimator.models.flops import flop_counts
from estimator.models.kinds import kind_of
from estimator.models.parameters import takes_adapters
from estimator.models.training import Method
from estimator.physics.abilities import fuses_attention, recomputes
from estimator.question.practice import Practice
from estimator.question.question import LayoutRequest, Question
from estimator.question.reads import NO_READS
from estimator.resolve.run import Run

__all__ = ["EXPERT_LAUNCH_S", "physical_candidates"]

EXPERT_LAUNCH_S = Prior(
    low=1.5e-4,
    mode=3e-4,
    high=6e-4,
    why="Forward and backward of one expert in a Python loop: some 40 kernels at 4 to 15 µs of launch each, and a "
    "wait for the indices of its tokens.",
)
_OFFLOADING = frozenset({"zero2", "zero3"})
_UNCOMMON, _RARE = 0.25, 1.0
"""How much less often a cause is found than a wrong peak, an untuned stack, padding or recomputation."""
_LONGER = 4
_LARGER_BATCH = 4
_IN_TUNED_STACKS = frozenset({"decoder", "hybrid"})
"""Kinds of models that stacks as tuned as NeMo are for."""
_IN_16_BITS = frozenset({"vision", "audio"})
"""Kinds that nobody trains in fewer."""
_QUICK_CORE = 1 / 3
"""The least that a core takes to read a sample over what one usually does: small or cached files, a faster core."""


def physical_candidates(gap: Gap, asked: Question) -> Iterator[Candidate]:
    """Yield what would make the run slower, or faster, than expected: all else as in the layout expected."""
    run, expected = gap.run, gap.expected
    layout = expected.layout
    if layout is None:
        return
    pinned = replace(asked, layout=layout.pinned, global_batch_sequences=layout.global_batch_sequences)
    if gap.faster:
        yield from _of_more(gap, asked, pinned)
        return
    yield from _of_less(run, asked, pinned, expected, by_sequence=gap.seen.by_sequence)
    yield from _of_short_samples(gap, pinned)
    yield from _of_offload(asked, pinned, expected)
    yield from _of_small_batches(run, pinned, expected)
    yield from link_candidates(run, asked, pinned, expected)
    yield from _of_experts(run, asked, pinned, expected)


def _of_less(
    run: Run, asked: Question, pinned: Question, expected: Expected, *, by_sequence: bool
) -> Iterator[Candidate]:
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
                shared="machine",
                why="the precision that was told is what is set, not yet what runs" if said(run, "precision") else "",
                check="look whether autocast (or the mixed-precision plug-in) is really on, and profile a few kernels",
            )
    if layout.recompute != "full" and not said(run, "activation_recompute") and recomputes(run.stack.name):
        yield Candidate(
            code="recomputation",
            what="activations are recomputed in full (gradient checkpointing)",
            base=pinned,
            question=replace(pinned, layout=replace(layout, recompute="full")),
            shared="machine",
            check="turn activation (gradient) checkpointing off if memory allows, or use the selective kind",
        )
    if expected.tier != "untuned":
        named = said(run, "framework")
        yield Candidate(
            code="untuned_stack",
            what=f"{expected.stack} runs without what makes it fast: fused kernels, compilation, overlap"
            if named
            else "the stack is not tuned as the one assumed is",
            question=replace(asked, framework="huggingface", layout=_unsplit(asked.layout)),
            why=f"{expected.stack} is {'told' if named else 'assumed'}, a Hugging Face trainer is priced",
            contradicts=named,
            shared="machine",
            check="look which of fused kernels, torch.compile and the overlap of communication are on"
            if named
            else "name yours with framework; fused kernels, torch.compile and overlap are what differs",
        )
    elif pinned.practice.attention is None and not fuses_attention(run.stack.name, pinned.released):
        yield Candidate(
            code="unfused_attention",
            what="attention writes its score matrix to memory (no FlashAttention)",
            base=pinned,
            question=replace(pinned, practice=replace(pinned.practice, attention="unfused")),
            rarity=_UNCOMMON,
            shared="machine",
            check='set attn_implementation="flash_attention_2" or use PyTorch\'s scaled_dot_product_attention',
        )
    if length_unsaid(run) and run.sequence_length * _LONGER <= asked.transformer.native_sequence_length:
        longer = run.sequence_length * _LONGER
        yield Candidate(
            code="longer_sequence",
            what=f"sequences are longer than the {run.sequence_length:,} assumed",
            question=replace(asked, sequence_length=longer, global_batch_sequences=None),
            work=float(_LONGER) if by_sequence else 1.0,
            rarity=_UNCOMMON,
            why=f"priced at {longer:,}",
            check="give sequence_length as trained",
        )


def _of_short_samples(gap: Gap, pinned: Question) -> Iterator[Candidate]:
    """Yield samples far shorter than the sequences assumed, for whose few tokens all weights are fetched or gathered.

    Of a speed by sequences, which goes with their length itself, longer ones are the cause.
    """
    run = gap.run
    told = not length_unsaid(run) or run.amount.tokens_per_sample is not None or says_packed(run)
    if told or gap.seen.by_sequence or not run.stack.tunes or is_from_scratch(gap.request, run):
        return
    if kind_of(pinned.transformer) != "decoder":
        return
    for length in (round(USUAL_ROW.mode), round(USUAL_ROW.low)):
        if length < pinned.sequence_length:
            yield Candidate(
                code="short_samples",
                what=f"samples are short, about {length:,} tokens where sequences of {pinned.sequence_length:,} are "
                "assumed",
                base=pinned,
                question=replace(pinned, sequence_length=length),
                rarity=_UNCOMMON,
                why=f"as many samples of {length:,} tokens a micro-batch",
                check="give tokens_per_sample, or a data set in samples; pack samples, or raise the micro-batch",
            )


def _of_offload(asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield states in host memory: where they must be, or where ZeRO-2, ZeRO-3 or FSDP, which offer it, shard them.

    Not where the caller says that states are whole on each device, or where they lie.
    """
    fits = expected.fits
    offered = pinned.layout.data_sharding in _OFFLOADING and expected.tier != "tuned"
    if pinned.practice.offload_optimizer is not None or asked.layout.data_sharding == "ddp" or (fits and not offered):
        return
    yield Candidate(
        code="offloaded",
        what="optimizer states lie in host memory and are updated there (CPU offload)",
        base=pinned,
        question=replace(pinned, practice=replace(pinned.practice, offload_optimizer=True)),
        rarity=_UNCOMMON if fits else 0.0,
        shared="machine",
        check="look for offload in the DeepSpeed or FSDP configuration; free GPU memory otherwise",
    )


def _of_experts(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield what experts cost on stacks that do not group their products."""
    experts = asked.transformer.experts
    if experts is None or expected.layout is None or pinned.practice.experts is not None:
        return
    if expected.tier == "tuned" and said(run, "framework"):
        return
    launches = Candidate(
        code="expert_loop",
        what="experts run one after the other in a loop, as in Hugging Face's own model code",
        factor=_loop_factor(asked, expected),
        why=f"{experts.n_experts} experts in each of {asked.transformer.n_expert_layers} layers, "
        f"{EXPERT_LAUNCH_S.mode * 1e6:.0f} µs of launches each",
        shared="machine",
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
    if layout.micro_batch_size > 1 and not said(run, "micro_batch_size"):
        yield Candidate(
            code="tiny_micro_batch",
            what="each replica runs one sequence at a time",
            base=pinned,
            question=replace(pinned, layout=replace(pinned.layout, micro_batch_size=1)),
            check="raise the micro-batch (per-device batch) until memory is full",
        )
    told = any(said(run, argument) for argument in ("global_batch_sequences", "gradient_accumulation"))
    if layout.micro_batches > 1 and not told:
        once = layout.data_parallel * layout.micro_batch_size
        yield Candidate(
            code="tiny_batch",
            what="the batch is too small to accumulate: "
            + ("weights are updated" if pinned.cluster.n_gpus == 1 else "gradients are exchanged")
            + " after every micro-batch",
            base=pinned,
            question=replace(pinned, global_batch_sequences=once),
            why=f"{once:,} sequences a step in place of {layout.global_batch_sequences:,}",
            check="raise the global batch, or accumulate gradients",
        )


def _of_more(gap: Gap, asked: Question, pinned: Question) -> Iterator[Candidate]:
    """Yield what makes a run faster than was told."""
    run, expected = gap.run, gap.expected
    layout = pinned.layout
    yield from _of_what_is_not_so(run)
    yield from _of_reading(asked)
    yield from _of_tuning(run, asked, pinned, expected)
    yield from _of_weights(asked, expected)
    if layout.recompute in {"full", "selective"} and not said(run, "activation_recompute"):
        yield Candidate(
            code="no_recomputation",
            what="activations are not recomputed",
            base=pinned,
            question=replace(pinned, layout=replace(layout, recompute="none")),
            check="give activation_recompute as set",
        )
    if pinned.method.name == "full" and takes_adapters(pinned.transformer) and _may_be_tuned(gap):
        yield Candidate(
            code="adapters",
            what="only adapters are trained (LoRA)",
            question=replace(asked, method=Method(name="lora")),
            rarity=_RARE,
            check="give method as trained",
        )
    if not any(said(run, argument) for argument in ("global_batch_sequences", "gradient_accumulation")):
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
    whole = run.amount.tokens_per_sample is not None and run.amount.tokens_per_sample >= run.sequence_length
    if whole:
        return
    full = flop_counts(asked.transformer, sequence_length=asked.sequence_length, method=asked.method).model
    short = full - attention_flop_per_token(asked)
    shorter = "" if said(run, "sequence_length") else ", or sequences are shorter than assumed"
    yield Candidate(
        code="short_documents",
        what=f"short documents are packed and attention stays inside each{shorter}",
        factor=full / short,
        why=f"attention is {1 - short / full:.0%} of the FLOPs at sequences of {asked.sequence_length:,}",
        check=f"give {'sequence_length as trained, or ' if shorter else ''}tokens_per_sample",
    )


def _of_what_is_not_so(run: Run) -> Iterator[Candidate]:
    """Yield that what was stated, and makes a run slow, is not what runs."""
    for other in alternatives(run):
        yield Candidate(
            code=f"not_{other.code}",
            what=f"it does not run with {other.stated}, as was stated",
            question=other.question,
            contradicts=True,
            why=f"with {other.usual}",
            check="look at what the trainer prints of its settings",
        )


def _of_reading(asked: Question) -> Iterator[Candidate]:
    """Yield samples that are read faster than by a usual core, where a step may wait for them."""
    if asked.reads != NO_READS:
        yield Candidate(
            code="faster_loader",
            what="samples are read faster than a usual core reads them (small or cached files, a faster decoder)",
            question=replace(asked, reads=asked.reads.times(_QUICK_CORE)),
            why="in a third of the time",
            check="time the loader alone",
        )


def _of_weights(asked: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield weights that learn in BF16, in which most checkpoints are: half of what FP32 ones hold, read and exchange.

    Any layout may do that has room with them. The more likely where the run has none as it was told.
    """
    practice = asked.practice
    told = practice.loaded_in is not None or practice.master_weights is not None
    if told or asked.method.name != "full" or asked.precision != "bf16":
        return
    yield Candidate(
        code="bf16_weights",
        what="weights are loaded in BF16, and learn in it",
        question=replace(asked, practice=replace(practice, loaded_in="bf16")),
        rarity=_UNCOMMON if expected.fits else -_UNCOMMON,
        why="" if expected.fits else "with weights in FP32 the run does not fit",
        check='look whether the model is loaded with dtype=torch.bfloat16, and say so in framework ("dtype=bfloat16")',
    )


def _of_tuning(run: Run, asked: Question, pinned: Question, expected: Expected) -> Iterator[Candidate]:
    """Yield what a stack of the model's kind may have that is not usual with it: fewer bits, other kernels."""
    chip, named, kind = pinned.cluster.accelerator, said(run, "framework"), kind_of(asked.transformer)
    # Trainers for fine-tuning multiply in 8 bits only where told.
    eight = not said(run, "precision") and (not run.stack.tunes or (chip.segment == "datacenter" and not named))
    for precision in ("fp8", "mxfp8", "nvfp4") if eight and kind not in _IN_16_BITS else ():
        if precision in chip.peak_flop_per_s and precision != pinned.precision:
            yield Candidate(
                code=f"runs_in_{precision}",
                what=f"the matrix products run in {precision.upper()}",
                base=pinned,
                question=replace(pinned, precision=precision),
                check="give precision as trained",
            )
    if expected.tier == "tuned" or not expected.fits:
        # What has no room as priced is run in less, and no kernels of another stack give it that.
        return
    if kind in _IN_TUNED_STACKS and chip.vendor == "NVIDIA":
        yield Candidate(
            code="tuned_stack",
            what=f"{expected.stack} is tuned beyond what is usual with it"
            if named
            else "the stack is better tuned than the one assumed",
            question=replace(asked, framework="nemo"),
            why=f"{expected.stack} is {'told' if named else 'assumed'}, NVIDIA's NeMo is priced",
            contradicts=named,
            check="add to framework what makes it faster, such as fused kernels, FlashAttention or torch.compile"
            if named
            else "name yours with framework",
        )
        return
    ways: tuple[tuple[str, str, Practice], ...] = (
        ("compiled", "the model is compiled (torch.compile)", Practice(launch="compiled")),
        ("channels_last", "pictures lie in memory with their channels last", Practice(channels_last=True)),
    )
    for code, what, practice in ways:
        if pinned.practice.over(practice) == practice.over(pinned.practice):
            yield Candidate(
                code=code,
                what=what,
                base=pinned,
                question=replace(pinned, practice=practice.over(pinned.practice)),
                check="say it in framework if so",
            )


def _may_be_tuned(gap: Gap) -> bool:
    """Return whether a trained model may be trained on, by adapters: by a trainer for that, on no more than that takes.

    No random weights are trained by adapters.
    """
    return gap.run.stack.tunes and not is_from_scratch(gap.request, gap.run)


def _batch_of(pinned: Question) -> int:
    return pinned.global_batch_sequences or 1


def _unsplit(asked: LayoutRequest) -> LayoutRequest:
    """Return the part of a layout that a stack without model parallelism has too."""
    return LayoutRequest(micro_batch_size=asked.micro_batch_size, recompute=asked.recompute)
