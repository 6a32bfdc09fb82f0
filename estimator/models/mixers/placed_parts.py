"""What denoisers and pyramids are made of: attention, MLPs, convolutions, modulation, embeddings of the time step."""

from estimator.models.mixers.placed import LATENT, ONCE, Look, Place, Product

__all__ = ["attention_products", "convolution", "cross_products", "embedder", "mlp_products", "once", "self_look"]


def attention_products(
    width: int,
    inner: int,
    layers: int,
    *,
    at: Place = LATENT,
    kv: int | None = None,
    bias: bool = True,
    out_bias: bool = True,
    out_layers: int | None = None,
    source: int | None = None,
    name: str = "",
) -> tuple[Product, ...]:
    """Return the projections of self-attention, `inner` wide; `out_layers` of them project back.

    `source` is what queries, keys and values are projected from and the output to, where that is another width.
    """
    keys = inner if kv is None else kv
    outer = source or width
    back = layers if out_layers is None else out_layers
    heads = _into_heads(f"{name}qkv", outer, (inner, keys, keys), layers, at=at, bias=bias)
    return (
        heads,
        *((_out_of_heads(f"{name}attention_out", inner, outer, back, at=at, bias=out_bias),) if back else ()),
    )


def cross_products(
    width: int,
    inner: int,
    source: int,
    layers: int,
    *,
    keys: Place,
    at: Place = LATENT,
    kv: int | None = None,
    bias: bool = True,
    out_bias: bool = True,
) -> tuple[Product, ...]:
    """Return the projections of cross-attention to what lies at `keys`, `source` wide; keys and values are `kv`."""
    into = inner if kv is None else kv
    return (
        _into_heads("cross_q", width, (inner,), layers, at=at, bias=bias),
        _into_heads("cross_kv", source, (into, into), layers, at=keys, bias=bias),
        _out_of_heads("cross_out", inner, width, layers, at=at, bias=out_bias),
    )


def _into_heads(name: str, inputs: int, widths: tuple[int, ...], layers: int, *, at: Place, bias: bool) -> Product:
    """Return what queries, keys and values of these `widths` are projected by, in one product."""
    return Product(
        name=name,
        inputs=inputs,
        outputs=sum(widths),
        at=at,
        layers=layers,
        part="attention",
        shard="column",
        bias=bias,
        fused=widths if len(widths) > 1 else (),
        writes="heads",
        adapted=True,
    )


def _out_of_heads(name: str, inputs: int, outputs: int, layers: int, *, at: Place, bias: bool) -> Product:
    return Product(
        name=name,
        inputs=inputs,
        outputs=outputs,
        at=at,
        layers=layers,
        part="attention",
        shard="row",
        bias=bias,
        adapted=True,
    )


def mlp_products(
    width: int,
    inner: int,
    layers: int,
    *,
    at: Place = LATENT,
    gated: bool = False,
    bias: bool = True,
    name: str = "",
) -> tuple[Product, ...]:
    """Return the two products of an MLP, of which a gated one's first is twice as wide."""
    up = inner * 2 if gated else inner
    return (
        Product(
            name=f"{name}mlp_up",
            inputs=width,
            outputs=up,
            at=at,
            layers=layers,
            shard="column",
            bias=bias,
            writes="mlp",
        ),
        Product(name=f"{name}mlp_down", inputs=inner, outputs=width, at=at, layers=layers, shard="row", bias=bias),
    )


def once(name: str, inputs: int, outputs: int, layers: int = 1, *, bias: bool = True, at: Place = ONCE) -> Product:
    """Return a matrix that is applied once a sample: a modulation of norms, a pooled text."""
    return Product(name=name, inputs=inputs, outputs=outputs, at=at, layers=layers, bias=bias)


def embedder(
    name: str,
    inputs: int,
    inner: int,
    outputs: int | None = None,
    layers: int = 1,
    *,
    bias: bool = True,
    at: Place = ONCE,
) -> tuple[Product, ...]:
    """Return a small MLP: the time step's sines to the model's width, or captions to it."""
    return (
        once(f"{name}_1", inputs, inner, layers, bias=bias, at=at),
        once(f"{name}_2", inner, outputs or inner, layers, bias=bias, at=at),
    )


def self_look(
    heads: int, head_dim: int, layers: int, *, at: Place = LATENT, name: str = "attention", kv_heads: int | None = None
) -> Look:
    """Return the attention of the positions at a place to one another."""
    return Look(name=name, heads=heads, head_dim=head_dim, layers=layers, at=at, kv_heads=kv_heads)


def convolution(
    name: str, inputs: int, outputs: int, *, at: Place, side: int = 3, layers: int = 1, bias: bool = True
) -> Product:
    """Return a convolution as a product, whose activations are kept as an MLP's are; a depthwise one has one input."""
    taps = side * side
    return Product(
        name=name,
        inputs=taps * inputs,
        outputs=outputs,
        at=at,
        layers=layers,
        bias=bias,
        writes="mlp",
        taps=taps,
    )
