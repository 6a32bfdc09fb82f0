"""The shapes of the catalogue's data files, as they lie on disk."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # pydantic checks these shapes, and needs this one before Python 3.12

__all__ = [
    "STEP_COLUMNS",
    "AcceleratorFile",
    "AcceleratorRow",
    "ArchitectureRow",
    "ChoiceRow",
    "EnergyFile",
    "EnergyRow",
    "ExpertsRow",
    "LatentRow",
    "ModelChoiceRow",
    "ModelFile",
    "ModelRow",
    "PriceFile",
    "PriceRow",
    "PurchaseRow",
    "SourceRow",
    "StepSetRow",
    "StepsFile",
    "ValueRow",
    "VectorsRow",
]

STEP_COLUMNS = (
    *("gpus", "layers", "hidden", "heads", "sequence"),
    *("tensor", "pipeline", "data", "global_batch", "micro_batch", "step_s"),
)
"""What the numbers of a row are, in their order."""


class SourceRow(TypedDict):
    """A document."""

    title: str
    date: NotRequired[str]
    url: NotRequired[str]
    note: NotRequired[str]


class ValueRow(TypedDict):
    """A number, how far to trust it, and the keys of the documents that have it."""

    value: float
    confidence: str
    sources: list[str]


class ChoiceRow(TypedDict):
    """A name that could mean several devices, or a system: what else, or what was assumed."""

    name: str
    others: NotRequired[list[str]]
    holds: NotRequired[int]
    """How many a system has."""
    note: NotRequired[str]


class AcceleratorRow(TypedDict):
    """One device."""

    id: str
    name: str
    vendor: str
    architecture: str
    chip_of: NotRequired[str]
    """Device of the same chip and memory, of which it is the one with slower links."""
    family: str
    segment: str
    status: str
    year: int
    form_factor: str
    memory_type: str
    pcie: str
    scale_up_kind: str
    training_precision: str
    aliases: list[str]
    assumed: list[ChoiceRow]
    notes: list[str]
    values: dict[str, ValueRow]


class AcceleratorFile(TypedDict):
    """data/accelerators.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    accelerators: list[AcceleratorRow]


class PriceRow(TypedDict):
    """One device's price at one provider on one day."""

    accelerator_id: str
    provider: str
    sku: str
    n_gpus: int
    usd_per_gpu_hour: float
    pricing: str
    region: str
    date: str
    source: str
    note: NotRequired[str]


class PurchaseRow(TypedDict):
    """One device's share of a system's list price."""

    accelerator_id: str
    provider: str
    sku: str
    n_gpus: int
    usd_per_gpu: float
    date: str
    source: str


class PriceFile(TypedDict):
    """data/prices.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    prices: list[PriceRow]
    purchases: list[PurchaseRow]


class EnergyRow(TypedDict):
    """One default with its range."""

    name: str
    aliases: NotRequired[list[str]]
    value: float
    low: float
    high: float
    unit: str
    source: str
    date: NotRequired[str]
    note: NotRequired[str]


class EnergyFile(TypedDict):
    """data/energy.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    defaults: list[EnergyRow]


class LatentRow(TypedDict):
    """Latent attention; see transformer.LatentAttention."""

    query_rank: int
    kv_rank: int
    nope_head_dim: int
    rope_head_dim: int
    value_head_dim: int


class ExpertsRow(TypedDict):
    """Experts; see transformer.Experts."""

    n_experts: int
    top_k: int
    ffn_hidden: int
    shared_ffn_hidden: NotRequired[int]
    first_dense_layers: NotRequired[int]
    layer_step: NotRequired[int]
    weighed_inputs: NotRequired[bool]


class ArchitectureRow(TypedDict):
    """Widths and counts; see transformer.Transformer."""

    n_layers: int
    hidden: int
    ffn_hidden: int
    gated_mlp: bool
    n_heads: int
    n_kv_heads: int
    head_dim: int
    vocab: int
    tied_embeddings: bool
    native_sequence_length: int
    latent: NotRequired[LatentRow]
    experts: NotRequired[ExpertsRow]
    prediction_modules: NotRequired[int]
    sliding_window: NotRequired[int]
    windowed_layers: NotRequired[int]
    chunked_window: NotRequired[bool]
    soft_capped: NotRequired[bool]


class VectorsRow(TypedDict, total=False):
    """What differs from Llama among norms and biases; see vectors.VectorFacts."""

    norm_vectors: int
    norms_per_layer: int
    outer_norms: int
    query_bias: bool
    kv_bias: bool
    output_bias: bool
    mlp_bias: bool
    qk_norm: Literal["none", "head", "full"]
    learned_positions: int
    logits_bias: bool
    sinks: bool
    router_bias: bool
    expert_bias: bool
    shared_expert_gate: bool
    activation_parameters: int


class ModelRow(TypedDict):
    """One architecture."""

    id: str
    name: str
    architecture: ArchitectureRow
    vectors: VectorsRow
    published_parameters: int
    published_exact: bool
    hugging_face_ids: list[str]
    aliases: list[str]
    source: str
    checked: str
    note: NotRequired[str]


class ModelChoiceRow(TypedDict):
    """A name that could mean several models, which one it is taken for, and what to say about it."""

    alias: str
    id: str
    note: str


class ModelFile(TypedDict):
    """data/models.json."""

    format: int
    checked: str
    conventions: list[str]
    ambiguous_aliases: list[ModelChoiceRow]
    models: list[ModelRow]


class StepSetRow(TypedDict):
    """Measured steps of many layouts of a few models on the same machines; see measured_steps."""

    name: str
    note: str
    source: str
    lab: str
    """Who measured; see published.PublishedRun."""
    accelerator: str
    gpus_per_node: int
    precision: str
    vocab: int
    recompute: Literal["none", "selective", "full"]
    sharding: Literal["ddp", "zero1", "zero2", "zero3"]
    stack: str
    framework: str
    year: int
    columns: list[str]
    rows: list[list[float]]


class StepsFile(TypedDict):
    """data/steps.json."""

    format: int
    checked: str
    conventions: list[str]
    sources: dict[str, SourceRow]
    sets: list[StepSetRow]
