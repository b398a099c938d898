// The API, described: what /openapi.json says, as a page that loads nothing from anywhere else.
import { rooted } from "./address.js";
import { el, fill, one } from "./dom.js";
import { failed } from "./decide.js";
import { t } from "./words.js";
import "./frame.js";

const METHODS = ["get", "post", "put", "patch", "delete"];
let schemas = {};

const load = async () => {
  try {
    const answer = await fetch(rooted("/openapi.json"));
    const api = await answer.json();
    schemas = api.components?.schemas ?? {};
    fill(one("#about"), paragraphs(api.info.description ?? ""));
    draw(api.paths);
  } catch (problem) { failed({ ...problem, message: t("The description cannot be read."), status: 0 }, load); }
  finally { one("#routes").removeAttribute("aria-busy"); }
};

const paragraphs = (text) => text.split(/\n{2,}/).map((part) => el("p", {}, marked(part.replaceAll("\n", " "))));
/** Markdown as far as the descriptions have it: `code` and **strong**. */
const marked = (text) => text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).filter(Boolean).map((part) => (part[0] === "`" ? el("code", {}, part.slice(1, -1)) : part.startsWith("**") ? el("strong", {}, part.slice(2, -2)) : part));

const draw = (paths) => {
  const tags = new Map();
  for (const [path, item] of Object.entries(paths)) {
    for (const method of METHODS) if (item[method]) { const tag = item[method].tags?.[0] ?? t("other"); tags.set(tag, [...(tags.get(tag) ?? []), [method, path, item[method]]]); }
  }
  fill(one("#routes"), [...tags].map(([tag, routes]) => el("section", {}, el("h2", {}, tag), el("div", { class: "entries" }, routes.map(route)))));
};

const route = ([method, path, operation]) => {
  const details = el("details", { class: "route", on: { toggle: () => { if (details.open && details.childElementCount === 1) details.append(...body(operation)); } } },
    el("summary", {}, el("span", { class: `badge ${method === "get" ? "" : "waits"}` }, method.toUpperCase()), el("code", {}, path), el("span", { class: "soft small" }, operation.summary ?? "")));
  return details;
};

const body = (operation) => [
  el("div", {}, paragraphs(operation.description ?? "")),
  ...(operation.parameters?.length ? [el("h3", {}, t("Parameters")), table(operation.parameters.map((one) => [`${one.name}${one.required ? " *" : ""}`, typeOf(one.schema), one.description ?? one.schema?.description ?? ""]))] : []),
  ...content(t("Body"), operation.requestBody?.content),
  ...Object.entries(operation.responses ?? {}).flatMap(([status, answer]) => content(`${status} ${answer.description ?? ""}`, answer.content, Number(status) >= 400)),
];

const content = (title, types, short = false) => Object.entries(types ?? {}).slice(0, 1).flatMap(([type, { schema }]) => {
  const fields = short ? [] : fieldsOf(schema);
  return [el("h3", {}, title, " ", el("small", { class: "soft" }, [type, typeOf(schema)].filter(Boolean).join(", "))), ...(fields.length ? [table(fields)] : [])];
});

const resolve = (schema) => (schema?.$ref ? schemas[schema.$ref.split("/").pop()] : schema) ?? {};
const fieldsOf = (schema) => {
  const found = resolve(schema);
  const of = found.type === "array" ? resolve(found.items) : found;
  return Object.entries(of.properties ?? {}).map(([name, field]) => [`${name}${of.required?.includes(name) ? " *" : ""}`, typeOf(field), field.description ?? resolve(field).description ?? ""]);
};
const typeOf = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items)}[]`;
  if (schema.enum) return schema.enum.join(" | ");
  return schema.format ? `${schema.type} (${schema.format})` : schema.type ?? "";
};
const table = (rows) => el("dl", { class: "fields" }, rows.map(([name, type, words]) => [el("dt", {}, el("code", {}, name), " ", el("small", { class: "soft" }, type)), el("dd", {}, marked(words))]));

load();
