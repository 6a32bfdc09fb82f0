"""What is told of an answer to people, and in what order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from estimator.base.units import format_count
from server.rendering.blocks import Block, Facts, Line, Table
from server.rendering.phrases import (
    layout_phrase,
    log_phrase,
    memory_phrase,
    range_phrase,
    shares_phrase,
    spread_phrase,
)
from server.rendering.ranges import ranges_of
from server.rendering.words import is_plain, shown_number, shown_title, shown_value

__all__ = ["Answer", "told"]

Answer = Mapping[str, Any]


def told(tool: str, answer: Answer) -> Iterator[Block]:
    """Yield what is told of the answer of `tool`, its summary first."""
    yield Line(answer.get("summary", ""))
    yield from _TOLD.get(tool, _plainly)(answer)


def _estimate(answer: Answer) -> Iterator[Block]:
    rule = answer["rule_of_thumb"]
    days = f"{shown_number(answer['training_days'])} days"
    if answer["training_days_low"] != answer["training_days_high"]:
        days += f" ({_ends(answer, 'training_days')})"
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
        ("Layout", layout_phrase(answer["layout"])),
        ("Memory", memory_phrase(answer["memory"])),
        ("Step", shares_phrase(answer["time_breakdown"])),
        ("Cost", spread_phrase(answer["cost_usd"], "USD")),
        ("Energy", spread_phrase(answer["energy_kwh"], "kWh")),
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
    yield _assumptions("Assumptions", answer["assumptions"])
    yield Table("What would narrow the range", answer["narrow_by"])
    yield from _warnings(answer["warnings"])
    yield _made_by("estimate_id", answer)


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
            "days": range_phrase(row, "training_days"),
            "USD": range_phrase(row, "cost_usd"),
            "kWh": row.get("energy_kwh"),
            "tok/s/GPU": row.get("tokens_per_second_per_gpu"),
            "MFU": "" if row["rank"] is None else f"{row['model_flops_utilization']:.1%}",
            "scaling": "" if row.get("scaling_efficiency") is None else f"{row['scaling_efficiency']:.0%}",
            "layout, or why not": row.get("layout") or row["reason"],
        }
        for row in answer["rows"]
    ]
    yield Table("", rows)
    if any(row["pareto"] for row in answer["rows"]):
        yield Line("* no option is both faster and cheaper", "aside")
    yield ranges_of(answer["rows"])
    if answer["n_left_out"]:
        yield Line(f"{answer['n_left_out']:,} more options are not listed: a higher limit lists more")
    for note in answer["price_notes"]:
        yield Line(note, "item")
    yield _assumptions("What holds of all", answer["assumptions"])
    yield from _warnings(answer["warnings"])


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
            "days": range_phrase(option, "training_days"),
            "USD": shown_number(option["cost_usd"]["value"]) if option["cost_usd"]["value"] is not None else "",
            "layout": layout_phrase(option["layout"]).partition(";")[0],
        }
        for option in options
    ]
    yield Table("", rows)
    estimate = answer["estimate"]
    facts = [
        ("Plan", answer["formula"]),
        ("Layout", layout_phrase(estimate["layout"])),
        ("Formula", estimate["formula"]),
        ("Memory", memory_phrase(estimate["memory"])),
        ("Cost", spread_phrase(estimate["cost_usd"], "USD")),
    ]
    yield Facts(facts)
    yield _assumptions("Assumptions of the plan", answer["assumptions"])
    yield _assumptions("Assumptions of the solution", estimate["assumptions"])
    said = {warning["code"] for warning in answer["warnings"]}
    yield from _warnings(answer["warnings"])
    yield from _warnings([warning for warning in estimate["warnings"] if warning["code"] not in said])
    yield _made_by("plan_id", answer)


def _verdict(answer: Answer) -> str:
    open_argument = answer["verdict_depends_on"]
    return answer["verdict"] if open_argument is None else f"cannot be judged without {open_argument}"


def _check(answer: Answer) -> Iterator[Block]:
    ceiling = answer["ceiling"]
    log: Answer = answer["log"] or {}
    most = f"{shown_number(ceiling['tokens_per_second'])} tokens/s, {shown_number(ceiling['tflops_per_gpu'])} TFLOPS"
    left = range_phrase(answer, "remaining_days")
    yield Facts(
        [
            ("Verdict", _verdict(answer)),
            ("Observed", f"{shown_number(answer['observed'])} tokens/s on all GPUs: {answer['observed_how']}"),
            ("Expected", f"{shown_number(answer['expected'])} tokens/s ({_ends(answer, 'expected')})"),
            ("Observed ÷ expected", shown_number(answer["observed_over_expected"])),
            (
                "Speed",
                f"{shown_number(answer['tokens_per_second_per_gpu'])} tokens/s and "
                f"{shown_number(answer['tflops_per_gpu'])} TFLOPS per GPU"
                + (f", {shown_number(answer['step_seconds'])} s a step" if answer["step_seconds"] else "")
                + f"; {answer['model_flops_utilization']:.1%} MFU, {answer['hardware_flops_utilization']:.1%} HFU of "
                f"{shown_number(answer['peak_tflops'])} TFLOPS dense",
            ),
            ("Utilization", answer["utilization_convention"]),
            ("Ceiling", f"{most} per GPU: {ceiling['name']}; {ceiling['note']}"),
            (
                "Time left",
                f"{left} days" if left else "",
            ),
            ("Log", log_phrase(log)),
            ("Log's line", log.get("quoted", "")),
            ("Expected layout", layout_phrase(answer["layout"])),
            ("Expected step", shares_phrase(answer["time_breakdown"])),
            ("Evidence", answer["evidence"]["note"]),
        ]
    )
    if answer["likely_causes"]:
        yield Line("Likely causes", "heading")
    for cause in answer["likely_causes"]:
        verdict = "explains it" if cause["explains"] else "does not explain it alone"
        yield Line(
            f"{cause['what']} ({cause['code']}, {shown_number(cause['tokens_per_second'])} tokens/s expected with it: "
            f"{verdict}): {cause['evidence']}. To tell: {cause['check']}",
            "item",
        )
    yield _assumptions("Assumptions", answer["assumptions"])
    yield from _warnings(answer["warnings"])
    yield _made_by("estimate_id", answer)


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


def _ends(answer: Answer, key: str) -> str:
    """Return the ends of a range, and how sure it is where that is known."""
    low, high, coverage = answer[f"{key}_low"], answer[f"{key}_high"], answer["interval_coverage"]
    sure = f", {coverage:.0%} sure" if coverage else ""
    return f"{shown_number(low)} to {shown_number(high)}{sure}"


def _assumptions(title: str, assumptions: Sequence[Answer]) -> Table:
    return Table(title, assumptions, joined=("value", "unit"))


def _warnings(warnings: Sequence[Answer]) -> Iterator[Line]:
    return (Line(warning["message"], "warning") for warning in warnings)


def _made_by(name: str, answer: Answer) -> Line:
    """Return the line that an answer is found again by; `name` is what it calls its own."""
    return Line(f"{answer[name]}  traintime {answer['version']}, data {answer['data_version']}", "aside")


_TOLD: Mapping[str, Callable[[Answer], Iterator[Block]]] = {
    "estimate_training_time": _estimate,
    "list_gpus": _gpus,
    "plan_training": _plan,
    "compare_training_options": _options,
    "check_training_speed": _check,
}
