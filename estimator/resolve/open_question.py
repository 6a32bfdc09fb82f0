"""A question whose sequence length and layout are open, and what it is with them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from estimator.models.parameters import parameter_counts
from estimator.models.training import Method, Recompute
from estimator.models.transformer import Transformer
from estimator.physics.adapter_width import is_prepared_by_peft
from estimator.physics.own_experts import running_stack
from estimator.physics.stacks import Stack
from estimator.question.cluster import Cluster
from estimator.question.practice import Practice
from estimator.question.question import Assumption, LayoutRequest, Question, Sharding
from estimator.question.request import Request
from estimator.resolve.adoption import Adoption
from estimator.resolve.amount import Amount
from estimator.resolve.batch import cut_length, replicas, resolved_sequence_length, shared_by
from estimator.resolve.data import ToldData
from estimator.resolve.device import Device
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.framework.told import left_open
from estimator.resolve.layout_request import layout_request
from estimator.resolve.media import MediaUse, in_padded_rows
from estimator.resolve.notes import noted
from estimator.resolve.packing import Packing, is_small_set
from estimator.resolve.samples import Padded, micro_batch_that_fits, padded_samples, with_rows
from estimator.resolve.trainers_defaults import micro_batch_unless_told
from estimator.resolve.trainers_length import trainers_length

__all__ = ["OpenQuestion"]

_STATE_BYTES, _LAYER_ELEMENTS, _LOGIT_BYTES = 20.0, 150, 17.0
"""Bytes of states a parameter at most, of a layer's activations a token over its width, and of a logit: none takes
more."""
_SURELY = 0.6
"""Share of a device's memory below which nothing else makes a run too large."""
_FEWER_BEFORE_RECOMPUTING = 4
"""Part of the usual micro-batch that is tried before gradient checkpointing: it is a flag more, and a third slower."""
_BUSY_TOKENS = 1024.0
"""Tokens of a micro-batch that keep a device busy, so that no more are needed before it: products of some 300 take as
long as the bytes of their weights (989 TFLOP/s over 3.35 TB/s), and few reach their ceiling before three times that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenQuestion:
    """What is trained, on what, with what software and in what batches."""

    asked: Request
    """As the caller has it."""
    request: Request
    """With what was taken from a published run."""
    published: Adoption | None
    layers: Transformer | None
    """As the model has them, whatever of it learns."""
    trained: Transformer | None
    """With the head that its objective has, and what runs beside it."""
    use: MediaUse
    method: Method
    device: Device
    n_gpus: int
    cluster: Cluster | None
    framework: NamedFramework
    practice: Practice
    asked_samples: int | None
    """Of a step, as trainers count them; None where they are open."""
    samples: int | None
    sequences: int
    """Of a sample."""
    negatives: bool
    """Whether the samples of a micro-batch are one another's negatives."""
    a_sample_each: bool
    """Whether a row is one sample, padded, rather than as many as fill it."""
    experts_grown: float | None = None
    """See `OtherLayers`; None where it is told whose layers with experts run, or makes no difference."""

    @property
    def stack(self) -> Stack | None:
        """The software that runs it; None where the device is not known."""
        if self.cluster is None:
            return None
        return running_stack(self.framework.name, self.cluster.accelerator, self.method.name, self.practice)

    @property
    def tunes(self) -> bool:
        """Whether its software trains models on that were trained before."""
        return self.stack is not None and self.stack.tunes

    @property
    def whole_batches(self) -> bool:
        """Whether all of a device's samples should be in one micro-batch."""
        return self.negatives and not self.practice.caches_gradients

    def length(self, amount: Amount, padded: Padded | None) -> tuple[int, tuple[Assumption, ...]]:
        """Return the tokens of a sequence that is priced and where the number came from.

        Raises as `resolved_sequence_length` does.
        """
        length, told = resolved_sequence_length(
            self.request, self.use.subject, amount, padded, tunes=self.tunes, fitting=self.fits_in_rows_of
        )
        if self.request.sequence_length is None and length == trainers_length(self.layers, self.framework.name):
            told = noted(told, "sequence_length", f"as {self.framework.name}'s own script has it")
        return length, told

    @property
    def asked_batch(self) -> int | None:
        """Sequences of a step, as the caller has it."""
        return None if self.asked_samples is None else self.asked_samples * self.sequences

    def layout(self, length: int, micro_batch: int | None) -> LayoutRequest:
        """Return what was said of the layout, for sequences of `length`; `micro_batch` counts samples, where not open.

        Raises InvalidValueError where a degree does not divide what it splits.
        """
        return self._counted(self.request, self.samples, length, micro_batch)

    def asked_layout(self, length: int) -> LayoutRequest:
        """Return what the caller said of the layout."""
        return self._counted(self.asked, self.asked_samples, length, None)

    def _counted(self, said: Request, samples: int | None, length: int, micro_batch: int | None) -> LayoutRequest:
        counted = layout_request(
            said if micro_batch is None else replace(said, micro_batch_size=micro_batch),
            self.layers,
            self.n_gpus,
            sequence_length=length,
            batch=samples,
            end_layers=0 if self.stack is None else self.stack.end_layers,
        )
        micro = counted.micro_batch_size
        return counted if micro is None else replace(counted, micro_batch_size=micro * self.sequences)

    def question(self, length: int, layout: LayoutRequest) -> Question | None:
        """Return the question for the step-time model; None where the model or the device is not known to it."""
        if self.trained is None or self.cluster is None:
            return None
        use, published = self.use, self.published
        return Question(
            transformer=in_padded_rows(self.trained, use, length) if self.a_sample_each else self.trained,
            cluster=self.cluster,
            precision=self.device.precision,
            method=self.method,
            sequence_length=length,
            global_batch_sequences=None if self.samples is None else self.samples * self.sequences,
            layout=layout,
            framework=self.framework.name,
            released=self.framework.released,
            practice=self.practice,
            unsaid=left_open(self.request),
            precedent=published.precedent(self.asked_layout(length), self.asked_batch) if published else None,
            reads=use.reads if self.a_sample_each else use.reads.times(length / use.sample_tokens),
            small_set=is_small_set(self.request),
            sequences_each=self.sequences,
            whole_batches=self.whole_batches,
        )

    def padded(self, data: ToldData, packing: Packing, *, together: int) -> Padded | None:
        """Return samples as rows padded to the longest, `together` sequences of each; None where packed or not told."""
        if not packing.padded:
            return None
        samples = self.samples
        trainers = micro_batch_unless_told(self.asked, self.framework.name, self.trained)
        return padded_samples(
            self.request,
            packing.stack,
            self.framework.practice,
            lengths=data.lengths,
            window=cut_length(self.use.subject, data.lengths.mean if data.lengths else None),
            encodes=self.use.encodes,
            fits=self.fitting,
            per_replica=None if samples is None else shared_by(samples, replicas(self.request, self.n_gpus)),
            n_replicas=self.n_gpus,
            sequences=together,
            whole=self.whole_batches,
            unless_told=None if self.negatives else trainers,
        )

    def fits_in_rows_of(self, length: int) -> bool:
        """Return whether full sequences of `length` fit in memory in some layout; True where nothing is laid out."""
        if self.request.utilization is not None:
            return True
        layout = self.layout(length, None)
        return self._has_room(length, layout) or micro_batch_that_fits(self.question(length, layout))

    def _has_room(self, length: int, layout: LayoutRequest) -> bool:
        """Return whether a sequence surely fits on each device, all recomputed: most do, and need not be laid out."""
        if self.trained is None or self.cluster is None or self.stack is None or layout != LayoutRequest():
            return False
        sharded = self.stack.sharding != "ddp" or self.stack.model_parallel
        states = _STATE_BYTES * parameter_counts(self.trained).total / (self.n_gpus if sharded else 1)
        wide = 2 * self.trained.n_layers + _LAYER_ELEMENTS
        activations = length * (wide * self.trained.hidden + _LOGIT_BYTES * self.trained.vocab)
        return states + activations < _SURELY * self.cluster.accelerator.memory_bytes

    @property
    def fitting(self) -> tuple[Callable[[Padded], bool], ...]:
        """What tells whether micro-batches of such rows fit, the first of which any does being the one that counts.

        Who runs a trainer that keeps all states on every device, and names no engine that shards them, takes a smaller
        micro-batch before anything else; half of the usual one, or a quarter, or as few samples as keep a device busy,
        before activations are recomputed where that is not the trainer's habit; and shards gradients before weights.
        Where a rate is given, nothing is laid out.
        """
        if self.request.utilization is not None:
            return ()
        stack = self.stack
        if stack is None or stack.sharding != "ddp" or self.practice.zero_engine is not None:
            return (self._fits,)
        rest = (partial(self._fits, sharding="ddp"), partial(self._fits, sharding="zero2"), self._fits)
        prepared = is_prepared_by_peft(self.trained, self.method.name, self.practice)
        habit = self.practice.usual_recompute or stack.recompute_with(prepared=prepared)
        if habit is not None or self.whole_batches:
            return rest
        fewest = max(1, stack.micro_batch // _FEWER_BEFORE_RECOMPUTING)
        return (partial(self._fits, sharding="ddp", recompute="none", fewest=fewest), *rest)

    def _fits(
        self, rows: Padded, sharding: Sharding | None = None, recompute: Recompute | None = None, fewest: int = 1
    ) -> bool:
        if rows.micro_batch < min(fewest, math.ceil(_BUSY_TOKENS / (rows.mean * rows.sequences))):
            return False
        length = rows.sequence_length
        layout = self.layout(length, rows.micro_batch)
        if sharding is not None and layout.data_sharding is None:
            layout = replace(layout, data_sharding=sharding)
        if recompute is not None and layout.recompute is None:
            layout = replace(layout, recompute=recompute)
        return micro_batch_that_fits(with_rows(self.question(length, layout), rows))
