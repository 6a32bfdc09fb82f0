// Many options, ranked.

import { html, prose } from "./elements.js";
import { word, whole, money, share, span, energy, gigabytes, devicesOf, rangeOf, tokensOf } from "./words.js";
import { timeOf } from "./intervals.js";
import {
  assumptionsSheet,
  banner,
  exists,
  figures,
  head,
  moneyCell,
  rowHead,
  table,
  timeCell,
  warningsSheet,
} from "./parts.js";
import { costPlot, countPlot, hasCounts } from "./plots.js";

export const isComparison = (answer) => Array.isArray(answer.rows);

const APART = ["model", "gpu", "precision", "method", "tokens"];
const RANKED = { time: "training_days", cost: "cost_usd", energy: "energy_kwh" };
const FIRST = { time: "fastest", cost: "cheapest", energy: "thriftiest" };

export function comparisonView(answer) {
  const { rows } = answer;
  const apart = APART.filter(
    (name) => new Set(rows.map((row) => row[name]).filter((value) => value !== "auto")).size > 1,
  );
  const told = (row, names) => names.map((name) => (name === "tokens" ? tokensOf(row) : row[name]));
  const seriesOf = (row) => told(row, apart.length ? apart : ["gpu"]).join(" · ");
  const named = (row) =>
    [
      devicesOf(row),
      ...told(
        row,
        apart.filter((name) => name !== "gpu"),
      ),
    ].join(" · ");
  const possible = rows.filter((row) => row.rank != null);
  const names = [...new Set(possible.map(seriesOf))];
  const points = possible.map((row) => ({
    ...timeOf(row),
    cost: row.cost_usd,
    hours: row.gpu_hours,
    gpus: row.n_gpus,
    best: row.pareto,
    possible: true,
    series: names.indexOf(seriesOf(row)),
    label: named(row),
  }));
  const [first = rows[0]] = possible;
  const same = APART.filter(
    (name) => name !== "gpu" && !apart.includes(name) && !["full", "auto"].includes(first[name]),
  );
  const subject = [...told(first, same), word("options", { n: whole(answer.n_options) })];
  const said = [
    ...(possible.length
      ? [word(`${FIRST[answer.rank_by]}_of`, { n: whole(answer.n_possible) }), `${span(first.training_days)} (${rangeOf(first)})`]
      : []),
    exists(first.cost_usd) && money(first.cost_usd),
    answer.n_possible < answer.n_options && word("impossible", { n: whole(answer.n_options - answer.n_possible) }),
  ];
  return {
    title: named(first),
    said: [named(first), ...said].filter(Boolean).join(", "),
    head: [
      head(subject, named(first), said),
      figures(...Object.keys(RANKED).map((by) => winner(possible, by, named))),
      banner(answer.warnings),
    ].filter(Boolean),
    sheets: [
      points.length > 1 && { key: "cost", title: word("time_and_cost"), content: [costPlot(points, names)] },
      hasCounts(points) && { key: "count", title: word("by_count"), content: [countPlot(points, names)] },
      { key: "table", title: word("table"), content: [rankedTable(rows, named), left(answer)].filter(Boolean) },
      assumptionsSheet(answer),
      warningsSheet(answer.warnings, answer.price_notes),
    ].filter(Boolean),
  };
}

function winner(rows, by, named) {
  const told = { time: span, cost: money, energy: (kwh) => energy(kwh).told }[by];
  const known = rows.filter((row) => exists(row[RANKED[by]]));
  if (!known.length) return null;
  const best = known.reduce((a, b) => (b[RANKED[by]] < a[RANKED[by]] ? b : a));
  return [word(FIRST[by]), told(best[RANKED[by]]), named(best)];
}

function rankedTable(rows, named) {
  const lines = rows.map((row) =>
    row.rank == null
      ? [null, rowHead(named(row)), prose("td", { colspan: 6 }, row.reason)]
      : [
          whole(row.rank),
          rowHead(named(row), row.pareto && html("abbr", { title: word("pareto") }, " ★")),
          timeCell(row),
          moneyCell(row.cost_usd),
          exists(row.energy_kwh) && energy(row.energy_kwh).told,
          share(row.model_flops_utilization),
          exists(row.memory_gb) && gigabytes(row.memory_gb),
          prose("td", {}, row.layout),
        ],
  );
  return table(
    ["#", word("option"), word("time_taken"), word("cost"), word("energy"), "MFU", word("memory"), word("layout")],
    lines,
  );
}

const left = ({ n_left_out: n }) => n > 0 && html("p", {}, word("left_out", { n: whole(n) }));
