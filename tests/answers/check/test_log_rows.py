"""What the tokens of a log tell of its rows.

Authority: arithmetic, and what each trainer counts by its source: TRL's `num_tokens` sums attention masks over devices.
"""

from dataclasses import replace

import pytest

from estimator.answers.check.check import speed_check
from estimator.answers.check.observation import Observed
from estimator.question.request import Request

SCRIPT = Request(model="gpt2", gpu="a100", n_gpus=8, framework="own PyTorch script")
TUNED = Request(model="llama-3.1-8b", gpu="rtx-4090", n_gpus=1, method="qlora", framework="trl")
OF_PADDING = frozenset({"padding", "short_samples", "recompilation"})


def _own_loop(*tokens_a_step: float, step_s: float = 1.2) -> str:
    return "\n".join(
        f"step {step} | loss: 3.51 | dt: {1e3 * step_s:.2f}ms | tok/sec: {tokens / step_s:.2f}"
        for step, tokens in enumerate(tokens_a_step, start=1200)
    )


def _closing(tokens_each: float, samples: int = 8_000, runtime_s: float = 4100.0) -> str:
    return (
        f"{{'loss': 1.1, 'num_tokens': {float(tokens_each * samples)}, 'mean_token_accuracy': 0.7, 'epoch': 1.0}}\n"
        f"{{'train_runtime': {runtime_s}, 'train_samples_per_second': {samples / runtime_s:.6f}, "
        f"'train_steps_per_second': {samples / 16 / runtime_s:.6f}, 'train_loss': 1.05, 'epoch': 1.0}}"
    )


@pytest.mark.parametrize("batch", [524_288, 491_520, 245_760, 100 * 1024])
def test_a_step_of_the_same_round_number_of_tokens_in_every_line_is_full(batch: int) -> None:
    """It is judged as packed, whatever else is unsaid: so is what would be told of padding."""
    log = Observed(log=_own_loop(batch, batch, batch))
    seen, told = speed_check(SCRIPT, log), speed_check(replace(SCRIPT, packing="packed"), log)
    assert seen.expected == told.expected
    assert (seen.verdict, seen.depends_on) == (told.verdict, told.depends_on)
    assert "packing_unsaid" not in {warning.code for warning in seen.warnings}
    assert not OF_PADDING & {cause.code for cause in seen.causes}
    packing = [one for one in seen.assumptions if one.name == "packing"]
    assert all(one.source == "inferred" for one in packing)


@pytest.mark.parametrize("tokens", [(524_288, 498_012, 541_200), (523_011, 523_011), (524_288,)])
def test_steps_of_other_numbers_of_tokens_may_be_padded(tokens: tuple[float, ...]) -> None:
    """As may those of a number that is not round, or that one line alone tells."""
    seen = speed_check(SCRIPT, Observed(log=_own_loop(*tokens)))
    assert "packing_unsaid" in {warning.code for warning in seen.warnings}


def test_tokens_of_batch_times_length_as_told_are_full_rows() -> None:
    """However odd their number is."""
    asked = replace(
        SCRIPT, framework="own PyTorch script, torch.compile", sequence_length=1000, global_batch_sequences=523
    )
    slow = speed_check(asked, Observed(log=_own_loop(523_000, 523_000, step_s=2.0)))
    assert slow.verdict == "slow"
    assert not OF_PADDING & {cause.code for cause in slow.causes}
    other = speed_check(asked, Observed(log=_own_loop(441_000, 462_000, step_s=2.0)))
    assert "recompilation" in {cause.code for cause in other.causes}


@pytest.mark.parametrize("words", ["pretraining from scratch", "full rows", "LLM pretraining"])
def test_words_for_pretraining_say_that_nothing_is_padded(words: str) -> None:
    seen = speed_check(replace(SCRIPT, framework=f"own PyTorch script, {words}"), Observed(tokens_per_second=437_000))
    assert (seen.verdict, seen.depends_on) == ("slow", ())
    told = {cause.code for cause in seen.causes} | {warning.code for warning in seen.warnings}
    assert not {"padding", "packing_unsaid"} & told


@pytest.mark.parametrize("each", [300, 1024, 1900])
def test_a_log_that_counts_tokens_and_samples_tells_how_long_samples_are(each: int) -> None:
    """And its speed is that of its tokens, not of samples as long as is assumed."""
    seen = speed_check(TUNED, Observed(log=_closing(each)))
    assert seen.seen.tokens_per_second == pytest.approx(8_000 * each / 4100, rel=1e-3)
    assert seen.run.sequence_length == pytest.approx(each, rel=0.01)
    assert "tokens_per_sample" not in seen.depends_on
    told = next(one for one in seen.assumptions if one.name == "sequence_length")
    assert told.source == "inferred"


def test_padding_is_open_where_a_log_leaves_it_out() -> None:
    """TRL pads unless told: the range holds both, and with packing said it does not."""
    log = Observed(log=_closing(1024))
    unsaid, packed = speed_check(TUNED, log), speed_check(replace(TUNED, packing="packed"), log)
    assert "packing_unsaid" in {warning.code for warning in unsaid.warnings}
    assert unsaid.expected.low < 0.8 * packed.expected.low


def test_the_tokens_of_padded_samples_that_were_told_are_counted_with_their_padding() -> None:
    """As they are where the log counts samples alone."""
    asked = replace(TUNED, samples=8_000, tokens_per_sample=1024)
    counted = speed_check(asked, Observed(log=_closing(1024)))
    plain = speed_check(asked, Observed(log=_closing(1024).split("\n")[1]))
    assert counted.run.sequence_length > 1.05 * 1024
    assert counted.seen.tokens_per_second == pytest.approx(plain.seen.tokens_per_second, rel=0.01)
    assert counted.verdict == plain.verdict


@pytest.mark.parametrize("batch", [4, 16])
def test_tokens_on_a_bar_with_the_batch_told_tell_the_length(batch: int) -> None:
    line = "{'loss': 1.32, 'num_tokens': 2048000.0, 'epoch': 0.25}  25%|###  | 125/500 [17:05<51:15,  8.20s/it]"
    seen = speed_check(replace(TUNED, global_batch_sequences=batch), Observed(log=line))
    assert seen.seen.tokens_per_second == pytest.approx(16_384 / 8.2, rel=1e-3)
    assert seen.run.sequence_length == pytest.approx(16_384 / batch, rel=0.01)
    assert not [warning for warning in seen.warnings if warning.code == "log_contradicts_arguments"]
