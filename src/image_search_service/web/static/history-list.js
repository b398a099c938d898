// What was said, as lines of a ledger, each with its undo.
import { button, cover, crop, el, empty, fill, link, notice, one } from "./dom.js";
import { get, names, post, query } from "./api.js";
import { failed, note, onChange, say, whichOne } from "./decide.js";
import { clock, date, day, rich, richn, s, t, tn } from "./words.js";

const PAGE = 40;

/** Everybody by id, with what tells those of one name apart. */
let known = new Map();
const person = (one) => {
  const note = known.get(one.id)?.note;
  return [el("a", { href: `/people/${one.id}` }, one.name), note && el("span", { class: "soft" }, ` (${note})`)];
};
/** Several people with commas between, as nodes. */
const people = (list) => list.flatMap((one, at) => [at > 0 && (at === list.length - 1 ? ` ${t("and")} ` : ", "), ...person(one)]).filter(Boolean);

/** A sentence for each kind of decision, of the event's faces and people. */
const SENTENCES = {
  name_cluster: "is", name_clusters: "is", assign: "is", accept: "is", split: "is", answer: "is",
  reject: "not", unassign: "not", mark_cluster_not_person: "not",
  add_face: (one, who) => (one.persons.length ? rich("A face of {who} was drawn by hand", { who }) : [t("A face was drawn by hand")]),
  move_face: () => [t("A face was moved")],
  remove_face: () => [t("A face was removed")],
  not_a_face: (one) => richn("{n} is no face", "{n} are no faces", one.faces),
  group_faces: (one) => richn("{n} face is a group of its own", "{n} faces are a group of their own", one.faces),
  create_person: (one, who) => rich("{who} was added", { who }),
  create_persons: (one) => richn("{n} person was added", "{n} people were added", one.changes / 2),
  rename_person: (one, who) => rich("{who} has this name now", { who }),
  hide_person: (one, who) => rich("{who} was hidden", { who }),
  unhide_person: (one, who) => rich("{who} is shown again", { who }),
  set_note: (one, who) => rich("The note about {who}", { who }),
  set_birth_date: (one, who) => rich("The birth date of {who}", { who }),
  set_cover_face: (one, who) => rich("{who} has another cover", { who }),
  pin_prototype: (one, who) => rich("A face stands for {who}", { who }),
  unpin_prototype: (one, who) => rich("A face does not stand for {who} any more", { who }),
  merge_persons: (one, who) => rich("{who}: joined into one person", { who }),
  mark_different: (one, who) => (one.persons.length ? rich("{who}: not the same", { who }) : [t("Two groups are two people")]),
  unmark_different: (one, who) => rich("{who}: perhaps the same after all", { who }),
  set_aside: (one) => richn("{n} face set aside", "{n} faces set aside", one.faces),
  unset_aside: (one) => richn("{n} face is back", "{n} faces are back", one.faces),
  join_clusters: (one) => richn("{n} face is in one group now", "{n} faces are in one group now", one.faces),
  delete_person: () => [t("Somebody without faces was deleted")],
  import: (one) => richn("{n} face taken over from a file", "{n} faces taken over from a file", one.faces),
  names_from_metadata: (one) => richn("{n} face has a name from its photo", "{n} faces have names from their photos", one.faces),
  photo_edited: (one) => richn("{n} face found again in a changed photo", "{n} faces found again in changed photos", one.faces),
  lost_face_found: (one, who) => rich("{who} was found again", { who }),
  lost_face_gone: (one, who) => rich("{who} is not in a changed photo any more", { who }),
  forget_photos: () => [t("Deleted photos were left out")],
  erase_photos: () => [t("Photos that were left out were erased")],
  undo: () => [t("Taken back")],
};

/** From whom faces have moved to whom; null for decisions that moved none. */
const movedFrom = (one) => {
  const named = (ids) => ids.map((id) => one.persons.find((each) => each.id === id)).filter(Boolean);
  const { from = [], to = null } = one.details.moved ?? {};
  const [former, who] = [named(from), named([to])];
  return former.length && who.length ? { from: el("span", {}, people(former)), who: el("span", {}, people(who)) } : null;
};

const sentence = (one) => {
  const found = SENTENCES[one.kind];
  const who = el("span", {}, one.persons.length ? people(one.persons) : t("somebody"));
  const moved = found === "is" && movedFrom(one);
  if (moved) return richn("{n} face moved from {from} to {who}", "{n} faces moved from {from} to {who}", one.faces, moved);
  if (found === "is") return richn("{n} face is {who}", "{n} faces are {who}", one.faces, { who });
  if (found === "not") return richn("{n} face is not {who}", "{n} faces are not {who}", one.faces, { who });
  return found ? found(one, who) : [one.kind.replaceAll("_", " ")];
};

/** How somebody who decides is called. */
export const actor = (name) => ({ api: t("In a browser"), cli: t("At the command line"), machine: t("The machine") })[name] ?? name;

/** Shows the ledger in a place; `subject` is whom it is about, `by` who decided. */
export const ledger = async (place, { subject = null, by = null } = {}) => {
  const address = new URLSearchParams(location.search);
  const cursor = address.get("cursor");
  const here = (more) => { const kept = new URLSearchParams(address); kept.delete("cursor"); return `${query({ ...Object.fromEntries(kept), ...more }) || "?"}${location.hash}`; };
  const load = async () => {
    try {
      const [page, everybody] = await Promise.all([get(`/decisions${query({ subject_id: subject, actor: by, cursor, limit: PAGE })}`), names().catch(() => [])]);
      known = new Map(everybody.map((one) => [one.id, one]));
      draw(page);
    } catch (problem) { failed(problem, load); }
    finally { place.removeAttribute("aria-busy"); }
  };

  const draw = (page) => {
    if (!page.items.length && (subject || by)) { fill(place, empty("history", t("Nothing was said here"), t("No decision is of this kind."))); return; }
    if (!page.items.length) { fill(place, empty("history", t("Nothing was said yet"), t("Every answer is kept here, and can be taken back."), link(t("Start naming"), "/review", "primary"))); return; }
    const undone = new Map(page.items.filter((one) => one.undoes).map((one) => [one.undoes, one]));
    const byId = new Map(page.items.map((one) => [one.id, one]));
    const groups = new Map();
    for (const one of page.items) { const key = day(one.at); groups.set(key, [...(groups.get(key) ?? []), one]); }
    fill(place, [...groups].map(([title, list]) => el("section", {}, el("h2", {}, title), el("ol", { class: "entries" }, list.map((one) => line(one, undone.get(one.id), byId))))), more(page));
  };

  const line = (one, taken, byId) => {
    const words = one.undoes ? [t("Taken back:"), " ", ...(byId.has(one.undoes) ? sentence(byId.get(one.undoes)) : [t("decision {n}", { n: one.undoes })])] : sentence(one);
    const note = [actor(one.actor), taken && t("taken back by {name} at {time}", { name: actor(taken.actor), time: clock(taken.at) }), one.kind === "set_birth_date" && one.details.birth_date && date(one.details.birth_date)].filter(Boolean).join(" · ");
    const pictures = one.first_faces.length ? one.first_faces.map((face) => crop(face.crop_url)) : one.persons.map((who) => known.get(who.id)?.cover_url).filter(Boolean).slice(0, 6).map((url) => cover(url));
    return el("li", { class: `decision ${taken ? "taken-back" : ""}`, tabindex: -1 }, el("time", { datetime: one.at }, clock(one.at)),
      el("div", { class: "said" }, el("p", {}, words), el("p", {}, note)), el("div", { class: "pictures", "aria-hidden": "true" }, pictures),
      taken ? el("span", {}) : button(one.undoes ? t("Do it again") : t("Undo"), () => undo(one, words), { look: "quiet", "aria-label": `${one.undoes ? t("Do it again") : t("Undo")}: ${words.map((part) => part.textContent ?? part).join("")}` }));
  };

  const undo = async (one, words, way = "") => {
    try {
      const made = await post(`/decisions/${one.id}/undo${way}`);
      note({ ids: made.decision_id ? [made.decision_id] : [], says: one.undoes ? s("Done again") : s("Taken back"), faces: [], at: Date.now() });
      load();
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      if (problem.body.candidates) { say(whichOne(problem, () => undo(one, words, "?another=true"))); return; }
      const later = problem.message.match(/decision (\d+)/)?.[1];
      say(notice("care", "warning", [el("strong", {}, problem.message), " ", problem.hint], later && button(t("Take back decision {n} first", { n: Number(later) }), async () => { await undo({ id: Number(later) }); await undo(one); })));
    }
  };

  const more = (page) => el("nav", { class: "buttons pages", "aria-label": t("Pages") }, cursor && link(t("Newest"), here({})),
    page.next_cursor && link(t("Older"), here({ cursor: page.next_cursor })));

  onChange((what) => { if (what !== "decided" && place.isConnected) load(); });
  place.setAttribute("aria-busy", "true");
  await load();
  return { first: () => one(".decision", place) };
};
