// What may be a person's, a page of 24 at a time, all ticked.
import { el, empty, fill, link, one } from "./dom.js";
import { get, query } from "./api.js";
import { decide, failed } from "./decide.js";
import { keys } from "./keys.js";
import { gridQuestion } from "./review-grid.js";
import { t } from "./words.js";

const PAGE = 24;
/** So many that would be left alone on the last page come with the one before. */
const REST = 6;

export const suggestionsTab = (panel, person, { reload }) => {
  let skipped = 0;
  const show = async () => {
    try {
      const page = await get(`/persons/${person.id}/suggestions${query({ offset: skipped, limit: PAGE + REST })}`);
      const left = page.total - skipped;
      if (page.items.length) draw(page.items.slice(0, left > PAGE + REST ? PAGE : left)); else nothing();
    } catch (problem) { failed(problem, show); }
  };
  const nothing = () => {
    keys("tab", []);
    fill(panel, empty("tick", t("Nothing waits for {name}", { name: person.name }), t("New suggestions come when more faces are found or named."), link(t("Go on naming"), "/review", "primary")));
  };
  const draw = (items) => {
    const question = { kind: "tick_off", person: { id: person.id, name: person.name, cover_url: person.cover_url }, version: null, suggestions: items };
    const shown = gridQuestion(question, {
      answer: (decision) => decide({ ...decision, apply: () => panel.setAttribute("aria-busy", "true") }).then(async (made) => { panel.removeAttribute("aria-busy"); if (made) { await reload(); await show(); } }),
      skip: () => { skipped += items.length; show(); },
    });
    one("h1", shown.element)?.replaceWith(el("h2", {}, shown.title));
    fill(panel, shown.element, el("div", { class: "answers in-tab", role: "group", "aria-label": t("Answers") }, shown.answers));
    keys("tab", shown.keys);
    shown.begin();
  };
  show();
};
