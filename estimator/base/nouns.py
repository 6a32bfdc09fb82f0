"""What people count, and in which multiples: the words behind the number of a count."""

import re
from collections.abc import Mapping

__all__ = [
    "COUNT_NOUNS",
    "PARAMETER_NOUNS",
    "SAMPLE_NOUNS",
    "STEP_NOUNS",
    "TOKEN_NOUNS",
    "multiples_in",
    "noun_in",
]

_KILO, _MEGA, _GIGA, _TERA, _PETA = 1e3, 1e6, 1e9, 1e12, 1e15
_MULTIPLES: Mapping[str, float] = {
    "": 1.0,
    **dict.fromkeys(("k", "thousand"), _KILO),
    # No count has a milli: a small m means million as often as a capital one.
    **dict.fromkeys(("m", "mn", "mln", "million", "millions"), _MEGA),
    **dict.fromkeys(("b", "bn", "bln", "g", "billion", "billions"), _GIGA),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), _TERA),
    **dict.fromkeys(("q", "quadrillion"), _PETA),
    "hundred": 100.0,
    "thousands": _KILO,
    "lakh": 1e5,
    "crore": 1e7,
    "ki": 2.0**10,
    "mi": 2.0**20,
}
SAMPLE_NOUNS = frozenset(
    {"articles", "captions", "chats", "chunks", "clips", "conversations", "convos", "datapoints", "dialogs"}
    | {"dialogues", "docs", "documents", "emails", "entries", "example", "examples", "files", "images"}
    | {"instructions", "items", "lines", "messages", "pairs", "triplets", "paragraphs", "pdfs", "photos", "pictures"}
    | {"posts", "problems", "prompts", "questions", "recordings", "records", "responses", "reviews", "row"}
    | {"rows", "sample", "samples", "sentences", "sequence", "sequences", "songs", "tasks", "threads"}
    | {"tickets", "trajectories", "transcripts", "turns", "tweets", "utterances", "videos"}
)
"""What people call the samples that they count."""
STEP_NOUNS = frozenset({"batches", "it", "iter", "iteration", "iterations", "iters", "its", "step", "steps", "updates"})
TOKEN_NOUNS = frozenset({"tok", "token", "tokens", "toks"})
PARAMETER_NOUNS = frozenset({"param", "parameter", "parameters", "params", "weights"})
COUNT_NOUNS = SAMPLE_NOUNS | STEP_NOUNS | TOKEN_NOUNS | PARAMETER_NOUNS
_LIKE = frozenset(
    {"and", "answer", "audio", "chat", "clean", "code", "csv", "customer", "extra", "fine", "fine-tuning", "finetuning"}
    | {"gradient", "human", "image", "instruct", "instruction", "json", "jsonl", "labeled", "labelled", "long", "more"}
    | {"my", "new", "optimizer", "our", "own", "preference", "prompt", "prompts", "qa", "question", "random", "raw"}
    | {"response", "sft", "short", "support", "synthetic", "text", "total", "train", "training", "tuning", "unique"}
    | {"unlabeled", "update", "user", "video"}
)
"""What counted things are like. Other words may name a data set, or make another number of it: samples per class."""
_BESIDE_LINES = frozenset({"csv", "data", "dataset", "json", "jsonl", "text", "total", "tsv"})
"""What samples are lines of."""
_OF_TOKENS = re.compile(r"([kmbgtq]|[mb]n|million|billion|trillion)(?:t|tok|toks|token|tokens)")
"""`100BT` and `5Mtok`, as names of data sets and trainers have it."""


def noun_in(counted: str) -> str:
    """Return what is counted, without what it is like: `examples` of `new training examples`, `lines` of `lines jsonl`.

    A size of a model has nothing beside it: active parameters are not all of them.
    """
    words = counted.split()
    if words and words[0] in SAMPLE_NOUNS and _BESIDE_LINES.issuperset(words[1:]):
        return words[0]
    told = words and words[-1] in SAMPLE_NOUNS | STEP_NOUNS | TOKEN_NOUNS and _LIKE.issuperset(words[:-1])
    return words[-1] if told else counted


def multiples_in(words: tuple[str, ...]) -> tuple[float, str]:
    """Return the product of the multiples that `words` begin with, and what stands behind them."""
    factor = 1.0
    for at, word in enumerate(words):
        joined = _OF_TOKENS.fullmatch(word)
        # Only words multiply one another, as in a hundred thousand: `100B T` is a slip.
        letters = factor > 1.0 and 1 in {len(word), len(words[at - 1])}
        if letters or (word not in _MULTIPLES and joined is None):
            return factor, " ".join(words[at:])
        factor *= _MULTIPLES[word if joined is None else joined[1]]
        if joined is not None:
            return factor, " ".join((*words[at + 1 :], "tokens"))
    return factor, ""
