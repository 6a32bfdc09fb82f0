"""Scripts that people copy, by their repositories' names, with what each does unless it is told otherwise.

Read in the scripts' own defaults and, where these say nothing, in the commands beside them.
"""

from dataclasses import replace

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, Rank

__all__ = ["SCRIPTS"]

_STACK = "huggingface"
_CHECKPOINTED = Practice(usual_recompute="full")
_PADDED = replace(_CHECKPOINTED, packing="padded")
_SORTED = replace(_PADDED, padding="alike")
_IN_8_BITS = Facts(
    precision="fp16",
    practice=replace(_PADDED, base_bits=8, dequantization="bitsandbytes"),
    method="lora",
)
# With 4 bits as its method has them, and in 16 where it is told LoRA, which it trains as well.
_SHARDED_QLORA = Facts(
    sharding="zero3",
    practice=replace(_CHECKPOINTED, master_weights=False, zero_engine="fsdp"),
    method="qlora",
)
_GUANACO = Facts(
    practice=replace(
        _SORTED,
        base_bits=4,
        dequantization="bitsandbytes",
        # `optim` is paged_adamw_32bit.
        optimizer="adamw",
        offload_optimizer=True,
    ),
    method="qlora",
)


def _script(words: str, says: Facts, note: str = "") -> tuple[str, Meaning]:
    return words, Meaning(stack=_STACK, rank=Rank.SCRIPT, says=says, note=note)


SCRIPTS = (
    # Its command: `--fsdp "full_shard auto_wrap"`, 4 a micro-batch, each padded to its longest.
    _script(
        "alpaca | stanford alpaca",
        Facts(sharding="zero3", practice=Practice(packing="padded", samples_each=4)),
        note="trains with FSDP and pads",
    ),
    _script(
        "lmflow | dolly | toolbench | belle | firefly | chinese llama alpaca | internvl | internvl chat | vila | nvila",
        Facts(practice=_PADDED),
        note="Hugging Face's trainer, with gradient checkpointing",
    ),
    # `--group_by_modality_length True` in their scripts of fine-tuning.
    _script(
        "llava | llava next | tiny llava factory | tiny llava",
        Facts(practice=_SORTED),
        note="Hugging Face's trainer, with gradient checkpointing, samples sorted by length",
    ),
    # Both load the base in 8 bits, pad to the longest and train in FP16. Whether samples are sorted is a flag that is
    # off in the first's own defaults and on in the command of its published weights.
    (
        "alpaca lora",
        Meaning(
            stack=_STACK,
            rank=Rank.SCRIPT,
            says=replace(_IN_8_BITS, practice=replace(_IN_8_BITS.practice, samples_each=4)),
        ),
    ),
    _script("platypus", _IN_8_BITS),
    # Said of a technique as often as of the script that had it first, so that any trainer beside it is the one in use.
    ("fsdp qlora", Meaning(stack=_STACK, rank=Rank.ENGINE, says=_SHARDED_QLORA, note="trains with FSDP, in BF16")),
    _script(
        "answer ai | answerdotai | answer ai fsdp qlora | answerdotai fsdp qlora",
        replace(_SHARDED_QLORA, practice=replace(_SHARDED_QLORA.practice, samples_each=1)),
        note="trains with FSDP, in BF16 unless told",
    ),
    # Its `group_by_length` is on, its `bf16` and `fp16` are off, and it allows TF32; adapters lie beside all linear
    # layers.
    _script(
        "qlora script | qlora py | artidoro qlora",
        replace(_GUANACO, practice=replace(_GUANACO.practice, expands_base_wide=True, samples_each=1)),
    ),
    # Its commands for Guanaco (`scripts/finetune_guanaco_65b.sh`) have `--bf16` and 4 a micro-batch.
    _script(
        "guanaco | finetune guanaco | " + " | ".join(f"finetune guanaco {size}b" for size in (7, 13, 33, 65)),
        replace(_GUANACO, precision="bf16", practice=replace(_GUANACO.practice, samples_each=4)),
    ),
)
"""Each with what its words mean."""
