// Decides: shows a decision at once, says what was done, takes it back when the server refuses or the reader asks.
import { crop, el, fill, link, notice, one } from "./dom.js";
import { forgetNames, post } from "./api.js";
import { keys } from "./keys.js";
import { faces as faceCount, rich, richn, t } from "./words.js";

const STORE = "undo";
const MOST = 50;
/** A line that another page left is shown so many milliseconds long. */
const FRESH = 60_000;

/** @returns {{ids: number[], says: any[], faces: string[], at: number}[]} */
const stack = () => { try { return JSON.parse(sessionStorage.getItem(STORE)) ?? []; } catch { return []; } };
const save = (entries) => { try { sessionStorage.setItem(STORE, JSON.stringify(entries.slice(-MOST))); } catch { /* a private window */ } };

const listeners = new Set();
/** Tells `run` whenever something was decided here, taken back or done again: with "decided", "undone" or "redone". */
export const onChange = (run) => { listeners.add(run); return () => listeners.delete(run); };
const changed = (what, entry) => { for (const run of [...listeners]) run(what, entry); };

/** What was said, as nodes: [text, values], or [text for one, text for several, number, values]. */
const sentence = (says) => (typeof says[1] === "string" ? richn(...says) : rich(...says));

/**
 * Sends a decision. `apply` shows it at once; `revert` takes that back if the server refuses; `done` gets what the server made of it.
 * @param {{kind: string, body: object, says: any[] | ((made: any) => any[]), faces?: string[], apply?: () => void, done?: (made: any) => void,
 *   revert?: (problem: Error) => void, stale?: (problem: any, again: (body: object) => void) => any}} decision
 * @returns {Promise<any>} what the server made of it, null if it refused
 */
export const decide = async (decision) => {
  decision.apply?.();
  hush();
  try {
    const made = await sent(post(`/decisions/${decision.kind}`, decision.body));
    remember(decision, made);
    decision.done?.(made);
    return made;
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    decision.revert?.(problem);
    refused(problem, decision);
    return null;
  }
};

/** Decisions on their way: an undo waits for them. */
const underway = new Set();
const sent = (answer) => { underway.add(answer); answer.finally(() => underway.delete(answer)).catch(() => {}); return answer; };

/** Decisions about people; any other decision changes the list of names when it gives one. */
const ABOUT_PEOPLE = new Set(["create-persons", "delete-person", "hide-person", "merge-persons", "rename-person", "set-cover-face", "set-note"]);

const remember = (decision, made) => {
  if (ABOUT_PEOPLE.has(decision.kind) || "name" in decision.body) forgetNames();
  const says = typeof decision.says === "function" ? decision.says(made) : decision.says;
  const ids = made.decision_id ? [made.decision_id] : [];
  note({ ids, says, faces: (decision.faces ?? []).slice(0, 3), at: Date.now() });
};

/** Puts something that was decided on the undo line, and where Ctrl+Z finds it. */
export const note = (entry, what = "decided") => {
  if (entry.ids.length) save([...stack(), entry]);
  line(entry.faces, sentence(entry.says), entry.ids.length ? [t("Undo"), undoLast] : null);
  changed(what, entry);
};

const refused = (problem, decision) => {
  if (problem.away) say(unsaved(problem, decision));
  else if (problem.body.candidates) say(whichOne(problem, (more) => again(decision, more), { same: "name" in decision.body && !("person_id" in decision.body) }));
  else if (problem.stale) say(overtaken(problem, decision));
  else if (problem.status === 404) say(notice("care", "people", [el("strong", {}, t("Somebody was quicker.")), " ", t("What this was about is not there any more, or has a name by now.")], act(t("Look again"), () => location.reload())));
  else say(notice("bad", "warning", [el("strong", {}, problem.message), " ", problem.hint]));
};

/** Somebody has the name: one button for each of them, and one for another person of that name. */
export const whichOne = (problem, go, { same = false } = {}) => {
  const { candidates } = problem.body;
  const [{ name }] = candidates;
  const words = (one) => [one.name, one.note, faceCount(one.faces)].filter(Boolean).join(" · ");
  return notice("care", "people", [el("strong", {}, t("Somebody is called {name} already.", { name })), " ", same ? t("Who is meant?") : candidates.map((one) => link(words(one), `/people/${one.id}`))],
    ...(same ? candidates.map((one) => act(words(one), () => go({ same: one.id }), "primary")) : []),
    act(t("Another {name}", { name }), () => go({ another: true })));
};

const again = (decision, more = {}) => decide({ ...decision, body: { ...decision.body, ...more } });

const unsaved = (problem, decision) => notice("bad", "warning",
  [el("strong", {}, t("Not saved: the service does not answer.")), " ", t("Your answer is kept here.")],
  act(t("Try again"), () => again(decision)));

/** Somebody was quicker: the answer stays, and can be given to what there is now. */
const overtaken = (problem, decision) => {
  const own = decision.stale?.(problem, (more) => again(decision, more));
  if (own) return own;
  const now = fresh(decision.body, problem.body);
  return notice("care", "people", [el("strong", {}, problem.message), " ", t("Your answer is kept here.")],
    now && act(anyway(problem.body), () => again(decision, now), "primary"),
    act(t("Look again"), () => location.reload()));
};

const anyway = (body) => (body.current_size ? t("Name all {n}", { n: body.current_size }) : t("Say it all the same"));

/** The same answer on what there is now; null where no version was at fault. */
const fresh = (body, said) => {
  if ("version" in body) return { version: said.current_version ?? null };
  if ("versions" in body) return { versions: [] };
  if ("based_on_decision" in body) return { based_on_decision: null };
  return null;
};

const act = (label, run, look = "") => el("button", { type: "button", class: `button ${look}`.trim(), on: { click: run } }, label);

/** Shows a notice above the screen, in place of the last one. */
export const say = (node) => { fill(one("#notices"), node); node.scrollIntoView({ block: "nearest" }); };
export const hush = () => fill(one("#notices"));

/** Shows what went wrong while something was fetched, with a way to try again. */
export const failed = (problem, retry) => {
  if (problem.name === "AbortError") return;
  if (problem.status === undefined) throw problem;
  say(notice("bad", "warning", [el("strong", {}, problem.message), " ", problem.hint], act(t("Try again"), () => { hush(); retry(); })));
};

const box = one("#undo");
let run = () => {};
if (box) one("button", box).addEventListener("click", () => run());

/** The line at the bottom: faces, what was done, what can be done about it. */
const line = (faces, words, action) => {
  if (!box) return;
  fill(one(".row", box), faces.map((url) => crop(url)));
  fill(one("output", box), words);
  const button = one("button", box);
  button.hidden = !action;
  if (action) { one("span", button).textContent = action[0]; run = action[1]; }
  one("kbd", button).hidden = !action || action[1] !== undoLast;
  box.hidden = false;
};
let busy = false;
/** Takes the last decision back, then the one before. */
export const undoLast = () => takeBack();
const takeBack = async (way = "") => {
  await Promise.allSettled([...underway]);
  await null;
  const entries = stack();
  const entry = entries.pop();
  if (!entry) { line([], [t("There is nothing to undo here. The history has everything.")], null); return; }
  if (busy) return;
  busy = true;
  try {
    const undone = [];
    for (const id of [...entry.ids].reverse()) undone.push((await post(`/decisions/${id}/undo${way}`)).decision_id);
    save(entries);
    takenBack(entry, undone.filter(Boolean));
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (problem.body.candidates) say(whichOne(problem, () => { hush(); takeBack("?another=true"); }));
    else say(notice(problem.away ? "bad" : "care", "warning", [el("strong", {}, problem.message), " ", problem.hint], link(t("History"), "/history")));
  } finally { busy = false; }
};

const takenBack = (entry, undone) => {
  forgetNames();
  line(entry.faces, [t("Taken back:"), " ", ...sentence(entry.says)], undone.length ? [t("Do it again"), () => redo(entry, undone)] : null);
  changed("undone", entry);
};

const redo = async (entry, undone) => {
  try {
    const ids = [];
    for (const id of [...undone].reverse()) ids.push((await post(`/decisions/${id}/undo`)).decision_id);
    forgetNames();
    note({ ...entry, ids: ids.filter(Boolean), at: Date.now() }, "redone");
  } catch (problem) { if (problem.status === undefined) throw problem; refused(problem, { body: {} }); }
};

keys("undo", [{ keys: ["Control+z"], label: t("Undo, again and again"), run: undoLast }]);

const last = stack().at(-1);
if (last && Date.now() - last.at < FRESH) line(last.faces, sentence(last.says), [t("Undo"), undoLast]);
