// A wall of photos by date, of which only what is near the view is in the document.
import { el, empty, fill } from "./dom.js";
import { get, query } from "./api.js";
import { guess, layOut, stretches } from "./rows.js";
import { date, t, tn } from "./words.js";

/** Screens kept above and below the view. */
const MORE = 0.6;
/** Photos and headings that are made in one frame of scrolling: the rest follows in the next ones. */
const MOST_A_FRAME = 16;
const HEADING = 28;

export class Wall {
  /**
   * @param {HTMLElement} element
   * @param {{filter: () => object, failed: (problem: Error) => void, loaded?: (total: number, months: any[]) => void, moved?: (month: string | null) => void, context?: () => string}} options
   */
  constructor(element, options) {
    Object.assign(this, { element, options, parts: [], nodes: new Map(), focus: 0 });
    this.body = el("div", { class: "window wall" });
    fill(element, this.body);
    addEventListener("scroll", () => this.drawSoon(), { passive: true });
    new ResizeObserver(() => { const width = element.clientWidth; if (width && width !== this.width) { this.width = width; this.place(); } }).observe(element);
    addEventListener("pagehide", () => history.replaceState({ ...history.state, wall: this.anchor() }, ""));
    this.body.addEventListener("keydown", (event) => this.key(event));
  }

  get page() {
    const row = Math.round(Math.min(272, Math.max(this.width < 640 ? 128 : 116, this.width * 0.16)));
    return { width: this.width, row, gap: this.width < 640 ? 4 : 6 };
  }

  async load() {
    try {
      const { months } = await get(`/assets/months${query(this.options.filter())}`);
      this.parts = stretches(months).map((part) => ({ ...part, photos: null }));
      this.total = months.reduce((sum, month) => sum + month.photos, 0);
      this.width = this.element.clientWidth;
      this.options.loaded?.(this.total, months);
      this.none?.remove();
      if (this.total === 0) { this.none = empty("photos", t("No photos"), t("There is no photo that fits.")); this.element.append(this.none); }
      this.place();
      if (history.state?.wall) await this.back(history.state.wall);
    } catch (problem) { this.options.failed(problem); }
    finally { this.element.removeAttribute("aria-busy"); }
  }

  /** Where each stretch begins; those that are not known yet are guessed. */
  place() {
    const held = this.body.contains(document.activeElement);
    this.clear();
    for (const part of this.parts) this.measure(part);
    this.stack();
    this.draw();
    if (held) this.step(this.focus);
  }

  clear() {
    for (const node of this.nodes.values()) node.remove();
    this.nodes.clear();
  }

  measure(part) {
    part.laid = part.photos ? layOut(part.photos, this.page) : null;
    part.height = part.laid ? part.laid.height : guess(part.count, this.page);
  }

  stack() {
    let y = 0;
    for (const part of this.parts) { part.y = y; y += part.height; }
    this.body.style.blockSize = `${y}px`;
  }

  /** Draws before the next frame. */
  drawSoon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(MOST_A_FRAME); });
  }

  /** Makes what is near the view and not yet there, so many at most; removes what no longer is. */
  draw(most = Infinity) {
    if (!this.width) return;
    this.left = most;
    const top = -this.body.getBoundingClientRect().top;
    const from = top - innerHeight * MORE;
    const to = top + innerHeight * (1 + MORE);
    this.parts.forEach((part, at) => {
      const near = part.y < to && part.y + part.height > from;
      if (near && !part.photos) this.fetch(part);
      if (near) this.show(part, at, from, to); else this.hide(at);
    });
    const month = this.monthAt(top + 90);
    if (month !== this.month) { this.month = month; this.options.moved?.(month); }
  }

  /** The month at a height of the wall. */
  monthAt(y) {
    const part = this.parts.filter((one) => one.y <= y).at(-1) ?? this.parts[0];
    if (!part) return null;
    const at = part.laid ? part.offset + (part.laid.headings.filter((one) => part.y + one.y <= y).at(-1)?.at ?? 0) : part.offset;
    return part.months.filter((one) => one.offset <= at).at(-1)?.month ?? null;
  }

  /** Fetches a stretch, once. */
  fetch(part) { return (part.asked ??= this.ask(part)); }

  async ask(part) {
    try {
      const page = await get(`/assets${query({ ...this.options.filter(), offset: part.offset, limit: part.count })}`);
      const top = -this.body.getBoundingClientRect().top;
      const before = part.height;
      part.photos = page.items;
      this.measure(part);
      this.stack();
      this.drop(this.parts.indexOf(part));
      for (const [at, node] of this.nodes) this.put(node, this.parts[at]);
      if (part.y + before < top) scrollBy(0, part.height - before);
      this.drawSoon();
    } catch (problem) { part.asked = null; this.options.failed(problem); }
  }

  hide(at) {
    const node = this.nodes.get(at);
    if (node && !node.contains(document.activeElement)) this.drop(at);
  }

  drop(at) {
    this.nodes.get(at)?.remove();
    this.nodes.delete(at);
  }

  /** Shows what of a stretch is near the view. */
  show(part, at, from, to) {
    const key = part.laid ? `${Math.floor(from / 200)}` : "bones";
    const node = this.nodes.get(at) ?? this.insert(at, this.stretch(part));
    if (node.dataset.key === key) return;
    if (!part.laid) node.append(el("span", { class: "bone" }));
    else if (!this.fillIn(node, part, from, to)) { this.drawSoon(); return; }
    node.dataset.key = key;
  }

  stretch(part) {
    const node = el("div", { class: "stretch" });
    this.put(node, part);
    return node;
  }

  put(node, part) { Object.assign(node.style, { insetBlockStart: `${part.y}px`, blockSize: `${part.height}px` }); }

  /** Adds headings and photos of a stretch that have come near the view, as many as are left for this frame;
   * removes those that no longer are, but for the one that has the focus. Returns whether all are there. */
  fillIn(node, part, from, to) {
    const near = ({ y, height }) => part.y + y < to && part.y + y + height > from;
    const wanted = new Map([...part.laid.headings.map((one) => [2 * one.at, { ...one, height: HEADING }]), ...part.laid.boxes.map((box) => [2 * box.at + 1, box])].filter(([, box]) => near(box)));
    for (const shown of [...node.children]) if (!wanted.has(shown.place) && shown !== document.activeElement) shown.remove();
    const there = new Set([...node.children].map((shown) => shown.place));
    for (const [place, box] of wanted) {
      if (there.has(place)) continue;
      if (this.left-- <= 0) return false;
      const made = place % 2 ? this.photo(part, box) : this.heading(part, box);
      made.place = place;
      node.insertBefore(made, [...node.children].find((shown) => shown.place > place) ?? null);
    }
    return true;
  }

  insert(at, node) {
    const next = [...this.nodes.keys()].filter((other) => other > at).sort((a, b) => a - b)[0];
    this.body.insertBefore(node, next === undefined ? null : this.nodes.get(next));
    this.nodes.set(at, node);
    return node;
  }

  heading(part, one) {
    const folders = new Set(part.photos.slice(one.at, one.at + one.count).map((photo) => photo.path?.split("/").slice(-2, -1)[0]));
    const folder = one.day !== null && folders.size === 1 ? [...folders][0] : null;
    const count = one.day === null ? part.months.find((each) => each.month === null)?.whole ?? one.count : one.count; // the undated are one heap
    const node = el("h2", {}, date(one.day), " ", el("small", {}, [folder, tn("{n} photo", "{n} photos", count)].filter(Boolean).join(" · ")));
    return set(node, one);
  }

  photo(part, box) {
    const photo = part.photos[box.at];
    const at = part.offset + box.at;
    const link = el("a", { href: `/photos/${photo.asset_id}${this.options.context?.(at) ?? ""}`, data: { at }, tabindex: at === this.focus ? 0 : -1, on: { focus: () => { this.focus = at; } } },
      el("img", { src: photo.thumbnail_url, alt: this.describe(photo), width: Math.round(box.width), height: Math.round(box.height), decoding: "async" }),
      photo.unknown_faces > 0 && el("span", { class: "flag" }, el("i", { "aria-hidden": "true" }), tn("{n} unknown", "{n} unknown", photo.unknown_faces)));
    return set(link, box);
  }

  describe(photo) {
    return [date(photo.taken_at), tn("{n} face", "{n} faces", photo.faces ?? 0)].join(", ");
  }

  /** Which photo is at the top of the view, how far below it, and which one had the focus. */
  anchor() {
    const top = -this.body.getBoundingClientRect().top;
    const part = this.parts.find((one) => one.laid && one.y + one.height > top);
    const box = part?.laid.boxes.find((one) => part.y + one.y + one.height > top);
    return box && scrollY > 0 ? { at: part.offset + box.at, below: top - part.y - box.y, focus: this.focus } : null;
  }

  /** To where one was before, whatever heights were guessed. */
  async back({ at, below, focus }) {
    const part = this.parts.find((one) => at >= one.offset && at < one.offset + one.count);
    if (!part) return;
    await this.fetch(part);
    const box = part.laid?.boxes.find((one) => one.at === at - part.offset);
    this.focus = focus;
    if (box) scrollTo(0, scrollY + this.body.getBoundingClientRect().top + part.y + box.y + below);
    this.draw();
    this.node(focus)?.focus({ preventScroll: true });
  }

  /** Goes to a month; once more when its photos have come, since heights were guessed. */
  async go(month) {
    const part = this.parts.find((one) => one.months.some((each) => each.month === month));
    if (!part) return;
    const { offset } = part.months.find((one) => one.month === month);
    const jump = () => {
      const heading = part.laid?.headings.filter((one) => part.offset + one.at <= offset).at(-1);
      scrollTo(0, scrollY + this.body.getBoundingClientRect().top + part.y + (heading?.y ?? 0) - 72);
    };
    if (!part.photos) { jump(); await this.fetch(part); }
    jump();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const forward = getComputedStyle(this.body).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: this.focus + forward, ArrowLeft: this.focus - forward, ArrowDown: this.below(1), ArrowUp: this.below(-1), Home: 0, End: this.total - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.step(Math.min(this.total - 1, Math.max(0, to)));
  }

  /** The photo below or above the focused one. */
  below(direction) {
    const boxes = this.parts.flatMap((part) => (part.laid ? part.laid.boxes.map((box) => ({ at: part.offset + box.at, x: box.x + box.width / 2, y: part.y + box.y })) : []));
    const own = boxes.find((box) => box.at === this.focus);
    if (!own) return this.focus;
    const others = boxes.filter((box) => (box.y - own.y) * direction > 4);
    const nearest = Math.min(...others.map((box) => Math.abs(box.y - own.y)));
    const row = others.filter((box) => Math.abs(Math.abs(box.y - own.y) - nearest) < 4);
    return row.sort((a, b) => Math.abs(a.x - own.x) - Math.abs(b.x - own.x))[0]?.at ?? this.focus;
  }

  async step(at) {
    this.focus = at;
    const part = this.parts.find((one) => at >= one.offset && at < one.offset + one.count);
    if (!part.photos) await this.fetch(part);
    const box = part.laid?.boxes.find((one) => one.at === at - part.offset);
    if (!box) return;
    const y = scrollY + this.body.getBoundingClientRect().top + part.y + box.y;
    if (y < scrollY + 100 || y + box.height > scrollY + innerHeight - 40) scrollTo(0, y - innerHeight / 3);
    this.draw();
    for (const node of this.body.querySelectorAll("a")) node.tabIndex = Number(node.dataset.at) === at ? 0 : -1;
    this.node(at)?.focus({ preventScroll: true });
  }

  node(at) { return this.body.querySelector(`[data-at="${at}"]`); }
}

const set = (node, { x, y, width, height }) => {
  Object.assign(node.style, { insetInlineStart: `${x}px`, insetBlockStart: `${y}px`, inlineSize: `${width}px`, blockSize: `${height}px` });
  return node;
};
