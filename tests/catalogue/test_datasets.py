"""Data sets: names, sources, and counts that agree with each other.

Authority: the documents named in data/datasets.json; the rules in estimator/catalogue/dataset_faults.py.
"""

import copy
import json
from typing import Any

import pytest

from estimator.catalogue import catalogue
from estimator.catalogue.dataset_faults import dataset_faults
from estimator.catalogue.datasets import DATASET_KINDS, DatasetEntry
from tests.every import of_every
from tests.places import ROOT

FILE = ROOT / "estimator" / "catalogue" / "data" / "datasets.json"
SETS = catalogue.datasets()


def _file() -> Any:  # noqa: ANN401 - a test breaks it on purpose
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_there_are_as_many_sets_as_people_ask_about_and_of_every_kind() -> None:
    assert len(_file()["datasets"]) >= 60
    assert {one.kind for one in SETS} == set(DATASET_KINDS)


@of_every(SETS)
def test_every_set_is_dated_sourced_and_agrees_with_itself(one: DatasetEntry) -> None:
    assert one.sources
    assert one.date
    assert one.tokens or one.samples or one.hours
    if one.samples and one.tokens and one.tokens_per_sample:
        assert one.samples * one.rows_per_sample * one.tokens_per_sample == pytest.approx(one.tokens, rel=0.1)
    if one.tokens or one.tokens_per_sample:
        assert one.tokenizer


@of_every(SETS)
def test_every_id_finds_its_set(one: DatasetEntry) -> None:
    found = catalogue.found_dataset(one.id.upper())
    assert found is not None
    assert found.value.id == one.id


@pytest.mark.parametrize(
    ("said", "dataset"),
    [
        ("FineTome", "finetome-100k"),
        ("garage-bAInd/Open-Platypus", "open-platypus"),
        ("dolphin", "dolphin-flan1m"),
        ("Magpie", "magpie-pro-300k"),
        ("WizardLM evol", "wizardlm-70k"),
        ("medical-o1-reasoning", "medical-o1-reasoning"),
        ("Spider", "spider"),
        ("SQuAD 2", "squad-2"),
        ("SST-2", "glue-sst2"),
        ("AG News", "ag-news"),
        ("Yelp", "yelp-review-full"),
        ("all-nli", "all-nli"),
        ("MS MARCO", "ms-marco"),
        ("NQ", "natural-questions"),
        ("WMT14 en-de", "wmt14-en-de"),
    ],
)
def test_sets_are_found_by_the_names_that_people_train_on_them_under(said: str, dataset: str) -> None:
    found = catalogue.found_dataset(said)
    assert found is not None
    assert found.value.id == dataset


@pytest.mark.parametrize(
    ("dataset", "samples", "tokens"),
    [
        # Stanford Alpaca's datasheet; infini-gram's index of C4; nanoGPT's count of OpenWebText; grade-school-math.
        ("alpaca", 52_002, None),
        ("c4", 364_868_892, 198_079_554_945),
        ("openwebtext", 8_013_769, 9_040_017_095),
        ("gsm8k", 7_473, None),
        ("redpajama-v2 en", 14.5e9, 20.5e12),
        ("imagenet-1k", 1_281_167, None),
        # The card of nyu-mll/glue.
        ("glue-sst2", 67_349, None),
        ("glue-cola", 8_551, None),
    ],
)
def test_a_set_is_held_to_what_its_source_counts(dataset: str, samples: float, tokens: float | None) -> None:
    entry = catalogue.dataset(dataset)
    assert entry.samples == samples
    if tokens is not None:
        assert entry.tokens == tokens


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("date", "2019", "date '2019'"),
        ("values", {}, "has no numbers"),
        (
            "values",
            {"sample": {"value": 1, "confidence": "read", "sources": ["infini-gram"]}},
            "no number that is known",
        ),
        ("values", {"samples": {"value": -1, "confidence": "read", "sources": ["infini-gram"]}}, "samples is -1"),
        ("values", {"samples": {"value": 1, "confidence": "sure", "sources": ["infini-gram"]}}, "unknown confidence"),
        ("values", {"samples": {"value": 1, "confidence": "read", "sources": ["nowhere"]}}, "nowhere is not listed"),
        ("id", "the-pile", "the-pile is listed twice"),
        ("aliases", ["openwebtext"], "names c4, openwebtext"),
    ],
)
def test_a_slip_in_a_set_is_named(field: str, value: object, fault: str) -> None:
    file = _file()
    file["datasets"][0][field] = value
    assert any(fault in found for found in dataset_faults(file))


def test_counts_that_contradict_each_other_are_named() -> None:
    file = copy.deepcopy(_file())
    mean = {"value": 900, "confidence": "read", "sources": ["infini-gram"]}
    file["datasets"][0]["values"]["tokens_per_sample"] = mean
    assert any("samples × mean" in found for found in dataset_faults(file))
