// "Who is this?" and "Is this Ada?": a group of faces, one answer for all of them.
import { openPage } from "./address.js";
import { all, button, cover, crop, el, fill, framed, keycap, likeness, one, round } from "./dom.js";
import { get, names } from "./api.js";
import { failed } from "./decide.js";
import { ask } from "./keys.js";
import { NameField, noted, whoIs } from "./names.js";
import { age, alike, date, faces as countFaces, rich, s, short, span, t, year } from "./words.js";

/** A keyboard is likely: then the name field has the focus from the beginning. */
const KEYBOARD = matchMedia("(hover: hover) and (pointer: fine)").matches;

export const whoQuestion = (question, desk) => new Who(question, desk).parts;

class Who {
  constructor(question, desk) {
    this.question = question;
    this.desk = desk;
    this.group = question.cluster;
    this.faces = question.faces;
    this.marked = new Set();
    this.marking = false;
    this.at = 0;
    this.known = question.kind === "is_this" ? question.proposals[0] : null;
    this.make();
  }

  get parts() {
    return { element: this.element, answers: this.answers, keys: this.keys, title: this.title, begin: () => { if (KEYBOARD) this.field.focus(); } };
  }

  get title() { return this.known ? t("Is this {name}?", { name: short(this.known.name) }) : t("Who is this?"); }

  make() {
    this.primary = el("button", { type: "button", class: "button primary", "aria-keyshortcuts": "Enter", on: { click: () => this.enter() } });
    this.yes = button(this.known ? t("Yes, it is {name}", { name: short(this.known.name) }) : "", () => this.enter(), { key: ["Enter", t("Enter")], look: "primary big" });
    this.field = new NameField({
      label: `${this.title} ${countFaces(this.group.size)}`, proposals: this.question.proposals, primary: this.known ? null : this.primary,
      faceless: true, // whoever has faces like these is proposed
      preselect: Boolean(this.known), // where nobody is surely alike, Enter alone names nobody
      placeholder: this.known ? t("Somebody else: type a name") : t("Type a name"),
      choose: (choice) => this.name(choice), changed: (choice) => this.showChoice(choice),
    });
    this.context = el("section", { class: "context", "aria-label": t("The photo it comes from") });
    this.lineup = this.known ? this.bigFace() : this.line();
    const element = el("div", { class: `question ${this.known ? "is" : "who"}` }, this.head(), this.known ? [this.lineup, this.knownFaces()] : this.lineup,
      this.field.element, this.known && this.why(), this.context, !this.known && this.about());
    this.element = element;
    this.show(0);
  }

  head() {
    const { size, first_year: first, last_year: last } = this.group;
    const when = first ? `, ${span(first, last)}` : "";
    return el("header", { class: "ask" }, el("div", {}, el("h1", {}, this.title), el("p", {}, countFaces(size) + when)), el("div", { data: { progress: "" } }));
  }

  label(face, at) {
    return [t("Face {at} of {size}", { at: at + 1, size: this.group.size }), year(face.taken_at), face.least_alike && t("least alike"), this.marked.has(face.id) && t("does not belong")].filter(Boolean).join(", ");
  }

  faceButton(face, at, side = 192) {
    return el("button", { type: "button", class: "face", "aria-label": this.label(face, at), "aria-pressed": "false", data: { face: at }, on: { click: () => this.press(at), focus: () => this.show(at) } },
      crop(face.crop_url, "", side), face.least_alike && el("span", { class: "flag" }, t("least alike")), el("span", { class: "out" }, t("not one of them")));
  }

  /** The best face large, the others small, the last tile leads to all of them. */
  line() {
    const room = this.group.size > this.faces.length || this.faces.length > 9 ? 8 : 9;
    const shown = this.kept(room);
    const more = this.group.size - shown.length;
    return el("div", { class: "lineup", data: { count: Math.min(9, shown.length + (more > 0 ? 1 : 0)) } }, shown.map((face, at) => this.faceButton(face, this.faces.indexOf(face), at === 0 ? 512 : 192)),
      more > 0 && el("a", { class: "rest", href: `/groups/${this.group.id}`, "aria-keyshortcuts": "PageDown" }, el("span", { class: "t3 number" }, `+${more}`), el("span", { class: "small soft" }, t("show all"))));
  }

  /** The best faces and, whatever the room, the least alike ones. */
  kept(room) {
    const least = this.faces.slice(1).filter((face) => face.least_alike).slice(0, 2);
    const others = this.faces.filter((face) => !least.includes(face)).slice(0, room - least.length);
    return [...others, ...least];
  }

  bigFace() {
    const rest = this.kept(6).slice(1);
    const more = this.group.size - 1 - rest.length;
    return el("section", { class: "one", "aria-label": t("Who is asked about") },
      el("div", { class: "sub" }, el("h2", {}, this.group.size === 1 ? t("This face") : t("These faces"))),
      this.faceButton(this.faces[0], 0, 512),
      rest.length > 0 && el("div", { class: "others" }, rest.map((face) => this.faceButton(face, this.faces.indexOf(face))),
        more > 0 && el("a", { class: "rest", href: `/groups/${this.group.id}`, "aria-keyshortcuts": "PageDown" }, el("span", { class: "number" }, `+${more}`))));
  }

  /** Confirmed faces of who is proposed; they come when they are there. */
  knownFaces() {
    const list = el("ul", { class: "faces" }, Array.from({ length: 6 }, () => el("li", { class: "face" }, el("span", { class: "bone square" }))));
    const note = el("span", { class: "small soft" });
    get(`/persons/${this.known.person_id}/faces?order=quality&limit=6`).then((answer) => {
      fill(list, answer.items.map((face) => el("li", { class: "face" }, crop(face.crop_url, `${this.known.name}, ${year(face.taken_at)}`),
        el("span", { class: "caption number" }, [year(face.taken_at), age(face.age)].filter(Boolean).join(" · ")))));
      note.textContent = t("{shown} of {total}", { shown: answer.items.length, total: answer.total });
    }).catch(() => { list.hidden = true; });
    return el("section", { class: "known", "aria-label": t("Faces of {name}", { name: this.known.name }) },
      el("div", { class: "sub" }, cover(this.known.cover_url), el("h2", {}, this.known.name), noted(this.known.person_id), note), list);
  }

  why() {
    const second = this.question.proposals[1];
    return el("div", { class: "why" }, likeness(this.known.likeness, likeFaces(this.known)),
      second && el("span", { class: "second" }, likeness(second.likeness, t("Second best {name}, {likeness}", { name: second.name, likeness: alike(second.likeness) })), cover(second.cover_url)));
  }

  /** The photo of a face, the way to the others, and what is known of it. */
  show(at) {
    this.moved ||= at > 0;
    this.at = at;
    const face = this.faces[at];
    const step = (by) => this.show((this.at + by + this.faces.length) % this.faces.length);
    const many = this.faces.length > 1;
    fill(this.context, this.known && el("div", { class: "sub" }, el("h2", {}, t("In its photo"))),
      el("a", { href: `/photos/${face.asset_id}?face=${face.id}`, "aria-label": t("Open this photo") }, framed(face, t("The photo, with the face outlined"))),
      el("div", { class: "line" }, el("div", { class: "where" }, el("strong", {}, date(face.taken_at)), el("span", { class: "small soft" }, face.path ? folderOf(face.path) : "")),
        many && el("div", { class: "buttons" }, round("back", t("Previous photo"), () => step(-1), { turns: true }), el("span", { class: "small soft number" }, `${at + 1} / ${this.faces.length}`), round("forward", t("Next photo"), () => step(1), { turns: true }))),
      this.known && this.question.with.length > 0 && this.together());
    for (const node of all("[data-face]", this.lineup)) node.classList.toggle("current", Number(node.dataset.face) === at && this.moved);
  }

  /** Who is in the same photos; their covers come with the names. */
  together() {
    const list = el("ul", { class: "together" }, this.question.with.slice(0, 5).map((person) => el("li", { data: { person: person.person_id } }, person.name)));
    names().then((known) => {
      const covers = new Map(known.map((one) => [one.id, one.cover_url]));
      for (const line of list.children) line.prepend(cover(covers.get(line.dataset.person)));
      for (const line of list.children) line.append(" ", noted(line.dataset.person));
    }).catch(() => {});
    return list;
  }

  about() {
    if (!this.question.with.length) return null;
    return el("section", { class: "about", "aria-label": t("With whom") }, el("div", {}, el("h2", {}, t("Also in these photos")), this.together()));
  }

  showChoice(choice) {
    const words = this.marked.size ? t("The others are {name}", { name: short(choice?.name ?? "…") }) : t("It is {name}", { name: short(choice?.name ?? "…") });
    fill(this.primary, words, " ", keycap(t("Enter")));
    this.primary.hidden = !choice;
    if (this.known && choice && this.yes) {
      const sure = choice.person_id === this.known.person_id && !this.marked.size;
      fill(this.yes, sure ? t("Yes, it is {name}", { name: short(choice.name) }) : words, " ", keycap(t("Enter")));
    }
  }

  press(at) {
    if (this.marking) this.mark(at); else this.show(at);
  }

  mark(at = this.at) {
    const face = this.faces[at];
    if (this.marked.has(face.id)) this.marked.delete(face.id); else this.marked.add(face.id);
    const node = one(`[data-face="${at}"]`, this.lineup);
    node?.setAttribute("aria-pressed", String(this.marked.has(face.id)));
    node?.setAttribute("aria-label", this.label(face, at));
    this.showChoice(this.field.choice);
  }

  enter() { return this.field.choice ? this.field.take(this.field.active) : (this.field.focus(), true); }

  /** All faces but the marked ones are somebody's. */
  name(choice) {
    const { id, version, size } = this.group;
    const except = [...this.marked];
    const who = whoIs(choice);
    const shown = this.faces.filter((face) => !this.marked.has(face.id)).slice(0, 3).map((face) => face.crop_url);
    const says = (made) => s("{n} face is {name} now", "{n} faces are {name} now", made.faces ?? size - except.length, { name: choice.name });
    this.desk.answer({ kind: "name-clusters", body: { cluster_ids: [id], versions: [version], ...who, except_face_ids: except, question_id: this.question.id }, says, faces: shown });
  }

  no() {
    const { id, version } = this.group;
    this.desk.answer({ kind: "mark-different", body: { person_ids: [this.known.person_id], cluster_ids: [id], versions: [version] },
      says: s("{n} face is not {name}", "{n} faces are not {name}", this.group.size, { name: this.known.name }), faces: this.crops });
  }

  aside() {
    const { id, version } = this.group;
    this.desk.answer({ kind: "set-aside", body: { cluster_ids: [id], versions: [version], face_ids: [], aside: true },
      says: s("{n} face set aside", "{n} faces set aside", this.group.size), faces: this.crops });
  }

  get crops() { return this.faces.slice(0, 3).map((face) => face.crop_url); }

  /** All of them are no faces. */
  async noFace() {
    try {
      const ids = this.group.size > this.faces.length ? await everyFace(this.group.id) : this.faces.map((face) => face.id);
      this.desk.answer({ kind: "not-a-face", body: { face_ids: ids }, says: s("{n} is no face", "{n} are no faces", ids.length), faces: this.crops });
    } catch (problem) { failed(problem, () => this.noFace()); }
  }

  differ() {
    this.marking = !this.marking;
    this.differing.setAttribute("aria-pressed", String(this.marking));
    this.element.classList.toggle("marking", this.marking);
    const least = this.faces.findIndex((face, at) => at > 0 && face.least_alike);
    if (this.marking) one(`[data-face="${Math.max(0, least)}"]`, this.lineup)?.focus();
  }

  get answers() {
    this.differing = button(t("Some differ"), () => this.differ(), { "aria-pressed": "false" });
    return [
      this.known && this.yes,
      this.known && button(t("No"), () => this.no(), { key: ["-", "−"], look: "big" }),
      button(t("Skip"), () => this.desk.skip(), { key: ["Space", t("Space")] }),
      button(t("Set aside"), () => this.aside(), { key: ["0", "0"] }),
      button(t("No face"), () => this.noFace(), { key: ["Delete", t("Del")] }),
      this.faces.length > 1 && this.differing,
      button(t("Why?"), () => this.explain()),
    ];
  }

  async explain() {
    const face = this.faces[this.at];
    try {
      const { reasons } = await get(`/faces/${face.id}/explanation`);
      const lines = this.question.proposals.map((one) => el("li", {}, t("{name}: similarity {value}", { name: one.name, value: Math.round(one.similarity * 1000) / 1000 })));
      await ask(t("Why?"), el("div", { class: "reasons" }, el("ul", {}, reasons.map((reason) => el("li", {}, reason.text)), lines),
        this.group.confidence != null && el("p", { class: "soft small" }, t("The faces of this group are alike by {value}.", { value: Math.round(this.group.confidence * 1000) / 1000 }))), [[t("Close"), null, "primary"]]);
    } catch (problem) { failed(problem, () => this.explain()); }
  }

  /** Arrows go from face to face; the photo goes with them. */
  move(by) {
    const nodes = all("[data-face]", this.lineup);
    if (nodes.length < 2) return false;
    const on = nodes.indexOf(document.activeElement);
    const turn = document.dir === "rtl" ? -by : by;
    nodes[on < 0 ? (turn > 0 ? Math.min(1, nodes.length - 1) : nodes.length - 1) : (on + turn + nodes.length) % nodes.length].focus();
    return true;
  }

  get keys() {
    const onFace = () => document.activeElement?.matches?.("[data-face]");
    return [
      { keys: ["Enter"], label: this.known ? t("Yes, it is {name}", { name: short(this.known.name) }) : t("Takes the typed or chosen name"), run: () => this.enter() },
      ...(this.known ? [{ keys: ["-"], label: t("No, and never ask again"), run: () => this.no() }] : []),
      { keys: ["1", "2", "3", "4", "5"], label: t("Takes another proposal"), run: (event) => !this.field.input.value && this.field.take(Number(event.key) - 1) },
      { keys: [], caps: ["A", "–", "Z"], label: t("Starts the name"), run: () => false },
      { keys: ["Space"], label: t("Skip, ask later"), run: () => this.desk.skip() },
      { keys: ["0"], label: t("Set aside"), run: () => this.aside() },
      { keys: ["Delete"], label: t("No face"), run: () => { this.noFace(); } },
      { keys: ["ArrowLeft"], caps: ["ArrowLeft", "ArrowRight"], label: t("From face to face"), run: () => this.move(-1) },
      { keys: ["ArrowRight"], hidden: true, label: "", run: () => this.move(1) },
      { keys: ["ArrowDown"], hidden: true, label: "", run: () => (onFace() ? this.field.focus() : false) },
      { keys: ["x"], label: t("On a face: it does not belong"), run: () => (onFace() ? this.mark(Number(document.activeElement.dataset.face)) : this.letter()) },
      { keys: ["w"], label: t("On a face: why it is here"), run: () => { if (!onFace()) return this.letter(); this.explain(); return true; } },
      { keys: ["PageDown"], label: t("Show the whole group"), run: () => openPage(`/groups/${this.group.id}`) },
      { keys: [], match: (event) => /^\p{L}$/u.test(event.key), hidden: true, label: "", run: () => this.letter() },
    ];
  }

  /** A letter begins the name wherever the focus is. */
  letter() {
    this.field.focus();
    return false;
  }
}

const likeFaces = ({ likeness: level, name }) => ({
  very: rich("Very like the faces of {name}", { name: short(name) }), quite: rich("Quite like the faces of {name}", { name: short(name) }), hardly: rich("Hardly like the faces of {name}", { name: short(name) }),
})[level] ?? [];
const folderOf = (path) => path.split("/").slice(-2, -1)[0] ?? "";

const everyFace = async (group) => {
  const ids = [];
  let cursor = null;
  do {
    const page = (await get(`/faces/clusters/${group}?limit=200${cursor ? `&cursor=${cursor}` : ""}`)).faces;
    ids.push(...page.items.map((face) => face.id));
    cursor = page.next_cursor;
  } while (cursor);
  return ids;
};
