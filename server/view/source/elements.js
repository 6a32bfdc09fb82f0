// Elements, made of other elements and of text: nothing that an answer says is ever read as markup.

export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    // One by one, since a policy may forbid style attributes as a whole.
    else if (name === "style") for (const [key, set] of Object.entries(value)) element.style.setProperty(key, set);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false && child !== ""));
  return element;
}

// Prose of an answer is English, whatever language surrounds it.
export const prose = (tag, attributes, ...children) => html(tag, { lang: "en", ...attributes }, ...children);

// A frame whose drawing is made anew for its width and its sheets' height: text in it keeps its size.
export function resizing(draw) {
  let width = 640;
  const frame = html("div", { class: "plot" }, draw(width, 280));
  // In the next frame, since a drawing changes the height that is being observed.
  new ResizeObserver(([{ contentRect }]) =>
    requestAnimationFrame(() => {
      const now = Math.round(contentRect.width);
      if (now === 0 || now === width || !frame.isConnected) return;
      width = now;
      frame.replaceChildren(draw(width, frame.closest(".sheets").clientHeight));
    }),
  ).observe(frame);
  return frame;
}
