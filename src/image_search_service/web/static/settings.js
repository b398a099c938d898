// Settings of this browser: language, theme, single keys, one's name.
import { one } from "./dom.js";
import { keep, setSingleKeys } from "./keys.js";
import { setTheme } from "./frame.js";

one("#language").addEventListener("change", (event) => { keep("language", event.target.value); location.reload(); });
one("#theme").addEventListener("change", (event) => setTheme(event.target.value));
one("#keys").addEventListener("change", (event) => setSingleKeys(event.target.checked));

const actor = one("#actor");
if (!actor.disabled) try { actor.value = localStorage.getItem("actor") ?? ""; } catch { actor.disabled = true; }
actor.addEventListener("change", () => { try { localStorage.setItem("actor", actor.value.trim()); } catch { /* a private window */ } });
