"""The runs shown beside an answer are those that correct it.

Authority: the program's contract; a reader judges the correction by the runs that are listed.
"""

import pytest

from estimator.catalogue import catalogue
from estimator.evidence.calibration import committed_calibration
from estimator.evidence.comparables import comparable_runs
from estimator.evidence.likeness import residual_kernel, setting_traits
from estimator.evidence.outlook import neighbour_runs, neighbours
from estimator.physics.choice import Setting, setting_of
from estimator.question.cluster import Cluster
from estimator.question.question import Question


def _setting(model: str, gpu: str, n_gpus: int) -> Setting:
    chip = catalogue.accelerator(gpu).value.accelerator
    cluster = Cluster(
        accelerator=chip, n_gpus=n_gpus, gpus_per_node=8, scale_out_bytes_per_s=chip.scale_out_bytes_per_s
    )
    transformer = catalogue.transformer(model).value
    return setting_of(
        Question(
            transformer=transformer,
            cluster=cluster,
            precision="bf16",
            sequence_length=8192,
            global_batch_sequences=512,
            framework="nemo",
        )
    )


@pytest.mark.parametrize(
    ("model", "gpu"), [("llama-3.1-8b", "h100-sxm"), ("mixtral-8x7b", "h100-sxm"), ("gpt-3-175b", "a100-sxm-80gb")]
)
def test_comparable_runs_fall_off_in_the_kernel_that_corrects_the_answer(model: str, gpu: str) -> None:
    setting = _setting(model, gpu, 64)
    kernel = residual_kernel(setting_traits(setting), neighbours().traits)[0].round(12)
    ids = [run.id for run in neighbour_runs(committed_calibration())]
    shown = [kernel[ids.index(run.name.partition(":")[0])] for run in comparable_runs(setting)]
    assert shown[0] == kernel.max()
    assert shown == sorted(shown, reverse=True)
    assert all(run.predicted_over_published is not None for run in comparable_runs(setting))


def test_no_source_shows_one_model_on_one_device_twice() -> None:
    runs = {run.id: run for run in catalogue.runs()}
    shown = [runs[run.name.partition(":")[0]] for run in comparable_runs(_setting("llama-3.1-8b", "h100-sxm", 64))]
    assert len({(run.group, run.transformer.name, run.accelerator_id) for run in shown}) == len(shown) == 8


def test_a_batch_on_more_devices_is_shown_the_same_runs() -> None:
    """Device count is no trait of the kernel, so that more devices are never slower by comparison."""
    few, many = (comparable_runs(_setting("llama-3.1-8b", "h100-sxm", n_gpus)) for n_gpus in (8, 512))
    assert few == many
