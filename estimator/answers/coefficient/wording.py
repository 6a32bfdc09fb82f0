"""The coefficient explained in words, with the numbers in them."""

from collections.abc import Sequence

from estimator.answers.coefficient.coefficient import HOFFMANN, KAPLAN, NARAYANAN, ExactCoefficient, Term
from estimator.base.units import DAY_S, GIGA, TERA, format_count

__all__ = ["coefficient_formula", "sources", "summary", "when_it_fails", "worked_example"]

_PALM = "Chowdhery et al. 2022, arXiv 2204.02311, appendix B (model and hardware FLOPs utilization)"
# Narayanan et al. 2021, section 5.1: GPT-3 on 1,024 A100 at 140 of 312 TFLOPS, with full recomputation.
_GPT_3_PARAMETERS, _GPT_3_TOKENS, _GPT_3_GPUS, _GPT_3_FLOP_PER_S = 175e9, 300e9, 1024, 140 * TERA
_GPT_3_COEFFICIENT, _GPT_3_PUBLISHED_DAYS = 8.0, 34


def coefficient_formula(terms: Sequence[Term], exact: ExactCoefficient | None) -> str:
    """Return the sum, and what is done with it."""
    summands = " + ".join(
        f"{term.flop_per_parameter_per_token:g} {term.name}" for term in terms if term.flop_per_parameter_per_token
    )
    total = sum(term.flop_per_parameter_per_token for term in terms)
    text = f"{summands} = {total:g}; FLOPs = {total:g} · parameters · tokens"
    if exact is None:
        return text
    return (
        f"{text}; exactly: {exact.counts.hardware / GIGA:.4g} GFLOP a token ÷ {format_count(exact.active_parameters)} "
        f"active parameters = {exact.coefficient:.4g}"
    )


def worked_example(terms: Sequence[Term], exact: ExactCoefficient | None) -> str:
    """Return the sum for one weight and one token, then for a whole model: the one asked about, or GPT-3."""
    total = sum(term.flop_per_parameter_per_token for term in terms)
    steps = ", ".join(f"{term.name} {term.flop_per_parameter_per_token:g}" for term in terms)
    per_weight = f"One weight, one token: {steps}; in all {total:g} FLOPs. "
    return per_weight + (_published_example(total) if exact is None else _own_example(exact, total))


def when_it_fails(exact: ExactCoefficient | None) -> tuple[str, ...]:
    """Return where the rule misleads and by how much, with the model's own numbers where there is one."""
    hidden = exact.transformer.hidden if exact else None
    a_tenth = f" ({1.2 * hidden:,.0f} tokens at width {hidden:,})" if hidden else ""
    cases = [
        (
            "Long sequences: causal attention adds about sequence / (12 · width) of the rest, a tenth from 1.2 · width "
            f"tokens on{a_tenth}, twice that where the whole square is computed."
        ),
        "Experts: count the active parameters, not the total; routing, padding and all-to-all cost time beside FLOPs.",
        "Small models with large vocabularies: an untied input embedding counts as parameters and multiplies nothing.",
        (
            "Partial work: frozen layers at the bottom need no backward pass at all, and some frameworks recompute "
            "only some layers, which lies between 6 and 8."
        ),
        (
            "Other architectures: encoder-decoders run each weight on a part of the tokens, convolutions each weight "
            "many times, state-space models scan instead of attending."
        ),
        (
            "It counts work, not speed: a model that waits for memory or network has the same FLOPs and a lower "
            "utilization. MFU counts 6 even when 8 are executed; HFU counts the 8."
        ),
    ]
    return tuple(cases)


def sources(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return every work that the explanation rests on, each once."""
    named = [source for term in terms for source in term.source.split("; ")]
    return tuple(dict.fromkeys([*named, KAPLAN, HOFFMANN, NARAYANAN, _PALM]))


def summary(terms: Sequence[Term], exact: ExactCoefficient | None, name: str) -> str:
    """Return the answer in two or three sentences."""
    total = sum(term.flop_per_parameter_per_token for term in terms)
    parts = " + ".join(f"{term.flop_per_parameter_per_token:g}" for term in terms if term.flop_per_parameter_per_token)
    names = ", ".join(term.name for term in terms if term.flop_per_parameter_per_token)
    text = f"{total:g} FLOPs per parameter and token = {parts}: {names}."
    again = any(term.name.startswith("forward again") for term in terms)
    text += (
        f" Without recomputation it would be {total - 2:g}."
        if again
        else f" With full activation recomputation it would be {total + 2:g}: the forward pass runs twice."
    )
    if exact is not None:
        gap = exact.coefficient / total - 1
        text += (
            f" {name} really executes {exact.coefficient:.4g} at {exact.counts.sequence_length:,.0f} tokens a sequence "
            f"({gap:+.1%} against the rule)."
        )
    return text


def _published_example(total: float) -> str:
    flop = _GPT_3_COEFFICIENT * _GPT_3_PARAMETERS * _GPT_3_TOKENS
    days = flop / (_GPT_3_GPUS * _GPT_3_FLOP_PER_S) / DAY_S
    text = (
        f"GPT-3 with full recomputation, on 1,024 A100 that execute 140 TFLOPS each: 8 × 175e9 parameters × 300e9 "
        f"tokens = {flop:.3g} FLOPs ÷ (1,024 × 140e12/s) = {days:.1f} days; published: {_GPT_3_PUBLISHED_DAYS} "
        "(Narayanan et al. 2021)."
    )
    if total == _GPT_3_COEFFICIENT:
        return text
    share = total / _GPT_3_COEFFICIENT
    return f"{text} With {total:g} instead of 8, the same GPUs at the same rate: {days * share:.1f} days."


def _own_example(exact: ExactCoefficient, total: float) -> str:
    rule_flop = total * exact.active_parameters
    parts = " + ".join(f"{term.name} {term.flop_per_token / GIGA:.3g}" for term in exact.terms if term.flop_per_token)
    # One that is told by its size counts as told, and may be built a little larger or smaller.
    idle = exact.transformer.experts is not None and exact.total_parameters > exact.active_parameters
    experts = f" ({format_count(exact.total_parameters)} in all; the rest are idle experts)" if idle else ""
    return (
        f"{exact.transformer.name}: {total:g} × {format_count(exact.active_parameters)} active parameters{experts} = "
        f"{rule_flop / GIGA:.4g} GFLOP a token by the rule; part by part at {exact.counts.sequence_length:,.0f} tokens "
        f"a sequence: {parts} = {exact.counts.hardware / GIGA:.4g} GFLOP, which is {exact.coefficient:.4g} per active "
        f"parameter. Papers that count the whole score matrix get {exact.full_square:.4g}."
    )
