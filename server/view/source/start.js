// Starts the page: from the data it holds, or as a host's view.

import { html, prose } from "./elements.js";
import { speak, word } from "./words.js";
import { Sheets } from "./sheets.js";
import { head, dataAsked } from "./parts.js";
import { isEstimate, estimateView } from "./estimate.js";
import { isComparison, comparisonView } from "./comparison.js";
import { isPlan, planView } from "./plan.js";
import { isCheck, checkView } from "./check.js";
import { connect } from "./host.js";
import { Controls } from "./controls.js";

const VIEWS = [
  [isPlan, planView],
  [isComparison, comparisonView],
  [isCheck, checkView],
  [isEstimate, estimateView],
];
const MOST_PIXELS = 500; // Inline, of height: what a conversation can spare.

const root = document.documentElement;
const view = document.getElementById("view");
const live = document.getElementById("said");

// What an answer looks like is decided by what it holds: a host need not say which tool it called.
function render(top, sheets, answer, asked, { ask, controls } = {}) {
  const shown = VIEWS.find(([is]) => is(answer))[1](answer, asked, ask);
  top.replaceChildren(...shown.head);
  const [first, ...others] = shown.sheets;
  sheets.show([first, ...(controls?.sheets ?? []), ...others]);
  document.title = `${shown.title} · traintime`;
  return shown.said;
}

function report({ arguments: asked = {}, answer, locale = "en" }) {
  speak(locale);
  root.dataset.layout = "open";
  const [top, sheets] = [html("div", { class: "top" }), new Sheets(true)];
  view.append(top, sheets.body);
  render(top, sheets, answer, asked);
  top.firstChild.after(prose("p", { class: "summary" }, answer.summary));
  view.setAttribute("aria-busy", "false");
}

// Returns the structured answer of a tool's result; throws what the tool says where it gave none.
function read(result) {
  const texts = (result.content ?? []).filter(({ type }) => type === "text").map(({ text }) => text);
  const known = (answer) => answer && VIEWS.some(([is]) => is(answer));
  if (!result.isError) {
    if (known(result.structuredContent)) return result.structuredContent;
    for (const text of texts) {
      try {
        const answer = JSON.parse(text);
        if (known(answer)) return answer;
      } catch {
        // Not the answer but words beside it.
      }
    }
  }
  throw new Error(texts.join(" ") || word("no_answer"));
}

async function chat() {
  let [host, asked, answer, failure, controls] = [null, {}, null, null, null];
  const context = {};
  const [top, sheets] = [html("div", { class: "top" }), new Sheets(false)];
  const expand = html("button", { type: "button", class: "expand", click: () => expanded() });
  const middle = html("div", { class: "row" }, sheets.tabs, expand);

  const say = (...elements) => view.replaceChildren(...elements);
  const isFull = () => context.displayMode === "fullscreen";

  async function expanded() {
    adopt({ displayMode: await host.display(isFull() ? "inline" : "fullscreen").catch(() => context.displayMode) });
  }

  function draw() {
    controls?.stop();
    controls = null;
    view.setAttribute("aria-busy", String(!answer && !failure));
    if (failure) return say(prose("p", { class: "failure", role: "alert" }, failure));
    if (!answer) return say(head([asked.model, dataAsked(asked)], word("waiting"), []));
    if (host.call && isEstimate(answer) && (asked.model || asked.hf_config) && asked.gpu && asked.n_gpus) {
      const { name = "estimate_training_time", inputSchema } = context.toolInfo?.tool ?? {};
      controls = new Controls({
        asked,
        answer,
        precisions: inputSchema?.properties?.precision?.enum,
        ask: async (changed) => read(await host.call(name, changed)),
        show: (changed, as) => {
          show(changed, as);
          host.tell(changed.summary);
        },
      });
    }
    say(top, middle, sheets.body);
    try {
      return show(answer, asked);
    } catch (error) {
      console.error(error);
      return say(prose("p", {}, answer.summary)); // The answer stands without its picture.
    }
  }

  function show(changed, as) {
    live.textContent = render(top, sheets, changed, as, { ask: host.say, controls });
  }

  // Takes what a host says of itself, as much as has changed.
  function adopt(changed) {
    Object.assign(context, changed);
    const { theme, styles = {}, locale, containerDimensions: room = {}, safeAreaInsets: insets } = context;
    if (theme) root.style.colorScheme = theme;
    for (const [name, value] of Object.entries(styles.variables ?? {}))
      if (name.startsWith("--") && value != null) root.style.setProperty(name, value);
    if (styles.css?.fonts && !document.getElementById("fonts"))
      document.head.append(html("style", { id: "fonts" }, styles.css.fonts));
    if (insets)
      document.body.style.padding = ["top", "right", "bottom", "left"].map((side) => `${insets[side]}px`).join(" ");
    root.style.setProperty("--most", `${room.height ?? Math.min(MOST_PIXELS, room.maxHeight ?? MOST_PIXELS)}px`);
    root.dataset.layout = isFull() ? "open" : "folded";
    sheets.open(isFull());
    expand.hidden = !context.availableDisplayModes?.includes("fullscreen");
    if (locale) speak(locale);
    expand.textContent = isFull() ? "⤡" : "⤢";
    expand.setAttribute("aria-label", word(isFull() ? "smaller" : "larger"));
    if (locale && "locale" in changed) draw();
  }

  const observer = new ResizeObserver(() => {
    const [width, height] = [root.clientWidth, Math.ceil(document.body.getBoundingClientRect().height)];
    if (`${width} ${height}` === observer.told) return;
    observer.told = `${width} ${height}`;
    host.resized(width, height);
  });

  host = await connect({
    input: (given) => {
      [asked, answer, failure] = [given, null, null];
      draw();
    },
    result: (result) => {
      try {
        [answer, failure] = [read(result), null];
      } catch (error) {
        failure = error.message;
      }
      draw();
    },
    cancelled: () => {
      failure = word("cancelled");
      draw();
    },
    context: adopt,
    teardown: () => {
      controls?.stop();
      observer.disconnect();
    },
  });
  adopt({ locale: navigator.language, ...host.context });
  host.initialized();
  observer.observe(document.body);
}

const data = JSON.parse(document.getElementById("document").textContent);
if (data) report(data);
else if (window.parent !== window) chat();
else view.append(html("p", {}, word("no_host")));
