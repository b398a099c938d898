// People: cards with cover, name and counts; rename in place, hide, join, the next cover.
import { openPage } from "./address.js";
import { all, el, empty, link, one } from "./dom.js";
import { get, names, query } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { Grid } from "./grid.js";
import { ask, keys } from "./keys.js";
import { fits, plain } from "./names.js";
import { personCard, renameIn } from "./person-card.js";
import { ActionBar } from "./tiles.js";
import { faces, inOrder, s, t, tn } from "./words.js";
import "./frame.js";

const order = one("#order");
const filter = one("#filter");
const address = new URLSearchParams(location.search);
let which = address.get("which") ?? "all";
order.value = address.get("order") ?? "faces";
filter.value = address.get("name") ?? "";

/** Those whose name fits, from the list of all names that the page has anyway. */
const filtered = async () => {
  const wanted = plain(filter.value);
  const found = (await names()).filter((person) => person.hidden === (which === "hidden") && fits(wanted, plain(person.name)));
  found.sort(order.value === "name" ? (a, b) => inOrder(a.name, b.name) : (a, b) => b.faces - a.faces);
  return { items: found, total: found.length };
};

const load = async (offset, limit) => {
  if (filter.value.trim()) return filtered();
  const sorted = which === "waiting" ? "waiting" : order.value;
  const page = await get(`/persons${query({ order: sorted, hidden: which === "hidden" || null, offset, limit })}`);
  const last = which === "waiting" ? page.items.findIndex((person) => !person.pending_suggestions) : -1;
  return last < 0 ? page : { items: page.items.slice(0, last), total: offset + last };
};

const nothing = () => {
  if (filter.value) return empty("find", t("Nobody of this name"), t("Names are found by any word in them, with or without accents."));
  if (which === "waiting") return empty("tick", t("Nothing waits"), t("No suggestions wait for anybody."), link(t("Go on naming"), "/review", "primary"));
  if (which === "hidden") return empty("hide", t("Nobody is hidden"), t("Whom you hide leaves the lists and is found here."));
  return empty("people", t("Nobody has a name yet"), t("Name the first face, and they are here."), link(t("Start naming"), "/review", "primary"));
};

const grid = new Grid(one("#people"), {
  label: t("People"), select: true, gap: [16, 8], load, empty: nothing, failed: (problem) => failed(problem, () => grid.load()),
  width: (space) => (space < 640 ? (space - 16) / 3 : Math.max(150, Math.min(220, space / 8))),
  tile: personCard, open: (person) => openPage(`/people/${person.id}`), changed: () => bar.update(),
  name: (person) => [person.name, faces(person.faces), person.pending_suggestions ? tn("{n} waiting", "{n} waiting", person.pending_suggestions) : ""].filter(Boolean).join(", "),
});

const drop = (people) => { const gone = new Set(people.map((one) => one.id)); grid.items = grid.items.filter((item) => item && !gone.has(item.id)); grid.total = Math.max(0, grid.total - people.length); grid.selection.clear(); grid.measure(); };
const covers = (people) => people.map((person) => person.cover_url).filter(Boolean);

const hide = (people) => {
  const hidden = which !== "hidden";
  for (const person of people) {
    decide({ kind: "hide-person", body: { person_id: person.id, hidden }, says: hidden ? s("{name} is hidden", { name: person.name }) : s("{name} is shown again", { name: person.name }), faces: covers([person]), revert: () => grid.load({ stay: true }) });
  }
  drop(people);
};

/** Asks only for which name. */
const join = async (people) => {
  const sorted = [...people].sort((a, b) => b.faces - a.faces);
  const into = await ask(t("One person?"), el("p", {}, t("They become one. Which name stays?")), sorted.map((person) => [person.name, person, person === sorted[0] ? "primary" : ""]).reverse());
  if (!into) return;
  const others = people.filter((person) => person !== into);
  decide({ kind: "merge-persons", body: { person_ids: others.map((person) => person.id), into: into.id }, says: s("{n} person is {name} now", "{n} people are {name} now", people.length, { name: into.name }),
    faces: covers(people), apply: () => drop(others), revert: () => grid.load({ stay: true }) });
};

/** The next best face becomes the cover. */
const nextCover = async ([person]) => {
  try {
    const { items } = await get(`/persons/${person.id}/faces?order=quality&limit=12`);
    const at = items.findIndex((face) => face.crop_url === person.cover_url || face.id === person.cover_face_id);
    const face = items[(at + 1) % items.length];
    if (!face) return;
    await decide({ kind: "set-cover-face", body: { person_id: person.id, face_id: face.id }, says: s("{name} has another cover", { name: person.name }), faces: [face.crop_url],
      apply: () => { person.cover_url = face.crop_url; person.cover_face_id = face.id; refresh(); } });
  } catch (problem) { failed(problem, () => nextCover([person])); }
};

const refresh = () => { const at = grid.focus; const held = grid.body.contains(document.activeElement); grid.redraw(); if (held) grid.go(at); };
const rename = ([person]) => { const at = grid.items.indexOf(person); renameIn(grid.node(at), person, () => { refresh(); grid.go(at); }); };

const bar = new ActionBar(grid, (n) => tn("{n} person", "{n} people", n), [
  { label: t("Join: one person"), key: ["J", "J"], symbol: "join", run: join, only: (people) => people.length > 1 },
  { label: t("Rename"), key: ["F2", "F2"], symbol: "pen", run: rename, only: (people) => people.length === 1 },
  { label: t("Next cover"), key: ["C", "C"], symbol: "star", run: nextCover, only: (people) => people.length === 1 },
  { label: t("Hide"), key: ["H", "H"], symbol: "hide", run: hide },
  { label: t("Review"), key: ["R", "R"], symbol: "review", run: ([person]) => openPage(`/people/${person.id}#suggestions`), only: (people) => people.length === 1 },
]);

const reload = () => {
  for (const chip of all("[data-which]")) chip.setAttribute("aria-pressed", String(chip.dataset.which === which));
  history.replaceState(null, "", `${location.pathname}${query({ which: which === "all" ? null : which, order: order.value === "faces" ? null : order.value, name: filter.value })}`);
  grid.selection.clear();
  grid.reset();
  return grid.load();
};
for (const chip of all("[data-which]")) chip.addEventListener("click", () => { which = chip.dataset.which; reload(); });
order.addEventListener("change", reload);
let soon = 0;
filter.addEventListener("input", () => { clearTimeout(soon); soon = setTimeout(reload, 120); });
filter.addEventListener("keydown", (event) => { if (event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); grid.go(0); } });

keys("screen", [
  { keys: [], caps: ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"], label: t("From person to person"), run: () => false },
  { keys: [], caps: ["Enter"], label: t("Open"), run: () => false },
  { keys: ["f"], label: t("Filter by name"), run: () => filter.focus() },
  ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({ keys: [key], hidden: true, label: "", run: () => (grid.total ? grid.go(grid.focus) : false) })),
]);
onChange((what) => { if (what !== "decided") grid.load({ stay: true }); });
for (const chip of all("[data-which]")) chip.setAttribute("aria-pressed", String(chip.dataset.which === which));
grid.load();
