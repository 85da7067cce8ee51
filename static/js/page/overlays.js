// What is laid over the map on demand: registered points, departments' areas, grades, numbered hotspots, base maps of other hosts.

import { boot, departmentName, nameOf, t } from "./words.js";
import { ask } from "./doors.js";
import { el } from "./dom.js";
import { state } from "./state.js";
import { map } from "./map.js";
import { found } from "./hotspots.js";
import * as base from "./online.js";

const points = window.points_registered;
const layers = { areas: L.layerGroup(), grades: L.layerGroup(), hotspots: L.layerGroup() };
const shown = { points: "", areas: "", grades: false };
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function show() {
  showPoints();
  base.show(state.base);
  toggle("areas", state.areas, drawAreas);
  toggle("grades", state.over === "grades", drawGrades);
  toggle("hotspots", state.over === "hotspots", drawHotspots);
}

function toggle(name, on, draw) {
  if (!on) { layers[name].remove(); return; }
  layers[name].addTo(map);
  draw();
}

function showPoints() {
  if (shown.points === state.points) return;
  shown.points = state.points;
  window.Shaotu.pointKinds = new Set(state.points.split(",").filter(Boolean));
  points.remove();
  if (state.points) points.addTo(map);
}

// The ground of the departments that are chosen among the filters.
async function drawAreas() {
  const codes = [...state.departments].join(",");
  if (shown.areas === codes) return;
  shown.areas = codes;
  layers.areas.clearLayers();
  const { areas } = codes ? await ask("/map/areas", { departments: codes }) : { areas: [] };
  if (shown.areas !== codes) return;
  const colours = window.Shaotu.sideColours(areas.map(({ code }) => ({ key: code })));
  areas.forEach(({ code, geometry }, nth) => {
    if (geometry) L.geoJSON(geometry, { interactive: false, style: { color: colours[nth], weight: 4, dashArray: "10 6", fillColor: colours[nth], fillOpacity: 0.1, className: "area" } }).addTo(layers.areas)
      .bindTooltip(el("span", {}, departmentName(code)), { permanent: true, direction: "center", className: "area-name" });
  });
}

const month = () => { const now = new Date(); return new Date(now - 29 * 86_400_000).toISOString().slice(0, 10); };

async function drawGrades() {
  if (shown.grades) return;
  shown.grades = true;
  const asked = { from: month() };
  const [told, outlines] = await Promise.all([ask("/api/v1/evaluation", asked), ask("/evaluation/outlines", asked)]).catch((error) => { shown.grades = false; throw error; });
  const rows = new Map((told.standings || told.rows).map((each) => [each.subject, each]));
  for (const shape of outlines.features) grade(shape, rows.get(shape.properties.key));
}

function grade(shape, row) {
  const letter = row?.grade;
  const [lon, lat] = shape.properties.label;
  const colour = css(`--grade-${letter || "none"}`);
  L.geoJSON(shape, { interactive: false, pane: "units", style: { color: css("--ink"), weight: 1.2, opacity: 0.7, fillColor: colour, fillOpacity: letter ? 0.5 : 0.12 } }).addTo(layers.grades);
  L.marker([lat, lon], { interactive: false, keyboard: false, icon: L.divIcon({ html: el("span", { class: "grade", style: { background: colour } }, letter || "—"), className: "grade-pin", iconSize: null }) }).addTo(layers.grades);
}

// Numbered as in their list.
export function drawHotspots() {
  layers.hotspots.clearLayers();
  found().forEach((each, nth) => {
    const [west, south, east, north] = each.box;
    const box = L.latLngBounds([south, west], [north, east]);
    L.rectangle(box.pad(0.15), { interactive: false, color: "#a3271f", weight: 2, dashArray: "6 4", fillOpacity: 0.06, className: "hotspot-box" }).addTo(layers.hotspots);
    L.marker(box.getCenter(), { keyboard: false, icon: L.divIcon({ html: el("span", {}, String(nth + 1)), className: "hotspot-pin", iconSize: [26, 26] }) })
      .bindTooltip(el("span", {}, `${nth + 1} · ${nameOf(each)} · ${t("issues_n", { n: each.issues_n })}`)).on("click", () => map.fitBounds(box, { maxZoom: 17 })).addTo(layers.hotspots);
  });
}
