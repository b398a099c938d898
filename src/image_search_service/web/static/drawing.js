// The box of a face, drawn over a photo: dragged with a mouse, set by two taps, or placed by keys.
import { button, el, fill } from "./dom.js";
import { keys } from "./keys.js";
import { number, t } from "./words.js";

/** @typedef {{x: number, y: number, width: number, height: number}} Box in shares of the photo, 0 to 1 */

/** What a key moves or sizes by, in shares of the photo's width. */
const STEP = 0.01;
/** Pixels that both sides of a box have at least, as the service asks. */
const LEAST = 8;
/** How far a pointer goes, in pixels of the screen, before it drags. */
const DRAGGED = 6;
/** Milliseconds without a key after which a place is told to screen readers. */
const SETTLED = 400;

const within = (low, value, high) => Math.max(low, Math.min(value, high));

/** The box elsewhere, inside of the photo. */
export const moved = (box, dx, dy) => ({ ...box, x: within(0, box.x + dx, 1 - box.width), y: within(0, box.y + dy, 1 - box.height) });

/** The box with its lower right corner elsewhere. least: shares that its sides have at least. */
export const sized = (box, dx, dy, least) => ({ ...box, width: within(least.width, box.width + dx, 1 - box.x), height: within(least.height, box.height + dy, 1 - box.y) });

/** The box between two corners. */
export const between = (one, other, least) => {
  const [x, y] = [Math.min(one.x, other.x), Math.min(one.y, other.y)];
  const box = { x: Math.min(x, 1 - least.width), y: Math.min(y, 1 - least.height), width: 0, height: 0 };
  return sized(box, Math.abs(one.x - other.x), Math.abs(one.y - other.y), least);
};

/** A square in the middle of what is seen of a photo. ratio: the photo's width by its height. */
const inTheMiddle = (seen, ratio) => {
  const width = 0.2 * Math.min(seen.width, seen.height / ratio);
  return { x: seen.x + (seen.width - width) / 2, y: seen.y + (seen.height - width * ratio) / 2, width, height: width * ratio };
};

export class BoxDrawing {
  /**
   * @param {HTMLElement} canvas holds the picture, and is as large as it
   * @param {HTMLElement} tools where the words and buttons are shown while a box is drawn
   * @param {{size: () => {width: number, height: number}, seen: () => Box, fresh: (box: Box) => void, held: () => boolean, shown: (draft: Node) => void, ended: () => void}} options
   *   size: the photo's, in pixels. seen: what of it is in view. fresh: takes a box that a mouse drew unasked.
   *   held: whether a mouse that was not asked to draw does something else. shown: a key has moved the draft. ended: nothing is drawn any more
   */
  constructor(canvas, tools, options) {
    Object.assign(this, { canvas, tools, options, take: null, press: null });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", () => { this.press = null; });
    canvas.addEventListener("dragstart", (event) => event.preventDefault());
  }

  /** Whether a box is being drawn. */
  get on() { return this.take !== null; }

  /** Begins to draw. box: one that is moved; a new one lies in the middle until it is placed. take: gets it. */
  begin(take, box = null) {
    const { width, height } = this.options.size();
    this.least = { width: LEAST / width, height: LEAST / height };
    this.ratio = width / height;
    Object.assign(this, { take, isNew: !box, placed: Boolean(box), corner: null, opener: document.activeElement });
    this.draft?.remove();
    this.draft = el("div", { class: "draft", tabindex: 0, role: "application", "aria-roledescription": t("box") }, el("span", { class: "grip" }));
    this.canvas.append(this.draft);
    this.canvas.classList.add("drawing");
    this.telling = el("p", { role: "status" }, t("Draw it, or tap two corners. Arrows move it, Shift and arrows size it."));
    fill(this.tools, this.telling, el("div", { class: "buttons" },
      button(t("Take this box"), () => this.finish(), { key: ["Enter", t("Enter")], look: "primary" }), button(t("Cancel"), () => this.end(), { key: ["Escape", "Esc"] })));
    this.tools.hidden = false;
    this.show(box ?? inTheMiddle(this.options.seen(), this.ratio));
    this.draft.focus({ preventScroll: true });
    keys("drawing", this.keys());
  }

  keys() {
    const arrows = [["ArrowLeft", -1, 0], ["ArrowRight", 1, 0], ["ArrowUp", 0, -1], ["ArrowDown", 0, 1]];
    const by = (change) => (event) => {
      const [, dx, dy] = arrows.find(([key]) => key === event.key);
      this.placed = true;
      this.show(change(this.box, dx * STEP, dy * STEP * this.ratio, this.least));
      this.options.shown(this.draft);
      this.tellSoon();
    };
    const names = arrows.map(([key]) => key);
    return [
      { keys: names, label: t("Move the box"), run: by(moved) },
      { keys: names.map((key) => `Shift+${key}`), caps: ["Shift", ...names], label: t("Size the box"), run: by(sized) },
      { keys: ["Enter"], label: t("Take this box"), run: () => this.finish() },
      { keys: ["Escape"], label: t("Cancel"), run: () => this.end() },
    ];
  }

  show(box) {
    this.box = box;
    for (const [side, share] of [["left", box.x], ["top", box.y], ["width", box.width], ["height", box.height]]) this.draft.style[side] = `${100 * share}%`;
    this.draft.setAttribute("aria-label", t("Box of a face: {x} % from the left, {y} % from the top, {width} % wide, {height} % high", this.percent));
  }

  get percent() { return Object.fromEntries(Object.entries(this.box).map(([side, share]) => [side, number(Math.round(100 * share))])); }

  /** Tells the place once the keys rest. */
  tellSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => { if (this.on) this.telling.textContent = t("{x} % from the left, {y} % from the top, {width} % wide, {height} % high", this.percent); }, SETTLED);
  }

  finish() {
    const { take, box } = this;
    this.end();
    take(box);
  }

  end() {
    this.take = null;
    this.press = null;
    this.draft.remove();
    this.canvas.classList.remove("drawing");
    fill(this.tools);
    this.tools.hidden = true;
    keys("drawing", []);
    this.options.ended();
    this.opener?.focus({ preventScroll: true });
  }

  at(event) {
    const frame = this.canvas.getBoundingClientRect();
    return { x: within(0, (event.clientX - frame.left) / frame.width, 1), y: within(0, (event.clientY - frame.top) / frame.height, 1) };
  }

  down(event) {
    const unasked = !this.on;
    if (event.button !== 0 || (unasked && (event.pointerType !== "mouse" || !event.target.matches("img") || this.options.held()))) return;
    const grip = this.placed && !unasked ? (event.target.matches(".grip") ? "size" : event.target === this.draft ? "place" : "new") : "new";
    this.press = { grip, unasked, from: this.at(event), box: this.box, x: event.clientX, y: event.clientY, dragged: false };
    if (!unasked) event.preventDefault();
  }

  move(event) {
    const { press } = this;
    if (!press || (!press.dragged && Math.hypot(event.clientX - press.x, event.clientY - press.y) < DRAGGED)) return;
    if (!press.dragged) {
      press.dragged = true;
      if (press.unasked) this.begin(this.options.fresh);
      this.canvas.setPointerCapture(event.pointerId);
    }
    const now = this.at(event);
    const [dx, dy] = [now.x - press.from.x, now.y - press.from.y];
    this.show({ new: () => between(press.from, now, this.least), place: () => moved(press.box, dx, dy), size: () => sized(press.box, dx, dy, this.least) }[press.grip]());
  }

  up(event) {
    const { press } = this;
    this.press = null;
    if (!press || !this.on) return;
    if (!press.dragged) this.tap(press.from);
    this.placed ||= press.dragged;
    this.draft.focus({ preventScroll: true });
    // a mouse is exact enough: the box is drawn, and what is typed next is the name
    if (press.dragged && press.grip === "new" && this.isNew && event.pointerType === "mouse") this.finish();
  }

  /** The first tap sets one corner, the second the opposite one. */
  tap(point) {
    this.show(between(this.corner ?? point, point, this.least));
    this.placed = this.corner !== null;
    this.corner = this.corner === null ? point : null;
    this.telling.textContent = this.corner ? t("Now the opposite corner.") : t("Take this box, or change it.");
  }
}
