"""Amounts of data as people state them: names of data sets, passes over them, parts of them, steps.

Authority: the definitions in the program's contract; data/datasets.json for what a set holds.
"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator.base.errors import EstimatorError, InvalidValueError, MissingValueError, UnknownNameError
from estimator.catalogue import catalogue
from estimator.question.request import Request
from estimator.resolve.amount import resolved_amount
from estimator.resolve.named_data import named_data
from estimator.resolve.run import Run, resolve

ALPACA, DOLLY, GSM8K = 52_002.0, 15_011.0, 7_473.0
OF_SAMPLES: list[tuple[str, str, float]] = [
    ("alpaca", "alpaca", ALPACA),
    ("Alpaca", "alpaca", ALPACA),
    ("tatsu-lab/alpaca", "alpaca", ALPACA),
    ("the Alpaca dataset", "alpaca", ALPACA),
    ("stanford alpaca", "alpaca", ALPACA),
    ("alpaca ×3", "alpaca", 3 * ALPACA),
    ("alpaca × 3", "alpaca", 3 * ALPACA),
    ("alpaca x3", "alpaca", 3 * ALPACA),
    ("Alpaca x 3", "alpaca", 3 * ALPACA),
    ("alpaca*3", "alpaca", 3 * ALPACA),
    ("alpaca 3x", "alpaca", 3 * ALPACA),
    ("alpaca, 3 epochs", "alpaca", 3 * ALPACA),
    ("alpaca (3 epochs)", "alpaca", 3 * ALPACA),
    ("alpaca for 3 epochs", "alpaca", 3 * ALPACA),
    ("alpaca 3 epochs", "alpaca", 3 * ALPACA),
    ("3 epochs of alpaca", "alpaca", 3 * ALPACA),
    ("3 epochs on alpaca", "alpaca", 3 * ALPACA),
    ("3 passes over alpaca", "alpaca", 3 * ALPACA),
    ("3x alpaca", "alpaca", 3 * ALPACA),
    ("3 × alpaca", "alpaca", 3 * ALPACA),
    ("alpaca twice", "alpaca", 2 * ALPACA),
    ("2.5 epochs of alpaca", "alpaca", 2.5 * ALPACA),
    ("1 epoch of tatsu-lab/alpaca", "alpaca", ALPACA),
    ("half of alpaca", "alpaca", ALPACA / 2),
    ("10% of alpaca", "alpaca", ALPACA / 10),
    ("10k samples of alpaca", "alpaca", 10_000),
    ("10k of alpaca", "alpaca", 10_000),
    ("the first 10k examples from alpaca", "alpaca", 10_000),
    ("10k samples of alpaca x3", "alpaca", 30_000),
    ("dolly-15k", "dolly-15k", DOLLY),
    ("dolly", "dolly-15k", DOLLY),
    ("databricks/databricks-dolly-15k", "dolly-15k", DOLLY),
    ("dolly 15k x2", "dolly-15k", 2 * DOLLY),
    ("ultrachat-200k ×3", "ultrachat-200k", 3 * 207_865),
    ("HuggingFaceH4/ultrachat_200k", "ultrachat-200k", 207_865),
    ("gsm8k", "gsm8k", GSM8K),
    ("openai/gsm8k for 4 epochs", "gsm8k", 4 * GSM8K),
    ("oasst1", "oasst1", 34_795),
    ("OpenAssistant/oasst1", "oasst1", 34_795),
    ("ShareGPT", "sharegpt", 168_864),
    ("lima", "lima", 1_030),
    ("slimorca", "slimorca", 517_982),
    ("Open-Orca/SlimOrca", "slimorca", 517_982),
    ("tulu 3", "tulu-3", 939_343),
    ("openhermes 2.5", "openhermes-2.5", 1_001_551),
    ("code alpaca", "code-alpaca-20k", 20_022),
    ("alpaca-gpt4 x2", "alpaca-gpt4", 104_004),
    ("guanaco", "guanaco", 9_846),
    ("timdettmers/openassistant-guanaco", "guanaco", 9_846),
    ("metamathqa", "metamathqa", 395_000),
    # Two sequences of each pair.
    ("ultrafeedback", "ultrafeedback", 2 * 61_135),
    ("hh-rlhf", "hh-rlhf", 2 * 160_800),
    ("anthropic/hh-rlhf", "hh-rlhf", 2 * 160_800),
]
OF_TOKENS: list[tuple[str, str, float]] = [
    ("c4", "c4", 198e9),
    ("allenai/c4", "c4", 198e9),
    ("half of c4", "c4", 99e9),
    ("10% of c4", "c4", 19.8e9),
    ("the-pile", "the-pile", 383e9),
    ("The Pile", "the-pile", 383e9),
    ("pile deduplicated", "the-pile deduplicated", 207e9),
    ("EleutherAI/pile", "the-pile", 383e9),
    ("openwebtext", "openwebtext", 9.04e9),
    ("fineweb-edu 100BT", "fineweb-edu 100BT", 99.6e9),
    ("FineWeb-Edu sample-100BT", "fineweb-edu 100BT", 99.6e9),
    ("HuggingFaceFW/fineweb-edu sample-10BT", "fineweb-edu 10BT", 9.95e9),
    ("fineweb edu 10b", "fineweb-edu 10BT", 9.95e9),
    ("fineweb", "fineweb", 15e12),
    ("fineweb 350BT", "fineweb 350BT", 362e9),
    ("100B tokens of fineweb-edu", "fineweb-edu", 100e9),
    ("15 trillion tokens of dclm", "dclm-baseline", 15e12),
    ("2 epochs of the pile", "the-pile", 766e9),
    ("slimpajama", "slimpajama", 627e9),
    ("cerebras/SlimPajama-627B", "slimpajama", 627e9),
    ("redpajama-v2", "redpajama-v2", 30.4e12),
    ("redpajama-v2 en", "redpajama-v2 en", 20.5e12),
    ("dolma", "dolma", 2.6e12),
    ("dclm-baseline", "dclm-baseline", 4.34e12),
    ("wikitext-103", "wikitext-103", 118e6),
    ("wikitext103 x20", "wikitext-103", 2.36e9),
    ("tinystories", "tinystories", 474e6),
    ("starcoderdata", "starcoderdata", 250e9),
]
NO_NAMES = [
    "15T",
    "300B tokens",
    "1.4e12",
    7e9,
    "2 GB of German text",
    "500 MB",
    "100 MB code",
    "100 MB jsonl",
    "a 100 MB jsonl file",
    "2,000,000",
    None,
    "1k",
]


def _request(**data: Any) -> Request:  # noqa: ANN401 - any argument
    asked: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100", "n_gpus": 8, **data}
    return Request(**asked)


def _run(**data: Any) -> Run:  # noqa: ANN401 - any argument
    return resolve(_request(**data))


def _note(run: Run, name: str) -> str:
    return next(one.note for one in run.assumptions if one.name == name)


@pytest.mark.parametrize("argument", ["tokens", "samples"])
@pytest.mark.parametrize(("said", "dataset", "rows"), OF_SAMPLES)
def test_a_set_of_samples_is_as_many_rows_of_its_own_mean_length(
    argument: str, said: str, dataset: str, rows: float
) -> None:
    amount = resolved_amount(_request(**{argument: said}, packing="packed"))
    mean = catalogue.dataset(dataset).tokens_per_sample
    assert mean is not None
    assert amount.tokens_per_sample == mean
    assert amount.real_tokens == pytest.approx(rows * mean, rel=1e-6)
    assert amount.assumptions[0].value == dataset


@pytest.mark.parametrize(("said", "dataset", "tokens"), OF_TOKENS)
def test_a_corpus_is_as_many_tokens_as_were_counted(said: str, dataset: str, tokens: float) -> None:
    amount = resolved_amount(_request(tokens=said))
    assert amount.tokens == pytest.approx(tokens, rel=0.005)
    assert amount.tokens_per_sample is None
    assert amount.assumptions[0].value == dataset


@pytest.mark.parametrize("said", NO_NAMES)
def test_a_count_or_a_size_of_text_names_no_data_set(said: object) -> None:
    assert named_data(said, "tokens") is None


@pytest.mark.parametrize(
    ("said", "nearest"),
    [("alpacca", "alpaca"), ("dolly-51k", "dolly-15k"), ("fineweb-edu 100TB", "fineweb-edu"), ("oppenwebtext", "open")],
)
def test_a_misspelt_name_is_told_near_ones(said: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=nearest):
        resolved_amount(_request(tokens=said))


@given(st.text(max_size=130))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    with suppress(EstimatorError):
        assert resolved_amount(_request(tokens=text)).tokens > 0


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ({"tokens": "alpaca x3", "epochs": 2}, "epochs: 2 and the 3 passes"),
        ({"tokens": "alpaca", "samples": "10k"}, "samples say how much there is twice"),
        ({"tokens": "15B", "samples": "alpaca"}, "tokens say how much there is twice"),
        ({"tokens": "150% of alpaca"}, "no share of a data set"),
        ({"steps": 1000, "tokens": "15B", "global_batch_sequences": 512}, "steps: 1000 and tokens disagree"),
        (
            {"steps": 100, "samples": 5000, "tokens_per_sample": 99, "global_batch_sequences": 16},
            "and samples disagree",
        ),
        ({"steps": 1000, "tokens": "alpaca", "epochs": 3, "global_batch_sequences": 16}, "and epochs disagree"),
        ({"steps": "10M", "tokens": "1B"}, "a step takes one at least"),
        ({"tokens": "1,000 examples"}, "give it as samples"),
        ({"tokens": "10k steps"}, "give it as steps"),
        ({"tokens": "my own corpus"}, "samples with tokens_per_sample"),
        ({"steps": 0, "global_batch_sequences": 8}, "steps"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(data: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidValueError, match=what):
        _run(**data)


@pytest.mark.parametrize(
    ("data", "samples", "passes"),
    [
        ({"model": "sdxl", "method": "lora", "samples": 20, "steps": 1500}, 1500, "75 passes"),
        ({"model": "flux.1-dev", "method": "lora", "samples": 20, "steps": 1000, "micro_batch_size": 2}, 2000, "100 "),
        (
            {"model": "segformer-b5", "samples": "20k", "steps": 40_000, "global_batch_sequences": 16},
            640e3,
            "32 passes",
        ),
        (
            {
                "samples": 1000,
                "tokens_per_sample": 300,
                "steps": 500,
                "global_batch_sequences": 16,
                "packing": "padded",
            },
            8000,
            "8 passes",
        ),
    ],
)
def test_steps_beyond_the_samples_told_are_passes_over_them(data: dict[str, Any], samples: float, passes: str) -> None:
    """`max_steps` is what trainers stop at, whatever the set holds."""
    run = _run(**{"tokens": None, "gpu": "h100", "n_gpus": 1, **data})
    assert run.amount.real_tokens == pytest.approx(samples * (run.amount.tokens_per_sample or 0.0), rel=0.01)
    (steps,) = (one for one in run.assumptions if one.name == "steps")
    assert passes in steps.note


@pytest.mark.parametrize("said", ["laion-2b", "imagenet-1k", "librispeech", "llava-665k", "coco"])
def test_samples_that_are_no_text_need_the_tokens_of_one(said: str) -> None:
    with pytest.raises(MissingValueError, match="tokens_per_sample"):
        resolved_amount(_request(tokens=said))
    amount = resolved_amount(_request(tokens=said, tokens_per_sample=256, packing="packed"))
    samples = catalogue.dataset(said).samples
    assert samples is not None
    assert amount.tokens == pytest.approx(256 * samples)


@given(
    dataset=st.sampled_from(["alpaca", "c4", "ultrafeedback", "gsm8k", "fineweb-edu 10BT"]), epochs=st.floats(0.1, 90)
)
def test_tokens_are_in_proportion_to_the_passes_however_they_are_said(dataset: str, epochs: float) -> None:
    once = resolved_amount(_request(tokens=dataset)).tokens
    assert resolved_amount(_request(tokens=dataset, epochs=epochs)).tokens == pytest.approx(once * epochs)
    assert resolved_amount(_request(tokens=f"{dataset} ×{epochs:.6f}")).tokens == pytest.approx(once * epochs, rel=1e-4)


@given(
    steps=st.integers(1, 10**6),
    batch=st.integers(1, 4096),
    length=st.sampled_from([512, 2048, 4096]),
)
def test_steps_times_batch_are_the_tokens(steps: int, batch: int, length: int) -> None:
    run = _run(steps=steps, global_batch_sequences=batch, sequence_length=length)
    assert run.amount.tokens == steps * batch * length
    assert run.global_batch_sequences == batch


@pytest.mark.parametrize("model", ["gpt2", "llama-2-7b", "llama-3.1-8b"])
def test_steps_over_a_size_of_text_take_the_tokens_of_the_models_vocabulary(model: str) -> None:
    """A thousand steps over it are what it comes to without them, but for a batch of whole sequences."""
    asked = {"model": model, "tokens": "1 GB", "sequence_length": 1024}
    assert _run(**asked, steps=1000).amount.tokens == pytest.approx(_run(**asked).amount.tokens, rel=0.02)


@pytest.mark.parametrize("accumulated", [1, 4])
def test_the_batch_of_steps_may_be_told_as_trainers_have_it(accumulated: int) -> None:
    run = _run(steps=100, micro_batch_size=2, gradient_accumulation=accumulated, sequence_length=1024)
    assert run.amount.tokens == 100 * 2 * accumulated * 8 * 1024


def test_steps_of_padded_samples_count_a_sample_each() -> None:
    run = _run(steps=100, global_batch_sequences=64, tokens_per_sample=300, packing="padded", method="lora")
    assert run.amount.sequences == 6400
    assert run.amount.real_tokens == pytest.approx(6400 * 300)


def test_steps_of_packed_samples_count_full_sequences() -> None:
    said = {"steps": 100, "global_batch_sequences": 64, "tokens_per_sample": 300, "sequence_length": 4096}
    run = _run(**said, packing="packed", method="lora")
    assert run.amount.tokens == pytest.approx(100 * 64 * 4096)


def test_steps_over_a_data_set_say_how_many_passes_they_are() -> None:
    run = _run(steps=1000, global_batch_sequences=52, tokens="alpaca", packing="padded", method="lora")
    assert run.amount.sequences == 52_000
    assert "1 passes over Stanford Alpaca" in _note(run, "steps")


def test_tokens_and_steps_together_tell_the_batch() -> None:
    """Pythia: 143,000 steps of 1,024 sequences of 2,048 tokens, known as 300B tokens."""
    run = _run(steps=143_000, tokens="300B", sequence_length=2048)
    assert run.global_batch_sequences == 1024
    agreed = _run(steps=143_000, tokens="300B", sequence_length=2048, global_batch_sequences=1024)
    assert agreed.amount.tokens == 300e9


def test_steps_without_a_batch_say_what_would_do() -> None:
    with pytest.raises(MissingValueError, match=r"global_batch_sequences is missing.*gradient_accumulation"):
        _run(steps=1000)


@pytest.mark.parametrize(("framework", "micro"), [("HF Trainer", 8), ("trl", 8), ("axolotl", 8)])
def test_a_named_trainer_has_a_batch_of_its_own_and_that_is_said(framework: str, micro: int) -> None:
    run = _run(steps=1000, framework=framework, tokens_per_sample=400, method="lora", packing="padded")
    batch = next(one for one in run.assumptions if one.name == "global_batch_sequences")
    assert (batch.value, batch.source) == (micro * 8, "inferred")
    assert "state yours" in batch.note
    assert run.amount.sequences == 1000 * micro * 8


def test_a_set_whose_lengths_were_measured_is_padded_by_their_own_spread() -> None:
    """GSM8K's answers are of a length: a third of its mean, where other sets spread over nine tenths."""
    own = _run(tokens="gsm8k", framework="huggingface", method="lora").amount.padding
    usual = _run(samples=7473, tokens_per_sample=158, framework="huggingface", method="lora").amount.padding
    assert 1.3 < own < 1.8 < usual


def test_a_number_that_nobody_read_widens_the_amount_more_than_one_that_was() -> None:
    read, judged = (resolved_amount(_request(tokens=name, packing="packed")) for name in ("c4", "smoltalk"))
    assert read.high_factor / read.low_factor < judged.high_factor / judged.low_factor
    assert resolved_amount(_request(tokens="100B tokens of fineweb-edu")).high_factor == 1.0


def test_a_range_of_lengths_is_hardly_padded() -> None:
    """A public question: Llama 2 13B with LoRA on one H100, a million samples of 500 to 600 tokens; 24 to 35 hours."""
    run = resolve(
        Request(
            model="llama-2-13b", gpu="h100", n_gpus=1, method="lora", samples="1M", tokens_per_sample="500-600 tokens"
        )
    )
    assert run.amount.real_tokens == pytest.approx(550e6)
    assert run.amount.padding < 1.1


@pytest.mark.parametrize(
    ("said", "dataset", "tokens"),
    [
        ("fineweb 32B", "fineweb", 32e9),
        ("20B fineweb-edu tokens", "fineweb-edu", 20e9),
        ("slimpajama 100B tokens", "slimpajama", 100e9),
        ("c4 (50 billion)", "c4", 50e9),
        ("c4, 1.5B", "c4", 1.5e9),
    ],
)
def test_an_amount_may_stand_beside_a_data_set(said: str, dataset: str, tokens: float) -> None:
    run = _run(tokens=said)
    assert run.amount.tokens == pytest.approx(tokens)
    assert any(one.name == "dataset" and one.value == dataset for one in run.assumptions)


@pytest.mark.parametrize("said", ["tulu 9", "c4 7", "the pile 2"])
def test_a_version_that_nobody_knows_is_no_amount(said: str) -> None:
    with pytest.raises(EstimatorError):
        _run(tokens=said)


@pytest.mark.parametrize("noun", ["rows", "pairs", "conversations", "images", "questions", "documents"])
def test_samples_are_counted_by_what_they_are_and_are_no_tokens(noun: str) -> None:
    run = _run(samples=f"50k {noun}", tokens_per_sample=300, packing="packed")
    assert run.amount.tokens == pytest.approx(50_000 * 300)
    with pytest.raises(InvalidValueError, match="give it as samples"):
        _run(tokens=f"50k {noun}")


def test_code_is_code_whatever_its_language() -> None:
    said = [_run(tokens=f"2 GB of {what}").amount.tokens for what in ("code", "Python code", "C++ code")]
    assert said == [said[0]] * 3


@pytest.mark.parametrize(("samples", "epochs", "steps"), [(100_000, 3, 1000), (100_000, 1, 1000), (52_002, 3, 1218)])
def test_a_batch_that_follows_from_steps_is_one_that_the_devices_share(samples: int, epochs: int, steps: int) -> None:
    """300,000 samples in 1,000 steps are 300 a step, and 304 where eight devices have 38 each."""
    run = _run(samples=samples, tokens_per_sample=300, epochs=epochs, steps=steps, method="lora")
    assert run.global_batch_sequences is not None
    assert run.global_batch_sequences % 8 == 0
    assert run.global_batch_sequences == pytest.approx(samples * epochs / steps, rel=0.05)


def test_samples_of_which_a_few_are_cut_are_not_warned_of() -> None:
    said = {"samples": 2000, "tokens_per_sample": 32_000, "method": "lora", "packing": "padded"}
    assert not {one.code for one in _run(**said, sequence_length=32_768).warnings} & {"samples_longer_than_sequence"}
    assert {one.code for one in _run(**said, sequence_length=8192).warnings} & {"samples_longer_than_sequence"}


def test_what_was_said_and_changes_nothing_is_said_to_change_nothing() -> None:
    passes = _run(steps=100, epochs=3, global_batch_sequences=16, tokens_per_sample=300, method="lora")
    assert "epochs_not_counted" in {one.code for one in passes.warnings}
    padded = _run(tokens="10M", packing="padded", method="lora")
    assert "padding_not_counted" in {one.code for one in padded.warnings}
    assert "padding_not_counted" not in {one.code for one in _run(tokens="10M", framework="fastchat").warnings}
    assert "not used" in _note(_run(tokens="10M", network_gbps_per_gpu=100), "network_gbps_per_gpu")
