// The lines on the map: the more issues per kilometre, the thicker and darker; what is chosen, with its issues.

import { byId, el, fill } from "../page/dom.js";
import { boot, nameOf, t } from "../page/words.js";

const map = window.map_main;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const STEPS = [[1 / 3, "--hot-1", 3], [2 / 3, "--hot-2", 5], [1, "--hot-3", 8]];
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

// Above the names: the base map draws every boundary once more, and would cut the strips in two.
map.createPane("strips").style.zIndex = 460;
const shapes = L.layerGroup().addTo(map);
const chosen = L.layerGroup().addTo(map);
const byKey = new Map();
let most = 0;
let selected = "";
let spotted = null;

function look({ properties: { weight: heavy, faint, key, kind } }) {
  if (heavy === undefined) return placeLook(kind, key);
  const [, colour, weight] = STEPS.find(([upTo]) => heavy <= upTo * most + 1e-9) || STEPS[2];
  const own = key === selected;
  return {
    color: css(faint ? "--cold" : colour), weight: (faint ? 1.6 : weight) * window.Shaotu.scale + (own ? 3 : 0), opacity: faint && !own ? 0.6 : 0.95,
    dashArray: faint ? "3 4" : null, lineCap: "round", className: "strip-line",
  };
}

const placeLook = (kind, key) => ({
  color: css(kind === "overlap" ? "--hot-3" : "--side-a"), weight: key === selected ? 4 : 1.6, fillOpacity: key === selected ? 0.45 : 0.22, dashArray: kind ? "4 3" : null,
});

function about({ properties }) {
  const words = properties.said === undefined
    ? nameOf({ name: properties.name, name_en: properties.name_en }) || (properties.kind ? t(`borders.kind.${properties.kind}`) : "")
    : properties.key.split("|").map((code) => titleOf(properties.key, code)).join(" ｜ ");
  return el("span", {}, properties.said === undefined ? words : `${words} · ${properties.said}`);
}

// The table beside the map has the names already.
function titleOf(key, code) {
  const cell = document.querySelector(`#ranking tr[data-key="${CSS.escape(key)}"] th`);
  const names = cell ? cell.textContent.replace("/", "").split("｜").map((name) => name.trim()) : [];
  return names[key.split("|").indexOf(code)] || code;
}

export function show(found, onChoose, onPoint) {
  shapes.clearLayers();
  byKey.clear();
  most = Math.max(0, ...found.features.map((each) => (each.properties.faint ? 0 : each.properties.weight || 0)));
  // what has most lies above the others
  for (const feature of found.features.toReversed()) {
    const { key } = feature.properties;
    const layer = L.geoJSON(feature, { pane: "strips", style: look });
    // a line of three pixels is hard to hit
    const reach = L.geoJSON(feature, { pane: "strips", style: { weight: 16, opacity: 0, fillOpacity: 0 } });
    for (const each of [layer, reach]) {
      each.on("click", (event) => { L.DomEvent.stopPropagation(event); onChoose(key); });
      each.on("mouseover", () => onPoint(key));
      each.on("mouseout", () => onPoint(""));
    }
    reach.bindTooltip(about(feature), { sticky: true });
    layer.addTo(shapes);
    reach.addTo(shapes);
    byKey.set(key, { layer, feature });
  }
  if (selected) mark(selected, false);
  else whole();
  byId("map-note").textContent = found.features.length ? "" : t("borders.no_shapes");
}

export function whole() {
  const [west, south, east, north] = boot.bounds;
  map.fitBounds([[south, west], [north, east]], { padding: [10, 10], animate: false });
}

// Show one as chosen; fly: bring it into view.
export function mark(key, fly = true) {
  selected = key;
  restyle();
  const one = byKey.get(key);
  if (!one) return;
  one.layer.bringToFront();
  if (fly || !map.getBounds().intersects(one.layer.getBounds())) map.fitBounds(one.layer.getBounds().pad(0.35), { maxZoom: 17, animate: !still });
}

export function restyle() {
  for (const { layer } of byKey.values()) layer.setStyle(look);
  if (spotted) spots(spotted);
}

// The issues of the chosen strip: a disc on one side, a square on the other, both on the line.
export function spots(drawn) {
  spotted = drawn;
  chosen.clearLayers();
  if (!drawn) return;
  L.geoJSON(drawn.line, { pane: "strips", interactive: false, style: { color: css("--accent"), weight: 22 * window.Shaotu.scale, opacity: 0.18, lineCap: "butt" } }).addTo(chosen);
  for (const spot of drawn.spots) {
    const node = el("span", { class: `spot-mark spot-${spot.side}`, data: { code: spot.code } });
    L.marker([spot.lat, spot.lon], { keyboard: false, icon: L.divIcon({ html: node, className: "spot-pin", iconSize: [14, 14] }) })
      .on("click", () => { location.href = `/#days=all&issue=${encodeURIComponent(spot.code)}`; })
      .bindTooltip(el("span", {}, `${spot.code} · ${t(`borders.side.${spot.side}`)}`)).addTo(chosen);
  }
}

export function legend() {
  const line = (colour, weight, words, dashed) => el("span", {}, el("i", { style: { height: `${weight}px`, background: dashed ? "none" : `var(${colour})`, "border-top": dashed ? `2px dashed var(${colour})` : "0" } }), words);
  fill(byId("legend"), line("--hot-1", 3, t("borders.legend_less")), line("--hot-2", 5, ""), line("--hot-3", 8, t("borders.legend_more")), line("--cold", 2, t("borders.legend_few"), true));
}
