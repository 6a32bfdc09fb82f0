"""How trainers are told what an answer proposes, in the words of their own options."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.physics.choice import Setting
from estimator.physics.effects import release

__all__ = ["bf16_weights_said"]

_BF16_WEIGHTS: Mapping[str, str] = MappingProxyType(
    {
        "trl": "dtype bfloat16 in model_init_kwargs",
        "llama-factory": "pure_bf16: true",
        "ms-swift": "--torch_dtype bfloat16",
        "axolotl": "bf16: full",
    }
)
_LOADED = "the model loaded with dtype=torch.bfloat16"
_ON_TRANSFORMERS = "huggingface"


def bf16_weights_said(setting: Setting) -> str:
    """Return how the trainer of `setting` is told to train weights in BF16; empty where that is not known.

    DeepSpeed keeps copies in FP32 whatever is loaded, and so does Accelerate with FSDP in mixed precision.
    """
    question, stack = setting.question, setting.stack
    engine = question.practice.over(stack.habit_at(release(question))).zero_engine
    if engine == "deepspeed" or "deepspeed" in stack.kin:
        return ""
    if stack.kin == _ON_TRANSFORMERS and engine is not None:
        return f"{_LOADED}, and no mixed precision"
    of_transformers = stack.kin in {_ON_TRANSFORMERS, "pytorch"} and stack.tunes
    return _BF16_WEIGHTS.get(stack.name, _LOADED if of_transformers else "")
