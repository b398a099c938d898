// A photo larger than its place: by wheel, two fingers, double click, keys and buttons; moved by dragging and arrows.
// The canvas itself grows, so that boxes, which lie on it in shares, and pointers, which are measured by it, follow.

/** How much larger than whole at most. */
const MOST = 8;
/** What one press of a key or button, and a double click, enlarge by. */
const STEP = 1.5;
const DOUBLE = 3;
/** What an arrow key moves by, in shares of the place. */
const SHIFT = 0.2;
/** How far a pointer goes, in pixels, before it drags. */
const DRAGGED = 6;
/** Of a wheel's pixels, and of those of two fingers on a touchpad, which come as a wheel with Ctrl. */
const BY_WHEEL = 0.0016;
const BY_PAD = 0.01;
const LINE = 20;

const within = (low, value, high) => Math.max(low, Math.min(value, high));

/** @typedef {{scale: number, x: number, y: number}} Place scale: 1 is whole; x, y: how far the photo's middle is from its place's, in pixels */
/** @typedef {{width: number, height: number}} Size */

/** Enlarged around a point, which stays where it is. point: from the middle of the place, in pixels. @returns {Place} */
export const scaled = (place, by, point) => {
  const scale = within(1, place.scale * by, MOST);
  const grown = scale / place.scale;
  return { scale, x: point.x - (point.x - place.x) * grown, y: point.y - (point.y - place.y) * grown };
};

/** The nearest place in which no edge of the photo comes further in than it must. whole: the photo's size at scale 1. @returns {Place} */
export const kept = ({ scale, x, y }, whole, room) => {
  const [across, down] = [Math.max(0, (whole.width * scale - room.width) / 2), Math.max(0, (whole.height * scale - room.height) / 2)];
  return { scale, x: within(-across, x, across), y: within(-down, y, down) };
};

export class Zoom {
  /**
   * @param {HTMLElement} view the place
   * @param {HTMLElement} canvas what grows in it
   * @param {{held: () => boolean, changed: (scale: number) => void}} options held: whether pointers do something else now
   */
  constructor(view, canvas, options) {
    Object.assign(this, { view, canvas, options, place: { scale: 1, x: 0, y: 0 }, pointers: new Map(), dragged: false });
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    view.addEventListener("dblclick", (event) => this.double(event));
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, (event) => this.up(event));
    view.addEventListener("click", (event) => this.click(event), true);
    // two fingers are ours, whatever the browser would do with them
    for (const name of ["touchstart", "touchmove"]) view.addEventListener(name, (event) => { if (event.touches.length > 1 && event.cancelable) event.preventDefault(); }, { passive: false });
    canvas.addEventListener("focusin", (event) => this.reveal(event.target));
    new ResizeObserver(() => this.set(this.place)).observe(view);
  }

  /** Whether the photo is larger than whole. */
  get on() { return this.place.scale > 1; }

  get room() { return { width: this.view.clientWidth, height: this.view.clientHeight }; }
  /** What of the photo is in view, in shares of it. */
  get seen() {
    const [frame, photo] = [this.view.getBoundingClientRect(), this.canvas.getBoundingClientRect()];
    const [left, top] = [Math.max(frame.left, photo.left), Math.max(frame.top, photo.top)];
    const [right, bottom] = [Math.min(frame.right, photo.right), Math.min(frame.bottom, photo.bottom)];
    return { x: (left - photo.left) / photo.width, y: (top - photo.top) / photo.height, width: (right - left) / photo.width, height: (bottom - top) / photo.height };
  }

  get whole() { return { width: this.canvas.offsetWidth / this.place.scale, height: this.canvas.offsetHeight / this.place.scale }; }

  set(place) {
    const next = kept(place, this.whole, this.room);
    const { scale } = this.place;
    this.place = next;
    for (const [name, value] of [["--zoom", next.scale], ["--left", `${next.x}px`], ["--top", `${next.y}px`]]) this.canvas.style.setProperty(name, String(value));
    this.view.classList.toggle("zoomed", this.on);
    if (next.scale !== scale) this.options.changed(next.scale);
  }

  /** Larger or smaller around a point; else around the face that has the focus, or the middle. */
  by(factor, point = this.focused) { this.set(scaled(this.place, factor, point)); return true; }

  get focused() {
    const box = document.activeElement;
    if (!box || box === this.canvas || !this.canvas.contains(box)) return { x: 0, y: 0 };
    const { left, top, width, height } = box.getBoundingClientRect();
    return this.at({ clientX: left + width / 2, clientY: top + height / 2 });
  }

  in() { return this.by(STEP); }
  out() { return this.by(1 / STEP); }
  reset() { this.set({ scale: 1, x: 0, y: 0 }); return true; }

  /** Looks further in a direction: 1, 0 or -1 to the right and downwards. */
  shift(right, down) {
    const { scale, x, y } = this.place;
    this.set({ scale, x: x - right * SHIFT * this.room.width, y: y - down * SHIFT * this.room.height });
    return true;
  }

  /** Moves the photo so far that an element on it is seen. */
  reveal(node) {
    if (!this.on) return;
    const [frame, box] = [this.view.getBoundingClientRect(), node.getBoundingClientRect()];
    const past = (low, high, first, last) => (first < low ? low - first : last > high ? Math.max(low - first, high - last) : 0);
    const { scale, x, y } = this.place;
    this.set({ scale, x: x + past(frame.left, frame.right, box.left, box.right), y: y + past(frame.top, frame.bottom, box.top, box.bottom) });
  }

  /** A pointer's place from the middle. */
  at({ clientX, clientY }) {
    const frame = this.view.getBoundingClientRect();
    return { x: clientX - frame.left - frame.width / 2, y: clientY - frame.top - frame.height / 2 };
  }

  /** Where the page itself scrolls past the photo, a wheel alone goes on doing so. */
  wheel(event) {
    if (!event.ctrlKey && matchMedia("(max-width: 60rem)").matches) return;
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? 1 : LINE);
    if (!event.ctrlKey && !this.on && pixels > 0) return;
    event.preventDefault();
    this.by(Math.exp(-pixels * (event.ctrlKey && Math.abs(pixels) < LINE * 2 ? BY_PAD : BY_WHEEL)), this.at(event));
  }

  double(event) {
    if (this.options.held() || event.target.closest(".box")) return;
    if (this.on) this.reset(); else this.by(DOUBLE, this.at(event));
  }

  down(event) {
    if (this.options.held() || event.button !== 0) return;
    if (event.pointerType !== "touch") this.pointers.clear();
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.dragged = false;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before || this.options.held()) return;
    const now = { x: event.clientX, y: event.clientY };
    if (this.pointers.size === 2) this.pinch(event, now);
    else if (this.on) { if (!this.drag(event, before, now)) return; } else return;
    this.pointers.set(event.pointerId, now);
  }

  /** Two fingers: what is between them stays between them. */
  pinch(event, now) {
    const [one, other] = [...this.pointers].map(([id, point]) => [point, id === event.pointerId ? now : point]);
    const apart = (at) => Math.hypot(one[at].x - other[at].x, one[at].y - other[at].y);
    const middle = (at) => this.at({ clientX: (one[at].x + other[at].x) / 2, clientY: (one[at].y + other[at].y) / 2 });
    const [from, to] = [middle(0), middle(1)];
    const { scale, x, y } = scaled(this.place, apart(1) / Math.max(1, apart(0)), from);
    this.dragged = true;
    this.set({ scale, x: x + to.x - from.x, y: y + to.y - from.y });
  }

  drag(event, before, now) {
    if (!this.dragged && Math.hypot(now.x - before.x, now.y - before.y) < DRAGGED) return false;
    this.dragged = true;
    this.view.setPointerCapture(event.pointerId);
    const { scale, x, y } = this.place;
    this.set({ scale, x: x + now.x - before.x, y: y + now.y - before.y });
    return true;
  }

  /** What ends a drag presses nothing: its click comes before the next task. */
  up(event) {
    this.pointers.delete(event.pointerId);
    setTimeout(() => { this.dragged = false; });
  }

  click(event) { if (this.dragged) { event.preventDefault(); event.stopPropagation(); } }
}
