"""What a trainer's code does with experts, on a chip and at a release."""

from estimator.physics.stacks import Stack
from estimator.question.practice import Practice
from estimator.question.question import Question

__all__ = [
    "OLD_FAMILIES",
    "expert_capacity",
    "fuses_experts",
    "is_indexed",
    "loops_over_experts",
    "multiplies_all_experts",
]

OLD_FAMILIES = frozenset({"volta", "turing", "pascal", "maxwell", "kepler"})
"""Chips before Ampere, for which PyTorch has no grouped products, and on which FlashAttention does not run; SDPA's and
xFormers' memory-efficient kernels do, from Maxwell on."""
_UNGATED_FUSED_SINCE = 2026.5
"""Release from which on experts without a gate are fused, too, as Nemotron's with a squared ReLU are (NVIDIA/
TransformerEngine pull requests 2769 of March 2026, gated ones; 2981 of May and 3072 of June)."""


def fuses_experts(question: Question, stack: Stack, released: float) -> bool:
    """Return whether expert layers run without waiting for the host: a graph of the whole step replays them.

    Its kernels came with a release; a run on it that is known to be launched in another way has waited nevertheless.
    """
    if question.practice.launch not in {None, "graphs"}:
        return False
    since = stack.fused_experts_since
    return released >= (since if question.transformer.gated_mlp else max(since, _UNGATED_FUSED_SINCE))


def loops_over_experts(question: Question, stack: Stack, said: Practice) -> bool:
    """Return whether the host goes through experts one by one: as told, as was the habit, or for want of a kernel.

    PyTorch's grouped product, which trainers of Transformers' models have, is for Ampere and later.
    """
    old = question.cluster.accelerator.family in OLD_FAMILIES and stack.grouped_experts_since > 0.0
    return said.experts == "loop" or (old and question.practice.experts is None)


def is_indexed(question: Question, stack: Stack) -> bool:
    """Return whether experts are slices of one parameter, which Transformers has where they have biases (gpt-oss)."""
    experts = question.transformer.experts
    return experts is not None and experts.biased and stack.grouped_experts_since > 0.0


def multiplies_all_experts(question: Question, stack: Stack) -> bool:
    """Return whether every token is multiplied with every expert, and those that it is not sent to are weighed by 0.

    So does Transformers, in every release, where tokens are weighed before they enter (`Llama4TextMoe`).
    """
    experts = question.transformer.experts
    weighed = experts is not None and experts.weighed_inputs
    return weighed and stack.grouped_experts_since > 0.0 and question.practice.experts is None


def expert_capacity(question: Question, said: Practice, *, all_experts: bool) -> float:
    """Return the tokens that each expert works on, over its even share of those that are sent to it."""
    experts = question.transformer.experts
    if experts is not None and all_experts:
        return experts.n_experts / experts.top_k
    return 1.0 if said.expert_capacity is None else said.expert_capacity
