// Pins in other colours than those of where they stand: by light, by state, by lead department. A sign beside every colour.

import { boot, nameOf, t } from "./words.js";
import { el } from "./dom.js";
import { state } from "./state.js";
import { PATHS, known, light, ofIssue } from "./lights.js";

export const WAYS = ["marks", "lights", "states", "departments"];
// Told apart also by people who see colours differently; each with the ink that can be read on it.
const COLOURS = [["#0072b2", "#fff"], ["#e69f00", "#000"], ["#009e73", "#fff"], ["#cc79a7", "#000"], ["#56b4e9", "#000"], ["#a8420a", "#fff"], ["#f0e442", "#000"], ["#4b3f72", "#fff"]];
const OTHER = ["#8a8f98", "#000"];
const ranked = { departments: [] };

// The departments that lead most of what is shown have a colour; the rest share one.
export function rank(features) {
  const counted = new Map();
  for (const { properties: { lead } } of features) if (lead) counted.set(lead.code, { lead, n: (counted.get(lead.code)?.n || 0) + 1 });
  ranked.departments = [...counted.values()].sort((a, b) => b.n - a.n || a.lead.code.localeCompare(b.lead.code)).slice(0, COLOURS.length).map((each) => each.lead);
}

const painted = (at, sign) => (at < 0 ? { colour: OTHER[0], ink: OTHER[1], sign: "·" } : { colour: COLOURS[at % COLOURS.length][0], ink: COLOURS[at % COLOURS.length][1], sign });

const HOW = {
  lights: (feature) => { const each = known.get(ofIssue(feature.properties)); return each ? { colour: each.colour, path: PATHS[each.shape], hollow: each.shape === "ring" } : painted(-1); },
  states: ({ properties }) => { const at = boot.states.indexOf(properties.state); return painted(at, String(at + 1)); },
  departments: ({ properties: { lead } }) => { const at = ranked.departments.findIndex((each) => each.code === lead?.code); return painted(at, "ABCDEFGH"[at]); },
};

export function set(features) {
  rank(features);
  window.Shaotu.paint = HOW[state.colour] || null;
}

const swatch = ({ colour, ink, sign }) => el("span", { class: "sign", style: { "--colour": colour, "--ink-on": ink } }, sign);

// The legend's part; null where pins show where they stand.
export function legend() {
  if (state.colour === "lights") return [...boot.lights.map((each) => el("li", {}, light(each.code))), el("li", {}, swatch(painted(-1)), t("legend.rest"))];
  if (state.colour === "states") return boot.states.map((code, at) => el("li", {}, swatch(painted(at, String(at + 1))), t(`state.${code}`)));
  if (state.colour !== "departments") return null;
  return [...ranked.departments.map((each, at) => el("li", {}, swatch(painted(at, "ABCDEFGH"[at])), nameOf(each))), el("li", {}, swatch(painted(-1)), t("legend.others"))];
}
