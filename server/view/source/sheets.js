// Sheets one behind another, with tabs; or all open, one below another, where there is room or paper.

import { html } from "./elements.js";

// What is given again keeps its place: elements that stay are not moved, so that the focus in them stays too.
export class Sheets {
  #open;
  #sheets = new Map();
  #chosen = null;

  constructor(open) {
    this.#open = open;
    this.tabs = html("div", { class: "tabs", role: "tablist", hidden: open, keydown: (event) => this.#moved(event) });
    this.body = html("div", { class: "sheets" });
  }

  // `wanted` are {key, title, content}, content a list of elements.
  show(wanted) {
    for (const key of [...this.#sheets.keys()].filter((key) => !wanted.some((sheet) => sheet.key === key))) {
      this.#sheets.get(key).tab.remove();
      this.#sheets.get(key).sheet.remove();
      this.#sheets.delete(key);
    }
    for (const { key, title, content } of wanted) {
      const { tab, heading, sheet, filling } = this.#sheets.get(key) ?? this.#made(key);
      tab.textContent = heading.textContent = title;
      if (
        content.length !== filling.childNodes.length ||
        content.some((element, i) => element !== filling.childNodes[i])
      )
        filling.replaceChildren(...content);
      sheet.setAttribute("aria-label", title);
    }
    this.#choose(this.#sheets.has(this.#chosen) ? this.#chosen : wanted[0]?.key);
  }

  open(open) {
    this.#open = open;
    this.tabs.hidden = open;
    this.#choose(this.#chosen);
  }

  #made(key) {
    const tab = html("button", {
      type: "button",
      role: "tab",
      id: `tab-${key}`,
      "aria-controls": `sheet-${key}`,
      click: () => this.#choose(key),
    });
    const heading = html("h2");
    const filling = html("div", { class: "filling" });
    const sheet = html("section", { class: "sheet", id: `sheet-${key}` }, heading, filling);
    this.tabs.append(tab);
    this.body.append(sheet);
    this.#sheets.set(key, { tab, heading, sheet, filling });
    return this.#sheets.get(key);
  }

  #choose(chosen) {
    this.#chosen = chosen;
    for (const [key, { tab, sheet }] of this.#sheets) {
      const isChosen = key === chosen;
      tab.setAttribute("aria-selected", isChosen);
      tab.tabIndex = isChosen ? 0 : -1;
      sheet.hidden = !this.#open && !isChosen;
      sheet.setAttribute("role", this.#open ? "region" : "tabpanel");
      // What scrolls must be reached by keyboard.
      if (this.#open) sheet.removeAttribute("tabindex");
      else sheet.tabIndex = 0;
      if (isChosen) this.tabs.scrollLeft = tab.offsetLeft - this.tabs.offsetLeft - 24;
    }
  }

  #moved(event) {
    const keys = [...this.#sheets.keys()];
    const to = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next =
      { Home: 0, End: keys.length - 1 }[event.key] ??
      (to && (keys.indexOf(this.#chosen) + to + keys.length) % keys.length);
    if (next === undefined) return;
    event.preventDefault();
    this.#choose(keys[next]);
    this.#sheets.get(keys[next]).tab.focus();
  }
}
