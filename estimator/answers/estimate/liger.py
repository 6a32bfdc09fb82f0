"""Which networks Liger has kernels for."""

from estimator.models.kinds import kind_of
from estimator.models.transformer import Transformer

__all__ = ["has_liger_kernels"]

_WITH_LIGER = frozenset({"decoder", "vision_language"})


def has_liger_kernels(transformer: Transformer) -> bool:
    """Return whether Liger has kernels for a network: Llama's kin, and vision-language models about one of them.

    It fuses RMSNorm, SwiGLU or GeGLU, rotary embedding and the loss over a vocabulary; BERT's and GPT-2's kin,
    encoder–decoders, ViTs and models of sound have layers of other kinds (Hsu et al. 2024).
    """
    return transformer.causal and transformer.gated_mlp and kind_of(transformer) in _WITH_LIGER
