"""Trainers of denoisers, and what people say of the frozen networks that prepare their inputs."""

from collections.abc import Mapping

from estimator.question.practice import Dequantization, Practice
from estimator.resolve.framework.meaning import Facts, Meaning, Rank, by_phrase, practised

__all__ = ["CACHES", "TRAINERS"]

_RECIPE, _FRONT_END, _OWN = Rank.RECIPE, Rank.FRONT_END, Rank.OWN
"""As names of other stacks are ranked: a front end over its trainer."""


def _trainer(
    words: str,
    stack: str,
    *,
    latents: bool,
    text: bool | None,
    large_text: bool | None = None,
    large_base_bits: int | None = None,
    widened_by: Dequantization | None = None,
    small_cards: bool = False,
    recomputes: bool = False,
    own_adapters: bool = False,
    adapts: bool = False,
    rank: Rank = _FRONT_END,
    note: str = "",
) -> tuple[str, Meaning]:
    """Return a name whose users keep latents and encoded texts, or encode them in each step, unless told.

    They also hold large bases in fewer bits where all of the trainer's examples do, and run layers again where all of
    its configurations do (`gradient_checkpointing: true`). What those written for people's own cards call FP8 is how
    weights are stored.
    """
    habit = Practice(
        caches_latents=latents,
        caches_text=text,
        caches_large_text=large_text,
        large_base_bits=large_base_bits,
        dequantization=widened_by,
        usual_recompute="full" if recomputes else None,
        # sd-scripts' LoRAModule and its descendants: two products in the autocast's precision, and no cast to FP32.
        own_adapters=True if own_adapters else None,
    )
    beside = Facts(method="lora" if adapts else None)
    says = Facts(practice=habit, method=beside.method)
    return words, Meaning(stack=stack, rank=rank, says=says, beside=beside, stores_8_bits=small_cards, note=note)


_LATENTS, _NO_LATENTS = Practice(caches_latents=True), Practice(caches_latents=False)
_TEXT, _NO_TEXT = Practice(caches_text=True), Practice(caches_text=False)
_BOTH, _NEITHER = (Practice(caches_latents=kept, caches_text=kept) for kept in (True, False))

_TASKS = ("dreambooth", "text to image", "controlnet", "instruct pix2pix", "cogvideox", "cogvideox image to video")
_NETWORKS = (
    *("", "sdxl", "sd3", "flux", "flux advanced", "flux kontext", "flux2", "flux2 klein", "sana", "lumina2", "hidream"),
    *("qwen image", "z image", "sd15 advanced", "sdxl advanced", "decoder", "prior"),
)
_SCRIPTS, _LORA_SCRIPTS = (
    " | ".join(f"train {task} {adapted}{network}" for task in _TASKS for network in _NETWORKS)
    for adapted in ("", "lora ")
)
"""Of diffusers' examples: a task, `lora` where adapters alone learn, and the network that it is for."""
_FOLDERS = " | ".join(f"examples {task}" for task in (*_TASKS, "advanced diffusion training", "cogvideo"))
"""Where they lie."""
_KOHYA = "train network py | " + " | ".join(
    f"{network} train network" for network in ("sdxl", "sd3", "flux", "lumina", "hunyuan image", "anima")
)
_KOHYA_WHOLE = "sdxl train py | sd3 train py | flux train py | lumina train py | train db py"
_MUSUBI = " | ".join(
    f"{network} train network"
    for network in (*("hv", "hv 1 5", "wan", "fpack", "flux kontext", "flux 2", "qwen image", "zimage", "kandinsky5"),)
)
"""Scripts of sd-scripts and of musubi-tuner: the `network` they train is LoRA's or its like, beside a frozen model."""

TRAINERS: Mapping[str, Meaning] = by_phrase(
    # Its scripts encode in each step unless told `--cache_latents`.
    _trainer(
        "diffusers | hf diffusers | huggingface diffusers | hugging face diffusers | dreambooth | "
        f"{_SCRIPTS} | {_FOLDERS}",
        "huggingface",
        latents=False,
        text=False,
    ),
    _trainer(_LORA_SCRIPTS, "huggingface", latents=False, text=False, adapts=True),
    # `cache_latents` stands in all of its guides; small text encoders are often trained, too, and run; what T5 or a
    # language model says is kept (`--cache_text_encoder_outputs` in those of FLUX.1, SD 3, Lumina and HunyuanImage).
    # `--gradient_checkpointing` is an option, which those take whose card is too small without.
    *(
        _trainer(
            words,
            "huggingface",
            latents=True,
            text=None,
            large_text=True,
            small_cards=True,
            own_adapters=True,
            adapts=adapts,
        )
        for words, adapts in (
            (f"kohya | kohya ss | sd scripts | kohya sd scripts | kohya ss gui | {_KOHYA_WHOLE}", False),
            (_KOHYA, True),
        )
    ),
    # `quantize: true` in its examples of all large models, for 24 GB cards and for larger ones.
    _trainer(
        "ai toolkit | ostris ai toolkit | ostris",
        "huggingface",
        latents=True,
        text=False,
        large_base_bits=8,
        widened_by="quanto",
        small_cards=True,
        recomputes=True,
        own_adapters=True,
    ),
    # A front of sd-scripts, for FLUX.1 alone: `--fp8_base` in the scripts that it writes.
    _trainer(
        "fluxgym | flux gym",
        "huggingface",
        latents=True,
        text=True,
        large_base_bits=8,
        widened_by="cast",
        small_cards=True,
        recomputes=True,
        own_adapters=True,
    ),
    *(
        _trainer(
            words,
            "huggingface",
            latents=True,
            text=True,
            small_cards=True,
            recomputes=True,
            own_adapters=True,
            adapts=adapts,
        )
        for words, adapts in (("musubi tuner | musubi", False), (_MUSUBI, True))
    ),
    _trainer("simpletuner | simple tuner", "huggingface", latents=True, text=True, small_cards=True, recomputes=True),
    _trainer(
        "onetrainer | one trainer",
        "huggingface",
        latents=True,
        text=True,
        small_cards=True,
        recomputes=True,
        own_adapters=True,
    ),
    _trainer("diffsynth | diffsynth studio", "huggingface", latents=False, text=False),
    _trainer("finetrainers | fine trainers | cogvideox factory", "huggingface", latents=False, text=False),
    # `transformer_dtype = 'float8'` in its examples of FLUX.1, HunyuanVideo, Chroma and HiDream.
    _trainer(
        "diffusion pipe",
        "deepspeed",
        latents=True,
        text=True,
        large_base_bits=8,
        widened_by="cast",
        small_cards=True,
        recomputes=True,
    ),
    _trainer("x flux", "deepspeed", latents=True, text=True),
    _trainer(
        "mosaicml diffusion | mosaic diffusion | streaming t 2 i", "llm-foundry", latents=True, text=True, rank=_OWN
    ),
    _trainer(
        "nemo dfm | dfm | nemo diffusion | diffusion foundation models | nemo multimodal",
        "nemo",
        latents=True,
        text=True,
        rank=_OWN,
    ),
    _trainer("maxdiffusion | max diffusion", "jax", latents=True, text=True),
    _trainer(
        "fast dit | lightningdit | open sora | open sora plan | fastvideo | consisid",
        "pytorch",
        latents=True,
        text=True,
        rank=_RECIPE,
    ),
)
"""By folded phrase: stacks whose speed is that of the trainer they are built on."""
CACHES: Mapping[str, Meaning] = by_phrase(
    practised(
        "cache latents | cached latents | latents cached | cache latents to disk | latent caching | latent cache | "
        "precomputed latents | pre encoded latents | precached latents | vae cached | cached vae",
        _LATENTS,
        _NO_LATENTS,
    ),
    practised(
        "cache text encoder outputs | cached text encoder outputs | cache text embeddings | cached text embeddings | "
        "text embeddings cached | text encoder cached | cached text encoder | precomputed text embeddings | "
        "cached embeddings | cache embeddings | cache text encoder outputs to disk | cached prompts | "
        "cache text embedding | cached text embedding | text encoder outputs cached | unload text encoder | unload te",
        _TEXT,
        _NO_TEXT,
    ),
    practised(
        "cached latents and text embeddings | cache latents text encoder outputs | precomputed embeddings | "
        "precompute conditions | encoders cached | cached encoders | preprocessed data | energon | precached",
        _BOTH,
        _NEITHER,
    ),
    practised(
        "vae run | encode in each step | encode on the fly | on the fly encoding | encoders run", _NEITHER, _BOTH
    ),
    practised("text encoder run | online text encoding", _NO_TEXT, _TEXT),
    practised("online vae | latents on the fly", _NO_LATENTS, _LATENTS),
)
"""By folded phrase: what is encoded once, before training."""
