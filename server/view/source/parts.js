// What the answers of all tools have in common: a head, figures, warnings, assumptions.

import { html, prose } from "./elements.js";
import { word, number, whole, compact, money, energy, span, share, rangeOf } from "./words.js";
import { timeBar, memoryBar } from "./bars.js";
import { intervals, inDays, timeOf } from "./intervals.js";

export const exists = (value) => value != null && value !== "" && value !== false;

// The amount of data as it was asked for.
export function dataAsked(asked) {
  const told = (value) => (typeof value === "number" ? compact(value) : [value].flat().join(", "));
  const [name] = ["tokens", "samples", "steps"].filter((name) => exists(asked[name]));
  if (!name) return null;
  // "15T" wants its unit said; "alpaca x3" has it.
  const value = told(asked[name]);
  const text = /^[\d.,]+\s*\p{L}?$/u.test(value) ? word(`of_${name}`, { n: value }) : value;
  return exists(asked.epochs) ? `${text} × ${word("epochs", { n: told(asked.epochs) })}` : text;
}

export function head(subject, title, said, bad = false) {
  return html(
    "header",
    {},
    html("p", { class: "subject" }, subject.filter(exists).join(" · ")),
    html("h1", { class: bad ? "bad" : null }, title),
    html(
      "p",
      { class: "said" },
      said.filter(exists).flatMap((part, i) => (i ? [" · ", part] : [part])),
    ),
  );
}

// Each figure is [name, value, beside it].
export function figures(...all) {
  const shown = all.filter((figure) => figure && exists(figure[1]));
  return html(
    "dl",
    { class: "figures" },
    shown.map(([name, value, beside]) =>
      html(
        "div",
        {},
        html("dt", {}, name),
        html("dd", {}, value),
        exists(beside) && html("dd", { class: "beside" }, beside),
      ),
    ),
  );
}

export const costFigure = (cost) => [
  word("cost"),
  exists(cost?.value) && money(cost.value),
  exists(cost?.low) && `${money(cost.low)}–${money(cost.high)}`,
];

export function energyFigure(used) {
  if (!exists(used?.value)) return null;
  const { size, told } = energy(used.value);
  return [word("energy"), told, exists(used.low) && `${number(used.low / size)}–${number(used.high / size)}`];
}

export const hoursFigure = (hours) => [word("gpu_hours"), compact(hours)];

// The range of an estimate, or why it has none.
export function rangeSaid(answer) {
  const { interval_coverage: coverage } = answer;
  if (answer.basis === "assumed_utilization")
    return word("at_utilization", { share: share(answer.hardware_flops_utilization) });
  const said = coverage == null ? word("range") : word("range_of", { share: share(coverage) });
  return `${said} ${rangeOf(answer)}`;
}

// The prediction and the rule of thumb on one axis.
export function timeAxis(answer) {
  const { rule_of_thumb: rule } = answer;
  return intervals(
    [
      { ...timeOf(answer), label: word(answer.basis), main: true },
      { label: word("rule_of_thumb"), value: rule.days, low: rule.days_low, high: rule.days_high },
    ],
    inDays(answer.training_days),
  );
}

// Where memory and time go, as far as that was predicted.
export function breakdown(answer) {
  const { memory, time_breakdown: shares } = answer;
  const fits =
    memory &&
    html("span", { class: memory.fits ? "good" : "bad" }, memory.fits ? `✓ ${word("fits")}` : `✗ ${word("fits_not")}`);
  return html(
    "div",
    { class: "columns" },
    memory &&
      html(
        "div",
        {},
        html("h3", {}, `${word("memory")} · `, fits),
        html("p", {}, word("memory_of", { need: number(memory.per_gpu_gb), capacity: number(memory.capacity_gb) })),
        memoryBar(memory),
      ),
    shares &&
      html(
        "div",
        {},
        html("h3", {}, word("time")),
        html("p", {}, exists(answer.step_seconds) && word("step", { n: number(answer.step_seconds) })),
        timeBar(shares),
      ),
  );
}

const GRAVE = ["does_not_fit"];
const sorted = (warnings = []) => [...warnings].sort((a, b) => GRAVE.includes(b.code) - GRAVE.includes(a.code));

// The first warning, in brief: the sheet has all.
export function banner(warnings) {
  const [first] = sorted(warnings);
  return (
    first &&
    prose(
      "p",
      { class: `banner ${GRAVE.includes(first.code) ? "bad" : ""}`, title: first.message },
      html("span", {}, first.message),
    )
  );
}

export function warningsSheet(warnings = [], notes = []) {
  if (!warnings.length && !notes.length) return null;
  return {
    key: "warnings",
    title: warnings.length ? `${word("warnings")} (${warnings.length})` : word("warnings"),
    content: [
      html(
        "ul",
        { class: "notes" },
        sorted(warnings).map(({ message }) => prose("li", { class: "warning" }, message)),
        notes.map((note) => prose("li", {}, note)),
      ),
    ],
  };
}

const told = (value) =>
  typeof value === "number" ? (Number.isInteger(value) ? whole(value) : number(value, 4)) : String(value);

// What the answer was computed from: how a step is spread, the formula, what was assumed.
export function assumptionsSheet(answer, more = []) {
  const { layout, formula, rule_of_thumb: rule, assumptions = [] } = answer;
  const rows = assumptions.map(({ name, value, unit, source, note }) => [
    rowHead(name.replaceAll("_", " ")),
    prose("td", {}, `${told(value)} ${unit}`.trim()),
    html("span", { class: `source ${source}` }, word(`source_${source}`)),
    prose("td", {}, note),
  ]);
  const facts = [
    [word("layout"), layout && layoutSaid(layout)],
    [word("formula"), formula && prose("code", {}, formula)],
    [word("rule_of_thumb"), rule && prose("code", {}, rule.formula)],
    [word("runners_up"), (answer.runner_up_layouts ?? []).map((other) => layoutNamed(other.layout)).join("; ")],
    [word("peak"), answer.peak_tflops && `${number(answer.peak_tflops, 4)} TFLOP/s`, answer.peak_note],
    [word("cost"), answer.cost_usd?.note && prose("span", {}, answer.cost_usd.note)],
    [word("energy"), answer.energy_kwh?.note && prose("span", {}, answer.energy_kwh.note)],
    ...more,
  ].filter(([, value]) => exists(value));
  return {
    key: "assumptions",
    title: word("assumptions"),
    content: [
      html(
        "dl",
        { class: "facts" },
        facts.map(([name, value, note]) =>
          html("div", {}, html("dt", {}, name), html("dd", {}, value, note && prose("small", {}, ` ${note}`))),
        ),
      ),
      rows.length > 0 && table([word("input"), word("value"), word("from"), word("note")], rows),
      html(
        "p",
        { class: "versions" },
        [`traintime ${answer.version}`, `${word("data")} ${answer.data_version}`, answer.estimate_id]
          .filter(exists)
          .join(" · "),
      ),
    ].filter(Boolean),
  };
}

export const rowHead = (...content) => html("th", { scope: "row" }, ...content);
const cell = (content) => (content instanceof HTMLTableCellElement ? content : html("td", {}, content || "–"));

// A row is a list of cells: text, which is kept on its line, elements, or cells already made.
export const table = (heads, rows) =>
  html(
    "table",
    {},
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        heads.map((head) => html("th", { scope: "col" }, head)),
      ),
    ),
    html(
      "tbody",
      {},
      rows.map((cells) => html("tr", {}, cells.map(cell))),
    ),
  );

// A time with its range, and money, as cells.
export const timeCell = (option) => [span(option.training_days), html("small", {}, rangeOf(option))];
export const moneyCell = (value) => exists(value) && money(value);

const SHARDED = { ddp: "DDP", zero1: "ZeRO-1", zero2: "ZeRO-2", zero3: "ZeRO-3" };
const DEGREES = {
  tensor_parallel: "TP",
  pipeline_parallel: "PP",
  virtual_pipeline: "VP",
  context_parallel: "CP",
  expert_parallel: "EP",
  data_parallel: "DP",
};
const sharding = (layout) => SHARDED[layout.data_sharding] ?? layout.data_sharding;

const split = (layout) => Object.keys(DEGREES).filter((name) => layout[name] > 1);

// "TP4 · PP2 · DP16 · ZeRO-1", as far as there is more than one.
export function layoutNamed(layout) {
  return [
    ...split(layout).map((name) => DEGREES[name] + layout[name]),
    sharding(layout),
    layout.activation_recompute !== "none" && word(`recompute_${layout.activation_recompute}`),
  ]
    .filter(Boolean)
    .join(" · ");
}

function layoutSaid(layout) {
  const degrees = split(layout).map((name) => `${word(name)} ${whole(layout[name])}`);
  const batch = word("batch", {
    all: whole(layout.global_batch_sequences),
    each: layout.micro_batch_size,
    steps: layout.micro_batches,
  });
  return [...degrees, sharding(layout), batch, word(`recompute_${layout.activation_recompute}`)].join(" · ");
}
