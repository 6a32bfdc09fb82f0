"""Pictures of a few pixels: their stem, their size and what it takes to read them.

Authority: He et al. 2016, section 4.2, and kuangliu/pytorch-cifar (0.56 G multiplications of ResNet-18 at 32 pixels);
Zagoruyko and Komodakis 2016, table 5 (36.5M parameters, 5.2 G of WRN-28-10).
"""

from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.huggingface.config import configured_model
from estimator.models.parameters import parameter_counts
from estimator.physics.loading import reading_s
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve

SETS = {"cifar-10": 32, "cifar-100": 32, "mnist": 28, "fashion mnist": 28, "svhn": 32, "tiny imagenet": 64}


def _run(model: str, **more: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    amount = more.pop("samples", 50_000)
    return resolve(Request(model=model, gpu="a100-sxm-80gb", n_gpus=1, samples=amount, **more))


def _multiplications(run: Run) -> float:
    network = run.subject.transformer
    assert network is not None
    return flop_counts(network, sequence_length=run.sequence_length).forward * run.sequence_length / 2


@pytest.mark.parametrize(
    ("model", "giga"),
    [("resnet-18", 0.556), ("resnet-50", 1.30), ("wrn-28-10", 5.24), ("resnet-20", 0.041), ("densenet-121", 0.89)],
)
def test_a_network_on_cifar_has_the_stem_of_small_pictures(model: str, giga: float) -> None:
    for more in ({"samples": "cifar-10"}, {"image_size": "32x32"}):
        assert _multiplications(_run(model, **more)) == pytest.approx(giga * 1e9, rel=0.02)


@pytest.mark.parametrize(("name", "side"), SETS.items())
def test_a_set_of_small_pictures_tells_their_size_and_the_stem(name: str, side: int) -> None:
    run = _run("resnet-18", samples=name)
    assert run.sequence_length == side * side
    told = {assumption.name: assumption.note for assumption in run.assumptions}
    assert "small pictures" in str(next(one.value for one in run.assumptions if one.name == "stem"))
    assert "say 224" in told["image_size"]


def test_what_is_said_goes_before_what_a_set_has() -> None:
    scaled = _run("resnet-18", samples="cifar-10", image_size="224")
    assert scaled.sequence_length == 56 * 56
    assert "stem" not in {assumption.name for assumption in scaled.assumptions}
    given = catalogue.model("resnet-18").transformer
    own = {"model_type": "resnet", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2], "layer_type": "basic"}
    assert configured_model(own).transformer.media == given.media
    assert _run("mine", hf_config=own, samples="cifar-10").sequence_length == 56 * 56


@pytest.mark.parametrize("model", ["vit-b-16", "swin-tiny", "clip-vit-base-patch32"])
def test_an_encoder_with_patches_sees_them_scaled_up(model: str) -> None:
    network = _run(model, samples="cifar-10").subject.transformer
    assert network is not None
    assert network.media is not None
    assert network.media.width == 224


@pytest.mark.parametrize(
    ("model", "name", "positions"),
    [
        ("ViT-S/4", "cifar-10", 65),
        ("ViT-Tiny patch 4", "cifar-100", 65),
        ("vit-tiny, patch_size=4", "svhn", 65),
        ("vit_small_patch4_32", "cifar-100", 65),
        ("vit_tiny_patch4_32", "50000", 65),
        ("ViT-Ti/8", "tiny imagenet", 65),
        ("vit_small_patch8_224", "cifar-10", 785),
        ("ViT-B/16", "cifar-10", 197),
    ],
)
def test_a_vit_with_small_patches_sees_small_pictures_as_they_are(model: str, name: str, positions: int) -> None:
    """4 of 32 pixels are 8 × 8 patches, and a class token; patches of 16 leave 4, so that such pictures are resized."""
    assert _run(model, samples=name).sequence_length == positions


def test_pictures_that_are_taken_to_be_scaled_up_are_a_warning_unless_somebody_said_so() -> None:
    def codes(model: str, **more: Any) -> set[str]:  # noqa: ANN401 - the arguments of a request
        return {caution.code for caution in _run(model, samples="cifar-10", **more).warnings}

    code = "pictures_scaled_up"
    assert code in codes("ViT-B/16")
    assert code in codes("swin-tiny")
    for model, more in {
        "ViT-S/4": {},
        "resnet-18": {},
        "vit_base_patch16_224": {},
        "vit-b/16": {"image_size": 224},
    }.items():
        assert code not in codes(model, **more)


@pytest.mark.parametrize(
    ("model", "more", "warned"),
    [
        ("ViT-S/4", {}, True),
        ("ViT-S/4", {"image_size": "32"}, False),
        ("ViT-S/4", {"samples": "cifar-10"}, False),
        ("vit_small_patch4_32", {}, False),
        ("vit_small_patch4_224", {}, False),
        ("ViT-S/16", {}, False),
        ("swin-tiny-patch4-window7-224", {}, False),
    ],
)
def test_small_patches_of_pictures_of_no_told_size_are_a_warning(
    model: str, more: dict[str, Any], warned: bool
) -> None:
    codes = {caution.code for caution in _run(model, **more).warnings}
    assert ("picture_size_unsaid" in codes) is warned


def test_a_small_stem_changes_few_parameters() -> None:
    small = _run("resnet-18", image_size=32).subject.transformer
    assert small is not None
    assert parameter_counts(small).total == catalogue.model("resnet-18").published_parameters - (49 - 9) * 3 * 64


@pytest.mark.parametrize("asked", [{"samples": "cifar-10"}, {"samples": "mnist"}, {"image_size": "32"}], ids=str)
@pytest.mark.parametrize("model", ["resnet-18", "wrn-28-10"])
def test_small_pictures_are_read_in_a_fraction_of_a_millisecond(model: str, asked: dict[str, Any]) -> None:
    """They lie decoded in one array: some thousands a second and core (torchvision's CIFAR10 and its transforms)."""
    question = _run(model, **asked).question
    assert question is not None
    assert question.reads.arrays == question.reads.pictures == 1
    assert 5e-5 < reading_s(question.reads) < 5e-4


def test_photographs_are_decoded_whatever_the_network_takes() -> None:
    question = _run("resnet-18", samples="imagenet").question
    assert question is not None
    assert not question.reads.arrays
    assert reading_s(question.reads) > 5e-3
