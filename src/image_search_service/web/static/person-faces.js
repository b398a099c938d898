// A person's faces, by date or the odd ones first, and what can be done with them.
import { el, empty, fill, link } from "./dom.js";
import { get, query } from "./api.js";
import { decide, failed } from "./decide.js";
import { dropFrom, faceActions, faceName, openPhoto } from "./faces-page.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { ActionBar, faceTile, faceWidth } from "./tiles.js";
import { age, date, s, short, t, tn, year } from "./words.js";

export const facesTab = (panel, person, { reload }) => {
  let order = "date";
  const place = el("div", { class: "face-grid", "aria-busy": "true" });
  const odd = el("input", { type: "checkbox", on: { change: () => { order = odd.checked ? "odd" : "date"; grid.reset(); grid.load(); } } });
  fill(panel, el("div", { class: "tools" }, el("p", { class: "chips soft" }, t("Dashed: the machine said so, nobody has looked.")), el("label", { class: "check" }, odd, t("Odd ones first"))), place);

  const caption = (face) => [year(face.taken_at), age(face.age)].filter(Boolean).join(" · ");
  const by = (face) => (face.assigned_by === "machine" ? t("the machine") : t("said by a person"));
  const grid = new Grid(place, {
    label: t("Faces of {name}", { name: person.name }), select: true, width: faceWidth, open: openPhoto, changed: () => bar.update(),
    load: (offset, limit) => get(`/persons/${person.id}/faces${query({ order, offset, limit })}`),
    tile: (face) => { const tile = faceTile(face.crop_url, caption(face)); if (face.assigned_by === "machine") tile.classList.add("by-machine"); return tile; },
    name: (face, at) => faceName(face, at, grid.total, [date(face.taken_at), age(face.age), by(face)]),
    empty: () => empty("person", t("No face yet"), t("Name a group or a face, and it is here."), link(t("Go on naming"), "/review", "primary")),
    failed: (problem) => failed(problem, () => grid.load()),
  });
  const drop = (faces) => { dropFrom(grid, faces); person.faces -= faces.length; };
  const act = faceActions(drop, () => { grid.load({ stay: true }); reload(); });
  const after = (promise) => { promise.then((made) => made && reload()); };
  const single = (items) => items.length === 1;
  const setCover = ([face]) => decide({ kind: "set-cover-face", body: { person_id: person.id, face_id: face.id }, says: s("{name} has another cover", { name: person.name }), faces: [face.crop_url], apply: () => grid.selection.clear() }).then(reload);
  const pin = ([face]) => decide({ kind: "pin-prototype", body: { person_id: person.id, face_id: face.id, pinned: true }, says: s("This face stands for {name} from now on", { name: person.name }), faces: [face.crop_url], apply: () => grid.selection.clear() });

  const bar = new ActionBar(grid, (n) => tn("{n} face", "{n} faces", n), [
    { label: t("Not {name}", { name: short(person.name) }), key: ["Delete", t("Del")], symbol: "not", run: (items) => after(act.notTheirs(items, person.name)) },
    { label: t("Somebody else"), key: ["M", "M"], symbol: "person", run: (items) => after(act.name(items)) },
    { label: t("Own group"), key: ["G", "G"], symbol: "groups", run: (items) => after(act.ownGroup(items)) },
    { label: t("Cover"), key: ["C", "C"], symbol: "star", run: (items) => { setCover(items); }, only: single },
    { label: t("Pin"), key: ["P", "P"], symbol: "pin", run: (items) => { pin(items); }, only: single },
    { label: t("Photo"), key: ["O", "O"], symbol: "photos", run: ([face]) => openPhoto(face), only: single },
  ]);
  keys("tab", [
    { keys: [], caps: ["ArrowLeft", "ArrowUp", "ArrowDown", "ArrowRight"], label: t("From face to face"), run: () => false },
    { keys: [], caps: ["Enter"], label: t("On a face: its photo"), run: () => false },
    { keys: [], caps: ["Shift", "ArrowRight"], label: t("Select a range"), run: () => false },
    ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({ keys: [key], hidden: true, label: "", run: () => (grid.total && grid.element.isConnected ? grid.go(grid.focus) : false) })),
  ]);
  grid.load();
};
