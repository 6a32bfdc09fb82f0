"""The batch that is taken where none is stated: one that somebody would train with on such a cluster.

Authority: batches of published pre-training runs, and what a batch is chosen for, that all devices are at work.
"""

import math
from dataclasses import replace

import pytest

from estimator.answers.estimate.predict import prediction
from estimator.catalogue import catalogue
from estimator.physics.batch import global_batch_sequences, growing_batch
from estimator.question.question import Question
from tests.physics_cases import catalogued_cluster

PUBLISHED = (
    ("pythia-1b", "a100-sxm-40gb", 64, 2048, 2**21),  # Biderman et al. 2023, table 1
    ("pythia-2.8b", "a100-sxm-40gb", 64, 2048, 2**21),
    ("smollm3-3b", "h100-sxm", 384, 4096, 2.36e6),  # Hugging Face 2025, SmolLM3's blog
    ("llama-2-7b", "a100-sxm-80gb", 1024, 4096, 2**22),  # Touvron et al. 2023, section 2.2
    ("llama-2-70b", "a100-sxm-80gb", 2048, 4096, 2**22),
    ("olmo-2-32b", "h100-sxm", 1280, 4096, 2**23),  # OLMo team 2025, table 3
    ("llama-3.1-405b", "h100-sxm", 16384, 8192, 2**24),  # Grattafiori et al. 2024, table 4
)
"""Model, device, how many, sequence length, tokens a step."""


def _question(model: str, gpu: str, n_gpus: int, length: int = 8192) -> Question:
    cluster = catalogued_cluster(gpu, n_gpus)
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=cluster,
        precision=cluster.accelerator.training_precision,
        sequence_length=length,
        global_batch_sequences=None,
        run_tokens=1e13,
        framework="auto",
    )


@pytest.mark.parametrize(("model", "gpu", "n_gpus", "length", "tokens"), PUBLISHED)
def test_a_batch_left_out_is_within_twice_that_of_a_published_run(
    model: str, gpu: str, n_gpus: int, length: int, tokens: float
) -> None:
    taken = global_batch_sequences(_question(model, gpu, n_gpus, length)) * length
    assert abs(math.log2(taken / tokens)) <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("olmo-1b", 8192),
        ("llama-3-8b", 16384),
        ("llama-3-70b", 32768),
        ("mixtral-8x7b", 32768),
        ("llama-4-scout", 32768),
    ],
)
def test_more_devices_are_never_slower_where_the_batch_is_left_out(model: str, most: int) -> None:
    """1,024 sequences on 16,384 devices took longer than on 8,192: whoever has so many trains more at a time.

    Up to as many devices as four times the usual batch of the model's size keeps at work.
    """
    before_s = math.inf
    for n_gpus in (most >> halvings for halvings in range(6, -1, -1)):
        found = prediction(_question(model, "h100-sxm", n_gpus))
        assert found.step_s / found.tokens_per_step < before_s, n_gpus
        assert "fewer_gpus_are_faster" not in {warning.code for warning in found.warnings}, n_gpus
        before_s = found.step_s / found.tokens_per_step


def test_what_is_fine_tuned_keeps_a_small_batch_however_large_the_cluster() -> None:
    asked = replace(_question("llama-3-8b", "h100-sxm", 2048, 4096), framework="trl", small_set=True, run_tokens=1e7)
    pretrained = replace(asked, framework="auto", small_set=False, run_tokens=1e13)
    assert global_batch_sequences(asked) == asked.cluster.n_gpus  # a sequence each, as nothing is split
    few = replace(asked, cluster=catalogued_cluster("h100-sxm", 8))
    assert global_batch_sequences(few) <= 128 < global_batch_sequences(pretrained)


AWKWARD = (3, 6, 12, 20, 24, 40, 48, 56, 72, 96, 120, 192, 384, 1000)
"""Counts between powers of two, as nodes, racks and what is left of them have."""


@pytest.mark.parametrize("framework", ["trl", "axolotl", "llama-factory", "huggingface", "fsdp", "nemo", "auto"])
@pytest.mark.parametrize(("length", "tunes"), [(512, True), (2048, True), (4096, False)])
def test_no_count_of_devices_has_a_smaller_batch_than_fewer_that_are_round(
    framework: str, length: int, *, tunes: bool
) -> None:
    """Else 24 devices over a slow network take longer than 16: each step waits as long, and there are more of them."""
    asked = replace(_question("llama-3-8b", "a100-sxm-80gb", 1, length), framework=framework, small_set=tunes)
    asked = replace(asked, run_tokens=1e8 if tunes else 1e11)
    taken = {
        n_gpus: global_batch_sequences(replace(asked, cluster=catalogued_cluster("a100-sxm-80gb", n_gpus)))
        for n_gpus in (*(1 << power for power in range(11)), *AWKWARD)
    }
    for fewer, more in ((fewer, more) for fewer in taken for more in taken if fewer < more):
        if fewer & (fewer - 1) == 0:
            # What lies within a sixteenth trains the same.
            assert taken[more] >= taken[fewer] * 15 / 16, (fewer, more)


@pytest.mark.parametrize("framework", ["trl", "huggingface", "fsdp"])
def test_what_is_tuned_over_a_slow_network_is_not_slower_on_twice_the_nodes(framework: str) -> None:
    before_s = math.inf
    for n_gpus in (16, 32, 64, 128):
        cluster = replace(catalogued_cluster("a100-sxm-80gb", n_gpus), scale_out_bytes_per_s=1.25e8)
        asked = replace(_question("llama-3-8b", "a100-sxm-80gb", n_gpus, 2048), cluster=cluster, small_set=True)
        found = prediction(replace(asked, framework=framework, run_tokens=1e8))
        assert found.step_s / found.tokens_per_step <= before_s * 1.05, n_gpus
        before_s = found.step_s / found.tokens_per_step


@pytest.mark.parametrize(("framework", "n_gpus"), [("huggingface", 64), ("deepspeed", 256), ("pytorch", 1024)])
def test_a_trainers_batch_goes_over_to_that_of_pretraining_once_its_steps_are_too_many(
    framework: str, n_gpus: int
) -> None:
    """Tülu 3 was tuned for 14,700: fewer of the small batch are no reason for a larger one."""
    asked = replace(_question("llama-3-8b", "h100-sxm", n_gpus, 2048), framework=framework)
    runs = [replace(asked, run_tokens=10.0 ** (9 + place / 8)) for place in range(33)]
    batches = [global_batch_sequences(question) for question in runs]
    growing = growing_batch(runs[0])
    assert growing is not None
    assert set(batches) == {growing.few, growing.many}
    assert batches == sorted(batches)
    for batch, tokens in ((growing.few, 2e4 * 128 * 2048), (growing.many, 4e4 * growing.many * 2048)):
        assert global_batch_sequences(replace(asked, run_tokens=tokens)) == batch
