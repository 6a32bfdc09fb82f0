"""What DoRA costs beside LoRA, and what costs less.

Authority: Liu et al. 2024 (DoRA), section 4.3, which detaches the norm; PEFT's `DoraLinearLayer`, counted; Lester et
al. 2021 and Liu et al. 2022 (prompts, IA3), where next to nothing learns and the base is frozen.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import InvalidValueError
from estimator.models.training import AdapterKind, Method
from estimator.physics.case import Case
from estimator.physics.decomposition import decomposition_s
from estimator.physics.execution import Execution
from estimator.physics.kernels import dequantization_s, traffic_s
from estimator.physics.layout import layouts_of
from estimator.resolve.framework.named import named_framework
from tests.physics_cases import CONSTANTS, MEMORY_BYTES_PER_S, MODEL, PLAIN, small_case
from tools.estimate_training_time import estimate_training_time

QUANTISED = Execution(fused_kernels=False, eager_adapters=True, base_bits=4)
WORDS: list[tuple[str, str, AdapterKind | None]] = [
    ("PEFT", "lora", None),
    ("PEFT, rsLoRA", "lora", "pairs"),
    ("PEFT, LoRA+", "lora", None),
    ("PiSSA", "lora", "pairs"),
    ("LoftQ, 4-bit", "qlora", "pairs"),
    ("VeRA", "lora", "pairs"),
    ("PEFT, use_dora: true", "lora", "decomposed"),
    ("QDoRA", "qlora", "decomposed"),
    ("QLoRA with DoRA", "qlora", "decomposed"),
    ("PEFT prompt tuning", "lora", "vectors"),
    ("prompt tuning with PEFT", "lora", "vectors"),
    ("prefix-tuning", "lora", "vectors"),
    ("P-Tuning v2", "lora", "vectors"),
    ("IA3", "lora", "vectors"),
    ("BitFit", "lora", "vectors"),
]


def _case(kind: AdapterKind, execution: Execution | None = None) -> Case:
    method = Method(name="qlora" if execution is QUANTISED else "lora", adapters=kind)
    return small_case(method=method, execution=execution)


@pytest.mark.parametrize(("text", "method", "kind"), WORDS)
def test_kinds_of_adapters_are_understood(text: str, method: str, kind: AdapterKind | None) -> None:
    found = named_framework(text)
    assert (found.method, found.adapters, found.not_understood) == (method, kind, ())


def test_norms_move_bytes_of_each_weight_and_of_the_identity_sent_through() -> None:
    hidden, ffn = MODEL.hidden, MODEL.ffn_hidden
    weights = 4 * hidden * hidden + 2 * hidden * ffn
    identities = 5 * hidden * hidden + ffn * ffn
    moved = MODEL.n_layers * (26.0 * weights + 12.0 * identities)
    seconds = decomposition_s(_case("decomposed"), CONSTANTS, layouts_of(PLAIN))
    assert seconds == pytest.approx(moved / MEMORY_BYTES_PER_S)
    assert decomposition_s(_case("pairs"), CONSTANTS, layouts_of(PLAIN)) == 0.0


def test_a_quantised_base_is_expanded_once_more_for_its_norms() -> None:
    """Forward for the product, backward, and forward for the norm: three times for two."""
    plain, decomposed = (dequantization_s(_case(kind, QUANTISED), CONSTANTS, layouts_of(PLAIN)) for kind in _BOTH)
    assert decomposed == pytest.approx(1.5 * plain)


_BOTH: tuple[AdapterKind, AdapterKind] = ("pairs", "decomposed")


@given(tokens=st.floats(128.0, 65_536.0))
def test_what_leaves_a_matrix_is_scaled_besides(tokens: float) -> None:
    pairs, decomposed = (traffic_s(_case(kind), CONSTANTS, layouts_of(PLAIN), tokens) for kind in _BOTH)
    assert decomposed > pairs


def _asked(framework: str, **given: object) -> Any:  # noqa: ANN401 - the tool's own answer
    run: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "a100", "n_gpus": 1, "tokens": "10M", "method": "lora"}
    run |= {"sequence_length": 2048, "micro_batch_size": 4, "global_batch_sequences": 16}
    run |= {"activation_recompute": "full", "detail": "detailed"}
    run |= {**given, "framework": framework}
    return estimate_training_time(**run)


def test_doras_cost_more_than_pairs_and_vectors_less() -> None:
    lora, same, dora, prompts = (_asked(f"PEFT{said}") for said in ("", ", rsLoRA", ", DoRA", ", prompt tuning"))
    assert same.training_seconds == lora.training_seconds
    assert 1.1 < dora.training_seconds / lora.training_seconds < 1.8
    assert prompts.training_seconds < lora.training_seconds
    assert prompts.memory.optimizer_gb < 0.1 < lora.memory.optimizer_gb
    assert dora.memory.activations_gb > lora.memory.activations_gb


def test_the_norms_weigh_less_the_more_tokens_share_them() -> None:
    """They are worked out once a micro-batch."""
    ratios = [
        _asked("PEFT, DoRA", micro_batch_size=size).training_seconds
        / _asked("PEFT", micro_batch_size=size).training_seconds
        for size in (1, 4, 16)
    ]
    assert ratios == sorted(ratios, reverse=True)


@pytest.mark.parametrize(("given", "method"), [("DoRA", "lora"), ("prompt tuning", "lora"), ("qdora", "qlora")])
def test_a_kind_of_adapters_as_the_method_is_told_where_it_belongs(given: str, method: str) -> None:
    with pytest.raises(InvalidValueError, match=f'say method "{method}", and {given!r} in framework'):
        _asked("PEFT", method=given)
