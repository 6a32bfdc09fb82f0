"""DeBERTa, all three versions: attention to contents and to relative positions apart."""

from dataclasses import replace

from estimator.models.huggingface.blocks import BIASED, configured, stack
from estimator.models.huggingface.configured import ConfiguredModel
from estimator.models.huggingface.encoder_families import Encoder
from estimator.models.huggingface.encoders import head_of, lookup_rows, stem
from estimator.models.huggingface.generators import beside, halved_config
from estimator.models.huggingface.reading import Config, Reading
from estimator.models.mixers.mixer import Mixer
from estimator.models.mixers.projection import Projection
from estimator.models.mixers.relative import PositionScores
from estimator.models.transformer import Transformer

__all__ = ["deberta"]

_KINDS = ("c2p", "p2c")
_V1 = Encoder(
    defaults={"vocab_size": 50265, "type_vocab_size": 0},
    facts=replace(BIASED, query_bias=False, kv_bias=False),
    pooled=False,
)
_V2 = Encoder(
    defaults={
        "vocab_size": 128100,
        "type_vocab_size": 0,
        "hidden_size": 1536,
        "num_hidden_layers": 24,
        "num_attention_heads": 24,
        "intermediate_size": 6144,
    },
    pooled=False,
)


def deberta(config: Config) -> ConfiguredModel:
    """Return a DeBERTa (He et al. 2021), of version 2 or 3 (He et al. 2023) where its `model_type` says so.

    The third is pre-trained beside a generator, and is written as the second.
    """
    network = _network(config)
    if network.vocab and config.get("model_type") != "deberta":
        generator = _network(halved_config(config, network.n_layers))
        network = replace(network, generator=beside(generator, network))
    return configured(network, config)


def _network(config: Config) -> Transformer:
    kind = str(config.get("model_type"))
    first = kind == "deberta"
    family = replace(_V1 if first else _V2, positions=config.get("position_biased_input", True) is True)
    reading = stem(config, family)
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    native = reading.whole("max_position_embeddings")
    head = head_of(reading, family, native=native, width=hidden)
    relative, tables, besides = _relative(reading, first=first)
    scores: tuple[Mixer, ...] = (relative,) if relative else ()
    return stack(
        name=f"{kind} model",
        hidden=hidden,
        layers=layers,
        heads=reading.whole("num_attention_heads"),
        ffn=reading.whole("intermediate_size"),
        facts=family.facts,
        vocab=head.vocab,
        mixers=(*scores, *_convolution(reading), *head.mixers),
        lookup=lookup_rows(reading, family, head, width=hidden) + tables * hidden,
        # Queries and values of the first version have a bias each, keys none.
        besides=head.besides + besides + (2 * hidden * layers if first else 0),
        native=native,
    )


def _relative(reading: Reading, *, first: bool) -> tuple[PositionScores | None, int, int]:
    """Return the scores of positions, the rows of their table, and the parameters beside."""
    if not reading.flag("relative_attention", default=False):
        return None, 0, 0
    hidden, layers = reading.whole("hidden_size"), reading.whole("num_hidden_layers")
    heads = reading.whole("num_attention_heads")
    given = reading.value("max_relative_positions")
    reach = given if isinstance(given, int) and given > 0 else reading.whole("max_position_embeddings")
    buckets = reading.value("position_buckets")
    rows = 2 * (buckets if not first and isinstance(buckets, int) and buckets > 0 else reach)
    kinds = reading.value("pos_att_type")
    listed = kinds.split("|") if isinstance(kinds, str) else [str(kind) for kind in reading.items("pos_att_type")]
    named = [kind.strip() for kind in listed if kind.strip() in _KINDS]
    shared = not first and reading.flag("share_att_key", default=False)
    # Positions have projections of their own, unless they share those of contents; the first version's keys no bias.
    own = 0 if shared else sum(hidden * hidden + (0 if first and kind == "c2p" else hidden) for kind in named)
    scores = PositionScores(
        count=layers,
        heads=heads,
        head_dim=hidden // heads,
        positions=float(rows),
        kinds=len(named),
        own_vectors=own,
    )
    normed = "layer_norm" in str(reading.value("norm_rel_ebd") or "")
    return scores, rows, 2 * hidden if normed and not first else 0


def _convolution(reading: Reading) -> tuple[Mixer, ...]:
    """Return the convolution beside the first layer, where the second version has one."""
    width = reading.optional("conv_kernel_size", 0)
    if not width:
        return ()
    hidden = reading.whole("hidden_size")
    return (Projection(name="convolution", inputs=hidden * width, outputs=hidden, norms=2 * hidden),)
