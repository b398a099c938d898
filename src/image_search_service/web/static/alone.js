// Faces that are in no group, those set aside, and what is no face; equal ones lie together.
import { rewrite } from "./address.js";
import { all, empty, fill, link, one } from "./dom.js";
import { get, query } from "./api.js";
import { failed, onChange } from "./decide.js";
import { dropFrom, faceActions, faceName, openPhoto } from "./faces-page.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { ActionBar, faceTile, faceWidth } from "./tiles.js";
import { date, faces, month, t, tn } from "./words.js";
import "./frame.js";

let which = new URLSearchParams(location.search).get("which") ?? "alone";

const grid = new Grid(one("#faces"), {
  label: t("Faces without a group"), select: true, load: (offset, limit) => get(`/faces${query({ state: which, offset, limit })}`), width: faceWidth, open: openPhoto, changed: () => bar.update(),
  tile: (face) => faceTile(face.crop_url, face.taken_at && month(face.taken_at)), name: (face, at) => faceName(face, at, grid.total, [date(face.taken_at)]),
  loaded: (total) => fill(one("#lead"), faces(total)),
  empty: () => empty("tick", t("No face is here"), t("Every face has a name or is in a group."), link(t("Groups"), "/groups", "primary")),
  failed: (problem) => failed(problem, () => grid.load()),
});
const act = faceActions((items) => dropFrom(grid, items), () => grid.load({ stay: true }));
const bar = new ActionBar(grid, (n) => tn("{n} face", "{n} faces", n), [
  { label: t("Name"), key: ["N", "N"], symbol: "pen", look: "primary", run: (items) => { act.name(items); } },
  { label: t("Group them"), key: ["G", "G"], symbol: "groups", run: (items) => { act.ownGroup(items); } },
  { label: t("Set aside"), key: ["0", "0"], symbol: "aside", run: (items) => { act.aside(items, which !== "aside"); }, only: () => which === "alone" },
  { label: t("Bring back"), key: ["B", "B"], symbol: "aside", run: (items) => { act.aside(items, false); }, only: () => which === "aside" },
  { label: t("No face"), key: ["Delete", t("Del")], symbol: "not", run: (items) => { act.notFaces(items); }, only: () => which !== "not_a_face" },
]);
const choose = (state) => {
  which = state;
  for (const chip of all("[data-which]")) chip.setAttribute("aria-pressed", String(chip.dataset.which === which));
  rewrite(which === "alone" ? "/alone" : `/alone?which=${which}`);
  grid.selection.clear();
  grid.reset();
  grid.load();
};
for (const chip of all("[data-which]")) chip.addEventListener("click", () => choose(chip.dataset.which));
keys("screen", [
  { keys: [], caps: ["Enter"], label: t("On a face: its photo"), run: () => false },
  ...["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => ({ keys: [key], hidden: true, label: "", run: () => (grid.total ? grid.go(grid.focus) : false) })),
]);
onChange((what) => { if (what !== "decided") grid.load({ stay: true }); });
choose(which);
