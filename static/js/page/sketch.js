// Pointing at the map: one place, or the corners of an area. The keyboard does it too: the middle of the map counts.

import { byId, button, el, fill } from "./dom.js";
import { t } from "./words.js";
import { drawing, map } from "./map.js";

const bar = byId("sketch-bar");

// Resolve with the place clicked, or with null when it was given up.
export function pick(words) {
  return run(words, (done) => {
    const take = (latlng) => done(latlng);
    return { clicked: take, taken: () => take(map.getCenter()) };
  });
}

// Resolve with the corners of an area (GeoJSON Polygon), or with null.
export function outline(words) {
  return run(words, (done) => {
    const corners = [];
    const add = (latlng) => {
      corners.push(latlng);
      drawing.layer.clearLayers();
      L.polygon(corners, { color: "#6b2f90", weight: 3, fillOpacity: 0.15, interactive: false }).addTo(drawing.layer);
      for (const corner of corners) L.circleMarker(corner, { radius: 4, color: "#6b2f90", fillOpacity: 1, interactive: false }).addTo(drawing.layer);
    };
    const finish = () => corners.length >= 3 && done({ type: "Polygon", coordinates: [[...corners, corners[0]].map(({ lng, lat }) => [lng, lat])] });
    return { clicked: add, taken: () => add(map.getCenter()), finish };
  });
}

function run(words, begin) {
  return new Promise((resolve) => {
    const box = map.getContainer();
    const catcher = L.DomUtil.create("div", "catcher", box);
    const end = (value) => {
      drawing.active = false;
      catcher.remove();
      bar.hidden = true;
      document.removeEventListener("keydown", keys);
      resolve(value);
    };
    const tool = begin(end);
    const keys = (event) => {
      if (event.key === "Escape") end(null);
      if (event.key === "Enter" && event.target === box) tool.taken();
    };
    drawing.active = true;
    drawing.layer.clearLayers();
    L.DomEvent.on(catcher, "click", (event) => { L.DomEvent.stop(event); tool.clicked(map.mouseEventToLatLng(event)); });
    document.addEventListener("keydown", keys);
    fill(bar, el("span", {}, words), button(t("take_middle"), tool.taken), tool.finish && button(t("finish"), tool.finish, { class: "main" }), button(t("cancel"), () => end(null)));
    bar.hidden = false;
  });
}
