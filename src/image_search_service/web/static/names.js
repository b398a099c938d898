// A name field: proposals by key, a list that is filtered from the first letter.
import { cover, el, fill, icon, likeness, one } from "./dom.js";
import { names } from "./api.js";
import { alike, faces, inOrder, t } from "./words.js";

const SHOWN = 6;

/** A text without accents and case, so that "muller" finds "Müller"; signs of other scripts, which are letters there, stay. */
export const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC").toLocaleLowerCase()
  .replace(/ß/g, "ss").replace(/ł/g, "l").replace(/ø/g, "o").trim();

/** A name as it is compared: two that differ here are two people, as "Weiß" and "Weiss". The service has the whole rule. */
export const nameKey = (name) => [...name.normalize("NFC").replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\u00ad\u034f\u200b\u2060-\u2064\ufe0e\ufe0f]/g, "")]
  .map((letter) => ([...letter.toLowerCase()].length === 1 ? letter.toLowerCase() : letter)).join("")
  .replace(/ς/g, "σ").replace(/\s+/g, " ").trim().normalize("NFC");

/** Whether every word of what is typed begins a word of the name: "ada l" and "love" find "Ada Lovelace". */
export const fits = (typed, name) => {
  const words = name.split(/[\s\-'’.,]+/);
  return typed.split(/\s+/).every((part) => name.startsWith(typed) || words.some((word) => word.startsWith(part)));
};

/**
 * People that fit: those proposed first, then those whose name begins so, those with most faces, by name.
 * faceless: people without a face come first, since whoever has one would have been proposed if they were alike.
 */
export const matching = (typed, proposals, people, most = SHOWN, faceless = false) => {
  const wanted = plain(typed);
  const proposed = new Map(proposals.map((one) => [one.person_id, one]));
  const rank = (one) => (faceless && one.faces ? 2 : 0) + (one.plain.startsWith(wanted) ? 0 : 1);
  const rest = people.filter((one) => !proposed.has(one.id) && (one.plain ??= plain(one.name), fits(wanted, one.plain)))
    .sort((a, b) => rank(a) - rank(b) || b.faces - a.faces || inOrder(a.name, b.name)).map((one) => ({ person_id: one.id, name: one.name, cover_url: one.cover_url, faces: one.faces, note: one.note }));
  return [...proposals.filter((one) => fits(wanted, plain(one.name))), ...rest].slice(0, most);
};

/** Whom a choice means, as decisions say it: somebody known by id, else a name, which may be another one's of that name. */
export const whoIs = (choice) => (choice.person_id ? { person_id: choice.person_id } : { name: choice.name, ...(choice.another && { another: true }) });

/** What tells a person from others of their name, in small letters once it is there; nothing for most people. */
export const noted = (personId) => {
  const place = el("span", { class: "small soft note" });
  names().then((people) => { place.textContent = people.find((one) => one.id === personId)?.note ?? ""; }).catch(() => {});
  return place;
};

/** The letters that were typed, underlined in a name. */
const marked = (name, typed) => {
  const at = plain(name).indexOf(plain(typed));
  if (!typed || at < 0 || plain(name).length !== name.length) return name;
  const end = at + plain(typed).length;
  return [name.slice(0, at), el("mark", {}, name.slice(at, end)), name.slice(end)];
};

let fields = 0;

export class NameField {
  /**
   * @param {{label: string, proposals?: any[], choose: (choice: {person_id: string | null, name: string}) => void,
   *   changed?: (choice: any) => void, primary?: Node, allowNew?: boolean, preselect?: boolean, listed?: boolean, faceless?: boolean, placeholder?: string}} options
   *   preselect: whether Enter takes the first proposal before anything is typed; else it does if the faces are very like them
   *   faceless: whether people without a face come first among those who are not proposed
   *   listed: whether people with most faces are shown before anything is typed, so that a click is enough
   */
  constructor(options) {
    this.options = { proposals: [], allowNew: true, preselect: null, listed: false, faceless: false, ...options };
    const id = `name-${fields += 1}`;
    this.all = null;
    this.people = [];
    this.list = el("ul", { class: "proposals", id: `${id}-list`, role: "listbox", "aria-label": t("Nearest people") });
    this.input = el("input", {
      id, autocomplete: "off", role: "combobox", "aria-expanded": "false", "aria-controls": `${id}-list`, "aria-autocomplete": "list",
      placeholder: options.placeholder ?? t("Type a name"), spellcheck: "false", dir: "auto", data: { keys: "pass" },
      on: { input: () => { this.show(); this.loadNames(); }, keydown: (event) => this.key(event), focus: () => this.loadNames() },
    });
    this.entry = el("div", { class: "entry" }, el("label", { class: "visually-hidden", for: id }, options.label), icon("find"), this.input, options.primary);
    this.element = el("div", { class: "naming" }, this.entry, this.list);
    this.active = 0;
    this.show();
    if (this.options.proposals.length) this.loadNotes();
  }

  /** Takes the names of everybody, again when a decision has changed them. */
  loadNames() {
    this.loading ??= this.takeNames().finally(() => { this.loading = null; });
    return this.loading;
  }

  async takeNames() {
    const all = await names().catch(() => []);
    if (all === this.all) return;
    this.all = all;
    this.people = all.filter((one) => !one.hidden);
    if (this.input.value || this.listing) this.show();
  }

  /** What tells proposed people from others of their names. */
  async loadNotes() {
    const people = await names().catch(() => []);
    this.notes = new Map(people.filter((one) => one.note).map((one) => [one.id, one.note]));
    if (this.shown.some((one) => this.notes.has(one.person_id)) && !this.input.value) this.show();
  }

  /** Whether people stand in for proposals that there are none of. */
  get listing() { return this.options.listed && !this.options.proposals.length && !this.input.value; }

  get choices() {
    const typed = this.input.value.trim();
    if (this.listing) return matching("", [], this.people, 5);
    const found = typed ? matching(typed, this.options.proposals, this.people, SHOWN, this.options.faceless) : this.options.proposals.slice(0, 5);
    const known = found.some((one) => nameKey(one.name) === nameKey(typed));
    if (known) found.sort((a, b) => Number(nameKey(b.name) === nameKey(typed)) - Number(nameKey(a.name) === nameKey(typed)));
    return typed && this.options.allowNew ? [...found, { person_id: null, name: typed, another: known }] : found;
  }

  /** The one that Enter takes; null if there is none. */
  get choice() { return this.shown[this.active] ?? null; }

  get preselects() { return this.options.preselect ?? this.options.proposals[0]?.likeness === "very"; }

  show() {
    this.shown = this.choices;
    this.active = (this.preselects && !this.listing) || this.input.value ? 0 : -1;
    fill(this.list, this.shown.map((choice, at) => this.option(choice, at)));
    this.list.hidden = this.shown.length === 0;
    this.input.setAttribute("aria-expanded", String(this.shown.length > 0));
    this.element?.classList.toggle("typing", this.input.value !== "");
    this.mark();
  }

  option(choice, at) {
    const typed = this.input.value.trim();
    const fresh = choice.person_id === null;
    return el("li", { class: "proposal", role: "option", id: `${this.list.id}-${at}`, "aria-selected": "false", on: { click: () => this.take(at), mousedown: (event) => event.preventDefault() } },
      el("kbd", { class: "key", "aria-hidden": "true" }, typed || this.listing ? " " : String(at + 1)),
      fresh ? el("span", { class: "round", "aria-hidden": "true" }, icon("plus")) : cover(choice.cover_url),
      el("span", { class: "who" }, el("strong", { title: choice.name }, fresh ? (choice.another ? t("Another {name}", { name: choice.name }) : `“${choice.name}”`) : marked(choice.name, typed)), this.note(choice)));
  }

  note(choice) {
    if (choice.person_id === null) return el("span", { class: "small soft" }, choice.another ? t("a new person of that name") : t("a new person"));
    const note = choice.note ?? this.notes?.get(choice.person_id);
    if (note && !choice.likeness) return el("span", { class: "small soft" }, `${note} · ${faces(choice.faces ?? 0)}`);
    if (note) return el("span", {}, el("span", { class: "small soft" }, note, " "), likeness(choice.likeness, alike(choice.likeness)));
    if (choice.words) return el("span", { class: "small soft" }, choice.words);
    if (choice.likeness) return likeness(choice.likeness, alike(choice.likeness));
    return el("span", { class: "small soft" }, faces(choice.faces ?? 0));
  }

  mark() {
    [...this.list.children].forEach((node, at) => {
      node.setAttribute("aria-selected", String(at === this.active));
      if (this.input.value.trim() || this.listing) one(".key", node).textContent = at === this.active ? "↵" : " "; // else numbers take them
    });
    const current = this.list.children[this.active];
    if (current) this.input.setAttribute("aria-activedescendant", current.id); else this.input.removeAttribute("aria-activedescendant");
    this.options.changed?.(this.choice);
  }

  key(event) {
    if (event.isComposing) return;
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move && this.shown.length) {
      const from = this.active < 0 && move < 0 ? 0 : this.active;
      this.active = (from + move + this.shown.length) % this.shown.length;
      this.mark();
      event.preventDefault();
    } else if (event.key === "Enter" && !event.repeat) {
      event.preventDefault();
      event.stopPropagation();
      this.enter();
    } else if (event.key === "Escape" && this.input.value) {
      this.clear();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** Takes the choice; of letters that were typed before the present names were there, only when they are. */
  async enter() {
    if (this.input.value) await this.loadNames();
    if (this.choice) this.take(this.active);
  }

  /** Takes the choice at a place; whether there was one. */
  take(at) {
    const choice = this.shown[at];
    if (choice) this.options.choose(choice);
    return Boolean(choice);
  }

  clear() { this.input.value = ""; this.show(); }
  focus() { this.input.focus({ preventScroll: true }); }

  /** Puts other proposals in. */
  propose(proposals) { this.options.proposals = proposals; if (!this.input.value) this.show(); }
}
