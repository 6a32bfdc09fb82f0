"""In which order warnings are told: what stands in the way of a run first, what was merely not understood last."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from estimator.question.question import Caution

__all__ = ["BY_IMPORTANCE", "most_important_first"]

BY_IMPORTANCE: tuple[tuple[str, ...], ...] = (
    # It cannot be run so, or what was told cannot be.
    (
        "does_not_fit",
        "fits_on_fewer_gpus",
        "host_memory_needed",
        "loaded_in_fp32",
        "long_rows_may_not_fit",
        "gpu_not_catalogued",
        "architecture_not_modelled",
        "model_not_catalogued",
        "observed_speed_implausible",
        "peak_implausible",
        "utilization_above_ceiling",
        "accumulate_peak_suspected",
        "shader_peak_suspected",
        "sparse_peak_suspected",
        "shorter_than_one_step",
        "gpu_count_disagrees",
    ),
    # On what terms things are compared.
    ("several_precisions_assumed", "several_frameworks_assumed"),
    # Another amount or another model may be meant: time is in proportion to it.
    (
        "separator_ambiguous",
        "batch_in_tokens_suspected",
        "batch_assumed",
        "epochs_not_counted",
        "rollouts_not_counted",
        "objective_not_counted",
        "text_part_only",
        "quantised_copy",
        "length_may_be_a_limit",
        "length_taken_as_limit",
        "length_mean_or_limit",
        "sample_lengths_assumed",
        "padded_length_assumed",
        "samples_longer_than_sequence",
        "picture_size_unsaid",
        "pictures_scaled_up",
        "clips_padded",
        "clip_length_assumed",
        "padding_not_counted",
        "packing_assumed",
        "few_steps",
        "steps_from_framework",
        "samples_from_framework",
        "lengths_not_apart",
        "method_from_framework",
        "method_in_model_name",
    ),
    # A step may take several times as long.
    (
        "stack_not_for_gpu",
        "stack_not_for_method",
        "experts_one_by_one",
        "own_experts_assumed",
        "batch_unsaid",
        "all_experts_multiplied",
        "devices_left_idle",
        "one_gpu_at_a_time",
        "devices_in_turn",
        "trained_in_fp32",
        "base_expanded_to_fp32",
        "loader_unsaid",
        "host_reads_slowly",
        "encoded_before_training",
        "fewer_gpus_are_faster",
        "fewer_gpus_as_fast",
        "mostly_waiting",
        "mostly_padding",
        "stated_is_slow",
        "network_slow",
        "sharding_assumed",
        "network_unsaid",
        "transport_unsaid",
    ),
    # The run may take several times as long as its steps.
    ("evaluation_takes_long", "saving_takes_long", "generation_not_counted", "evaluation_not_counted"),
    # Up to about twice as long.
    (
        "unlike_gpus",
        "packing_unsaid",
        "packed_under_a_mask",
        "other_batch_is_faster",
        "batch_rounded",
        "micro_batch_unsaid",
        "recompute_unsaid",
        "training_unsaid",
        "trained_as_published",
        "precision_unsaid",
        "vendor_runs_alone",
        "framework_unsaid",
        "own_stack",
        "one_process",
        "tuned_stack_assumed",
        "several_lengths_assumed",
        "newer_release_is_faster",
        "local_updates",
        "negatives_not_counted",
        "more_than_in_proportion",
    ),
    # What the range rests on.
    ("opinions_part", "kind_not_measured", "unseen_device_family", "unseen_length", "few_runs_of_its_kind"),
    # What was read of the question's words, and what was not.
    (
        "name_part_unread",
        "own_run_unused",
        "network_from_framework",
        "framework_contradicted",
        "framework_not_understood",
    ),
)
"""Codes of warnings, the most important first: within a group those that change the figure more."""

_PLACES: Mapping[str, int] = MappingProxyType(
    {code: place for place, code in enumerate(code for group in BY_IMPORTANCE for code in group)}
)
_ELSEWHERE = _PLACES["opinions_part"]
"""Place of a code that is not listed: before what only says where a range comes from."""


def most_important_first(warnings: Iterable[Caution]) -> tuple[Caution, ...]:
    """Return `warnings` by importance; equals stay in the order they came."""
    return tuple(sorted(warnings, key=lambda caution: _PLACES.get(caution.code, _ELSEWHERE)))
