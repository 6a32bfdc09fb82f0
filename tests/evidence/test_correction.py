"""What runs alike teach: a correction that follows evidence, fades without it, and never comes from chance.

Authority: Rasmussen and Williams 2006, section 2.2 (the posterior mean of a Gaussian process), worked out here anew.
"""

import numpy as np
import pytest

from estimator.calibrate.backtest import published_setting
from estimator.catalogue import catalogue
from estimator.evidence.correction import Neighbours, correction_log, error_scale
from estimator.evidence.likeness import (
    RUN_SPREAD,
    SOURCE_SPREAD,
    Traits,
    error_kernel,
    joined_traits,
    residual_kernel,
    setting_traits,
)
from estimator.evidence.outlook import neighbours, outlook_of
from estimator.physics.choice import setting_of
from estimator.physics.layout import Floats
from estimator.question.cluster import Cluster
from estimator.question.question import Question


def _traits(model: str, gpu: str = "h100-sxm", framework: str = "nemo", sequence_length: int = 8192) -> Traits:
    return setting_traits(setting_of(_question(model, gpu, framework, sequence_length)))


def _question(model: str, gpu: str, framework: str, sequence_length: int = 8192, n_gpus: int = 64) -> Question:
    chip = catalogue.accelerator(gpu).value.accelerator
    return Question(
        transformer=catalogue.transformer(model).value,
        cluster=Cluster(
            accelerator=chip, n_gpus=n_gpus, gpus_per_node=8, scale_out_bytes_per_s=chip.scale_out_bytes_per_s
        ),
        precision="bf16",
        sequence_length=sequence_length,
        global_batch_sequences=256,
        framework=framework,
    )


def _known(traits: list[Traits], residuals: list[float], groups: list[int]) -> Neighbours:
    return Neighbours(
        traits=joined_traits(traits),
        residuals=np.array(residuals),
        errors=np.abs(np.array(residuals)),
        groups=np.array(groups),
    )


def test_one_run_corrects_as_the_formula_says() -> None:
    """One neighbour, a residual too small to be an outlier: k · r / (k + source + noise)."""
    of = _traits("llama-3.1-8b")
    k = float(residual_kernel(of, of)[0, 0])
    found = correction_log(of, _known([of], [0.01], [0]))
    assert found[0] == pytest.approx(k * 0.01 / (k + SOURCE_SPREAD**2 + RUN_SPREAD**2), rel=1e-9)


def test_two_sources_that_agree_say_more_than_one_source_twice() -> None:
    of = _traits("llama-3.1-8b")
    once = correction_log(of, _known([of], [0.02], [0]))
    same = correction_log(of, _known([of, of], [0.02, 0.02], [0, 0]))
    two = correction_log(of, _known([of, of], [0.02, 0.02], [0, 1]))
    assert 0 < once[0] < same[0] < two[0] < 0.02


def test_an_outlier_moves_an_answer_less_than_in_proportion() -> None:
    of = _traits("llama-3.1-8b")
    small = correction_log(of, _known([of, of], [0.0, 0.02], [0, 1]))
    large = correction_log(of, _known([of, of], [0.0, 2.0], [0, 1]))
    assert 0 < large[0] < 100 * small[0] * 0.5


@pytest.mark.parametrize(
    "other",
    [
        _traits("llama-3.1-8b", gpu="a100-80gb"),
        _traits("llama-3.1-8b", framework="fsdp"),
        _traits("mixtral-8x7b"),
        _traits("llama-3.1-405b"),
        _traits("llama-3.1-8b", sequence_length=2048),
    ],
)
def test_a_run_unlike_the_question_teaches_less(other: Traits) -> None:
    of = _traits("llama-3.1-8b")
    alike = correction_log(of, _known([of], [0.02], [0]))
    unlike = correction_log(of, _known([other], [0.02], [0]))
    assert 0 <= unlike[0] < 0.6 * alike[0]


def test_likeness_is_a_covariance() -> None:
    """Symmetric and never negative definite, over all published runs: else a correction could be anything."""
    traits = neighbours().traits
    rows = np.arange(0, len(traits.stack), 3)
    some = traits.taken(rows)
    found: Floats = residual_kernel(some, some)
    assert np.array_equal(found, found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    assert np.all((error_kernel(some, some) >= 0) & (error_kernel(some, some) <= 1 + 1e-12))


def test_more_devices_for_one_batch_are_corrected_alike() -> None:
    """Else being compared with other runs could make them slower."""
    few = outlook_of(setting_of(_question("llama-3.1-8b", "h100-sxm", "nemo", n_gpus=8)))
    many = outlook_of(setting_of(_question("llama-3.1-8b", "h100-sxm", "nemo", n_gpus=256)))
    assert few == many


def test_errors_are_expected_where_they_were_large() -> None:
    of, unlike = _traits("llama-3.1-8b"), _traits("llama-3.1-8b", gpu="rtx-4090", framework="huggingface")
    known = _known([of, of, unlike], [0.01, 0.02, 0.5], [0, 1, 2])
    assert error_scale(unlike, known)[0] > 2 * error_scale(of, known)[0]


def test_a_source_is_left_out_whole() -> None:
    known = neighbours()
    group = int(known.groups[0])
    others = known.without(group)
    assert group not in set(others.groups.tolist())
    assert len(others.residuals) == len(known.residuals) - int((known.groups == group).sum())


def test_a_published_run_is_corrected_towards_what_was_measured() -> None:
    """Summed over all runs; one run among many alike may go the other way."""
    known = neighbours()
    shifts = correction_log(known.traits, known)
    assert float(np.mean(np.abs(known.residuals - shifts))) < 0.85 * float(np.mean(np.abs(known.residuals)))


def test_the_traits_of_a_run_are_those_of_its_question() -> None:
    """The served answer and the backtest must see one run alike."""
    known = neighbours()
    runs = [run for run in catalogue.runs() if run.tokens_per_second_per_gpu is not None and not run.offloaded]
    run = runs[0]
    of = setting_traits(published_setting(run))
    first = known.traits.taken(np.array([0]))
    for name in Traits.__slots__:
        assert getattr(of, name) == pytest.approx(getattr(first, name), abs=1e-4), name
