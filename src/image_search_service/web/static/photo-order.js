// The photos before and after one, in the order of the wall, or of the person, that one came from.
import { rooted } from "./address.js";
import { get, query } from "./api.js";
import { pictureUrl } from "./dom.js";
import { t } from "./words.js";

export class PhotoOrder {
  /** address: what the page was asked for, with the photo's place in that order, if it has one; before, after: links. */
  constructor(id, address, before, after) {
    Object.assign(this, { id, address, before, after, total: null });
    this.at = address.has("at") ? Number(address.get("at")) : null;
    for (const way of [before, after]) way.addEventListener("click", (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); this.go(way); } });
  }

  /** Which photo of how many it is, as text; null while that is not known. */
  get words() { return this.at !== null && this.total ? t("photo {at} of {total}", { at: this.at + 1, total: this.total }) : null; }

  /** Finds both and leads the links there. */
  async look() {
    const { at, address } = this;
    if (at === null) return;
    const filter = { person_id: address.getAll("person_id"), without: address.getAll("without"), unknown: address.get("unknown"), folder: address.get("folder"), order: address.get("order") ?? "-date" };
    const page = await get(`/assets${query({ ...filter, offset: Math.max(0, at - 1), limit: 3 })}`).catch(() => null);
    if (!page) return;
    this.total = page.total;
    const here = page.items.findIndex((one) => one.asset_id === this.id);
    this.lead(this.before, page.items[here - 1], at - 1);
    this.lead(this.after, page.items[here + 1], at + 1);
  }

  lead(way, neighbour, place) {
    if (!neighbour) return;
    const next = new URLSearchParams(this.address);
    next.delete("face");
    next.set("at", String(place));
    way.href = rooted(`/photos/${neighbour.asset_id}?${next}`);
    way.hidden = false;
    new Image().src = rooted(pictureUrl(neighbour.asset_id, 1600));
  }

  /** Goes there; false if there is no such photo. */
  go(way) { if (way.hidden) return false; location.replace(way.href); return true; }
}
