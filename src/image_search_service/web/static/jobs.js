// Jobs: what runs, how far it is, what it found, what failed and what to do.
import { button, el, empty, fill, icon, link, one } from "./dom.js";
import { get, post } from "./api.js";
import { failed } from "./decide.js";
import { jobTitle, progressWords, resultWords } from "./job-words.js";
import { onEvent } from "./stream.js";
import { clock, day, t } from "./words.js";
import "./frame.js";

const place = one("#jobs");
const jobs = new Map();
const ACTIVE = ["queued", "running", "paused"];
const SYMBOLS = { queued: "pause", running: "jobs", paused: "pause", succeeded: "tick", failed: "warning", cancelled: "cross" };

const load = async () => {
  try {
    for (const job of (await get("/jobs?limit=40")).items) jobs.set(job.id, job);
    draw();
  } catch (problem) { failed(problem, load); }
  finally { place.removeAttribute("aria-busy"); }
};

const draw = () => {
  const sorted = [...jobs.values()].sort((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, 45);
  const [running, before] = [sorted.filter((job) => ACTIVE.includes(job.state)), sorted.filter((job) => !ACTIVE.includes(job.state))];
  if (!sorted.length) { fill(place, empty("jobs", t("Nothing runs"), t("Reading photos and looking for faces appear here."), link(t("Choose a folder"), "/welcome", "primary"))); return; }
  const list = (title, some) => some.length > 0 && el("section", {}, el("h2", {}, title), el("ol", { class: "entries" }, some.map(line)));
  fill(place, list(t("Running"), running), list(t("Before"), before));
};

const look = (state) => ({ running: "runs", failed: "failed" })[state] ?? "";
const line = (job) => {
  const title = jobTitle(job);
  const bar = job.state === "running" && el("progress", { value: job.total ? job.done : null, max: job.total ?? null, "aria-label": title });
  return el("li", { class: `job ${look(job.state)}`, data: { job: job.id } }, el("span", { class: "state" }, icon(SYMBOLS[job.state])),
    el("div", { class: "body" }, el("h3", {}, title), el("p", {}, words(job))), action(job), bar);
};
const words = (job) => {
  if (job.state === "running") return progressWords(job);
  if (job.state === "queued") return t("waits for its turn");
  if (job.state === "paused") return job.total ? t("paused at {done} of {total}", { done: job.done, total: job.total }) : t("paused");
  const when = job.finished_at ? `${day(job.finished_at)}, ${clock(job.finished_at)}` : "";
  if (job.state === "failed") return `${job.error ?? ""} ${when}`;
  return [job.state === "cancelled" ? t("cancelled") : resultWords(job), when].filter(Boolean).join(" · ");
};
const DAY = 86_400_000; // how long the service keeps a backup
const hasFile = (job) => job.kind === "write_backup" && job.state === "succeeded" && Date.now() - new Date(job.finished_at) < DAY
  && ![...jobs.values()].some((other) => other.kind === job.kind && other.state === job.state && other.parameters.pictures === job.parameters.pictures && other.finished_at > job.finished_at);
const action = (job) => {
  if (hasFile(job)) return link(t("Download the backup"), `/api/v1/backup?pictures=${job.parameters.pictures}`);
  if (!ACTIVE.includes(job.state)) return null;
  if (job.cancel_requested) return el("span", { class: "small soft" }, t("stops at its next step"));
  const title = jobTitle(job);
  const ask = (verb, text, label) => button(text, () => post(`/jobs/${job.id}/${verb}`).then(update).catch((problem) => failed(problem, load)), { "aria-label": label });
  const pause = job.state === "paused" || job.pause_requested ? ask("resume", t("Go on"), t("Go on: {title}", { title })) : ask("pause", t("Pause"), t("Pause: {title}", { title }));
  return el("div", { class: "buttons" }, pause, ask("cancel", t("Cancel"), t("Cancel: {title}", { title })));
};

const update = (job) => { jobs.set(job.id, job); draw(); };
const backUp = () => post("/backup").then(update).catch((problem) => failed(problem, backUp));
one("#back-up").addEventListener("click", backUp);
onEvent("job", update);
load();
