// The language of the page, and the locale of its numbers: a host's locale may have no words here.

const LANGUAGES = ["en", "zh"]; // Each word in this order.
let locale = "en";
let language = 0;

export function speak(tag) {
  try {
    locale = Intl.getCanonicalLocales(tag)[0] ?? "en";
  } catch {
    locale = "en";
  }
  language = Math.max(LANGUAGES.indexOf(locale.split("-")[0]), 0);
  document.documentElement.lang = LANGUAGES[language];
}

// A word, or a sentence with its blanks filled; a name that is no word here is itself.
export function word(key, blanks = {}) {
  const text = WORDS[key]?.[language] ?? key.replaceAll("_", " ");
  return text.replace(/\{(\w+)\}/g, (blank, name) => blanks[name] ?? blank);
}

const formats = new Map();

function formatted(value, options) {
  const key = locale + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.NumberFormat(locale, options));
  return formats.get(key).format(value);
}

export const number = (value, digits = 3) => formatted(value, { maximumSignificantDigits: digits });
export const rate = (value) => `${number(value)} ${word("tokens_per_second")}`;
export const whole = (value) => formatted(value, { maximumFractionDigits: 0 });
export const compact = (value) => formatted(value, { notation: "compact", maximumSignificantDigits: 3 });
export const share = (value) => formatted(value, { style: "percent", maximumFractionDigits: value < 0.1 ? 1 : 0 });

export function money(value) {
  const few = value < 1000;
  return formatted(value, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    notation: few ? "standard" : "compact",
    ...(few ? {} : { maximumSignificantDigits: 3 }),
  });
}

// The unit people would use: days between two days and two years.
const UNITS = [
  [365.25, 2, "year"],
  [1, 2, "day"],
  [1 / 24, 1, "hour"],
  [1 / 1440, 1, "minute"],
  [1 / 86400, 0, "second"],
];

export function unitOf(days) {
  const [size, , name] = UNITS.find(([size, least]) => days / size >= least * 0.9995);
  return { size, name };
}

export function span(days, unit = unitOf(days)) {
  const told = number(days / unit.size);
  return word(told === "1" ? unit.name : `${unit.name}s`, { n: told });
}

export function spread(low, high) {
  const [from, to] = [unitOf(low), unitOf(high)];
  if (from.name !== to.name) return `${span(low, from)} – ${span(high, to)}`;
  return word(`${to.name}s`, { n: `${number(low / to.size)}–${number(high / to.size)}` });
}

// What of an answer, an option or a question is told alike everywhere.
export const rangeOf = (answer) => spread(answer.training_days_low, answer.training_days_high);
export const tokensOf = ({ tokens }) => word("of_tokens", { n: compact(tokens) });
export const devicesOf = ({ n_gpus: count, gpu }) =>
  count != null && gpu != null && `${typeof count === "number" ? whole(count) : count} × ${gpu}`;

export function energy(kwh) {
  const [size, unit] = [
    [1e6, "GWh"],
    [1e3, "MWh"],
    [1, "kWh"],
  ].find(([size]) => kwh >= size) ?? [1, "kWh"];
  return { size, told: `${number(kwh / size)} ${unit}` };
}

export const gigabytes = (value) => `${number(value)} GB`;
