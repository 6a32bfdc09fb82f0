"""What a model is trained towards where the words on its software say so: DPO, contrastive pairs, DINO, MAE.

An objective that is left out is that one, whoever asks; an argument that says another wins.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from estimator.base.errors import EstimatorError
from estimator.catalogue import catalogue
from estimator.models.autoencoders import PAINTER
from estimator.models.mixers.projection import Projection
from estimator.models.transformer import Transformer
from estimator.models.views import METHODS, NOT_COUNTED, reads_views
from estimator.question.question import Assumption, Caution, SourceKind
from estimator.question.request import Request
from estimator.resolve.autoencoders import MAE
from estimator.resolve.framework.named import named_framework
from estimator.resolve.framework.software import AUTO, NamedFramework
from estimator.resolve.notes import noted
from estimator.resolve.objective import asked_objective, is_rollouts
from estimator.resolve.self_supervised import UNSAID, is_self_supervised, is_views, says_labels
from estimator.resolve.subject import resolved_subject
from estimator.resolve.training_method import asked_method

__all__ = ["ToldObjective", "with_told_objective"]

_AUTOENCODES = re.compile(r"(?:vit[ _-]?)?mae|masked[ _-]?auto[ _-]?encod(?:er|ers|ing)", re.IGNORECASE)
_PRETRAINS = re.compile(r"(?:continued[ _-]?)?pre[ _-]?train(?:ing)?", re.IGNORECASE)
_TUNES = re.compile(r"(?:supervised[ _-]?)?fine[ _-]?tun(?:e|ing)", re.IGNORECASE)
_SUPERVISED = re.compile(r"\bsft\b", re.IGNORECASE)
"""What a teacher wrote is learnt from as any text is."""
_AUTOENCODED = "masked autoencoding"
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldObjective:
    """A request with what its framework's words say it is trained towards, and what the reader must know of that."""

    request: Request
    goal: str = ""
    """What the words say; empty where nothing was taken of them."""
    usual: bool = False
    """Whether it is not said, and what nearly all who name such software train towards."""
    autoencodes: str = ""
    """What a masked autoencoder's training does, which is told of the network; empty where it is none."""
    encoder: str = ""
    """The network that a decoder was set beside for that, where none with both is catalogued."""
    cautions: tuple[Caution, ...] = ()

    def marked(self, assumptions: tuple[Assumption, ...]) -> tuple[Assumption, ...]:
        """Return `assumptions` with where the objective comes from."""
        if self.autoencodes:
            note = f"{self._told}; {self.autoencodes}" if self.goal else self.autoencodes
            source: SourceKind = "inferred" if self.goal else "user"
            if self.encoder:
                assumptions = noted(assumptions, "model", f"{self.encoder} as the encoder, with the published decoder")
            return (*assumptions, Assumption(name="objective", value=_AUTOENCODED, source=source, note=note))
        if not self.goal:
            return assumptions
        return tuple(
            replace(each, source="inferred", note=f"{self._told}; {each.note}") if each.name == "objective" else each
            for each in assumptions
        )

    @property
    def _told(self) -> str:
        where = "what the software in framework is for" if self.usual else "told in framework"
        return f"{self.goal} is {where}; say another as objective"


def with_told_objective(request: Request) -> ToldObjective:
    """Return `request` with the objective that its framework's words tell where its own argument says nothing.

    Ways to train encoders of pictures are meant where all of such an encoder learns; `mae`, also as the argument, is
    the network with a decoder beside it.
    Raises UnknownNameError or UnsupportedModelError as `resolved_subject` does, where the network has to be known.
    """
    named, given = _named(request), str(request.objective)
    if _AUTOENCODES.fullmatch(given.strip()):
        return _autoencoding(request, goal="")
    goal, folded = named.objective, given.strip()
    is_open = folded.casefold() in UNSAID or _TUNES.fullmatch(folded) is not None
    if not goal and named.usual_objective and is_open:
        return ToldObjective(
            request=replace(request, objective=named.usual_objective), goal=named.usual_objective, usual=True
        )
    if not goal or (goal == "reward" and is_rollouts(request.framework)):
        # What scores answers that are sampled is no reward model in training.
        return ToldObjective(request=request)
    if goal == MAE or goal in NOT_COUNTED or is_views(goal):
        return _of_pictures(request, named)
    if is_open:
        return _toward(request, goal)
    return ToldObjective(request=request, cautions=_contradiction(request, goal))


def _named(request: Request) -> NamedFramework:
    return named_framework(AUTO if request.framework.strip().casefold() == AUTO else request.framework)


def _toward(request: Request, goal: str) -> ToldObjective:
    """Return `request` trained towards `goal`, unless that leaves open what is run."""
    told = replace(request, objective=goal)
    try:
        asked_objective(told, AUTO)
    except EstimatorError:
        if _SUPERVISED.search(request.framework):
            return ToldObjective(request=request)
        message = (
            f"framework says {goal}, and no teacher that is known here: its forward pass over each token is not "
            'counted; give objective "distillation from llama-3.1-70b", or its size'
        )
        return ToldObjective(request=request, cautions=(Caution(code="objective_not_counted", message=message),))
    return ToldObjective(request=told, goal=goal)


def _of_pictures(request: Request, named: NamedFramework) -> ToldObjective:
    """Return `request` trained by a way that needs no labels, where all of an encoder of pictures learns by it."""
    given, goal = str(request.objective).strip(), named.objective
    if not _learns_whole(request, named):
        return ToldObjective(request=request)
    if given.casefold() in UNSAID or _PRETRAINS.fullmatch(given) or is_self_supervised(given):
        if goal == MAE:
            return _autoencoding(request, goal=goal)
        if goal in NOT_COUNTED:
            return ToldObjective(request=request, cautions=(_uncounted(goal),))
        return ToldObjective(request=replace(request, objective=_with_crops(goal, named.crops)), goal=goal)
    if _contradiction(request, goal) or not (named.crops and is_views(given)):
        return ToldObjective(request=request, cautions=_contradiction(request, goal))
    # Of the same method; crops that the argument tells stand before those of the text, and win.
    return ToldObjective(request=replace(request, objective=_with_crops(given, named.crops)))


def _learns_whole(request: Request, named: NamedFramework) -> bool:
    """Return whether all of an encoder of pictures alone is trained, and not on labels by what is said."""
    whole = asked_method(request) == "full" and named.method in {None, "full"}
    in_parts = request.trained_layers is not None or named.trained_layers is not None
    if not whole or in_parts or says_labels(request.framework):
        return False
    network = resolved_subject(request).transformer
    return network is not None and reads_views(network)


def _uncounted(goal: str) -> Caution:
    message = (
        f"framework says {goal}, a way of training without labels whose passes are not modelled here: one view of each "
        f"picture is counted; give one that has as many views in objective, of {', '.join(METHODS)}"
    )
    return Caution(code="objective_not_counted", message=message)


def _with_crops(objective: str, crops: str) -> str:
    return f"{objective} {crops}".strip()


def _value(request: Request) -> str:
    """Return what a request is trained towards, in a word; empty for what is refused elsewhere."""
    try:
        asked = asked_objective(request, AUTO)
    except EstimatorError:
        return ""
    views = asked.objective.views
    return asked.objective.name if views is None else views.title


def _contradiction(request: Request, goal: str) -> tuple[Caution, ...]:
    given = str(request.objective).strip()
    told, said = _value(replace(request, objective=goal)), _value(request)
    if not said or told == said or goal in NOT_COUNTED:
        return ()
    message = f"framework says {goal}, but the argument's objective {given[:_LONGEST]} is taken"
    return (Caution(code="framework_contradicted", message=message),)


def _autoencoding(request: Request, *, goal: str) -> ToldObjective:
    """Return `request` of a masked autoencoder of its network's widths; as it is where the model is one already."""
    network = resolved_subject(request).transformer
    plain = replace(request, objective="pretraining")
    if network is not None and network.media is not None and network.media.kept < 1.0:
        return ToldObjective(request=plain, goal=goal, autoencodes=_masking(network))
    if network is None or not _is_plain(network):
        called = "the network" if network is None else network.name
        message = (
            f"masked autoencoding of {called} is not modelled: it is counted as where labels are learnt; give a ViT, "
            'such as "ViT-B/16"'
        )
        return ToldObjective(request=plain, cautions=(Caution(code="objective_not_counted", message=message),))
    name = f"mae {request.model}".strip()
    listed = None if request.hf_config is not None else catalogue.found_transformer(name)
    if listed is not None and listed.value.media is not None and listed.value.media.kept < 1.0:
        return ToldObjective(request=replace(plain, model=name), goal=goal, autoencodes=_masking(listed.value))
    # Readers of families are for those that no catalogue has.
    from estimator.models.huggingface.config import transformer_from_config

    config = _configured(network)
    masking = _masking(transformer_from_config(config))
    return ToldObjective(request=replace(plain, hf_config=config), goal=goal, autoencodes=masking, encoder=network.name)


def _masking(network: Transformer) -> str:
    """Return what a masked autoencoder does with each picture or clip, in words."""
    media, painter = network.media, next((tower for tower in network.towers if tower.name == PAINTER), None)
    what, source = ("clip", "Tong et al. 2022") if media and media.kind == "clip" else ("picture", "He et al. 2022")
    encoded = f"of each {what} {media.kept if media else 1.0:.0%} of the patches are encoded"
    if painter is None:
        return encoded
    layers = f"a narrow decoder of {painter.network.n_layers} layers"
    return f"{encoded}, and {layers} reads all ({source}, section 4)"


def _is_plain(network: Transformer) -> bool:
    """Return whether a network is a stack of equal layers that reads patches of pictures: a ViT."""
    flat = all(isinstance(mixer, Projection) for mixer in network.mixers)
    return reads_views(network) and flat and network.media is not None and network.media.policy == "resized"


def _configured(network: Transformer) -> Mapping[str, object]:
    """Return the configuration of a masked autoencoder with the encoder of `network`, its decoder as published."""
    media = network.media
    if media is None:
        return {}
    return {
        "model_type": "vit_mae",
        "architectures": ["ViTMAEForPreTraining"],
        "hidden_size": network.hidden,
        "num_hidden_layers": network.n_layers,
        "num_attention_heads": network.n_heads,
        "intermediate_size": network.ffn_hidden,
        "image_size": media.width,
        "patch_size": media.patch,
    }
