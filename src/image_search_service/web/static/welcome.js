// Welcome: choose folders, watch them being read, put names in first, begin naming while it runs.
import { button, crop, el, fill, icon, one } from "./dom.js";
import { forgetNames, get, library, names, post, query, send } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { progressWords, timeLeft } from "./job-words.js";
import { onEvent } from "./stream.js";
import { number, photos, s, t, tn } from "./words.js";
import "./frame.js";

/** So many groups are enough to begin. */
const ENOUGH = 10;
let counts = null;
let job = null;
/** Folders that are not there, and how many photos were deleted from the disk. */
let absent = { folders: [], forgettable: 0 };
/** The library's folders by path, with what is left out of them. */
let roots = new Map();

const load = async () => {
  try {
    let kept;
    [counts, absent, kept] = await Promise.all([library({ fresh: true }), get("/photos/absent"), get("/roots")]);
    roots = new Map(kept.roots.map((each) => [each.path, each]));
    draw();
  } catch (problem) { failed(problem, load); }
  finally { one("#progress").removeAttribute("aria-busy"); }
};

const draw = () => {
  const start = one("#start-naming");
  start.hidden = counts.clusters < (job ? ENOUGH : 1);
  start.textContent = job ? t("Start naming while it runs") : t("Start naming");
  one(".steps").classList.toggle("fresh", !counts.roots.length && !job);
  drawRoots();
  drawProgress();
};

const drawRoots = () => {
  if (one("#roots .excludes[open]")) return; // somebody writes there
  const state = new Map(absent.folders.map((folder) => [folder.path, folder]));
  const paths = [...counts.roots, ...absent.folders.map((folder) => folder.path).filter((path) => !counts.roots.includes(path))];
  fill(one("#roots"), paths.map((path) => root(path, state.get(path))),
    absent.forgettable > 0 && el("li", {}, icon("warning"), el("span", {}, tn("{n} photo was deleted from the disk.", "{n} photos were deleted from the disk.", absent.forgettable)), button(t("Leave them out"), () => forget([]), { look: "quiet" })));
  if (!counts.roots.length && !one("#picker").childElementCount) open(null); else if (!one("#picker").childElementCount) fill(one("#picker"), button(t("Add a folder"), () => open(null), { symbol: "plus", look: "quiet" }));
};

/** A folder that was read; of one that is not there, what may be said of it. */
const root = (path, gone) => el("li", {}, icon(gone ? "warning" : "folder"), el("code", {}, path),
  gone && el("span", { class: "small soft" }, gone.state === "gone" ? t("is gone for good") : t("is not there"), gone.photos > 0 && [", ", photos(gone.photos)]),
  gone?.photos > 0 && gone.state === "away" && button(t("It is gone for good"), () => markGone(path), { look: "quiet", "aria-label": t("It is gone for good: {path}", { path }) }),
  roots.get(path)?.excluded > 0 && el("span", { class: "small soft" }, tn("{n} photo left out", "{n} photos left out", roots.get(path).excluded)),
  button(t("Read again"), () => index([path]), { look: "quiet", "aria-label": t("Read again: {path}", { path }) }),
  roots.has(path) && excludes(path, roots.get(path)));

/** What is left out of a folder, and taking it off the list. */
const excludes = (path, kept) => {
  const lines = el("textarea", { rows: 3, dir: "ltr", "aria-label": t("Left out of {path}, one pattern a line", { path }) });
  lines.value = kept.excludes.join("\n");
  const close = () => one("#roots .excludes[open]")?.removeAttribute("open");
  const save = () => post("/roots", { path, excludes: lines.value.split("\n") }).then(close).then(() => index([path])).catch((problem) => failed(problem, save));
  const remove = () => post("/roots/remove", { path }).then(close).then(load).catch((problem) => failed(problem, remove));
  return el("details", { class: "fold excludes" }, el("summary", {}, t("Leave out")), el("p", { class: "hint" }, t("As in .gitignore: a name, a folder (raw/) or a pattern (*.png).")), lines,
    el("div", { class: "buttons" }, button(t("Save and read again"), save), button(t("Off the list"), remove, { look: "quiet", "aria-label": t("Off the list: {path}", { path }) })), el("p", { class: "hint" }, t("Photos of a folder off the list stay; it is not read any more.")));
};

const markGone = (path) => post("/photos/gone", { path }).then(load).catch((problem) => failed(problem, () => markGone(path)));
/** Leaves photos out that are on the disk no more; it can be taken back. */
const forget = (paths) => decide({ kind: "forget-photos", body: { paths }, says: (made) => s("{n} photo is left out", "{n} photos are left out", made.photos) }).then(load);
onChange((what) => what !== "decided" && load());

/** The folders of the server, below the allowed ones. */
const open = async (path) => {
  try {
    const answer = await get(`/folders${query({ path })}`);
    const up = answer.path && el("li", {}, icon("back", "turns"), button(t("Up"), () => open(answer.parent), { look: "quiet" }));
    const list = (answer.path ? answer.folders : answer.allowed_roots.map((root) => ({ name: root, path: root }))).map((folder) =>
      el("li", {}, icon("folder"), el("button", { type: "button", class: "plain", on: { click: () => open(folder.path) } }, folder.name), folder.photos_hint > 0 && el("span", { class: "small soft number" }, photos(folder.photos_hint))));
    fill(one("#picker"), el("div", { class: "picker", role: "group", "aria-label": t("Choose a folder") },
      el("p", { class: "small soft" }, answer.path ? el("code", {}, answer.path) : t("Folders that may be read:")),
      el("ul", { class: "roots" }, up, list, answer.path && !list.length && el("li", { class: "soft" }, t("No folders in it"))),
      el("div", { class: "buttons" }, answer.path && button(t("Read this folder"), () => index([answer.path]), { look: "primary" }), counts.roots.length > 0 && button(t("Close"), close, { look: "quiet" }))));
  } catch (problem) { failed(problem, () => open(path)); }
};
const close = () => { fill(one("#picker")); drawRoots(); };

const index = async (paths) => {
  try {
    job = await post("/photos/index", { paths });
    fill(one("#picker"));
    await load();
  } catch (problem) { failed(problem, () => index(paths)); }
};

const figure = (value, words) => el("div", {}, el("dt", {}, words), el("dd", {}, number(value)));
const drawProgress = () => {
  const place = one("#progress");
  const left = one("#left");
  left.hidden = true;
  if (!job && !counts.photos) { fill(place, el("p", { class: "soft" }, t("Choose a folder, and it begins."))); return; }
  const seconds = job ? Math.max(1, (Date.now() - new Date(job.started_at ?? job.created_at)) / 1000) : 0;
  const rate = job && job.done ? job.done / seconds : 0;
  if (job?.total && rate) { left.hidden = false; left.textContent = timeLeft((job.total - job.done) / rate); }
  const found = one(".found", place) ?? el("div", { class: "found", role: "img", "aria-label": t("Faces found last") });
  const fold = one(".fold", place) ?? el("details", { class: "fold", hidden: true, on: { toggle: (event) => event.target.open && drawFailed() } }, el("summary", {}), el("ul", { class: "unread" }));
  fill(place,
    job ? el("div", {}, el("progress", { value: job.total ? job.done : null, max: job.total || null, "aria-labelledby": "s2" }), el("p", { class: "small soft", role: "status" }, job.state === "paused" ? t("paused") : progressWords(job))) : el("p", { class: "soft" }, t("Everything is read.")),
    el("dl", { class: "figures number" }, figure(job ? job.done : counts.photos, job?.total ? t("of {photos} read", { photos: photos(job.total) }) : t("photos read")), job && figure(Math.round(rate * 10) / 10, t("photos a second")), figure(counts.faces, t("faces found")), figure(counts.clusters, t("groups so far")), figure(counts.persons, t("people with a name"))),
    found, fold,
    job && el("div", { class: "buttons" }, job.state === "paused" || job.pause_requested ? button(t("Go on"), () => turn("resume")) : button(t("Pause"), () => turn("pause")), button(t("Stop"), () => turn("cancel")), el("span", { class: "small soft" }, t("You may close this page: it goes on. Stopped, it goes on from where it was."))));
  const unread = counts.photos_failed + counts.photos_waiting;
  one("summary", fold).textContent = tn("{n} file could not be read", "{n} files could not be read", unread);
  fold.hidden = !unread;
};

const drawFailed = async () => {
  const page = await get("/photos/failed?limit=50").catch(() => ({ items: [] }));
  const list = one(".unread");
  if (list) fill(list, page.items.map((one) => el("li", {}, el("code", {}, one.path), el("span", {}, one.reason, one.waits && el("span", { class: "soft" }, " ", t("The next run tries again."))))));
};

/** Faces of the first groups, so that one sees what comes. */
const drawFound = async () => {
  const page = await get("/faces/clusters?limit=24").catch(() => null);
  const place = one(".found");
  if (page && place) fill(place, page.items.slice(0, 24).map((group) => crop(group.crop_url)));
};

const turn = (verb) => post(`/jobs/${job.id}/${verb}`).then((now) => { job = now.state === "cancelled" ? null : now; draw(); }).catch((problem) => failed(problem, () => turn(verb)));

let asked = 0;
onEvent("job", (now) => {
  if (now.kind !== "detect_faces" && now.kind !== "cluster_faces") return;
  const runs = ["queued", "running", "paused"].includes(now.state);
  if (now.kind === "detect_faces") job = runs ? now : null;
  if (counts) drawProgress();
  if (!runs || Date.now() - asked > 3000) { asked = Date.now(); load().then(drawFound); }
});
onEvent("library", (now) => { counts = { ...counts, ...now }; if (counts.roots) draw(); });

/** Names first: each line a person, those that are there already are left alone. What cannot be a name stays. */
const keep = async () => {
  const area = one("#names");
  const wanted = area.value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!wanted.length) { area.focus(); return; }
  const made = await decide({ kind: "create-persons", body: { names: wanted }, says: ({ persons }) => { const fresh = persons.filter((each) => each.created).length; return s("{n} name kept", "{n} names kept", fresh, {}); } });
  if (!made) return;
  const fresh = made.persons.filter((each) => each.created).length;
  const known = made.persons.length - fresh;
  area.value = made.refused.map((each) => each.name).join("\n");
  said(tn("{n} name is new.", "{n} names are new.", fresh), known && tn("{n} was there already.", "{n} were there already.", known),
    made.refused.length && tn("{n} cannot be a name and stays in the field:", "{n} cannot be names and stay in the field:", made.refused.length), made.refused[0]?.reason);
  await showNames();
};
const said = (...texts) => { one("#names-said").textContent = texts.filter(Boolean).join(" "); };
const showNames = async () => {
  forgetNames(); // a job may have read names meanwhile
  const list = await names().catch(() => []);
  const badge = one("#names-count");
  badge.hidden = !list.length;
  badge.textContent = tn("{n} name", "{n} names", list.length);
};
one("#keep-names").addEventListener("click", keep);
one("#read-names").addEventListener("click", () => post("/metadata/read").then(() => said(t("Names are being read from the photos; see Jobs."))).catch((problem) => failed(problem, () => one("#read-names").click())));
one("#import").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  try {
    const done = await send("/import", file, "application/x-ndjson");
    said(t("{persons} people and {faces} faces taken over.", { persons: done.persons_new, faces: done.matched }));
    await showNames();
  } catch (problem) { failed(problem, () => {}); }
});

onChange((what) => { if (what !== "decided") { said(""); showNames(); } });

await load();
drawFound();
showNames();
for (const state of ["paused", "running"]) get(`/jobs?state=${state}&limit=10`).then((page) => { job = page.items.find((one) => one.kind === "detect_faces") ?? job; if (job && counts) draw(); }).catch(() => {});
