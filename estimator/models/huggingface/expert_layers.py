"""Read which layers have experts, how many, and how wide."""

from estimator.base.errors import InvalidValueError
from estimator.models.feed_forward import Experts
from estimator.models.huggingface.family import ExpertKeys
from estimator.models.huggingface.reading import Reading

__all__ = ["expert_layers", "experts_of"]


def experts_of(reading: Reading, keys: ExpertKeys, n_layers: int) -> Experts | None:
    """Return the experts; None where the configuration of such a family has none."""
    if keys.optional and not reading.value(keys.count):
        return None
    count = reading.whole(keys.count)
    top_k = reading.whole(keys.top_k)
    if top_k > count:
        raise InvalidValueError(f"hf_config.{keys.top_k}", top_k, f"must be at most {keys.count}, which is {count}")
    width = reading.whole(keys.ffn)
    shared = reading.optional(keys.shared_count, 0) * width if keys.shared_count else 0
    dense = len(set(map(str, reading.items(keys.dense_list)))) if keys.dense_list else 0
    first_dense = dense or reading.optional(keys.first_dense, 0)
    step = 1 if _listed(reading, keys.step) else reading.optional(keys.step, 1, least=1)
    if first_dense > n_layers or step > n_layers:
        raise InvalidValueError(
            f"hf_config.{keys.first_dense or keys.step}", max(first_dense, step), f"must be at most {n_layers} layers"
        )
    layers = len(expert_layers(reading, keys, n_layers))
    return Experts(
        n_experts=count,
        top_k=top_k,
        ffn_hidden=width,
        shared_ffn_hidden=reading.optional(keys.shared_ffn, 0) if keys.shared_ffn else shared,
        first_dense_layers=first_dense,
        layer_step=step,
        layers=None if layers == (n_layers - first_dense) // step else layers,
        dense_width=reading.whole(keys.beside) if keys.beside else 0,
        weighed_inputs=keys.weighed_inputs,
    )


def expert_layers(reading: Reading, keys: ExpertKeys, n_layers: int) -> tuple[int, ...]:
    """Return the layers that have experts, counted from 0: as a list says, or by first, last and every so manieth."""
    every = range(n_layers)
    kinds = reading.items(keys.kinds)[:n_layers]
    if kinds:
        return tuple(layer for layer, kind in enumerate(kinds) if kind != "dense")
    if _listed(reading, keys.step):
        return tuple(layer for layer, has in enumerate(reading.items(keys.step)[:n_layers]) if has)
    if keys.expert_list and reading.value(keys.expert_list) is not None:
        return tuple(layer for layer in every if layer in reading.items(keys.expert_list))
    first, step = reading.optional(keys.first_dense, 0), reading.optional(keys.step, 1, least=1)
    last = reading.optional(keys.last, n_layers, least=-1) if keys.last else n_layers
    last = n_layers if last < 0 else last
    kept = reading.items(keys.dense_list) if keys.dense_list else ()
    remainder = 0 if keys.phase == "first" else step - 1
    return tuple(layer for layer in every if first <= layer <= last and layer % step == remainder and layer not in kept)


def _listed(reading: Reading, key: str) -> bool:
    return bool(key) and isinstance(reading.value(key), list | tuple)
