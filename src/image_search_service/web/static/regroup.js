// What grouping all faces without a name again would change: looked at with faces, then applied or left alone.
import { button, crop, el, fill, notice, one } from "./dom.js";
import { get, post } from "./api.js";
import { failed } from "./decide.js";
import { onEvent } from "./stream.js";
import { date, faces, number, t, tn } from "./words.js";

const SHOWN = 5;
const place = one("#regroup");
const again = one("#group-again");
let job = null;
let applied = () => {};

/** Shows what waits, if anything does. `done` is called when it was applied. */
export const showProposal = async (done) => { applied = done; await show(); };

const show = async ({ asked = false } = {}) => {
  try {
    const { proposal } = await get("/faces/cluster/proposal");
    if (proposal && (proposal.moved || asked)) draw(proposal);
    else fill(place);
  } catch (problem) { failed(problem, () => show({ asked })); }
};

const compute = async () => {
  try {
    job = await post("/faces/cluster/proposal");
    again.disabled = true;
    fill(place, notice("quiet", "groups", el("span", { role: "status" }, t("All faces without a name are compared again. Nothing changes yet."))));
  } catch (problem) { failed(problem, compute); }
};
again.addEventListener("click", compute);
onEvent("job", (now) => {
  if (now.id !== job?.id || !["succeeded", "failed", "cancelled"].includes(now.state)) return;
  job = null;
  again.disabled = false;
  if (now.state === "succeeded") show({ asked: true });
  else fill(place, notice("bad", "warning", now.error || t("This has failed")));
});

const draw = (proposal) => {
  const shown = proposal.changes.slice(0, SHOWN);
  const more = proposal.changes.length - shown.length;
  fill(place, el("section", { class: "panel regroup", "aria-labelledby": "regroup-title" },
    el("h2", { id: "regroup-title" }, proposal.moved ? tn("Grouping again would move {n} face", "Grouping again would move {n} faces", proposal.moved) : t("Grouping again would change nothing")),
    el("p", { class: "soft" }, [date(proposal.created_at), ...sums(proposal)].join(", ")),
    proposal.is_stale && notice("care", "warning", t("Something was decided or grouped since. It has to be computed again.")),
    shown.length > 0 && el("ul", { class: "changes" }, shown.map(change)),
    more > 0 && el("p", { class: "soft" }, tn("{n} smaller change is not shown.", "{n} smaller changes are not shown.", more)),
    el("div", { class: "buttons" }, proposal.is_stale ? button(t("Compute again"), compute, { look: "primary" }) : proposal.moved > 0 && button(t("Apply"), () => end(proposal, "apply"), { look: "primary" }),
      button(t("Leave the groups as they are"), () => end(proposal, "drop")))));
};

const sums = ({ joined, split, new: fresh, dissolved }) => [
  joined && tn("{n} group takes in another", "{n} groups take in others", joined), split && tn("{n} group is split", "{n} groups are split", split),
  fresh && tn("{n} new group", "{n} new groups", fresh), dissolved && tn("{n} group is dissolved", "{n} groups are dissolved", dissolved),
].filter(Boolean);

const change = ({ before, after }) => el("li", {}, side(t("Now"), before), side(t("Afterwards"), after));
const side = (title, groups) => el("div", {}, el("h3", { class: "small" }, title), groups.map(group));
const group = ({ cluster_id, size, faces: some }) => el("div", { class: "lot" },
  el("span", { class: "small soft" }, cluster_id ? faces(size) : tn("{n} face is alone", "{n} faces are alone", size)),
  el("span", { class: "crops" }, some.map((face) => crop(face.crop_url)), size > some.length && el("span", { class: "small soft number" }, `+ ${number(size - some.length)}`)));

const end = async (proposal, how) => {
  try {
    await post(`/faces/cluster/proposal/${proposal.id}/${how}`);
    fill(place);
    again.focus();
    if (how === "apply") applied();
  } catch (problem) {
    if (problem.status === 409 || problem.status === 404) show({ asked: true });
    else failed(problem, () => end(proposal, how));
  }
};
