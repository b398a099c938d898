// Calls the API. What it refuses is a Problem with its words; a service that does not answer is one, too.
import { openPage, rooted } from "./address.js";
import { t } from "./words.js";

const BASE = "/api/v1";

/** What went wrong: `status` is 0 when the service did not answer. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || (status === 404 ? t("This is not there any more.") : t("The service does not answer.")));
    this.status = status;
    this.hint = body.hint ?? "";
    this.body = body;
  }

  /** Whether somebody else was quicker, so that the answer was given to something else. */
  get stale() { return this.status === 409; }
  get away() { return this.status === 0 || this.status >= 500; }
}

const actor = () => { try { return localStorage.getItem("actor") || null; } catch { return null; } };

const call = async (path, options = {}) => {
  let answer;
  try {
    answer = await fetch(rooted(path.startsWith(BASE) ? path : BASE + path), { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0);
  }
  if (answer.status === 401) { openPage("/"); return new Promise(() => {}); }
  if (answer.headers.has("Preference-Applied")) throw new Problem(404);
  if (answer.status === 204) return null;
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
};

/** Asks. `signal` gives up. What is not there is a Problem of 404; it comes as a 204, of which a browser does not write on its console. */
export const get = (path, signal) => call(path, { signal, headers: { Prefer: "missing=empty" } });

/** Says. */
export const post = (path, body = {}) => {
  const name = actor();
  const headers = { "Content-Type": "application/json", ...(name ? { "X-Actor": encodeURIComponent(name) } : {}) };
  return call(path, { method: "POST", headers, body: JSON.stringify(body) });
};

/** Hands over a file as it is. */
export const send = (path, file, type) => call(path, { method: "POST", headers: { "Content-Type": type }, body: file });

/** A query of what is set; arrays give their name several times. */
export const query = (values) => {
  const pairs = Object.entries(values).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((each) => [name, each]));
  const text = new URLSearchParams(pairs.filter(([, value]) => value !== null && value !== undefined && value !== "")).toString();
  return text ? `?${text}` : "";
};

let known = null;
/** All names with covers and numbers of faces; the browser keeps them and asks whether they have changed. */
export const names = () => {
  known ??= get("/persons/names").then((answer) => answer.names).catch((error) => { known = null; throw error; });
  return known;
};
/** After a decision that changes names: they are asked for again when they are needed next. */
export const forgetNames = () => { known = null; };

/** What the library holds, asked once a page unless it has changed. */
let counted = null;
export const library = ({ fresh = false } = {}) => {
  if (!counted || fresh) counted = get("/library").catch((error) => { counted = null; throw error; });
  return counted;
};
