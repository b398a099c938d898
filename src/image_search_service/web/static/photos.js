// Photos: all of them by date, filtered by people, by a folder, or to those with unknown faces.
import { rewrite } from "./address.js";
import { button, cover, el, fill, icon, one } from "./dom.js";
import { get, library, names, query } from "./api.js";
import { failed, onChange } from "./decide.js";
import { ask, keys } from "./keys.js";
import { NameField } from "./names.js";
import { Wall } from "./wall.js";
import { number, photos, rich, t } from "./words.js";
import "./frame.js";

const address = new URLSearchParams(location.search);
const filter = { with: address.getAll("person_id"), without: address.getAll("without"), unknown: address.has("unknown"), folder: address.get("folder"), order: address.get("order") ?? "-date" };
const values = () => ({ person_id: filter.with, without: filter.without, unknown: filter.unknown ? "true" : null, folder: filter.folder, order: filter.order });
const text = () => query({ ...values(), order: filter.order === "-date" ? null : filter.order });

let everything = null;
const wall = new Wall(one("#photos"), {
  filter: values, failed: (problem) => failed(problem, () => wall.load()), moved: (month) => markRail(month),
  context: (at) => { const where = text(); return `${where ? `${where}&` : "?"}at=${at}`; },
  loaded: async (total, months) => {
    drawRail(months);
    everything ??= (await library().catch(() => null))?.photos ?? null;
    fill(one("#total"), everything !== null && everything !== total ? rich("{name} of {all}", { name: number(total), all: photos(everything) }) : el("strong", {}, photos(total)));
  },
});

/** Years at the edge, to jump to. */
const drawRail = (months) => {
  const years = new Map();
  for (const { month } of months) { const year = month?.slice(0, 4) ?? ""; if (!years.has(year)) years.set(year, month); }
  fill(one("#rail"), [...years].map(([year, month]) => el("a", { href: `#${year || "undated"}`, data: { year }, on: { click: (event) => { event.preventDefault(); wall.go(month); } } }, year || t("undated"))));
};
const markRail = (month) => {
  for (const link of one("#rail").children) if (link.dataset.year === (month?.slice(0, 4) ?? "")) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
};

const changed = () => { rewrite(`/photos${text()}`); drawFilters(); wall.focus = 0; wall.load(); };

const take = (list, id) => { const at = list.indexOf(id); if (at >= 0) list.splice(at, 1); };
/** "with" becomes "without", and back. */
const turn = (id) => { const to = filter.with.includes(id) ? filter.without : filter.with; take(filter.with, id); take(filter.without, id); to.push(id); changed(); };
const remove = (id) => { take(filter.with, id); take(filter.without, id); changed(); };

const person = (id, known, word, at) => {
  const name = known.get(id)?.name ?? t("somebody");
  return el("li", { class: `chip token ${word === "without" ? "without" : ""}` }, cover(known.get(id)?.cover_url),
    el("button", { type: "button", class: "how", "aria-label": t("{name}: change with to without, or back", { name }), on: { click: () => turn(id) } }, word === "without" ? t("without") : at ? t("and") : t("with")),
    el("strong", {}, name), off(t("Remove {name}", { name }), () => remove(id)));
};
const off = (label, run) => el("button", { type: "button", class: "off", "aria-label": label, on: { click: run } }, icon("cross"));

const drawFilters = async () => {
  const list = await names().catch(() => []);
  const known = new Map(list.map((one) => [one.id, one]));
  fill(one("#filters"), filter.with.map((id, at) => person(id, known, "with", at)), filter.without.map((id) => person(id, known, "without", 1)),
    filter.folder && el("li", { class: "chip token" }, icon("folder"), el("strong", {}, filter.folder.split("/").filter(Boolean).pop()), off(t("Remove the folder"), () => { filter.folder = null; changed(); })),
    el("li", {}, el("button", { type: "button", class: "chip", "aria-pressed": String(filter.unknown), on: { click: () => { filter.unknown = !filter.unknown; changed(); } } }, t("Unknown faces"))),
    el("li", {}, button(t("Person or folder"), openAdd, { look: "chip", symbol: "plus", key: ["P", "P"] })));
};

/** Adds a person or a folder. */
const openAdd = async () => {
  const folders = await get("/assets/folders").then((answer) => answer.folders).catch(() => []);
  const done = () => one("dialog[open]").close();
  const field = new NameField({ label: t("With whom"), placeholder: t("Type a name"), allowNew: false, listed: true, choose: (choice) => { if (choice.person_id && !filter.with.includes(choice.person_id)) filter.with.push(choice.person_id); done(); changed(); } });
  const select = el("select", { id: "folder", on: { change: (event) => { filter.folder = event.target.value || null; done(); changed(); } } },
    el("option", { value: "" }, t("All folders")), folders.map((folder) => el("option", { value: folder.path, selected: folder.path === filter.folder }, `${folder.path} (${number(folder.photos)})`)));
  ask(t("Which photos"), el("div", { class: "add" }, field.element, el("div", { class: "field" }, el("label", { for: "folder" }, t("In a folder")), select)), []);
  field.focus();
};

const order = one("#order");
order.value = filter.order;
order.addEventListener("change", () => { filter.order = order.value; changed(); });

keys("screen", [
  { keys: ["p"], label: t("Filter by a person or folder"), run: () => { openAdd(); } },
  { keys: [], caps: ["Enter"], label: t("Open"), run: () => false },
  { keys: ["ArrowRight", "ArrowDown"], caps: ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"], label: t("From photo to photo"), run: () => { if (!wall.total) return false; wall.step(wall.focus); return true; } },
  { keys: [], caps: ["Home", "End"], label: t("First and last"), run: () => false },
]);
onChange((what) => { if (what !== "decided") wall.load(); });
drawFilters();
wall.load();
