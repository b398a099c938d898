// History: everything that was said, the newest first; of one person, or by one of those who decide.
import { openPage } from "./address.js";
import { all, button, cover, el, fill, icon, one } from "./dom.js";
import { get, names, query } from "./api.js";
import { actor, ledger } from "./history-list.js";
import { ask, keys } from "./keys.js";
import { NameField } from "./names.js";
import { number, t } from "./words.js";
import "./frame.js";

const move = (by) => {
  const lines = all(".decision");
  const at = lines.indexOf(document.activeElement?.closest(".decision"));
  const to = lines[Math.min(lines.length - 1, Math.max(0, at + by))];
  to?.focus();
};
const undo = () => { const button = document.activeElement?.closest(".decision") && one("button", document.activeElement.closest(".decision")); if (!button) return false; button.click(); return true; };

const address = new URLSearchParams(location.search);
const filter = { person: address.get("person_id"), by: address.get("actor") };
/** Goes to the first page of another selection, so that Back leads to this one. */
const go = (change) => { const to = { ...filter, ...change }; openPage(`/history${query({ person_id: to.person, actor: to.by })}`); };

const choosePerson = () => {
  const field = new NameField({ label: t("About whom"), placeholder: t("Type a name"), allowNew: false, listed: true, choose: (choice) => { if (choice.person_id) go({ person: choice.person_id }); } });
  ask(t("About whom"), el("div", { class: "add" }, field.element), []);
  field.focus();
};

const drawPerson = async () => {
  const known = filter.person && (await names().catch(() => [])).find((each) => each.id === filter.person);
  const name = known?.name ?? t("somebody");
  fill(one("#about"), filter.person
    ? el("span", { class: "chip token" }, cover(known?.cover_url), el("strong", {}, name), el("button", { type: "button", class: "off", "aria-label": t("Remove {name}", { name }), on: { click: () => go({ person: null }) } }, icon("cross")))
    : button(t("About a person"), choosePerson, { look: "chip", symbol: "plus", key: ["P", "P"] }));
};

/** Who decided: shown where there are several. */
const drawActors = async () => {
  const { actors } = await get("/decisions/actors").catch(() => ({ actors: [] }));
  if (actors.length < 2 && !filter.by) return;
  const listed = actors.some((each) => each.actor === filter.by) || !filter.by ? actors : [...actors, { actor: filter.by, decisions: 0 }];
  const choice = el("select", { id: "actor", on: { change: () => go({ by: choice.value || null }) } }, el("option", { value: "" }, t("Everybody")),
    listed.map((each) => el("option", { value: each.actor, selected: each.actor === filter.by }, `${actor(each.actor)} (${number(each.decisions)})`)));
  fill(one("#by"), el("label", { for: "actor" }, t("Said by")), choice);
};

keys("screen", [
  { keys: ["p"], label: t("Show what was said about a person"), run: choosePerson },
  { keys: ["ArrowDown"], caps: ["ArrowUp", "ArrowDown"], label: t("From line to line"), run: () => move(1) },
  { keys: ["ArrowUp"], hidden: true, label: "", run: () => move(-1) },
  { keys: ["u"], label: t("Undo the focused line"), run: undo },
]);
drawPerson();
drawActors();
ledger(one("#history"), { subject: filter.person, by: filter.by });
