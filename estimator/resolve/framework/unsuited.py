"""What to beware of where the software that is named is not made for what it is said to do, or to do it on."""

from estimator.base.text import listed
from estimator.models.training import MethodName
from estimator.physics.abilities import EIGHT_BIT_OPTIMIZERS, is_stepped_by_engine, trains_method
from estimator.physics.stacks import STACKS
from estimator.question.cluster import Accelerator
from estimator.question.question import Caution
from estimator.resolve.framework.platforms import platform_doubts
from estimator.resolve.framework.software import NamedFramework

__all__ = ["NOT_FOR_METHOD", "unsuited"]

NOT_FOR_METHOD = "stack_not_for_method"
"""Code of the caution that a stack does not train so."""
_TRAINERS_OF_ADAPTERS = ("trl", "unsloth", "axolotl", "llama-factory", "ms-swift", "torchtune")
_LACKS = {"lora": "no adapters (LoRA)", "qlora": "no adapters beside a base in 4 bits"}


def unsuited(named: NamedFramework, accelerator: Accelerator | None, method: MethodName) -> tuple[Caution, ...]:
    """Return what to beware of where the software named is not made for the chip, the method or its own optimizer."""
    return (*platform_doubts(named, accelerator, method), *_method_doubts(named, method), *_host_doubts(named))


def _method_doubts(named: NamedFramework, method: MethodName) -> tuple[Caution, ...]:
    if trains_method(named.name, method):
        return ()
    message = (
        f"{named.name} trains {_LACKS[method]}: the answer supposes that it did; "
        f"{listed(_TRAINERS_OF_ADAPTERS)} do: name yours with framework"
    )
    return (Caution(code=NOT_FOR_METHOD, message=message),)


def _host_doubts(named: NamedFramework) -> tuple[Caution, ...]:
    """Return a warning where states are said to lie on the host in a form that no host steps them in."""
    said = named.practice
    if not said.offload_optimizer:
        return ()
    kin = STACKS[named.name].kin if named.name in STACKS else ""
    narrow = said.optimizer if said.optimizer in EIGHT_BIT_OPTIMIZERS else None
    if narrow is None and not (said.master_weights is False and is_stepped_by_engine(said, kin)):
        return ()
    what = f"framework says {narrow or 'pure bf16'} and an offloaded optimizer"
    why = f"a GPU steps {narrow}" if narrow else "DeepSpeed's Adam on the CPU keeps weights and moments in FP32"
    instead = "Adam on the CPU has states in FP32, which are counted" if narrow else "they are counted so"
    return (Caution(code="framework_contradicted", message=f"{what}, but {why}: {instead}; say one of the two"),)
