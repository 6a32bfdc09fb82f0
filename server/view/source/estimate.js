// How long one run takes.

import { html, prose } from "./elements.js";
import { word, whole, rate, share, span, gigabytes, devicesOf } from "./words.js";
import {
  assumptionsSheet,
  banner,
  breakdown,
  costFigure,
  dataAsked,
  energyFigure,
  exists,
  figures,
  head,
  hoursFigure,
  rangeSaid,
  timeAxis,
  warningsSheet,
} from "./parts.js";

export const isEstimate = (answer) => exists(answer.training_days);

// `ask` says something in the chat; there is none where a host has no ear.
export function estimateView(answer, asked, ask) {
  const { memory } = answer;
  const fits = memory?.fits ?? true;
  const subject = [
    asked.model ?? asked.hf_config?.model_type,
    dataAsked(asked),
    devicesOf(asked),
    ...["method", "objective", "precision"]
      .map((name) => asked[name])
      .filter((value) => value !== "auto" && value !== "full"),
  ];
  const title = fits ? span(answer.training_days) : word("does_not_fit");
  const said = fits
    ? [rangeSaid(answer)]
    : [
        word("too_much", { need: gigabytes(memory.per_gpu_gb), capacity: gigabytes(memory.capacity_gb) }),
        word("if_it_fitted", { time: span(answer.training_days) }),
      ];
  return {
    title,
    said: [title, ...said].join(", "),
    head: [
      head(subject, title, said, !fits),
      banner(answer.warnings),
      timeAxis(answer),
      figures(
        costFigure(answer.cost_usd),
        hoursFigure(answer.gpu_hours),
        [
          word("speed"),
          rate(answer.tokens_per_second_per_gpu),
          word("utilization", { share: share(answer.model_flops_utilization) }),
        ],
        energyFigure(answer.energy_kwh),
      ),
    ].filter(Boolean),
    sheets: [
      memory && { key: "breakdown", title: word("breakdown"), content: [breakdown(answer)] },
      // What was given rests on little else.
      ...(memory
        ? [evidenceSheet(answer, ask), assumptionsSheet(answer)]
        : [assumptionsSheet(answer), evidenceSheet(answer, ask)]),
      warningsSheet(answer.warnings),
    ].filter(Boolean),
  };
}

// Published runs, with their speed beside ours; and what would say more.
export function evidenceSheet(answer, ask) {
  const { evidence, comparable_runs: runs = [], narrow_by: narrowings = [] } = answer;
  const content = [
    html("p", {}, word("rests_on"), " ", prose("span", {}, evidence.note)),
    runs.length > 0 && html("div", {}, html("h3", {}, word("published_runs")), runs.map(publishedRun)),
    narrowings.length > 0 &&
      html(
        "div",
        {},
        html("h3", {}, word("would_narrow")),
        html(
          "ul",
          { class: "notes" },
          narrowings.map((narrowing) => narrowingItem(narrowing, ask)),
        ),
      ),
  ];
  return { key: "evidence", title: word("evidence"), content: content.filter(Boolean) };
}

function publishedRun({ name, gpu, n_gpus: count, published, predicted_over_published: ratio, source }) {
  // The ratio is one of times; these are speeds.
  const speeds = exists(ratio)
    ? [
        [word("as_published"), 1, published],
        [word("predicted_for_it"), 1 / ratio, share(1 / ratio)],
      ]
    : [[word("as_published"), 1, published]];
  const fastest = Math.max(...speeds.map(([, speed]) => speed));
  return html(
    "article",
    { class: "run" },
    prose("h4", {}, name),
    html(
      "div",
      { class: "speeds" },
      speeds.map(([label, speed, said], i) => [
        html("span", {}, label),
        html(
          "span",
          { class: "bar" },
          html("i", { style: { width: `${(100 * speed) / fastest}%`, background: `var(--c${i ? 1 : 0})` } }),
        ),
        html("span", {}, said),
      ]),
    ),
    html("small", {}, `${whole(count)} × ${gpu} · ${source}`),
  );
}

function narrowingItem({ argument, narrows_by: by, why }, ask) {
  return html(
    "li",
    {},
    html("code", {}, argument),
    ` ${word("narrows_by", { share: share(by) })}`,
    prose("small", {}, ` ${why}`),
    " ",
    ask && html("button", { type: "button", click: () => ask(word("ask_for", { argument })) }, word("ask")),
  );
}
