"""What is left unsaid is priced both ways, and only where it is unsaid and matters.

Authority: arithmetic on the ranges that answers give.
"""

import math
from itertools import pairwise
from typing import Any

import pytest

from tests.evidence.unsaid import answer, codes

TWO_NODES = {
    "model": "llama-3.1-8b",
    "gpu": "a100",
    "n_gpus": 16,
    "framework": "huggingface",
    "global_batch_sequences": 64,
    "sequence_length": 2048,
}
SHORT_STEPS = {
    "model": "llama-3.2-1b",
    "gpu": "h100",
    "n_gpus": 8,
    "global_batch_sequences": 64,
    "sequence_length": 1024,
}


@pytest.mark.parametrize(
    ("gpu", "gbps_a_node"), [("a100", 100), ("l40s", 100), ("l40s", 25), ("a10g", 25), ("4090", 25), ("4090", 10)]
)
def test_the_range_of_two_nodes_holds_the_slower_networks_that_such_nodes_have(gpu: str, gbps_a_node: float) -> None:
    run = {**TWO_NODES, "model": "llama-3.2-1b", "gpu": gpu, "gpus_per_node": 8}
    unsaid = answer(**run)
    slow = answer(**run, network_gbps_per_gpu=gbps_a_node / 8)
    assert "network_unsaid" in codes(unsaid)
    assert unsaid["training_days_low"] < slow["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "held", "beyond"),
    [
        ("a100", 16, 100, 25),
        ("h100", 16, None, 25),
        ("4090", 16, 10, 1),
        ("l40s", 16, 25, None),
        ("a100", 32, None, 25),
    ],
)
def test_what_is_told_of_a_network_is_what_the_range_holds(
    gpu: str, n_gpus: int, held: int | None, beyond: int | None
) -> None:
    run = {**TWO_NODES, "gpu": gpu, "n_gpus": n_gpus, "framework": "trl, DeepSpeed ZeRO-3", "model": "qwen2.5-1.5b"}
    unsaid = answer(**run)
    (message,) = (w["message"] for w in unsaid["warnings"] if w["code"] == "network_unsaid")
    for gbps, inside in ((held, True), (beyond, False)):
        if gbps is not None:
            slow = answer(**run, network_gbps_per_gpu=gbps / 8)
            assert (slow["training_days"] <= unsaid["training_days_high"]) is inside
            assert f"over {gbps} Gb/s a node" in message
    assert ("the range holds both" in message) is (held is not None)


@pytest.mark.parametrize("model", ["llama-3.2-1b", "llama-3.1-8b", "qwen2.5-32b"])
@pytest.mark.parametrize("framework", ["trl, DeepSpeed ZeRO-3", "axolotl, FSDP", "huggingface"])
def test_a_network_that_nobody_names_leaves_an_answer_of_use_on_nodes_sold_for_training(
    model: str, framework: str
) -> None:
    """Few of them have plain Ethernet, which takes up to twenty times as long: a warning tells, no range holds it."""
    unsaid = answer(**{**TWO_NODES, "gpu": "h100", "model": model, "framework": framework})
    assert unsaid["training_days_high"] < 6 * unsaid["training_days_low"]


@pytest.mark.parametrize("said", [{"network_gbps_per_gpu": 25}, {"network_gbps_per_gpu": 200}, {"n_gpus": 8}])
def test_a_network_is_not_doubted_where_it_is_told_or_not_crossed(said: dict[str, Any]) -> None:
    assert "network_unsaid" not in codes(answer(**{**TWO_NODES, **said}))


def test_a_stack_that_nobody_named_may_be_a_general_trainer_and_the_range_holds_it() -> None:
    unsaid = answer(**SHORT_STEPS)
    plain = answer(**SHORT_STEPS, framework="huggingface")
    assert "framework_unsaid" in codes(unsaid)
    assert unsaid["training_days"] < plain["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize("framework", ["megatron", "huggingface"])
def test_a_stack_is_not_doubted_where_it_is_named(framework: str) -> None:
    assert "framework_unsaid" not in codes(answer(**SHORT_STEPS, framework=framework))


def test_adapters_on_a_library_alone_may_be_a_general_trainers_and_the_range_holds_both() -> None:
    run = {**SHORT_STEPS, "model": "llama-3.1-8b", "n_gpus": 4, "method": "lora", "micro_batch_size": 4}
    alone, named = (answer(**run, framework=framework) for framework in ("FSDP2", "HF Trainer FSDP2"))
    assert "framework_unsaid" in codes(alone) & codes(answer(**run, framework="FSDP"))
    assert alone["training_days_low"] < alone["training_days"] < named["training_days"] < alone["training_days_high"]
    assert "framework_unsaid" not in codes(answer(**{**run, "method": "full"}, framework="FSDP2"))


PICTURES = {"model": "vit-b-16", "gpu": "a100-sxm-80gb", "n_gpus": 1, "tokens": None, "samples": "1M"}


def test_a_trainer_without_workers_by_default_may_read_pictures_between_steps() -> None:
    unsaid, none, many = (
        answer(**PICTURES, framework=f"huggingface{said}")
        for said in ("", ", no dataloader workers", ", 32 dataloader workers")
    )
    assert "loader_unsaid" in codes(unsaid)
    assert "loader_unsaid" not in codes(none) | codes(many)
    assert many["step_seconds"] < unsaid["step_seconds"] < none["step_seconds"]
    told = {a["name"]: a["value"] for a in none["assumptions"]}
    assert told["dataloader_workers"] == 0


@pytest.mark.parametrize("framework", ["pytorch", "auto"])
def test_readers_are_not_doubted_of_other_trainers(framework: str) -> None:
    assert "loader_unsaid" not in codes(answer(**PICTURES, framework=framework))


def test_the_more_nodes_the_less_is_their_network_doubted() -> None:
    width: dict[int, float] = {}
    for n in (16, 128):
        run = {**TWO_NODES, "n_gpus": n, "global_batch_sequences": 4 * n}
        unsaid, told = answer(**run), answer(**run, network_gbps_per_gpu=200)
        width[n] = math.log(unsaid["training_days"] / told["training_days"])
    assert width[16] > 5 * max(width[128], 0.0)


@pytest.mark.parametrize("gbps", [1.0, 3.125, 25.0, 200.0])
@pytest.mark.parametrize("n_gpus", [16, 32])
def test_a_trainer_that_nobody_would_bear_widens_no_range(n_gpus: int, gbps: float) -> None:
    """The slower the other trainer, the fewer stay with it: a range never holds what is twenty times as long."""
    asked = {"model": "llama-3.1-70b", "gpu": "h100", "n_gpus": n_gpus, "network_gbps_per_gpu": gbps}
    unsaid = answer(**asked)
    assert unsaid["training_days_high"] < 8 * unsaid["training_days_low"]


def test_a_network_is_doubted_less_where_the_machine_is_sold_with_a_fast_one() -> None:
    """HGX H100 has 400 Gb/s a device, HGX A100 200."""
    drawn: dict[str, float] = {}
    for gpu, gbps in (("a100", 200), ("h100", 400)):
        unsaid, told = (
            answer(**{**TWO_NODES, "gpu": gpu}),
            answer(**{**TWO_NODES, "gpu": gpu, "network_gbps_per_gpu": gbps}),
        )
        plain = answer(**{**TWO_NODES, "gpu": gpu, "network_gbps_per_gpu": 25 / 8})
        whole = math.log(plain["training_days"] / told["training_days"])
        drawn[gpu] = math.log(unsaid["training_days"] / told["training_days"]) / whole
    assert 0.0 < drawn["h100"] < 0.7 * drawn["a100"]


PACKED_BY_TRL = {
    "model": "llama-3.2-1b",
    "n_gpus": 1,
    "method": "lora",
    "framework": "TRL",
    "packing": "packed",
    "sequence_length": 2048,
    "micro_batch_size": 4,
}


@pytest.mark.parametrize("gpu", ["h100", "a100", "4090", "3090", "dgx spark"])
def test_packed_samples_may_be_kept_apart_by_a_mask_and_the_range_holds_both(gpu: str) -> None:
    """Whatever the age of the card: who packs today has the trainer's code of today."""
    unsaid = answer(**PACKED_BY_TRL, gpu=gpu)
    mask, ends = (answer(**{**PACKED_BY_TRL, "framework": f"TRL, {said}"}, gpu=gpu) for said in ("sdpa", "FA2"))
    assert "packed_under_a_mask" in codes(unsaid)
    assert "packed_under_a_mask" not in codes(mask) | codes(ends)
    assert ends["training_days"] < unsaid["training_days"] < mask["training_days"]
    assert unsaid["training_days_low"] < ends["training_days"]
    assert mask["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    "said",
    [
        {"packing": "padded"},
        {"framework": "TRL 0.19"},
        {"framework": "LLaMA-Factory"},
        {"micro_batch_size": 1, "sequence_length": 512},
        {"gpu": "t4"},
    ],
)
def test_a_mask_is_not_doubted_where_there_is_none_or_nothing_else_to_have(said: dict[str, Any]) -> None:
    assert "packed_under_a_mask" not in codes(answer(**{**PACKED_BY_TRL, "gpu": "h100", **said}))


EXPERTS_BY_TRL = {
    "model": "qwen3-30b-a3b",
    "gpu": "h100",
    "n_gpus": 1,
    "method": "qlora",
    "framework": "TRL",
    "tokens": None,
    "samples": 10_000,
    "tokens_per_sample": 600,
}


@pytest.mark.parametrize(
    "said", [{}, {"gpu": "a100"}, {"model": "olmoe-1b-7b"}, {"method": "lora", "framework": "LLaMA-Factory"}]
)
def test_experts_may_be_multiplied_all_at_once_or_one_by_one_and_the_range_holds_both(said: dict[str, Any]) -> None:
    """Transformers 5 multiplies all experts of a layer at once; whoever names no release may have either."""
    asked = {**EXPERTS_BY_TRL, **said}
    unsaid = answer(**asked)
    old, new = (answer(**{**asked, "framework": f"{asked['framework']}, transformers {v}"}) for v in ("4.57", "5.0"))
    assert "experts_one_by_one" in codes(unsaid)
    assert "experts_one_by_one" not in codes(old) | codes(new)
    assert new["training_days"] < unsaid["training_days"] < old["training_days"]
    assert unsaid["training_days_low"] < new["training_days"]
    assert old["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    "said",
    [
        {"model": "qwen3-8b"},
        {"framework": "unsloth"},
        {"framework": "ms-swift, megatron", "n_gpus": 8},
        {"framework": "TRL, grouped experts"},
        {"gpu": "v100"},
    ],
)
def test_experts_are_not_doubted_where_there_are_none_or_one_way_alone(said: dict[str, Any]) -> None:
    assert "experts_one_by_one" not in codes(answer(**{**EXPERTS_BY_TRL, **said}))


ENCODER = {
    "model": "bert-base-uncased",
    "gpu": "t4",
    "n_gpus": 1,
    "framework": "HF Trainer",
    "objective": "classification",
    "tokens": None,
    "samples": 67_349,
    "tokens_per_sample": 26,
}


@pytest.mark.parametrize("said", [{}, {"gpu": "v100"}, {"gpu": "a100"}, {"framework": "run_glue.py"}])
def test_an_encoder_on_a_trainer_that_is_not_told_may_be_computed_in_fp32(said: dict[str, Any]) -> None:
    """TrainingArguments has neither fp16 nor bf16 on, and guides for classification leave it so."""
    unsaid, single = answer(**{**ENCODER, **said}), answer(**{**ENCODER, **said}, precision="fp32")
    half = answer(**{**ENCODER, **said}, precision="fp16")
    assert "trained_in_fp32" in codes(unsaid)
    assert "trained_in_fp32" not in codes(single) | codes(half)
    assert half["training_days"] < unsaid["training_days"] < single["training_days"]
    assert unsaid["training_days_low"] < half["training_days"]
    assert single["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    "said",
    [
        {"framework": "HF Trainer, fp16"},
        {"framework": "pytorch"},
        {"model": "gpt2", "objective": "next_token"},
        {"model": "t5-small", "objective": "next_token"},
    ],
)
def test_precision_is_not_doubted_where_it_is_told_or_set_by_what_people_copy(said: dict[str, Any]) -> None:
    assert "trained_in_fp32" not in codes(answer(**{**ENCODER, **said}))


SOUNDS = {"model": "whisper-tiny", "gpu": "h100", "n_gpus": 8, "tokens": None, "samples": "1000 hours"}


def test_sounds_may_be_read_between_steps_and_the_range_holds_both() -> None:
    """Transformers' trainer reads without workers (`dataloader_num_workers` is 0) unless it is told."""
    unsaid = answer(**SOUNDS)
    some, none = (answer(**SOUNDS, framework=f"huggingface, {count} dataloader workers") for count in (8, 0))
    assert "loader_unsaid" in codes(unsaid)
    assert some["training_days"] < unsaid["training_days"] < none["training_days"] < unsaid["training_days_high"]
    assert unsaid["training_days"] < 2 * some["training_days"]
    assert not {"loader_unsaid"} & (codes(some) | codes(none))


CLIPS = {"model": "videomae-base", "gpu": "v100", "n_gpus": 64, "tokens": None, "samples": "169k", "epochs": 800}


def test_clips_may_be_decoded_more_slowly_than_they_are_learnt_from_and_the_range_holds_both() -> None:
    """Of masked clips a tenth is encoded, and all of each is decoded: a core reads some five a second."""
    asked = {**CLIPS, "objective": "pretraining"}
    unsaid = answer(**asked)
    few, many = (answer(**asked, framework=f"pytorch, {count} dataloader workers") for count in (6, 32))
    assert "loader_unsaid" in codes(unsaid)
    assert not {"loader_unsaid"} & (codes(few) | codes(many))
    assert many["training_days"] < unsaid["training_days"] < few["training_days"] < unsaid["training_days_high"]


@pytest.mark.parametrize(
    "said", [{"framework": "pytorch, 12 dataloader workers"}, {"framework": "synthetic data"}, {"model": "vit-b-16"}]
)
def test_clips_are_not_doubted_where_readers_are_told_or_there_are_none(said: dict[str, Any]) -> None:
    assert "loader_unsaid" not in codes(answer(**{**CLIPS, "objective": "pretraining", **said}))


@pytest.mark.parametrize("model", ["whisper-small", "wav2vec2-base", "hubert-base", "vit-base"])
@pytest.mark.parametrize("given", [{"gpu": "h100", "n_gpus": 4}, {"gpu": "a100-40gb", "n_gpus": 2, "method": "lora"}])
def test_a_few_more_samples_at_a_time_make_no_trainer_leap_from_reading_between_steps_to_reading_ahead(
    model: str, given: dict[str, Any]
) -> None:
    """What a device waits for is as long; at most its own work and its launches shrink as the batch grows."""
    asked = {**SOUNDS, "model": model, "framework": "huggingface", "samples": "1M", **given}
    counts = (1, 2, 3, 4, 6, 8, 12, 16)
    days = [answer(**asked, micro_batch_size=count)["training_days"] for count in counts]
    for (few, slow), (more, fast) in pairwise(zip(counts, days, strict=True)):
        assert slow / fast < 1.2 * more / few


ANEW = {"model": "sd-1.5", "gpu": "a100", "n_gpus": 8, "tokens": None, "samples": "100M", "image_size": 512}


def test_a_denoiser_that_is_trained_anew_may_encode_in_each_step_and_the_range_holds_both() -> None:
    """CompVis/latent-diffusion encodes in each step, MosaicML's diffusion before training."""
    large = {**ANEW, "global_batch_sequences": 2048}
    unsaid = answer(**large)
    kept, run = (
        answer(**large, framework=f"pytorch, {said}")
        for said in ("cached latents, cached text embeddings", "encode on the fly")
    )
    assert "encoded_before_training" in codes(unsaid)
    assert kept["step_seconds"] < unsaid["step_seconds"] < run["step_seconds"]
    assert kept["training_days"] < run["training_days"] < unsaid["training_days_high"]
    assert "encoded_before_training" not in codes(kept) | codes(run)


@pytest.mark.parametrize("said", [{"global_batch_sequences": 8}, {"global_batch_sequences": 512, "method": "lora"}])
def test_what_is_tuned_is_taken_to_keep_what_was_encoded(said: dict[str, Any]) -> None:
    assert "encoded_before_training" not in codes(answer(**ANEW, **said))
