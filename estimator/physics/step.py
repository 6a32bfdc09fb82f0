"""Analytic step-time model: rooflines of the operations, alpha-beta collectives, 1F1B pipeline, optimizer.

Arrays of shape (L,) throughout: one question over many layouts, or many questions one layout each.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from estimator.physics.case import BROADCAST, Case, is_anywhere
from estimator.physics.constants import Constants
from estimator.physics.decomposition import decomposition_s
from estimator.physics.kernels import (
    attention_s,
    dequantization_s,
    logits_traffic_s,
    rounding_s,
    routing_s,
    scan_s,
    traffic_s,
    widening_s,
)
from estimator.physics.launches import beside_launches_s, launches_s
from estimator.physics.layout import Floats, Layouts
from estimator.physics.loading import loading_s
from estimator.physics.matmul import Products, products_s
from estimator.physics.network import stage_hop_s, where
from estimator.physics.recomputation import products_again_s
from estimator.physics.sharing import (
    ZERO3,
    gradient_reduction_s,
    layer_communication_s,
    optimizer_s,
    sharded_s,
    shown_s,
)
from estimator.physics.uneven import longest_tokens

__all__ = ["PARTS", "StepTime", "as_published_s", "step_time"]

_SMALL, _LARGE = 2_048.0, 16_384.0
"""Tokens of a micro-batch up to which people's own steps are as slow as they get, and from which on none is."""

PARTS = ("compute", "attention", "memory_bound", "communication", "bubble", "optimizer", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTime:
    """Seconds of a step by part, each of shape (L,): what is exposed, so that they add up to the step."""

    compute_s: Floats
    attention_s: Floats
    memory_bound_s: Floats
    communication_s: Floats
    bubble_s: Floats
    optimizer_s: Floats
    other_s: Floats

    @property
    def total_s(self) -> Floats:
        """Seconds of the step, shape (L,): the sum of its parts."""
        return (
            self.compute_s
            + self.attention_s
            + self.memory_bound_s
            + self.communication_s
            + self.bubble_s
            + self.optimizer_s
            + self.other_s
        )

    def taken(self, row: int) -> "StepTime":
        """Return the times of the layout at `row` alone."""
        return StepTime(**{field.name: getattr(self, field.name)[row : row + 1] for field in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pass:
    """Seconds of one micro-batch on one stage, forward and backward together."""

    compute: BROADCAST
    attention: BROADCAST
    memory: BROADCAST
    launched: BROADCAST
    """All three as the host launches them."""
    communication: BROADCAST
    """Collectives within layers, hidden or not."""
    visible: BROADCAST
    """What of them nothing hides."""
    last_stage: BROADCAST
    """Logits and loss, on the last stage only."""


def _micro_batch(case: Case, constants: Constants, lay: Layouts, slow: BROADCAST, products: Products) -> _Pass:
    tokens = longest_tokens(case, lay)
    forwards = products.forward + products_again_s(case, constants, lay, products)
    fullest = _fullest_stage(case, lay)
    compute = (forwards + products.backward) / lay.pipeline * fullest * slow
    last = products.logits_forward * (1.0 + case.chunked_loss) + products.logits_backward
    attention = (attention_s(case, constants, lay, tokens) + scan_s(case, constants, lay, tokens)) * fullest * slow
    memory = (traffic_s(case, constants, lay, tokens) + routing_s(case, constants, lay)) * slow
    # A library's own kernels over a quantised base are as fast for everybody.
    memory = memory + dequantization_s(case, constants, lay) + rounding_s(case, constants, lay, tokens)
    memory = memory + widening_s(case, constants, lay) + decomposition_s(case, constants, lay)
    memory = memory * fullest
    communication, visible = layer_communication_s(case, constants, lay, tokens)
    return _Pass(
        compute=compute,
        attention=attention,
        memory=memory,
        launched=beside_launches_s(constants, compute + attention + memory, launches_s(case, constants, lay) * fullest),
        communication=communication * fullest,
        visible=visible * fullest,
        last_stage=(last + logits_traffic_s(case, constants, lay, tokens)) * slow,
    )


def as_published_s(case: Case, lay: Layouts, constants: Constants, products: Products | None = None) -> Floats:
    """Return the seconds of a step that people run themselves, shape (L,), had somebody published it.

    Hosts and links, and what the device does in a small step, would be as fast as those of published runs.
    """
    return step_time(replace(case, as_people_run=0.0), lay, constants, products).total_s


def _small_slowness(case: Case, constants: Constants, lay: Layouts) -> BROADCAST:
    """Return the factor on what a device does in a step as people run it, shape (L,).

        (slowness ^ w · alone ^ (1 - w)) ^ (log(large / tokens) / log(large / small)),   w = (1 - 1 / n) · met

    The last exponent is between 0 and 1: a trainer's own work and old versions show in small micro-batches; large ones
    run as published, whoever runs them. Of n devices at work together each waits for the latest wherever they meet: in
    every layer where its weights or its work are shared, once a step (`met`: one micro-batch of all) where gradients
    alone are. A device alone waits for nobody, and is slower than published as often as faster. Hosts and links have a
    slowness of their own, kernels of libraries (optimizers, quantised bases) have none.
    """
    if not is_anywhere(case.as_people_run):
        return 1.0
    tokens = lay.micro_batch * case.sequence_length / lay.context
    smallness = np.clip(np.log(_LARGE / tokens) / np.log(_LARGE / _SMALL), 0.0, 1.0)
    stages = where(case.stages_alone, 1.0, lay.pipeline)
    split = lay.tensor * lay.context * stages
    in_layers = (lay.shard_stage >= ZERO3) | (split > 1.0)
    waiting = (1.0 - 1.0 / (split * lay.data)) * np.where(in_layers, 1.0, 1.0 / lay.micro_batches)
    level = constants["people_slowness"] ** waiting * constants["people_alone"] ** (1.0 - waiting)
    slowness: BROADCAST = level ** (case.as_people_run * smallness)
    return slowness


def _fullest_stage(case: Case, lay: Layouts) -> BROADCAST:
    """Return the layers of the fullest stage over those of an even split: 1 where stages divide the layers."""
    chunks = lay.pipeline * lay.virtual
    return np.ceil(case.n_layers / chunks) * chunks / case.n_layers


def _spared_layer_s(case: Case, lay: Layouts, one: _Pass) -> BROADCAST:
    """Return seconds of the layer that the stage with the logits is spared, shape (L,): none where stages are even.

    Where they do not divide the layers some stages have one less, and the last is the first to. Embedding and logits
    count as layers then (Grattafiori et al. 2024, section 3.3.2).
    """
    fullest = _fullest_stage(case, lay)
    layers = fullest * case.n_layers / lay.pipeline
    spared: BROADCAST = np.where(fullest > 1.0, one.launched / layers, 0.0)
    return spared


def step_time(case: Case, lay: Layouts, constants: Constants, products: Products | None = None) -> StepTime:
    """Return seconds of one step by part, each of shape (L,).

        micro_batches · slowest stage + bubble · (pipeline − 1)/virtual · stage + once a step + waiting for samples
        micro_batches · pipeline · stage + the same                              where one stage is at work at a time

    `products` are what `products_s` returns of the same matrices, layouts and constants of its own, if that is known.
    Source: Narayanan et al. 2021, section 2.2 (bubble); Rajbhandari et al. 2020 (ZeRO volumes).
    """
    slow = _small_slowness(case, constants, lay)
    one = _micro_batch(case, constants, lay, slow, products or products_s(case, constants, lay))
    uneven = constants["stage_imbalance"]
    balanced = np.where(lay.pipeline > 1, uneven + (1 - uneven) / lay.pipeline, 1.0)
    imbalance = where(case.stages_alone, 1.0, balanced)
    tail = np.maximum(one.last_stage - _spared_layer_s(case, lay, one), 0.0) * imbalance
    exposed = shown_s(one.communication, one.visible, one.launched)
    sharded = sharded_s(case, constants, lay, one.launched + tail, one.communication - exposed)
    stage = one.launched + exposed + sharded
    tokens = lay.micro_batch * case.sequence_length / lay.context
    hops = lay.virtual * 2.0 * stage_hop_s(case, constants, 2.0 * tokens * case.hidden / lay.tensor)
    crossing = np.where(lay.pipeline > 1, shown_s(hops, constants["pipeline_visible"] * hops, stage), 0.0)
    n = lay.micro_batches
    waiting = one.launched - (one.compute + one.attention + one.memory)
    filling = constants["bubble"] * (lay.pipeline - 1.0) / lay.virtual * (stage + crossing + tail / lay.pipeline)
    bubble = where(case.stages_alone, n * (lay.pipeline - 1.0) * (stage + crossing), filling)
    reduction = gradient_reduction_s(case, constants, lay, stage + crossing)
    optimizer = optimizer_s(case, constants, lay)
    stragglers = 1.0 + constants["stragglers"] * np.log2(np.maximum(case.n_gpus / 8.0, 1.0))
    parts = {
        "compute_s": n * (one.compute + tail),
        "attention_s": n * one.attention,
        "memory_bound_s": n * one.memory,
        "communication_s": n * (exposed + crossing + sharded) + reduction,
        "bubble_s": bubble,
        "optimizer_s": optimizer,
        "other_s": n * waiting + constants["step_constant_s"] * case.launch_share,
    }
    seconds = {name: np.asarray(value * stragglers, dtype=np.float64) for name, value in parts.items()}
    seconds["other_s"] = seconds["other_s"] + loading_s(case, lay, sum(seconds.values()))
    return StepTime(**seconds)
