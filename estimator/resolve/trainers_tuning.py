"""What a trainer's script of fine-tuning sets by itself: the rank, the layers and the batch of its adapters."""

from dataclasses import replace

from estimator.models.training import WITH_ADAPTERS
from estimator.models.transformer import Transformer
from estimator.physics.habits import TUNED_BY_DEFAULT
from estimator.question.question import Assumption
from estimator.question.request import Request
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.training_method import asked_method

__all__ = ["with_tuning_defaults"]


def with_tuning_defaults(
    request: Request, framework: NamedFramework, network: Transformer | None, n_gpus: int
) -> tuple[Request, tuple[Assumption, ...]]:
    """Return `request` with what adapters' trainer sets unless told in place of what was left open, and what that is.

    Any other request as it is. Raises as `asked_method` does.
    """
    script = TUNED_BY_DEFAULT.get(framework.name)
    if script is None or network is None or asked_method(request) not in WITH_ADAPTERS or request.adapters == "vectors":
        return request, ()
    own = f"as {framework.name} has it unless told"
    assumed: list[Assumption] = []
    if request.trained_layers is None and request.trainable_params is None and script.layers < network.n_layers:
        note = f"adapters lie beside the top {script.layers} layers, {own}; gradients pass through no layer below"
        assumed.append(Assumption(name="trained_layers", value=str(script.layers), source="default", note=note))
    if request.lora_rank is None:
        assumed.append(Assumption(name="lora_rank", value=script.rank, source="default", note=own))
    if _tells_no_batch(request):
        # Its devices share a batch.
        batch = max(script.batch, n_gpus)
        assumed.append(
            Assumption(name="global_batch_sequences", value=batch, unit="sequences", source="default", note=own)
        )
    taken = {one.name: one.value for one in assumed}
    return replace(request, **taken), tuple(assumed)  # type: ignore[arg-type]


def _tells_no_batch(request: Request) -> bool:
    told = (request.global_batch_sequences, request.gradient_accumulation, request.micro_batch_size)
    return all(one is None for one in told)
