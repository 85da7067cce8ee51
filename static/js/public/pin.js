// Where it is, by a tap on the map or by the phone's own fix. Without this script words do the same.

import { byId } from "../page/dom.js";

const boot = JSON.parse(byId("boot").textContent);
const map = window.map_main;
const word = (code, params = {}) => (boot.words[`page.public.${code}`] || code).replace(/%\((\w+)\)s/g, (_, name) => params[name] ?? "");
const fields = { lon: byId("lon"), lat: byId("lat"), accuracy: byId("accuracy") };
const address = byId("address");
// farther off than this somebody would have to search for it
const ROUGH_M = 50;
let pin = null;

function put({ lat, lng }, accuracy_m) {
  const accuracy = Math.max(1, Math.round(accuracy_m));
  const where = { lon: lng.toFixed(6), lat: lat.toFixed(6), accuracy };
  for (const [name, field] of Object.entries(fields)) { field.value = where[name]; field.disabled = false; }
  address.required = false;
  pin?.remove();
  pin = L.layerGroup([
    L.circle([lat, lng], { radius: accuracy, color: "#0b5c96", weight: 1, fillOpacity: 0.15 }),
    L.circleMarker([lat, lng], { radius: 8, color: "#ffffff", weight: 3, fillColor: "#a3271f", fillOpacity: 1 }),
  ]).addTo(map);
  byId("no-pin").hidden = false;
  byId("pin-said").textContent = word(accuracy > ROUGH_M ? "pin_rough" : "pin_put", { metres: accuracy });
}

function take() {
  for (const field of Object.values(fields)) { field.value = ""; field.disabled = true; }
  address.required = true;
  pin?.remove();
  byId("no-pin").hidden = true;
  byId("pin-said").textContent = "";
}

// how exact a finger is at this distance: a tenth of its width
const tapped_m = () => 156543 * Math.cos((map.getCenter().lat * Math.PI) / 180) / 2 ** map.getZoom() * 8;

byId("pin").hidden = false;
map.invalidateSize();
// it was fitted while nobody could see it
const [west, south, east, north] = boot.bounds;
map.fitBounds([[south, west], [north, east]], { animate: false });
window.Shaotu.showBasemap();
address.required = true;
map.on("click", ({ latlng }) => put(latlng, tapped_m()));
byId("centre").addEventListener("click", () => put(map.getCenter(), tapped_m()));
byId("no-pin").addEventListener("click", take);
byId("zoom-in").addEventListener("click", () => map.zoomIn());
byId("zoom-out").addEventListener("click", () => map.zoomOut());
document.addEventListener("theme", () => window.Shaotu.repaint());

// over plain http no phone gives its place, and a button that never works is worse than none
if (window.isSecureContext && navigator.geolocation) {
  byId("here").hidden = false;
  byId("here").addEventListener("click", () => {
    byId("pin-said").textContent = word("locating");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => { const at = L.latLng(coords.latitude, coords.longitude); map.setView(at, 17); put(at, coords.accuracy); },
      () => { byId("pin-said").textContent = word("not_located"); }, { enableHighAccuracy: true, timeout: 15000 });
  });
}
