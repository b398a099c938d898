// Review: one question after another, the next ones fetched ahead, answers shown before the server has them.
import { rooted } from "./address.js";
import { all, el, empty, fill, link, one, pictureUrl, sized } from "./dom.js";
import { get, library, post, query } from "./api.js";
import { decide, failed, hush, onChange } from "./decide.js";
import { keys } from "./keys.js";
import { gridQuestion } from "./review-grid.js";
import { birthQuestion, pairQuestion } from "./review-pair.js";
import { whoQuestion } from "./review-who.js";
import { rich, t, tn } from "./words.js";
import "./frame.js";

const KINDS = { who: whoQuestion, is_this: whoQuestion, tick_off: gridQuestion, set_aside: gridQuestion, two_people: pairQuestion, birth_date: birthQuestion };
/** So many answers are told to the server, so that it does not ask the same again in one sitting. */
const REMEMBERED = 100;
const AHEAD = 2;

const place = one("#question");
const answers = one("#answers");
const queue = [];
const seen = [];
const answered = new Map();
let current = null;
let progress = null;
let fetching = null;
let saying = Promise.resolve();
const began = { at: Date.now(), named: null };

/** Fetches questions until two wait behind the one that is shown, and their pictures. */
const fetchAhead = () => {
  if (fetching || queue.length >= AHEAD) return fetching;
  const known = [...seen, ...queue.map((each) => each.id), ...(current ? [current.id] : [])];
  fetching = get(`/review/next${query({ limit: AHEAD + 1, seen: known.slice(-REMEMBERED) })}`)
    .then((answer) => { fetching = null; take(answer); })
    .catch((problem) => { fetching = null; if (!current) failed(problem, show); throw problem; });
  fetching.catch(() => {});
  return fetching;
};

const take = (answer) => {
  progress = answer.progress;
  began.named ??= progress.named;
  const known = new Set([...seen, ...queue.map((each) => each.id), current?.id]);
  const fresh = answer.questions.filter((each) => !known.has(each.id));
  queue.push(...fresh);
  fresh.forEach(warm);
  showProgress();
};

/** Loads a question's pictures before it is shown. */
const warm = (question) => {
  const faces = question.faces ?? question.suggestions ?? question.clusters ?? [...(question.left?.faces ?? []), ...(question.right?.faces ?? [])];
  const urls = faces.map((face) => face.crop_url);
  if (question.kind === "who" || question.kind === "is_this") { urls[0] = sized(urls[0], 512); urls.push(pictureUrl(faces[0].asset_id, 640)); }
  for (const url of urls) if (url) new Image().src = rooted(url);
};

/** The question that comes next, at once if it was fetched ahead. */
const next = () => { current = null; return show(); };

const show = async () => {
  if (!queue.length && !(await wait())) return;
  if (current) return; // an undo has brought a question back meanwhile
  current = queue.shift() ?? null;
  if (current) draw(current); else await drawEmpty();
  fetchAhead();
};

/** Waits for questions; what is on its way may have been asked before the last answer, so it asks once more. */
const wait = async () => {
  place.setAttribute("aria-busy", "true");
  if (place.contains(document.activeElement)) document.activeElement.blur(); // a field of the last question would keep Ctrl+Z
  await saying;
  try {
    if (fetching) await fetching;
    if (!queue.length) await fetchAhead();
    return true;
  } catch { return false; }
};

const draw = (question) => {
  const shown = KINDS[question.kind](question, desk(question));
  fill(place, shown.element);
  place.removeAttribute("aria-busy");
  fill(answers, shown.answers);
  keys("question", shown.keys);
  document.title = `${shown.title} – image-search-service`;
  showProgress();
  scrollTo(0, 0);
  shown.begin?.();
};

/** What a question may do. */
const desk = (question) => ({
  /** Gives an answer and goes on; if it is refused, the question comes back. */
  answer: (decision) => {
    if (current !== question) return null;
    const done = (made) => { if (made) remember(question, [made].flat()); };
    const said = decide({ ...decision, apply: () => { pass(question); next(); }, revert: () => back(question) });
    saying = said.then(done);
    return saying;
  },
  skip: () => {
    if (current !== question) return;
    pass(question);
    saying = post("/review/skip", { question_id: question.id }).catch(() => {});
    next();
  },
  progress: () => evening,
});

const pass = (question) => { if (!seen.includes(question.id)) seen.push(question.id); };

const remember = (question, made) => {
  for (const each of made) if (each.decision_id) answered.set(each.decision_id, question);
  const named = made.reduce((sum, each) => sum + (["who", "is_this", "tick_off"].includes(question.kind) ? each.faces ?? 0 : 0), 0);
  if (progress) progress.named = Math.min(progress.faces, progress.named + named);
  showProgress();
};

/** Shows a question again, before the one that is there now. */
const back = (question) => {
  const at = seen.indexOf(question.id);
  if (at >= 0) seen.splice(at, 1);
  if (current && current.id !== question.id) queue.unshift(current);
  current = question;
  draw(question);
};

onChange((what, entry) => {
  if (what !== "undone") return;
  const question = entry.ids.map((id) => answered.get(id)).find(Boolean);
  if (question) { hush(); back(question); }
});

/** How far it is: faces named, and how many a minute. */
const evening = el("div", { class: "evening" });
const showProgress = () => {
  if (!progress) return;
  const minutes = (Date.now() - began.at) / 60_000;
  const fresh = progress.named - (began.named ?? progress.named);
  fill(evening, el("div", {}, el("span", {}, rich("{name} faces named", { name: t("{named} of {faces}", progress) })),
    minutes > 0.5 && fresh > 0 && el("span", {}, tn("{n} a minute", "{n} a minute", Math.round(fresh / minutes)))),
  el("progress", { value: progress.named, max: Math.max(1, progress.faces), "aria-label": t("Faces named") }));
  for (const node of all("[data-progress]")) if (node !== evening.parentNode) node.append(evening);
};

const drawEmpty = async () => {
  keys("question", []);
  fill(answers);
  place.removeAttribute("aria-busy");
  const counts = await library({ fresh: true }).catch(() => null);
  if (current) return;
  if (counts && !counts.has_photos) { location.replace(rooted("/welcome")); return; }
  const words = counts ? t("{named} of {faces} faces have a name.", { named: counts.named_faces, faces: counts.faces }) : "";
  const rest = counts ? ` ${tn("The rest are {n} small group", "The rest are {n} groups", counts.clusters)}, ${tn("{n} face is alone.", "{n} faces are alone.", counts.alone_faces)}` : "";
  fill(place, empty("tick", t("Nothing to ask for now"), words + (counts && counts.clusters + counts.alone_faces ? rest : ""),
    link(t("Look through the groups"), "/groups", "primary"), link(t("Faces alone"), "/alone"), link(t("People"), "/people")));
  const heading = one("h2", place);
  heading.replaceWith(el("h1", {}, heading.textContent));
};

show();
