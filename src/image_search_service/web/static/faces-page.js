// What pages of faces share: pages by cursor as if by place, and what can be done with faces.
import { openPage } from "./address.js";
import { crop, el } from "./dom.js";
import { decide } from "./decide.js";
import { ask } from "./keys.js";
import { NameField, whoIs } from "./names.js";
import { s, t, tn } from "./words.js";

/** Fetches pages by cursor where a grid asks for places: those before a place are fetched first. */
export const byCursor = (fetchPage) => {
  let items = [];
  let cursor = null;
  let total = null;
  return async (offset, limit) => {
    if (offset === 0) { items = []; cursor = null; total = null; }
    while ((total === null || cursor) && items.length < offset + limit) {
      const page = await fetchPage(cursor);
      items = [...items, ...page.items];
      cursor = page.next_cursor;
      ({ total } = page);
    }
    return { items: items.slice(offset, offset + limit), total };
  };
};

/** Asks for a name in a dialog; null if it was closed. */
export const askName = (title, crops, proposals = []) => new Promise((resolve) => {
  const field = new NameField({ label: title, proposals, listed: true, choose: (choice) => { resolve(choice); field.input.closest("dialog").close(); } });
  ask(title, el("div", {}, el("p", { class: "row" }, crops.slice(0, 8).map((url) => crop(url))), field.element), []).then(() => resolve(null));
  field.focus();
});

const ids = (faces) => faces.map((face) => face.id);
const crops = (faces) => faces.map((face) => face.crop_url);

/** What can be decided of faces: `drop` takes them off the screen, `back` puts them there again. */
export const faceActions = (drop, back) => {
  const act = (faces, decision) => decide({ ...decision, faces: crops(faces), apply: () => drop(faces), revert: back });
  return {
    notTheirs: (faces, name) => act(faces, { kind: "unassign", body: { face_ids: ids(faces) }, says: s("{n} face is not {name}", "{n} faces are not {name}", faces.length, { name }) }),
    notFaces: (faces) => act(faces, { kind: "not-a-face", body: { face_ids: ids(faces) }, says: s("{n} is no face", "{n} are no faces", faces.length) }),
    ownGroup: (faces) => act(faces, { kind: "group", body: { face_ids: ids(faces) }, says: s("{n} face is a group of its own", "{n} faces are a group of their own", faces.length) }),
    aside: (faces, on = true) => act(faces, { kind: "set-aside", body: { cluster_ids: [], versions: [], face_ids: ids(faces), aside: on },
      says: on ? s("{n} face set aside", "{n} faces set aside", faces.length) : s("{n} face is back", "{n} faces are back", faces.length) }),
    name: async (faces, proposals = []) => {
      const choice = await askName(tn("Whose face is this?", "Whose {n} faces are these?", faces.length), crops(faces), proposals);
      if (!choice) return null;
      const says = s("{n} face is {name} now", "{n} faces are {name} now", faces.length, { name: choice.name });
      return act(faces, choice.person_id ? { kind: "assign", body: { face_ids: ids(faces), person_id: choice.person_id }, says } : { kind: "split", body: { face_ids: ids(faces), ...whoIs(choice) }, says });
    },
  };
};

/** Takes items out of a grid at once. */
export const dropFrom = (grid, gone) => {
  const out = new Set(gone.map((item) => item.id));
  const at = grid.focus;
  const held = grid.element.contains(document.activeElement);
  grid.items = grid.items.filter((item) => !item || !out.has(item.id));
  grid.total = Math.max(0, grid.total - gone.length);
  grid.selection.items.clear();
  grid.selection.changed();
  grid.measure();
  if (held && grid.total) grid.go(Math.min(at, grid.total - 1));
};

export const openPhoto = (face) => openPage(`/photos/${face.asset_id}?face=${face.id}`);

/** What a face in a grid is called. */
export const faceName = (face, at, total, parts) => [t("Face {at} of {size}", { at: at + 1, size: total }), ...parts.filter(Boolean)].join(", ");
