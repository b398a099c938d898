// What every page has: the bar with its counts, light and dark, finding people and folders, the state of the service.
import { rooted } from "./address.js";
import { all, cover, el, fill, icon, link, notice, one } from "./dom.js";
import { get, library, names, query } from "./api.js";
import { onChange, say } from "./decide.js";
import { keep, keys, showHelp } from "./keys.js";
import { matching, plain } from "./names.js";
import { onEvent } from "./stream.js";
import { faces, number, photos, t } from "./words.js";

const root = document.documentElement;

/** Light, dark or, with an empty text, as the system has it. */
export const setTheme = (theme) => {
  if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
  keep("theme", theme);
};
const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
for (const button of all("[data-theme-switch]")) button.addEventListener("click", () => setTheme(dark() ? "light" : "dark"));

/** Puts the library's counts wherever the frame shows them. */
const count = async (fresh = false) => {
  try { showCounts(await library({ fresh })); } catch { /* the screen itself says what is wrong */ }
};
const showCounts = (counts) => {
  const waiting = Math.max(0, counts.faces - counts.named_faces);
  for (const node of all("[data-count=waiting]")) { node.textContent = number(waiting); node.hidden = waiting === 0; }
};

let soon = 0;
const countSoon = () => { clearTimeout(soon); soon = setTimeout(() => count(true), 400); };
onChange(countSoon);
onEvent("decision", countSoon);
onEvent("library", showCounts);

/** The dot in the bar: still, turning, red. */
const dot = one(".job-dot");
const showDot = (state) => {
  const words = { runs: t("Jobs: something is running"), failed: t("Jobs: one has failed"), none: t("Jobs") }[state];
  dot.dataset.job = state;
  dot.setAttribute("aria-label", words);
  dot.title = words;
};
const running = new Set();
onEvent("job", (job) => {
  if (["queued", "running"].includes(job.state)) running.add(job.id); else running.delete(job.id);
  showDot(running.size ? "runs" : job.state === "failed" ? "failed" : "none");
});

/** Says at once when something is away, and what still works. */
const checkReady = async () => {
  const answer = await fetch(rooted("/ready?report=true")).catch(() => null);
  if (!answer) return;
  const state = await answer.json().catch(() => ({ ready: true }));
  const away = (state.components ?? []).find((part) => !part.ready && part.name === "qdrant");
  if (!away) return;
  say(notice("care", "warning", [el("strong", {}, t("Looking for similar faces has to wait: Qdrant does not answer.")), " ",
    t("Naming, joining and undoing work as always and will be passed on.")], link(t("Show details"), "/jobs")));
};

/** Finding: people by name, folders by path. */
const field = one("#find");
const list = one("#found");
let folders = null;
const foldersOnce = () => (folders ??= get("/assets/folders").then((answer) => answer.folders).catch(() => []));

const results = async (typed) => {
  const [people, places] = await Promise.all([names().catch(() => []), foldersOnce()]);
  const wanted = plain(typed);
  const persons = matching(typed, [], people, 6).map((person) => ({ href: `/people/${person.person_id}`, sign: cover(person.cover_url), name: person.name, note: [person.note, faces(person.faces)].filter(Boolean).join(" · ") }));
  const found = places.filter((place) => plain(place.path).includes(wanted)).slice(0, 4)
    .map((place) => ({ href: `/photos${query({ folder: place.path })}`, sign: icon("folder"), name: place.path, note: photos(place.photos) }));
  return [...persons, ...found];
};

let active = -1;
const showFound = async () => {
  const typed = field.value.trim();
  const found = typed ? await results(typed) : [];
  if (typed !== field.value.trim()) return;
  active = found.length ? 0 : -1;
  fill(list, found.map((one, at) => el("li", { role: "option", id: `found-${at}`, "aria-selected": String(at === active) },
    el("a", { href: one.href, tabindex: -1 }, one.sign, el("span", { class: "name" }, one.name), el("span", { class: "small soft" }, one.note)))),
  typed && !found.length && el("li", { class: "soft nothing", role: "option", "aria-disabled": "true" }, t("Nobody and no folder of this name")));
  list.hidden = !typed;
  field.setAttribute("aria-expanded", String(Boolean(typed)));
  markFound();
};
const markFound = () => {
  all("[role=option]", list).forEach((node, at) => node.setAttribute("aria-selected", String(at === active)));
  if (active >= 0) field.setAttribute("aria-activedescendant", `found-${active}`); else field.removeAttribute("aria-activedescendant");
};
const closeFound = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); };

field.addEventListener("input", showFound);
field.addEventListener("focus", () => { names().catch(() => {}); foldersOnce(); });
field.addEventListener("blur", () => setTimeout(closeFound, 150));
field.addEventListener("keydown", (event) => {
  const links = all("a", list);
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move && links.length) { active = (active + move + links.length) % links.length; markFound(); event.preventDefault(); }
  else if (event.key === "Enter" && links[active]) links[active].click();
  else if (event.key === "Escape") { field.value = ""; closeFound(); field.blur(); }
});

keys("frame", [
  { keys: ["/"], label: t("Find people and folders"), run: () => field.focus() },
  { keys: ["?"], label: t("These keys"), run: showHelp },
]);

count();
checkReady();
