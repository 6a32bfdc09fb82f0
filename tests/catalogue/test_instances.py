"""Devices by what they are sold and rented in: laptops, computers, modules, cloud instances, slices and counts."""

import pytest

from estimator.base.errors import UnknownNameError
from estimator.catalogue import catalogue
from estimator.question.request import Request
from estimator.resolve.run import resolve


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RTX 4090 Laptop", "rtx-4090-laptop"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "rtx-4090-laptop"),
        ("RTX 4090 (laptop)", "rtx-4090-laptop"),
        ("4090M", "rtx-4090-laptop"),
        ("RTX 4090 Mobile 16GB", "rtx-4090-laptop"),
        ("RTX 4080 Laptop", "rtx-4080-laptop"),
        ("4070 laptop", "rtx-4070-laptop"),
        ("RTX 4060 Laptop", "rtx-4060-laptop"),
        ("4060 Laptop 8GB", "rtx-4060-laptop"),
        ("RTX 4050 Mobile", "rtx-4050-laptop"),
        ("3080 Laptop 16GB", "rtx-3080-laptop-16gb"),
        ("RTX 3080 Mobile 8GB", "rtx-3080-laptop-8gb"),
        ("RTX 3080 Ti Laptop GPU", "rtx-3080-ti-laptop"),
        ("RTX 3070 Laptop", "rtx-3070-laptop"),
        ("RTX 3070 Ti Laptop", "rtx-3070-ti-laptop"),
        ("3060 mobile", "rtx-3060-laptop"),
        ("RTX 5090 Laptop GPU", "rtx-5090-laptop"),
        ("RTX 3050 laptop", "rtx-3050-laptop"),
        ("3050 Laptop 6GB", "rtx-3050-laptop-6gb"),
        ("RTX 3050 Ti Mobile", "rtx-3050-ti-laptop"),
        ("RTX 3050 6GB", "rtx-3050-6gb"),
        ("RTX 3050 8GB", "rtx-3050-8gb"),
        ("NVIDIA GeForce RTX 2050", "rtx-2050"),
        ("RTX 2060", "rtx-2060"),
        ("RTX 2060 12GB", "rtx-2060-12gb"),
        ("RTX 2060 laptop", "rtx-2060-laptop"),
        ("RTX 2070 Super Max-Q", "rtx-2070-super-laptop"),
        ("2080 mobile", "rtx-2080-laptop"),
        ("RTX 5050 laptop", "rtx-5050-laptop"),
        ("RTX 5050", "rtx-5050"),
        ("GTX 1650 Super", "gtx-1650-super"),
        ("GTX 1650 laptop", "gtx-1650-laptop"),
        ("GTX 1660 Ti Max-Q", "gtx-1660-ti-laptop"),
        ("GTX 1060 6GB", "gtx-1060-6gb"),
        ("RX 7600", "rx-7600"),
        ("RX 6600 XT", "rx-6600-xt"),
        ("RTX 5080 Laptop", "rtx-5080-laptop"),
        ("RTX 5070 Ti Laptop", "rtx-5070-ti-laptop"),
        ("TITAN V", "titan-v"),
        ("NVIDIA TITAN Xp", "titan-xp"),
        ("Jetson Thor", "jetson-thor"),
        ("NVIDIA Jetson AGX Thor", "jetson-thor"),
        ("Jetson AGX Orin 64GB", "jetson-agx-orin-64gb"),
        ("Jetson Orin AGX 32GB", "jetson-agx-orin-32gb"),
        ("Orin NX 16GB", "jetson-orin-nx-16gb"),
        ("Jetson Orin Nano Super", "jetson-orin-nano-8gb"),
        ("Ryzen AI Max+ 395", "ryzen-ai-max-395"),
        ("AMD Ryzen AI Max+ 395", "ryzen-ai-max-395"),
        ("Strix Halo", "ryzen-ai-max-395"),
        ("Radeon 8060S", "ryzen-ai-max-395"),
        ("Arc A770", "arc-a770-16gb"),
        ("Intel Arc B580", "arc-b580"),
        ("M1", "apple-m1"),
        ("Apple M1 Pro", "apple-m1-pro"),
        ("M1 Max", "apple-m1-max"),
        ("M1 Ultra", "apple-m1-ultra"),
        ("M2", "apple-m2"),
        ("M2 Pro", "apple-m2-pro"),
        ("M3", "apple-m3"),
        ("M3 Pro", "apple-m3-pro"),
        ("M3 Max", "apple-m3-max"),
        ("M4", "apple-m4"),
        ("M4 Pro", "apple-m4-pro"),
        ("M4 Max", "apple-m4-max"),
        ("MacBook Pro M3 Max", "apple-m3-max"),
        ("M2 MacBook Air", "apple-m2"),
        ("Mac Studio (M2 Ultra)", "apple-m2-ultra"),
        ("Mac mini M4 Pro", "apple-m4-pro"),
    ],
)
def test_a_device_is_found_by_what_it_is_built_into(name: str, expected: str) -> None:
    """Authority: the names that vendors print and drivers report."""
    match = catalogue.accelerator(name)
    assert match.value.id == expected
    assert not match.note


@pytest.mark.parametrize(
    ("name", "expected", "held"),
    [
        ("g5.2xlarge", "a10g", "holds 1 "),
        ("g5.12xlarge", "a10g", "holds 4 "),
        ("g5.48xlarge", "a10g", "holds 8 "),
        ("ml.g5.2xlarge", "a10g", "holds 1 "),
        ("g4dn.xlarge", "t4", "holds 1 "),
        ("g4dn.12xlarge", "t4", "holds 4 "),
        ("g6.xlarge", "l4", "holds 1 "),
        ("g6e.12xlarge", "l40s", "holds 4 "),
        ("p3.2xlarge", "v100-sxm2-16gb", "holds 1 "),
        ("p3.8xlarge", "v100-sxm2-16gb", "holds 4 "),
        ("p4d.24xlarge", "a100-sxm-40gb", "holds 8 "),
        ("p4de.24xlarge", "a100-sxm-80gb", "holds 8 "),
        ("p5.48xlarge", "h100-sxm", "holds 8 "),
        ("p5.4xlarge", "h100-sxm", "holds 1 "),
        ("p5en.48xlarge", "h200-sxm", "holds 8 "),
        ("trn1.32xlarge", "trainium1", "holds 16 "),
        ("trn2.48xlarge", "trainium2", "holds 16 "),
        ("a2-highgpu-1g", "a100-sxm-40gb", "holds 1 "),
        ("a2-highgpu-8g", "a100-sxm-40gb", "holds 8 "),
        ("a2-megagpu-16g", "a100-sxm-40gb", "holds 16 "),
        ("a2-ultragpu-4g", "a100-sxm-80gb", "holds 4 "),
        ("a3-highgpu-8g", "h100-sxm", "holds 8 "),
        ("a3-megagpu-8g", "h100-sxm", "holds 8 "),
        ("a3-ultragpu-8g", "h200-sxm", "holds 8 "),
        ("a4-highgpu-8g", "b200-sxm", "holds 8 "),
        ("g2-standard-4", "l4", "holds 1 "),
        ("g2-standard-96", "l4", "holds 8 "),
        ("ct5lp-hightpu-4t", "tpu-v5e", "holds 4 "),
        ("Standard_ND96isr_H100_v5", "h100-sxm", "holds 8 "),
        ("ND96isr_H100_v5", "h100-sxm", "holds 8 "),
        ("Standard_ND96amsr_A100_v4", "a100-sxm-80gb", "holds 8 "),
        ("Standard_ND96asr_v4", "a100-sxm-40gb", "holds 8 "),
        ("Standard_NC24ads_A100_v4", "a100-pcie-80gb", "holds 1 "),
        ("Standard_NC64as_T4_v3", "t4", "holds 4 "),
        ("Standard_ND96isr_MI300X_v5", "mi300x", "holds 8 "),
        ("BM.GPU.H100.8", "h100-sxm", "holds 8 "),
        ("VM.GPU.A10.2", "a10", "holds 2 "),
        ("DGX H100", "h100-sxm", "holds 8 "),
        ("DGX H100 SuperPOD", "h100-sxm", "holds 8 "),
        ("HGX H100", "h100-sxm", "holds 8 "),
        ("HGX H100 4-GPU", "h100-sxm", "holds 4 "),
        ("HGX A100", "a100-sxm-80gb", "holds 8 "),
        ("HGX B200", "b200-sxm", "holds 8 "),
        ("GB200 NVL72", "gb200", "holds 72 "),
        ("GB200 NVL36", "gb200", "holds 36 "),
        ("GB300 NVL72 rack", "gb300", "holds 72 "),
        ("DGX GB300", "gb300", "holds 72 "),
        ("Vera Rubin NVL144", "rubin", "holds 72 "),
        ("Trn2 UltraServer", "trainium2", "holds 64 "),
        ("BM.GPU.GB300.4", "gb300", "holds 4 "),
        ("2 racks of GB200 NVL72", "gb200", "names 2 machines"),
        ("GPUs of GB200 NVL72", "gb200", "holds 72 "),
        ("8 GPUs of H100", "h100-sxm", "names 8 of them"),
        ("cards of a DGX A100", "a100-sxm-80gb", "holds 8 "),
        ("2 nodes of 8 H100", "h100-sxm", "names 2 machines"),
        ("v6e-8", "tpu-v6e", "8 chips"),
        ("TPU v5e-16", "tpu-v5e", "16 chips"),
        ("v5litepod-256", "tpu-v5e", "256 chips"),
        # Cloud TPU documentation: these generations are called by their cores, two a chip.
        ("v5p-128", "tpu-v5p", "128 cores, 64 chips"),
        ("v4-32", "tpu-v4", "32 cores, 16 chips"),
        ("v3-8", "tpu-v3", "8 cores, 4 chips"),
        ("8x H100", "h100-sxm", "names 8 of them"),
        ("8xA100-80GB", "a100-sxm-80gb", "names 8 of them"),
        ("2 x RTX 4090", "rtx-4090", "names 2 of them"),
        ("H100 x8", "h100-sxm", "names 8 of them"),
        ("L40S:4", "l40s", "names 4 of them"),
        ("gpu_8x_h100_sxm5", "h100-sxm", "names 8 of them"),
    ],
)
def test_what_holds_several_devices_says_how_many_and_that_n_gpus_counts_them(
    name: str, expected: str, held: str
) -> None:
    """Authority: the providers' pages, named in data/instances.json and data/accelerators.json."""
    match = catalogue.accelerator(name)
    assert match.value.id == expected
    assert held in match.note
    assert "n_gpus" in match.note


@pytest.mark.parametrize(
    ("name", "expected", "said"),
    [
        ("3080 Laptop", "rtx-3080-laptop-8gb", "rtx-3080-laptop-16gb"),
        ("Jetson AGX Orin", "jetson-agx-orin-64gb", "jetson-agx-orin-32gb"),
        ("M3 Max 64GB", "apple-m3-max", "with 64 GB"),
        ("MacBook Pro M4 Max 48 GB", "apple-m4-max", "with 48 GB"),
    ],
)
def test_a_memory_that_is_open_or_differs_is_said(name: str, expected: str, said: str) -> None:
    match = catalogue.accelerator(name)
    assert match.value.id == expected
    assert said in match.note


@pytest.mark.parametrize(
    ("name", "chip", "gigabytes"),
    [("M2 Max 32GB", "M2 Max", 32), ("MacBook Pro M4 Max 48 GB", "M4 Max", 48), ("Apple M1 8GB", "M1", 8)],
)
def test_a_computer_has_the_memory_that_was_said_and_as_large_a_share_of_it(
    name: str, chip: str, gigabytes: float
) -> None:
    said, largest = catalogue.accelerator(name).value, catalogue.accelerator(chip).value
    assert said.id == largest.id
    assert said.nominal_memory_gb == gigabytes < largest.nominal_memory_gb
    share = largest.accelerator.memory_bytes / largest.nominal_memory_gb
    assert said.accelerator.memory_bytes == pytest.approx(share * gigabytes)


@pytest.mark.parametrize(
    ("name", "card", "gigabytes", "count"),
    [
        ("RTX 4090 48GB", "rtx-4090", 48, None),
        ("modded 4090 48GB", "rtx-4090", 48, None),
        ("4090D 48G", "rtx-4090-d", 48, None),
        ("2x RTX 2080 Ti 22 GB", "rtx-2080-ti", 22, 2),
        ("2080ti 22gb", "rtx-2080-ti", 22, None),
        ("RTX 3060 8GB", "rtx-3060-12gb", 8, None),
    ],
)
def test_a_card_may_be_sold_or_refitted_with_another_memory(
    name: str, card: str, gigabytes: float, count: int | None
) -> None:
    match, usual = catalogue.accelerator(name), catalogue.accelerator(card).value
    said = match.value
    assert (said.id, said.nominal_memory_gb, match.count) == (usual.id, gigabytes, count)
    assert f"with {gigabytes} GB" in match.note
    chip, plain = said.accelerator, usual.accelerator
    assert chip.memory_bytes / plain.memory_bytes == pytest.approx(gigabytes / usual.nominal_memory_gb)
    assert chip.peak_flop_per_s == plain.peak_flop_per_s


@pytest.mark.parametrize("name", ["A100 64GB", "4090 1000GB", "H100 1GB"])
def test_other_memories_of_other_devices_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError):
        catalogue.accelerator(name)


@pytest.mark.parametrize(
    ("name", "expected", "count"),
    [
        ("Colab T4", "t4", None),
        ("T4 (Colab)", "t4", None),
        ("Kaggle T4 x2", "t4", 2),
        ("Kaggle 2x T4", "t4", 2),
        ("Kaggle P100", "p100-pcie-16gb", None),
        ("two 3090s", "rtx-3090", 2),
        ("dual RTX 4090", "rtx-4090", 2),
        ("4090 x2", "rtx-4090", 2),
        ("RTX 3090 (vast.ai)", "rtx-3090", None),
        ("runpod 4090", "rtx-4090", None),
        ("Lambda H100", "h100-sxm", None),
        ("spot A100", "a100-sxm-80gb", None),
        ("preemptible TPU v4-8", "tpu-v4", 4),
        ("eight A100s on demand", "a100-sxm-80gb", 8),
        ("4x A100 spot instances", "a100-sxm-80gb", 4),
        ("Kaggle T4x2", "t4", 2),
        ("A100x8", "a100-sxm-80gb", 8),
        ("8 A100s", "a100-sxm-80gb", 8),
        ("1024 H100", "h100-sxm", 1024),
        ("4 4090s", "rtx-4090", 4),
        ("H100s", "h100-sxm", None),
        ("n1-standard-8 with T4", "t4", None),
        ("ND H100 v5", "h100-sxm", None),
        ("NC A100 v4 series", "a100-sxm-80gb", None),
        ("ml.p5.48xlarge", "h100-sxm", None),
        ("Colab", "t4", None),
        ("free colab", "t4", None),
        ("A100 80GB (Colab)", "a100-sxm-80gb", None),
    ],
)
def test_where_and_how_a_device_is_rented_hides_no_device(name: str, expected: str, count: int | None) -> None:
    match = catalogue.accelerator(name)
    assert (match.value.id, match.count) == (expected, count)
    assert ("interruptions are not counted" in match.note) == ("spot" in name or "preemptible" in name)


@pytest.mark.parametrize("name", ["Colab A100", "Google Colab Pro A100", "A100 (colab)", "colab a100 gpu"])
def test_a_card_that_a_service_lends_is_of_the_size_that_it_has(name: str) -> None:
    """Google Colab's `nvidia-smi` shows an A100-SXM4-40GB."""
    match = catalogue.accelerator(name)
    assert match.value.id == "a100-sxm-40gb"
    assert "say A100 80GB" in match.note


@pytest.mark.parametrize(
    ("gpu", "n_gpus", "doubted"),
    [
        ("8x H100", 1, True),
        ("8x H100", 8, False),
        ("dual 4090", 1, True),
        ("tpu v3-8", 8, False),
        ("tpu v3-8", 4, False),
        ("tpu v3-8", 1, False),
        ("tpu v3-8", 2, True),
        ("tpu v3-8", 64, True),
        ("DGX H100", 1, True),
        ("DGX H100", 16, False),
        ("p4d.24xlarge", 2, True),
        ("8x DGX H100", 64, False),
        ("4x DGX A100", 32, False),
        ("8x DGX H100", 8, True),
        ("2x p4d.24xlarge", 2, True),
        ("2x p4d.24xlarge", 16, False),
        ("g5.xlarge", 3, False),
        ("HGX B200", 1, True),
        ("HGX B200", 8, False),
        ("8x HGX H100", 8, False),
        ("8x HGX H100", 64, False),
        ("GB200 NVL72", 1, True),
        ("GB200 NVL72", 2, True),
        ("GB200 NVL72", 8, False),
        ("GB200 NVL72", 72, False),
        ("72x GB200 NVL72", 72, False),
        ("2 nodes of 8 H100", 16, False),
        ("2 nodes of 8 H100", 8, True),
        ("2 nodes with 4090s", 4, False),
        ("2 nodes with 4090s", 3, True),
        ("H100", 3, False),
    ],
)
def test_a_count_that_is_told_twice_and_differs_is_warned_of(gpu: str, n_gpus: int, *, doubted: bool) -> None:
    run = resolve(Request(model="gpt-2", gpu=gpu, n_gpus=n_gpus, tokens="1B"))
    assert ("gpu_count_disagrees" in {caution.code for caution in run.warnings}) == doubted


@pytest.mark.parametrize(
    "name",
    [
        "0x",
        "8x",
        "x8",
        "8x Foo",
        "8 Foo",
        "Foo x8",
        "4080 Foos",
        "Colab Pro",
        "g5.3xlarge",
        "MacBook",
        "v9-8",
        "m4.xlarge",
        "8x8x H100",
    ],
)
def test_what_holds_no_known_device_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="unknown gpu"):
        catalogue.accelerator(name)


@pytest.mark.parametrize(
    ("name", "expected"), [("L40S", "l40s"), ("V100S", "v100s-pcie-32gb"), ("4080S", "rtx-4080-super")]
)
def test_a_name_that_ends_in_an_s_is_the_plural_of_none_where_it_is_one_itself(name: str, expected: str) -> None:
    assert catalogue.accelerator(name).value.id == expected


def test_a_desktop_card_is_not_its_laptop_namesake() -> None:
    """A laptop's RTX 4090 has the chip and the memory of a desktop RTX 4080."""
    laptop, desktop = (catalogue.accelerator(name).value.accelerator for name in ("4090 laptop", "4090"))
    assert laptop.training_peak_flop_per_s < 0.55 * desktop.training_peak_flop_per_s
    assert laptop.memory_bytes < 0.7 * desktop.memory_bytes
