"""Samples as rows: who packs them, how long a padded row is, and in how large a batch a small set is trained on.

Authority: the trainers' own defaults (TrainingArguments, SFTConfig, Axolotl's and LLaMA-Factory's configurations).
"""

import math
from typing import Any

import pytest

from estimator.physics.stacks import STACKS
from estimator.question.request import Request
from estimator.resolve.run import Run, resolve
from server.protocol.registry import TOOLS

RUN: dict[str, Any] = {
    "model": "llama-3.1-8b",
    "gpu": "h100-sxm",
    "n_gpus": 8,
    "method": "lora",
    "samples": "50k",
    "tokens_per_sample": 400,
}
PADDING = ("litgpt", "huggingface", "trl", "llama-factory", "deepspeed", "fsdp", "HF Trainer + DeepSpeed ZeRO-3")
PACKING = (
    "axolotl",
    "nemo",
    "megatron",
    "torchtitan",
    "maxtext",
    "llm-foundry",
    "TRL with packing",
    "Axolotl, sample packing",
)


def _answer(**changes: object) -> dict[str, Any]:
    tool = TOOLS.tool("estimate_training_time")
    assert tool is not None
    return tool.answer(RUN | {"detail": "detailed"} | changes).structured


def _assumed(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in answer["assumptions"] if one["name"] == name)


def _codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["warnings"]}


@pytest.mark.parametrize(
    ("framework", "packing"), [*((one, "padded") for one in PADDING), *((one, "packed") for one in PACKING)]
)
def test_samples_are_packed_where_the_stack_packs_and_padded_where_it_does_not(framework: str, packing: str) -> None:
    answer = _answer(framework=framework)
    assert _assumed(answer, "packing")["value"] == packing
    assert any(one["name"] == "padded_length" for one in answer["assumptions"]) == (packing == "padded")


@pytest.mark.parametrize("objective", ["dpo", "orpo", "kto", "reward", "classification"])
@pytest.mark.parametrize("framework", ["axolotl", "xtuner", "alignment-handbook", "TRL, packing"])
def test_what_is_scored_as_a_whole_is_not_packed_by_habit(framework: str, objective: str) -> None:
    """Axolotl refuses sample_packing with pairs; TRL's trainers of pairs have no such option."""
    assert _assumed(_answer(framework=framework), "packing")["value"] == "packed"
    assert _assumed(_answer(framework=framework, objective=objective), "packing")["value"] == "padded"
    assert _assumed(_answer(framework="openrlhf", objective=objective), "packing")["value"] == "packed"


@pytest.mark.parametrize(("said", "framework"), [("packed", "huggingface"), ("padded", "nemo")])
def test_who_says_so_is_believed_rather_than_the_habit(said: str, framework: str) -> None:
    packing = _assumed(_answer(framework=framework, packing=said), "packing")
    assert (packing["value"], packing["source"]) == (said, "user")


@pytest.mark.parametrize("n_gpus", [1, 8, 64])
def test_a_small_set_without_a_stack_is_padded_and_that_is_said(n_gpus: int) -> None:
    assumption = _assumed(_answer(n_gpus=n_gpus), "packing")
    assert (assumption["value"], assumption["source"]) == ("padded", "default")
    assert assumption["note"]


@pytest.mark.parametrize("said", [{}, {"micro_batch_size": 4}])
def test_one_sample_is_padded_to_no_other(said: dict[str, int]) -> None:
    """A row is as long as the longest of those it lies beside, of which there are no more than samples."""
    lengths = [
        _assumed(_answer(framework="huggingface", samples=samples, tokens_per_sample=136, **said), "padded_length")[
            "value"
        ]
        for samples in (1, 2, 1000)
    ]
    assert lengths[0] == 136
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize("framework", ["huggingface", "fsdp", "unsloth"])
def test_a_micro_batch_of_one_has_no_padding(framework: str) -> None:
    """A row is then as long as its sample."""
    answer = _answer(framework=framework, micro_batch_size=1, tokens_per_sample=136)
    steps = 50_000 / answer["layout"]["global_batch_sequences"]
    assert _assumed(answer, "padded_length")["value"] == 136
    overhead = 1 + _assumed(answer, "run_level_overhead")["value"]
    assert answer["training_seconds"] == pytest.approx(steps * answer["step_seconds"] * overhead, rel=0.01)


def test_padding_grows_with_the_micro_batch_and_never_reaches_past_the_sequence() -> None:
    rows = [
        _assumed(_answer(micro_batch_size=micro, sequence_length=1024, packing="padded"), "padded_length")["value"]
        for micro in (1, 2, 4, 8, 16)
    ]
    assert rows == sorted(rows)
    assert rows[0] < 400 + 8
    assert rows[-1] <= 1024


def test_a_step_is_of_padded_rows_and_not_of_the_models_own_sequences() -> None:
    """Issue reports: micro-batches of 2,048 tokens were priced whatever the samples."""
    short, long = (_answer(framework="fsdp", tokens_per_sample=mean) for mean in (100, 800))
    for answer in (short, long):
        row = _assumed(answer, "padded_length")["value"]
        a_step = row * answer["layout"]["global_batch_sequences"]
        speed = answer["tokens_per_second_per_gpu"] * RUN["n_gpus"]
        assert a_step == pytest.approx(speed * answer["step_seconds"], rel=1e-6)
    assert short["step_seconds"] < long["step_seconds"]
    # Fewer tokens a launch: less than in proportion.
    assert short["tokens_per_second_per_gpu"] < long["tokens_per_second_per_gpu"]


def test_tokens_processed_and_real_ones_are_told_apart() -> None:
    answer = _answer(framework="trl", micro_batch_size=4)
    real, processed = (_assumed(answer, name)["value"] for name in ("tokens", "processed_tokens"))
    assert real == pytest.approx(50_000 * 400)
    assert 1.3 * real < processed < 2.6 * real
    speed = answer["tokens_per_second_per_gpu"] * RUN["n_gpus"]
    overhead = 1 + _assumed(answer, "run_level_overhead")["value"]
    assert answer["training_seconds"] == pytest.approx(processed / speed * overhead, rel=1e-3)


def test_samples_of_like_length_in_a_micro_batch_are_hardly_padded() -> None:
    grouped, mixed = (_answer(framework=f"HF Trainer{more}") for more in (", group_by_length", ""))
    assert _assumed(grouped, "padded_length")["value"] == 400
    assert grouped["training_days"] < mixed["training_days"]


PADDED_TO: dict[str, str] = {
    "unsloth": "none",
    "mlx": "alike",
    "huggingface": "longest",
    "fastchat": "limit",
    "minimind": "limit",
    "HF Trainer, pad to max length": "limit",
    "HF Trainer, padded to max_length": "limit",
    "plain PyTorch DDP, padded to max length": "limit",
    "HF Trainer, padded to the longest": "longest",
    "Unsloth, padding longest": "longest",
}
"""Read in the trainers' collators."""


@pytest.mark.parametrize("framework", PADDED_TO)
def test_a_row_is_as_long_as_the_trainer_pads_it(framework: str) -> None:
    """Own tokens where nothing is padded, those of the longest of the micro-batch, or the limit whatever it holds."""
    answer = _answer(framework=framework, sequence_length=2048, micro_batch_size=4)
    length = _assumed(answer, "padded_length")["value"]
    expected = {"none": (392, 400), "alike": (392, 400), "longest": (600, 1000), "limit": (2048, 2048)}
    low, high = expected[PADDED_TO[framework]]
    assert low <= length <= high


def test_a_trainer_that_padded_until_lately_may_still_and_the_range_holds_it() -> None:
    today, before = (_answer(framework=f"unsloth{more}", micro_batch_size=4) for more in ("", ", padding longest"))
    assert today["training_days"] < before["training_days"] < today["training_days_high"]


@pytest.mark.parametrize("objective", ["dpo", "orpo"])
def test_pairs_are_padded_by_a_trainer_that_pads_no_texts(objective: str) -> None:
    answer = _answer(framework="unsloth", objective=objective, micro_batch_size=4)
    assert _assumed(answer, "padded_length")["value"] > 600


@pytest.mark.parametrize("share", [1, 3])
def test_samples_as_long_as_the_sequence_fill_it(share: int) -> None:
    answer = _answer(framework="huggingface", sequence_length=512, tokens_per_sample=512 * share)
    assert _assumed(answer, "padded_length")["value"] == 512
    assert ("samples_longer_than_sequence" in _codes(answer)) == (share > 1)


def test_a_micro_batch_that_was_not_said_widens_the_range_and_is_no_larger_than_fits() -> None:
    said = {"framework": "huggingface", "method": "qlora", "gpu": "rtx-3090", "n_gpus": 1, "tokens_per_sample": 2000}
    left_open = _answer(**said)
    micro = _assumed(left_open, "micro_batch_size")
    assert micro["source"] == "default"
    assert micro["value"] <= STACKS["huggingface"].micro_batch
    assert left_open["memory"]["fits"]
    stated = _answer(**said, micro_batch_size=micro["value"])
    assert stated["training_days"] == pytest.approx(left_open["training_days"])
    assert stated["training_days_high"] < left_open["training_days_high"]


@pytest.mark.parametrize("batch", [1, 3, 12, 48])
def test_a_micro_batch_that_was_not_said_divides_the_batch_that_was(batch: int) -> None:
    answer = _answer(framework="huggingface", n_gpus=1, global_batch_sequences=batch)
    assert batch % answer["layout"]["micro_batch_size"] == 0


@pytest.mark.parametrize("n_gpus", [1, 4, 8, 16, 64])
@pytest.mark.parametrize(
    "said",
    [
        {"framework": "trl"},
        {"framework": "llama-factory", "method": "full", "data_sharding": "zero3"},
        {"framework": "nemo", "method": "full"},
        {"samples": None, "tokens_per_sample": None, "tokens": "100M", "method": "qlora"},
    ],
)
def test_a_small_set_is_trained_on_in_tens_of_sequences(n_gpus: int, said: dict[str, Any]) -> None:
    """Alpaca, Vicuna and Tülu: 128; LoRA recipes: 16 to 64. Pre-training takes millions of tokens a step."""
    batch = _answer(n_gpus=n_gpus, **said)["layout"]["global_batch_sequences"]
    micro = max(8, STACKS[said.get("framework", "nemo")].micro_batch)
    assert 8 <= batch <= max(128, n_gpus * micro)


@pytest.mark.parametrize(
    ("model", "cut", "mean"), [("bert-base-uncased", 512, 900), ("t5-base", 1024, 1500), ("bart-large", 1024, 1500)]
)
def test_what_encodes_cuts_samples_where_its_positions_or_its_scripts_end(model: str, cut: int, mean: int) -> None:
    """BERT has 512 positions and BART 1,024; T5's are relative, and Transformers' scripts cut at 1,024."""
    answer = _answer(model=model, method="full", tokens_per_sample=mean, framework="auto")
    assert _assumed(answer, "padded_length")["value"] == cut
    assert "samples_longer_than_sequence" in _codes(answer)


def test_a_habit_that_a_third_of_a_stack_does_not_have_is_warned_of() -> None:
    """155 of the 225 examples of Axolotl that say either pack."""
    assert "packing_assumed" in _codes(_answer(framework="axolotl"))
    assert "packing_assumed" not in _codes(_answer(framework="axolotl", packing="packed"))
    assert "packing_assumed" not in _codes(_answer(framework="axolotl", objective="dpo"))
    assert "packing_assumed" not in _codes(_answer(framework="trl"))


def test_a_text_encoder_of_many_positions_reads_as_much_of_a_text_as_others() -> None:
    """BGE-M3 takes 8,192 tokens, and FlagEmbedding cuts passages at 512."""
    asked = {"model": "bge-m3", "method": "full", "objective": "contrastive", "framework": "auto"}
    read, long = (_answer(**asked, tokens_per_sample=f"mean {mean}") for mean in (300, 2000))
    assert _assumed(read, "padded_length")["value"] == 512
    assert _assumed(long, "padded_length")["value"] > 2000


@pytest.mark.parametrize("micro_batch", [8, 32, 128])
def test_sentences_and_passages_are_less_unlike_than_instructions(micro_batch: int) -> None:
    """Sets that MTEB describes: a standard deviation of half the mean; log-normal, the longest of 32 is 2.4 means.

    How far texts lie apart is believed where it is told, whatever reads them.
    """

    def row(model: str, tokens: str) -> float:
        said = {"samples": "1M", "tokens_per_sample": tokens, "micro_batch_size": micro_batch, "framework": "pytorch"}
        run: dict[str, Any] = {"model": model, "method": "full", "packing": "padded", "n_gpus": 1} | said
        return float(_assumed(_answer(**run), "padded_length")["value"])

    text, instructions = row("bert-base-uncased", "mean 30"), row("gpt2", "mean 30")
    assert text < 0.85 * instructions
    if micro_batch == 32:
        assert text == pytest.approx(2.4 * 30, abs=8)
    assert row("bert-base-uncased", "mean 30, std 15") == row("gpt2", "mean 30, std 15")


def _row(model: str, **said: Any) -> Run:  # noqa: ANN401 - the arguments of a request
    asked: dict[str, Any] = {"model": model, "gpu": "a100", "n_gpus": 1, "samples": 10_000, **said}
    return resolve(Request(**asked))


def _warned(run: Run) -> set[str]:
    return {caution.code for caution in run.warnings}


@pytest.mark.parametrize("model", ["bert-base-uncased", "roberta-large", "t5-large"])
@pytest.mark.parametrize("length", [64, 128, 384, 512, "128", "128 tokens", 126, 254, 510])
def test_a_round_number_of_an_encoders_texts_is_what_they_are_cut_at(model: str, length: int | str) -> None:
    """Transformers' `run_glue.py` pads all to its `max_seq_length` of 128, its scripts for SQuAD to 384.

    A tokenizer adds one token, or two.
    """
    run = _row(model, tokens_per_sample=length)
    assert 0 <= run.sequence_length - int(str(length).split()[0]) <= 2
    assert run.amount.padding == pytest.approx(1.0, abs=0.02)
    assert run.amount.low_factor < 1.0
    assert "length_taken_as_limit" in _warned(run)


@pytest.mark.parametrize("model", ["bert-base-uncased", "roberta-large", "t5-large"])
@pytest.mark.parametrize("length", [65, 100, 129, "300 tokens"])
def test_one_number_of_an_encoders_texts_may_be_their_mean_or_what_they_are_cut_at(
    model: str, length: int | str
) -> None:
    """Transformers' `run_glue.py` pads all to its `max_seq_length` of 128; sets have a mean of 128 as well."""
    told = str(length).split()[0]
    run, limit, mean = (
        _row(model, tokens_per_sample=said, micro_batch_size=16)
        for said in (length, f"padded to {told}", f"mean {told}")
    )
    assert "length_mean_or_limit" in _warned(run)
    assert not {"length_mean_or_limit"} & (_warned(limit) | _warned(mean))
    assert limit.amount.tokens < run.amount.tokens < mean.amount.tokens
    assert run.amount.tokens == pytest.approx(math.sqrt(limit.amount.tokens * mean.amount.tokens), rel=0.01)
    assert run.amount.low_factor * run.amount.tokens <= limit.amount.tokens
    assert run.amount.high_factor * run.amount.tokens >= mean.amount.tokens


@pytest.mark.parametrize(
    ("model", "length"),
    [("t5-large", "max 255"), ("t5-large", "max 500"), ("bert-base-uncased", 512), ("bert-base-uncased", "max 128")],
)
def test_the_longest_of_an_encoders_texts_is_what_they_are_cut_at(model: str, length: int | str) -> None:
    """So is a number as large as the model has positions, mean or limit."""
    run = _row(model, tokens_per_sample=length)
    assert run.amount.padding == 1.0
    assert run.amount.low_factor < 1.0
    assert "length_taken_as_limit" in _warned(run)


def test_of_a_decoders_samples_the_longest_alone_leaves_the_mean_open() -> None:
    run = _row("llama-3.2-1b", tokens_per_sample="max 512")
    assert "sample_lengths_assumed" in {caution.code for caution in run.warnings}
    assert run.amount.low_factor < 0.6
    assert run.sequence_length <= 512


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("bert-base-uncased", {"tokens_per_sample": "mean 128"}),
        ("bert-base-uncased", {"tokens_per_sample": "about 128"}),
        ("bert-base-uncased", {"tokens_per_sample": 64, "sequence_length": 256}),
        ("llama-3.2-1b", {"tokens_per_sample": 128}),
    ],
    ids=str,
)
def test_a_mean_is_one_of_texts_that_are_unlike(model: str, said: dict[str, Any]) -> None:
    run = _row(model, **said, packing="padded", micro_batch_size=16)
    mean = float(str(said["tokens_per_sample"]).split()[-1])
    assert run.sequence_length > 1.3 * mean
    assert not {"length_taken_as_limit", "length_mean_or_limit"} & _warned(run)
