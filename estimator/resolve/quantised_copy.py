"""What it means that a model is named by a quantised copy: its weights lie frozen as they are, with adapters beside."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from estimator.base.errors import shown
from estimator.base.names import tokens
from estimator.base.text import with_article
from estimator.catalogue.variants import quantised_bits
from estimator.models.parameters import takes_adapters
from estimator.models.training import WITH_ADAPTERS
from estimator.question.practice import Dequantization, Practice
from estimator.question.question import Caution
from estimator.question.request import Request
from estimator.resolve.framework.software import NamedFramework
from estimator.resolve.subject import Subject
from estimator.resolve.training_method import asked_method

__all__ = ["with_copy"]

_LONGEST = 128
_FOUR_BITS, _EIGHT_BITS = 4, 8
_KERNELS: Mapping[str, Dequantization] = MappingProxyType(
    {"bnb": "bitsandbytes", "gptq": "gptq", "awq": "gptq", "autoround": "gptq", "hqq": "quanto"}
)
"""Words of copies that say whose format it is, and what expands it; of others kernels are the trainer's."""
_TRAINED = frozenset({*_KERNELS, "4bit", "4bits", "8bit", "8bits", "int4", "int8", "nf4", "fp4"})
"""Words of copies beside whose weights trainers put adapters as they are; copies to infer from (GGUF, FP8, MXFP4) are
expanded before they are trained."""


def with_copy(
    request: Request, framework: NamedFramework, subject: Subject
) -> tuple[Request, NamedFramework, tuple[Caution, ...]]:
    """Return `request` and `framework` with adapters on the weights of a quantised copy, where one is what is trained.

    Nobody trains all weights of such a copy, so that the default method means adapters, too. What `framework` says of
    the base, or that all is trained, wins, and so do options that name what learns: then the base in 16 bits is meant.
    """
    name = str(request.model)
    bits = None if request.hf_config is not None or subject.transformer is None else quantised_bits(name)
    if bits is None or subject.transformer is None:
        return request, framework, ()
    method = asked_method(request)
    words = [word for word in tokens(name[:_LONGEST]) if word in _TRAINED]
    held = framework.practice.base_bits
    wholly = method == "full" and (request.method_chosen or framework.method == "full")
    chosen = wholly or method == "frozen" or request.trained_layers is not None or request.trainable_params is not None
    keeps = bits in {_FOUR_BITS, _EIGHT_BITS} and bool(words) and takes_adapters(subject.transformer)
    if not keeps or held not in {None, bits} or (chosen and method not in WITH_ADAPTERS):
        silent = method == "qlora" or held is not None
        return request, framework, () if silent else (_expanded(name, bits, keeps=keeps),)
    kernel = _kernel(words) if bits == _FOUR_BITS else None
    practice = framework.practice.over(Practice(base_bits=bits, dequantization=kernel))
    adapted = "qlora" if bits == _FOUR_BITS or method == "qlora" else "lora"
    cautions = () if method == "qlora" else (_kept(name, bits, adapted, chosen=method in WITH_ADAPTERS),)
    return replace(request, method=adapted), replace(framework, practice=practice), cautions


def _kernel(words: list[str]) -> Dequantization | None:
    """Return what expands the weights of a copy, as far as its name tells the format."""
    for word in words:
        if kernel := _KERNELS.get(word):
            return kernel
    return None


def _copy(bits: int) -> str:
    return with_article(f"{bits}-bit copy") if bits else "a quantised copy"


def _kept(name: str, bits: int, method: str, *, chosen: bool) -> Caution:
    counted = f"adapters on its {bits}-bit weights are counted"
    if not chosen:
        counted = f'method "{method}" on its weights is counted, for nobody trains all weights of one'
    message = f"model: {shown(name)} is {_copy(bits)}: {counted}; for a base in 16 bits name the model without that"
    return Caution(code="quantised_copy", message=message)


def _expanded(name: str, bits: int, *, keeps: bool) -> Caution:
    means = ""
    if keeps or bits == _FOUR_BITS:
        means = f'; training on its {bits}-bit weights means method "{"qlora" if bits == _FOUR_BITS else "lora"}"'
    message = f"model: {shown(name)} is {_copy(bits)}: its base in 16 bits is what is counted{means}"
    return Caution(code="quantised_copy", message=message)
