// One person: their faces, photos, suggestions, with whom, and what was said of them.
import { openPage } from "./address.js";
import { all, button, cover, el, empty, fill, link, one } from "./dom.js";
import { get, query } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { facesTab } from "./person-faces.js";
import { suggestionsTab } from "./person-suggestions.js";
import { ledger } from "./history-list.js";
import { ask, keys } from "./keys.js";
import { rename } from "./person-card.js";
import { noActions } from "./tiles.js";
import { Wall } from "./wall.js";
import { date, faces, number, photos, s, t, tn } from "./words.js";
import "./frame.js";

const id = location.pathname.split("/").pop();
let person = null;

const load = async () => {
  try {
    person = await get(`/persons/${id}`);
    drawHead();
    if (person.faces > 0) drawYears();
  } catch (problem) {
    one("#head").removeAttribute("aria-busy");
    if (problem.status !== 404) { failed(problem, load); return false; }
    fill(one("#head"));
    fill(one("#panel"), empty("person", t("There is nobody here"), t("Perhaps they were joined with somebody else."), link(t("People"), "/people", "primary")));
    one(".tabs").hidden = true;
    return false;
  }
  return true;
};

const drawHead = () => {
  document.title = `${person.name} – image-search-service`;
  const facts = [person.note, person.birth_date && t("born {date}", { date: date(person.birth_date) }), person.hidden && t("hidden"), t("{faces} in {photos}", { faces: faces(person.faces), photos: photos(person.photos) })].filter(Boolean).join(" · ");
  const waiting = person.pending_suggestions;
  fill(one("#head"), cover(person.cover_url, "large", ""), el("div", { class: "id" }, el("h1", {}, person.name), el("p", { class: "soft" }, facts),
    el("div", { class: "buttons" },
      waiting > 0 && button(tn("Review {n} suggestion", "Review {n} suggestions", waiting), () => { location.hash = "suggestions"; }, { key: ["R", "R"], look: "primary" }),
      button(t("Rename"), startRename, { key: ["F2", "F2"] }), button(t("Birth date"), askBirth), button(t("Note"), askNote),
      button(person.hidden ? t("Show again") : t("Hide"), hide), person.faces === 0 && button(t("Delete"), remove))), el("div", { class: "years-box" }));
  one("#head").removeAttribute("aria-busy");
  for (const [tab, count] of [["faces", person.faces], ["photos", person.photos], ["suggestions", waiting]]) one(`#tab-${tab} .count`).textContent = number(count);
};

/** Bars by year; each leads to the photos of that year. */
const drawYears = async () => {
  const { months } = await get(`/assets/months${query({ person_id: id, order: "date" })}`).catch(() => ({ months: [] }));
  const years = new Map();
  for (const { month, photos: count } of months) if (month) years.set(Number(month.slice(0, 4)), (years.get(Number(month.slice(0, 4))) ?? 0) + count);
  const known = [...years.keys()];
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (!known.length || last - first > 60) return;
  const most = Math.max(...years.values());
  const shown = new Set([first, last, ...[...years].sort((a, b) => b[1] - a[1]).slice(0, 1).map(([year]) => year)].filter((year, at, list) => list.every((other, place) => place >= at || Math.abs(other - year) > 2)));
  const bar = (year) => {
    const count = years.get(year) ?? 0;
    const label = shown.has(year) && el("span", { "aria-hidden": "true" }, String(year));
    const words = `${year}: ${photos(count)}`;
    const made = count ? el("a", { href: `/photos?person_id=${id}#${year}`, title: words, "aria-label": words }, label) : el("i", { class: "none" }, label);
    made.style.setProperty("--share", count / most);
    return made;
  };
  fill(one(".years-box"), el("nav", { class: "years links", "aria-label": t("Photos by year") }, Array.from({ length: last - first + 1 }, (_, at) => bar(first + at))));
};

const startRename = () => {
  const heading = one("#head h1");
  const input = el("input", { value: person.name, dir: "auto", "aria-label": t("Name of {name}", { name: person.name }), maxlength: 200, autocomplete: "off" });
  let open = true;
  const close = () => { if (open) { open = false; drawHead(); drawYears(); } };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.isComposing) return;
    open = false;
    rename(person, input.value.trim(), () => { drawHead(); drawYears(); });
  });
  input.addEventListener("blur", close);
  heading.replaceChildren(input);
  input.select();
};

const askBirth = async () => {
  const input = el("input", { type: "date", id: "born", value: person.birth_date ?? "", max: new Date().toISOString().slice(0, 10) });
  const form = el("div", { class: "field" }, el("label", { for: "born" }, t("Birth date")), input, el("span", { class: "hint" }, t("Photos from before are never suggested; empty takes it back.")));
  const kept = await ask(t("When was {name} born?", { name: person.name }), form, [[t("Keep it"), () => ({ date: input.value || null }), "primary"]]);
  if (!kept || kept.date === person.birth_date) return;
  const before = person.birth_date;
  decide({ kind: "set-birth-date", body: { person_id: id, birth_date: kept.date }, says: kept.date ? s("{name} was born on {date}", { name: person.name, date: date(kept.date) }) : s("{name} has no birth date", { name: person.name }),
    apply: () => { person.birth_date = kept.date; drawHead(); drawYears(); }, revert: () => { person.birth_date = before; drawHead(); drawYears(); } });
};

/** What tells them from somebody of the same name. */
const askNote = async () => {
  const input = el("input", { id: "note", value: person.note ?? "", maxlength: 200, autocomplete: "off" });
  const form = el("div", { class: "field" }, el("label", { for: "note" }, t("Note")), input, el("span", { class: "hint" }, t("A few words, shown with the name; empty takes it back.")));
  const kept = await ask(t("Which {name}?", { name: person.name }), form, [[t("Keep it"), () => ({ note: input.value.trim() || null }), "primary"]]);
  if (!kept || kept.note === person.note) return;
  const before = person.note;
  const put = (note) => { person.note = note; drawHead(); drawYears(); };
  await decide({ kind: "set-note", body: { person_id: id, note: kept.note }, says: s("The note about {name} is changed", { name: person.name }), apply: () => put(kept.note), revert: () => put(before) });
};

const hide = () => {
  const hidden = !person.hidden;
  const put = (value) => { person.hidden = value; drawHead(); drawYears(); };
  decide({ kind: "hide-person", body: { person_id: id, hidden }, says: hidden ? s("{name} is hidden", { name: person.name }) : s("{name} is shown again", { name: person.name }), apply: () => put(hidden), revert: () => put(!hidden) });
};

const remove = async () => {
  const made = await decide({ kind: "delete-person", body: { person_id: id }, says: s("{name} is deleted", { name: person.name }) });
  if (made) openPage("/people");
};

const photosTab = (panel) => {
  const place = el("div", { class: "photo-wall", "aria-busy": "true" });
  fill(panel, place);
  const wall = new Wall(place, { filter: () => ({ person_id: id, order: "-date" }), failed: (problem) => failed(problem, () => wall.load()), context: (at) => `?person_id=${id}&at=${at}` });
  wall.load();
};

const withTab = async (panel) => {
  try {
    const { persons } = await get(`/persons/${id}/with`);
    one("#tab-with .count").textContent = number(persons.length);
    fill(panel, persons.length ? el("ul", { class: "people" }, persons.slice(0, 100).map((other) => el("li", { class: "person-card" }, cover(other.cover_url, "card"),
      el("h2", {}, el("a", { href: `/photos?person_id=${id}&person_id=${other.person_id}` }, other.name)), el("p", { class: "number" }, photos(other.photos)))))
      : empty("people", t("With nobody yet"), t("Whoever is named in the same photos appears here.")));
  } catch (problem) { failed(problem, () => withTab(panel)); }
};

const historyTab = (panel) => { const list = el("div", { class: "ledger" }); fill(panel, list); ledger(list, { subject: id }); };

const TABS = { faces: facesTab, photos: photosTab, suggestions: suggestionsTab, with: withTab, history: historyTab };
const show = () => {
  const wanted = location.hash.slice(1);
  const name = wanted in TABS ? wanted : "faces";
  for (const tab of all("[data-tab]")) {
    tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
    tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
  }
  one("#panel").setAttribute("aria-labelledby", `tab-${name}`);
  noActions();
  keys("screen", common);
  TABS[name](one("#panel"), person, { reload: async () => { await load(); } });
};
const step = (by) => { const tabs = all("[data-tab]"); const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true"); const next = tabs[(at + by + tabs.length) % tabs.length]; next.click(); next.focus(); };
one(".tabs").addEventListener("keydown", (event) => { const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]; if (by) { event.preventDefault(); event.stopPropagation(); step(document.dir === "rtl" ? -by : by); } });

const common = [
  { keys: ["r"], label: t("Review suggestions"), run: () => { location.hash = "suggestions"; } },
  { keys: ["F2"], label: t("Rename"), run: startRename },
];
addEventListener("hashchange", show);
onChange(async (what) => { if (what !== "decided") { if (await load()) show(); } });
if (await load()) show();
