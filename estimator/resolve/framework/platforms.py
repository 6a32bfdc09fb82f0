"""Whose chips a training stack is made for, and what to beware of on others."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.base.text import listed
from estimator.models.training import MethodName
from estimator.physics.stacks import auto_stack
from estimator.question.cluster import Accelerator
from estimator.question.question import Caution
from estimator.resolve.framework.software import NamedFramework

__all__ = ["MADE_FOR", "NOT_FOR_GPU", "is_made_for", "platform_doubts"]

NOT_FOR_GPU = "stack_not_for_gpu"
"""Code of the caution that a stack is not made for a chip."""
_GAUDI = "Intel Gaudi"
_GPUS = ("NVIDIA", "AMD", "Intel")
_PORTED = (*_GPUS, _GAUDI, "Huawei")
_MADE_FOR: tuple[tuple[str, tuple[str, ...]], ...] = (
    # CUDA's own libraries (Transformer Engine, Apex), or kernels written in it.
    ("nemo automodel llmq hai-llm metaseq modded-nanogpt", ("NVIDIA",)),
    ("llm.c", ("NVIDIA", "AMD")),
    # Triton and a port of bitsandbytes (unslothai/unsloth, installation pages).
    ("unsloth", _GPUS),
    # GPUs, and what their vendors ported them to.
    ("megatron megatron-deepspeed gpt-neox internevo colossal-ai deepspeed-chat openrlhf verl xtuner", _PORTED),
    ("deepspeed torchtitan torchtune llama-factory ms-swift", (*_PORTED, "Apple")),
    # The vendors' own.
    ("maxtext", ("Google", "NVIDIA", "AMD")),
    ("torch-xla", ("Google", "AWS", "NVIDIA")),
    ("neuron", ("AWS",)),
    ("mindspeed", ("Huawei",)),
    ("primus", ("AMD",)),
    ("optimum-habana", (_GAUDI,)),
    ("mlx", ("Apple",)),
)
MADE_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {stack: makers for stacks, makers in _MADE_FOR for stack in stacks.split()}
)
"""Makers of the chips that a stack is made for or was ported to; what is not here runs wherever its library does."""
_WITHOUT_BITSANDBYTES = frozenset({"Google", "AWS"})
"""Makers whose chips bitsandbytes has no kernels for: it has CUDA's, ROCm's, Intel's and Gaudi's, a fork has Ascend's,
and Apple's chips have MLX."""


def is_made_for(stack: str, accelerator: Accelerator) -> bool:
    """Return whether `stack` is made for a chip or was ported to it, as far as that is known."""
    maker = _maker(accelerator)
    return maker in MADE_FOR.get(stack, (maker,))


def _maker(accelerator: Accelerator) -> str:
    return _GAUDI if accelerator.family == "gaudi" else accelerator.vendor


def platform_doubts(named: NamedFramework, accelerator: Accelerator | None, method: MethodName) -> tuple[Caution, ...]:
    """Return what to beware of where the software named, or the method, is not made for the chip; often none."""
    if accelerator is None:
        return ()
    maker, doubts = _maker(accelerator), list[Caution]()
    if not is_made_for(named.name, accelerator):
        makers = MADE_FOR[named.name]
        usual = auto_stack(accelerator, method).name
        message = (
            f"{named.name} is made for chips of {listed(makers)}, and {accelerator.name} is none of them: the answer "
            f"supposes that it runs there; {usual} is what most use on it"
        )
        doubts.append(Caution(code=NOT_FOR_GPU, message=message))
    if maker in _WITHOUT_BITSANDBYTES and _takes_bitsandbytes(named, method):
        message = (
            f"a quantised base is trained with bitsandbytes, which has no kernels for {accelerator.name}: the answer "
            "supposes others as good; lora, on a base in 16 bits, is what people train there"
        )
        doubts.append(Caution(code=NOT_FOR_GPU, message=message))
    return tuple(doubts)


def _takes_bitsandbytes(named: NamedFramework, method: MethodName) -> bool:
    said = named.practice.dequantization
    return said == "bitsandbytes" or (method == "qlora" and said is None)
