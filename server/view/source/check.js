// Whether an observed speed is normal.

import { html, prose } from "./elements.js";
import { word, number, compact, devicesOf, rate, share, span, spread } from "./words.js";
import { assumptionsSheet, banner, dataAsked, exists, figures, head, rowHead, table, warningsSheet } from "./parts.js";
import { evidenceSheet } from "./estimate.js";
import { timeBar } from "./bars.js";
import { intervals, inTokensPerSecond } from "./intervals.js";

export const isCheck = (answer) => exists(answer.verdict);

export function checkView(answer, asked) {
  const open = exists(answer.verdict_depends_on);
  const bad = !open && (answer.verdict === "slow" || answer.verdict === "implausible");
  const title = open ? word("verdict_open") : word(`verdict_${answer.verdict}`);
  const said = [
    word("of_expected", { share: share(answer.observed_over_expected) }),
    prose("span", {}, answer.observed_how),
  ];
  const causes = answer.likely_causes ?? [];
  return {
    title,
    said: `${title}, ${said[0]}`,
    head: [
      head([asked.model, dataAsked(asked), devicesOf(asked)], title, said, bad),
      banner(answer.warnings),
      intervals(
        [
          { label: word("observed"), value: answer.observed, low: answer.observed, high: answer.observed, main: true },
          { label: word("expected"), value: answer.expected, low: answer.expected_low, high: answer.expected_high },
          {
            label: word("ceiling"),
            value: answer.ceiling.tokens_per_second,
            low: answer.ceiling.tokens_per_second,
            high: answer.ceiling.tokens_per_second,
          },
        ],
        inTokensPerSecond(),
      ),
      figures(
        [word("speed"), rate(answer.tokens_per_second_per_gpu)],
        [word("utilization_name"), share(answer.model_flops_utilization), `${number(answer.tflops_per_gpu)} TFLOP/s`],
        [
          word("remaining"),
          exists(answer.remaining_days) && span(answer.remaining_days),
          exists(answer.remaining_days_low) && spread(answer.remaining_days_low, answer.remaining_days_high),
        ],
      ),
    ].filter(Boolean),
    sheets: [
      causes.length > 0 && { key: "causes", title: word("causes"), content: [causesTable(causes)] },
      answer.time_breakdown && {
        key: "breakdown",
        title: word("time"),
        content: [html("h3", {}, word("time")), timeBar(answer.time_breakdown)],
      },
      evidenceSheet(answer),
      assumptionsSheet(answer),
      warningsSheet(answer.warnings),
    ].filter(Boolean),
  };
}

const causesTable = (causes) =>
  table(
    [word("cause"), word("tells"), word("expected")],
    causes.map((cause) => [
      rowHead(cause.explains && "✓ ", prose("span", {}, cause.what)),
      prose("td", {}, cause.check),
      compact(cause.tokens_per_second),
    ]),
  );
