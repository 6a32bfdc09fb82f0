"""Encoders of pictures that are trained without labels run every view that their method has.

Authority: the methods' papers, named in `estimator.models.views`, of which the passes below are counted by hand.
"""

import pytest

from estimator.base.errors import EstimatorError, InvalidValueError, UnsupportedModelError
from estimator.catalogue import catalogue
from estimator.models.flops import flop_counts
from estimator.models.views import METHODS, NOT_COUNTED, with_views
from estimator.models.workload import workload
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve

_TOKENS = {"vit-small-patch16-224": 197.0, "resnet-50": 3136.0, "swin-tiny": 3136.0}
_SAID = {
    "simclr": "SimCLR",
    "moco": "MoCo v2",
    "moco_v3": "MoCo v3",
    "byol": "BYOL",
    "simsiam": "SimSiam",
    "barlow_twins": "Barlow Twins",
    "vicreg": "VICReg",
    "swav": "SwAV",
    "dino": "DINO",
    "dinov2": "DINOv2",
    "ibot": "iBOT",
}


def _run(model: str, **told: object) -> Run:
    asked = {"gpu": "v100-sxm2-32gb", "n_gpus": 8, "samples": "1.28M", "epochs": 10, "image_size": "224", **told}
    return resolve(Request(model=model, **asked))  # type: ignore[arg-type]


def _codes(run: Run) -> list[str]:
    return [caution.code for caution in run.warnings]


@pytest.mark.parametrize("network_id", _TOKENS)
@pytest.mark.parametrize("method", METHODS)
def test_flops_are_those_of_every_pass_over_every_view(method: str, network_id: str) -> None:
    """Forward passes: three of each view that is learnt from, one of each of the copy's; heads add to them."""
    network, views = catalogue.model(network_id).transformer, METHODS[method]
    tokens = _TOKENS[network_id]
    one = flop_counts(network, sequence_length=tokens).model
    trained = flop_counts(with_views(network, views, tokens), sequence_length=tokens).model
    whole = views.whole + views.taught / 3
    # Attention is quadratic, and a class token is read beside fewer patches.
    small = views.small * (views.small_side / 224) ** 2
    least, most = whole + 0.8 * small, (whole + 1.1 * small) * (1.45 if views.on_patches else 1.12)
    assert least * 0.99 <= trained / one <= most


@pytest.mark.parametrize("method", METHODS)
def test_a_momentum_copy_is_held_and_views_are_not(method: str) -> None:
    network, views = catalogue.model("resnet-50").transformer, METHODS[method]
    held = {part.group for part in workload(with_views(network, views, 3136.0)).beside if not part.borrowed}
    assert held == ({"copy"} if views.taught else set())


@pytest.mark.parametrize("network", ["ViT-S/16", "ResNet-50", "resnet50", "vit_small_patch16_224"])
@pytest.mark.parametrize("method", _SAID)
def test_a_method_beside_a_network_is_never_dropped(method: str, network: str) -> None:
    """In a name as in the objective, and whichever stands first; the name alone says that it was so read."""
    said = _SAID[method]
    runs = [_run(f"{said} {network}"), _run(f"{network} {said}"), _run(network, objective=said)]
    titles = {run.objective.objective.views.title for run in runs if run.objective.objective.views}
    assert titles == {METHODS[method].title}
    assert all(run.objective.objective.views for run in runs)
    assert len({run.subject.name for run in runs}) == 1
    assert len({run.question.transformer for run in runs if run.question}) == 1
    assert ["method_in_model_name" in _codes(run) for run in runs] == [True, True, False]


@pytest.mark.parametrize(
    "name",
    [
        *("facebook/dino-vits16", "timm/vit_small_patch16_224.dino", "facebook/dinov2-giant", "dinov2-large"),
        *("DINOv2 Base", "vit_large_patch14_dinov2.lvd142m"),
    ],
)
def test_weights_that_a_method_made_are_tuned_with_labels_and_warned_of(name: str) -> None:
    run = _run(name)
    assert run.objective.objective.views is None
    assert "method_in_model_name" in _codes(run)


@pytest.mark.parametrize("told", [{"objective": "classification"}, {"trained_layers": "head"}, {"method": "frozen"}])
def test_a_probe_of_such_weights_is_no_training_by_the_method(told: dict[str, object]) -> None:
    assert _run("SimCLR ResNet-50", **told).objective.objective.views is None


@pytest.mark.parametrize(
    ("model", "objective", "small"),
    [
        ("DINO ViT-S/16", "next_token", 10),
        ("DINO ViT-S/16 2x224+8x96", "next_token", 8),
        ("ViT-S/16 multi-crop 2x224 + 10x96", "swav", 10),
        ("ViT-S/16", "dino 2x224 + 6x96", 6),
        ("ViT-S/16", "DINO with 4 local crops", 4),
    ],
)
def test_crops_that_are_told_are_those_run(model: str, objective: str, small: int) -> None:
    views = _run(model, objective=objective).objective.objective.views
    assert views is not None
    assert views.small == small


def test_crops_of_another_size_than_the_picture_are_refused_with_what_would_do() -> None:
    with pytest.raises(InvalidValueError, match='give image_size "160"'):
        _run("SwAV ResNet-50 2x160 + 4x96")
    assert _run("SwAV ResNet-50 2x160 + 4x96", image_size="160").objective.objective.views


def _side(run: Run) -> str:
    (told,) = (assumption for assumption in run.assumptions if assumption.name == "image_size")
    return str(told.value)


@pytest.mark.parametrize(
    "model", ["facebook/dinov2-small", "dinov2-base", "DINOv2 ViT-L/14", "dinov2-giant", "swin-tiny"]
)
@pytest.mark.parametrize("method", [*METHODS, "dinov2 2x224+8x98"])
def test_whole_views_are_as_large_as_the_method_has_them(model: str, method: str) -> None:
    """What a configuration tells (518 of DINOv2's) is what weights saw last; image_size tells another."""
    run = _run(model, objective=method, image_size=None)
    assert _side(run) == "224×224"
    assert _side(_run(model, objective=method.split(maxsplit=1)[0], image_size="448")) == "448×448"


def test_whole_views_that_are_told_beside_crops_are_as_large_as_that() -> None:
    assert _side(_run("SwAV ResNet-50 2x160 + 4x96", image_size=None)) == "160×160"


@pytest.mark.parametrize(
    ("model", "told", "side"),
    [
        ("vit_base_patch16_384", {}, "384×384"),
        ("resnet-18", {"samples": "cifar-10"}, "32×32"),
        ("dinov2-large", {"objective": "next_token"}, "518×518"),
    ],
)
def test_a_size_that_the_name_or_the_set_tells_stands(model: str, told: dict[str, str], side: str) -> None:
    assert _side(_run(model, **{"objective": "simclr", "image_size": None, **told})) == side


def test_larger_encoders_take_longer_by_one_method() -> None:
    models = ("dinov2-small", "DINOv2 ViT-B/14", "ViT-L/14", "facebook/dinov2-giant")
    runs = [_run(model, objective="dinov2", image_size=None) for model in models]
    flops = [flop_counts(r.question.transformer, sequence_length=257.0).model for r in runs if r.question]
    assert len(flops) == len(models)
    assert flops == sorted(flops)


@pytest.mark.parametrize("size", ["S", "B", "L", "g"])
def test_a_vit_with_patches_of_14_that_sees_views_is_no_half_of_clip(size: str) -> None:
    asked = [_run(f"ViT-{size}/14", objective="dinov2"), _run(f"DINOv2 ViT-{size}/14"), _run(f"dinov2_vit{size}14")]
    assert len({run.question.transformer for run in asked if run.question}) == 1
    assert [bool(run.objective.objective.views) for run in asked] == [True] * 3
    assert _run(f"ViT-{size}/14", objective="ibot").objective.objective.views == METHODS["ibot"]


def test_crops_of_no_method_are_refused_with_what_would_do() -> None:
    with pytest.raises(InvalidValueError, match="give objective"):
        _run("ViT-S/16 multi-crop 2x224 + 10x96")


@pytest.mark.parametrize("method", NOT_COUNTED)
def test_a_method_that_is_not_counted_is_refused_with_what_would_do(method: str) -> None:
    with pytest.raises(UnsupportedModelError, match="whose passes are not modelled"):
        _run(f"{method} ViT-B/16")


@pytest.mark.parametrize("model", ["llama-3.1-8b", "clip-vit-base-patch32"])
def test_what_reads_more_than_pictures_is_not_trained_on_views(model: str) -> None:
    with pytest.raises(InvalidValueError, match="trains an encoder of pictures"):
        _run(model, objective="dino", image_size=None, tokens_per_sample="100")


def test_contrasting_pictures_alone_takes_two_views_of_each() -> None:
    views = _run("resnet-50", objective="contrastive").objective.objective.views
    assert views == METHODS["simclr"]


def test_dino_the_detector_is_no_way_of_training() -> None:
    with pytest.raises(EstimatorError):
        _run("DINO 4scale ResNet-50")


def test_a_teacher_that_is_called_by_a_method_is_one() -> None:
    with pytest.raises(EstimatorError, match="teacher"):
        _run("vit-small-patch16-224", objective="distillation")
    run = _run("vit-small-patch16-224", objective="distillation from dinov2-large")
    assert run.objective.objective.name == "distillation"
