// A whole divided into its parts, with a key; and what is needed against what there is.

import { html } from "./elements.js";
import { word, share, gigabytes } from "./words.js";

const LEAST = 0.002; // Of the whole: what is less would be no wider than its border.

// One colour a part, and no colour twice in a bar.
const TIME = { compute: 1, attention: 2, memory_bound: 3, communication: 4, bubble: 5, optimizer: 6, other: 0 };
const MEMORY = { weights: 1, gradients: 2, activations: 3, optimizer: 6, other: 0 };

export function timeBar(shares) {
  const parts = Object.entries(TIME).map(([name, colour]) => {
    const size = shares[name] ?? 0;
    return part(name, size, colour, share(size));
  });
  return bar(parts, 1);
}

export function memoryBar(memory) {
  const parts = Object.entries(MEMORY).map(([name, colour]) => {
    const size = memory[`${name}_gb`] ?? 0;
    return part(name, size, colour, gigabytes(size));
  });
  const capacity = { at: memory.capacity_gb, label: `${word("capacity")} ${gigabytes(memory.capacity_gb)}` };
  return bar(parts, Math.max(memory.per_gpu_gb, memory.capacity_gb), capacity);
}

const part = (name, size, colour, told) => ({ label: word(name), size, colour, told });

function bar(all, whole, mark) {
  const parts = all.filter(({ size }) => size / whole >= LEAST);
  const told = parts.map(({ label, told }) => `${label} ${told}`);
  const percent = (size) => `${(100 * size) / whole}%`;
  return html(
    "div",
    { class: "division" },
    html(
      "div",
      { class: "bar", role: "img", "aria-label": [...told, mark?.label].filter(Boolean).join(", ") },
      parts.map(({ size, colour }) => html("i", { style: { width: percent(size), background: `var(--c${colour})` } })),
      mark && html("b", { class: "mark", style: { left: `min(${percent(mark.at)}, 100% - 2px)` } }),
    ),
    html(
      "ul",
      { class: "key" },
      parts.map(({ label, told, colour }) =>
        html("li", {}, html("i", { style: { background: `var(--c${colour})` } }), `${label} `, html("b", {}, told)),
      ),
      mark && html("li", {}, html("i", { class: "mark" }), mark.label),
    ),
  );
}
