"""What is measured fits the memory and the time by the first guess, and is what it says it is.

Authority: the estimator's own count of the parameters and FLOPs of the same configuration.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.models.flops import flop_counts
from estimator.models.parameters import parameter_counts
from estimator.question.request import Request
from estimator.resolve.framework.named import named_framework
from estimator.resolve.subject import resolved_subject
from server.measure.sizes import DECODERS, Decoder, Step, matmul_sizes, steps_that_fit
from server.measure.work import FRAMEWORKS

GIB = 2.0**30


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_a_decoder_has_the_parameters_that_the_estimator_counts(decoder: Decoder) -> None:
    transformer = resolved_subject(
        Request(model=decoder.name, gpu="h100", n_gpus=1, hf_config=decoder.hf_config(2048))
    ).transformer
    assert transformer is not None
    assert parameter_counts(transformer).total == decoder.parameters


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_the_first_guess_of_a_step_is_near_the_flops_it_needs(decoder: Decoder) -> None:
    """It counts the embedding and leaves attention out, which half cancel."""
    transformer = resolved_subject(
        Request(model=decoder.name, gpu="h100", n_gpus=1, hf_config=decoder.hf_config(2048))
    ).transformer
    assert transformer is not None
    step = Step(decoder=decoder, sequence_length=2048, micro_batch=1)
    needed = flop_counts(transformer, sequence_length=2048).model * step.tokens
    assert step.seconds(1e12, 1.0) * 1e12 == pytest.approx(needed, rel=1.0)


def test_decoders_grow_and_their_heads_divide_them() -> None:
    assert [decoder.parameters for decoder in DECODERS] == sorted(decoder.parameters for decoder in DECODERS)
    assert all(decoder.hidden % decoder.heads == 0 for decoder in DECODERS)
    assert all(decoder.hidden // decoder.heads % 2 == 0 for decoder in DECODERS)


@given(rate=st.floats(1e9, 5e15), slice_s=st.floats(0.05, 60.0), gib=st.floats(1.0, 300.0))
def test_three_matrices_fit_time_and_memory(rate: float, slice_s: float, gib: float) -> None:
    sizes = matmul_sizes(rate, slice_s, gib * GIB, 2.0)
    assert 1 <= len(sizes) <= 3
    assert list(sizes) == sorted(set(sizes))
    largest = sizes[-1]
    if largest > 128:
        assert 2.0 * float(largest) ** 3 / rate <= slice_s
        assert 3 * 2.0 * largest**2 <= gib * GIB


def test_a_large_gpu_is_measured_at_large_sizes() -> None:
    assert matmul_sizes(700e12, 5.0, 80 * GIB, 2.0) == (4096, 8192, 16_384)


@given(
    rate=st.floats(1e10, 2e15),
    slice_s=st.floats(1.0, 60.0),
    gib=st.floats(2.0, 200.0),
    most=st.sampled_from([1.5e8, 1e12]),
)
def test_every_step_fits_memory_and_time(rate: float, slice_s: float, gib: float, most: float) -> None:
    found = steps_that_fit(rate, slice_s, gib * GIB, share=0.3, sequence_length=2048, most_parameters=most)
    for step in found:
        assert step.memory_bytes <= gib * GIB
        assert 2.0 * step.seconds(rate, 0.3) <= slice_s
        assert step.decoder.parameters <= most
    assert [step.decoder.parameters for step in found] == sorted(
        (step.decoder.parameters for step in found), reverse=True
    )


def test_large_as_fits_grows_with_the_memory() -> None:
    """At an H100's rate and a budget's share of 120 s: memory alone decides."""
    names = [
        steps_that_fit(700e12, 30.0, gib * GIB, share=0.3, sequence_length=2048)[0].decoder.name
        for gib in (16, 40, 80, 180)
    ]
    assert names == ["decoder-370m", "decoder-1.3b", "decoder-2.7b", "decoder-6.7b"]


@pytest.mark.parametrize("words", FRAMEWORKS.values())
def test_how_a_step_is_run_is_said_in_words_that_are_understood(words: str) -> None:
    assert named_framework(words).not_understood == ()
