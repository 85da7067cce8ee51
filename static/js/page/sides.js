// Which side? Where the error of a place reaches across a line: both candidates on the map with their odds, and in a list; one
// press decides, with how it was found out.

import { button, el } from "./dom.js";
import { tell } from "./doors.js";
import { boot, departmentName, nameOf, percent, t } from "./words.js";
import { say } from "./state.js";
import { beside } from "./map.js";
import { section as part } from "./unit.js";
import { shares } from "./straddlers.js";

const HOW = ["called", "photo", "seen", "map", "other"];
const FAR_PX = 96;
// Too late to move it: the places where it may be put are those of `placed_state`.
let written = null;
export const isBeingWritten = () => Boolean(written?.how.isConnected && (written.how.value || written.words.value));
// A fix of unknown accuracy has candidates, and no odds.
const odds = (side) => (side.part > 0 ? percent(side.part) : "");
const OPEN = new Set(["collected", "to_locate", "filed", "dispatched", "handling", "returned"]);

// sides: [{key, part, colour}] of the decision; outlines: their shapes by key.
export function section(issue, sides, outlines) {
  written = null;
  if (!issue.flags.includes("near_boundary") || sides.length < 2 || issue.footprint || !issue.point || !boot.may_place || !OPEN.has(issue.state)) return null;
  const how = el("select", { id: "side-how", required: true, "aria-describedby": "side-note" }, el("option", { value: "" }, t("side.choose")), HOW.map((each) => el("option", { value: each }, t(`side.${each}`))));
  const words = el("input", { id: "side-words", type: "text", maxlength: 300, autocomplete: "off" });
  const note = el("p", { id: "side-note", class: "wrong", role: "alert" });
  written = { how, words };
  const settle = (side) => take(issue, side, { how, words, note });
  beside(sides.map((side) => label(issue, side, outlines.find((each) => each.key === side.key), () => settle(side))).filter(Boolean));
  return part(t("side.title"), el("p", { class: "quiet" }, t("side.about")),
    sides.some((side) => side.part > 0) ? el("div", { class: "sides" }, shares(sides)) : null,
    el("div", { class: "side-form" },
      el("label", { for: "side-how" }, t("side.reason"), how), el("label", { for: "side-words" }, t("side.words"), words),
      el("div", { class: "moves" }, sides.map((side) => button([el("i", { class: "swatch", style: { "--colour": side.colour } }), t("side.set", { name: nameOf(side) }), el("span", { class: "quiet" }, odds(side))], () => settle(side), { data: { side: side.key } }))),
      note));
}

// Who leads where an issue lies on several sides with parts of itself: a superior says so, with a document.
export function lead(issue, { sides, outlines, parties, designate }) {
  if (sides.length < 2 || !issue.flags.includes("straddles") || !issue.point || !designate) return null;
  const speaker = (side) => {
    const called = parties.filter((party) => party.jurisdictions.some((each) => each.key === side.key));
    return (called.find((party) => party.jurisdictions.length === 1) || called[0])?.department;
  };
  const choices = sides.map((side) => ({ side, department: speaker(side) })).filter((each) => each.department);
  beside(choices.map(({ side, department }) => label(issue, side, outlines.find((each) => each.key === side.key), () => designate({ lead: department }))).filter(Boolean));
  return part(t("side.lead_title"), el("p", { class: "quiet" }, t("side.lead_about")),
    el("div", { class: "side-form" }, el("div", { class: "moves" }, choices.map(({ side, department }) => button([el("i", { class: "swatch", style: { "--colour": side.colour } }), t("side.lead_set", { name: departmentName(department) }), el("span", { class: "quiet" }, `${nameOf(side)} ${odds(side)}`)], () => designate({ lead: department }), { data: { lead: side.key } })))));
}

async function take(issue, side, { how, words, note }) {
  const said = words.value.trim();
  if (!how.value || (how.value === "other" && !said)) {
    note.textContent = t("side.needed");
    (how.value ? words : how).focus();
    return;
  }
  const reason = [how.value === "other" ? "" : t(`side.${how.value}`), said].filter(Boolean).join("；");
  try {
    await tell(`/api/v1/issues/${encodeURIComponent(issue.code)}/side`, { unit: side.key, reason });
  } catch (error) {
    note.textContent = error.message;
    return;
  }
  say("changed");
  say("settled", { code: issue.code, words: t("side.done", { name: nameOf(side) }) });
}

// On the map: a button on the side's own ground, away from the place towards where the side lies.
function label(issue, side, outline, settle) {
  const towards = outline && heading(issue.point.coordinates, outline.geometry);
  if (!towards) return null;
  const node = el("span", { style: { "--colour": side.colour } }, el("b", {}, nameOf(side)), ` ${odds(side)}`);
  const [lon, lat] = issue.point.coordinates;
  const icon = L.divIcon({ html: node, className: "side-pin", iconSize: [0, 0], iconAnchor: [-towards[0] * FAR_PX, towards[1] * FAR_PX] });
  return L.marker([lat, lon], { icon, keyboard: false, zIndexOffset: 1000, title: t("side.pick", { name: nameOf(side), part: odds(side) }) }).on("click", settle);
}

// Where on the compass a shape lies as seen from a place: the mean of the directions that lead into it. [east, north]
function heading([lon, lat], geometry) {
  const rings = (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates).flat();
  const flat = Math.cos(lat * Math.PI / 180);
  let sum = [0, 0];
  for (const reach of [0.0002, 0.0005, 0.001, 0.002, 0.004]) {
    for (let turn = 0; turn < 32; turn += 1) {
      const [east, north] = [Math.sin(turn * Math.PI / 16), Math.cos(turn * Math.PI / 16)];
      if (holds(rings, lon + east * reach / flat, lat + north * reach)) sum = [sum[0] + east, sum[1] + north];
    }
    const long = Math.hypot(...sum);
    if (long > 4) return [sum[0] / long, sum[1] / long];
  }
  return null;
}

// Even and odd: holes count as outside.
function holds(rings, x, y) {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [[x1, y1], [x2, y2]] = [ring[i], ring[j]];
      if ((y1 > y) !== (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1) inside = !inside;
    }
  }
  return inside;
}
