// The public's map: squares of ground with how many issues lie in each. The list beside it says the same.

import { el, fill, byId } from "../page/dom.js";

const boot = JSON.parse(byId("boot").textContent);
const map = window.map_main;
const HALF = 0.0005;
const word = (code, params = {}) => (boot.words[`page.public.${code}`] || code).replace(/%\((\w+)\)s/g, (_, name) => params[name] ?? "");
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const squares = new Map();
for (const [lon, lat, name, stage, day] of boot.squares) {
  const key = `${lon} ${lat}`;
  if (!squares.has(key)) squares.set(key, { lon, lat, issues: [] });
  squares.get(key).issues.push({ name, stage, day });
}

// A square of a hundred metres is a dot on the map of a city: from afar neighbours are drawn together, as many as they are.
const EXACT_FROM_Z = 15;
const TOGETHER_PX = 44;
const shown = L.layerGroup();
const shapes = [];

function gathered() {
  if (map.getZoom() >= EXACT_FROM_Z) return [...squares.values()];
  const groups = new Map();
  for (const square of squares.values()) {
    const { x, y } = map.project([square.lat, square.lon]);
    const key = `${Math.floor(x / TOGETHER_PX)} ${Math.floor(y / TOGETHER_PX)}`;
    const group = groups.get(key) || { lon: 0, lat: 0, issues: [] };
    const n = group.issues.length, more = square.issues.length;
    // the middle of all of them, so that a circle stands where most are
    group.lon = (group.lon * n + square.lon * more) / (n + more);
    group.lat = (group.lat * n + square.lat * more) / (n + more);
    group.issues = [...group.issues, ...square.issues];
    groups.set(key, group);
  }
  return [...groups.values()];
}

// Squares lie under the names of the ground. Circles of a whole quarter lie over them and let none through:
// a number is what one came to read.
const style = (part) => ({ color: css("--accent"), weight: 2, fillColor: css("--accent"), fillOpacity: 0.25 + 0.35 * part });
const circled = () => ({ color: css("--accent"), weight: 2, fillColor: css("--accent-soft"), fillOpacity: 0.94 });

function tell({ issues }) {
  fill(byId("square"), el("b", {}, word("in_square", { n: issues.length })),
    issues.slice(0, 12).map(({ name, stage, day }) => el("span", {}, `\n${day} · ${name} · ${word(`stage.${stage}`)}`)),
    issues.length > 12 && el("span", {}, `\n…`));
}

function draw() {
  shown.clearLayers();
  shapes.length = 0;
  const exact = map.getZoom() >= EXACT_FROM_Z;
  const found = gathered();
  const most = Math.max(1, ...found.map(({ issues }) => issues.length));
  for (const group of found) {
    const { lon, lat, issues } = group;
    const part = issues.length / most;
    const shape = exact
      ? L.rectangle([[lat - HALF, lon - HALF], [lat + HALF, lon + HALF]], { ...style(part), pane: "units" })
      : L.circleMarker([lat, lon], { ...circled(), radius: 10 + 10 * Math.sqrt(part), pane: "circles" });
    shape.on("click", () => tell(group));
    shapes.push([shape, () => (exact ? style(part) : circled())]);
    const node = el("span", { class: "square-n" }, String(issues.length));
    const count = L.marker([lat, lon], { icon: L.divIcon({ html: node, className: "", iconSize: [24, 24] }), keyboard: false, interactive: false });
    shown.addLayer(shape).addLayer(count);
  }
}

window.Shaotu.showBasemap();
map.createPane("circles").style.zIndex = 500;
shown.addTo(map);
map.on("zoomend", draw);
draw();
byId("zoom-in").addEventListener("click", () => map.zoomIn());
byId("zoom-out").addEventListener("click", () => map.zoomOut());
document.addEventListener("theme", () => {
  window.Shaotu.repaint();
  for (const [shape, look] of shapes) shape.setStyle(look());
});
