// One photo: as large as it goes, its faces in boxes with names, named by keyboard from left to right.
import { rooted } from "./address.js";
import { all, crop, el, fill, hundredths, icon, link, notice, one, pictureUrl, round } from "./dom.js";
import { get, names } from "./api.js";
import { decide, failed, onChange, say } from "./decide.js";
import { BoxDrawing } from "./drawing.js";
import { keys } from "./keys.js";
import { NameField, noted, whoIs } from "./names.js";
import { PhotoOrder } from "./photo-order.js";
import { LARGEST, photoZoom } from "./photo-zoom.js";
import { date, s, short, t, tn, weekday } from "./words.js";
import "./frame.js";

const id = location.pathname.split("/").pop();
const address = new URLSearchParams(location.search);
const view = one("#view");
const canvas = one("#canvas");
const list = one("#in-photo");
const order = new PhotoOrder(id, address, one("#before"), one("#after"));
let photo = null;
let faces = [];
let unseen = [];
let current = null;
let field = null;

const load = async () => {
  try {
    ({ photo, faces, people_without_face: unseen } = await get(`/assets/${id}/faces`));
    const wanted = address.get("face") ?? current;
    current = (faces.find((face) => face.id === wanted) ?? faces.find((face) => !face.person_id) ?? faces[0])?.id ?? null;
    draw();
  } catch (problem) {
    if (problem.status === 404) say(notice("care", "photos", el("strong", {}, t("There is no such photo.")), link(t("Photos"), "/photos")));
    else failed(problem, load);
  }
};

const draw = () => {
  drawPicture();
  drawBoxes();
  drawList();
  drawFacts();
  for (const node of [canvas, list]) node.removeAttribute("aria-busy");
};

/** The picture, from the original; the small copy where its drive is away. */
const drawPicture = () => {
  if (one("img", canvas)) return;
  const size = Math.max(innerWidth, innerHeight) * devicePixelRatio > 1700 ? LARGEST : 1600;
  const ratio = photo.width && photo.height ? photo.width / photo.height : 4 / 3;
  canvas.style.aspectRatio = String(ratio);
  view.style.setProperty("--ratio", String(ratio));
  const picture = el("img", { src: pictureUrl(id, size), alt: [date(photo.taken_at), tn("{n} face", "{n} faces", faces.length)].join(", "), width: photo.width ?? 1600, height: photo.height ?? 1200 });
  picture.addEventListener("error", () => {
    picture.src = rooted(photo.thumbnail_url);
    say(notice("quiet", "photos", [el("strong", {}, t("The photo cannot be read: perhaps its drive is away.")), " ", t("You see the small picture.")]));
  }, { once: true });
  canvas.prepend(picture);
};

const kindOf = (face) => (face.person_id ? (face.assigned_by === "human" ? "human" : "machine") : "unknown");
const said = (face) => ({ human: t("said by a person"), machine: t("found by the machine"), unknown: t("Unknown face") })[kindOf(face)];
const label = (face) => [face.person_name, said(face), face.by_hand && t("drawn by hand")].filter(Boolean).join(", ");
const badge = (face) => {
  if (kindOf(face) === "human") return [icon("tick"), short(face.person_name)];
  return kindOf(face) === "machine" ? el("span", {}, short(face.person_name), el("span", { class: "word" }, t(", probably"))) : t("Who is this?");
};

const drawBoxes = () => {
  for (const box of all(".box", canvas)) box.remove();
  for (const face of faces) {
    const box = el("button", { type: "button", class: `box ${kindOf(face)} ${face.by_hand ? "by-hand " : ""}set`, "aria-label": label(face), "aria-current": face.id === current ? "true" : null, data: { face: face.id },
      on: { click: () => choose(face.id, true), focus: () => choose(face.id) } }, face.by_hand && el("i", { class: "drawn" }, icon("pen")), el("span", {}, badge(face)));
    const place = hundredths(face);
    Object.assign(box.style, { left: `${place.x}%`, top: `${place.y}%`, width: `${place.width}%`, height: `${place.height}%` });
    canvas.append(box);
  }
};

const drawList = () => {
  fill(list, faces.map(line), faces.length === 0 && el("li", { class: "soft" }, t("No face was found in this photo.")),
    unseen.length > 0 && el("li", { class: "soft" }, el("span", {}, t("Also named in its file: {names}", { names: unseen.map((person) => person.person_name).join(", ") }))));
  const unknown = faces.filter((face) => !face.person_id);
  one("#strangers").hidden = unknown.length === 0;
};

const origin = (face) => {
  if (face.adding) return t("A moment…");
  return { human: t("Said by a person"), machine: t("The machine"), unknown: face.by_hand ? t("Drawn by hand") : "" }[kindOf(face)];
};

const line = (face) => el("li", { "aria-current": face.id === current ? "true" : null, data: { face: face.id } }, crop(face.crop_url),
  el("div", { class: "what" }, face.person_id ? el("a", { href: `/people/${face.person_id}` }, el("strong", {}, face.person_name)) : el("button", { type: "button", class: "plain", on: { click: () => choose(face.id, true) } }, el("strong", {}, t("Who is this?"))),
    el("span", { class: "small" }, origin(face)),
    face.person_id && noted(face.person_id)),
  answers(face),
  face.id === current && (field = naming(face)).element);

const answers = (face) => el("div", { class: "buttons" },
  kindOf(face) === "machine" && round("tick", t("Yes, it is {name}", { name: face.person_name }), () => confirm(face)),
  face.person_id && round("pen", t("Change {name}", { name: face.person_name }), () => choose(face.id, true)),
  face.by_hand && !face.adding && [round("frame", t("Move the box"), () => moveBox(face)), round("not", t("Remove the box"), () => noFace(face))],
  !face.by_hand && !face.person_id && round("not", t("No face"), () => noFace(face)));

/** A name field for the current face, with whom it resembles. */
const naming = (face) => {
  const made = new NameField({ label: t("Name of this face"), choose: (choice) => name(face, choice) });
  if (!face.adding) propose(made, face);
  return made;
};
const propose = (into, face) => Promise.all([get(`/faces/${face.id}/suggestions`), names()]).then(([found, known]) => {
  const covers = new Map(known.map((person) => [person.id, person]));
  into.propose(found.suggestions.map((one) => ({ ...one, name: one.person_name, ...pick(covers.get(one.person_id)) })));
}).catch(() => {});
const pick = (person) => (person ? { cover_url: person.cover_url, faces: person.faces, note: person.note } : {});

const drawFacts = () => {
  const path = photo.path ?? "";
  fill(one("#when"), date(photo.taken_at));
  const whole = [weekday(photo.taken_at), order.words].filter(Boolean);
  fill(one("#where"), whole.join(" · "));
  const facts = [[t("Folder"), path.split("/").slice(0, -1).join("/")], [t("File"), `${path.split("/").pop()}${photo.width ? `, ${photo.width} × ${photo.height}` : ""}`]];
  fill(one("#facts"), facts.filter(([, value]) => value).map(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
};

/** Makes a face the current one; `type` goes into its name field. */
const choose = (face, type = false) => {
  if (face !== current) {
    current = face;
    for (const box of all(".box", canvas)) if (box.dataset.face === face) box.setAttribute("aria-current", "true"); else box.removeAttribute("aria-current");
    drawList();
    if (matchMedia("(min-width: 60.01rem)").matches) one("[aria-current]", list)?.scrollIntoView({ block: "nearest" }); // else the page itself would scroll
  }
  const box = boxOf(face);
  if (box) zoom.reveal(box);
  if (type) field?.focus();
};

const boxOf = (face) => all(".box", canvas).find((box) => box.dataset.face === face);
/** The next face without a name, from left to right; else the photo stays. */
const goOn = (face) => {
  const from = faces.indexOf(face);
  const next = [...faces.slice(from + 1), ...faces.slice(0, from)].find((one) => !one.person_id);
  current = next?.id ?? face.id;
  drawBoxes();
  drawList();
  boxOf(current)?.focus({ preventScroll: true });
};

const act = (face, change, decision) => {
  const before = { ...face };
  return decide({ ...decision, faces: [face.crop_url], apply: () => { Object.assign(face, change); goOn(face); }, revert: () => { Object.assign(face, before); drawBoxes(); drawList(); } });
};

/** What is said of a face that is being added or moved waits: until the service knows it, or refuses it (false). */
const known = (face) => face.adding ?? true;
const wait = (face) => { face.adding = new Promise((resolve) => { face.settle = resolve; }); };
const waited = (face, isKnown) => { const { settle } = face; face.adding = null; settle(isKnown); };

const name = async (face, choice) => {
  if (!await known(face)) return;
  const says = s("{n} face is {name} now", "{n} faces are {name} now", 1, { name: choice.name });
  const body = choice.person_id ? { kind: "assign", body: { face_ids: [face.id], person_id: choice.person_id } } : { kind: "split", body: { face_ids: [face.id], ...whoIs(choice) } };
  const made = await act(face, { person_id: choice.person_id ?? "new", person_name: choice.name, assigned_by: "human" }, { ...body, says });
  if (made?.person_id) { face.person_id = made.person_id; drawList(); }
};
const confirm = async (face) => await known(face) && act(face, { assigned_by: "human" }, { kind: "assign", body: { face_ids: [face.id], person_id: face.person_id }, says: s("{n} face is {name} now", "{n} faces are {name} now", 1, { name: face.person_name }) });

const noFace = async (face) => {
  if (!await known(face)) return;
  const at = faces.indexOf(face);
  const said = face.by_hand ? { kind: "remove-face", body: { face_id: face.id }, says: s("A box was removed") } : { kind: "not-a-face", body: { face_ids: [face.id] }, says: s("{n} is no face", "{n} are no faces", 1) };
  decide({ ...said, faces: [face.crop_url],
    apply: () => { faces.splice(at, 1); current = (faces[at] ?? faces[at - 1])?.id ?? null; drawBoxes(); drawList(); boxOf(current)?.focus({ preventScroll: true }); },
    revert: () => { faces.splice(at, 0, face); drawBoxes(); drawList(); } });
};

const zoom = photoZoom(view, canvas, { photo: () => photo, held: () => drawing.on });
const drawing = new BoxDrawing(canvas, one("#drawing"), {
  size: () => ({ width: photo.width ?? 1600, height: photo.height ?? 1200 }),
  seen: () => zoom.seen,
  fresh: (box) => addFace(box),
  held: () => zoom.on,
  shown: (draft) => zoom.reveal(draft),
  ended: () => { one("#add").setAttribute("aria-pressed", "false"); for (const box of all(".box.moving", canvas)) box.classList.remove("moving"); },
});
const beginToDraw = () => {
  if (!photo || drawing.on) return false;
  one("#add").setAttribute("aria-pressed", "true");
  drawing.begin(addFace);
  return true;
};
one("#add").addEventListener("click", () => (drawing.on ? drawing.end() : beginToDraw()));
const numbers = (box) => [box.x, box.y, box.width, box.height];

/** A face is made of the box; its name can be typed while it is, and goes to it then. */
const addFace = (box) => {
  const before = current;
  const face = { id: "new", by_hand: true, person_id: null, assigned_by: null, box, photo_width: 1, photo_height: 1 };
  decide({
    kind: "add-face", body: { asset_id: id, box: numbers(box) }, says: s("A face was added"),
    apply: () => { wait(face); faces.push(face); current = face.id; drawBoxes(); drawList(); field.focus(); field.element.scrollIntoView({ block: "nearest" }); },
    done: (made) => added(face, made.face_id),
    revert: () => { waited(face, false); faces.splice(faces.indexOf(face), 1); current = before; drawBoxes(); drawList(); },
  });
};
/** The service knows the face, by the id `made`. */
const added = (face, made) => {
  const line = all("li", list).find((one) => one.dataset.face === face.id);
  const box = boxOf(face.id);
  const typing = current === face.id;
  Object.assign(face, { id: made, crop_url: `/api/v1/faces/${made}/crop` });
  waited(face, true);
  if (box) box.dataset.face = made;
  if (!typing) { drawList(); return; }
  current = made; // the field stays as it is: somebody is typing in it
  line.dataset.face = made;
  one("img", line).src = face.crop_url;
  one(".what .small", line).textContent = origin(face);
  one(".buttons", line).replaceWith(answers(face));
  propose(field, face);
};

const moveBox = (face) => {
  if (!face?.by_hand || face.adding) return false;
  const place = hundredths(face);
  const box = Object.fromEntries(Object.entries(place).map(([side, share]) => [side, share / 100]));
  boxOf(face.id)?.classList.add("moving");
  drawing.begin((to) => putBox(face, to), box);
  return true;
};
/** The box is at its new place at once. The service makes a new face there, which takes over what people said of this one. */
const putBox = (face, to) => {
  const before = { ...face };
  const forgotten = kindOf(face) === "machine" ? { person_id: null, person_name: null, assigned_by: null } : {};
  decide({
    kind: "move-face", body: { face_id: face.id, box: numbers(to) }, says: s("A box was moved"), faces: [face.crop_url],
    apply: () => {
      wait(face);
      Object.assign(face, forgotten, { box: to, photo_width: 1, photo_height: 1 });
      faces.sort((one, other) => hundredths(one).x - hundredths(other).x);
      current = face.id;
      drawBoxes(); drawList(); boxOf(face.id).focus({ preventScroll: true });
    },
    done: (made) => { address.delete("face"); added(face, made.face_id); },
    revert: () => { waited(face, false); Object.assign(face, before); drawBoxes(); drawList(); },
  });
};

const strangers = () => {
  const unknown = faces.filter((face) => !face.person_id && !face.adding);
  if (!unknown.length) return false;
  decide({ kind: "set-aside", body: { cluster_ids: [], versions: [], face_ids: unknown.map((face) => face.id), aside: true }, says: s("{n} face set aside", "{n} faces set aside", unknown.length), faces: unknown.map((face) => face.crop_url) });
  return true;
};
one("#strangers").addEventListener("click", strangers);

const boxes = one("#boxes");
const toggleBoxes = () => boxes.setAttribute("aria-pressed", String(document.body.classList.toggle("boxes-off")));
boxes.addEventListener("click", toggleBoxes);

const go = (selector) => order.go(one(selector));

const now = () => faces.find((face) => face.id === current);
const rtl = document.dir === "rtl";
keys("screen", [
  { keys: [], caps: ["Tab"], label: t("Next face, left to right"), run: () => false },
  { keys: [], caps: ["A", "–", "Z"], label: t("Name the focused face"), run: () => false },
  { keys: ["1", "2", "3", "4", "5"], label: t("Take a proposal"), run: (event) => Boolean(field && !field.input.value && field.take(Number(event.key) - 1)) },
  { keys: ["d"], label: t("Add a face: draw its box"), run: beginToDraw },
  { keys: ["m"], label: t("Move a box that was drawn by hand"), run: () => moveBox(now()) },
  { keys: ["Delete"], label: t("No face"), run: () => (now() ? noFace(now()) : false) },
  { keys: ["b"], label: t("Boxes on and off (not on a face)"), run: () => (document.activeElement?.matches(".box") ? (field?.focus(), false) : toggleBoxes()) },
  { keys: ["0"], label: t("The others are strangers"), run: () => (zoom.on ? zoom.reset() : strangers()) },
  { keys: ["ArrowLeft"], caps: ["ArrowLeft", "ArrowRight"], label: t("Previous and next photo"), run: () => (zoom.on ? zoom.shift(-1, 0) : go(rtl ? "#after" : "#before")) },
  { keys: ["ArrowRight"], hidden: true, label: "", run: () => (zoom.on ? zoom.shift(1, 0) : go(rtl ? "#before" : "#after")) },
  { keys: ["+", "="], caps: ["+"], label: t("Larger"), run: () => zoom.in() },
  { keys: ["-"], caps: ["−"], label: t("Smaller"), run: () => zoom.out() },
  { keys: [], caps: ["0"], label: t("While it is larger: the whole photo again"), run: () => false },
  { keys: ["ArrowUp"], caps: ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"], label: t("While it is larger: look around"), run: () => zoom.on && zoom.shift(0, -1) },
  { keys: ["ArrowDown"], hidden: true, label: "", run: () => zoom.on && zoom.shift(0, 1) },
  { keys: [], match: (event) => /^\p{L}$/u.test(event.key) && document.activeElement?.matches(".box"), hidden: true, label: "", run: () => { field?.focus(); return false; } },
]);
// On a box, letters name the face; Enter confirms the machine or begins a name.
canvas.addEventListener("keydown", (event) => {
  if (!event.target.matches(".box") || event.key !== "Enter" || event.repeat) return;
  event.preventDefault();
  const face = now();
  if (kindOf(face) === "machine") confirm(face); else field.focus();
});
onChange((what) => { if (what !== "decided") load(); });
load().then(() => order.look()).then(() => { if (photo) drawFacts(); });
