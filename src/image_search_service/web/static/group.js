// One group: all its faces, who it may be, and what does not belong.
import { openPage } from "./address.js";
import { button, el, empty, fill, link, one } from "./dom.js";
import { get } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { byCursor, dropFrom, faceActions, faceName, openPhoto } from "./faces-page.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { NameField, whoIs } from "./names.js";
import { ActionBar, faceTile, faceWidth } from "./tiles.js";
import { date, faces, month, s, span, t, tn } from "./words.js";
import "./frame.js";

const id = location.pathname.split("/").pop();
let group = null;

const fetchPage = async (cursor) => {
  const answer = await get(`/faces/clusters/${id}?limit=120${cursor ? `&cursor=${cursor}` : ""}`);
  group = answer.cluster;
  return answer.faces;
};

const head = () => {
  fill(one("#title"), t("Who is this?"));
  fill(one("#lead"), [faces(group.size), span(group.first_year, group.last_year)].filter(Boolean).join(", "));
};

const grid = new Grid(one("#faces"), {
  label: t("Faces of this group"), select: true, load: byCursor(fetchPage), width: faceWidth, open: openPhoto, changed: () => bar.update(), loaded: () => head(),
  tile: (face) => faceTile(face.crop_url, face.taken_at && month(face.taken_at)), name: (face, at) => faceName(face, at, group.size, [date(face.taken_at)]),
  empty: () => empty("groups", t("This group is gone"), t("Its faces have a name by now, or are in another group."), link(t("Groups"), "/groups", "primary")),
  failed: (problem) => (problem.status === 404 ? gone() : failed(problem, () => grid.load())),
});
const gone = () => { grid.total = 0; grid.items = []; fill(one("#name-this")); grid.measure(); };

const leave = () => openPage("/groups");
const whole = (decision) => decide({ ...decision, faces: (group.faces ?? grid.items.slice(0, 3)).map((face) => face.crop_url) }).then((made) => { if (made) leave(); });
const field = new NameField({
  label: t("Name of this group"), choose: (choice) => whole({ kind: "name-clusters", body: { cluster_ids: [id], versions: [group.version], ...whoIs(choice) },
    says: (made) => s("{n} face is {name} now", "{n} faces are {name} now", made.faces ?? group.size, { name: choice.name }) }),
});
fill(one("#name-this"), field.element, el("div", { class: "buttons" }, button(t("Set aside"), () => whole({ kind: "set-aside", body: { cluster_ids: [id], versions: [group.version], face_ids: [], aside: true },
  says: s("{n} face set aside", "{n} faces set aside", group.size) }))));

const act = faceActions((items) => dropFrom(grid, items), () => grid.load({ stay: true }));
const bar = new ActionBar(grid, (n) => tn("{n} face", "{n} faces", n), [
  { label: t("Somebody else"), key: ["M", "M"], symbol: "person", run: (items) => { act.name(items); } },
  { label: t("Own group"), key: ["G", "G"], symbol: "groups", run: (items) => { act.ownGroup(items); } },
  { label: t("No face"), key: ["Delete", t("Del")], symbol: "not", run: (items) => { act.notFaces(items); } },
  { label: t("Set aside"), key: ["0", "0"], symbol: "aside", run: (items) => { act.aside(items); } },
  { label: t("Photo"), key: ["O", "O"], symbol: "photos", run: ([face]) => openPhoto(face), only: (items) => items.length === 1 },
]);
keys("screen", [
  { keys: ["n"], label: t("Name this group"), run: () => field.focus() },
  { keys: [], caps: ["Enter"], label: t("On a face: its photo"), run: () => false },
  ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({ keys: [key], hidden: true, label: "", run: () => (grid.total ? grid.go(grid.focus) : false) })),
]);
onChange((what) => { if (what !== "decided") grid.load({ stay: true }); });
grid.load();
get(`/faces/clusters/${id}/persons?limit=5`).then((answer) => field.propose(answer.persons)).catch(() => {});
