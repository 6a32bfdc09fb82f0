"""Training encoders of pictures without labels, on several views of each: SimCLR, MoCo, BYOL, SwAV, DINO and their kin.

A sample is one picture; the main stack's tokens are its first view. Further views, small crops and the forward passes
of a momentum copy run beside it, so that pictures are counted as data sets have them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from estimator.base.errors import InvalidValueError
from estimator.models.diffusion.sample import with_positions
from estimator.models.media import Media, Picture, seen
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.placed import Placed
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Tower, Transformer

__all__ = ["METHODS", "NOT_COUNTED", "USUAL_SIDE", "Views", "reads_views", "with_views"]

USUAL_SIDE = 224
"""Pixels a side of a whole view by every method below; the sides of small crops are published beside it. DINOv2's last
steps alone are at 518 (Oquab et al. 2023, appendix)."""
_GRADIENTS = 3.0
"""Passes of a view that is learnt from, in forward ones: the backward pass is two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """What one method runs of each picture."""

    title: str
    whole: int = 2
    """Views as large as the picture, each learnt from."""
    small: int = 0
    """Smaller crops, each learnt from …"""
    small_side: int = 96
    """… and their pixels a side, beside whole views of 224."""
    whole_side: int = 0
    """Pixels a side of whole views, where that was said beside the crops."""
    taught: int = 0
    """Whole views that a momentum copy of the network runs forward alone."""
    head: tuple[int, ...] = ()
    """Outputs of each matrix of the head that reads a view, the copy's too."""
    predictor: tuple[int, ...] = ()
    """Those of the matrices behind it, which the copy does not have."""
    on_patches: bool = False
    """Whether the head reads every patch of whole views, beside what they are pooled to."""
    source: str

    @property
    def forwards_beside(self) -> float:
        """Forward passes beside training on one view, in passes of the network over one."""
        further = self.whole - 1 + self.small * (self.small_side / USUAL_SIDE) ** 2
        return _GRADIENTS * further + self.taught

    @property
    def words(self) -> str:
        """What is run of each picture, in words."""
        small = f" and {self.small} crops of {self.small_side} pixels" if self.small else ""
        are = "are" if self.whole > 1 or self.small else "is"
        learnt = f"{self.whole} view{'' if self.whole == 1 else 's'}{small} of each picture {are} learnt from"
        copy = f"; a momentum copy runs {self.taught} forward" if self.taught else ""
        return f"{learnt}{copy} ({self.source})"


# What lies behind a queue or prototypes of 128 numbers is below 0.3 % of a ResNet-50's FLOPs, and is not counted.
METHODS: Mapping[str, Views] = MappingProxyType(
    {
        "simclr": Views(title="SimCLR", head=(2048, 128), source="Chen et al. 2020, section 2.1"),
        "moco": Views(title="MoCo", whole=1, taught=1, head=(2048, 128), source="He et al. 2020, algorithm 1"),
        "moco_v3": Views(
            title="MoCo v3",
            taught=2,
            head=(4096, 4096, 256),
            predictor=(4096, 256),
            source="Chen et al. 2021, algorithm 1",
        ),
        "byol": Views(
            title="BYOL", taught=2, head=(4096, 256), predictor=(4096, 256), source="Grill et al. 2020, section 3.1"
        ),
        "simsiam": Views(
            title="SimSiam",
            head=(2048, 2048, 2048),
            predictor=(512, 2048),
            source="Chen and He 2021, algorithm 1",
        ),
        "barlow_twins": Views(title="Barlow Twins", head=(8192, 8192, 8192), source="Zbontar et al. 2021, section 2.2"),
        "vicreg": Views(title="VICReg", head=(8192, 8192, 8192), source="Bardes et al. 2022, section 4.2"),
        "swav": Views(title="SwAV", small=6, head=(2048, 128, 3000), source="Caron et al. 2020, section 4.1"),
        "dino": Views(
            title="DINO",
            small=10,
            taught=2,
            head=(2048, 2048, 256, 65_536),
            source="Caron et al. 2021; the recipes of its repository, whose paper has tables with 8 small crops too",
        ),
        "dinov2": Views(
            title="DINOv2",
            small=8,
            small_side=98,
            taught=2,
            head=(2048, 2048, 256, 65_536),
            source="Oquab et al. 2023, appendix A",
        ),
        # Patches that are masked for the student are run like others.
        "ibot": Views(
            title="iBOT",
            small=10,
            taught=2,
            head=(2048, 2048, 256, 8192),
            on_patches=True,
            source="Zhou et al. 2022, section 4",
        ),
    }
)
"""Each method as published; both views of a pair are learnt from unless a momentum copy alone sees one."""
NOT_COUNTED = (
    *("cpc", "deepcluster", "densecl", "esvit", "i-jepa", "ijepa", "infomin", "msn", "nnclr", "pirl", "pixpro"),
    *("relic", "seer", "tico", "v-jepa", "w-mse"),
)
"""Methods of the kind whose passes are not set down here."""


def reads_views(network: Transformer) -> bool:
    """Return whether a network is an encoder of pictures alone, which such methods train."""
    media = network.media
    return media is not None and media.main and media.kind == "image" and media.compression == 1 and not network.towers


def with_views(network: Transformer, views: Views, tokens: float) -> Transformer:
    """Return `network`, whose picture is `tokens` positions, with the views, crops, copy and heads of a method.

    A classifier that the network has is left to it: a thousand outputs of one vector are next to nothing.
    Raises InvalidValueError where it does not read pictures alone, or where whole views are said to be of another size.
    """
    media = network.media
    if media is None or not reads_views(network):
        raise InvalidValueError(
            "objective",
            views.title,
            f"trains an encoder of pictures on views of them, which {network.name} is not; name one, such as "
            '"ViT-S/16" or "resnet-50", or leave objective out',
        )
    if views.whole_side and _tokens(media, views.whole_side) != round(tokens):
        raise InvalidValueError(
            "image_size",
            f"{tokens:,.0f} positions",
            f'is not the {views.whole_side} pixels that are said of whole views; give image_size "{views.whole_side}"',
        )
    beside: list[Tower] = []
    further = views.whole - 1
    if further:
        beside.append(Tower(name="views", network=network, rate=further, sequences=further, borrowed=True))
    if views.small:
        # Where pictures are small, crops are as much smaller.
        length = max(1.0, min(_tokens(media, views.small_side), round(tokens * (views.small_side / USUAL_SIDE) ** 2)))
        crops = with_positions(network, length, float(views.small_side**2))
        rate = views.small * length / tokens
        beside.append(Tower(name="crops", network=crops, rate=rate, length=length, borrowed=True))
    each = _last_positions(network, tokens) if views.on_patches else 1.0
    if views.taught:
        copy = _with_head(network, views.head, each / tokens)
        beside.append(Tower(name="copy", network=copy, rate=views.taught, sequences=views.taught, trained=False))
    read = (views.whole * each + views.small) / tokens
    headed = _with_head(network, (*views.head, *views.predictor), read)
    return replace(headed, towers=tuple(beside))


def _tokens(media: Media, side: int) -> float:
    """Return the positions of a square picture, whichever size the network is made for."""
    return seen(replace(media, policy="resized"), Picture(width=side, height=side)).tokens


def _with_head(network: Transformer, widths: tuple[int, ...], rate: float) -> Transformer:
    """Return `network` with matrices of so many outputs, one behind the other, on `rate` vectors a token."""
    inputs = (_pooled_width(network), *widths[:-1])
    head = tuple(
        Projection(name=f"head_{at}", inputs=width, outputs=outputs, rate=rate)
        for at, (width, outputs) in enumerate(zip(inputs, widths, strict=True))
    )
    vectors = sum(matrix.vectors(network.hidden) for matrix in head)
    mixers: tuple[Mixer, ...] = (*network.mixers, *head)
    return replace(network, mixers=mixers, vector_parameters=network.vector_parameters + vectors)


def _last_positions(network: Transformer, tokens: float) -> float:
    """Return the positions that the last layers write: a pyramid's last stage has few."""
    stages = [
        flow.at.positions(tokens) for mixer in network.mixers if isinstance(mixer, Placed) for flow in mixer.flows
    ]
    return min((positions for positions in stages if positions > 1.0), default=tokens)


def _pooled_width(network: Transformer) -> int:
    """Return the width of the vector that a view becomes: what a classifier reads, or what the last stage writes."""
    for mixer in network.mixers:
        if isinstance(mixer, Projection) and mixer.name == "classifier":
            return mixer.inputs
        if isinstance(mixer, Placed):
            read = [product.inputs for product in mixer.products if product.name == "classifier"]
            return read[-1] if read else max(flow.width for flow in mixer.flows)
    return network.hidden
