"""Kernels are advised only where a network has the layers that they fuse.

Authority: Hsu et al. 2024 (Liger Kernel): RMSNorm, SwiGLU and GeGLU, rotary embedding, the loss over a vocabulary.
"""

import pytest

from estimator.answers.estimate.changes import single_changes
from estimator.physics.choice import setting_of
from estimator.question.request import Request
from estimator.resolve.run import resolve


@pytest.mark.parametrize(
    ("model", "are_advised"),
    [
        ("llama-3.1-8b", True),
        ("mixtral-8x7b", True),
        ("gemma-2-2b", True),
        ("qwen2.5-vl-7b", True),
        ("gpt2-xl", False),
        ("modernbert-large", False),
        ("bert-large", False),
        ("t5-3b", False),
        ("vit-l-16", False),
        ("whisper-large-v3", False),
        ("sdxl", False),
    ],
)
@pytest.mark.parametrize("framework", ["huggingface", "pytorch"])
def test_liger_is_advised_for_decoders_of_the_kind_it_has_kernels_for(
    model: str, framework: str, *, are_advised: bool
) -> None:
    length = None if model in {"vit-l-16", "sdxl", "whisper-large-v3"} else 400
    asked = Request(model=model, gpu="rtx 3060", n_gpus=1, framework=framework, samples=1000, tokens_per_sample=length)
    question = resolve(asked).question
    assert question is not None
    words = [str(change.arguments.get("framework", "")) for change in single_changes(setting_of(question))]
    assert any("Liger" in said for said in words) is are_advised
