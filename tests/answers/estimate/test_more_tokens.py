"""A run on more tokens never takes less time, all else equal, nor several times as long for a few more.

Authority: reason. Whoever has more data takes another batch or other code, but no run of more is over sooner.
"""

from dataclasses import dataclass
from itertools import pairwise, product

from estimator.answers.estimate.estimate import estimate_of
from estimator.answers.estimate.predict import prediction
from estimator.question.request import Request
from estimator.resolve.run import resolve
from tests.every import of_every

SWITCHED = 5.45e10, 5.5e10
"""On either side of where most have layers of their own: there those are printed in place of Transformers'."""
TOKENS = sorted((1e8, 3e9, *(1e10 * 10 ** (place / 6) for place in range(13)), *SWITCHED, 3e12))
"""Closest where neither the data of tuning nor that of pre-training is meant: there batches and code go over."""
STEEPEST = 2.0
"""Power of the tokens with which time grows at most: where slower ways begin it grows faster than they do."""
EXPERTS = ("qwen3-30b-a3b", "mixtral-8x7b", "olmoe-1b-7b", "gpt-oss-20b", "8x7B", "30B-A3B")
DENSE = ("llama-3.1-8b", "qwen2.5-0.5b", "7B")
CLUSTERS = (("h100", 64), ("4090", 8), ("h20", 8), ("b300", 8), ("l40s", 256), ("mi300x", 16))
STACKS = ("pytorch", "deepspeed", "fsdp", "huggingface", "auto", "lightning")


@dataclass(frozen=True)
class Row:
    """One run whose amount of data is varied."""

    model: str
    gpu: str
    n_gpus: int
    framework: str
    method: str = "full"

    @property
    def id(self) -> str:
        """What it is called where it fails."""
        return f"{self.model} on {self.n_gpus} {self.gpu}, {self.framework}, {self.method}"


def _dealt() -> list[Row]:
    """Return rows in which every model with experts meets every stack, each time on another cluster."""
    rows = [
        Row(model, *CLUSTERS[(place + place // len(CLUSTERS)) % len(CLUSTERS)], framework)
        for place, (framework, model) in enumerate(product(STACKS, EXPERTS), start=1)
    ]
    dense = enumerate(product(DENSE, STACKS))
    return rows + [Row(model, *CLUSTERS[place % len(CLUSTERS)], framework) for place, (model, framework) in dense]


ROWS = (
    *_dealt(),
    # Ways that lie furthest apart, fitting or not; and batches that grow tenfold.
    Row("gpt-oss-120b", "l40s", 1024, "pytorch"),
    Row("gpt-oss-120b", "4090", 1024, "deepspeed"),
    Row("deepseek-v3", "4090", 1024, "deepspeed"),
    Row("deepseek-v3", "h800", 1024, "fsdp"),
    Row("qwen3-30b-a3b", "gb200", 256, "deepspeed"),
    Row("llama-3.1-70b", "l40s", 1024, "trl"),
    Row("llama-3.1-70b", "4090", 256, "auto"),
    Row("30B", "4090", 64, "unsloth"),
    Row("gpt2", "l40s", 256, "lightning"),
    Row("mistral-7b", "l40s", 64, "pytorch", "lora"),
    Row("llama-3.1-8b", "4090", 4, "unsloth", "qlora"),
    Row("mixtral-8x7b", "a100-80gb", 8, "pytorch", "lora"),
    Row("qwen3-30b-a3b", "h100", 16, "deepspeed", "qlora"),
)


def _seconds(row: Row, tokens: float) -> float:
    request = Request(
        model=row.model,
        gpu=row.gpu,
        n_gpus=row.n_gpus,
        tokens=round(tokens),
        framework=row.framework,
        method=row.method,
    )
    run = resolve(request)
    assert run.question is not None
    return estimate_of(run, prediction(run.question, advised=False, told=False)).training_s


@of_every(ROWS)
def test_more_tokens_take_longer(row: Row) -> None:
    times = [(tokens, _seconds(row, tokens)) for tokens in TOKENS]
    for (few, sooner), (many, later) in pairwise(times):
        assert sooner <= later <= sooner * (many / few) ** STEEPEST, f"{few:.3g} to {many:.3g} tokens"
