// The wall's map: open issues as pins on the shaded ground, as on the operator's page.

import { boot, t } from "../page/words.js";

const { map_main: map, live_issues: live, cluster_issues: cluster } = window;
const { ground, store } = window.Shaotu;
const [west, south, east, north] = boot.bounds;
const whole = L.latLngBounds([south, west], [north, east]);
const shades = boot.nets.map((net) => window[`net_${net.edition_id}`]);
const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const PULSES = 5;

export function start() {
  Object.assign(ground, { net: boot.nets[0]?.code || "", shaded: true });
  map.options.zoomSnap = 0.5;
  map.getContainer().setAttribute("aria-label", t("map_keys"));
  map.getContainer().setAttribute("role", "application");
  L.control.scale({ imperial: false, maxWidth: 140 * window.Shaotu.scale }).addTo(map);
  showAll(false);
  window.Shaotu.showBasemap();
  for (const layer of shades) layer.addTo(map);
  cluster.addTo(map);
}

// Names come once for all pins; here each pin gets its own, as those of the stream have them.
const featuresOf = ({ pins, categories, departments }) => pins.map(({ id, geometry, ...told }) => ({
  type: "Feature",
  id,
  geometry,
  properties: { ...told, code: id, category: categories[told.category], lead: departments[told.lead] || null },
}));

export function draw(told) {
  store.features = featuresOf(told.located);
  store.sides = new Map(Object.entries(told.sides));
  const keys = Object.keys(told.ground);
  window.Shaotu.count(new Map(Object.entries(told.ground)), new Map(told.units.map((id, nth) => [id, keys[nth]])));
  for (const layer of shades) window.Shaotu.reshade(layer);
  live.update();
}

// Of a storm only the last word about each issue is drawn, and a few of them with a pulse.
export function apply(events) {
  const last = new Map(events.map((event) => [event.feature?.id || event.code, event]).filter(([id]) => id));
  const shown = [];
  const gone = [];
  for (const [id, { kind, feature }] of last) {
    if (kind !== "gone" && feature?.geometry && boot.open.includes(feature.properties.state)) shown.push(feature);
    else gone.push({ type: "Feature", id, geometry: null, properties: {} });
  }
  const fresh = shown.filter((feature) => !live.getLayer(feature.id));
  const without = new Set(last.keys());
  store.features = [...shown, ...store.features.filter((feature) => !without.has(feature.id))];
  for (const feature of gone) if (live.getLayer(feature.id)) live.remove(feature);
  if (shown.length) live.update({ type: "FeatureCollection", features: shown });
  fresh.slice(0, PULSES).forEach(pulse);
}

function pulse({ geometry: { coordinates: [lon, lat] } }) {
  if (still()) return;
  const ring = L.marker([lat, lon], { icon: L.divIcon({ className: "pulse", iconSize: [60 * window.Shaotu.scale, 60 * window.Shaotu.scale] }), interactive: false, keyboard: false });
  ring.addTo(map);
  setTimeout(() => ring.remove(), 4000);
}

export function show([w, s, e, n]) {
  move(L.latLngBounds([s, w], [n, e]).pad(0.3));
}

export function showAll(animated = true) {
  move(whole, animated);
}

function move(bounds, animated = true) {
  if (still() || !animated) map.fitBounds(bounds, { maxZoom: 16, animate: false });
  else map.flyToBounds(bounds, { maxZoom: 16, duration: 2.5 });
}

export function repaint() {
  window.Shaotu.repaint();
  for (const layer of shades) layer.redraw();
}
