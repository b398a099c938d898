// Makes elements. Texts go in as text nodes, so that a name is never HTML.
import { rooted } from "./address.js";

/** The first element that a selector finds. */
export const one = (selector, within = document) => within.querySelector(selector);
/** All elements that a selector finds, as an array. */
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/**
 * An element. attributes: `on` holds listeners, `data` a dataset; true is an empty attribute, null and false none.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children nodes, texts, arrays of them; null is left out
 */
export const el = (tag, attributes = {}, ...children) => dress(document.createElement(tag), attributes, children);

/** The same for SVG. */
export const svg = (tag, attributes = {}, ...children) =>
  dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Attributes that hold an address: those of this service are written from its root. */
const ADDRESSES = new Set(["href", "src"]);

const dress = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") for (const [event, run] of Object.entries(value)) node.addEventListener(event, run);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : ADDRESSES.has(name) ? rooted(String(value)) : String(value));
  }
  node.append(...flat(children));
  return node;
};

const flat = (children) => children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/** Puts these children in place of all that a node had. */
export const fill = (node, ...children) => { node.replaceChildren(...flat(children)); return node; };

const sprite = new URL("icons.svg", import.meta.url).href;

/** An icon of the sprite. */
export const icon = (name, more = "") =>
  svg("svg", { class: `icon ${more}`.trim(), "aria-hidden": "true" }, svg("use", { href: `${sprite}#${name}` }));

/** How a key is shown on a button. */
export const keycap = (text) => el("kbd", { "aria-hidden": "true" }, text);

/** A button. key: [its name for aria-keyshortcuts, its cap]. */
export const button = (label, run, { key = null, look = "", symbol = null, ...more } = {}) =>
  el("button", { type: "button", class: `button ${look}`.trim(), "aria-keyshortcuts": key && key[0], ...more, on: { click: run } },
    symbol && icon(symbol), label, key && [" ", keycap(key[1])]);

/** A round button with an icon only. */
export const round = (symbol, label, run, more = {}) =>
  el("button", { type: "button", class: "round", "aria-label": label, title: label, ...more, on: { click: run } }, icon(symbol, more.turns ? "turns" : ""));

/** An address of the API with a size. */
export const sized = (url, side) => `${url}${url.includes("?") ? "&" : "?"}side=${side}`;

/** A picture of a face, a rounded square. side: 192 or 512 pixels asked for. */
export const crop = (url, alt = "", side = 192) =>
  el("img", { src: side === 192 ? url : sized(url, side), alt, width: side, height: side, decoding: "async" });

/** A person's cover, a circle; a sign where there is no face yet. */
export const cover = (url, more = "", alt = "") => url
  ? el("img", { class: `cover ${more}`.trim(), src: url, alt, width: 160, height: 160, decoding: "async" })
  : el("span", { class: `cover none ${more}`.trim() }, icon("person"));

/** A photo's address at a width. */
export const pictureUrl = (assetId, side) => `/api/v1/assets/${assetId}/picture?side=${side}`;

/** Likeness: a mark of three bars, and words. level: very, quite or hardly. */
export const likeness = (level, words) => {
  const bars = { very: 3, quite: 2, hardly: 1 }[level] ?? 0;
  const bar = (number) => svg("rect", { class: number < bars ? "on" : null, x: 1 + 8 * number, y: 9 - 4 * number, width: 6, height: 3 + 4 * number, rx: 1 });
  return el("span", { class: "likeness" }, svg("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" }, [0, 1, 2].map(bar)), el("span", {}, words));
};

/** A notice: look is bad, care or quiet. */
export const notice = (look, symbol, words, ...buttons) =>
  el("section", { class: `notice ${look}`, role: look === "bad" ? "alert" : "status" }, icon(symbol), el("div", {}, words),
    buttons.length > 0 && el("div", { class: "buttons" }, buttons));

/** A screen with nothing on it: one sentence and the next step. */
export const empty = (symbol, title, words, ...buttons) =>
  el("div", { class: "empty" }, icon(symbol), el("h2", {}, title), el("p", {}, words), el("div", { class: "buttons" }, buttons));

/** A link that looks like a button. */
export const link = (label, href, look = "") => el("a", { class: `button ${look}`.trim(), href }, label);

/** Where a face is in its photo, in hundredths: x, y, width, height. */
export const hundredths = ({ box, photo_width: width, photo_height: height }) => ({
  x: (100 * box.x) / width, y: (100 * box.y) / height, width: (100 * box.width) / width, height: (100 * box.height) / height,
});

let masks = 0;
/** A photo with one face outlined and the rest dimmed. */
export const framed = (face, alt, side = 640) => {
  const id = `mask-${masks += 1}`;
  const place = Object.fromEntries(Object.entries(hundredths(face)).map(([name, value]) => [name, `${value}%`]));
  const mark = (look, more = {}) => svg("rect", { class: look, ...place, rx: 8, ...more });
  const scale = Math.min(1, side / Math.max(face.photo_width, face.photo_height));
  return el("figure", { class: "frame" },
    el("img", { src: pictureUrl(face.asset_id, side), alt, width: Math.round(face.photo_width * scale), height: Math.round(face.photo_height * scale) }),
    svg("svg", { class: "marks", "aria-hidden": "true" },
      svg("mask", { id }, svg("rect", { width: "100%", height: "100%", fill: "#fff" }), mark(null, { fill: "#000" })),
      svg("rect", { class: "dim", width: "100%", height: "100%", mask: `url(#${id})` }), mark("under"), mark("over")));
};
