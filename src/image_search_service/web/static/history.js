// History: everything that was said, the newest first.
import { all, one } from "./dom.js";
import { ledger } from "./history-list.js";
import { keys } from "./keys.js";
import { t } from "./words.js";
import "./frame.js";

const move = (by) => {
  const lines = all(".decision");
  const at = lines.indexOf(document.activeElement?.closest(".decision"));
  const to = lines[Math.min(lines.length - 1, Math.max(0, at + by))];
  to?.focus();
};
const undo = () => { const button = document.activeElement?.closest(".decision") && one("button", document.activeElement.closest(".decision")); if (!button) return false; button.click(); return true; };

keys("screen", [
  { keys: ["ArrowDown"], caps: ["ArrowUp", "ArrowDown"], label: t("From line to line"), run: () => move(1) },
  { keys: ["ArrowUp"], hidden: true, label: "", run: () => move(-1) },
  { keys: ["u"], label: t("Undo the focused line"), run: undo },
]);
ledger(one("#history"));
