// Values with their ranges, one a row, on one logarithmic axis: a prediction, a rule, options against a deadline.

import { html } from "./elements.js";
import { number, compact, rate, span, spread, unitOf } from "./words.js";

const MOST_TICKS = 6;
const STEPS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 4, 5, 6, 8]];
const decade = (value) => 10 ** Math.floor(Math.log10(value));

// Round numbers between two, as many as a reader needs: evenly spaced where they are near one another.
export function ticks(low, high) {
  if (high / low < 5) {
    const least = (high - low) / MOST_TICKS;
    const step = [1, 2, 5, 10].map((size) => size * decade(least)).find((size) => size >= least);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  }
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high / decade(low))) + 1 },
    (_, i) => decade(low) * 10 ** i,
  );
  const inside = (steps) =>
    decades.flatMap((size) => steps.map((step) => step * size)).filter((at) => at >= low && at <= high);
  const found = STEPS.map(inside).find((at) => at.length >= 3) ?? [];
  const every = Math.ceil(found.length / MOST_TICKS);
  return found.filter((_, i) => i % every === 0);
}

// Where a value lies between two, from 0 to 1, on a logarithmic axis.
export const place = (low, high) => (value) => Math.log(value / low) / Math.log(high / low);

// What holds all values, with some room on either side; a single value has room too.
export function bounds(values, room = 0.06) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const wide = Math.max(high / low, 1.2) ** room;
  return high / low < 1.05 ? [low / 1.3, high * 1.3] : [low / wide, high * wide];
}

// How an axis tells durations in days, its ticks in the unit of one of them.
export const inDays = (example) => ({ size: unitOf(example).size, tick: number, told: (value) => span(value), spread });

export const inTokensPerSecond = () => ({
  size: 1,
  tick: compact,
  told: rate,
  spread: (low, high) => `${compact(low)}–${compact(high)}`,
});

export const timeOf = (option) => ({
  value: option.training_days,
  low: option.training_days_low,
  high: option.training_days_high,
});

// Rows are {label, value, low, high, main}; a limit is {value, label}.
export function intervals(rows, quantity, limit) {
  const values = rows.flatMap(({ value, low, high }) => [value, low, high]);
  const [low, high] = bounds(limit ? [...values, limit.value] : values);
  const at = place(low, high);
  const percent = (value) => `${100 * at(value)}%`;
  const told = rows.map((row) => {
    const point = `${row.label}: ${quantity.told(row.value)}`;
    return row.low < row.high ? `${point} (${quantity.spread(row.low, row.high)})` : point;
  });
  if (limit) told.push(limit.label);
  const marks = ticks(low / quantity.size, high / quantity.size);
  return html(
    "div",
    { class: "intervals", role: "img", "aria-label": told.join("; "), style: { "--rows": rows.length } },
    html(
      "div",
      { class: "scale" },
      marks.map((tick) =>
        html("i", { style: { left: percent(tick * quantity.size) } }, html("span", {}, quantity.tick(tick))),
      ),
      limit && html("b", { style: { left: percent(limit.value) } }),
    ),
    rows.map((row, i) => {
      const cell = (name, ...children) =>
        html("span", { class: `${name} ${row.main ? "main" : "quiet"}`, style: { "--row": i + 1 } }, ...children);
      return [
        cell("label", row.label),
        cell(
          "track",
          row.low < row.high &&
            html("i", { style: { left: percent(row.low), width: `${100 * (at(row.high) - at(row.low))}%` } }),
          html("b", { style: { left: percent(row.value) } }),
        ),
        cell("value", quantity.told(row.value)),
      ];
    }),
  );
}
