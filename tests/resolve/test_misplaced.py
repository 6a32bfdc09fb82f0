"""A quantity in the wrong argument is refused with the argument that it belongs in.

Authority: what people call such quantities.
"""

from typing import Any

import pytest

from estimator.answers.compare.compare import Choices, requests
from estimator.answers.sweep.points import sweep
from estimator.base.errors import InvalidValueError
from estimator.question.request import Request
from estimator.resolve.run import resolve

BELONGS = {
    "budget": ["500 GPU-hours", "200 GPUh", "1.3M H100 hours", "$500", "500 dollars", "5M USD", "€500", "5万美元"],
    "deadline": ["3 hours", "36h", "2 weeks", "30 days", "3 years", "3天"],
    "epochs": ["3 epochs", "1 epoch", "2 passes"],
    "steps": ["1000 steps", "10k steps", "100 iterations", "3 updates"],
    "samples": ["52k samples", "1,000 examples", "1000 rows", "5000 documents", "2M images"],
    "tokens": ["15T tokens", "1e21 FLOPs", "10 ZFLOPs", "1.5e24 flop", "100 petaflop/s-days", "500 kWh"],
    "n_gpus": ["8 GPUs", "16 cards"],
    "model": ["7B parameters", "70 billion params"],
}
AMOUNTS: dict[str, dict[str, Any]] = {
    "tokens": {},
    "samples": {"tokens_per_sample": 500},
    "tokens_per_sample": {"samples": 1000},
    "steps": {"global_batch_sequences": 8},
    "epochs": {"tokens": "1B"},
    "sequence_length": {"tokens": "1B"},
    "global_batch_sequences": {"tokens": "1B"},
    "trainable_params": {"tokens": "1B", "method": "lora"},
}
TAKES = {"tokens": ["15T tokens"], "tokens_per_sample": ["15T tokens"], "samples": BELONGS["samples"]}
TAKES["sequence_length"] = TAKES["tokens"]
TAKES["global_batch_sequences"] = [*TAKES["tokens"], *TAKES["samples"]]
TAKES["trainable_params"] = BELONGS["model"]
TAKES["steps"] = BELONGS["steps"]
MISPLACED = [
    (argument, said, belongs)
    for argument in AMOUNTS
    for belongs, several in BELONGS.items()
    for said in several
    # Passes are a plain number: nothing else is read, nor told where it belongs.
    if said not in TAKES.get(argument, ()) and argument != belongs
]


def _request(argument: str, said: str) -> Request:
    arguments: dict[str, Any] = {**AMOUNTS[argument], argument: said}
    return Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, **arguments)


@pytest.mark.parametrize(("argument", "said", "belongs"), MISPLACED)
def test_a_quantity_in_the_wrong_argument_is_told_the_right_one(argument: str, said: str, belongs: str) -> None:
    with pytest.raises(InvalidValueError, match=rf"^{argument}: .*\b{belongs}\b"):
        resolve(_request(argument, said))


@pytest.mark.parametrize(
    ("argument", "said"), [(argument, said) for argument in ("tokens", "samples", "steps") for said in TAKES[argument]]
)
def test_a_quantity_in_its_own_argument_is_taken(argument: str, said: str) -> None:
    assert resolve(_request(argument, said)).amount.tokens > 0.0


@pytest.mark.parametrize("said", ["500 GPU-hours", "3 epochs", "1000 steps", "$500"])
def test_comparisons_and_sweeps_say_so_too(said: str) -> None:
    with pytest.raises(InvalidValueError, match="counts no tokens"):
        requests(
            Choices(models=["7B"], gpus=["h100"], n_gpus=[8], tokens=[said]), Request(model="7B", gpu="h100", n_gpus=8)
        )
    with pytest.raises(InvalidValueError, match="counts no tokens"):
        sweep({"vary": {"tokens": [said]}, "fixed": {"model": "7B", "gpu": "h100", "n_gpus": 8}})


@pytest.mark.parametrize("said", ["15T", "300B tokens", "1.5 trillion", "5M", "2e9", "alpaca x3", "3 epochs of alpaca"])
def test_what_is_an_amount_stays_one(said: str) -> None:
    assert resolve(_request("tokens", said)).amount.tokens > 0.0


@pytest.mark.parametrize("said", ["2 GB", "300 books", "5000 pages", "50 million words"])
@pytest.mark.parametrize("argument", ["samples", "steps"])
def test_a_size_of_text_is_told_that_tokens_take_it(argument: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match="give it as tokens"):
        resolve(_request(argument, said))


@pytest.mark.parametrize("said", ["7B tokens", "1T tokens", "50k samples", "8 GPUs"])
def test_a_model_is_no_count_of_anything_but_parameters(said: str) -> None:
    with pytest.raises(InvalidValueError, match="counts no parameters"):
        resolve(Request(model=said, gpu="h100", n_gpus=8, tokens="1B"))


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("50k lines of JSONL", 50e3),
        ("52k instruction pairs", 52e3),
        ("2k new training examples", 2e3),
        ("10万条样本", 1e5),
    ],
)
def test_samples_may_be_told_with_what_they_are_like(said: str, count: float) -> None:
    run = resolve(Request(model="7B", gpu="h100", n_gpus=8, samples=said, tokens_per_sample=300, packing="packed"))
    assert run.amount.tokens == pytest.approx(300 * count)


@pytest.mark.parametrize("said", ["1000 samples per class", "500 images each", "8 per GPU"])
def test_a_count_of_a_part_is_none_of_the_whole(said: str) -> None:
    with pytest.raises(InvalidValueError):
        resolve(Request(model="7B", gpu="h100", n_gpus=8, samples=said, tokens_per_sample=300))


@pytest.mark.parametrize(
    "said", ["5 MB jsonl", "a 300 MB csv", "2 GB of German text", "10 MB of json", "400k words", "3 GB of Python code"]
)
@pytest.mark.parametrize("beside", [{}, {"tokens_per_sample": 300}])
def test_a_size_of_text_is_no_number_of_samples(said: str, beside: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match=r"^samples: .* size of text: give it as tokens"):
        resolve(Request(model="llama-3.1-8b", gpu="h100", n_gpus=8, samples=said, **beside))
