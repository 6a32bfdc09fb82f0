"""Names that say for which pictures a network is made.

Authority: names and configurations on the Hugging Face Hub and in timm: 16 of 384 pixels are 24 × 24 patches.
"""

import pytest

from estimator.base.errors import EstimatorError, InvalidValueError
from estimator.catalogue import catalogue
from estimator.models.media import seen
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from tests.every import of_every

SEEN = [
    entry.id
    for entry in catalogue.models()
    if (media := entry.transformer.media) is not None
    and media.kind == "image"
    and (media.main or media.policy == "fixed")
    and media.width
]
OTHER_SIDES = (256, 384, 512, 640)


def _positions(network: Transformer) -> float:
    """Return those of the network that sees, of which some make as many tokens of any picture."""
    assert network.media is not None
    return seen(network.media, None).positions


def _found(name: str) -> Transformer | None:
    try:
        match = catalogue.found_transformer(name) or catalogue.shortened_transformer(name)
    except InvalidValueError:
        return None
    return None if match is None else match.value


@pytest.mark.parametrize(
    ("name", "base", "side", "patch"),
    [
        ("vit_large_patch16_384", "vit-large-patch16-224", 384, 16),
        ("google/vit-large-patch16-384", "vit-large-patch16-224", 384, 16),
        ("facebook/deit-base-patch16-384", "deit-base-patch16-224", 384, 16),
        ("swin-base-patch4-window12-384", "swin-base", 384, 4),
        ("microsoft/swin-large-patch4-window12-384-in22k", "swin-large", 384, 4),
        ("microsoft/swinv2-base-patch4-window12to16-192to256-22kto1k-ft", "swinv2-base", 256, 4),
        ("google/siglip2-base-patch16-512", "siglip2-base-patch16-224", 512, 16),
        ("google/siglip-large-patch16-384", "siglip-large-patch16-256", 384, 16),
        ("siglip-base-patch16-512", "siglip-base-patch16-224", 512, 16),
        ("microsoft/beit-large-patch16-512", "beit-large-patch16-224", 512, 16),
        ("vit_small_patch4_32", "vit-small-patch16-224", 32, 4),
        ("deit_tiny_patch4_28", "deit-tiny-patch16-224", 28, 4),
        ("vit_tiny_patch8_64", "vit-tiny-patch16-224", 64, 8),
        ("ViT-Tiny patch 4", "vit-tiny-patch16-224", 224, 4),
        ("vit small, 8x8 patches", "vit-small-patch16-224", 224, 8),
        ("vit_base_patch8_224", "vit-base-patch16-224", 224, 8),
        ("vit-b/8", "vit-base-patch16-224-in21k", 224, 8),
        ("vit_small_patch32_224", "vit-small-patch16-224", 224, 32),
        ("vit-base-patch32-384", "vit-base-patch32-224", 384, 32),
        ("vit-b-16-384", "vit-base-patch16-384", 384, 16),
        ("facebook/convnext-base-384", "convnext-base", 384, 4),
        ("resnet-50-288", "resnet-50", 288, 4),
        ("yolov8n-1280", "yolov8n", 1280, 4),
        ("google/paligemma-3b-pt-896", "paligemma-3b-pt-224", 896, 14),
        ("PixArt-Sigma-XL-2-512-MS", "pixart-sigma", 512, 2),
        ("Efficient-Large-Model/Sana_1600M_512px_diffusers", "sana-1.6b", 512, 1),
    ],
)
def test_a_size_in_a_name_is_that_of_its_pictures(name: str, base: str, side: int, patch: int) -> None:
    network = _found(name)
    assert network is not None
    assert network.media is not None
    assert (network.id, network.media.width, network.media.height, network.media.patch) == (base, side, side, patch)


@of_every((model_id, side) for model_id in SEEN for side in OTHER_SIDES)
def test_another_size_behind_a_name_changes_its_positions_or_is_refused(asked: tuple[str, int]) -> None:
    """Over all catalogued networks of pictures, with and without the size that their own name ends in."""
    model_id, side = asked
    own = catalogue.model(model_id).transformer
    assert own.media is not None
    if side in {own.media.width, own.media.height}:
        return
    stem, _, last = model_id.rpartition("-")
    for name in {f"{model_id}-{side}", f"{stem}-{side}" if last.isdigit() else f"{model_id}_{side}"}:
        network = _found(name)
        # A name may be that of a sibling which is catalogued at this size.
        if network is not None and network.media is not None:
            assert _positions(network) != _positions(own), name
            assert side in {network.media.width, network.media.height}, name


@pytest.mark.parametrize("model_id", [model_id for model_id in SEEN if "patch16" in model_id])
def test_a_patch_half_as_wide_has_four_times_the_positions_and_other_parameters(model_id: str) -> None:
    own, half = catalogue.model(model_id).transformer, _found(model_id.replace("patch16", "patch8"))
    assert half is not None
    assert _positions(half) == pytest.approx(4 * _positions(own), rel=0.02)
    assert parameter_counts(half).total != parameter_counts(own).total


@pytest.mark.parametrize("name", ["resnet-200", "densenet-264", "vit-base-patch16-224-2024", "mobilenet_v2_1.4_224"])
def test_a_depth_a_date_and_a_width_are_no_pixels(name: str) -> None:
    network = _found(name)
    assert network is None or network == catalogue.model(network.id).transformer


def test_a_clip_is_as_wide_as_its_height_is_called() -> None:
    """Authority: the card of Wan 2.1: 832 × 480 and 1280 × 720."""
    network = _found("Wan-AI/Wan2.1-I2V-14B-720P")
    assert network is not None
    assert network.media is not None
    assert (network.media.width, network.media.height) == (1280, 720)


def test_a_size_that_a_network_cannot_have_is_refused_with_the_argument_that_takes_it() -> None:
    """DETR's pictures are no squares."""
    with pytest.raises(EstimatorError, match="image_size 640"):
        catalogue.found_transformer("detr-resnet-50-640")
