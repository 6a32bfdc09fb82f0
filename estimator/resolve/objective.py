"""What a model is trained towards, as callers name it; reinforcement learning with rollouts is told what it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType

from estimator.base.errors import InvalidValueError, UnknownNameError
from estimator.base.inputs import checked_number
from estimator.base.units import parse_count
from estimator.catalogue import catalogue
from estimator.models.objective import OBJECTIVES, Objective, ObjectiveName, on_views, with_negatives
from estimator.models.parameters import parameter_counts
from estimator.models.transformer import Transformer
from estimator.models.typical import typical_transformer
from estimator.models.views import METHODS, Views, reads_views
from estimator.question.question import Assumption, Caution
from estimator.question.request import METHOD_CHOICES, Request
from estimator.resolve.data import MOST_EPOCHS
from estimator.resolve.hard_negatives import hard_negatives
from estimator.resolve.self_supervised import UNSAID, asked_views, is_views

__all__ = [
    "OF_MASKED",
    "ROLLOUTS",
    "AskedObjective",
    "as_answered",
    "asked_objective",
    "is_rollouts",
    "no_method",
    "usual_stack",
]

OF_MASKED: frozenset[ObjectiveName] = frozenset({"masked", "replaced_token"})
"""What encoders of text are pre-trained by."""

_NAMES: Mapping[ObjectiveName, str] = {
    "next_token": "next_token nexttoken sft pretraining pretrain pre_training causal_lm clm lm language_modeling "
    "instruction instruction_tuning supervised fine_tuning finetuning cpt continued_pretraining auto default "
    "qa question_answering generative_qa "
    "seq2seq summarization summarisation translation span_corruption text_infilling infilling "
    "diffusion flow_matching rectified_flow epsilon v_prediction ddpm denoise noise_prediction",
    "dpo": "dpo ipo cdpo robust_dpo direct_preference_optimization preference",
    "orpo": "orpo simpo cpo",
    "kto": "kto bco",
    "reward": "reward rm reward_model reward_modeling reward_modelling prm",
    "classification": "classification sequence_classification classifier text_classification sentiment nli "
    "token_classification ner named_entity_recognition pos_tagging tagging regression sts multiple_choice "
    "extractive_qa span_extraction image_classification audio_classification",
    "distillation": "distillation distill kd knowledge_distillation gkd",
    "contrastive": "contrastive embedding embeddings infonce retrieval simcse mnrl clip",
    "replaced_token": "replaced_token replaced_token_detection replaced_tokens rtd electra",
    "masked": "masked mlm masked_lm masked_language_modeling denoising",
}
"""What each objective is called; those of one name have the same passes."""
_WORDS: Mapping[str, ObjectiveName] = MappingProxyType(
    {word: name for name, words in _NAMES.items() for word in words.split()}
)
_ANSWERING = frozenset({"qa", "question_answering"})
"""A decoder writes the answer; an encoder marks where it stands, with two outputs in place of a vocabulary's."""
_ROLLOUTS = frozenset(
    {
        *("grpo", "ppo", "rloo", "reinforce", "reinforce++", "gspo", "dapo", "drgrpo", "dr_grpo", "rlhf", "rlvr", "rl"),
        *("remax", "vapo", "cispo", "online_dpo", "nash_md", "xpo", "raft", "grpo_trainer", "ppo_trainer"),
    }
)
"""Names of methods that sample answers from the model they train."""
_PAIRED = frozenset({"dpo", "ipo", "cdpo", "orpo", "simpo", "cpo", "kto", "bco"})
_SCORED = frozenset(word for word, name in _WORDS.items() if name not in {"next_token", "distillation"})
"""Words that name an objective beside any others, as `fine_tuning` does not."""
_METHODS = f"{', '.join(METHOD_CHOICES[:-1])} or {METHOD_CHOICES[-1]}"
_TRLS_OWN = frozenset({"dpo", "orpo", "kto", "reward"})
_ROLLOUT_STACKS = frozenset({"verl", "openrlhf"})
_ROLLOUT_WORDS = re.compile(
    r"\b(?:(?:grpo|ppo|rloo|online_?dpo)(?:[ _-]?trainer)?|reinforce|gspo|dapo|rlhf|rlvr|verl|openrlhf|slime|areal|"
    r"prime-?rl|nemo-?rl|nemo-aligner|trlx|skyrl|roll|real-?hf)\b"
)
_SUPERVISED = re.compile(r"\bsft\b|\bdpo\b|\bsupervised\b")
_PRECOMPUTED = re.compile(r"\bprecompute[ds]?[ _]ref")
"""In TRL: the reference's answers are scored before training, and kept."""
_TEACHER = re.compile(r"^(distill\w*|kd|gkd|knowledge[ _]distillation)\s*(?:from|of|with|by|:|\()\s*(.+?)\)?$")
ROLLOUTS = (
    "answers are sampled from the model and scored before each update; sampling is usually half to nine tenths of an "
    "RL step (OpenRLHF's authors count about 80 %), depends on the length of answers and on the inference engine, and "
    "is not modelled"
)
_INSTEAD = (
    'the update step can be answered: leave objective out (or "next_token") with the tokens of all sampled answers, '
    'prompts included; with a reference model "dpo" has the same passes'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedObjective:
    """The objective of a run, and what the reader must know of it."""

    objective: Objective
    teacher: Transformer | None = None
    samples_answers: bool = False
    """Whether it is reinforcement learning, of which only the update is answered."""
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[Caution, ...] = ()

    def forwards_beside(self, active_parameters: float) -> float:
        """Return forward passes beside training, in passes of the model itself, which has so many parameters."""
        passes = self.objective.forwards_beside
        if self.teacher is not None:
            passes += parameter_counts(self.teacher).active / active_parameters
        return passes


def usual_stack(objective: ObjectiveName, stack: str) -> str:
    """Return the stack of a run: as named, else TRL for what is trained with it by nearly all."""
    return "trl" if stack == "auto" and objective in _TRLS_OWN else stack


def is_rollouts(given: str) -> bool:
    """Return whether an objective is one that samples answers from the model it trains: `GRPO with 8 generations`."""
    folded = f"_{re.sub(r'[^a-z0-9+]+', '_', _folded(given))}_"
    named = {name for name in _ROLLOUTS if f"_{name}_" in folded}
    # Pairs that RLHF collected are trained on as pairs; an online method samples its own.
    return bool(named) and (any("dpo" in name for name in named) or not _words(given) & _PAIRED)


def _words(given: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9+]+(?:_[a-z0-9+]+)*", given.casefold()))


def _among_words(given: str) -> ObjectiveName | None:
    """Return the one objective that several words name: `DPO with beta 0.1`; None where they name none, or several."""
    named: set[ObjectiveName] = {_WORDS[word] for word in _words(given) if word in _SCORED}
    return next(iter(named)) if len(named) == 1 else None


def no_method(given: str) -> str | None:
    """Return what would do where `given`, an objective, stands as the method; None where it is none."""
    if _folded(given) not in _WORDS and not is_rollouts(given) and not is_views(given):
        return None
    return f"is what is trained towards, not what of the model: say so in objective, and in method {_METHODS}"


def as_answered(request: Request, network: Transformer | None) -> Request:
    """Return `request` with what an objective means of its network.

    An encoder that answers questions classifies positions, and one of pictures alone contrasts two views of each.
    """
    if network is not None and reads_views(network) and _folded(request.objective) == "contrastive":
        return replace(request, objective="simclr")
    encodes = network is not None and not network.causal and not any(t.name == "decoder" for t in network.towers)
    if not encodes or _folded(request.objective) not in _ANSWERING:
        return request
    return replace(request, objective="classification")


def asked_objective(request: Request, stack: str) -> AskedObjective:
    """Return what `request` trains towards: as said, else pairs where negatives are told, else the next token.

    Raises InvalidValueError for reinforcement learning with rollouts, and for a distillation without its teacher;
    UnknownNameError for what is no objective.
    """
    given = str(request.objective)
    folded = _folded(given)
    text = str(request.framework).casefold()
    if (views := asked_views(request)) is not None:
        return _on_views(views, said=folded not in UNSAID)
    if is_rollouts(given):
        raise InvalidValueError("objective", given, f"is reinforcement learning with rollouts: {ROLLOUTS}; {_INSTEAD}")
    taught = _TEACHER.match(given.strip().casefold())
    negatives, of_framework = hard_negatives(given, "objective"), hard_negatives(str(request.framework), "framework")
    name = "distillation" if taught else _WORDS.get(folded) or _among_words(given)
    if name is None and negatives is not None:
        name = "contrastive"
    if name is None:
        choices = (*OBJECTIVES, "distillation from llama-3.1-70b", *METHODS)
        raise UnknownNameError("objective", given, get_close_matches(folded, choices, n=3, cutoff=0.5) or choices)
    inferred = name == "next_token" and bool(of_framework)
    if inferred:
        name = "contrastive"
    negatives = of_framework if negatives is None else negatives
    if name == "distillation" and taught is None:
        raise InvalidValueError(
            "objective", given, 'does not name its teacher; such as "distillation from qwen2.5-72b"'
        )
    objective = with_negatives(OBJECTIVES[name], negatives or 0) if name == "contrastive" else OBJECTIVES[name]
    objective = _with_reference_first(objective, request) if _PRECOMPUTED.search(text) else objective
    teacher = _teacher(taught[2]) if taught else None
    rolls_out = stack in _ROLLOUT_STACKS or bool(_ROLLOUT_WORDS.search(text))
    # Such stacks train on pairs and on answers that are given, too.
    sampled = rolls_out and folded == "next_token" and not _SUPERVISED.search(text)
    said = not inferred and folded != "next_token"
    note = objective.why + (f"; teacher {teacher.name}" if teacher else "")
    return AskedObjective(
        objective=objective,
        teacher=teacher,
        samples_answers=sampled,
        assumptions=(
            (Assumption(name="objective", value=name, source="user" if said else "inferred", note=note),)
            if name != "next_token"
            else ()
        ),
        warnings=(
            (
                Caution(
                    code="rollouts_not_counted",
                    message=f"{request.framework[:60]} trains by reinforcement learning: {ROLLOUTS}. This answer is of "
                    "the update step alone, a forward and a backward pass over the tokens given",
                ),
            )
            if sampled
            else (_uncounted(negatives, name),)
            if negatives and name != "contrastive"
            else ()
        ),
    )


def _with_reference_first(objective: Objective, request: Request) -> Objective:
    """Return `objective` with its reference run over the data once, before training, however often they are seen."""
    passes = 1.0 if request.epochs is None else checked_number("epochs", request.epochs, most=MOST_EPOCHS)
    return replace(objective, reference_forwards=objective.reference_forwards / max(1.0, passes))


def _on_views(views: Views, *, said: bool) -> AskedObjective:
    objective = on_views(views)
    told = Assumption(name="objective", value=views.title, source="user" if said else "inferred", note=objective.why)
    return AskedObjective(objective=objective, assumptions=(told,))


def _uncounted(negatives: int, name: ObjectiveName) -> Caution:
    several = f"{negatives:,} hard negative{'' if negatives == 1 else 's'} a sample"
    message = f'{several} would be more texts, and {name} runs on none: give objective "contrastive" if they are run'
    return Caution(code="negatives_not_counted", message=message)


def _teacher(name: str) -> Transformer:
    """Return the teacher's architecture, by preset or by size."""
    try:
        return catalogue.transformer(name).value
    except UnknownNameError as error:
        try:
            return typical_transformer(parse_count(name, "objective"))
        except InvalidValueError:
            remedy = 'as the teacher, such as "distillation from qwen2.5-72b", or its size: "distillation from 70B"'
            raise UnknownNameError("objective", name, error.nearest, remedy) from None


def _folded(given: str) -> str:
    return re.sub(r"[\s-]+", "_", given.strip().casefold())
