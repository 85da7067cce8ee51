// Lights: a colour, a shape and a word for how an issue or a party stands. Never the colour alone.

import { el } from "./dom.js";
import { boot, nameOf } from "./words.js";

const OVER = new Set(["closed", "evaluated", "rejected", "voided", "merged", "self_handled"]);
export const PATHS = {
  ring: "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
  circle: "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16z",
  square: "M5 5h14v14H5z",
  diamond: "M12 3l9 9-9 9-9-9z",
  triangle: "M12 3l10 18H2z",
};
export const known = new Map(boot.lights.map((each) => [each.code, each]));

export function light(code, { named = true } = {}) {
  const found = known.get(code);
  if (!found) return null;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const hollow = found.shape === "ring";
  for (const [key, value] of Object.entries({ d: PATHS[found.shape], fill: hollow ? "none" : found.colour, stroke: found.colour, "stroke-width": hollow ? 4 : 1 })) path.setAttribute(key, value);
  svg.append(path);
  return el("span", { class: "light", title: nameOf(found) }, svg, el("span", { class: named ? "name" : "unseen" }, nameOf(found)));
}

// As the server says it, for rows that a live message brought.
export function ofIssue(issue) {
  if (issue.due_at && new Date(issue.due_at) < new Date() && !OVER.has(issue.state)) return codeOf("overdue");
  return codeOf(issue.state);
}

const codeOf = (stage) => boot.lights.find((each) => each.stages.includes(stage))?.code ?? null;
