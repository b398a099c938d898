// A page of single faces of one person, all ticked; and a page of small groups to be set aside, all ticked.
import { button, cover, crop, el, fill, likeness } from "./dom.js";
import { get } from "./api.js";
import { Grid } from "./grid.js";
import { ask } from "./keys.js";
import { noted } from "./names.js";
import { faceTile } from "./tiles.js";
import { alike, faces as countFaces, s, short, t, tn, year } from "./words.js";

export const gridQuestion = (question, desk) => {
  const page = question.kind === "tick_off" ? new TickOff(question, desk) : new SetAside(question, desk);
  return { element: page.element, answers: page.answers, keys: page.keys, title: page.title, begin: () => { page.begin(); } };
};

/** What both pages share: a grid of ticked tiles and a button that says how many are ticked. */
class Ticks {
  constructor(question, desk, items) {
    Object.assign(this, { question, desk, items });
    this.main = button("", () => this.enter(), { key: ["Enter", t("Enter")], look: "primary big" });
    this.place = el("div", { class: "ticks-grid" });
    this.element = el("div", {}, el("header", { class: "head" }, el("h1", {}, this.title), el("div", { data: { progress: "" } })), this.tools(), this.place);
    this.grid = new Grid(this.place, {
      label: this.title, select: true, space: false, gap: 8, width: (space) => (space < 640 ? Math.floor((space - 3 * 8) / 4) : space < 1100 ? 120 : Math.floor((space - 7 * 8) / 8)),
      load: async () => ({ items, total: items.length }), tile: (item) => this.tile(item), name: (item, at) => this.name(item, at), open: () => this.enter(), changed: () => this.count(),
    });
    this.tickAll(true);
    this.loading = this.grid.load();
  }

  /** Keys go to the first face; the grid has its size only when it is shown. */
  async begin() {
    await this.loading;
    this.grid.measure();
    this.grid.go(0);
  }

  get ticked() { return this.items.filter((item) => this.grid.selection.has(item.id)); }
  get unticked() { return this.items.filter((item) => !this.grid.selection.has(item.id)); }

  tickAll(on) {
    for (const item of this.items) this.grid.selection.set(item, on);
    this.grid.mark();
    this.count();
  }

  count() { fill(this.main, this.words(), " ", el("kbd", { "aria-hidden": "true" }, t("Enter"))); }

  tickButtons() {
    return el("div", { class: "buttons" }, button(t("Tick all"), () => this.tickAll(true), { look: "quiet" }), button(t("Tick none"), () => this.tickAll(false), { look: "quiet" }));
  }

  moving() {
    return [
      { keys: [], caps: ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"], label: t("From face to face"), run: () => false },
      { keys: [], caps: ["X"], label: t("Tick or untick"), run: () => false },
      { keys: [], caps: ["Shift", "ArrowRight"], label: t("Tick or untick a range"), run: () => false },
      ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({ keys: [key], hidden: true, label: "", run: () => this.grid.go(this.grid.focus) })),
    ];
  }
}

class TickOff extends Ticks {
  constructor(question, desk) { super(question, desk, question.suggestions); }

  get title() { return t("Untick whoever is not {name}", { name: short(this.question.person.name) }); }

  tools() {
    const { person } = this.question;
    const known = el("div", { class: "compare" }, cover(person.cover_url), el("span", { class: "small soft" }, t("{name}, confirmed", { name: short(person.name) })), noted(person.id));
    get(`/persons/${person.id}/faces?order=quality&limit=5`).then((answer) => known.append(...answer.items.map((face) => crop(face.crop_url)))).catch(() => {});
    return el("div", { class: "tools" }, known, el("div", { class: "chips" }), this.tickButtons());
  }

  tile(item) {
    return faceTile(item.crop_url, [el("span", { class: "when" }, year(item.taken_at) || alike(item.likeness)), el("span", { class: "not" }, t("not {name}", { name: short(this.question.person.name) }))]);
  }

  name(item, at) { return [t("Face {at} of {size}", { at: at + 1, size: this.items.length }), year(item.taken_at), alike(item.likeness)].filter(Boolean).join(", "); }

  words() {
    const name = short(this.question.person.name);
    const [yes, no] = [this.ticked.length, this.unticked.length];
    if (!no) return yes === 1 ? tn("{n} is {name}", "{n} are {name}", yes, { name }) : t("All {n} are {name}", { n: yes, name });
    return t("{yes}, {no}", { yes: tn("{n} is {name}", "{n} are {name}", yes, { name }), no: tn("{n} is not", "{n} are not", no) });
  }

  enter() { this.say(this.unticked); }

  say(rejected) {
    const { person, version } = this.question;
    const accept = this.ticked;
    if (!accept.length && !rejected.length) { this.desk.skip(); return; }
    this.desk.answer({
      kind: "answer", body: { person_id: person.id, accept: accept.map((one) => one.id), reject: rejected.map((one) => one.id), version: version ?? null, question_id: this.question.id ?? null },
      says: rejected.length ? s("{yes} faces are {name}, {no} are not", { yes: accept.length, no: rejected.length, name: person.name }) : s("{n} face is {name} now", "{n} faces are {name} now", accept.length, { name: person.name }),
      faces: accept.slice(0, 3).map((one) => one.crop_url),
    });
  }

  get answers() {
    return [this.main, button(t("Say nothing of the others"), () => this.say([]), { key: ["Space", t("Space")] }), button(t("Skip page"), () => this.desk.skip(), { key: ["S", "S"] }), button(t("Why?"), () => this.why(), { key: ["W", "W"] })];
  }

  async why() {
    const item = this.items[this.grid.focus];
    const reasons = await get(`/suggestions/${item.id}`).catch(() => null);
    const lines = [likeness(item.likeness, alike(item.likeness)), item.margin != null && t("More like {name} than like anybody else by {value}.", { name: this.question.person.name, value: Math.round(item.margin * 1000) / 1000 }),
      reasons?.second_person_name && t("Second best: {name}", { name: reasons.second_person_name })].filter(Boolean);
    await ask(t("Why?"), el("div", { class: "reasons" }, crop(item.crop_url), el("ul", {}, lines.map((line) => el("li", {}, line)), reasons && el("li", { class: "row" }, reasons.resembles.map((one) => crop(one.crop_url))))), [[t("Close"), null, "primary"]]);
    this.grid.go(this.grid.focus);
  }

  get keys() {
    const name = short(this.question.person.name);
    return [
      { keys: ["Enter"], label: t("Ticked ones are {name}, the others are not", { name }), run: () => this.enter() },
      { keys: ["Space"], label: t("Ticked ones are {name}, nothing about the others", { name }), run: () => this.say([]) },
      ...this.moving(),
      { keys: ["s"], label: t("Skip this page"), run: () => this.desk.skip() },
      { keys: ["w"], label: t("Why this face"), run: () => { this.why(); } },
    ];
  }
}

class SetAside extends Ticks {
  constructor(question, desk) { super(question, desk, question.clusters); }

  get title() { return t("Strangers? Untick whom you know"); }

  tools() { return el("div", { class: "tools" }, el("p", { class: "soft chips" }, t("Small groups, mostly from crowds. Those set aside leave lists and suggestions; nothing is lost.")), this.tickButtons()); }

  tile(item) { return faceTile(item.crop_url, [el("span", { class: "when" }, countFaces(item.size)), el("span", { class: "not" }, t("stays"))]); }

  name(item, at) { return `${t("Group {at} of {size}", { at: at + 1, size: this.items.length })}, ${countFaces(item.size)}`; }

  words() { return tn("Set {n} group aside", "Set {n} groups aside", this.ticked.length); }

  enter() {
    const groups = this.ticked;
    if (!groups.length) { this.desk.skip(); return; }
    this.desk.answer({
      kind: "set-aside", body: { cluster_ids: groups.map((one) => one.id), versions: groups.map((one) => one.version), face_ids: [], aside: true },
      says: s("{n} group set aside", "{n} groups set aside", groups.length), faces: groups.slice(0, 3).map((one) => one.crop_url),
    });
  }

  get answers() { return [this.main, button(t("Skip page"), () => this.desk.skip(), { key: ["Space", t("Space")] })]; }

  get keys() {
    return [
      { keys: ["Enter"], label: t("Ticked groups are set aside"), run: () => this.enter() },
      ...this.moving(),
      { keys: ["Space", "s"], label: t("Skip this page"), run: () => this.desk.skip() },
    ];
  }
}
