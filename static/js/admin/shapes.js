// Faults and agreements on the map; the list beside it says the same, and each of its lines leads to its place.

import { byId } from "../page/dom.js";
import { ask } from "../page/doors.js";
import { boot } from "../page/words.js";

const map = window.map_main;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shapes = new Map();
let layer = null;

function style({ properties: { kind, above } }) {
  if (kind === "outline") return { color: css("--line-strong"), weight: 1, fill: false, interactive: false };
  const colour = css(above ? (kind === "agreement" ? "--accent" : "--bad") : "--quiet");
  return { color: colour, weight: 3, fillColor: colour, fillOpacity: 0.35, dashArray: above ? null : "4 4" };
}

const dot = (feature, at) => L.circleMarker(at, { ...style(feature), radius: 7 });

function keep(feature, shape) {
  const { nth } = feature.properties;
  if (nth === undefined) return;
  shapes.set(nth, shape);
  shape.on("click", () => choose(nth));
}

// What is a line of a hand's width on the ground is nothing on a map: its place is circled.
function choose(nth) {
  const shape = shapes.get(nth);
  const button = document.querySelector(`[data-nth="${nth}"]`);
  for (const each of document.querySelectorAll("[data-nth][aria-current]")) each.removeAttribute("aria-current");
  button?.setAttribute("aria-current", "true");
  button?.scrollIntoView({ block: "nearest" });
  if (!shape) return;
  if (shape.getBounds) map.fitBounds(shape.getBounds(), { maxZoom: 18, padding: [40, 40], animate: false });
  else map.setView(shape.getLatLng(), 17, { animate: false });
  choose.ring?.remove();
  const middle = shape.getBounds ? shape.getBounds().getCenter() : shape.getLatLng();
  choose.ring = L.circleMarker(middle, { radius: 26, color: css("--warn"), weight: 3, fill: false, interactive: false }).addTo(map);
}

async function draw() {
  const collection = boot.collection || await ask(boot.features);
  const drawn = collection.features.filter(({ geometry }) => geometry);
  if (!drawn.length) return;
  layer = L.geoJSON({ type: "FeatureCollection", features: drawn }, { pane: "units", style, pointToLayer: dot, onEachFeature: keep }).addTo(map);
  map.fitBounds(layer.getBounds(), { padding: [16, 16], animate: false });
}

for (const button of document.querySelectorAll("[data-nth]")) button.addEventListener("click", () => choose(Number(button.dataset.nth)));
window.Shaotu.showBasemap();
document.addEventListener("theme", () => { window.Shaotu.repaint(); layer?.setStyle(style); });
draw().catch((error) => { byId("map-note").textContent = error.message; });
