"""Ways to train encoders of pictures without labels, as callers name them: as the objective, or in a model's name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnsupportedModelError, shown
from estimator.catalogue import catalogue
from estimator.catalogue.picture_sizes import picture_sizes
from estimator.models.media import SMALL, Media, Picture
from estimator.models.transformer import Transformer
from estimator.models.views import METHODS, NOT_COUNTED, USUAL_SIDE, Views, reads_views
from estimator.question.question import Caution
from estimator.question.reads import Reads
from estimator.question.request import Request

__all__ = [
    "UNSAID",
    "asked_views",
    "called_by_views",
    "crops_end",
    "is_self_supervised",
    "is_views",
    "read_in_views",
    "says_labels",
    "view_doubts",
    "whole_view",
    "without_views",
]

UNSAID = frozenset({"", "auto", "default", "next_token"})
"""Objectives that say nothing of how a model is trained."""
_LONGEST = 128
_SPELLINGS: Mapping[str, str] = {
    "simclr": r"sim[\s_-]?clr(?:[\s_-]?v[12])?",
    "moco_v3": r"moco[\s_-]?v?3",
    "moco": r"moco(?:[\s_-]?v[12](?:\.\d)?)?",
    "byol": "byol",
    "simsiam": r"sim[\s_-]?siam",
    "barlow_twins": r"barlow[\s_-]?twins?",
    "vicreg": "vicregl?",
    "swav": "swav",
    "dinov2": r"dino[\s_-]?v2",
    "dino": r"dino(?:[\s_-]?v1)?",
    "ibot": "ibot",
}
_METHOD = re.compile(
    "|".join(rf"(?P<{name}>(?<![^\W_]){spelt}(?![^\W_]))" for name, spelt in _SPELLINGS.items()), re.IGNORECASE
)
_UNCOUNTED = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(name.replace('-', '[ _-]?') for name in NOT_COUNTED)})(?:v\d)?(?![^\W_])", re.IGNORECASE
)
_CROPS = re.compile(
    r"(?<![\w.])(?P<whole>[1-9]\d?)\s*[x×*]\s*(?P<side>\d{2,3})(?:²|\^2|px)?\s*(?:\+|and|,)\s*"
    r"(?P<small>[1-9]\d?)\s*[x×*]\s*(?P<small_side>\d{2,3})(?:²|\^2|px)?"
)
_SMALL_ONES = re.compile(r"(?P<small>[1-9]\d?)\s+(?:local|small)(?:\s+(?:crops?|views?))?", re.IGNORECASE)
_AROUND = re.compile(
    r"(?<![^\W_])(?:multi[\s_-]?crops?|self[\s_-]?supervised|pre[\s_-]?train(?:ing|ed)?|by|of|on|ssl|using|with)(?![^\W_])",
    re.IGNORECASE,
)
"""What is said around a method beside a network's name."""
_DETECTS = re.compile(r"(?<![^\W_])(?:detr|deformable|coco|grounding|mask|\d[\s_-]?scale)(?![^\W_])", re.IGNORECASE)
"""Words of DINO the detector (Zhang et al. 2022)."""
_TAUGHT = re.compile(r"distil|(?<![^\W_])g?kd(?![^\W_])", re.IGNORECASE)
_OWNED = re.compile(r"[\w.-]+/[^\W\d]")
"""How the name of a repository begins; behind the slash of ViT-S/16 stands a number."""
_SELF = re.compile(r"self[ _-]?supervised", re.IGNORECASE)
_TRAINS_ON = re.compile(
    r"(?<![^\W_])(?:fine[ _-]?tun\w*|lin(?:ear)?[ _-]?(?:prob\w*|eval\w*|class\w*)|k[ _-]?nn|label(?:l?ed|s)|"
    r"supervised)(?![^\W_])",
    re.IGNORECASE,
)
"""Words by which weights that such a method made learn from labels; `self-supervised` is the method itself."""
_EDGES = " \t-_+:;,.()[]"
_PATCHES_OF_14 = re.compile(
    r"(?:vision[\s_-]?transformer|vit)[\s_/-]*(?P<size>s|b|l|g)(?:mall|ase|arge|iant)?[\s_/-]*(?:patch[\s_-]?|p)?14",
    re.IGNORECASE,
)
"""A ViT by its size and patches of 14 alone: CLIP's where nothing else is told."""
_PLAIN: Mapping[str, str] = MappingProxyType({"s": "small", "b": "base", "l": "large"})
_CATALOGUED = METHODS["dinov2"].title
"""The method whose networks are catalogued by its name."""
_TAG = re.compile(r"\.[^\W\d]\w*$")
_TOUCHED = 2.0
"""Times that colours and blur take each pixel of a view up again, beside cropping and scaling it (Chen et al. 2020,
appendix A): two of the four operations, each about as long as scaling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A model's name that holds a method."""

    views: Views | None
    """None where crops alone are told."""
    crops: re.Match[str] | None
    rest: str
    """The network's own name; as given where it is that of weights."""
    is_weights: bool
    """Whether it is the name of a repository, whose weights the method made."""


def asked_views(request: Request) -> Views | None:
    """Return the views that `request` trains on: by its objective, or by its model's name where that says how.

    A name does not where the objective is another, where a part is trained, or where it is that of weights.
    """
    given = request.objective
    said, named = _said(given), _named(str(request.model), told=request.hf_config is not None)
    if said is None and given.strip().casefold() not in UNSAID:
        return None
    if said is not None:
        views = METHODS[str(said.lastgroup)]
    elif named is not None and named.views is not None and not named.is_weights and _trains_whole(request):
        views = named.views
    else:
        return None
    crops = _crops(request, named)
    if crops is not None:
        return replace(
            views,
            whole=int(crops["whole"]) if views.whole > 1 else views.whole,
            whole_side=int(crops["side"]),
            small=int(crops["small"]),
            small_side=int(crops["small_side"]),
        )
    few = _SMALL_ONES.search(given[:_LONGEST]) or _SMALL_ONES.search(str(request.model)[:_LONGEST])
    return views if few is None else replace(views, small=int(few["small"]))


def _crops(request: Request, named: _Named | None) -> re.Match[str] | None:
    """Return the crops that are told of pictures, by the objective or else by the model's name."""
    return _CROPS.search(request.objective[:_LONGEST]) or (named.crops if named else None)


def called_by_views(name: str, request: Request) -> str:
    """Return what a network of that name is called as `request` trains it: `ResNet-50 by MoCo`."""
    views = asked_views(request)
    return name if views is None or views.title in name else f"{name} by {views.title}"


def is_self_supervised(given: str) -> bool:
    """Return whether an objective says no more than that no labels are learnt."""
    return _SELF.fullmatch(given) is not None


def says_labels(framework: str) -> bool:
    """Return whether words on the software say that weights which such a method made learn from labels."""
    return _TRAINS_ON.search(_SELF.sub("", framework)) is not None


def crops_end(text: str, at: int) -> int | None:
    """Return where the crops that `text` tells from `at` on end, as `2x224+10x96` does; None where it tells none."""
    found = _CROPS.match(text, at) or _SMALL_ONES.match(text, at)
    return None if found is None else found.end()


def is_views(given: str) -> bool:
    """Return whether an objective is one of these."""
    return _said(given) is not None


def without_views(name: str, request: Request) -> str:
    """Return the name of the network in `name`, without the method that it is trained by; as given where it has none.

    A ViT with patches of 14 is no half of CLIP where `request` trains it on views.
    Raises UnsupportedModelError for a method of the kind that is not counted.
    """
    named = _named(name, told=False)
    rest = name if named is None else named.rest
    views = asked_views(request)
    return rest if views is None else _seeing_alone(rest, views)


def whole_view(request: Request, media: Media) -> Picture | None:
    """Return the whole view that `request` trains on where it tells no size of pictures; None where the model's stands.

    As large as is said beside the crops, else as the methods have it: what a configuration tells is what weights were
    trained on last (DINOv2's 518 pixels are of its last steps), or are used at. A name may tell a size, too, and what
    is made for small pictures sees those.
    """
    views = asked_views(request)
    if views is None or request.image_size is not None or request.tokens_per_sample is not None:
        return None
    side = views.whole_side
    if not side:
        name = "" if request.hf_config is not None else str(request.model)
        if picture_sizes(name).pixels or min(media.width, media.usual[0]) <= SMALL:
            return None
        side = USUAL_SIDE
    return Picture(width=side, height=side)


def view_doubts(name: str, request: Request) -> tuple[Caution, ...]:
    """Return a warning where a model's name holds a method, and what was made of it.

    Raises InvalidValueError where it tells crops of pictures, and nothing tells what is learnt from them.
    """
    named = _named(name, told=request.hf_config is not None)
    if named is None or (request.objective.strip().casefold() not in UNSAID):
        return ()
    views = asked_views(request)
    if named.views is None:
        if views is None:
            remedy = 'tells crops of pictures, not what is learnt from them; give objective, such as "dino" or "swav"'
            raise InvalidValueError("model", name, remedy)
        return ()
    title = named.views.title
    if views is None and not _trains_whole(request):
        return ()
    if views is None:
        said = f"model: {shown(name)} holds {title}, by which weights are trained first: one view of each picture is "
        said += f'counted, as where labels are learnt from them; give objective "{title}" for that training itself'
    else:
        said = f"model: {shown(name)} holds {title}, and is taken to be trained by it: {views.words}; give objective "
        open_crops = views.small and views == named.views
        crops = f', or "{title} 2x224+6x{views.small_side}" for other crops' if open_crops else ""
        said += f'"classification" if labels are learnt{crops}'
    return (Caution(code="method_in_model_name", message=said),)


def read_in_views(reads: Reads, views: Views | None, megapixels: float) -> Reads:
    """Return what is read of a picture that is cut into views, each `megapixels` large; decoded once.

    Colours and blur pass over the pixels of every view again.
    """
    if views is None:
        return reads
    small = views.small * (views.small_side / (views.whole_side or 224)) ** 2
    both = views.whole + views.taught if views.whole == 1 else views.whole
    return replace(reads, megapixels=reads.megapixels + megapixels * ((1 + _TOUCHED) * (both + small) - 1))


def _said(objective: str) -> re.Match[str] | None:
    # What is distilled has a teacher, which may be called so.
    return None if _TAUGHT.search(objective) else _METHOD.search(objective[:_LONGEST])


def _trains_whole(request: Request) -> bool:
    return request.method.strip().casefold() in {"", "full"} and request.trained_layers is None


@lru_cache(maxsize=256)
def _named(name: str, *, told: bool) -> _Named | None:
    """Return a method, or crops, and the network that `name` holds; `told`: where a configuration tells the latter.

    None where it holds none, or no network of pictures beside it: those words are names of other things, too.
    """
    if len(name) > _LONGEST or _DETECTS.search(name):
        return None
    found, crops = _METHOD.search(name), _CROPS.search(name)
    uncounted = _UNCOUNTED.search(name)
    if found is None and crops is None and uncounted is None:
        return None
    owned = found is not None and _OWNED.match(name) is not None
    # timm has tags of weights behind a point: `vit_small_patch16_224.dino`, `vit_large_patch14_dinov2.lvd142m`.
    tag = None if found is None else _TAG.match(name, found.end())
    tagged = found is not None and (name[: found.start()].endswith(".") or tag is not None)
    rest = name if tag is None else name[: tag.start()]
    for pattern in (_CROPS, _SMALL_ONES, _METHOD, _UNCOUNTED, _AROUND):
        rest = pattern.sub(" ", rest)
    rest = " ".join(rest.partition("/")[2].split() if owned else rest.split()).strip(_EDGES)
    views = None if found is None else METHODS[str(found.lastgroup)]
    network = None if told else _network(_seeing_alone(rest, views))
    if not told and (network is None or not reads_views(network)):
        # DINOv2's own are catalogued by its name, with sizes alone behind it.
        network = _network(name) if views is not None and views.title == _CATALOGUED else None
        if network is None or not reads_views(network):
            return None
        owned = True
    if found is None and uncounted is not None:
        raise UnsupportedModelError(
            f"model: {shown(name)} holds {uncounted[0]}, a way of training without labels whose passes are not "
            f"modelled here; give one that has as many views in objective, of {', '.join(METHODS)}, or the name of the "
            "network alone for one view of each picture"
        )
    is_weights = owned or tagged
    called = name if told or (is_weights and tag is None) else _seeing_alone(rest, views)
    return _Named(views=views, crops=crops, rest=called, is_weights=is_weights)


def _seeing_alone(name: str, views: Views | None) -> str:
    """Return the name of a ViT with patches of 14 that is no half of CLIP, where views of it are told; else `name`.

    DINOv2's are its own; of a giant no other is catalogued.
    """
    plain = _PATCHES_OF_14.fullmatch(name)
    if plain is None or views is None:
        return name
    size = plain["size"].lower()
    own = views.title == _CATALOGUED or size not in _PLAIN
    return f"dinov2-vit{size}14" if own else f"vit-{_PLAIN[size]}-patch14"


def _network(name: str) -> Transformer | None:
    if not name:
        return None
    match = catalogue.found_transformer(name) or catalogue.shortened_transformer(name)
    return None if match is None else match.value
