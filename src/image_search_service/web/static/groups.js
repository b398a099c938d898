// Groups without a name: eight faces each, a name field, and what can be done with many at once.
import { rewrite } from "./address.js";
import { all, button, crop, el, empty, fill, link, one } from "./dom.js";
import { get, library, query } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { Grid } from "./grid.js";
import { ask, keys } from "./keys.js";
import { NameField, whoIs } from "./names.js";
import { showProposal } from "./regroup.js";
import { ActionBar } from "./tiles.js";
import { faces, number, rich, s, span, t, tn } from "./words.js";
import "./frame.js";

const SIZES = { all: {}, large: { min_size: 10 }, middle: { min_size: 3, max_size: 9 }, small: { max_size: 2 }, aside: { aside: true } };
let which = new URLSearchParams(location.search).get("which") ?? "all";
if (!(which in SIZES)) which = "all";

const load = (offset, limit) => get(`/faces/clusters${query({ ...SIZES[which], offset, limit })}`);

const nothing = () => which === "all"
  ? empty("tick", t("Every group has a name"), t("New ones appear here when more photos are read."), link(t("Faces alone"), "/alone"), link(t("People"), "/people", "primary"))
  : empty("groups", t("None of these"), t("There is no group of this size."));

/** A field for a name; whom the group resembles is asked for when somebody goes into it. */
const nameField = (group, choose) => {
  const field = new NameField({ label: t("Name of this group of {n}", { n: group.size }), placeholder: t("Name"), choose });
  field.element.classList.add("compact");
  field.input.addEventListener("focus", async () => {
    if (field.asked) return;
    field.asked = true;
    try { field.propose((await get(`/faces/clusters/${group.id}/persons?limit=5`)).persons); } catch { field.asked = false; }
  });
  return field.element;
};

const tick = (group, at) => el("label", { class: "tickbox" }, el("input", {
  type: "checkbox", checked: grid.selection.has(group.id), "aria-label": t("Select this group of {n}", { n: group.size }),
  on: { click: (event) => { if (event.shiftKey) { grid.range(grid.selection.anchor, at); show(); } }, change: (event) => { grid.toggle(at, event.target.checked); } },
}));

const card = (group, at) => el("article", { class: "group" }, tick(group, at),
  el("div", {}, el("h2", {}, el("a", { href: `/groups/${group.id}` }, faces(group.size))), el("p", { class: "small soft number" }, span(group.first_year, group.last_year) || " ")),
  el("a", { class: "crops", href: `/groups/${group.id}`, tabindex: -1, "aria-hidden": "true" }, group.faces.slice(0, 8).map((face) => crop(face.crop_url))),
  el("div", { class: "place" }, nameField(group, (choice) => name([group], choice)),
    which === "aside" ? button(t("Bring back"), () => aside([group], false)) : button(t("Set aside"), () => aside([group], true), { "aria-label": t("Set aside this group of {n}", { n: group.size }) })));

const grid = new Grid(one("#groups"), {
  label: t("Groups"), list: true, select: true, gap: 16, atOnce: 4, load, tile: card, empty: nothing, failed: (problem) => failed(problem, () => grid.load()),
  width: (space) => Math.min(space, 544), changed: () => { show(); bar.update(); },
});
/** The boxes follow the selection. */
const show = () => { for (const box of all("input[type=checkbox]", grid.body)) box.checked = grid.selection.has(grid.items[box.closest(".cell").dataset.at]?.id); };

const bodies = (groups) => ({ cluster_ids: groups.map((group) => group.id), versions: groups.map((group) => group.version) });
const crops = (groups) => groups.map((group) => group.crop_url);
const count = (groups) => groups.reduce((sum, group) => sum + group.size, 0);

/** Takes groups out of the list before the server has answered. */
const drop = (groups) => {
  const gone = new Set(groups.map((group) => group.id));
  const before = grid.items.length;
  grid.items = grid.items.filter((item) => !item || !gone.has(item.id));
  grid.total = Math.max(0, grid.total - (before - grid.items.length));
  grid.selection.items.clear();
  grid.selection.changed();
  grid.measure();
};
const act = (groups, decision) => decide({ ...decision, faces: crops(groups), apply: () => drop(groups), revert: () => grid.load({ stay: true }) }).then((made) => { if (made) recount(); return made; });

const name = async (groups, choice) => {
  const at = grid.items.indexOf(groups[0]);
  const who = whoIs(choice);
  const made = act(groups, {
    kind: "name-clusters", body: { ...bodies(groups), ...who },
    says: (answer) => s("{n} face is {name} now", "{n} faces are {name} now", answer.faces ?? count(groups), { name: choice.name }),
  });
  one(".naming input", grid.node(Math.min(at, grid.total - 1)) ?? grid.body)?.focus();
};

const aside = (groups, on) => act(groups, { kind: "set-aside", body: { ...bodies(groups), face_ids: [], aside: on },
  says: on ? s("{n} group set aside", "{n} groups set aside", groups.length) : s("{n} group is back", "{n} groups are back", groups.length) });

const nameTogether = async (groups) => {
  const choice = await new Promise((resolve) => {
    const field = new NameField({ label: t("Name of these people"), listed: true, choose: (found) => { resolve(found); one("dialog[open]").close(); } });
    ask(tn("Name {n} group", "Name {n} groups together", groups.length), el("div", {}, el("p", { class: "row" }, groups.slice(0, 8).map((group) => crop(group.crop_url))), field.element), []).then(() => resolve(null));
    field.focus();
    field.loadNames().then(() => field.show());
  });
  if (choice) await name(groups, choice);
};

const join = (groups) => act(groups, { kind: "join-clusters", body: bodies(groups), says: s("{n} group is one now", "{n} groups are one now", groups.length) }).then((made) => made && grid.load({ stay: true }));
const apart = (groups) => decide({ kind: "mark-different", body: { person_ids: [], ...bodies(groups) }, says: s("These two groups are two people"), faces: crops(groups), apply: () => grid.selection.clear() });

const bar = new ActionBar(grid, (n) => tn("{n} group", "{n} groups", n), [
  { label: t("Name together"), key: ["N", "N"], symbol: "pen", look: "primary", run: (groups) => { nameTogether(groups); } },
  { label: t("Join"), key: ["J", "J"], symbol: "join", run: join, only: (groups) => groups.length > 1 },
  { label: t("These are two"), key: ["D", "D"], symbol: "apart", run: apart, only: (groups) => groups.length === 2 },
  { label: t("Set aside"), key: ["0", "0"], symbol: "aside", run: (groups) => { aside(groups, which !== "aside"); } },
]);

/** How many there are of each size, and the lead. */
const recount = async () => {
  const of = async (filter) => (await get(`/faces/clusters${query({ ...filter, limit: 1 })}`)).total;
  try {
    const [counts, ...totals] = await Promise.all([library({ fresh: true }), ...Object.values(SIZES).map(of)]);
    Object.keys(SIZES).forEach((size, at) => { const chip = one(`[data-which=${size}]`); one(".count", chip)?.remove(); chip.append(el("span", { class: "count" }, ` ${number(totals[at])}`)); });
    const alone = el("a", { href: "/alone" }, tn("{n} face is alone", "{n} faces are alone", counts.alone_faces));
    fill(one("#lead"), rich(counts.alone_faces ? "{groups}, {alone}." : "{groups}.", { groups: tn("{n} group", "{n} groups", totals[0]), alone }));
    offerSmall(totals[3]);
  } catch { /* the grid says what is wrong */ }
};

/** All groups of one or two faces, set aside at once. */
const offerSmall = (total) => {
  const node = one("#all-small");
  node.hidden = total === 0 || which === "aside";
  node.textContent = t("Set aside all of 1 or 2 faces ({n})", { n: total });
};
one("#all-small").addEventListener("click", async () => {
  try {
    const groups = [];
    for (let offset = 0, total = 1; offset < total; offset += 200) { const page = await get(`/faces/clusters${query({ max_size: 2, offset, limit: 200 })}`); groups.push(...page.items); ({ total } = page); }
    await aside(groups, true);
    grid.load();
  } catch (problem) { failed(problem, () => one("#all-small").click()); }
});

const choose = (size) => {
  which = size;
  for (const chip of all("[data-which]")) chip.setAttribute("aria-pressed", String(chip.dataset.which === which));
  rewrite(which === "all" ? "/groups" : `/groups?which=${which}`);
  grid.selection.items.clear();
  grid.selection.changed();
  grid.reset();
  grid.load();
};
for (const chip of all("[data-which]")) chip.addEventListener("click", () => { choose(chip.dataset.which); recount(); });

keys("screen", [
  { keys: [], caps: ["Tab"], label: t("From group to group"), run: () => false },
  { keys: [], caps: ["Enter"], label: t("In a name field: take the name"), run: () => false },
]);
onChange((what) => { if (what !== "decided") { grid.load({ stay: true }); recount(); } });
choose(which);
recount();
showProposal(() => { grid.load({ stay: true }); recount(); });
