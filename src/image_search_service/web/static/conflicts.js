// Conflicts: what cannot all be true, with the faces, the photo, a sentence and the answers.
import { button, cover, crop, el, empty, fill, link, one, pictureUrl } from "./dom.js";
import { get, names, post } from "./api.js";
import { decide, failed, onChange } from "./decide.js";
import { keys } from "./keys.js";
import { number, rich, s, t, tn } from "./words.js";
import "./frame.js";

const KINDS = {
  lost_face: t("Names that have lost their face"),
  other_name_in_file: t("Another name in a photo's file"),
  twice_in_a_photo: t("Twice in a photo"), before_birth: t("In a photo from before their birth"),
  far_from_the_others: t("Unlike the other faces of their person"), look_the_same: t("Two people who look the same"),
};
const place = one("#conflicts");

const load = async () => {
  try {
    const [{ items, unchecked }, known] = await Promise.all([get("/conflicts?limit=20"), names().catch(() => [])]);
    if (unchecked) post("/conflicts/find").catch(() => {}); // for the next time: nobody waits for it
    draw(items, new Map(known.map((person) => [person.id, person])));
  } catch (problem) { failed(problem, load); }
  finally { place.removeAttribute("aria-busy"); }
};

const draw = (items, known) => {
  if (!items.length) { fill(place, empty("tick", t("Nothing contradicts itself"), t("Whoever is twice in a photo, or in one from before their birth, would be here."), link(t("Go on naming"), "/review", "primary"))); return; }
  fill(place, Object.entries(KINDS).map(([kind, title]) => {
    const some = items.filter((item) => item.kind === kind);
    return some.length > 0 && el("section", { class: "conflict-kind" }, el("h2", {}, title, " ", el("span", { class: "count" }, number(some.length))), el("ul", { class: "conflict-list" }, some.map((item) => card(item, known))));
  }));
};

const url = (face) => `/api/v1/faces/${face}/crop`;
const card = (item, known) => {
  const pictures = item.face_ids.length ? item.face_ids.slice(0, 4).map((face, at) => crop(url(face), t("Face {at}", { at: at + 1 }))) : item.persons.map((one) => cover(known.get(one.person_id)?.cover_url, "large"));
  const node = el("li", { class: "panel" },
    el("div", { class: "conflict" }, item.asset_id && el("a", { class: "frame", href: `/photos/${item.asset_id}`, "aria-label": t("Open this photo") }, el("img", { src: pictureUrl(item.asset_id, 320), alt: "", width: 320, height: 213, loading: "lazy" })),
      el("div", { class: "piece" }, el("div", { class: "pair" }, pictures), el("p", {}, sentence(item)), item.path && el("p", { class: "small soft" }, item.path.split("/").slice(-2).join(" / ")))),
    el("div", { class: "buttons" }, choices(item, () => node.remove())));
  return node;
};

const sentence = (item) => {
  const [first, second] = item.persons.map((one) => el("a", { href: `/people/${one.person_id}` }, el("strong", {}, one.person_name)));
  switch (item.kind) {
    case "lost_face": return rich("{who} was in this file. It was changed, and the face is not found in it any more.", { who: first });
    case "other_name_in_file": return rich("{who} is called {other} in this file. Another program has written that.", { who: first, other: el("strong", {}, item.name_in_file) });
    case "twice_in_a_photo": return rich("{who} is several times in this photo.", { who: first });
    case "before_birth": return rich("{who} was not born yet.", { who: first });
    case "far_from_the_others": return rich("This face is unlike the others of {who}.", { who: first });
    default: return rich("{who} and {other} look the same.", { who: first, other: second ?? "" });
  }
};

const choices = (item, gone) => {
  const [first, second] = item.persons;
  const not = (face) => () => decide({ kind: "unassign", body: { face_ids: [face] }, says: s("{n} face is not {name}", "{n} faces are not {name}", 1, { name: first.person_name }), faces: [url(face)], apply: gone, revert: load });
  if (item.kind === "lost_face") {
    const answer = (face) => () => decide({ kind: "lost-face", body: { lost_face_id: item.face_ids[0], face_id: face }, says: face ? s("{name} has a face again", { name: first.person_name }) : s("{name} is not in this photo any more", { name: first.person_name }), faces: face ? [url(face)] : [], apply: gone, revert: load });
    const some = item.candidate_face_ids;
    return [el("p", { class: "which" }, some.length ? rich("Is {name} one of the faces that the file shows now?", { name: first.person_name }) : t("The file shows no face without a name now.")),
      some.map((face, at) => button(crop(url(face)), answer(face), { look: "this-one", "aria-label": tn("Face {n} is {name}", "Face {n} is {name}", at + 1, { name: first.person_name }), title: t("This is {name}", { name: first.person_name }) })),
      button(some.length ? t("None of these") : t("{name} is not in it any more", { name: first.person_name }), answer(null))];
  }
  if (item.kind === "other_name_in_file") {
    const other = item.name_in_file;
    return [button(t("This is {name}", { name: other }), () => decide({ kind: "split", body: { face_ids: item.face_ids, name: other }, says: tn("{n} face given", "{n} faces given", 1), faces: [url(item.face_ids[0])], apply: gone, revert: load })), button(t("Not {name}", { name: first.person_name }), not(item.face_ids[0]))];
  }
  if (item.kind === "look_the_same") {
    return [button(t("Two people"), () => decide({ kind: "mark-different", body: { person_ids: [first.person_id, second.person_id], cluster_ids: [], versions: [] }, says: s("{name} and {name2} are two people", { name: first.person_name, name2: second.person_name }), apply: gone, revert: load })),
      button(t("One person: {name}", { name: first.person_name }), () => decide({ kind: "merge-persons", body: { person_ids: [second.person_id], into: first.person_id }, says: s("{name} and {name2} are one person", { name: second.person_name, name2: first.person_name }), apply: gone, revert: load }))];
  }
  const labels = item.face_ids.length === 2 ? [t("The left is not {name}", { name: first.person_name }), t("The right is not {name}", { name: first.person_name })] : item.face_ids.map((face, at) => (item.face_ids.length === 1 ? t("Not {name}", { name: first.person_name }) : tn("Face {n} is not {name}", "Face {n} is not {name}", at + 1, { name: first.person_name })));
  return [...item.face_ids.map((face, at) => button(labels[at], not(face))), item.kind === "before_birth" && link(t("The birth date is wrong"), `/people/${first.person_id}`)];
};

keys("screen", []);
onChange((what) => { if (what !== "decided") load(); });
load();
