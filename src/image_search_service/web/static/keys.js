// The keys of a screen: what each does, which buttons show it, what the help lists.
import { rooted } from "./address.js";
import { all, el, fill, one, round } from "./dom.js";
import { t } from "./words.js";

/** @typedef {{keys: string[], caps?: string[], label: string, run: (event: KeyboardEvent) => any, hidden?: boolean, match?: (event: KeyboardEvent) => boolean}} Key */
/** @type {Map<string, Key[]>} */
const groups = new Map();

/** Sets the keys of a part of the screen; later parts come first. `run` returns false to let a key through. */
export const keys = (part, list) => { groups.delete(part); if (list.length) groups.set(part, list); };

/** Whether keys that type a character may answer by themselves. */
export const singleKeys = () => document.documentElement.dataset.keys !== "off";

const nameOf = (event) => {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return [(event.ctrlKey || event.metaKey) && "Control", event.altKey && "Alt", event.shiftKey && event.key.length > 1 && "Shift", key].filter(Boolean).join("+");
};

/** In a field keys type; in an empty one (data-keys=pass) they may also answer, but for letters: a name begins with one. */
const typing = (event) => {
  const { target } = event;
  if (!target.matches?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]")) return false;
  if (target.dataset.keys !== "pass" || target.value !== "") return true;
  return target.type === "text" && /^\p{L}$/u.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
};

const IN_FIELDS = new Set(["Enter", "Space"]);
/** What the browser does itself on these elements. */
const native = (name, target) => IN_FIELDS.has(name) && target.matches?.("button, a[href], summary, select, input[type=checkbox]");

const handle = (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat && event.key === "Enter" || one("dialog[open]")) return;
  const name = nameOf(event);
  if (typing(event) || native(name, event.target)) return;
  if (!singleKeys() && event.key.length === 1 && !event.ctrlKey && !event.metaKey) return;
  for (const list of [...groups.values()].reverse()) {
    const found = list.find((entry) => entry.keys.includes(name) || entry.match?.(event) && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (found && found.run(event) !== false) { event.preventDefault(); return; }
  }
};

const CAPS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Delete: t("Del"), Enter: t("Enter"), Escape: "Esc", Space: t("Space"), PageDown: t("Page ↓"), PageUp: t("Page ↑"), Control: t("Ctrl") };
const caps = (entry) => (entry.caps ?? entry.keys).flatMap((key) => (key === "+" ? key : key.split("+"))).map((key) => el("kbd", {}, CAPS[key] ?? (key.length === 1 ? key.toUpperCase() : key)));

/** Opens the list of this screen's keys. */
export const showHelp = () => {
  const close = () => dialog.close();
  const lines = [...groups.values()].reverse().flat().filter((entry) => !entry.hidden);
  const dialog = el("dialog", { class: "wide", "aria-labelledby": "help-title", on: { close: () => dialog.remove() } },
    el("header", {}, el("h2", { id: "help-title" }, t("Keys of this page")), round("cross", t("Close"), close)),
    el("dl", { class: "keys" }, lines.map((entry) => el("div", {}, el("dt", {}, entry.label), el("dd", {}, caps(entry))))),
    el("footer", {}, el("label", { class: "check" },
      el("input", { type: "checkbox", checked: singleKeys(), on: { change: (event) => setSingleKeys(event.target.checked) } }), t("Single keys answer questions"))));
  document.body.append(dialog);
  dialog.showModal();
};

/** Keeps a choice for this browser where the server sees it, too. */
export const keep = (name, value) => {
  document.cookie = `${name}=${value}; path=${rooted("/")}; SameSite=Strict; max-age=${value ? 31_536_000 : 0}`;
};

export const setSingleKeys = (on) => {
  if (on) delete document.documentElement.dataset.keys; else document.documentElement.dataset.keys = "off";
  keep("keys", on ? "" : "off");
};

document.addEventListener("keydown", handle);
for (const opener of all("[data-help]")) opener.addEventListener("click", showHelp);

/** Asks something in a dialog; gives the value of the button that was pressed, null if it was closed. */
export const ask = (title, words, choices) => new Promise((resolve) => {
  const answer = (value) => { dialog.returnValue = ""; chosen = value; dialog.close(); };
  let chosen = null;
  const dialog = el("dialog", { "aria-labelledby": "ask-title", on: { close: () => { dialog.remove(); resolve(chosen); } } },
    el("header", {}, el("h2", { id: "ask-title" }, title), round("cross", t("Close"), () => answer(null))),
    words,
    el("footer", {}, choices.map(([label, value, look = ""], at) =>
      el("button", { type: "button", class: `button ${look}`.trim(), autofocus: at === choices.length - 1, on: { click: () => answer(typeof value === "function" ? value() : value) } }, label))));
  document.body.append(dialog);
  dialog.showModal();
});
