// What happens on the server, told once to all tabs: one tab holds the stream, the others hear it from that one.
// A browser opens six connections to a host; with a stream in every tab, the seventh tab would wait for ever.
import { rooted } from "./address.js";
import { query } from "./api.js";

const AGAIN_MILLISECONDS = 3_000;
const NAME = `image-search-events${rooted("/")}`;
const KINDS = ["job", "decision", "library"];
const listeners = new Map(KINDS.map((kind) => [kind, new Set()]));
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(NAME) : null;

/** Calls `run` with the data of each event of a kind: job, decision, library. */
export const onEvent = (kind, run) => {
  listeners.get(kind).add(run);
  start();
  return () => listeners.get(kind).delete(run);
};

const tell = (kind, data) => { for (const run of [...listeners.get(kind)]) run(data); };
/** The last event that was heard; until then, where the events were when the page was made: what it fetched is no older. */
let last = document.documentElement.dataset.events ?? "";
channel?.addEventListener("message", ({ data }) => { last = data.last; tell(data.kind, data.data); });

let source = null;
let again = 0;
/** A browser opens a stream again that has ended, but none that was refused, as a proxy does while no service runs. */
const open = () => {
  source = new EventSource(rooted(`/api/v1/events${query({ after: last })}`));
  source.addEventListener("error", ({ target }) => {
    if (target.readyState === EventSource.CLOSED && target === source) again = setTimeout(open, AGAIN_MILLISECONDS);
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ data, lastEventId }) => {
      const value = JSON.parse(data);
      last = lastEventId;
      tell(kind, value);
      channel?.postMessage({ kind, data: value, last });
    });
  }
};
const close = () => { clearTimeout(again); source?.close(); source = null; };

let wanted = null;
/** Leads as soon as no other tab does; without locks (plain HTTP beyond this machine) each visible tab has its own. */
const lead = () => {
  if (wanted || document.hidden) return;
  wanted = new AbortController();
  const { signal } = wanted;
  const until = new Promise((resolve) => signal.addEventListener("abort", resolve));
  if (!navigator.locks) { open(); until.then(close); return; }
  navigator.locks.request(NAME, { signal }, async () => { open(); await until; close(); }).catch(() => close());
};
const leave = () => { wanted?.abort(); wanted = null; close(); };

let started = false;
const start = () => {
  if (started) return;
  started = true;
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : lead()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", lead);
  lead();
};
