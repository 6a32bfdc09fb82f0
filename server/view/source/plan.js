// What keeps to a deadline and a budget.

import { html, prose } from "./elements.js";
import { word, compact, money, share, span, devicesOf, rangeOf, tokensOf } from "./words.js";
import {
  assumptionsSheet,
  banner,
  breakdown,
  costFigure,
  energyFigure,
  exists,
  figures,
  head,
  hoursFigure,
  layoutNamed,
  moneyCell,
  rowHead,
  table,
  timeCell,
  warningsSheet,
} from "./parts.js";
import { intervals, inDays, timeOf } from "./intervals.js";
import { costPlot, countPlot, hasCounts } from "./plots.js";

export const isPlan = (answer) => exists(answer.solve_for);

const SOLVED = {
  n_gpus: devicesOf,
  gpu: devicesOf,
  tokens: tokensOf,
  model_size: (option) => word("of_parameters", { n: compact(option.parameters) }),
  layout: (option) => (option.layout ? layoutNamed(option.layout) : devicesOf(option)),
};

export function planView(answer) {
  const { solution, sure_solution: sure, alternatives, estimate } = answer;
  const named = SOLVED[answer.solve_for];
  const isSure = sure && named(sure) === named(solution) && sure.training_days === solution.training_days;
  const options = [!isSure && sure, solution, ...alternatives].filter(Boolean);
  const given = [
    answer.solve_for !== "model_size" && solution.model,
    answer.solve_for !== "tokens" && tokensOf(solution),
    !["n_gpus", "gpu"].includes(answer.solve_for) && devicesOf(solution),
    ...limitsSaid(answer),
  ];
  const limit = exists(answer.deadline_days)
    ? { value: answer.deadline_days, label: `${word("deadline")} ${span(answer.deadline_days)}` }
    : null;
  const odds = { share: share(answer.sure_probability ?? 0) };
  const said = [
    solution.meets_limits ? (isSure ? word("sure_of", odds) : word("even_odds")) : word("meets_not"),
    `${span(solution.training_days)} (${rangeOf(solution)})`,
    sure && !isSure && `${word("sure_of", odds)}: ${named(sure)}`,
  ];
  const axis = intervals(
    options.map((option) => ({ ...timeOf(option), label: named(option), main: option === solution })),
    inDays(solution.training_days),
    limit,
  );
  return {
    title: named(solution),
    said: [named(solution), ...said].filter(Boolean).join(", "),
    head: [
      head(given, named(solution), said, !solution.meets_limits),
      banner([...answer.warnings, ...estimate.warnings]),
      figures(
        costFigure(solution.cost_usd),
        hoursFigure(solution.gpu_hours),
        energyFigure(estimate.energy_kwh),
        sure && !isSure && [word("sure"), named(sure), exists(sure.cost_usd.value) && money(sure.cost_usd.value)],
      ),
    ].filter(Boolean),
    sheets: [
      { key: "options", title: word("alternatives"), content: [axis, optionsTable(options, named)] },
      ...plotSheets(answer, options, named),
      estimate.memory && { key: "breakdown", title: word("breakdown"), content: [breakdown(estimate)] },
      assumptionsSheet(
        { ...estimate, assumptions: [...answer.assumptions, ...estimate.assumptions], estimate_id: answer.plan_id },
        [[word("solved"), prose("code", {}, answer.formula)]],
      ),
      warningsSheet([...answer.warnings, ...estimate.warnings]),
    ].filter(Boolean),
  };
}

const limitsSaid = ({ deadline_days: days, budget_usd: usd, budget_gpu_hours: hours }) => [
  exists(days) && word("within", { what: span(days) }),
  exists(usd) && word("within", { what: money(usd) }),
  exists(hours) && word("within", { what: `${compact(hours)} ${word("gpu_hours")}` }),
];

function plotSheets(answer, options, named) {
  const names = [...new Set(options.map(({ gpu }) => gpu))];
  const points = options.map((option) => ({
    ...timeOf(option),
    cost: option.cost_usd.value,
    hours: option.gpu_hours,
    gpus: option.n_gpus,
    possible: option.fits,
    best: false,
    series: names.indexOf(option.gpu),
    label: named(option),
  }));
  const sameWork = options.every(
    ({ tokens, parameters }) => tokens === options[0].tokens && parameters === options[0].parameters,
  );
  const limits = { days: answer.deadline_days, usd: answer.budget_usd, hours: answer.budget_gpu_hours };
  return [
    points.length > 1 && { key: "cost", title: word("time_and_cost"), content: [costPlot(points, names, limits)] },
    sameWork &&
      hasCounts(points) && { key: "count", title: word("by_count"), content: [countPlot(points, names, limits)] },
  ];
}

function optionsTable(options, named) {
  return table(
    [word("option"), word("time_taken"), word("cost"), word("gpu_hours"), word("note")],
    options.map((option) => [
      rowHead(
        named(option),
        !option.meets_limits && html("small", { class: "bad" }, ` ${word("meets_not")}`),
        !option.fits && html("small", { class: "bad" }, ` ${word("fits_not")}`),
      ),
      timeCell(option),
      moneyCell(option.cost_usd.value),
      compact(option.gpu_hours),
      prose("td", {}, option.why),
    ]),
  );
}
