"""What people say of a machine's own memory is read, and what they say of a device's is not taken for it."""

import pytest

from estimator.resolve.framework.named import named_framework

TOLD = [
    ("64 GB of RAM", 64e9, "node"),
    ("256GB RAM", 256e9, "node"),
    ("128 GB system memory", 128e9, "node"),
    ("1 TB host RAM", 1e12, "node"),
    ("RAM: 64 GB", 64e9, "node"),
    ("host memory of 1.5 TB", 1.5e12, "node"),
    ("with only 32 GB of system RAM", 32e9, "node"),
    ("128 GiB of CPU RAM", 128e9, "node"),
    ("2x48GB DDR5-6000", 96e9, "node"),
    ("8 x 32 GB ECC RAM", 256e9, "node"),
    ("offload to host memory (256 GB)", 256e9, "node"),
    ("512GB RAM per node", 512e9, "node"),
    ("64 GB RAM per GPU", 64e9, "device"),
]
OF_DEVICES = ["24 GB VRAM", "24 GB GPU RAM", "GPU RAM 24 GB", "24 GB memory", "24 GB GDDR6X", "80 GB HBM2e"]


@pytest.mark.parametrize(("text", "size", "of"), TOLD)
def test_words_for_host_memory_are_understood(text: str, size: float, of: str) -> None:
    found = named_framework(f"deepspeed, {text}")
    assert found.practice.host_memory_bytes == size
    assert found.practice.host_memory_of == of
    assert not found.not_understood


@pytest.mark.parametrize("text", OF_DEVICES)
def test_a_devices_memory_is_none_of_its_hosts(text: str) -> None:
    assert named_framework(f"deepspeed, {text}").practice.host_memory_bytes is None
