"""The published runs of other kinds than plain decoders can be priced, and none is faster than its device.

A row is one measurement of a hybrid, a vision-language model, an encoder, an encoder with a decoder, a vision or an
audio model, or a diffusion model. A sample is what the batch counts: a sequence, an image, a pair, a clip of frames;
`sequence` is how many positions the main stack computes for it, `flop_per_sample` the matrix products of a training
step for it (forward counted with two operations a product; three times where trained, twice where only gradients pass
through, once where frozen; neither recomputation nor input embeddings), as `flop_basis` says.

    implied_mfu = flop_per_sample x samples per second / (gpus x dense peak at the row's precision)

Authorities: the sources named in the rows; datasheets for the peaks.
"""

import csv
import json
from collections import Counter
from collections.abc import Mapping

import pytest

from estimator.catalogue import catalogue
from tests.places import ROOT

DATA = ROOT / "estimator" / "catalogue" / "data"
CONFIGS = DATA / "configs_of_kinds"
with (DATA / "runs_of_kinds.csv").open(encoding="utf-8", newline="") as _file:
    ROWS: list[dict[str, str]] = list(csv.DictReader(_file))
USABLE = [row for row in ROWS if row["usable"] == "yes"]

KINDS = {"hybrid", "vision_language", "encoder", "encoder_decoder", "vision", "diffusion", "audio"}
WORDS = {
    "kind": KINDS,
    "usable": {"yes", "no"},
    "read": {"yes", "excerpt", "memory"},
    "level": {"step", "run"},
    "method": {"full", "lora", "frozen"},
    "precision": {"fp32", "tf32", "fp16", "bf16", "fp8", "mxfp8", "nvfp4"},
    "sharding": {"", "ddp", "zero1", "zero2", "zero3"},
    "recompute": {"", "none", "selective", "full"},
    "packing": {"", "padded", "packed", "unpadded", "fixed"},
    "encoders": {"", "cached", "run", "VAE run", "VAE cached, text run"},
}
RATES = {
    "fp32": "fp32_tflops",
    "tf32": "tf32_tflops",
    "fp16": "fp16_tflops",
    "bf16": "bf16_tflops",
    "fp8": "fp8_tflops",
    "mxfp8": "mxfp8_tflops",
    "nvfp4": "nvfp4_tflops",
}
PEAKS: Mapping[str, Mapping[str, float]] = {
    row["id"]: {
        precision: row["values"][key]["value"] for precision, key in RATES.items() if row["values"].get(key) is not None
    }
    for row in json.loads((DATA / "accelerators.json").read_text(encoding="utf-8"))["accelerators"]
}
SECONDS_PER_HOUR = 3600
ROUNDING = 0.01
"""Printed rates and step times of one run are rounded on their own."""


def _samples_per_s(row: Mapping[str, str]) -> float:
    """Return samples a second of all GPUs together, from whichever figure the source printed."""
    if row["samples_per_s"]:
        return float(row["samples_per_s"])
    gpus = int(row["gpus"])
    if row["tokens_per_s_per_gpu"]:
        return float(row["tokens_per_s_per_gpu"]) * gpus / int(row["sequence"])
    if row["step_s"]:
        return int(row["global_batch"]) / float(row["step_s"])
    samples = float(row["total_samples"] or 0) or int(row["total_steps"]) * int(row["global_batch"])
    hours = float(row["hours"] or 0) or float(row["gpu_hours"]) / gpus
    return samples / (hours * SECONDS_PER_HOUR)


def test_there_are_enough_runs_of_every_kind_from_enough_labs() -> None:
    assert len(USABLE) >= 60
    assert len({row["lab"] for row in USABLE}) >= 12
    counts = Counter(row["kind"] for row in USABLE)
    assert set(counts) == KINDS
    assert min(counts.values()) >= 10


def test_every_id_is_its_own() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("column", sorted(WORDS))
def test_a_column_of_words_holds_only_those_known(column: str) -> None:
    assert {row[column] for row in ROWS} <= WORDS[column]


def test_every_row_names_its_source_lab_and_group() -> None:
    assert [row["id"] for row in ROWS if not (row["source"] and row["lab"] and row["group"] and row["framework"])] == []


def test_every_device_is_in_the_catalogue_and_has_the_peak_of_its_row() -> None:
    for row in ROWS:
        catalogue.accelerator(row["accelerator"])
        assert float(row["peak_tflops"]) == PEAKS[row["accelerator"]][row["precision"]], row["id"]


def test_every_usable_row_can_be_priced() -> None:
    """What is computed for a sample, on how many devices, and how often."""
    for row in USABLE:
        assert int(row["gpus"]) > 0, row["id"]
        assert int(row["sequence"]) > 0, row["id"]
        assert row["flop_basis"], row["id"]
        assert (CONFIGS / f"{row['config']}.json").is_file(), row["id"]
        assert _samples_per_s(row) > 0, row["id"]


def test_every_architecture_is_of_a_run_and_says_what_it_is() -> None:
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CONFIGS.glob("*.json")}
    assert set(files) == {row["config"] for row in ROWS if row["config"]}
    assert [name for name, config in files.items() if not ("model_type" in config or "_class_name" in config)] == []


def test_the_utilization_is_what_the_row_implies() -> None:
    for row in ROWS:
        peak_flop_per_s = int(row["gpus"]) * float(row["peak_tflops"]) * 1e12
        share = float(row["flop_per_sample"]) * _samples_per_s(row) / peak_flop_per_s
        assert share == pytest.approx(float(row["implied_mfu"]), rel=ROUNDING), row["id"]


def test_no_usable_run_is_faster_or_slower_than_devices_are() -> None:
    for row in USABLE:
        assert 0.01 < float(row["implied_mfu"]) < 0.8, row["id"]


def test_a_batch_is_whole_micro_batches() -> None:
    """Every replica takes as many, over the devices that do not share one sample."""
    for row in USABLE:
        if row["global_batch"] and row["micro_batch"]:
            split = [int(row[key] or 1) for key in ("tp", "pp", "cp")]
            replicas = int(row["gpus"]) // (split[0] * split[1] * split[2])
            assert int(row["global_batch"]) % int(row["micro_batch"]) == 0, row["id"]
            assert int(row["global_batch"]) >= replicas, row["id"]


def test_step_time_and_token_rate_of_a_row_agree() -> None:
    """Within 7 %: one source printed tokens/s over more than the steps it averaged."""
    for row in USABLE:
        if row["step_s"] and row["tokens_per_s_per_gpu"] and row["global_batch"]:
            tokens = int(row["global_batch"]) * int(row["sequence"])
            rate = tokens / float(row["step_s"]) / int(row["gpus"])
            assert rate == pytest.approx(float(row["tokens_per_s_per_gpu"]), rel=0.07), row["id"]


def test_vision_and_diffusion_rows_say_how_many_positions_an_image_takes() -> None:
    for row in USABLE:
        if row["kind"] in {"vision", "diffusion"} and not row["model"].startswith("Wan"):
            assert row["images"], row["id"]
            assert int(row["image_tokens"]) > 0, row["id"]
