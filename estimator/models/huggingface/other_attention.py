"""Read families whose attention is softmax in another form: differential (DiffLlama), with experts (JetMoE).

Sources: `DiffLlamaAttention` and `JetMoeAttention` in `transformers` 5.24.
"""

from dataclasses import replace

from estimator.models.feed_forward import Experts
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.dense_families import DENSE
from estimator.models.huggingface.keys import known_keys, refuse_unknown
from estimator.models.huggingface.layered import layered_model
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.huggingface.standard import read_family
from estimator.models.mixers.given import Given
from estimator.models.mixers.mixer import Operations
from estimator.models.operations import Attention, Gemm, Stream
from estimator.models.vectors import VectorFacts

__all__ = ["read_diffllama", "read_jetmoe"]


def read_diffllama(config: Config) -> ConfiguredModel:
    """Return a DiffLlama: every head weighs the values of two, and the difference of pairs of heads is kept."""
    family = DENSE["llama"]
    refuse_unknown(config, "diffllama", (*known_keys(family), "lambda_std_dev"))
    configured = read_family(config, "diffllama", family, "diffllama model")
    t = configured.transformer
    second = Attention(
        name="second_values",
        heads=t.n_heads,
        kv_heads=t.n_kv_heads,
        score_dim=0,
        value_dim=t.head_dim,
        window=0,
        layers=t.n_layers,
    )
    # Four vectors of a head's width give the weight of what is taken away.
    lambdas = Given(given=Operations(attentions=(second,)), own_vectors=4 * t.head_dim * t.n_layers)
    return replace(
        configured,
        transformer=replace(t, mixers=(lambdas,), vector_parameters=t.vector_parameters + lambdas.own_vectors),
    )


def read_jetmoe(config: Config) -> ConfiguredModel:
    """Return a JetMoE: queries and outputs of attention are projected by the experts that a router chooses."""
    refuse_unknown(config, "jetmoe", ("num_local_experts", "num_experts_per_tok", "kv_channels"))
    reading = Reading(config=config, defaults={}, model_type="jetmoe", aliases={"head_dim": ("kv_channels",)})
    hidden, n_layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    experts = Experts(
        n_experts=reading.whole("num_local_experts"),
        top_k=reading.whole("num_experts_per_tok"),
        ffn_hidden=reading.whole("intermediate_size"),
        layers=n_layers,
    )
    heads, kv_heads = reading.whole("num_attention_heads"), reading.whole("num_key_value_heads")
    head_dim = reading.whole("head_dim")
    keys = kv_heads * head_dim
    routed = Gemm(
        name="attention_up",
        part="experts",
        inputs=hidden,
        outputs=keys,
        layers=n_layers,
        shard="expert",
        copies=experts.n_experts,
        visits=experts.top_k,
    )
    attention = Given(
        layers=n_layers,
        given=Operations(
            gemms=(
                Gemm(
                    name="attention_router", part="experts", inputs=hidden, outputs=experts.n_experts, layers=n_layers
                ),
                routed,
                replace(routed, name="attention_down", inputs=keys, outputs=hidden),
                Gemm(name="kv", part="attention", inputs=hidden, outputs=2 * keys, layers=n_layers, shard="column"),
            ),
            attentions=(
                Attention(
                    name="attention",
                    heads=heads,
                    kv_heads=kv_heads,
                    score_dim=head_dim,
                    value_dim=head_dim,
                    window=0,
                    layers=n_layers,
                ),
            ),
            streams=(Stream(name="heads", width=heads * head_dim + 2 * keys, layers=n_layers, shard="column"),),
        ),
        # A bias of what each of attention and MLP returns.
        own_vectors=2 * hidden * n_layers,
    )
    return layered_model(
        reading,
        attention=(),
        widths=(),
        facts=VectorFacts(),
        experts=experts,
        mixers=(attention,),
        tied=True,
    )
