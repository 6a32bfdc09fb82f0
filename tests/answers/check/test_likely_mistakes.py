"""What is likelier than a strange run: a number of something else, a usual network, usual samples.

Authority: what each statement says of itself, held against the range that the same question has.
"""

from typing import Any

import pytest

from server.protocol.tool import Tool
from tools.check_training_speed import check_training_speed

TOOL = Tool(check_training_speed, title="Check training speed")
RUN: dict[str, Any] = {"model": "llama-3.1-8b", "gpu": "h100-sxm", "n_gpus": 64}


def _answer(**changes: object) -> dict[str, Any]:
    return TOOL.answer(RUN | changes).structured


def _codes(answer: dict[str, Any]) -> list[str]:
    return [cause["code"] for cause in answer["likely_causes"]]


@pytest.mark.parametrize(("gpus", "framework"), [(8, "torchtitan"), (8, "huggingface"), (64, "megatron"), (4, "fsdp")])
@pytest.mark.parametrize("share", [0.52, 0.6, 0.8, 1.0, 1.2, 1.35])
def test_the_speed_of_one_gpu_is_the_first_cause_of_a_run_that_is_slow_beside(
    gpus: int, framework: str, share: float
) -> None:
    """Whoever gives one GPU's speed for all may have a slow run, too: within a factor of two of what is expected."""
    run = {"n_gpus": gpus, "framework": framework, "sequence_length": 8192, "packing": "packed"}
    expected = _answer(observed_tokens_per_second=1e4, **run)["expected"]
    first = _answer(observed_tokens_per_second=share * expected / gpus, **run)["likely_causes"][0]
    assert (first["code"], first["explains"]) == ("speed_of_one_gpu", True)


@pytest.mark.parametrize("share", [0.55, 1.0, 1.4, 1.75, 1.95])
def test_nor_need_it_be_slow_where_its_devices_have_room_for_more(share: float) -> None:
    """A small model is far from what its devices multiply at: a run better than its like may be twice as fast."""
    run = {"model": "gpt2", "gpu": "a100", "n_gpus": 8, "framework": "nanoGPT"}
    expected = _answer(observed_tokens_per_second=1e5, **run)["expected"]
    assert _codes(_answer(observed_tokens_per_second=share * expected / 8, **run))[0] == "speed_of_one_gpu"


@pytest.mark.parametrize("told", [{"framework": "megatron, InfiniBand"}, {"framework": "megatron, RoCE"}])
def test_a_network_that_was_told_by_its_kind_is_not_called_another(told: dict[str, Any]) -> None:
    run = {"model": "llama-3.1-70b", "observed_tokens_per_second": 15_000, "detail": "detailed"}
    named = [cause["what"] for cause in _answer(**run, **told)["likely_causes"] if "network" in cause["code"]]
    assert named
    assert not any("Ethernet" in what for what in named)
    assert any("is not used" in what for what in named)


def test_what_all_gpus_of_a_trainer_cannot_do_is_not_the_speed_of_one() -> None:
    """Half the expected speed of eight, times eight, is beyond any device; and of two it is as likely that of both."""
    run = {"n_gpus": 8, "framework": "torchtitan", "sequence_length": 8192, "detail": "detailed"}
    expected = _answer(observed_tokens_per_second=1e4, **run)["expected"]
    assert "speed_of_one_gpu" not in _codes(_answer(observed_tokens_per_second=0.6 * expected, **run))


@pytest.mark.parametrize("gpu", ["h100-sxm", "a100-sxm-80gb", "rtx-4090"])
def test_more_of_a_devices_rate_than_any_run_reached_is_implausible(gpu: str) -> None:
    """Of published runs none came to more than 77 % of what its device was measured to multiply at."""
    for share, verdict in ((0.8, "faster"), (0.9, "implausible"), (0.97, "implausible")):
        run = {"gpu": gpu, "n_gpus": 8, "model": "llama-3.2-1b", "framework": "pytorch", "sequence_length": 4096}
        ceiling = _answer(observed_tokens_per_second=1e4, **run)["ceiling"]["tokens_per_second"]
        answer = _answer(observed_tokens_per_second=f"{share * ceiling} tok/s total", **run)
        assert answer["verdict"] == verdict
        assert ("published runs" in answer["summary"]) == (verdict == "implausible")


@pytest.mark.parametrize("share", [0.6, 0.4, 0.25, 0.15])
def test_a_network_of_any_rate_between_is_a_cause_of_a_run_over_nodes(share: float) -> None:
    run: dict[str, Any] = {"model": "llama-3.1-70b", "framework": "HF Trainer, DeepSpeed ZeRO-3", "packing": "packed"}
    run |= {"sequence_length": 2048, "detail": "detailed"}
    expected = _answer(observed_tokens_per_second=1e4, **run)["expected"]
    answer = _answer(observed_tokens_per_second=share * expected, **run)
    if answer["verdict"] == "slow":
        assert "slow_network" in {cause["code"] for cause in answer["likely_causes"] if cause["explains"]}


def test_a_trainer_that_pads_samples_may_have_padded_them_whatever_is_trained() -> None:
    run: dict[str, Any] = {
        "model": "7B",
        "gpu": "a100-sxm-80gb",
        "n_gpus": 8,
        "framework": "HF Trainer, DeepSpeed ZeRO-3",
    }
    codes = _codes(_answer(observed_mfu=0.24, detail="detailed", **run))
    assert {"padding", "short_samples"} <= set(codes)
    packed = _codes(_answer(observed_mfu=0.24, detail="detailed", packing="packed", **run))
    assert not {"padding", "short_samples"} & set(packed)
