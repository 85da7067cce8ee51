// Who is outside on duty, and where they were last: on the map, and as a list with the nearest first. An old place says so.

import { button, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { age, boot, departmentName, metres, number, t } from "./words.js";
import { state } from "./state.js";
import { flyTo, map } from "./map.js";
import { section as part } from "./unit.js";

const EVERY_MS = 15_000;
const layer = L.layerGroup();
let timer = 0;
let asked = 0;

export function show() {
  clearTimeout(timer);
  if (!state.staff) { layer.remove(); return; }
  layer.addTo(map);
  draw().catch(() => null);
}

async function draw() {
  const mine = ++asked;
  const { positions } = await ask("/api/v1/positions", { bbox: map.getBounds().pad(0.3).toBBoxString() });
  if (mine !== asked || !state.staff) return;
  layer.clearLayers();
  for (const each of positions) layer.addLayer(pin(each));
  clearTimeout(timer);
  timer = setTimeout(() => draw().catch(() => null), EVERY_MS);
}

map.on("moveend", () => { if (state.staff) show(); });

const told = (each) => t(each.old ? "staff.old" : "staff.fresh", { age: age(each.at) });

function pin(each) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M12 3.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7zM5.500 20.500c.5-5 3-7.500 6.500-7.500s6 2.500 6.500 7.500z");
  svg.append(path);
  const about = el("span", {}, `${each.name} · ${t(`role.${each.role}`)} · ${told(each)}`);
  return L.marker([each.lat, each.lon], { keyboard: false, icon: L.divIcon({ html: svg, className: `staff-pin${each.old ? " old" : ""}`, iconSize: [26, 26] }) }).bindTooltip(about);
}

// In the panel of an issue: asked for at a press, for it is needed once in many.
export function section({ point }) {
  if (!point || !boot.sees_staff) return null;
  const place = el("div", {});
  const press = button(t("staff.show"), () => nearest(place, point.coordinates), { data: { act: "nearest" } });
  return part(t("staff.title"), press, place);
}

export async function nearest(place, [lon, lat]) {
  const { positions } = await ask("/api/v1/positions", { near: `${lon},${lat}` });
  fill(place, positions.length ? el("ol", { class: "plain staff" }, positions.map(row)) : el("p", { class: "empty" }, t("staff.none")));
  place.querySelector("button")?.focus();
}

function row(each) {
  return el("li", { class: each.old ? "old" : null }, el("button", { type: "button", class: "row", onclick: () => { state.staff = true; show(); flyTo([each.lat, each.lon], Math.max(map.getZoom(), 16)); } },
    el("span", { class: "row-main" },
      el("span", { class: "row-head" }, el("b", {}, each.name), el("b", {}, metres(each.distance_m))),
      el("span", { class: "row-foot" }, el("span", {}, t(`role.${each.role}`)), each.department ? el("span", {}, departmentName(each.department)) : null, el("span", { class: each.old ? "badge waits" : null }, told(each)), each.accuracy_m ? el("span", {}, t("staff.within", { metres: `${number(each.accuracy_m)} m` })) : null))));
}
