// One box for everything: the number of an issue, a unit, a street, an estate, an address.

import { byId, el, fill, icon } from "./dom.js";
import { ask } from "./doors.js";
import { levelName, nameOf, percent, t } from "./words.js";
import { say } from "./state.js";
import { choose } from "./map.js";
import { DATUMS, read } from "./datums.js";
import { go } from "./place.js";

const WAIT_MS = 220;
const box = byId("search");
const found = byId("found");
let timer = 0;
let asked = 0;

export function start() {
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, WAIT_MS); });
  box.addEventListener("keydown", keys);
  byId("search-form").addEventListener("submit", (event) => { event.preventDefault(); found.querySelector("[role=option]")?.click(); });
  document.addEventListener("click", (event) => { if (!byId("search-form").contains(event.target)) close(); });
}

async function look() {
  const words = box.value.trim();
  const mine = ++asked;
  if (words.length < 2) return close();
  if (read(words)) return offer(words);
  const answer = await ask("/map/search", { q: words });
  if (mine !== asked) return;
  const groups = [
    ["issues", answer.issues.map((issue) => option("pin", issue.code, [nameOf(issue.category), issue.text].join(" · "), () => say("issue", issue.code)))],
    ["units", answer.units.map((unit) => option("area", nameOf(unit), `${levelName(unit.net, unit.level)} · ${unit.code}`, () => say("unit", { ...unit, fly: true })))],
    ["places", answer.places.map((place) => option("building", place.label, `${t(`match.${place.match_level}`)} · ${percent(place.confidence)}`, () => show(place)))],
  ].filter(([, options]) => options.length);
  fill(found, groups.length ? groups.map(([kind, options]) => el("div", { role: "group", "aria-label": t(`found.${kind}`) }, el("p", { class: "found-kind", "aria-hidden": "true" }, t(`found.${kind}`)), options)) : el("p", { class: "empty" }, t("nothing_found")));
  found.hidden = false;
  box.setAttribute("aria-expanded", "true");
}

// A pair of numbers is a place: in each datum it is another one.
function offer(words) {
  fill(found, el("div", { role: "group", "aria-label": t("found.coordinates") }, el("p", { class: "found-kind", "aria-hidden": "true" }, t("found.coordinates")),
    DATUMS.map((datum) => option("place", words, datum, () => go(words, datum)))));
  found.hidden = false;
  box.setAttribute("aria-expanded", "true");
}

function option(kind, name, about, act) {
  return el("div", { role: "option", tabindex: "-1", onclick: () => { close(); act(); } }, icon(kind), el("span", { class: "name" }, name), el("span", { class: "quiet" }, about));
}

function show(place) {
  const bounds = L.geoJSON(place.geometry).getBounds();
  choose({ footprint: place.geometry.type === "Point" ? null : place.geometry, point: place.geometry.type === "Point" ? place.geometry.coordinates : null,
    box: [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] });
}

function keys(event) {
  const options = [...found.querySelectorAll("[role=option]")];
  const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "Escape") return close();
  if (event.key === "Enter" && at >= 0) { event.preventDefault(); return options[at].click(); }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const next = options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
  options.forEach((each) => each.setAttribute("aria-selected", String(each === next)));
  if (next) { next.id ||= `found-${options.indexOf(next)}`; box.setAttribute("aria-activedescendant", next.id); next.scrollIntoView({ block: "nearest" }); }
}

function close() {
  found.hidden = true;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}
