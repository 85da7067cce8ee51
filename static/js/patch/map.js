// The map of the own ground: its outline, what is open on it, where one stands, and a cross-hair to point with.

import { boot, t } from "../page/words.js";
import { byId, el, fill } from "../page/dom.js";
import { on, say, state } from "./bus.js";

const { L } = window;
export const map = window.map_main;
const [west, south, east, north] = boot.bounds;
const whole = L.latLngBounds([south, west], [north, east]);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
// in the dark the outline has to stand out from the ground too
const OUTLINE = { light: "#0b5c96", dark: "#6cc0f5" };
const outlineStyle = () => ({ color: OUTLINE[window.Shaotu.theme()], weight: 4, opacity: 0.95, fill: false });

const pins = L.layerGroup();
const walked = L.layerGroup();
const me = L.layerGroup();

export function start() {
  map.getContainer().setAttribute("role", "application");
  map.getContainer().setAttribute("aria-label", t("patch.map"));
  const outlines = boot.patch.map((geometry) => L.geoJSON(geometry, { interactive: false, style: outlineStyle }).addTo(map));
  L.control.scale({ imperial: false, maxWidth: 110 }).addTo(map);
  for (const layer of [walked, pins, me]) layer.addTo(map);
  map.fitBounds(whole, { animate: false });
  window.Shaotu.showBasemap();
  byId("whole").onclick = () => map.fitBounds(whole, { animate: !still() });
  byId("here").onclick = () => (state.fix ? look(state.fix) : say("why-not-here"));
  on("fix", drawMe);
  on("data", drawPins);
  on("theme", () => {
    window.Shaotu.repaint();
    for (const outline of outlines) outline.setStyle(outlineStyle());
  });
}

// The box changes its size with the view that holds it.
export function resized() {
  map.invalidateSize({ animate: false });
}

export function look({ lon, lat }) {
  map.setView([lat, lon], Math.max(map.getZoom(), 17), { animate: !still() });
}

function drawMe(fix) {
  me.clearLayers();
  L.circle([fix.lat, fix.lon], { radius: fix.accuracy_m, interactive: false, color: "#c2410c", weight: 2, fillOpacity: 0.12, className: "accuracy" }).addTo(me);
  L.marker([fix.lat, fix.lon], { icon: L.divIcon({ className: "me", iconSize: [20, 20] }), interactive: false, keyboard: false, zIndexOffset: 1000 }).addTo(me);
}

// The list is the way by keyboard; on the map a late one bears a mark, one that waits for me is filled.
function drawPins() {
  pins.clearLayers();
  const waits = new Set(state.data.groups.flatMap((group) => group.issues));
  for (const issue of state.data.issues) {
    if (!issue.point) continue;
    const [lon, lat] = issue.point.coordinates;
    const late = issue.due_at && new Date(issue.due_at) < Date.now();
    const html = el("span", {}, late ? "!" : "");
    const icon = L.divIcon({ html, className: `spot-pin${waits.has(issue.code) ? " waits" : ""}${late ? " late" : ""}`, iconSize: [26, 26] });
    L.marker([lat, lon], { icon, keyboard: false, alt: issue.code }).on("click", () => say("open", issue.code)).addTo(pins);
  }
}

export function drawTracks(tracks) {
  walked.clearLayers();
  for (const { line } of tracks) {
    if (line.length > 1) L.polyline(line.map(([lon, lat]) => [lat, lon]), { interactive: false, color: "#7b3fa0", weight: 4, opacity: 0.8, dashArray: "2 6", className: "track" }).addTo(walked);
    else if (line.length) L.circleMarker([line[0][1], line[0][0]], { interactive: false, radius: 5, color: "#7b3fa0" }).addTo(walked);
  }
}

// Point at a place: the map moves under a cross-hair. Answers with it, or with null.
export function pick(from) {
  const bar = byId("pick-bar");
  document.body.classList.add("picking");
  resized();
  if (from) map.setView([from.lat, from.lon], Math.max(map.getZoom(), 18), { animate: false });
  return new Promise((resolve) => {
    const done = (place) => { document.body.classList.remove("picking"); bar.hidden = true; resized(); resolve(place); };
    bar.hidden = false;
    fill(bar, el("p", {}, t("patch.pick.how")),
      el("div", { class: "row-buttons" },
        el("button", { type: "button", onclick: () => done(null) }, t("patch.cancel")),
        el("button", { type: "button", class: "main", id: "pick-take", onclick: () => done(pointed()) }, t("patch.pick.take"))));
    byId("pick-take").focus();
  });
}

// A finger points as exactly as a dozen pixels are wide.
function pointed() {
  const { lat, lng } = map.getCenter();
  const metre_px = 40_075_016.7 * Math.cos(lat * Math.PI / 180) / 2 ** (map.getZoom() + 8);
  return { lon: Number(lng.toFixed(7)), lat: Number(lat.toFixed(7)), accuracy_m: Math.max(3, Math.round(12 * metre_px)), pointed: true };
}

// The tiles of the ground, and a little beside it, for when there is no line.
export function tilesOfPatch() {
  const box = whole.pad(0.15);
  const found = [];
  for (let z = FROM_Z; z <= TO_Z; z += 1) {
    const [x0, y0] = tileAt(box.getWest(), box.getNorth(), z);
    const [x1, y1] = tileAt(box.getEast(), box.getSouth(), z);
    for (let x = x0; x <= x1; x += 1) for (let y = y0; y <= y1; y += 1) found.push(`${boot.tiles}${z}/${x}/${y}.mvt`);
  }
  return found.slice(0, TILES_MOST);
}

// The painter takes each tile from one step above, and shows 17 to 20 from the tiles of 16.
const FROM_Z = 13;
const TO_Z = 16;
const TILES_MOST = 600;

function tileAt(lon, lat, z) {
  const n = 2 ** z;
  const radians = lat * Math.PI / 180;
  return [Math.floor((lon + 180) / 360 * n), Math.floor((1 - Math.asinh(Math.tan(radians)) / Math.PI) / 2 * n)];
}
