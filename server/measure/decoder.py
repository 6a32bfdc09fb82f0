"""A decoder's training step in plain PyTorch: no modules of ours, nothing fused but attention and the optimizer."""

import math
from collections.abc import Callable
from typing import Any

from server.measure.sizes import Step

__all__ = ["plain_step", "transformers_step"]

_ROTARY_BASE = 10_000.0
_LEARNING_RATE = 1e-4
_INITIAL_SPREAD = 0.02


def plain_step(torch: Any, device: str, step: Step, precision: str) -> Callable[[], None]:  # noqa: ANN401 - a module
    """Return one training step of `step.decoder` on random tokens: forward, backward, AdamW; FP32 weights, autocast."""
    decoder = step.decoder
    torch.manual_seed(0)

    def weight(*shape: int) -> Any:  # noqa: ANN401 - a tensor
        return (torch.randn(*shape, device=device) * _INITIAL_SPREAD).requires_grad_()

    def norm() -> Any:  # noqa: ANN401 - a tensor
        return torch.ones(decoder.hidden, device=device, requires_grad=True)

    h, f = decoder.hidden, decoder.intermediate
    layers = [
        {
            "before": norm(),
            "qkv": weight(3 * h, h),
            "out": weight(h, h),
            "between": norm(),
            "gate_up": weight(2 * f, h),
            "down": weight(h, f),
        }
        for _ in range(decoder.layers)
    ]
    embedding, head, last = weight(decoder.vocabulary, h), weight(decoder.vocabulary, h), norm()
    parameters = [embedding, head, last, *(tensor for layer in layers for tensor in layer.values())]
    cosine, sine = _rotary(torch, device, step.sequence_length, h // decoder.heads)
    functional = torch.nn.functional

    def rotated(heads: Any) -> Any:  # noqa: ANN401 - tensors
        left, right = heads.chunk(2, dim=-1)
        return heads * cosine + torch.cat((-right, left), dim=-1) * sine

    def loss_of(tokens: Any, targets: Any) -> Any:  # noqa: ANN401 - tensors
        stream = functional.embedding(tokens, embedding)
        for layer in layers:
            normed = functional.rms_norm(stream, (h,), layer["before"])
            split = functional.linear(normed, layer["qkv"]).view(*tokens.shape, 3, decoder.heads, -1)
            query, key, value = (part.transpose(1, 2) for part in split.unbind(2))
            query, key = rotated(query).to(value.dtype), rotated(key).to(value.dtype)
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            stream = stream + functional.linear(mixed.transpose(1, 2).reshape(*tokens.shape, h), layer["out"])
            normed = functional.rms_norm(stream, (h,), layer["between"])
            gate, up = functional.linear(normed, layer["gate_up"]).chunk(2, dim=-1)
            stream = stream + functional.linear(functional.silu(gate) * up, layer["down"])
        logits = functional.linear(functional.rms_norm(stream, (h,), last), head)
        return functional.cross_entropy(logits.view(-1, decoder.vocabulary).float(), targets.view(-1))

    return _step(torch, device, step, precision, parameters=parameters, loss_of=loss_of)


def transformers_step(
    torch: Any,  # noqa: ANN401 - a module
    transformers: Any,  # noqa: ANN401 - a module
    device: str,
    step: Step,
    precision: str,
) -> Callable[[], None]:
    """Return one training step of the same decoder as Transformers builds it, with its own loss."""
    shape = step.decoder.hf_config(step.sequence_length)
    config = transformers.LlamaConfig(**{name: value for name, value in shape.items() if name != "architectures"})
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).to(device)
    model.train()

    def loss_of(tokens: Any, targets: Any) -> Any:  # noqa: ANN401 - tensors
        return model(input_ids=tokens, labels=targets, use_cache=False).loss

    return _step(torch, device, step, precision, parameters=list(model.parameters()), loss_of=loss_of)


def _step(
    torch: Any,  # noqa: ANN401 - a module
    device: str,
    step: Step,
    precision: str,
    *,
    parameters: list[Any],
    loss_of: Callable[[Any, Any], Any],
) -> Callable[[], None]:
    kind = device.partition(":")[0]
    optimizer = torch.optim.AdamW(parameters, lr=_LEARNING_RATE, fused=kind == "cuda")
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision)
    scaler = torch.amp.GradScaler(kind, enabled=precision == "fp16")
    drawn = torch.randint(0, step.decoder.vocabulary, (step.micro_batch, step.sequence_length + 1), device=device)
    tokens, targets = drawn[:, :-1].contiguous(), drawn[:, 1:].contiguous()

    def train() -> None:
        with torch.autocast(kind, dtype=half, enabled=half is not None):
            loss = loss_of(tokens, targets)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)

    return train


def _rotary(torch: Any, device: str, length: int, width: int) -> tuple[Any, Any]:  # noqa: ANN401 - a module
    """Return cosines and sines of the rotary embedding, shape (length, width) each (Su et al. 2021, section 3.4)."""
    exponents = torch.arange(0, width, 2, device=device).float() / width
    angles = torch.outer(torch.arange(length, device=device).float(), torch.exp(-math.log(_ROTARY_BASE) * exponents))
    twice = torch.cat((angles, angles), dim=-1)
    return twice.cos(), twice.sin()
