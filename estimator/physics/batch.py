"""Global batches: the usual one of a model on a cluster, and those near a batch that more replicas can share."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from estimator.base.inputs import divisors_of
from estimator.models.diffusion.sample import is_placed
from estimator.models.kinds import detects, kind_of
from estimator.models.training import WITH_ADAPTERS
from estimator.models.transformer import Transformer
from estimator.models.workload import workload
from estimator.physics.habits import ACCUMULATED, MICRO_BATCHES
from estimator.physics.own_experts import stack_running
from estimator.physics.stacks import Stack
from estimator.question.question import Question

__all__ = [
    "ENOUGH_AT_A_TIME",
    "GrowingBatch",
    "as_patches",
    "batch_shared_by_more",
    "global_batch_sequences",
    "growing_batch",
    "is_left_alone",
    "is_shared_by_all",
    "nearest_batch",
    "usual_micro_batch",
]

_MEBI = float(2**20)
_TOKENS_PER_STEP = (
    (1e9, 0.5 * _MEBI),
    (4e9, 2 * _MEBI),
    (3e10, 4 * _MEBI),
    (2e11, 8 * _MEBI),
    (6e11, 16 * _MEBI),
    (float("inf"), 60 * _MEBI),
)
"""Usual tokens a step by parameters (Brown et al. 2020, table 2.1; Biderman et al. 2023, table 1, and SmolLM3, 2M from
1B on; Touvron et al. 2023; Grattafiori et al. 2024; DeepSeek-AI 2024). A paper's million is 2²⁰ where batches and
lengths are powers of two."""
_OWN_TOKENS = {
    "nanogpt": 480 * 1024.0,  # config/train_gpt2.py: 12 × 40 accumulated
    "llm.c": 0.5 * _MEBI,  # its scripts for GPT-2: -d 524288
    "nanochat": 0.5 * _MEBI,  # total_batch_size of base_train
    "modded-nanogpt": 0.5 * _MEBI,
    "litgpt": 512 * 2048.0,  # TrainArgs.global_batch_size of its pretrain script
}
"""Tokens of a step in the one script that everybody runs of a stack, accumulated on however few devices."""
_LEAST_TOKENS_EACH = 1024.0
"""Tokens of a device in a step of pre-training at least: Llama 3.1 405B had 1,024 on 16,384 (Grattafiori et al. 2024,
table 4), Llama 2 70B 2,048. Whoever has more devices takes a larger batch; only records of minutes go below."""
_LARGEST_CLUSTERS = 4.0
"""Times the tokens that models of a size train with usually, at most, for the sake of more devices: Llama 3 405B went
from 4M to 16M, and beyond a multiple of it tokens are trained on in vain (McCandlish et al. 2018)."""
_MOST_EACH = 16.0
"""Usual sequences of a device at most, micro-batch times accumulation: TRL's documentation has 2 × 8, LLaMA-Factory's
1 × 8, Alpaca 4 × 8."""
_TOKENS_EACH = 16384.0
"""Usual tokens of a device at most where sequences are short ones of an encoder: 32 texts of 512."""
_PICTURES_EACH = 128.0 * 197
"""The same of patches: the default of timm, and of recipes for DeiT, Swin and torchvision's later ResNets."""
_DETECTORS_EACH = 2.0
"""Pictures of a device where things are found in them: detectron2 and mmdetection have 16 on eight, DETR 2 to 4."""
_MOST_SHORT = 256.0
"""Sequences of a device at most, however short: batches of CIFAR's pictures have 128 to 512."""
_MOST_TUNED = 128.0
"""Sequences of a fine-tuning step: Alpaca, Vicuna and Tülu take 128, LoRA recipes 16 to 64."""
_MOST_STEPS = 2e5
"""Steps that a run takes about at most, whatever it is trained with: GPT-3 had 94,000, Pythia and OPT 150,000, MPT-7B
280,000, Llama 2 480,000."""
_MOST_TUNED_STEPS = 3e4
"""Steps that a model is tuned for at most, in such small batches: Tülu 3 took 14,700, Alpaca 1,200. Whoever has more to
train on trains in the batches of pre-training, under whichever trainer."""
_MIDDLE = 0.5
"""Share of the way from the batch of tuning to that of pre-training from which on most have the latter."""
_AS_USUAL = 0.25
"""How far from the usual batch one may lie that all devices, or half of them, share evenly. With a third, one device
more could halve it."""
_USUAL_PATCH = 16
"""Pixels a side of a ViT's patch (Dosovitskiy et al. 2021), and of a DiT's: two of a latent that has an eighth."""
_OF_TEXT = frozenset({"decoder", "hybrid"})
"""Kinds of models whose trainers' examples `MICRO_BATCHES` tells of."""
_TUNED_AT_ONCE = frozenset({"encoder", "encoder_decoder"})
"""Kinds of which a device's samples are in one micro-batch where the trainer's is taken."""
_NEAR = 1 / 16
"""How far from a batch one may lie that stands in its place: it trains the same."""
ENOUGH_AT_A_TIME = 8
"""Sequences of a micro-batch beyond which more hardly save time."""


def global_batch_sequences(question: Question) -> int:
    """Return the global batch in sequences: as given, or a usual one for the size of model and cluster.

    Large clusters train with the tokens a step that models of the size use, and very large ones with up to four times
    as many, to keep their devices at work, rounded so that as many devices as can have equally many sequences, or a
    power of two of them one. Stacks that split no model give every device a sequence at least. What is fine-tuned is so
    in 16 to 128 sequences, however large the cluster, or in a trainer's usual micro-batch a device; in those of
    pre-training where the amount of data would take too many steps: see `growing_batch`. No awkward count of devices
    has a smaller batch than the largest power of two among them: whoever adds devices does not halve it to share it.
    """
    if question.global_batch_sequences is not None:
        return question.global_batch_sequences
    growing = growing_batch(question)
    if growing is not None:
        return growing.many if growing.is_many else growing.few
    n = question.cluster.n_gpus
    micro = question.layout.micro_batch_size
    if question.whole_batches and micro is not None:
        return n * micro
    if question.practice.releases_gradients:
        # Gradients that are gone cannot be added up: torchtune, sd-scripts and LOMO refuse to accumulate.
        return n * (micro or max(stack_running(question).micro_batch, question.sequences_each))
    return _settled(question, _usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowingBatch:
    """The batches, in sequences, between which a trainer's users go over as their run grows."""

    few: int
    """That a trained model is tuned in."""
    many: int
    """That a model of its size is pre-trained in on so many devices."""
    grown: float
    """Where the run lies between the most tokens that are tuned on (0), and as many times more as `many` is of `few`
    (1)."""
    width_log: float
    """Log of the ratio of those tokens."""

    @property
    def is_many(self) -> bool:
        """Whether most of so long runs have the large one."""
        return self.grown >= _MIDDLE


def growing_batch(question: Question) -> GrowingBatch | None:
    """Return the batches that a run of the tokens of `question` lies between; None where its batch follows not from it.

    A trillion tokens are not trained on in 128 sequences, whatever the trainer was made for.
    """
    practice, tokens = question.practice, question.run_tokens
    told = question.global_batch_sequences is not None or practice.releases_gradients
    whole = question.whole_batches and question.layout.micro_batch_size is not None
    if told or whole or tokens is None or not question.transformer.causal or not _is_tuned(question):
        return None
    few, many = _settled(question, _of_tuning), _settled(question, _of_size)
    if many <= few:
        return None
    width = math.log(many / few)
    # More devices share a larger batch, and tune on no more tokens for it.
    begins = _MOST_TUNED_STEPS * min(few, _MOST_TUNED) * question.sequence_length
    grown = math.log(tokens / begins) / width
    return GrowingBatch(few=few, many=many, grown=grown, width_log=width)


def _is_tuned(question: Question) -> bool:
    return question.fine_tunes or stack_running(question).tunes


def _tokens_per_step(question: Question) -> float:
    size = float(workload(question.transformer).parameters)
    return next(tokens for limit, tokens in _TOKENS_PER_STEP if size <= limit)


def _usual(question: Question) -> float:
    """Return the sequences of a step that are usual for the size of model and cluster, whoever shares them."""
    n, stack = question.cluster.n_gpus, stack_running(question)
    if is_left_alone(question):
        return float(n * _least_micro_batch(question))
    if not question.transformer.causal:
        return max(n * _short_ones_each(question), _in_few_steps(question))
    if _is_tuned(question):
        return _of_tuning(question)
    if stack.name in _OWN_TOKENS:
        return max(1.0, _OWN_TOKENS[stack.name] / question.sequence_length)
    tokens = _tokens_per_step(question)
    at_work = min(_LEAST_TOKENS_EACH * n, _LARGEST_CLUSTERS * tokens) / question.sequence_length
    return max(_of_size(question), at_work)


def is_left_alone(question: Question) -> bool:
    """Return whether an encoder is tuned in the micro-batch that its trainer has unless told, and accumulates none of.

    Nobody told it, and nobody told the batch.
    """
    guessed = "micro_batch_size" in question.unsaid and question.global_batch_sequences is None
    return guessed and kind_of(question.transformer) in _TUNED_AT_ONCE


def _of_tuning(question: Question) -> float:
    """Return the sequences of a step in which trained models are tuned."""
    at_once = question.cluster.n_gpus * float(usual_micro_batch(question, stack_running(question)) or 0)
    return min(_of_size(question), max(_MOST_TUNED, at_once))


def _of_size(question: Question) -> float:
    """Return the sequences of a step in which models of the size are trained, as far as devices have room for them."""
    return min(_tokens_per_step(question) / question.sequence_length, _MOST_EACH * question.cluster.n_gpus)


def usual_micro_batch(question: Question, stack: Stack) -> int | None:
    """Return the sequences of a micro-batch in the examples of a trainer, which most who fine-tune leave as they are.

    None where it is told, or tuned for: by who publishes a speed, or pre-trains.
    """
    tunes = question.fine_tunes or stack.name in ACCUMULATED
    trained = question.precedent is not None and question.precedent.trained
    told = question.layout.micro_batch_size is not None or question.published or trained
    if told or not tunes or stack.name not in MICRO_BATCHES or kind_of(question.transformer) not in _OF_TEXT:
        return None
    return MICRO_BATCHES[stack.name] * question.sequences_each


def _settled(question: Question, usual_of: Callable[[Question], float]) -> int:
    """Return the batch near what is usual that devices share, no smaller than that of fewer in a round count."""
    n, usual = question.cluster.n_gpus, usual_of(question)
    batch = _shared(question, usual)
    round_count = 1 << (n.bit_length() - 1)
    if round_count == n or question.published:
        # Who publishes a speed chose a batch for just so many devices.
        return batch
    fewer = replace(question, cluster=replace(question.cluster, n_gpus=round_count))
    least = (1.0 - _NEAR) * _shared(fewer, usual_of(fewer))
    more = batch if batch >= least else _shared(question, usual, least)
    splits = stack_running(question).model_parallel
    # Where a model can be split, fewer may share the batch.
    return batch if splits and more > (1.0 + _AS_USUAL) * usual else more


def _shared(question: Question, usual: float, least: float = 0.0) -> int:
    """Return the batch near `usual`, not below `least`, that all devices share evenly, or a half or less of them."""
    n, micro = question.cluster.n_gpus, _least_micro_batch(question)
    fewest = n
    if stack_running(question).model_parallel:
        whole = question.layout.tensor_parallel is not None and question.layout.pipeline_parallel is not None
        fewest = _replicas(question) if whole else 1
    share = n
    while True:
        batch = _even(usual / (share * micro), least / (share * micro)) * share * micro
        if share % 2 or share // 2 % fewest or abs(batch / usual - 1.0) <= _AS_USUAL:
            return batch
        share //= 2


def _in_few_steps(question: Question) -> float:
    """Return the sequences of a step with which an encoder is trained from scratch in no more steps than is usual."""
    if question.fine_tunes or question.sequences_each > 1:
        return 0.0
    return (question.run_tokens or 0.0) / _MOST_STEPS / question.sequence_length


def _short_ones_each(question: Question) -> float:
    """Return the sequences of a device where they are short ones of an encoder, or pictures.

    Encoders read short sequences, and many of them; detectors two large pictures; denoisers one large picture or clip,
    or several small ones. Adapters of a U-Net are trained on a picture or a few, as their trainers' examples have it.
    """
    kind = kind_of(question.transformer)
    if detects(question.transformer):
        return _DETECTORS_EACH
    fewest = 1.0 if kind == "diffusion" else _MOST_EACH
    positions = float(question.sequence_length)
    if kind != "diffusion" or question.method.name not in WITH_ADAPTERS:
        positions = as_patches(question.transformer, positions)
    short = (_PICTURES_EACH if kind == "vision" else _TOKENS_EACH) / positions
    return min(_MOST_SHORT, max(fewest, 2.0 ** round(math.log2(short))))


def _even(each: float, fewest: float = 0.0) -> int:
    """Return the count near `each`, of at least `fewest`, with the most factors of two.

    So that micro-batches of many sizes divide it: who is free to choose a batch does not give 15 sequences to a device,
    for then nothing between 1 and 3 a micro-batch would do.
    """
    least, most = math.ceil(max(fewest, each * (1.0 - _AS_USUAL))), math.floor(max(fewest, each) * (1.0 + _AS_USUAL))
    for power in range(most.bit_length() - 1, -1, -1):
        unit = 1 << power
        nearest = max(round(each / unit), math.ceil(fewest / unit)) * unit
        if least <= nearest <= most:
            return nearest
    return max(1, round(each), math.ceil(fewest))


def as_patches(transformer: Transformer, sequence_length: float) -> float:
    """Return the positions of a sequence; of a pyramid's picture, those that its patches would be elsewhere.

    A batch holds as many pictures of one size whichever network reads them: the many positions of a pyramid's first
    stage, or of a U-Net's, are narrow.
    """
    media = transformer.media
    if media is None or not is_placed(transformer):
        return sequence_length
    side = media.patch * media.compression
    if side >= _USUAL_PATCH:
        return sequence_length
    return max(1.0, sequence_length * (side / _USUAL_PATCH) ** 2)


def nearest_batch(question: Question) -> Question:
    """Return `question` with the global batch nearest to its own that its stated layout divides."""
    unit = _replicas(question) * _least_micro_batch(question)
    batch = max(1, round((question.global_batch_sequences or unit) / unit)) * unit
    return replace(question, global_batch_sequences=batch)


def is_shared_by_all(question: Question) -> bool:
    """Return whether the stated batch is one that all replicas share evenly, in whole micro-batches."""
    batch = question.global_batch_sequences
    return batch is None or batch % (_replicas(question) * _least_micro_batch(question)) == 0


def batch_shared_by_more(question: Question) -> int | None:
    """Return the batch near a stated one that most replicas can share; None where that is the stated one.

    Where no micro-batch is stated, a batch comes first that all of them share, and can work on several sequences of at
    a time.
    """
    batch = question.global_batch_sequences
    if batch is None:
        return None
    replicas, micro = _replicas(question), _least_micro_batch(question)
    units = [share * micro for share in reversed(divisors_of(replicas)[1:])]
    if question.layout.micro_batch_size is None:
        units.insert(0, replicas * ENOUGH_AT_A_TIME)
    for unit in units:
        multiple = round(batch / unit)
        if multiple and abs(unit * multiple / batch - 1.0) <= _NEAR:
            return None if unit * multiple == batch else unit * multiple
    return None


def _least_micro_batch(question: Question) -> int:
    """Return the sequences of a micro-batch: as stated, else those that are not divided."""
    return question.layout.micro_batch_size or question.sequences_each


def _replicas(question: Question) -> int:
    """Return the most replicas that the stated part of a layout leaves room for."""
    layout = question.layout
    split = (layout.tensor_parallel or 1) * (layout.pipeline_parallel or 1) * (layout.context_parallel or 1)
    return max(1, question.cluster.n_gpus // split)
