// Words, numbers and dates in the reader's language. English is in the sources; others come as JSON.
import { el } from "./dom.js";

const root = document.documentElement;
export const language = root.lang || "en";

const load = async () => {
  if (!root.dataset.words) return {};
  const answer = await fetch(root.dataset.words, { credentials: "same-origin" });
  return answer.ok ? answer.json() : {};
};
const catalogue = await load();

const put = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(shown(values[name])) : whole));
const shown = (value) => (typeof value === "number" ? number(value) : typeof value === "string" ? isolated(value) : value);

const OTHER_WAY = root.dir === "rtl" ? /\p{Script=Latin}|\p{Script=Cyrillic}|\p{Script=Greek}/u : /\p{Script=Hebrew}|\p{Script=Arabic}|\p{Script=Syriac}|\p{Script=Thaana}|\p{Script=Nko}/u;
/** A name that is read the other way than the page, kept from turning the words and numbers around it. */
const isolated = (text) => (OTHER_WAY.test(text) ? `\u2068${text}\u2069` : text);

/** The words for an English text, with values put in where it says {name}. */
export const t = (text, values = {}) => put(catalogue[text]?.[0] || text, values);

/** As `t`, by a number, which is {n}. */
export const tn = (single, several, n, values = {}) => put(form(single, several, n), { n, ...values });

const form = (single, several, n) => {
  const at = n === 1 ? 0 : 1;
  return catalogue[single]?.[at] || [single, several][at];
};

/** The words as nodes: values whose name begins with "name" are strong. */
export const rich = (text, values = {}) => (catalogue[text]?.[0] || text).split(/(\{\w+\})/).filter(Boolean).map((part) => {
  const name = part.match(/^\{(\w+)\}$/)?.[1];
  if (!name || !(name in values)) return part;
  const value = values[name];
  if (value instanceof Node) return value;
  return name.startsWith("name") ? el("strong", {}, shown(value)) : String(shown(value));
});

/** A sentence to be kept and shown later, as nodes: the arguments of `rich` or `richn`. */
export const s = (...parts) => parts;

/** As `rich`, by a number. */
export const richn = (single, several, n, values = {}) => rich(form(single, several, n), { n, ...values });

/** The reader's own way of writing dates and numbers, where their browser has one for this language. */
const locale = navigator.languages.find((one) => one.split("-")[0] === language) ?? language;

const numbers = new Intl.NumberFormat(locale);
export const number = (value) => numbers.format(value);

const dates = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const days = new Intl.DateTimeFormat(locale, { weekday: "long", hour: "numeric", minute: "numeric" });
const months = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric" });
const times = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });

/** A moment that a camera wrote: local time without a zone, taken as it stands. */
const local = (text) => new Date(text.length === 10 ? `${text}T00:00` : text.replace(/(Z|[+-]\d\d:?\d\d)$/, ""));

export const date = (text) => (text ? dates.format(local(text)) : t("without a date"));
export const weekday = (text) => (text ? days.format(local(text)) : "");
export const month = (text) => (text ? months.format(local(text)) : t("without a date"));
/** Of a moment that the server wrote. */
export const clock = (text) => times.format(new Date(text));
export const year = (text) => (text ? text.slice(0, 4) : "");

/** The day of a moment that the server wrote, with words for the last two. */
export const day = (text) => {
  const then = new Date(text);
  const distance = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(then).setHours(0, 0, 0, 0)) / 86_400_000);
  return distance === 0 ? t("Today") : distance === 1 ? t("Yesterday") : dates.format(then);
};

/** From a year to a year. */
export const span = (first, last) => (!first ? "" : first === last ? String(first) : t("{first} to {last}", { first: String(first), last: String(last) }));

/** An age in years, months below two. */
export const age = (years) => {
  if (years === null || years === undefined) return "";
  return years < 2 ? tn("{n} month", "{n} months", Math.floor(years * 12)) : tn("{n} year", "{n} years", Math.floor(years));
};

export const faces = (n) => tn("{n} face", "{n} faces", n);
export const photos = (n) => tn("{n} photo", "{n} photos", n);

/** Likeness in words. */
export const alike = (level) => ({ very: t("very like"), quite: t("quite like"), hardly: t("hardly like") })[level] ?? "";
/** The first part of a name, for captions and buttons. */
export const short = (name) => name.trim().split(/\s+/)[0] ?? name;

const collator = new Intl.Collator(locale, { sensitivity: "base", numeric: true });
export const inOrder = (a, b) => collator.compare(a, b);
