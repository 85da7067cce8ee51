// The map that Folium made: which layers show, what is chosen on it, and what lies under the pointer.

import { boot, levelName, nameOf, number, t } from "./words.js";
import { byId, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { say, state } from "./state.js";

export const map = window.map_main;

// The levels of a net that are wide enough to be drawn at this zoom, coarsest first.
export const levelsShown = (net) => net.levels.filter((level) => Math.round(map.getZoom()) >= level.from_z);

export const live = window.live_issues;
const cluster = window.cluster_issues;
const density = window.density_issues;
const parted = window.straddlers_parted;
const points = window.points_registered;
const layers = new Map(boot.nets.map((net) => [net.code, window[`net_${net.edition_id}`]]));
const { ground, keyOf, store } = window.Shaotu;

const chosen = L.layerGroup().addTo(map);
const shapes = L.layerGroup().addTo(map);
const sketch = L.layerGroup().addTo(map);
export const drawing = { layer: sketch, active: false };

const namesByGround = new Map();
for (const each of boot.departments) {
  if (each.ground) namesByGround.set(each.ground, [...(namesByGround.get(each.ground) || []), nameOf(each)]);
}

const [west, south, east, north] = boot.bounds;
const whole = L.latLngBounds([south, west], [north, east]);

export function start(view) {
  for (const [code, layer] of layers) {
    layer.on("click", (event) => pressed(event.latlng, "unit", { ...event.layer.properties, net: code }));
    layer.on("mouseover", (event) => hover(code, event.layer.properties));
    layer.on("mouseout", () => hover());
  }
  map.on("click", (event) => pressed(event.latlng, "nothing"));
  byId("zoom-in").onclick = () => map.zoomIn();
  byId("zoom-out").onclick = () => map.zoomOut();
  byId("whole").onclick = () => map.fitBounds(whole);
  window.Shaotu.onPin = (code) => drawing.active || say("issue", code);
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
  // Leaflet's box is not in the order of the keyboard unless it has a name
  map.getContainer().setAttribute("aria-label", t("map_keys"));
  map.getContainer().setAttribute("role", "application");
  for (const { geometry } of boot.patch) {
    L.geoJSON(geometry, { interactive: false, style: { color: "#0b5c96", weight: 4, opacity: 0.9, fill: false, className: "patch" } }).addTo(map);
  }
  // on a wall half a step fills the screen; on a desk it would make the names too small
  if (window.Shaotu.scale > 1.3) map.options.zoomSnap = 0.5;
  if (view) map.setView([view.lat, view.lon], view.zoom, { animate: false });
  else map.fitBounds(whole, { animate: false });
  map.on("moveend", () => say("moved"));
  // pins under a density would cover what it shows
  map.on("zoomend", () => { showLayers(); say("zoomed"); });
}

// A place across a line lies above the units: where one is, it is meant.
function pressed(latlng, what, detail) {
  if (drawing.active) return;
  const point = state.points ? points.shapeAt(latlng, (each, at) => each._containsPoint(at)) : null;
  if (point) { say("point", point.properties.id); return; }
  const place = parted.shapeAt(latlng, window.Shaotu.touchesPlace);
  if (place) say("straddler", { ...place.properties, keepView: true });
  else if (what !== "unit" || detail.code) say(what, detail);
  else if (detail.level) call(detail.id).then((unit) => say(what, unit), (error) => say("failed", error));
}

export function showLayers() {
  ground.net = state.net;
  ground.shaded = state.shaded;
  for (const [code, layer] of layers) toggle(layer, code === state.net);
  showStraddlers();
  toggle(density, state.density);
  toggle(cluster, !state.density || map.getZoom() >= 16);
}

function showStraddlers() {
  const { net, level } = straddledLevel();
  toggle(parted, false);
  if (!state.straddlers || !level) return;
  parted.options.edition = net.edition_id;
  parted.options.level = level.code;
  toggle(parted, true);
}

// The lines that part responsibility, of the first net that has any; the coarsest unless another was chosen.
export function straddledLevel() {
  const net = boot.nets.find((each) => each.levels.some((level) => level.divides));
  const levels = net?.levels.filter((level, i) => level.divides && i > 0) || [];
  return { net, levels, level: levels.find((level) => level.code === state.parted) || levels[0] };
}

function toggle(layer, shown) {
  if (shown && !map.hasLayer(layer)) map.addLayer(layer);
  if (!shown && map.hasLayer(layer)) map.removeLayer(layer);
}

export function recount(counts, numbers) {
  window.Shaotu.count(counts, numbers);
  const layer = layers.get(state.net);
  if (layer && state.shaded) window.Shaotu.reshade(layer);
}

// Draw anew what depends on the switches or the theme.
export function repaintUnits() {
  const layer = layers.get(state.net);
  if (layer && map.hasLayer(layer)) layer.redraw();
}

export function repaint() {
  window.Shaotu.repaint();
  repaintUnits();
  if (map.hasLayer(parted)) parted.redraw();
}

let heat = 0;
export function drawIssues() {
  live.update();
  cancelAnimationFrame(heat);
  heat = requestAnimationFrame(() => {
    density.setLatLngs(store.features.map((each) => [each.geometry.coordinates[1], each.geometry.coordinates[0], 0.7]));
  });
  drawShapes();
}

// Issues that are no points: a road that sank, a field of rubbish.
function drawShapes() {
  shapes.clearLayers();
  for (const feature of store.features) {
    const footprint = feature.properties.footprint;
    if (!footprint) continue;
    const layer = L.geoJSON(footprint, { style: { color: "#0b5c96", weight: 3, opacity: 0.9, fillOpacity: 0.18, className: "footprint" } });
    layer.on("click", (event) => { L.DomEvent.stopPropagation(event); say("issue", feature.id); });
    layer.addTo(shapes);
  }
}

export function pulse(feature) {
  if (!feature.geometry || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const [lon, lat] = feature.geometry.coordinates;
  const ring = L.marker([lat, lon], { icon: L.divIcon({ className: "pulse", iconSize: [60, 60] }), interactive: false, keyboard: false });
  ring.addTo(map);
  setTimeout(() => ring.remove(), 4000);
}

// What is open beside the map is shown on it: the place with its accuracy, the sides with their colours.
export function choose({ point, footprint, accuracy_m: accuracy, outlines = [], box, keepView }) {
  chosen.clearLayers();
  for (const { geometry, colour } of outlines) {
    L.geoJSON(geometry, { interactive: false, style: { color: colour || "#0b5c96", weight: 3, fillColor: colour || "#1673b5", fillOpacity: 0.12 } }).addTo(chosen);
  }
  if (footprint) L.geoJSON(footprint, { interactive: false, style: { color: "#b5342a", weight: 3, fillOpacity: 0.2 } }).addTo(chosen);
  if (point) {
    if (accuracy) L.circle([point[1], point[0]], { radius: accuracy, interactive: false, color: "#b5342a", weight: 1.5, dashArray: "5 4", fillOpacity: 0.08 }).addTo(chosen);
    L.marker([point[1], point[0]], { icon: L.divIcon({ className: "here", iconSize: [38, 38] }), interactive: false, keyboard: false }).addTo(chosen);
  }
  if (keepView) return;
  if (box) fly(L.latLngBounds([box[1], box[0]], [box[3], box[2]]));
  else if (point) flyTo([point[1], point[0]], Math.max(map.getZoom(), 16));
}

export const unchoose = () => chosen.clearLayers();

// What the panel shows beside the place itself: candidates, lookalikes. It goes when something else is opened.
export const beside = (layers) => { for (const layer of layers) chosen.addLayer(layer); };

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function fly(bounds) {
  map.fitBounds(bounds.pad(0.2), { maxZoom: 17, animate: !still() });
}

export function flyTo(latlng, zoom) {
  map.setView(latlng, zoom, { animate: !still() });
}

const tip = byId("hover");
// Small units come without their codes and names: who the pointer rests on is asked.
const RESTS_MS = 120;
const called = new Map();
let pointedAt = null;

function call(id) {
  if (!called.has(id)) called.set(id, ask(`/map/units/${id}`));
  called.get(id).catch(() => called.delete(id));
  return called.get(id);
}

function hover(net, unit) {
  tip.hidden = !unit || !unit.level;
  pointedAt = tip.hidden ? null : unit.id;
  if (tip.hidden) return;
  tell(net, unit);
  if (!unit.code) setTimeout(callByName, RESTS_MS, net, unit.id);
}

async function callByName(net, id) {
  if (id !== pointedAt) return;
  const unit = await call(id).catch(() => null);
  if (unit && id === pointedAt) tell(net, unit);
}

function tell(net, unit) {
  const key = keyOf(net, unit);
  const serving = namesByGround.get(key) || [];
  fill(tip,
    el("b", {}, nameOf(unit)), " ", el("span", { class: "quiet" }, levelName(net, unit.level)),
    el("br"), t("issues_n", { n: number(ground.counts.get(key) || 0) }),
    serving.length ? [el("br"), el("span", { class: "quiet" }, serving.slice(0, 3).join(" · "))] : null);
}
