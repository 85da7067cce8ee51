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

const most = Math.max(1, ...[...squares.values()].map(({ issues }) => issues.length));
const style = (n) => ({ color: css("--accent"), weight: 2, fillColor: css("--accent"), fillOpacity: 0.18 + 0.4 * (n / most) });

function tell({ issues }) {
  fill(byId("square"), el("b", {}, word("in_square", { n: issues.length })),
    issues.slice(0, 12).map(({ name, stage, day }) => el("span", {}, `\n${day} · ${name} · ${word(`stage.${stage}`)}`)));
}

// A square of a hundred metres is a dot on the map of a city: from afar it is drawn larger than it is.
const drawn = [...squares.values()].map((square) => {
  const { lon, lat, issues } = square;
  const area = L.rectangle([[lat - HALF, lon - HALF], [lat + HALF, lon + HALF]], { ...style(issues.length), pane: "units" });
  const node = el("span", { class: "square-n" }, String(issues.length));
  const dot = L.circleMarker([lat, lon], { ...style(issues.length), radius: 6 + 6 * (issues.length / most), pane: "units" });
  const count = L.marker([lat, lon], { icon: L.divIcon({ html: node, className: "", iconSize: [24, 24] }), keyboard: false, interactive: false });
  for (const shape of [area, dot]) shape.on("click", () => tell(square));
  return { near: [area, count], far: [dot], n: issues.length, shapes: [area, dot] };
});
const near = L.layerGroup(drawn.flatMap((each) => each.near));
const far = L.layerGroup(drawn.flatMap((each) => each.far));

function change() {
  const close = map.getZoom() >= 15;
  map[close ? "addLayer" : "removeLayer"](near);
  map[close ? "removeLayer" : "addLayer"](far);
}

window.Shaotu.showBasemap();
map.on("zoomend", change);
change();
byId("zoom-in").addEventListener("click", () => map.zoomIn());
byId("zoom-out").addEventListener("click", () => map.zoomOut());
document.addEventListener("theme", () => {
  window.Shaotu.repaint();
  for (const { shapes, n } of drawn) for (const shape of shapes) shape.setStyle(style(n));
});
