// The photo page's zoom: its buttons, how large it is, and a picture with enough pixels.
import { rooted } from "./address.js";
import { one, pictureUrl } from "./dom.js";
import { number, t } from "./words.js";
import { Zoom } from "./zoom.js";

/** The longer side, in pixels, of the largest picture that the service makes. */
export const LARGEST = 2560;

/** Takes the largest picture once the photo is shown larger than the one there is has pixels for. */
const sharpen = (canvas, photo) => {
  const picture = one("img", canvas);
  const wanted = Math.min(photo.width ?? 0, canvas.offsetWidth * devicePixelRatio);
  if (!picture?.src.includes("/picture") || picture.src.endsWith(`=${LARGEST}`) || picture.naturalWidth >= wanted) return;
  const larger = new Image();
  larger.addEventListener("load", () => { picture.src = larger.src; }, { once: true });
  larger.src = rooted(pictureUrl(photo.asset_id, LARGEST));
};

/**
 * @param {HTMLElement} view
 * @param {HTMLElement} canvas
 * @param {{photo: () => any, held: () => boolean}} options photo: null until it is known. held: whether pointers do something else
 */
export const photoZoom = (view, canvas, { photo, held }) => {
  const [larger, smaller] = [one("#larger"), one("#smaller")];
  const changed = (scale) => {
    one("#scale").textContent = scale > 1 ? t("{n} %", { n: number(Math.round(100 * scale)) }) : "";
    smaller.hidden = scale === 1;
    if (scale > 1 && photo()) sharpen(canvas, photo());
  };
  const zoom = new Zoom(view, canvas, { held, changed });
  larger.addEventListener("click", () => zoom.in());
  smaller.addEventListener("click", () => { zoom.out(); if (!zoom.on) larger.focus(); });
  return zoom;
};
