"""What is asked of the step-time model, and what it answers: the border between resolving and physics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from estimator.models.training import WITH_ADAPTERS, Method, Recompute
from estimator.models.transformer import Transformer
from estimator.question.cluster import Cluster
from estimator.question.local_updates import LocalUpdates
from estimator.question.other_layers import OtherLayers
from estimator.question.other_training import OtherTraining
from estimator.question.practice import NOTHING_SAID, Practice
from estimator.question.reads import NO_READS, Reads

__all__ = [
    "ZERO_STAGES",
    "Assumption",
    "Caution",
    "Comparable",
    "Evidence",
    "KnownSpeed",
    "Layout",
    "LayoutRequest",
    "MemoryUse",
    "Narrowing",
    "OwnRun",
    "Precedent",
    "Prediction",
    "Question",
    "Sharding",
    "SourceKind",
    "WayToFit",
]

Sharding = Literal["ddp", "zero1", "zero2", "zero3"]
ZERO_STAGES: tuple[Sharding, ...] = ("ddp", "zero1", "zero2", "zero3")
"""Names of ZeRO stages 0 to 3, in order."""
SourceKind = Literal["user", "catalogue", "default", "inferred", "searched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """One resolved input: its value, unit, and where it came from."""

    name: str
    value: str | float | int | bool
    unit: str = ""
    source: SourceKind
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """Something the reader must know before relying on the answer."""

    code: str
    message: str
    """What is so, why, and in its last clause what to do: where room is short, the middle goes."""
    times: float = 1.0
    """By how many times a run may be longer, or shorter, than it is answered, by what is told; 1 where it is not so."""
    would: str = ""
    """What would help the same training most, and by how much, in a clause; empty where the message names nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRequest:
    """The part of the layout a caller fixed; None is searched for (or set by the stack's default)."""

    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    virtual_pipeline: int | None = None
    context_parallel: int | None = None
    expert_parallel: int | None = None
    data_sharding: Sharding | None = None
    micro_batch_size: int | None = None
    recompute: Recompute | None = None

    def by_argument(self) -> dict[str, int | str | None]:
        """Return each knob under the name of the argument that a caller sets it with."""
        return {
            "tensor_parallel": self.tensor_parallel,
            "pipeline_parallel": self.pipeline_parallel,
            "virtual_pipeline": self.virtual_pipeline,
            "context_parallel": self.context_parallel,
            "expert_parallel": self.expert_parallel,
            "data_sharding": self.data_sharding,
            "micro_batch_size": self.micro_batch_size,
            "activation_recompute": self.recompute,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One complete way to spread a step over the cluster."""

    tensor_parallel: int
    pipeline_parallel: int
    virtual_pipeline: int
    context_parallel: int
    expert_parallel: int
    data_parallel: int
    data_sharding: Sharding
    micro_batch_size: int
    micro_batches: int
    """Micro-batches one pipeline runs a step (gradient accumulation)."""
    recompute: Recompute
    sequences_each: int = 1
    """Sequences of what trainers count as one of a batch: 2 of a pair."""

    @property
    def global_batch_sequences(self) -> int:
        """Sequences of a step: data-parallel replicas · micro-batch size · micro-batches."""
        return self.data_parallel * self.micro_batch_size * self.micro_batches

    @property
    def counted_micro_batch(self) -> int:
        """The micro-batch as trainers count it, and callers say it."""
        return self.micro_batch_size // self.sequences_each

    @property
    def counted_batch(self) -> int:
        """The global batch as trainers count it, and callers say it."""
        return self.global_batch_sequences // self.sequences_each

    def by_argument(self) -> dict[str, int | str | None]:
        """Return each knob under the name of its argument, as a caller would say it."""
        return self.pinned.by_argument() | {"micro_batch_size": self.counted_micro_batch}

    @property
    def pinned(self) -> LayoutRequest:
        """The request that this layout alone answers: every knob fixed; the batch fixes the data-parallel degree."""
        return LayoutRequest(
            tensor_parallel=self.tensor_parallel,
            pipeline_parallel=self.pipeline_parallel,
            virtual_pipeline=self.virtual_pipeline,
            context_parallel=self.context_parallel,
            expert_parallel=self.expert_parallel,
            data_sharding=self.data_sharding,
            micro_batch_size=self.micro_batch_size,
            recompute=self.recompute,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSpeed:
    """A published run and its steady speed."""

    run_id: str
    as_published: "Question"
    """The question that the run answers."""
    tokens_per_second_per_gpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Precedent(KnownSpeed):
    """The published run that a question is about, or is likest."""

    beside: KnownSpeed | None
    """One of its kind on more devices than are asked about, where it was on fewer, or the other way round."""
    also_held: tuple[float, ...]
    """Tokens per second and device of whole trainings that were otherwise, in what nobody said alone."""
    agrees: bool
    """Whether nothing that was said differs from the run, so that its speed is to be expected."""
    own_layout: LayoutRequest
    """What the caller said of the layout, for where the published one does not fit …"""
    own_batch: int | None
    """… and of the batch."""
    trained: bool
    """Whether it is a training such as this that is asked about, and not only a run whose speed is known."""
    amount_alike: float
    """How surely it is this very training, by its tokens: 1 of as many, falling to 0."""
    stack_adopted: bool
    """Whether the caller named no stack, so that it is that of the run."""
    own_practice: Practice
    """What the caller said of how a step is run …"""
    own_precision: str | None
    """… of its precision; None where that was left open …"""
    own_release: float | None
    """… and of when the software was released."""

    @property
    def is_it(self) -> bool:
        """Whether it is this run that is asked about, its stack too, for nothing that was said is otherwise."""
        return self.agrees and self.stack_adopted


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRun:
    """A run that the caller measured, as the question that it answers; equal where it was told in the same words."""

    key: str
    """What was told of it, spelt in full."""
    label: str
    """As it may be named in an answer: `llama-3.1-8b on 8 × h100-sxm`."""
    question: "Question" = field(compare=False)
    tokens_per_second: float = field(compare=False)
    """Of all devices together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A fully resolved training step to price."""

    transformer: Transformer
    cluster: Cluster
    precision: str
    """bf16, fp16, fp8, mxfp8, nvfp4, tf32 or fp32."""
    method: Method = field(default_factory=Method)
    sequence_length: int
    global_batch_sequences: int | None
    """None: a typical batch for the size of model and cluster is assumed."""
    layout: LayoutRequest = field(default_factory=LayoutRequest)
    framework: str = "auto"
    released: float | None = None
    """When the software was released, in years (2025.75); None: current."""
    practice: Practice = NOTHING_SAID
    """What was said of how a step is run; the rest is the stack's habit."""
    unsaid: frozenset[str] = frozenset()
    """Arguments that a caller left open and whose default may be far from the truth: precision, network_gbps_per_gpu,
    framework; micro_batch_size where rows were padded for a guess of it; packing where tokens to be tuned on were told
    alone."""
    precedent: Precedent | None = None
    """The published run that is asked about, where there is one."""
    published: bool = False
    """Whether it is what a published run was, and not a run of somebody's own."""
    reads: Reads = NO_READS
    """What a host has to read for each sequence."""
    masks_padding: bool = False
    """Whether samples of several lengths lie in a micro-batch, each padded to the same one, so that a mask hides
    padding."""
    unevenness: float = 0.0
    """By what share the longest of several devices' micro-batches becomes longer with each e-fold of their number; 0
    where all rows are alike."""
    lengthening: float = 0.0
    """By what share a row becomes longer with each e-fold of the samples that it is padded to the longest of."""
    longest_row: float = 1.0
    """Tokens of the longest row of the run over those of the usual one, where it was told how long samples are at most:
    memory must hold it, though it comes once."""
    likely_longest_row: float = 1.0
    """The same as samples are likely to be where nobody told it."""
    sampled_share: float = 1.0
    """How likely tokens are of samples that a trainer may pad, where packing was left open."""
    other_layers: OtherLayers | None = None
    """The other layers with experts, where software is named that does not tell whose it runs; None where that is told,
    or makes no difference."""
    small_set: bool = False
    """Whether it is a set of samples that is trained on: then batches are of tens of sequences, not of pre-training."""
    pretrains: bool = False
    """Whether more is trained on than fine-tuning takes: then adapters are no other way to do it."""
    run_tokens: float | None = None
    """Tokens of the whole run, where a batch that was left open follows from them; None elsewhere."""
    sequences_each: int = 1
    """Sequences of what trainers count as one of a batch: 2 of a pair, which share a micro-batch."""
    whole_batches: bool = False
    """Whether a device's share of the batch is one micro-batch wherever that fits, for samples are one another's
    negatives."""
    own_runs: tuple[OwnRun, ...] = ()
    """What the caller measured, of this or other questions; it corrects the prediction."""
    otherwise: OtherTraining | None = None
    """What else it may be, where nobody said what the model learns."""
    local: LocalUpdates | None = None
    """How the sites average of which this is one; None where all of a run is asked about."""

    @property
    def step_follows(self) -> bool:
        """Whether with other tokens its step is another: its batch follows from the run's, or whose layers run."""
        return self.run_tokens is not None or self.other_layers is not None

    @property
    def fine_tunes(self) -> bool:
        """Whether a trained model is trained on, as far as that is known: by adapters, or on a small set."""
        return self.small_set or self.method.name in WITH_ADAPTERS

    @property
    def batch_unit(self) -> str:
        """What trainers count in a batch."""
        return "sequences" if self.sequences_each == 1 else f"samples of {self.sequences_each} sequences"

    @property
    def sites(self) -> int:
        """Sites of the run: one, or as many as average now and then."""
        return 1 if self.local is None else self.local.sites


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUse:
    """Bytes on the fullest device."""

    weights_bytes: float
    gradients_bytes: float
    optimizer_bytes: float
    activations_bytes: float
    other_bytes: float
    capacity_bytes: float
    usable_bytes: float
    """Of the capacity, what a run can fill."""
    host_node_bytes: float
    """What is offloaded to the memory of one node, by all its devices."""
    least_bytes: float
    """What the smallest layout takes where none fits; else what this one does."""

    @property
    def total_bytes(self) -> float:
        """Everything one device must hold."""
        return (
            self.weights_bytes + self.gradients_bytes + self.optimizer_bytes + self.activations_bytes + self.other_bytes
        )

    @property
    def fits(self) -> bool:
        """Whether a run can fill as much."""
        return self.total_bytes <= self.usable_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """An input left unsaid, and by how much stating it would narrow the range."""

    argument: str
    narrows_by: float
    """Fraction of the range's log width that would go."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """A published run near the question, with our own prediction of it."""

    name: str
    gpu: str
    n_gpus: int
    published: str
    predicted_over_published: float | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an answer rests on beside physics."""

    runs: int
    """Published runs near the question …"""
    labs: int
    """… and whose they are."""
    nearest: str
    """The nearest of them; empty where none is near."""
    correction: float
    """Per cent by which runs, published and the caller's own, change the predicted time."""
    own: str = ""
    """What the caller's own runs change of it, in words; empty without any."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WayToFit:
    """A change with which a run fits in memory."""

    words: str
    """What to say, and what to know of it."""
    arguments: Mapping[str, str | int | None]
    """What says so, by argument; in `framework` an ellipsis stands for what was said. None: to be left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The step-time model's answer to a `Question`."""

    step_s: float
    tokens_per_step: int
    low_factor: float
    """The true step time is at least `low_factor · step_s` …"""
    high_factor: float
    """… and at most `high_factor · step_s`, with probability `coverage`."""
    coverage: float
    layout: Layout
    memory: MemoryUse
    breakdown: Mapping[str, float]
    """Shares of a step, summing to 1: compute, attention, memory_bound, communication, bubble, optimizer, other."""
    model_flop_per_token: float
    """FLOPs the model needs per token, recomputation not counted."""
    hardware_flop_per_token: float
    """FLOPs the hardware executes per token, recomputation counted."""
    assumptions: tuple[Assumption, ...]
    warnings: tuple[Caution, ...]
    runner_ups: tuple[tuple[Layout, float], ...]
    """Other layouts within the error band and their step seconds, best first."""
    narrow_by: tuple[Narrowing, ...]
    comparable_runs: tuple[Comparable, ...]
    evidence: Evidence | None = None
    """None where only a single answer shows it."""
    ways_to_fit: tuple[WayToFit, ...] = ()
    """Where the memory does not fit, arguments with which it does, the likeliest to suit first."""
