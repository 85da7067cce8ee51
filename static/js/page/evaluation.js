// Grades on the map: units coloured by their grade, with its letter, so that it is never told by colour alone.

import { byId } from "./dom.js";
import { boot, nameOf, t } from "./words.js";
import { ask } from "./doors.js";

const map = window.map_main;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colourOf = (grade) => css(`--grade-${grade || "none"}`);
let layer = null;

const style = ({ properties: { grade } }) => ({
  color: css("--ink"), weight: 1.2, opacity: 0.7, fillColor: colourOf(grade), fillOpacity: grade ? 0.62 : 0.18,
});

function letter({ grade, label: [lon, lat] }) {
  const node = document.createElement("span");
  node.className = `grade grade-${grade || "none"}`;
  node.textContent = grade || "—";
  return L.marker([lat, lon], { interactive: false, keyboard: false, icon: L.divIcon({ html: node, className: "grade-pin", iconSize: null }) });
}

function about({ properties: each }) {
  const node = document.createElement("span");
  node.textContent = `${nameOf(each)} · ${each.grade || t("evaluation.no_grade")}`;
  if (each.rank) node.textContent += ` · ${t("evaluation.map_rank", { rank: each.rank, score: each.score })}`;
  return node;
}

async function draw() {
  const found = await ask(boot.grades);
  if (!found.features.length) {
    byId("map-note").textContent = t("evaluation.map_many");
    return;
  }
  layer = L.geoJSON(found, { pane: "units", style, onEachFeature: (feature, shape) => shape.bindTooltip(about(feature), { sticky: true }) }).addTo(map);
  // letters on the smallest units would lie on each other
  if (found.features.length <= 80) for (const { properties } of found.features) letter(properties).addTo(map);
  map.fitBounds(layer.getBounds(), { padding: [8, 8] });
}

byId("print").addEventListener("click", () => { byId("formulas").open = true; print(); });
// a heading leads to its formula, which is folded away
for (const link of document.querySelectorAll('thead a[href^="#formula-"]')) link.addEventListener("click", () => { byId("formulas").open = true; });

if (map) {
  window.Shaotu.showBasemap();
  document.addEventListener("theme", () => { window.Shaotu.repaint(); layer?.setStyle(style); });
  draw().catch((error) => { byId("map-note").textContent = t("evaluation.failed", { reason: error.message }); });
}
