// "Two people?", and "When was Ada born?".
import { button, cover, crop, el, pictureUrl, one } from "./dom.js";
import { noted } from "./names.js";
import { faces as countFaces, s, short, t, tn, year } from "./words.js";

/** Two persons or groups that look alike: one, two, or not sure. */
export const pairQuestion = (question, desk) => {
  const { left, right } = question;
  const title = t("One person or two?");
  const one = () => desk.answer({ ...joining(left, right), faces: crops(left, right) });
  const two = () => desk.answer({ ...parting(left, right), faces: crops(left, right) });
  const skip = () => desk.skip();
  const names = [left, right].map(called);
  const element = el("div", { class: "question pair" },
    el("header", { class: "ask" }, el("div", {}, el("h1", {}, title), el("p", {}, t("{left} and {right} look alike.", { left: names[0], right: names[1] }))), el("div", { data: { progress: "" } })),
    side(left), together(question), side(right));
  return {
    element, title,
    answers: [button(t("One person"), one, { key: ["Y", "Y"], look: "big primary" }), button(t("Two people"), two, { key: ["N", "N"], look: "big" }), button(t("Not sure"), skip, { key: ["Space", t("Space")], look: "big" })],
    keys: [
      { keys: ["y", "Enter"], caps: ["Y"], label: t("One person"), run: one },
      { keys: ["n"], label: t("Two people, and never ask again"), run: two },
      { keys: ["Space"], label: t("Not sure"), run: skip },
    ],
  };
};

const called = (one) => one.name ?? t("a group of {n}", { n: one.size });
const crops = (left, right) => [left.faces[0], right.faces[0]].filter(Boolean).map((face) => face.crop_url);

const side = (one) => el("section", { class: "half", "aria-label": called(one) },
  el("div", { class: "sub" }, one.kind === "person" && cover(one.cover_url ?? one.faces[0]?.crop_url), el("h2", {}, one.name ?? t("A group without a name")), one.kind === "person" && noted(one.id), el("span", { class: "small soft" }, countFaces(one.size))),
  el("div", { class: "faces" }, one.faces.map((face) => el("a", { class: "face", href: `/photos/${face.asset_id}?face=${face.id}` },
    crop(face.crop_url, `${called(one)}, ${year(face.taken_at)}`), el("span", { class: "caption number" }, year(face.taken_at))))));

/** What answers it mostly: whether both are in one photo. */
const together = ({ shared_photos: shared, photo_ids: ids }) => el("section", { class: "shared", "aria-label": t("Photos with both") },
  el("h2", {}, shared ? tn("In {n} photo together", "In {n} photos together", shared) : t("Never in one photo")),
  ids.slice(0, 3).map((id) => el("a", { href: `/photos/${id}` }, el("img", { src: pictureUrl(id, 320), alt: t("A photo with both"), width: 320, height: 240 }))));

const joining = (left, right) => {
  const persons = [left, right].filter((one) => one.kind === "person");
  const groups = [left, right].filter((one) => one.kind === "cluster");
  const cluster = { cluster_ids: groups.map((one) => one.id), versions: groups.map((one) => one.version) };
  if (persons.length === 2) {
    const [into, other] = [...persons].sort((a, b) => b.size - a.size);
    return { kind: "merge-persons", body: { person_ids: [other.id], into: into.id }, says: s("{name} and {name2} are one person", { name: other.name, name2: into.name }) };
  }
  if (persons.length === 1) return { kind: "name-clusters", body: { ...cluster, person_id: persons[0].id }, says: s("{n} face is {name} now", "{n} faces are {name} now", groups[0].size, { name: persons[0].name }) };
  return { kind: "join-clusters", body: cluster, says: s("Two groups are one now: {n} face", "Two groups are one now: {n} faces", left.size + right.size) };
};

const parting = (left, right) => {
  const of = (kind) => [left, right].filter((one) => one.kind === kind);
  return {
    kind: "mark-different",
    body: { person_ids: of("person").map((one) => one.id), cluster_ids: of("cluster").map((one) => one.id), versions: of("cluster").map((one) => one.version) },
    says: s("{name} and {name2} are two people", { name: called(left), name2: called(right) }),
  };
};

/** One date puts a child's faces in order and takes away all photos from before. */
export const birthQuestion = (question, desk) => {
  const { person, faces } = question;
  const title = t("When was {name} born?", { name: short(person.name) });
  const entered = (event) => { if (event.key === "Enter") { event.preventDefault(); save(); } }; // a date field does not submit its form
  const input = el("input", { type: "date", id: "born", max: new Date().toISOString().slice(0, 10), data: { keys: "pass" }, on: { keydown: entered } });
  const hint = el("span", { class: "hint", id: "born-hint" }, t("The year is enough to begin with; you can change it later."));
  const save = () => {
    if (!input.value) { input.setAttribute("aria-invalid", "true"); hint.textContent = t("A date is needed, or skip it."); hint.classList.add("wrong"); input.focus(); return; }
    desk.answer({ kind: "set-birth-date", body: { person_id: person.id, birth_date: input.value }, says: s("{name} was born on {date}", { name: person.name, date: input.value }), faces: person.cover_url ? [person.cover_url] : [] });
  };
  const skip = () => desk.skip();
  const element = el("form", { class: "question birth", on: { submit: (event) => { event.preventDefault(); save(); } } },
    el("header", { class: "ask" }, el("div", {}, el("h1", {}, title), el("p", {}, t("Faces of many years. One date orders them by age."))), el("div", { data: { progress: "" } })),
    el("div", {}, cover(person.cover_url, "large")),
    el("div", { class: "faces" }, faces.map((face) => el("span", { class: "face" }, crop(face.crop_url, year(face.taken_at)), el("span", { class: "caption number" }, year(face.taken_at))))),
    el("div", { class: "field" }, el("label", { for: "born" }, t("Birth date")), input, hint));
  return {
    element, title, begin: () => one("#born")?.focus(),
    answers: [button(t("Keep it"), save, { key: ["Enter", t("Enter")], look: "primary big" }), button(t("Skip"), skip, { key: ["Space", t("Space")], look: "big" })],
    keys: [{ keys: ["Enter"], label: t("Keep it"), run: save }, { keys: ["Space"], label: t("Skip, ask later"), run: skip }],
  };
};
