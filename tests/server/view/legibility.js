// What cannot be read well: text below the contrast of WCAG 2.2 AA with what is behind it, and parts of charts below 3.
() => {
  const rgba = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], below) => [...[r, g, b].map((top, i) => top * a + below[i] * (1 - a)), 1];
  const luminance = (colour) => {
    const [r, g, b] = colour
      .slice(0, 3)
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const ancestors = (element) => (element ? [element, ...ancestors(element.parentElement)] : []);
  const behind = (element) =>
    ancestors(element)
      .reverse()
      .reduce((below, at) => over(rgba(getComputedStyle(at).backgroundColor), below), [255, 255, 255, 1]);
  const faded = (element, colour, below) =>
    over(
      [
        ...colour.slice(0, 3),
        colour[3] * ancestors(element).reduce((all, at) => all * getComputedStyle(at).opacity, 1),
      ],
      below,
    );
  const faint = [];
  const judge = (element, colour, below, least, name) => {
    const ratio = contrast(faded(element, rgba(colour), below), below);
    if (ratio < least) faint.push(`${name}: ${ratio.toFixed(2)} < ${least} (${colour})`);
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (
      !texts.currentNode.data.trim() ||
      ["SCRIPT", "STYLE", "title"].includes(element.tagName) ||
      !element.checkVisibility() ||
      element.closest(".unseen")
    )
      continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    judge(
      element,
      element instanceof SVGElement ? style.fill : style.color,
      behind(element),
      large ? 3 : 4.5,
      texts.currentNode.data.trim().slice(0, 40),
    );
  }
  for (const part of document.querySelectorAll(".bar > i, .track b, .dot")) {
    if (!part.checkVisibility()) continue;
    const style = getComputedStyle(part);
    judge(
      part,
      part instanceof SVGElement ? style.stroke : style.backgroundColor,
      behind(part.parentElement),
      3,
      part.closest("[aria-label]").ariaLabel.slice(0, 40),
    );
  }
  return faint;
};
