// Jobs in words.
import { faces, number, photos, t, tn } from "./words.js";

const TITLES = {
  detect_faces: t("Reading photos"), assign_faces: t("Giving faces to whom they resemble"), cluster_faces: t("Grouping what has no name"), cluster_dual: t("Grouping what has no name"), propose_grouping: t("Seeing what grouping again would change"),
  compute_centroids: t("Learning what people look like"), find_conflicts: t("Comparing people"), find_more_suggestions: t("Looking for more faces"), find_more_multi_prototype_suggestions: t("Looking for more faces"),
  find_more_centroid_suggestions: t("Looking for more faces"), expire_old_suggestions: t("Putting old suggestions away"), doctor: t("Examining the library"),
  read_metadata: t("Taking names from photos"), write_metadata: t("Writing names for other programs"), write_backup: t("Writing a backup"), make_pictures: t("Making pictures"), erase_photos: t("Erasing photos"),
};
export const jobTitle = (job) => TITLES[job.kind] ?? job.kind.replaceAll("_", " ");

/** Steps of a job of which nothing can be counted yet. */
const STEPS = { "Opening the face engine": t("Opening the face engine"), "Reading photos": t("Looking through the folders"), "Reading names": t("Taking names from photos"), "Comparing faces": t("Grouping what has no name") };

/** How far, how fast, and how long it will take: from when it was begun. */
export const progressWords = (job) => {
  if (!job.done && !job.total) return STEPS[job.progress?.text] ?? t("It is about to begin");
  const seconds = Math.max(1, (Date.now() - new Date(job.started_at ?? job.created_at)) / 1000);
  const rate = job.done / seconds;
  const left = job.total && rate > 0 ? (job.total - job.done) / rate : null;
  return [job.total ? t("{done} of {total}", { done: job.done, total: job.total }) : number(job.done), rate >= 0.1 && job.done > 0 && t("{rate} a second", { rate: number(Math.round(rate * 10) / 10) }), left !== null && timeLeft(left)].filter(Boolean).join(", ");
};

export const timeLeft = (seconds) => {
  if (seconds < 60) return t("less than a minute left");
  if (seconds < 5400) return tn("about {n} minute left", "about {n} minutes left", Math.round(seconds / 60));
  return tn("about {n} hour left", "about {n} hours left", Math.round(seconds / 3600));
};

const COUNTS = {
  photos_seen: photos, photos: photos, photos_new: (n) => tn("{n} new photo", "{n} new photos", n), photos_failed: (n) => tn("{n} could not be read", "{n} could not be read", n), photos_waiting: (n) => n > 0 && tn("{n} waits for another try", "{n} wait for another try", n),
  faces_new: (n) => tn("{n} new face", "{n} new faces", n), faces: faces, clusters: (n) => tn("{n} group", "{n} groups", n), suggestions: (n) => tn("{n} suggestion", "{n} suggestions", n),
  bytes: (n) => t("{size} MB", { size: Math.ceil(n / 1e6) }),
  assigned: (n) => tn("{n} face given", "{n} faces given", n), persons: (n) => tn("{n} person", "{n} people", n),
};
export const resultWords = (job) => Object.entries(job.counts ?? job.result ?? {}).filter(([name, value]) => typeof value === "number" && name in COUNTS).map(([name, value]) => COUNTS[name](value)).filter(Boolean).join(", ");
