"""What people say of how samples become sequences and batches: packed, padded to what, one another's negatives."""

from estimator.question.practice import Practice
from estimator.resolve.framework.meaning import Facts, Meaning, practised

__all__ = ["PACKINGS"]

PACKINGS = (
    practised(
        "packing | packed | sample packing | sequence packing | pack | packed samples | neat packing | "
        "packed sequences | packed dataset | multipack | "
        "padding free | remove padding | use remove padding | thd | varlen | unpadded | unpadding | unpad | "
        "group texts | dataset concatenation | "
        "full rows | full sequences | full length sequences | "
        "packing samples | pack to max length | concatenated | example packing",
        Practice(packing="packed"),
        Practice(packing="padded"),
    ),
    # Text without samples: trainers join and cut it (Transformers' run_clm, LLaMA-Factory's stage `pt`).
    practised(
        "continued pretraining | continual pretraining | continue pretraining | continued pre training | "
        "continual pre training | continue pre training | cpt | stage pt | pt stage | domain adaptive pretraining | "
        "domain adaptive pre training | dapt | run clm | "
        "pretraining from scratch | pre training from scratch | pretrain from scratch | pretrained from scratch | "
        "from scratch pretraining | language model pretraining | lm pretraining | llm pretraining | gpt pretraining",
        Practice(packing="packed"),
    ),
    practised(
        "padded | padding | unpacked",
        Practice(packing="padded"),
        Practice(packing="packed"),
    ),
    practised(
        "pad to longest | padded to longest | padded to the longest | pad to the longest | dynamic padding | "
        "padding longest | padded to longest in batch | padded to batch longest",
        Practice(packing="padded", padding="longest"),
        Practice(packing="packed"),
    ),
    practised(
        "pad to max length | padded to max length | padding max length | pad to max | padded to max | padded to | "
        "padding to max length | padding to | padded to maximum length | fixed padding | static padding",
        Practice(packing="padded", padding="limit"),
        Practice(padding="longest"),
    ),
    practised(
        "group by length | grouped by length | group samples by length | length grouped | length grouped sampler | "
        "sorted by length | bucketed by length | length bucketing | group by modality length | batch rebalance",
        Practice(packing="padded", padding="alike"),
        Practice(padding="longest"),
    ),
    # How attention keeps packed documents apart, which packing alone says, too.
    (
        (
            "document mask | document masking | doc mask | doc masking | intra document masking | "
            "intra document mask | document attention mask | block diagonal mask | block diagonal attention | "
            "variable length | variable length attention | varlen attention | flash attn varlen | "
            "reset attention mask | cross document masking | cross document attention"
        ),
        Meaning(),
    ),
    # Vectors of the whole batch without gradients, then each part of it again with them (Gao et al. 2021).
    (
        "grad cache | gradcache | cached multiple negatives ranking loss | cached mnrl | cached gist embed loss",
        Meaning(says=Facts(recompute="full", practice=Practice(caches_gradients=True))),
    ),
)
"""Each with what its words mean."""
