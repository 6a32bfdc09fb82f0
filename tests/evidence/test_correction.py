"""What runs alike teach: a correction that follows evidence, fades without it, and never comes from chance.

Authority: Rasmussen and Williams 2006, section 2.2 (the posterior mean of a Gaussian process), worked out here anew.
"""

import numpy as np
import pytest

from estimator.calibrate.backtest import published_setting
from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.correction import Neighbours, correction_log, error_scale, kriging_weights
from estimator.evidence.likeness import (
    LAB_SPREAD,
    RUN_SPREAD,
    Traits,
    error_kernel,
    joined_traits,
    residual_kernel,
    setting_traits,
)
from estimator.evidence.outlook import neighbour_runs, neighbours, outlook_of
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


def _neighbours(traits: list[Traits], residuals: list[float], labs: list[int]) -> Neighbours:
    joined, left, codes = joined_traits(traits), np.array(residuals), np.array(labs)
    return Neighbours(traits=joined, weights=kriging_weights(joined, left, codes), errors=np.abs(left), labs=codes)


def test_one_run_corrects_as_the_formula_says() -> None:
    """One neighbour, a residual too small to be an outlier: k · r / (k + lab + noise)."""
    traits = _traits("llama-3.1-8b")
    k = float(residual_kernel(traits, traits)[0, 0])
    correction = correction_log(traits, _neighbours([traits], [0.01], [0]))
    assert correction[0] == pytest.approx(k * 0.01 / (k + LAB_SPREAD**2 + RUN_SPREAD**2), rel=1e-9)


def test_two_labs_that_agree_say_more_than_one_lab_twice() -> None:
    traits = _traits("llama-3.1-8b")
    once = correction_log(traits, _neighbours([traits], [0.02], [0]))
    same = correction_log(traits, _neighbours([traits, traits], [0.02, 0.02], [0, 0]))
    two = correction_log(traits, _neighbours([traits, traits], [0.02, 0.02], [0, 1]))
    assert 0 < once[0] < same[0] < two[0] < 0.02


def test_an_outlier_moves_an_answer_less_than_in_proportion() -> None:
    traits = _traits("llama-3.1-8b")
    small = correction_log(traits, _neighbours([traits, traits], [0.0, 0.02], [0, 1]))
    large = correction_log(traits, _neighbours([traits, traits], [0.0, 2.0], [0, 1]))
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
    traits = _traits("llama-3.1-8b")
    alike = correction_log(traits, _neighbours([traits], [0.02], [0]))
    unlike = correction_log(traits, _neighbours([other], [0.02], [0]))
    assert 0 <= unlike[0] < 0.6 * alike[0]


def test_the_kernel_is_symmetric_and_positive_semi_definite_over_published_runs() -> None:
    """A covariance has to be: else a correction could be anything."""
    traits = neighbours().traits
    kernel: Floats = residual_kernel(traits, traits)
    assert np.array_equal(kernel, kernel.T)
    assert np.linalg.eigvalsh(kernel).min() > -1e-9
    assert np.all((error_kernel(traits, traits) >= 0) & (error_kernel(traits, traits) <= 1 + 1e-12))


def test_more_devices_for_one_batch_are_corrected_alike() -> None:
    """Else being compared with other runs could make them slower."""
    few = outlook_of(setting_of(_question("llama-3.1-8b", "h100-sxm", "nemo", n_gpus=8)))
    many = outlook_of(setting_of(_question("llama-3.1-8b", "h100-sxm", "nemo", n_gpus=256)))
    assert few == many


def test_errors_are_expected_where_they_were_large() -> None:
    traits, unlike = _traits("llama-3.1-8b"), _traits("llama-3.1-8b", gpu="rtx-4090", framework="huggingface")
    runs = _neighbours([traits, traits, unlike], [0.01, 0.02, 0.5], [0, 1, 2])
    assert error_scale(unlike, runs)[0] > 2 * error_scale(traits, runs)[0]


def test_a_lab_is_left_out_whole() -> None:
    runs = neighbours()
    lab = int(runs.labs[0])
    others = runs.without(lab)
    assert lab not in set(others.labs.tolist())
    assert len(others.errors) == len(others.weights) == len(others.traits.stack) == int((runs.labs != lab).sum())


def test_published_runs_are_corrected_towards_what_was_measured_on_average() -> None:
    """One run among many alike may go the other way."""
    known, runs = committed_calibration(), neighbours()
    residuals = np.array([known.residuals[run.id][0] for run in neighbour_runs(known)])
    shifts = correction_log(runs.traits, runs)
    assert float(np.mean(residuals * shifts)) > 0
    assert float(np.mean(np.abs(residuals - shifts))) < float(np.mean(np.abs(residuals)))


def test_the_traits_of_a_run_are_those_of_its_question() -> None:
    """The served answer and the backtest must see one run alike; every fiftieth is looked at."""
    runs = neighbour_runs(committed_calibration())
    for row in range(0, len(runs), 50):
        asked = setting_traits(published_setting(runs[row]))
        served = neighbours().traits.taken(np.array([row]))
        for name in Traits.__slots__:
            assert getattr(asked, name) == pytest.approx(getattr(served, name), abs=1e-4), (runs[row].id, name)
