// Measuring on the map: a line as it grows, and the ground inside once there are three points. Geodesic.

import { button, el, fill } from "./dom.js";
import { area, number, t } from "./words.js";
import { drawing, map } from "./map.js";
import { areaOf, lengthOf } from "./geodesy.js";

const layer = L.layerGroup();
let places = [];

// A length to the decimetre where that can be meant.
const long = (metres) => (metres >= 1000 ? `${number(Math.round(metres) / 1000)} km（${number(metres)} m）` : `${number(metres)} m`);

export function open(box, close) {
  places = [];
  const told = el("dl", { class: "facts", id: "measured" });
  const said = el("p", { class: "quiet", role: "status" });
  const catcher = L.DomUtil.create("div", "catcher", map.getContainer());
  const add = (latlng) => { places.push([latlng.lng, latlng.lat]); draw(told, said); };
  const keys = (event) => { if (event.key === "Enter" && event.target === map.getContainer()) add(map.getCenter()); };
  L.DomEvent.on(catcher, "click", (event) => { L.DomEvent.stop(event); add(map.mouseEventToLatLng(event)); });
  document.addEventListener("keydown", keys);
  drawing.active = true;
  layer.addTo(map);
  fill(box, el("p", { class: "quiet" }, t("measure.about")), told, said,
    el("div", { class: "moves" }, button(t("measure.add"), () => add(map.getCenter())), button(t("measure.undo"), () => { places.pop(); draw(told, said); }), button(t("measure.clear"), () => { places = []; draw(told, said); })));
  draw(told, said);
  return () => {
    drawing.active = false;
    catcher.remove();
    document.removeEventListener("keydown", keys);
    layer.clearLayers().remove();
  };
}

function draw(told, said) {
  const at = places.map(([lon, lat]) => [lat, lon]);
  const style = { color: "#6b2f90", weight: 3, interactive: false };
  layer.clearLayers();
  if (places.length > 2) L.polygon(at, { ...style, dashArray: "6 5", fillOpacity: 0.12 }).addTo(layer);
  if (places.length > 1) L.polyline(at, style).addTo(layer);
  for (const place of at) L.circleMarker(place, { ...style, radius: 4, fillOpacity: 1 }).addTo(layer);
  const line = lengthOf(places);
  const rows = [["length", places.length > 1 && [long(line), line]]];
  if (places.length > 2) {
    const around = lengthOf([...places, places[0]]);
    const inside = areaOf(places);
    rows.push(["around", [long(around), around]], ["area", [area(inside), inside]]);
  }
  fill(told, rows.filter(([, value]) => value).map(([name, [words, exact]]) => [el("dt", {}, t(`measure.${name}`)), el("dd", { data: { measured: name, exact: String(exact) } }, words)]));
  said.textContent = t("measure.points", { n: places.length });
}
