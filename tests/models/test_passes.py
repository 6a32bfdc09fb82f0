"""Which passes each part of a model has, and what that costs."""

from dataclasses import replace

import pytest

from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.objective import OBJECTIVES, ObjectiveName, with_objective
from estimator.models.parameters import parameter_counts
from estimator.models.passes import passes_of, trained_share
from estimator.models.training import Method
from estimator.models.transformer import Tower, Transformer
from estimator.models.workload import workload

_LENGTH = 2048
_MODEL = catalogue.transformer("llama-3.1-8b").value
_TOWER = replace(catalogue.transformer("qwen-2.5-1.5b").value, vocab=0, causal=False)


def _with_tower(*, trained: bool, rate: float = 0.5) -> Transformer:
    projector = replace(_TOWER, n_layers=1, vector_parameters=0)
    return replace(
        _MODEL,
        towers=(
            Tower(name="vision", network=_TOWER, rate=rate, length=576.0, trained=trained),
            Tower(name="projector", network=projector, rate=rate, length=1.0),
        ),
    )


def _total(transformer: Transformer, method: Method) -> float:
    return flop_counts(transformer, sequence_length=_LENGTH, method=method).model


def test_training_everything_trains_every_parameter() -> None:
    """Of the model and of its towers."""
    for transformer in (_MODEL, _with_tower(trained=True)):
        table = workload(transformer)
        assert trained_share(table, passes_of(table, Method())) == pytest.approx(1.0, rel=1e-12)


def test_the_top_layers_cost_a_backward_pass_of_themselves_alone() -> None:
    """Forward through all; gradients of inputs and weights in the layers named, and through the output layer."""
    table = workload(_MODEL)
    forward = flop_counts(_MODEL, sequence_length=_LENGTH).forward
    logits = next(2.0 * gemm.parameters for gemm in table.gemms if gemm.part == "logits")
    chosen = Method(name="frozen", trained_layers=8, reached_layers=8, trains_embeddings=False, trains_output=False)
    assert _total(_MODEL, chosen) == pytest.approx(forward + 2 * (forward - logits) * 8 / 32 + logits)


def test_low_layers_cost_the_gradients_of_all_above_them() -> None:
    """The lowest 8 of 32 train as few weights as the top 8, and need every gradient on the way."""
    top = Method(name="frozen", trained_layers=8, reached_layers=8, trains_embeddings=False, trains_output=False)
    low = replace(top, reached_layers=32)
    assert _total(_MODEL, low) > 1.3 * _total(_MODEL, top)
    table = workload(_MODEL)
    assert trained_share(table, passes_of(table, low)) == trained_share(table, passes_of(table, top))


def test_a_frozen_tower_is_run_forward_alone() -> None:
    """A trained one costs about three times as much."""
    plain = _total(_MODEL, Method())
    frozen, trained = (_total(_with_tower(trained=trained), Method()) - plain for trained in (False, True))
    assert 2.5 < trained / frozen < 3.0


def test_a_tower_costs_as_often_as_it_has_positions() -> None:
    """Twice the pictures, twice the tower."""
    plain = _total(_MODEL, Method())
    once, twice = (_total(_with_tower(trained=True, rate=rate), Method()) - plain for rate in (0.5, 1.0))
    assert twice == pytest.approx(2 * once)


def test_a_projector_alone_needs_gradients_through_the_whole_language_model() -> None:
    """And no weight's but its own: LLaVA's first stage."""
    transformer = _with_tower(trained=False)
    method = Method(name="frozen", trained_layers=0, reached_layers=0, trains_embeddings=False, trains_output=False)
    table = workload(transformer)
    plan = passes_of(table, method)
    assert plan.layers.input_gradient == 1.0
    assert plan.layers.weight_gradient == 0.0
    assert plan.of("vision").input_gradient == 0.0
    trained = trained_share(table, plan) * table.parameters
    assert trained == pytest.approx(parameter_counts(transformer.towers[1].network).total, rel=1e-9)


def test_a_reference_model_adds_a_forward_pass() -> None:
    """Authority: Rafailov et al. 2023: 6 + 2 passes over each weight in place of 6."""
    plain = flop_counts(_MODEL, sequence_length=_LENGTH)
    dpo = flop_counts(with_objective(_MODEL, OBJECTIVES["dpo"], adapters=False), sequence_length=_LENGTH)
    assert dpo.model == pytest.approx(plain.model + plain.forward)
    kto = flop_counts(with_objective(_MODEL, OBJECTIVES["kto"], adapters=False), sequence_length=_LENGTH)
    assert kto.model == pytest.approx(plain.model + 3 * plain.forward)


def test_adapters_hold_their_base_once() -> None:
    """With adapters turned off, the base is the reference; a fully trained model needs a second one."""
    total = parameter_counts(_MODEL).total
    shared, second = (with_objective(_MODEL, OBJECTIVES["dpo"], adapters=adapters) for adapters in (True, False))
    assert parameter_counts(shared).total == total
    assert parameter_counts(second).total == 2 * total


def test_a_teacher_costs_its_own_forward_pass() -> None:
    """Of another size and shape than the student."""
    teacher = catalogue.transformer("llama-3.1-70b").value
    student = with_objective(_MODEL, OBJECTIVES["distillation"], adapters=False, teacher=teacher)
    alone = flop_counts(_MODEL, sequence_length=_LENGTH).model
    its_forward = flop_counts(teacher, sequence_length=_LENGTH).forward
    assert flop_counts(student, sequence_length=_LENGTH).model == pytest.approx(alone + its_forward)


@pytest.mark.parametrize("name", ["reward", "classification", "contrastive"])
def test_a_head_of_few_outputs_has_no_logits_and_keeps_the_embedding(name: str) -> None:
    """Llama-3-8B with a scalar head has 525 million weights fewer."""
    objective = next(objective for objective in OBJECTIVES.values() if objective.name == name)
    scored = with_objective(_MODEL, objective, adapters=False)
    table = workload(scored)
    assert table.logits == 0
    assert parameter_counts(scored).total == parameter_counts(_MODEL).total - 128_256 * 4096


def test_tokens_that_see_both_sides_attend_to_twice_as_many_keys() -> None:
    """Bidirectional attention has no mask to skip."""
    both = with_objective(_MODEL, OBJECTIVES["masked"], adapters=False)
    once, twice = (
        sum(a.flop_per_token(_LENGTH) for a in workload(transformer).attentions) for transformer in (_MODEL, both)
    )
    assert twice == pytest.approx(2 * once)


def test_logits_of_masked_positions_alone_are_a_sixth_or_so() -> None:
    """15 % of tokens are masked; weights and all else stay."""
    everywhere, masked = (
        with_objective(_MODEL, OBJECTIVES["masked"], adapters=False, gathers=gathers) for gathers in (False, True)
    )
    logits = 2.0 * 128_256 * 4096
    saved = (
        flop_counts(everywhere, sequence_length=_LENGTH).forward - flop_counts(masked, sequence_length=_LENGTH).forward
    )
    assert saved == pytest.approx(0.85 * logits)
    assert parameter_counts(masked) == parameter_counts(everywhere)


@pytest.mark.parametrize("objective", sorted(set(OBJECTIVES) - {"masked"}))
def test_only_masked_words_are_gathered(objective: ObjectiveName) -> None:
    once, again = (
        with_objective(_MODEL, OBJECTIVES[objective], adapters=False, gathers=gathers) for gathers in (False, True)
    )
    assert once == again
