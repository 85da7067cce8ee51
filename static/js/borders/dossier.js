// The map of a grid's dossier: its line, and its open issues with the numbers of the list.

import { el } from "../page/dom.js";
import { boot } from "../page/words.js";

const map = window.map_main;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const style = () => ({ color: css("--accent"), weight: 4, fillColor: css("--accent"), fillOpacity: 0.07 });
const own = L.geoJSON(boot.outline, { pane: "units", interactive: false, style }).addTo(map);

boot.spots.forEach(({ code, lon, lat }, nth) => {
  L.marker([lat, lon], { keyboard: false, icon: L.divIcon({ html: el("span", { class: "numbered" }, String(nth + 1)), className: "spot-pin", iconSize: [22, 22] }) })
    .on("click", () => { location.href = `/#days=all&issue=${encodeURIComponent(code)}`; }).bindTooltip(el("span", {}, code)).addTo(map);
});
window.Shaotu.showBasemap();
L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
document.addEventListener("theme", () => { window.Shaotu.repaint(); own.setStyle(style()); });
