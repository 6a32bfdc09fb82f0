// What if there were more GPUs, more data, another precision? Asks the tool again, through the host.

import { html } from "./elements.js";
import { word, whole, compact, number, span, devicesOf } from "./words.js";
import { timeOf } from "./intervals.js";
import { countPlot } from "./plots.js";

const FACTORS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8];
const PAUSE_MS = 250; // A slider that is moved asks once, where it comes to rest.
const PRECISIONS = ["auto", "bf16", "fp16", "fp8", "mxfp8", "nvfp4", "tf32", "fp32"];
const SIZES = { "": 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 };

// "15T" and 15e12 as a number; undefined for what is none, as the name of a data set.
function counted(given) {
  if (typeof given === "number") return given;
  const found = /^\s*(\d[\d,_]*(?:\.\d+)?(?:e\d+)?)\s*([kmbt]?)\s*$/i.exec(given ?? "");
  return found ? Number(found[1].replaceAll(/[,_]/g, "")) * SIZES[found[2].toLowerCase()] : undefined;
}

const around = (base) => [...new Set(FACTORS.map((factor) => Math.max(1, Math.round(base * factor))))];

// `ask(asked)` resolves to an answer, and rejects with what to say; `show(answer, asked)` shows it.
export class Controls {
  #asked;
  #answer;
  #ask;
  #show;
  #change = {};
  #sliders = [];
  #timer;
  #latest = 0;

  constructor({ asked, answer, precisions, ask, show }) {
    [this.#asked, this.#answer, this.#ask, this.#show] = [asked, answer, ask, show];
    const data = ["tokens", "samples", "steps"].find((name) => counted(asked[name]));
    this.outcome = html("p", { role: "status" });
    this.form = html(
      "form",
      { class: "controls", submit: (event) => event.preventDefault() },
      counted(asked.n_gpus) && this.#slider("n_gpus", word("gpus"), whole),
      data && this.#slider(data, word(data), compact),
      this.#precision(precisions ?? PRECISIONS),
      html(
        "div",
        { class: "outcome" },
        html("button", { type: "button", click: () => this.#reset() }, word("reset")),
        this.outcome,
      ),
    );
    this.plot = html("div", {}, html("button", { type: "button", click: () => this.#plotted() }, word("draw")));
  }

  get sheets() {
    const counts = around(counted(this.#asked.n_gpus)).length > 1;
    return [
      { key: "controls", title: word("what_if"), content: [this.form] },
      counts && { key: "count", title: word("by_count"), content: [this.plot] },
    ].filter(Boolean);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#latest += 1;
  }

  #slider(name, label, told) {
    const base = counted(this.#asked[name]);
    const counts = around(base);
    const start = counts.indexOf(Math.round(base));
    const output = html("output", { for: `if-${name}` });
    const range = html("input", { type: "range", id: `if-${name}`, min: 0, max: counts.length - 1, value: start });
    const tell = () => {
      output.textContent = told(counts[range.value]);
      range.setAttribute("aria-valuetext", output.textContent);
    };
    range.addEventListener("input", () => {
      tell();
      const count = counts[range.value];
      // As it was given: a schema may want a number, or text.
      this.#set(
        name,
        Number(range.value) === start ? undefined : typeof this.#asked[name] === "string" ? String(count) : count,
      );
    });
    this.#sliders.push(() => {
      range.value = start;
      tell();
    });
    tell();
    return html("label", {}, html("span", {}, label), range, output);
  }

  #precision(all) {
    const start = this.#asked.precision ?? "auto";
    const select = html(
      "select",
      { id: "if-precision", change: () => this.#set("precision", select.value === start ? undefined : select.value) },
      all.map((name) => html("option", { value: name, selected: name === start }, name)),
    );
    this.#sliders.push(() => {
      select.value = start;
    });
    return html("label", {}, html("span", {}, word("precision")), select);
  }

  #set(name, value) {
    this.#change[name] = value;
    if (value === undefined) delete this.#change[name];
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settled(), PAUSE_MS);
  }

  #reset() {
    for (const reset of this.#sliders) reset();
    this.#change = {};
    clearTimeout(this.#timer);
    this.#settled();
  }

  async #settled() {
    const mine = ++this.#latest;
    const asked = { ...this.#asked, ...this.#change };
    const changed = Object.keys(this.#change).length > 0;
    this.form.setAttribute("aria-busy", "true");
    try {
      const answer = changed ? await this.#ask(asked) : this.#answer;
      if (mine !== this.#latest) return; // A later question is on its way.
      this.#show(answer, asked);
      this.outcome.textContent = changed ? this.#compared(answer) : "";
    } catch (error) {
      if (mine === this.#latest) this.outcome.textContent = error.message;
    } finally {
      if (mine === this.#latest) this.form.setAttribute("aria-busy", "false");
    }
  }

  // The same question for other numbers of GPUs, one after another, drawn as they come; some may be impossible.
  async #plotted() {
    const points = [];
    const asked = { ...this.#asked, ...this.#change };
    for (const count of around(counted(this.#asked.n_gpus))) {
      const answer = await this.#ask({ ...asked, n_gpus: count }).catch(() => null);
      if (!answer) continue;
      points.push({
        ...timeOf(answer),
        gpus: count,
        series: 0,
        label: devicesOf({ ...asked, n_gpus: count }),
        possible: answer.memory?.fits ?? true,
      });
      if (points.length > 1) this.plot.replaceChildren(countPlot(points, [asked.gpu]));
    }
  }

  #compared(answer) {
    const [before, now] = [this.#answer.training_days, answer.training_days];
    return word("instead", { now: span(now), before: span(before), ratio: number(now / before) });
  }
}
