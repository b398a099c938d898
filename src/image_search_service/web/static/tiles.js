// Tiles of faces that can be chosen, and the bar of what can be done with the chosen ones.
import { button, crop, el, fill, one, round } from "./dom.js";
import { keys } from "./keys.js";
import { t } from "./words.js";

/** A face that can be chosen: the whole tile is the target. */
export const faceTile = (url, captions = [], flag = null) =>
  el("div", { class: "face pick" }, crop(url), el("span", { class: "tick", "aria-hidden": "true" }), flag && el("span", { class: "flag" }, flag),
    el("span", { class: "caption number" }, captions));

/** How wide a tile of a face wants to be. */
export const faceWidth = (space) => (space < 640 ? Math.floor((space - 3 * 8) / 4) : Math.min(160, Math.max(112, space / 10)));

export class ActionBar {
  /**
   * @param {import("./grid.js").Grid} grid whose selection it is about
   * @param {(n: number) => string} what "3 faces"
   * @param {{label: string, key: string[], symbol?: string, run: (items: any[]) => void, look?: string, only?: (items: any[]) => boolean}[]} actions
   */
  constructor(grid, what, actions) {
    Object.assign(this, { grid, what, actions });
    this.element = one("#actions");
    this.count = one("output", this.element);
    this.buttons = actions.map((action) => button(action.label, () => this.run(action), { key: action.key, symbol: action.symbol, look: action.look ?? "quiet" }));
    fill(one(".buttons", this.element), this.buttons);
    one(".round", this.element)?.remove();
    this.element.append(round("cross", t("Clear the selection"), () => grid.selection.clear(), { "aria-keyshortcuts": "Escape" }));
    keys("selection", [
      ...actions.map((action) => ({ keys: [action.key[0].length === 1 ? action.key[0].toLowerCase() : action.key[0]], label: action.label, run: () => this.run(action) })),
      { keys: ["x"], label: t("Select"), run: () => false },
      { keys: ["Escape"], label: t("Clear the selection"), run: () => (grid.selection.size ? grid.selection.clear() : false) },
    ]);
  }

  /** What an action is about: what is chosen, else what has the focus. */
  get items() {
    if (this.grid.selection.size) return [...this.grid.selection.items.values()];
    const cell = document.activeElement?.closest?.(".cell");
    const item = cell && this.grid.element.contains(cell) ? this.grid.items[cell.dataset.at] : null;
    return item ? [item] : [];
  }

  run(action) {
    const items = this.items;
    if (!items.length || (action.only && !action.only(items))) return false;
    return action.run(items);
  }

  update() {
    const { size } = this.grid.selection;
    this.element.hidden = size === 0;
    if (size === 0) return;
    this.count.textContent = this.what(size);
    this.actions.forEach((action, at) => { this.buttons[at].hidden = Boolean(action.only && !action.only(this.items)); });
  }
}

/** No bar: for a part of the screen where nothing is chosen. */
export const noActions = () => { const bar = one("#actions"); if (bar) bar.hidden = true; keys("selection", []); };
