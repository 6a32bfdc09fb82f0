"""How families of text encoders differ from BERT: a row each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from estimator.models.huggingface.blocks import BIASED
from estimator.models.huggingface.reading import Reading
from estimator.models.vectors import VectorFacts

__all__ = ["ENCODERS", "Encoder", "window_of"]

_BLOCKS_BESIDE_RANDOM = 5
"""Blocks that a token of BigBird sees for certain: three around it, the first and the last (Zaheer et al. 2020)."""


def _all_keys(reading: Reading) -> int:
    del reading
    return 0


def window_of(reading: Reading) -> int:
    """Return the keys of Longformer's windows (Beltagy et al. 2020, section 3.1): one number, or one a layer."""
    listed = reading.items("attention_window") if isinstance(reading.value("attention_window"), list) else ()
    whole = [item for item in listed if isinstance(item, int)]
    return sum(whole) // len(whole) if whole else reading.optional("attention_window", 512, least=1)


def _blocks(reading: Reading) -> int:
    """Return the keys of BigBird's blocks, those drawn at random with them; all where it is set to full attention."""
    if reading.value("attention_type") == "original_full":
        return 0
    random = reading.optional("num_random_blocks", 3)
    return (_BLOCKS_BESIDE_RANDOM + random) * reading.optional("block_size", 64, least=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """How one family differs from BERT."""

    defaults: Mapping[str, object] = field(default_factory=dict[str, object])
    facts: VectorFacts = BIASED
    """With one norm outside the layers: the embedding's."""
    gated: bool = False
    positions: bool = True
    """Whether positions have a table."""
    first_position: int = 0
    """Rows of that table that no token has: RoBERTa counts from the padding token's."""
    turned: bool = False
    """Whether positions turn queries and keys by sines that are held as a table, as wide as a head (Su et al. 2021)."""
    types: bool = True
    pooled: bool = True
    """Whether the bare model ends in a pooler."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys that the family calls otherwise."""
    down_bias: bool = False
    """Whether the MLP's last matrix alone has a bias."""
    always_pooled: bool = False
    """Whether the pooler stands there under a head that does not read it, too."""
    transforms_pooled: bool = False
    """Whether a classifier of sequences has a matrix of its own beside the pooler (BigBird)."""
    page_tables: int = 0
    """Tables of positions on a page (LayoutLM)."""
    window: Callable[[Reading], int] = _all_keys
    """Keys that a token sees; 0: all."""
    looks_globally: bool = False
    """Whether a few tokens are projected by matrices of their own, and looked at by all (Longformer)."""


_UNBIASED = replace(BIASED, query_bias=False, kv_bias=False, output_bias=False, mlp_bias=False)
_ROBERTA = Encoder(defaults={"vocab_size": 50265}, first_position=2)
_XLM_ROBERTA = Encoder(first_position=2)
_NOMIC_NAMES = {
    "hidden_size": "n_embd",
    "num_attention_heads": "n_head",
    "intermediate_size": "n_inner",
    "num_hidden_layers": "n_layer",
    "max_position_embeddings": "n_positions",
}
_GTE = Encoder(
    defaults={"vocab_size": 250048, "max_position_embeddings": 8192, "type_vocab_size": 1},
    facts=replace(BIASED, mlp_bias=False),
    gated=True,
    positions=False,
    pooled=False,
    down_bias=True,
)

ENCODERS: Mapping[str, Encoder] = {
    "albert": Encoder(
        defaults={
            "vocab_size": 30000,
            "embedding_size": 128,
            "hidden_size": 4096,
            "num_attention_heads": 64,
            "intermediate_size": 16384,
        }
    ),
    "bert": Encoder(),
    "big_bird": Encoder(
        defaults={"vocab_size": 50358, "max_position_embeddings": 4096},
        always_pooled=True,
        transforms_pooled=True,
        window=_blocks,
    ),
    "camembert": _XLM_ROBERTA,
    "data2vec-text": _XLM_ROBERTA,
    "distilbert": Encoder(
        names={
            "hidden_size": "dim",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "num_hidden_layers": "n_layers",
        },
        types=False,
        pooled=False,
        defaults={"num_hidden_layers": 6},
    ),
    "electra": Encoder(
        defaults={"embedding_size": 128, "hidden_size": 256, "num_attention_heads": 4, "intermediate_size": 1024},
        pooled=False,
    ),
    "ernie": Encoder(),
    "esm": Encoder(defaults={"vocab_size": 33, "max_position_embeddings": 1026}, types=False, first_position=2),
    "gte": _GTE,
    "jina_embeddings_v3": Encoder(
        defaults={
            "vocab_size": 250002,
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "max_position_embeddings": 8194,
            "type_vocab_size": 1,
        },
        positions=False,
    ),
    "layoutlm": Encoder(always_pooled=True, page_tables=4),
    "longformer": Encoder(
        first_position=2,
        window=window_of,
        looks_globally=True,
    ),
    "megatron-bert": Encoder(
        defaults={
            "vocab_size": 29056,
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
        },
    ),
    "mpnet": Encoder(
        defaults={"vocab_size": 30527, "relative_attention_num_buckets": 32},
        types=False,
        first_position=2,
    ),
    "new": _GTE,
    "nomic_bert": Encoder(
        defaults={"vocab_size": 30528, "max_position_embeddings": 2048},
        facts=_UNBIASED,
        gated=True,
        positions=False,
        pooled=False,
        names=_NOMIC_NAMES,
    ),
    "rembert": Encoder(
        defaults={
            "vocab_size": 250300,
            "hidden_size": 1152,
            "num_hidden_layers": 32,
            "num_attention_heads": 18,
            "embedding_size": 256,
            "input_embedding_size": 256,
            "output_embedding_size": 1664,
            "intermediate_size": 4608,
        },
        names={"embedding_size": "input_embedding_size"},
    ),
    "roberta": _ROBERTA,
    "roberta-prelayernorm": replace(_ROBERTA, facts=replace(BIASED, outer_norms=2)),
    "roformer": Encoder(
        defaults={"vocab_size": 50000, "max_position_embeddings": 1536},
        positions=False,
        pooled=False,
        turned=True,
    ),
    "xlm-roberta": _XLM_ROBERTA,
    "xlm-roberta-xl": Encoder(
        defaults={
            "vocab_size": 250880,
            "hidden_size": 2560,
            "num_hidden_layers": 36,
            "num_attention_heads": 32,
            "intermediate_size": 10240,
            "max_position_embeddings": 514,
            "type_vocab_size": 1,
        },
        first_position=2,
    ),
}
"""How each family differs, by `model_type`."""
