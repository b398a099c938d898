// A person's card, and renaming in place.
import { openPage } from "./address.js";
import { cover, el } from "./dom.js";
import { names } from "./api.js";
import { decide } from "./decide.js";
import { ask } from "./keys.js";
import { nameKey } from "./names.js";
import { faces, s, span, t, tn } from "./words.js";

/** A card with cover, name, faces, years, and how many suggestions wait. */
export const personCard = (person) => el("article", { class: "person-card" },
  el("span", { class: "corner", "aria-hidden": "true" }, el("span", { class: "tick" })),
  cover(person.cover_url, "card"),
  el("h2", {}, el("a", { href: `/people/${person.id}`, tabindex: -1 }, person.name)),
  person.note && el("p", { class: "small soft" }, person.note),
  el("p", { class: "number" }, faces(person.faces)),
  el("p", { class: "ages number" }, span(person.first_year, person.last_year) || " "),
  person.pending_suggestions > 0 && el("span", { class: "badge waits" }, tn("{n} waiting", "{n} waiting", person.pending_suggestions)));

/** Puts a field in place of a card's name. */
export const renameIn = (cell, person, done) => {
  const heading = cell?.querySelector("h2");
  if (!heading) return;
  const input = el("input", { value: person.name, dir: "auto", "aria-label": t("Name of {name}", { name: person.name }), autocomplete: "off", maxlength: 200 });
  let open = true;
  const close = () => { if (open) { open = false; done(); } };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.isComposing) return;
    open = false;
    rename(person, input.value.trim(), done);
  });
  input.addEventListener("blur", close);
  heading.replaceChildren(input);
  input.select();
};

/** Another name, shown at once by `show`; if somebody has it, asks whether they are one person. */
export const rename = async (person, name, show) => {
  if (!name || name === person.name) { show(); return; }
  const same = (await names().catch(() => [])).find((other) => other.id !== person.id && nameKey(other.name) === nameKey(name));
  let another = false;
  if (same) {
    const answer = await oneOrTwo(person, same, name);
    another = answer === "two";
    if (!another) { show(); if (answer === "one") join(person, same); return; }
  }
  const before = person.name;
  await decide({ kind: "rename-person", body: { person_id: person.id, name, another }, says: s("{name} is called {name2} now", { name: before, name2: name }), faces: person.cover_url ? [person.cover_url] : [],
    apply: () => { person.name = name; show(); }, revert: () => { person.name = before; show(); } });
};

const oneOrTwo = (person, same, name) => ask(t("One person?"),
  el("div", {}, el("p", {}, t("There is {name} already. Are these the same?", { name: same.name })), el("ul", { class: "proposals" }, [same, person].map(row))),
  [[t("No, leave it"), null], [t("Another {name}", { name }), "two"], [t("Yes, one person"), "one", "primary"]]);

const join = async (person, same) => {
  const [into, other] = same.faces >= person.faces ? [same, person] : [person, same];
  const made = await decide({ kind: "merge-persons", body: { person_ids: [other.id], into: into.id }, says: s("{name} and {name2} are one person", { name: person.name, name2: same.name }) });
  if (made) openPage(`/people/${into.id}`);
};

const row = (one) => el("li", { class: "proposal" }, cover(one.cover_url), el("span", { class: "who" }, el("strong", {}, one.name), el("span", { class: "small soft" }, [one.note, faces(one.faces)].filter(Boolean).join(" · "))));
