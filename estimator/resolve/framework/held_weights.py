"""What people say of how a denoiser's frozen weights are held: in how many bits, and which blocks on the host."""

from collections.abc import Mapping
from types import MappingProxyType

from estimator.question.practice import Dequantization, Practice
from estimator.resolve.framework.meaning import Facts, Meaning, by_phrase, folded, practised

__all__ = ["HELD_WEIGHTS"]

_MOST_BLOCKS = 128
"""Blocks that are swapped at most: no denoiser has more."""
_COUNTED = (
    "blocks to swap {}",
    "block to swap {}",
    "block swap {}",
    "blocks swap {}",
    "swap {} blocks",
    "{} blocks swapped",
    "{} blocks to swap",
    "{} block swap",
    "{} swapped blocks",
    "musubi blocks to swap {}",
)
_WHOLE = Practice(base_bits=16)
"""What it means that a base is not quantised, whatever its trainer's habit is."""


def _widened(words: str, bits: int, kernel: Dequantization) -> tuple[str, Meaning]:
    return practised(words, Practice(base_bits=bits, dequantization=kernel), _WHOLE)


_FORMATS = (
    # optimum-quanto's and torchao's, in the words of ai-toolkit, SimpleTuner and Diffusers.
    _widened("quantize | quantized | quantised | quantize model | quantized base | quantize base", 8, "quanto"),
    _widened("quantise | quantize transformer | quanto | optimum quanto | optimum quanto 8 bit", 8, "quanto"),
    _widened(
        "int 8 quanto | quanto int 8 | qint 8 | fp 8 quanto | quanto fp 8 | qfloat 8 | float 8 quanto", 8, "quanto"
    ),
    _widened("int 8 torchao | torchao int 8 | fp 8 torchao | torchao fp 8 | int 8 weight only", 8, "quanto"),
    _widened("float 8 weight only | fp 8 weight only | uint 8 | int 8 dq | sdnq | int 8 sdnq", 8, "quanto"),
    _widened("uint 7 | 7 bit", 7, "quanto"),
    _widened("uint 6 | 6 bit", 6, "quanto"),
    _widened("uint 5 | 5 bit", 5, "quanto"),
    _widened("int 4 quanto | quanto int 4 | qint 4 | uint 4 | int 4 torchao | int 4 weight only", 4, "quanto"),
    _widened("uint 3 | 3 bit", 3, "quanto"),
    _widened("int 2 quanto | qint 2 | uint 2 | 2 bit", 2, "quanto"),
    # Weights stored in FP8, and cast where they are used: sd-scripts, musubi-tuner, diffusion-pipe, OneTrainer.
    _widened("fp 8 base | fp 8 base unet | fp 8 base model | fp 8 unet | fp 8 dit | fp 8 transformer", 8, "cast"),
    _widened("float 8 transformer | float 8 base | fp 8 weights | fp 8 storage | fp 8 weight", 8, "cast"),
    _widened("transformer dtype float 8 | transformer dtype fp 8 | transformer dtype float 8 e 4 m 3 fn", 8, "cast"),
    _widened("transformer dtype float 8 e 5 m 2 | weight dtype float 8 | weight dtype fp 8", 8, "cast"),
    _widened("float 8 e 4 m 3 fn | fp 8 e 4 m 3 fn | float 8 e 5 m 2 | fp 8 e 5 m 2", 8, "cast"),
    _widened("fp 8 scaled | fp 8 base scaled | fp 8 base fp 8 scaled | scaled fp 8 base", 8, "scaled"),
    # bitsandbytes' formats, as these trainers call them.
    _widened("nf 4 bnb | nfloat 4 | n float 4 | weight dtype nfloat 4 | transformer dtype nf 4", 4, "bitsandbytes"),
    _widened("bnb quantization config path | bnb quantization config", 4, "bitsandbytes"),
    _widened("int 8 bnb", 8, "bitsandbytes"),
    practised("base model precision no change | no quantization | unquantized | unquantised", _WHOLE),
    ("do fp 8 training", Meaning(says=Facts(precision="fp8"))),
)
_PLACES = (
    practised("block swap h 2 d only | h 2 d only", Practice(swaps_one_way=True), Practice(swaps_one_way=False)),
    practised(
        "layer offloading | layer offload | group offload | group offloading",
        Practice(offload_parameters=True),
        Practice(offload_parameters=False),
    ),
    practised(
        "fused backward pass | fused backward | gradient release | optimizer in bwd | optimizer in backward | "
        "optimizer in backward pass | optim in bwd | optim in backward | optimizer in the backward pass | "
        "fuse optimizer step into backward | fuse optimizer in backward | optimizer step in backward",
        Practice(releases_gradients=True),
        Practice(releases_gradients=False),
    ),
)
_HARMLESS = (
    "low vram | highvram | high vram | lowvram | quantize te | quantize text encoder | fp 8 t 5 | fp 8 llm | fp 8 vl | "
    "fp 8 text encoder | fp 8 te | qtype | qtype te | base model precision | transformer dtype | weight dtype | "
    "base model default dtype | use pinned memory for block swap | network train unet only | block swap | "
    "blocks to swap | split attn | expandable segments"
)
"""Known, of encoders whose output is kept anyway, or told by the word behind."""


HELD_WEIGHTS: Mapping[str, Meaning] = MappingProxyType(
    {
        **by_phrase((_HARMLESS, Meaning()), *_FORMATS, *_PLACES),
        **{
            folded(words.format(count)): Meaning(says=Facts(practice=Practice(swapped_blocks=count)))
            for words in _COUNTED
            for count in range(_MOST_BLOCKS + 1)
        },
    }
)
"""By folded phrase."""
