"""The tool `list_gpus` finds, orders and describes accelerators."""

import subprocess
import sys

import pytest

from estimator.answers.estimate.selection import selection
from estimator.base.errors import UnknownNameError
from tests.places import ROOT
from tools.list_gpus import Gpu, list_gpus


def _only(query: str) -> Gpu:
    return list_gpus(query=query).gpus[0]


def test_the_rtx_4090_trains_at_165_and_names_the_two_other_figures() -> None:
    """Authority: NVIDIA Ada whitepaper v2.1, appendix A: 165.2 FP32 accumulate, 330.3 FP16 accumulate, 82.58 shader."""
    gpu = _only("4090")
    assert gpu.id == "rtx-4090"
    assert gpu.training_peak_tflops == pytest.approx(165.2)
    assert any("330.3" in note and "FP16 accumulation" in note for note in gpu.notes)
    assert any("82.58" in note and "shader" in note for note in gpu.notes)


def test_the_h100_is_listed_with_its_dense_rates() -> None:
    """Authority: NVIDIA H100 datasheet, halved where it assumes sparsity."""
    gpu = _only("H100")
    assert gpu.id == "h100-sxm"
    assert gpu.memory_gb == pytest.approx(80)
    assert gpu.memory_bandwidth_gb_s == pytest.approx(3350)
    assert gpu.peak_tflops["bf16"] == pytest.approx(989.4)
    assert gpu.peak_tflops["fp8"] == pytest.approx(1978.9)
    assert gpu.scale_up_gb_s == pytest.approx(450)
    assert gpu.scale_up_domain == 8
    assert gpu.tdp_w == pytest.approx(700)


def test_a_name_that_could_mean_several_lists_them_and_says_which_comes_first() -> None:
    """Authority: the public contract: resolved to the commonest, and said so."""
    answer = list_gpus(query="H100")
    assert [gpu.id for gpu in answer.gpus] == ["h100-sxm", "h100-nvl", "h100-pcie"]
    assert "could also mean h100-pcie" in answer.summary


def test_an_exact_name_comes_before_longer_ones() -> None:
    """Authority: library_mistakes.json: L4 is not L40."""
    assert [gpu.id for gpu in list_gpus(query="L4").gpus] == ["l4", "l40s", "l40"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [("hopper", "h200-sxm"), ("consumer ada", "rtx-4090"), ("tpu", "tpu-v6e"), ("NVIDIA 80GB", "a100-sxm-80gb")],
)
def test_words_find_devices_by_architecture_segment_and_size(query: str, expected: str) -> None:
    """Every word must match the start of a word of the device."""
    assert expected in {gpu.id for gpu in list_gpus(query=query, limit=50).gpus}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("3090 4090", {"rtx-3090", "rtx-4090"}),
        ("4090, 3090", {"rtx-3090", "rtx-4090"}),
        ("H100 or A100", {"h100-sxm", "a100-sxm-80gb"}),
        ("h100 vs mi300x", {"h100-sxm", "mi300x"}),
        ("l4 t4 a10", {"l4", "t4", "a10"}),
        ("h100-sxm/h200", {"h100-sxm", "h200-sxm"}),
    ],
)
def test_a_query_that_lists_several_finds_each(query: str, ids: set[str]) -> None:
    answer = list_gpus(query=query, limit=50)
    assert ids <= {gpu.id for gpu in answer.gpus}
    assert "n_gpus" not in answer.summary


@pytest.mark.parametrize("query", ["a100 80gb", "4090 laptop", "consumer ada", "8x h100", "8 4090", "rtx 3060 12gb"])
def test_words_of_one_device_are_no_list(query: str) -> None:
    words = query.removeprefix("8x ").removeprefix("8 ").split()
    everything = {gpu.id for word in words for gpu in list_gpus(query=word, limit=200).gpus}
    found = {gpu.id for gpu in list_gpus(query=query, limit=200).gpus}
    assert found <= everything
    assert len(words) == 1 or found != everything


def test_what_of_a_list_nothing_is_called_is_said() -> None:
    answer = list_gpus(query="h100, nope")
    assert "no accelerator matches 'nope'" in answer.summary
    assert {gpu.id for gpu in answer.gpus} == {"h100-sxm", "h100-nvl", "h100-pcie"}


BRANDS = {
    "AMD Instinct": {"mi100", "mi300x", "mi355x"},
    "instinct": {"mi50-16gb", "mi300x"},
    "GeForce": {"rtx-4090", "gtx-1080-ti"},
    "NVIDIA GeForce": {"rtx-4090", "gtx-1080-ti"},
    "Tesla": {"t4", "p100-sxm2", "v100-sxm2-32gb"},
    "Radeon": {"rx-7900-xtx", "radeon-pro-w7900"},
    "RTX 50 series": {"rtx-5090", "rtx-5060-ti-8gb"},
    "RTX 50-series": {"rtx-5090", "rtx-5090-laptop"},
    "RTX 5000 series": {"rtx-5090", "rtx-5070-ti"},
    "rx 7000 series": {"rx-7900-xtx", "rx-7900-xt"},
    "GTX 16 series": {"gtx-1660-ti", "gtx-1650"},
    "H series": {"h100-sxm", "h20-96gb", "h200-sxm"},
    "MI300 series": {"mi300x", "mi300a"},
    "Blackwell": {"b200-sxm", "rtx-5090"},
    "Hopper": {"h100-sxm", "h200-nvl"},
    "Ada Lovelace": {"rtx-4090", "l40s"},
    "CDNA 3": {"mi300x", "mi325x"},
    "NVIDIA datacenter": {"h100-sxm", "a100-sxm-80gb"},
    "Tesla A100": {"a100-sxm-80gb"},
}
NOT_OF_THEM = {
    "RTX 50 series": {"rtx-5000-ada", "rtx-a5000", "rtx-pro-5000-blackwell", "rtx-4090"},
    "Tesla": {"a100-sxm-80gb", "rtx-4090"},
    "Radeon": {"mi300x", "rtx-4090"},
    "Instinct": {"rx-7900-xtx"},
    "CDNA 3": {"mi100"},
    "NVIDIA datacenter": {"mi300x", "tpu-v4"},
}


@pytest.mark.parametrize(("query", "ids"), BRANDS.items())
def test_brands_series_and_architectures_find_their_devices(query: str, ids: set[str]) -> None:
    """All are words of the makers' own names."""
    found = {entry.id for entry in selection(query=query).entries}
    assert ids <= found
    assert not NOT_OF_THEM.get(query, set()) & found


def test_every_word_of_a_devices_name_finds_it() -> None:
    missed = [
        (entry.id, word)
        for entry in selection().entries
        for word in entry.accelerator.name.replace("(", " ").replace(")", " ").replace(",", " ").split()
        if word.casefold() in {"geforce", "tesla", "instinct", "radeon", "quadro", "titan", "jetson", "gaudi", "arc"}
        and entry not in selection(query=word).entries
    ]
    assert not missed


def test_a_query_that_is_a_vendor_lists_its_devices() -> None:
    """A vendor's name tells no two devices apart, so it is no search word; it still should find something."""
    assert {gpu.vendor for gpu in list_gpus(query="amd", limit=200).gpus} == {"AMD"}


@pytest.mark.parametrize("vendor", ["nvidia", "NVIDIA", " Nvidia "])
def test_a_vendor_keeps_only_its_devices(vendor: str) -> None:
    """Case does not matter."""
    answer = list_gpus(vendor=vendor, limit=200)
    assert {gpu.vendor for gpu in answer.gpus} == {"NVIDIA"}
    assert answer.total == len(answer.gpus) > 80


def test_memory_and_precision_keep_only_devices_that_have_them() -> None:
    """Both conditions hold of every device listed, and of no other."""
    kept = list_gpus(min_memory_gb=100, precision="fp8", limit=200)
    # All at once are more than an answer holds.
    vendors = ("nvidia", "amd", "google", "aws", "intel", "huawei", "apple")
    everything = [gpu for vendor in vendors for gpu in list_gpus(vendor=vendor, limit=200).gpus]
    assert len(everything) == list_gpus().total
    assert {gpu.id for gpu in kept.gpus} == {
        gpu.id for gpu in everything if gpu.memory_gb >= 100 and "fp8" in gpu.peak_tflops
    }
    assert kept.total > 5


def test_each_order_puts_the_expected_first() -> None:
    """Largest first, cheapest first, alphabetical; devices without a price come last."""
    everything = {order: list_gpus(sort_by=order, limit=200).gpus for order in ("memory", "bandwidth", "year")}
    assert everything["memory"][0].memory_gb == max(gpu.memory_gb for gpu in everything["memory"])
    assert everything["bandwidth"][0].memory_bandwidth_gb_s == max(
        gpu.memory_bandwidth_gb_s for gpu in everything["bandwidth"]
    )
    years = [gpu.year for gpu in everything["year"]]
    assert years == sorted(years, reverse=True)
    names = [gpu.name.casefold() for gpu in list_gpus(sort_by="name", limit=200).gpus]
    assert names == sorted(names)
    usd = [gpu.usd_per_gpu_hour for gpu in list_gpus(sort_by="price", limit=200).gpus]
    priced = [price for price in usd if price is not None]
    assert priced == sorted(priced)
    assert usd[: len(priced)] == priced


def test_a_promised_device_does_not_head_the_list_by_peak() -> None:
    """Figures of an announcement are no rates one can train at today."""
    entries = selection(sort_by="peak").entries
    assert entries[0].status == "shipping"
    assert entries[-1].status == "announced"


def test_the_limit_shortens_the_list_and_not_the_total() -> None:
    """The summary says that there is more."""
    answer = list_gpus(limit=3)
    assert len(answer.gpus) == 3
    assert answer.total >= 90
    assert "raise limit" in answer.summary


def test_conditions_that_nothing_meets_are_answered_with_what_to_relax() -> None:
    """An empty list is an answer, not an error."""
    answer = list_gpus(min_memory_gb=100_000)
    assert answer.gpus == []
    assert "relax" in answer.summary


def test_detail_tells_the_source_of_every_number() -> None:
    """Authority: the project's rule that each number carries its source; concise tells that of the training rate."""
    (concise,) = list_gpus(query="h100-sxm").gpus
    (detailed,) = list_gpus(query="h100-sxm", detail="detailed").gpus
    assert len(concise.sources) == 1
    assert concise.sources[0].startswith("bf16_tflops 989.4")
    assert len(detailed.sources) > 15


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"query": "h100-smx"}, "unknown query 'h100-smx'; did you mean h100-sxm, h100-nvl, h100-pcie?"),
        ({"query": "???"}, "unknown query '???'; give words of a name, architecture or segment"),
        ({"vendor": "nvidea"}, "unknown vendor 'nvidea'; did you mean nvidia?"),
        ({"precision": "bf61"}, "unknown precision 'bf61'; did you mean bf16"),
    ],
)
def test_a_misspelt_choice_is_refused_with_the_nearest(arguments: dict[str, str], sentence: str) -> None:
    """Authority: the public contract's form of an error."""
    with pytest.raises(UnknownNameError) as caught:
        list_gpus(
            query=arguments.get("query", ""),
            vendor=arguments.get("vendor", ""),
            precision=arguments.get("precision", ""),
        )
    assert str(caught.value).startswith(sentence)


def test_listing_gpus_imports_no_numpy() -> None:
    """Authority: the cold-start budget; NumPy takes longer to import than the whole listing."""
    code = (
        "import sys; from tools.list_gpus import list_gpus; list_gpus(query='H100'); sys.exit('numpy' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert finished.returncode == 0
