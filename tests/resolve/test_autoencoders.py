"""Masked autoencoders see a part of each picture where they are pre-trained, and all of it where labels are learnt.

Authority: He et al. 2022, sections 3 and 4; Tong et al. 2022, section 4.2; the plain networks beside them.
"""

from typing import Any

import pytest

from estimator.answers.estimate.estimate import Estimate, estimate_of
from estimator.catalogue import catalogue
from estimator.models.autoencoders import is_autoencoder, seeing_all
from estimator.models.flops import flop_counts
from estimator.models.workload import workload
from estimator.question.request import Request
from estimator.resolve.run import resolve

_PLAIN = {
    "facebook/vit-mae-base": "vit-base-patch16-224",
    "mae-vit-l": "vit-large-patch16-224",
    "facebook/vit-mae-huge": "vit-huge-patch14-224-in21k",
}
_LABELS: tuple[dict[str, Any], ...] = (
    {"objective": "classification"},
    {"objective": "fine-tuning"},
    {"framework": "timm, fine-tuning"},
    {"framework": "linear probing", "method": "frozen"},
    {"method": "lora"},
    {"trained_layers": "4"},
)


def _estimate(model: str, **said: Any) -> Estimate:  # noqa: ANN401 - the arguments of a request
    given: dict[str, Any] = {"model": model, "gpu": "a100", "n_gpus": 8, "samples": "1.28M", "epochs": 50, **said}
    return estimate_of(resolve(Request(**given)))


@pytest.mark.parametrize(("autoencoder", "plain"), _PLAIN.items())
def test_an_encoder_that_sees_all_patches_is_the_plain_network(autoencoder: str, plain: str) -> None:
    encoder, network = seeing_all(catalogue.transformer(autoencoder).value), catalogue.transformer(plain).value
    length = network.native_sequence_length
    assert encoder.native_sequence_length == length
    flop = [flop_counts(each, sequence_length=length).model for each in (encoder, network)]
    assert flop[0] == pytest.approx(flop[1], rel=0.01)
    assert workload(encoder).parameters == pytest.approx(workload(network).parameters, rel=0.01)


def test_a_clip_that_is_seen_whole_has_all_its_tubelets() -> None:
    """By hand: 16 frames in pairs of patches of 16 × 16 of 224 × 224."""
    assert seeing_all(catalogue.transformer("videomae-base").value).native_sequence_length == 8 * 14 * 14


@pytest.mark.parametrize("said", _LABELS)
@pytest.mark.parametrize("autoencoder", ["facebook/vit-mae-base", "mae-vit-l"])
def test_labels_are_learnt_from_whole_pictures_and_take_as_long_as_with_the_plain_network(
    autoencoder: str, said: dict[str, Any]
) -> None:
    tuned, plain = _estimate(autoencoder, **said), _estimate(_PLAIN[autoencoder], **said)
    assert tuned.training_s == pytest.approx(plain.training_s, rel=0.05)
    assert not {"objective_not_counted", "training_unsaid"} & {warning.code for warning in tuned.warnings}


@pytest.mark.parametrize("objective", ["mae", "pretraining", "masked"])
def test_who_says_that_it_is_pre_trained_leaves_nothing_open(objective: str) -> None:
    run = resolve(Request(model="vit-mae-base", gpu="a100", n_gpus=8, samples="1.28M", objective=objective))
    assert run.question is not None
    assert is_autoencoder(run.question.transformer)
    assert run.question.otherwise is None


@pytest.mark.parametrize("model", ["facebook/vit-mae-base", "facebook/vit-mae-huge"])
def test_a_name_alone_may_mean_either_and_the_range_holds_both(model: str) -> None:
    unsaid, tuned = _estimate(model, samples="100k"), _estimate(model, samples="100k", objective="classification")
    pretrained = _estimate(model, samples="100k", objective="mae")
    assert "training_unsaid" in {warning.code for warning in unsaid.warnings}
    assert unsaid.training_low_s < pretrained.training_s <= unsaid.training_s < tuned.training_s
    assert tuned.training_s < unsaid.training_high_s


def test_as_many_pictures_as_pre_training_takes_are_of_it() -> None:
    many = {warning.code for warning in _estimate("vit-mae-base", epochs=1600).warnings}
    assert "training_unsaid" not in many
