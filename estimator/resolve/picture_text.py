"""How much text stands beside the pictures of a sample where nobody says: as much as the named set has, or its use."""

from dataclasses import dataclass, replace

from estimator.base.prior import Prior
from estimator.base.units import counted_noun
from estimator.catalogue.datasets import DatasetEntry
from estimator.models.media import Media
from estimator.models.transformer import Transformer
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.data import ToldData
from estimator.resolve.trained_parts import trained_parts
from estimator.resolve.training_method import asked_method

__all__ = ["PictureText", "aligns", "picture_text", "with_projector_alone"]

_ALIGNING = frozenset({"llava-cc3m-595k", "llava-pretrain-558k"})
"""Sets of captions that only a projector is trained on (Liu et al. 2023, LLaVA, section 4.2)."""
_CAPTION = Prior(
    low=12.0,
    mode=32.0,
    high=60.0,
    why="Tokens of a caption: those of COCO and Conceptual Captions have about 10 words, Conceptual 12M's 20 (their "
    "papers), and what models are asked to write of a picture in a sentence or two up to 50",
)
_ASKING = Prior(
    low=10.0,
    mode=30.0,
    high=60.0,
    why="Tokens that a chat template and a question put about a caption where the language model learns to answer: "
    'roles, a line of system prompt, "Describe the image"; a stage of a projector has bare captions (LLaVA: `plain`)',
)
_CAPTIONS = "captions"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureText:
    """Text beside the pictures of a sample, as it is assumed."""

    tokens: float
    note: str


def aligns(request: Request, media: Media, entry: DatasetEntry | None) -> bool:
    """Return whether the projector alone learns though nobody says so, as the recipe of the model or the set has it.

    Raises as `asked_method` does.
    """
    by_set = entry is not None and entry.id in _ALIGNING
    return request.trained_layers is None and (media.bridges or by_set) and asked_method(request) == "full"


def with_projector_alone(data: ToldData, media: Media) -> ToldData:
    """Return `data` with the projector alone trained, where nothing is said, the recipe or the set is one of that."""
    if not aligns(data.request, media, data.entry):
        return data
    whose = "of the set" if data.entry is not None and data.entry.id in _ALIGNING else "of such models"
    note = f"the projector learns, both ends are frozen, as the recipe {whose} has it: say all, or which parts learn"
    assumed = Assumption(name="trained_layers", value="projector", source="default", note=note)
    alone = replace(data.request, trained_layers="projector")
    return replace(data, request=alone, assumed=(*data.assumed, assumed))


def picture_text(data: ToldData, told: Request, network: Transformer | None) -> PictureText | None:
    """Return the text beside pictures that a language model reads through towers; None where its usual text stands.

    Of a set whose captions are known, those; of captions by name, or where nothing of the language model learns (a
    projector's stage, or a tower's, is trained on captions), as long as they usually are, unless the set is named and
    has conversations. What learns to answer has a template about it.
    Raises as `asked_method` and `trained_parts` do.
    """
    media = None if network is None else network.media
    if network is None or media is None or media.main or media.kind == "sound":
        return None
    entry = data.entry
    frozen = aligns(data.request, media, entry) or _language_is_frozen(data.request, network)
    of_set = None if entry is None else entry.text_tokens
    if of_set is None and entry is not None and entry.kind == "image-instruction":
        # Whatever of the model learns from them, conversations are no captions.
        return None
    if of_set is None and not frozen and counted_noun(told.samples) != _CAPTIONS:
        return None
    tokens = min(_CAPTION.mode, float(media.usual_text)) if of_set is None else of_set
    whose = f"those of {entry.name}" if entry is not None and of_set is not None else "as captions usually have"
    if frozen:
        return PictureText(tokens=tokens, note=f"bare captions, {whose}, since the language model is frozen")
    return PictureText(tokens=tokens + _ASKING.mode, note=f"captions, {whose}, and what asks for them")


def _language_is_frozen(request: Request, network: Transformer) -> bool:
    """Return whether nothing of the main stack learns, nor of its embedding and output."""
    parts = trained_parts(request.trained_layers, network)
    if parts is None:
        return asked_method(request) == "frozen"
    return parts.layers == 0 and not parts.embeddings and not parts.output
