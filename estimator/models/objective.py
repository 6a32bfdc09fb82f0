"""What a model is trained towards, as far as it changes the work: other passes, another head, more sequences."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from estimator.models.masked import MASKED, predicting, with_masked_head
from estimator.models.transformer import Tower, Transformer
from estimator.models.views import Views
from estimator.models.workload import workload

__all__ = ["OBJECTIVES", "Objective", "ObjectiveName", "on_views", "with_negatives", "with_objective"]

ObjectiveName = Literal[
    "next_token",
    "dpo",
    "orpo",
    "kto",
    "reward",
    "classification",
    "distillation",
    "contrastive",
    "masked",
    "self_supervised",
    "replaced_token",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The work of one objective beyond a forward and a backward pass over each token."""

    name: ObjectiveName
    sequences: int = 1
    """Sequences of a sample: a preferred and a rejected answer, a query and its passage."""
    padded_apart: bool = False
    """Whether each of them is padded with its like and run by itself, as texts for encoders are; pairs that are scored
    are joined to one batch."""
    reference_forwards: float = 0.0
    """Forward passes of a frozen copy of the model, for each token."""
    own_forwards: float = 0.0
    """More forward passes of the model itself that nothing is learnt from."""
    has_logits: bool = True
    """Whether tokens are predicted; else a head of a few outputs stands in place of the output layer."""
    bidirectional: bool = False
    """Whether tokens see later ones, too."""
    views: Views | None = None
    """What is run of each picture, where an encoder of pictures learns from views of it."""
    generates: bool = False
    """Whether the model's generator is trained beside it, and replaces tokens that it reads."""
    why: str = ""

    @property
    def forwards_beside(self) -> float:
        """Forward passes beside training on each token, in passes of the model itself."""
        of_views = self.views.forwards_beside if self.views else 0.0
        return self.reference_forwards + self.own_forwards + of_views


OBJECTIVES: Mapping[ObjectiveName, Objective] = MappingProxyType(
    {
        objective.name: objective
        for objective in (
            Objective(name="next_token"),
            Objective(
                name="dpo",
                sequences=2,
                reference_forwards=1.0,
                why="two answers a sample, and a forward pass of the frozen reference over each (Rafailov et al. "
                "2023, equation 7)",
            ),
            Objective(
                name="orpo",
                sequences=2,
                why="two answers a sample, no reference (Hong et al. 2024, section 4)",
            ),
            Objective(
                name="kto",
                reference_forwards=2.0,
                own_forwards=1.0,
                why="a forward pass of the frozen reference over each answer, and one of both models over mismatched "
                "answers, which estimate the divergence (Ethayarajh et al. 2024, section 4.1; TRL's KTOTrainer)",
            ),
            Objective(
                name="reward",
                sequences=2,
                has_logits=False,
                why="two answers a sample, scored by one output (Ouyang et al. 2022, equation 1)",
            ),
            Objective(name="classification", has_logits=False, why="a few outputs in place of the vocabulary's"),
            Objective(
                name="distillation",
                why="a forward pass of the teacher over each token (Hinton et al. 2015, section 2)",
            ),
            Objective(
                name="contrastive",
                sequences=2,
                padded_apart=True,
                has_logits=False,
                why="a query and a passage a sample, pooled to one vector each; the others of a batch are its "
                "negatives (van den Oord et al. 2018, section 2.3)",
            ),
            Objective(
                name="replaced_token",
                has_logits=False,
                generates=True,
                why="a generator learns to predict masked tokens, with logits of those alone, and the model to tell "
                "which of its inputs it replaced (Clark et al. 2020, section 3.1; sizes by their table 6)",
            ),
            Objective(
                name="masked",
                bidirectional=True,
                why="tokens see both sides (Devlin et al. 2018, section 3.1); logits of all positions, as Transformers "
                "has them, or of the masked ones alone, as its authors' code",
            ),
        )
    }
)
"""What each objective adds; those on views of pictures are made by `on_views`."""


def on_views(views: Views) -> Objective:
    """Return the objective of training an encoder of pictures on `views` of them."""
    return Objective(name="self_supervised", views=views, why=views.words)


def with_negatives(objective: Objective, negatives: int) -> Objective:
    """Return a contrastive `objective` whose samples have so many negatives of their own beside the batch's.

    Each is one more text that the model runs on (Karpukhin et al. 2020, section 3.2).
    """
    if not negatives:
        return objective
    why = f"{negatives:,} hard negative{'' if negatives == 1 else 's'} beside {objective.why}"
    return replace(objective, sequences=objective.sequences + negatives, why=why)


def with_objective(
    transformer: Transformer,
    objective: Objective,
    *,
    adapters: bool,
    teacher: Transformer | None = None,
    gathers: bool = False,
) -> Transformer:
    """Return `transformer` with the head, passes and models beside it that `objective` needs.

    An objective that generates needs a model with a generator, and adds nothing to another; both share one embedding.
    With `gathers`, masked positions are gathered before the output layer, which none of the others reach.
    A reference of a model with adapters is its own frozen base and is held once; any other is a second model in memory.
    """
    changed = with_masked_head(transformer) if objective.bidirectional else transformer
    if not objective.has_logits and transformer.vocab:
        embedding = transformer.vocab * transformer.hidden
        changed = replace(changed, vocab=0, lookup_parameters=transformer.lookup_parameters + embedding)
    if objective.bidirectional:
        # What a decoder writes is predicted at every position.
        gathers = gathers and not any(tower.name == "decoder" for tower in transformer.towers)
        changed = predicting(replace(changed, causal=False), MASKED if gathers else 1.0)
    beside: list[Tower] = []
    generator = changed.generator
    if objective.generates and generator is not None:
        shared = sum(gemm.parameters for gemm in workload(generator).gemms if gemm.name == "logits")
        changed = replace(changed, lookup_parameters=max(changed.lookup_parameters - shared, 0))
        beside.append(Tower(name="generator", network=generator, rate=1.0))
    if objective.reference_forwards:
        beside.append(_run_forward("reference", changed, objective.reference_forwards, borrowed=adapters))
    if objective.own_forwards:
        beside.append(_run_forward("policy", changed, objective.own_forwards, borrowed=True))
    if teacher is not None:
        beside.append(_run_forward("teacher", teacher, 1.0, borrowed=False))
    return replace(changed, towers=changed.towers + tuple(beside)) if beside else changed


def _run_forward(name: str, network: Transformer, times: float, *, borrowed: bool) -> Tower:
    return Tower(name=name, network=network, rate=times, sequences=times, trained=False, borrowed=borrowed)
