"""What is told of an answer to people, and in what order."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from estimator.base.units import format_count
from server.rendering.blocks import Block, Facts, Line, Table
from server.rendering.words import is_plain, shown_number, shown_title, shown_value

__all__ = ["Answer", "told"]

Answer = Mapping[str, Any]


def told(tool: str, answer: Answer) -> Iterator[Block]:
    """Yield what is told of the answer of `tool`, its summary first."""
    yield Line(answer.get("summary", ""))
    yield from _TOLD.get(tool, _plainly)(answer)


def _estimate(answer: Answer) -> Iterator[Block]:
    rule, coverage = answer["rule_of_thumb"], answer["interval_coverage"]
    sure = f", {coverage:.0%} sure" if coverage else ""
    days = f"{shown_number(answer['training_days'])} days"
    if answer["training_days_low"] != answer["training_days_high"]:
        days += f" ({shown_number(answer['training_days_low'])} to {shown_number(answer['training_days_high'])}{sure})"
    likely, least, most = (shown_number(rule[key]) for key in ("days", "days_low", "days_high"))
    rows = [
        ("Time", days),
        ("Formula", answer["formula"]),
        ("Rule of thumb", f"{likely} days ({least} to {most})"),
        (
            "Speed",
            f"{shown_number(answer['tokens_per_second_per_gpu'])} tokens/s per GPU"
            + (f", {shown_number(answer['step_seconds'])} s a step" if answer["step_seconds"] else "")
            + f"; {answer['model_flops_utilization']:.1%} MFU, {answer['hardware_flops_utilization']:.1%} HFU",
        ),
        ("Peak", f"{shown_number(answer['peak_tflops'])} TFLOPS: {answer['peak_note']}"),
        ("Layout", _layout(answer["layout"])),
        ("Memory", _memory(answer["memory"])),
        ("Step", _shares(answer["time_breakdown"])),
        ("Cost", _spread(answer["cost_usd"], "USD")),
        ("Energy", _spread(answer["energy_kwh"], "kWh")),
        ("Evidence", answer["evidence"]["note"]),
    ]
    yield Facts(rows)
    yield Table(
        "Comparable runs",
        [
            {
                "run": run["name"],
                "GPUs": f"{run['n_gpus']:,} × {run['gpu']}",
                "published": run["published"],
                "predicted ÷ published": run["predicted_over_published"],
                "source": run["source"],
            }
            for run in answer["comparable_runs"]
        ],
    )
    yield Table("Assumptions", answer["assumptions"], joined=("value", "unit"))
    yield Table("What would narrow the range", answer["narrow_by"])
    for warning in answer["warnings"]:
        yield Line(warning["message"], "warning")
    yield Line(f"{answer['estimate_id']}  traintime {answer['version']}, data {answer['data_version']}", "aside")


def _gpus(answer: Answer) -> Iterator[Block]:
    rows = [
        {
            "id": gpu["id"],
            "year": str(gpu["year"]),
            "GB": gpu["memory_gb"],
            "GB/s": gpu["memory_bandwidth_gb_s"],
            "TFLOPS": f"{shown_number(gpu['training_peak_tflops'])} {gpu.get('training_precision', '')}".strip(),
            "measured": gpu["measured_matmul_tflops"],
            "link GB/s": gpu["scale_up_gb_s"],
            "W": gpu["tdp_w"],
            "USD/h": gpu["usd_per_gpu_hour"],
        }
        for gpu in answer["gpus"]
    ]
    yield Table("", rows)
    if len(answer["gpus"]) == 1:
        for note in answer["gpus"][0]["notes"]:
            yield Line(note, "item")


def _options(answer: Answer) -> Iterator[Block]:
    rows = [
        {
            "#": "" if row["rank"] is None else f"{row['rank']}{'*' if row['pareto'] else ''}",
            "model": row["model"],
            "GPUs": f"{row['n_gpus']:,} × {row['gpu']}",
            "tokens": format_count(row["tokens"]),
            "how": f"{row['precision']}{'' if row['method'] == 'full' else ' ' + row['method']}",
            "days": _range(row, "training_days"),
            "USD": _range(row, "cost_usd"),
            "kWh": row["energy_kwh"],
            "tok/s/GPU": row["tokens_per_second_per_gpu"],
            "MFU": "" if row["rank"] is None else f"{row['model_flops_utilization']:.1%}",
            "scaling": "" if row["scaling_efficiency"] is None else f"{row['scaling_efficiency']:.0%}",
            "layout, or why not": row["layout"] or row["reason"],
        }
        for row in answer["rows"]
    ]
    yield Table("", rows)
    if any(row["pareto"] for row in answer["rows"]):
        yield Line("* no option is both faster and cheaper", "aside")
    if answer["n_left_out"]:
        yield Line(f"{answer['n_left_out']:,} more options: raise --limit to see them")
    for note in answer["price_notes"]:
        yield Line(note, "item")
    yield Table("What holds of all", answer["assumptions"], joined=("value", "unit"))
    for warning in answer["warnings"]:
        yield Line(warning["message"], "warning")


def _plan(answer: Answer) -> Iterator[Block]:
    options = [
        answer["solution"],
        *([answer["sure_solution"]] if answer["sure_solution"] else []),
        *answer["alternatives"],
    ]
    rows = [
        {
            "": option["why"],
            "GPUs": f"{option['n_gpus']:,} × {option['gpu']}",
            "parameters": format_count(option["parameters"]) if answer["solve_for"] == "model_size" else "",
            "tokens": format_count(option["tokens"]) if answer["solve_for"] in {"tokens", "model_size"} else "",
            "days": _range(option, "training_days"),
            "USD": shown_number(option["cost_usd"]["value"]) if option["cost_usd"]["value"] is not None else "",
            "layout": _layout(option["layout"]).partition(";")[0],
        }
        for option in options
    ]
    yield Table("", rows)
    estimate = answer["estimate"]
    facts = [
        ("Plan", answer["formula"]),
        ("Layout", _layout(estimate["layout"])),
        ("Formula", estimate["formula"]),
        ("Memory", _memory(estimate["memory"])),
        ("Cost", _spread(estimate["cost_usd"], "USD")),
    ]
    yield Facts(facts)
    yield Table("Assumptions of the plan", answer["assumptions"], joined=("value", "unit"))
    yield Table("Assumptions of the solution", estimate["assumptions"], joined=("value", "unit"))
    for warning in (*answer["warnings"], *estimate["warnings"]):
        yield Line(warning["message"], "warning")
    yield Line(f"{answer['plan_id']}  traintime {answer['version']}, data {answer['data_version']}", "aside")


def _range(row: Answer, key: str) -> str:
    if row[key] is None:
        return ""
    return f"{shown_number(row[key])} ({shown_number(row[f'{key}_low'])} to {shown_number(row[f'{key}_high'])})"


def _plainly(answer: Answer) -> Iterator[Block]:
    """Yield any answer: its texts and numbers, then its lists as tables, in the order they come."""
    plain = [
        (shown_title(key), shown_value(value)) for key, value in answer.items() if key != "summary" and is_plain(value)
    ]
    yield Facts(plain)
    for key, value in answer.items():
        if isinstance(value, dict):
            facts = cast("dict[str, object]", value)
            yield Line(shown_title(key), "heading")
            yield Facts([(shown_title(name), shown_value(item)) for name, item in facts.items()])
        elif isinstance(value, list) and value:
            rows = cast("list[object]", value)
            if all(isinstance(row, dict) for row in rows):
                yield Table(shown_title(key), cast("list[Answer]", rows))
            else:
                yield Line(shown_title(key), "heading")
                for item in rows:
                    yield Line(shown_value(item), "item")


_TOLD: Mapping[str, Callable[[Answer], Iterator[Block]]] = {
    "estimate_training_time": _estimate,
    "list_gpus": _gpus,
    "plan_training": _plan,
    "compare_training_options": _options,
}


def _layout(layout: Mapping[str, Any] | None) -> str:
    if layout is None:
        return ""
    degrees = ", ".join(
        f"{name} {layout[key]}"
        for name, key in (
            ("data", "data_parallel"),
            ("tensor", "tensor_parallel"),
            ("pipeline", "pipeline_parallel"),
            ("virtual", "virtual_pipeline"),
            ("context", "context_parallel"),
            ("expert", "expert_parallel"),
        )
        if layout[key] > 1
    )
    return (
        f"{degrees or 'one GPU'}; {layout['data_sharding']}; {layout['micro_batches']} micro-batches of "
        f"{layout['micro_batch_size']} = {layout['global_batch_sequences']} sequences a step; recompute "
        f"{layout['activation_recompute']}"
    )


def _memory(memory: Mapping[str, Any] | None) -> str:
    if memory is None:
        return ""
    parts = ", ".join(
        f"{name} {shown_number(memory[f'{name}_gb'])}"
        for name in ("weights", "gradients", "optimizer", "activations", "other")
    )
    verdict = "fits" if memory["fits"] else "DOES NOT FIT"
    return (
        f"{verdict}: {shown_number(memory['per_gpu_gb'])} of {shown_number(memory['capacity_gb'])} GB a GPU ({parts})"
    )


def _shares(shares: Mapping[str, float] | None) -> str:
    if shares is None:
        return ""
    return ", ".join(f"{shown_title(name).lower()} {share:.0%}" for name, share in shares.items() if round(share, 2))


def _spread(spread: Mapping[str, Any], unit: str) -> str:
    if spread["value"] is None:
        return str(spread["note"])
    value, low, high = (shown_number(spread[key]) for key in ("value", "low", "high"))
    return f"{value} {unit} ({low} to {high}): {spread['note']}"
