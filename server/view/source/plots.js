// Time against cost, and time against GPUs, both logarithmic.

import { html, svg, resizing } from "./elements.js";
import { word, number, whole, money, compact, span, unitOf } from "./words.js";
import { bounds, place, ticks } from "./intervals.js";

const COLOURS = 6;
const SHAPES = [
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z",
  "M-4-4h8v8h-8z",
  "M0-5.2L5 3.8H-5z",
  "M0-5.5L5.5 0 0 5.5-5.5 0z",
  "M0 5.2L5-3.8H-5z",
  "M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z",
];
const KEY = 34; // Of height, below a plot.
const MARGIN = { left: 52, right: 40, top: 22, bottom: 38 };

// Points are {value, low, high, cost, gpus, series, label, best, possible}; a series is a line of options that differ in
// their number of GPUs. Colours and shapes tell series apart; past the last colour they begin again with the next shape.
export const mark = (series) => ({
  colour: `var(--c${(series % COLOURS) + 1})`,
  shape: SHAPES[(series + Math.floor(series / COLOURS)) % SHAPES.length],
});

// What all points cost, in dollars, or in GPU-hours where a price is missing.
function costs(points) {
  const priced = points.every(({ cost }) => cost != null);
  return priced
    ? { of: ({ cost }) => cost, told: money, label: word("cost_usd") }
    : { of: ({ hours }) => hours, told: compact, label: word("gpu_hours") };
}

export function costPlot(points, names, limits = {}) {
  const cost = costs(points);
  const budget = cost.told === money ? limits.usd : limits.hours;
  const front = points.filter(({ best }) => best).sort((a, b) => cost.of(a) - cost.of(b));
  const titled = (point) => `${point.label}: ${span(point.value)}, ${cost.told(cost.of(point))}`;
  const drawing = (...room) => {
    const plane = planeOf(room, [...points.map(cost.of), budget], [...points.map(({ value }) => value), limits.days]);
    const { x, y } = plane;
    const path = front.map((point) => `${x(cost.of(point))} ${y(point.value)}`).join("L");
    return frame(
      plane,
      cost.label,
      cost.told,
      cost.label,
      points.map(titled),
      [
        budget && rule(plane, x(budget), null),
        limits.days && rule(plane, null, y(limits.days)),
        front.length > 1 && svg("path", { class: "front", d: `M${path}` }),
        points.map((point) => dot(x(cost.of(point)), y(point.value), point, titled(point))),
        captions(front.length ? front : points, (point) => [x(cost.of(point)), y(point.value)]),
      ],
    );
  };
  const key = [front.length > 1 && ["front", word("pareto")], (budget || limits.days) && ["limit", word("limit")]];
  return html("figure", {}, resizing(drawing), keyOf(points, names, key));
}

export function countPlot(points, names, limits = {}) {
  const lines = names
    .map((_, series) => points.filter((point) => point.series === series).sort((a, b) => a.gpus - b.gpus))
    .filter((line) => line.length > 1);
  const all = lines.flat();
  const titled = (point) => `${point.label}: ${span(point.value)}`;
  const drawing = (...room) => {
    const plane = planeOf(
      room,
      all.map(({ gpus }) => gpus),
      [...all.flatMap(({ low, high }) => [low, high]), limits.days],
    );
    const { x, y } = plane;
    const path = (line, value) => line.map((point) => `${x(point.gpus)} ${y(value(point))}`).join("L");
    plane.across = [...new Set(all.map(({ gpus }) => gpus))].sort((a, b) => a - b);
    return frame(
      plane,
      word("gpus"),
      whole,
      word("by_count"),
      all.map(titled),
      [
        limits.days && rule(plane, null, y(limits.days)),
        lines.map((line) => {
          const { colour } = mark(line[0].series);
          return [
            svg("path", {
              d: `M${path(line, ({ low }) => low)}L${path(line.toReversed(), ({ high }) => high)}Z`,
              fill: colour,
              opacity: 0.16,
            }),
            svg("path", { d: `M${path(line, ({ value }) => value)}`, fill: "none", stroke: colour, "stroke-width": 2 }),
          ];
        }),
        all.map((point) => dot(x(point.gpus), y(point.value), point, titled(point))),
      ],
    );
  };
  return html(
    "figure",
    {},
    resizing(drawing),
    keyOf(all, names, [["band", word("band")], limits.days && ["limit", word("limit")]]),
  );
}

export const hasCounts = (points) => points.some((a) => points.some((b) => a.series === b.series && a.gpus !== b.gpus));

function planeOf([width, room], across, up) {
  const real = (values) => values.filter((value) => value != null);
  const height = Math.min(Math.max(room - KEY, 150), 260);
  const [left, right] = bounds(real(across), 0.1);
  const [low, high] = bounds(real(up), 0.12);
  const [toX, toY] = [place(left, right), place(low, high)];
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    width,
    height,
    inner,
    low,
    high,
    across: ticks(left, right),
    x: (value) => round(MARGIN.left + toX(value) * inner.width),
    y: (value) => round(MARGIN.top + (1 - toY(value)) * inner.height),
  };
}

const round = (value) => Math.round(value * 10) / 10;

// Axes around what is drawn.
function frame({ width, height, inner, low, high, across, x, y }, label, tick, name, told, drawn) {
  const unit = unitOf(Math.sqrt(low * high));
  const floor = MARGIN.top + inner.height;
  let last = -Infinity;
  const apart = across.filter((value) => x(value) - last >= 44 && (last = x(value)));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${name}. ${told.join("; ")}` },
    ticks(low / unit.size, high / unit.size).map((value) => [
      svg("path", { class: "grid", d: `M${MARGIN.left} ${y(value * unit.size)}h${inner.width}` }),
      svg("text", { x: MARGIN.left - 7, y: y(value * unit.size) + 4, "text-anchor": "end" }, number(value)),
    ]),
    apart.map((value) => [
      svg("path", { class: "grid", d: `M${x(value)} ${MARGIN.top}v${inner.height}` }),
      svg("text", { x: x(value), y: floor + 15, "text-anchor": "middle" }, tick(value)),
    ]),
    svg("text", { x: MARGIN.left + inner.width, y: floor + 31, "text-anchor": "end" }, label),
    svg("text", { x: 4, y: 10 }, word(`${unit.name}s`, { n: "" }).trim()),
    drawn,
  );
}

function dot(x, y, { series, possible }, title) {
  const { colour, shape } = mark(series);
  return svg(
    "path",
    {
      d: shape,
      transform: `translate(${x} ${y})`,
      class: "dot",
      style: { fill: possible ? colour : "var(--back)", stroke: colour },
    },
    svg("title", {}, title),
  );
}

const rule = ({ inner }, x, y) =>
  svg("path", {
    class: "limit",
    d: x == null ? `M${MARGIN.left} ${y}h${inner.width}` : `M${x} ${MARGIN.top}v${inner.height}`,
  });

// Counts beside points, as far as they do not run into one another.
function captions(points, at) {
  const taken = [];
  return points.map((point) => {
    const [x, y] = at(point);
    if (taken.some(([a, b]) => Math.abs(a - x) < 40 && Math.abs(b - y) < 12)) return null;
    taken.push([x, y]);
    return svg("text", { class: "caption", x: x + 9, y: y + 4 }, whole(point.gpus));
  });
}

const keyOf = (points, names, more) =>
  html(
    "ul",
    { class: "key" },
    [...new Set(points.map(({ series }) => series))].map((series) => {
      const { colour, shape } = mark(series);
      return html(
        "li",
        {},
        svg(
          "svg",
          { viewBox: "-6 -6 12 12", width: 12, height: 12, "aria-hidden": "true" },
          svg("path", { d: shape, style: { fill: colour } }),
        ),
        ` ${names[series]}`,
      );
    }),
    more.filter(Boolean).map(([kind, name]) => html("li", {}, html("i", { class: kind }), name)),
  );
