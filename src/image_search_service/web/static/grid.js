// A grid of which only the rows in view are in the document; one tab stop, arrow keys, ranges.
import { el, fill } from "./dom.js";

const PAGE = 120;
/** Rows kept above and below the view. */
const MORE = 0.5;
/** So few cells of a grid are all there, wherever the view is. */
const FEW = 30;
/** Cells that are made in one frame of scrolling, or one row: the rest follows in the next frames. */
const CELLS_A_FRAME = 16;

/** What was chosen: ids with their items, and the place that a range starts from. */
export class Selection {
  constructor(changed) { this.items = new Map(); this.anchor = 0; this.changed = changed; }
  get size() { return this.items.size; }
  get ids() { return [...this.items.keys()]; }
  has(id) { return this.items.has(id); }
  set(item, on) { if (on) this.items.set(item.id, item); else this.items.delete(item.id); }
  clear() { if (this.size) { this.items.clear(); this.changed(); } }
}

export class Grid {
  /**
   * @param {HTMLElement} element
   * @param {{load: (offset: number, limit: number) => Promise<{items: any[], total: number}>, tile: (item: any, at: number, grid: Grid) => Node,
   *   label: string, name?: (item: any, at: number) => string, width: (space: number) => number, gap?: number | [number, number], list?: boolean,
   *   open?: (item: any, at: number) => void, select?: boolean, changed?: (selection: Selection) => void, empty?: () => Node, space?: boolean, failed?: (problem: Error) => void,
   *   loaded?: (total: number) => void, atOnce?: number}} options atOnce: cells that are made in one frame, fewer where each holds much
   */
  constructor(element, options) {
    this.element = element;
    this.options = options;
    [this.gapRow, this.gapColumn] = [options.gap ?? 8].flat().length === 2 ? options.gap : [options.gap ?? 8, options.gap ?? 8];
    this.selection = new Selection(() => { this.mark(); options.changed?.(this.selection); });
    this.body = el("div", { class: "window", role: options.list ? "list" : "grid", "aria-label": options.label, "aria-multiselectable": !options.list && options.select ? "true" : null });
    this.rows = new Map();
    this.stale = new Set();
    this.reset();
    fill(element, this.body);
    this.watch();
    if (!options.list) this.listen();
  }

  reset() {
    this.items = [];
    this.total = null;
    this.pending = new Set();
    this.focus = 0;
    this.rowHeight = 0;
    this.clear();
  }

  clear() {
    this.rows.clear();
    this.stale.clear();
    this.body.replaceChildren();
  }

  watch() {
    addEventListener("scroll", () => this.drawSoon(), { passive: true });
    new ResizeObserver(() => { const width = this.element.clientWidth; if (width && width !== this.width) { this.width = width; this.measure(); } }).observe(this.element);
    addEventListener("pagehide", () => history.replaceState({ ...history.state, scroll: scrollY }, ""));
  }

  /** Fetches the first page and shows it; keeps the place with `stay`. */
  async load({ stay = false } = {}) {
    const first = stay ? Math.max(0, this.from ?? 0) : 0;
    try {
      const page = await this.options.load(first - (first % PAGE), PAGE);
      this.items = [];
      this.pending.clear();
      this.put(first - (first % PAGE), page);
      this.measure();
      if (!stay && history.state?.scroll) scrollTo(0, history.state.scroll);
    } catch (problem) { if (this.options.failed) this.options.failed(problem); else throw problem; }
    finally { this.element.removeAttribute("aria-busy"); }
  }

  put(offset, page) {
    page.items.forEach((item, at) => { this.items[offset + at] = item; if (this.selection.has(item.id)) this.selection.set(item, true); });
    this.total = page.total;
    this.items.length = Math.max(this.items.length, 0);
    this.options.loaded?.(page.total);
  }

  async need(at) {
    const offset = at - (at % PAGE);
    if (this.pending.has(offset)) return;
    this.pending.add(offset);
    try { this.arrive(offset, await this.options.load(offset, PAGE)); }
    catch (problem) { if (this.options.failed) this.options.failed(problem); else throw problem; }
    finally { this.pending.delete(offset); }
  }

  /** Puts what has come into the rows that waited for it. */
  arrive(offset, page) {
    const { total } = this;
    this.put(offset, page);
    if (total !== page.total) { this.redraw(); return; }
    for (const [row, node] of this.rows) if (node.querySelector(".bone")) this.stale.add(row);
    this.drawSoon();
  }

  /** Columns and the height of a row, from the first tiles as they come out. */
  measure() {
    if (this.total === null || !this.element.clientWidth) return;
    if (this.total === 0) { this.clear(); this.body.style.blockSize = ""; this.showEmpty(true); return; }
    this.showEmpty(false);
    const space = this.element.clientWidth;
    const wanted = this.options.width(space);
    this.columns = Math.max(1, Math.floor((space + this.gapColumn) / (wanted + this.gapColumn)));
    this.tileWidth = (space - this.gapColumn * (this.columns - 1)) / this.columns;
    this.redraw();
    const tiles = [...this.body.querySelectorAll(".cell")].slice(0, 3 * this.columns);
    this.rowHeight = Math.max(24, ...tiles.map((tile) => tile.firstElementChild.offsetHeight)) + this.gapRow;
    this.redraw();
  }

  showEmpty(on) {
    this.emptyNode?.remove();
    this.emptyNode = on && this.options.empty ? this.options.empty() : null;
    if (this.emptyNode) this.element.append(this.emptyNode);
    this.body.hidden = on;
  }

  /** Draws all anew; the cell that had the focus has it again. */
  redraw() {
    const held = this.body.contains(document.activeElement);
    this.clear();
    this.draw(Infinity);
    if (held) this.node(this.focus)?.focus({ preventScroll: true });
  }

  /** Draws before the next frame. */
  drawSoon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(this.options.atOnce ?? CELLS_A_FRAME); });
  }

  /** Makes the rows that are in view and not yet there, of so many cells at most; removes those that no longer
   * are. */
  draw(most) {
    if (!this.total || !this.columns) return;
    const height = this.rowHeight || this.tileWidth + this.gapRow;
    const count = Math.ceil(this.total / this.columns);
    const top = -this.body.getBoundingClientRect().top;
    const few = !this.options.list && this.total <= FEW;
    const first = few ? 0 : Math.max(0, Math.floor(top / height - MORE));
    const last = few ? count - 1 : Math.min(count - 1, Math.floor((top + innerHeight) / height + MORE));
    this.body.style.blockSize = `${count * height - this.gapRow}px`;
    if (!this.options.list) { this.body.setAttribute("aria-rowcount", count); this.body.setAttribute("aria-colcount", this.columns); }
    this.from = first * this.columns;
    const focused = Math.floor(this.focus / this.columns);
    const held = this.body.contains(document.activeElement) ? focused : -1;
    for (const [row, node] of this.rows) if ((row < first || row > last) && row !== held && !node.contains(document.activeElement)) { node.remove(); this.rows.delete(row); this.stale.delete(row); }
    const missing = [];
    for (let row = first; row <= last; row += 1) if (!this.rows.has(row) || this.stale.has(row)) missing.push(row);
    const now = missing.slice(0, Math.max(1, Math.floor(most / this.columns)));
    for (const row of now) this.addRow(row, height);
    if (now.length < missing.length) this.drawSoon();
    this.ask(first - (last - first), last + (last - first));
  }

  /** Asks for what is a screen away on both sides. */
  ask(...rows) {
    for (const row of rows) {
      const at = Math.min(this.total - 1, Math.max(0, row * this.columns));
      if (!this.items[at]) this.need(at);
    }
  }

  addRow(row, height) {
    const node = el("div", { class: "window-row", role: this.options.list ? "none" : "row", "aria-rowindex": this.options.list ? null : row + 1 });
    Object.assign(node.style, { insetBlockStart: `${row * height}px`, columnGap: `${this.gapColumn}px`, gridTemplateColumns: `repeat(${this.columns}, minmax(0, 1fr))` });
    for (let at = row * this.columns; at < Math.min(this.total, (row + 1) * this.columns); at += 1) node.append(this.cell(at));
    const old = this.rows.get(row);
    this.rows.set(row, node);
    this.stale.delete(row);
    if (old) { this.replace(old, node); return; }
    const after = [...this.rows.keys()].filter((other) => other > row).sort((a, b) => a - b)[0];
    this.body.insertBefore(node, after === undefined ? null : this.rows.get(after));
  }

  /** Puts a row in the place of an old one; the cell that had the focus has it again. */
  replace(old, node) {
    const held = old.contains(document.activeElement);
    old.replaceWith(node);
    if (held) this.node(this.focus)?.focus({ preventScroll: true });
  }

  cell(at) {
    const item = this.items[at];
    const role = this.options.list ? { role: "listitem", "aria-setsize": this.total, "aria-posinset": at + 1 } : this.gridRole(item, at);
    if (!item) { this.need(at); return el("div", { class: "cell", ...role, data: { at } }, el("span", { class: "bone square" })); }
    return el("div", { class: "cell", ...role, data: { at } }, this.options.tile(item, at, this));
  }

  gridRole(item, at) {
    return {
      role: "gridcell", "aria-colindex": (at % this.columns) + 1, tabindex: at === this.focus ? 0 : -1,
      "aria-selected": item && this.options.select ? String(this.selection.has(item.id)) : null, "aria-label": item ? this.options.name?.(item, at) : null,
    };
  }

  /** Shows in the cells what is chosen, and which one has the tab stop. */
  mark() {
    for (const node of this.body.querySelectorAll(".cell")) {
      const item = this.items[node.dataset.at];
      if (this.options.select && item && !this.options.list) node.setAttribute("aria-selected", String(this.selection.has(item.id)));
      if (!this.options.list) node.tabIndex = Number(node.dataset.at) === this.focus ? 0 : -1;
    }
    this.element.classList.toggle("choosing", this.selection.size > 0);
  }

  node(at) { return this.body.querySelector(`.cell[data-at="${at}"]`); }

  /** Moves the focus to a place, which scrolls into view first. */
  go(at, { range = false } = {}) {
    const to = Math.min(this.total - 1, Math.max(0, at));
    const from = this.focus;
    this.focus = to;
    if (!this.node(to)) { const height = this.rowHeight; scrollTo(0, scrollY + this.body.getBoundingClientRect().top + Math.floor(to / this.columns) * height - innerHeight / 2); this.draw(Infinity); }
    const node = this.node(to);
    node?.focus({ preventScroll: true });
    node?.scrollIntoView({ block: "nearest" });
    if (range) this.range(from, to); else this.mark();
  }

  toggle(at, on) {
    const item = this.items[at];
    if (!item) return;
    this.selection.set(item, on ?? !this.selection.has(item.id));
    this.selection.anchor = at;
    this.selection.changed();
  }

  /** Chooses all from one place to another, as the first one is. */
  range(from, to) {
    const on = !this.items[from] || this.selection.has(this.items[from].id) || this.selection.size === 0;
    for (let at = Math.min(from, to); at <= Math.max(from, to); at += 1) if (this.items[at]) this.selection.set(this.items[at], on);
    this.selection.anchor = to;
    this.selection.changed();
  }

  listen() {
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("focusin", (event) => { const at = this.at(event); if (at !== null && at !== this.focus) { this.focus = at; this.mark(); } });
    if (this.options.select) this.longPress();
  }

  at(event) { const cell = event.target.closest?.(".cell"); return cell ? Number(cell.dataset.at) : null; }

  key(event) {
    if (event.ctrlKey && !["Home", "End"].includes(event.key) || event.metaKey || event.altKey || event.target.matches("input")) return;
    const forward = getComputedStyle(this.body).direction === "rtl" ? -1 : 1;
    const page = Math.max(1, Math.floor(innerHeight / (this.rowHeight || 100)) - 1) * this.columns;
    const line = this.focus - (this.focus % this.columns);
    const to = {
      ArrowRight: this.focus + forward, ArrowLeft: this.focus - forward, ArrowDown: this.focus + this.columns, ArrowUp: this.focus - this.columns,
      PageDown: this.focus + page, PageUp: this.focus - page, Home: event.ctrlKey ? 0 : line, End: event.ctrlKey ? this.total - 1 : line + this.columns - 1,
    }[event.key];
    if (to !== undefined) { if (to >= 0 && to < this.total || Math.abs(to - this.focus) > 1) this.go(to, { range: event.shiftKey && this.options.select }); }
    else if (event.key === "Enter" && this.options.open && this.items[this.focus]) this.options.open(this.items[this.focus], this.focus);
    else if ((event.key === " " && this.options.space !== false || event.key === "x") && this.options.select) this.toggle(this.focus);
    else if (event.key === "Escape" && this.selection.size) this.selection.clear();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  click(event) {
    const at = this.at(event);
    if (at === null || !this.options.select || event.ctrlKey && event.target.closest("a")) return;
    const link = event.target.closest("a[href]");
    if (event.shiftKey) { event.preventDefault(); this.range(this.selection.anchor, at); this.focus = at; this.mark(); return; }
    if (link && !this.selection.size && !event.target.closest(".corner")) return;
    event.preventDefault();
    this.focus = at;
    if (this.pressed) { this.pressed = false; return; }
    this.toggle(at);
    this.node(at)?.focus({ preventScroll: true });
  }

  /** On touch a long press chooses the first one; a tap goes on from there. */
  longPress() {
    let timer = 0;
    const stop = () => clearTimeout(timer);
    this.body.addEventListener("pointerdown", (event) => {
      this.pressed = false;
      const at = this.at(event);
      if (event.pointerType !== "touch" || at === null) return;
      timer = setTimeout(() => { this.pressed = true; this.toggle(at, true); navigator.vibrate?.(15); }, 450);
    });
    for (const name of ["pointerup", "pointercancel", "pointermove", "scroll"]) this.body.addEventListener(name, stop, { passive: true });
    this.body.addEventListener("contextmenu", (event) => { if (this.pressed) event.preventDefault(); });
  }
}
