// The tour: every half minute to the next place where issues gather. Whoever touches the screen stops it for a while.

import { byId, el, fill } from "../page/dom.js";
import { nameOf, number, t } from "../page/words.js";
import * as map from "./map.js";

const NEXT_MS = 30_000;
const PAUSE_MS = 300_000;
// running; or off; or paused until a moment
const tour = { on: true, until: 0, next: Date.now() + NEXT_MS, at: -1, places: [] };

export function take(places) {
  tour.places = places;
}

export function start() {
  for (const kind of ["pointerdown", "wheel", "keydown"]) document.addEventListener(kind, touched, { passive: true, capture: true });
  byId("tour").addEventListener("click", toggle);
  setInterval(go, 1000);
  draw();
}

function touched(event) {
  if (event.type === "keydown") {
    if (event.key.toLowerCase() === "t" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, select, textarea")) return toggle();
    if (["Shift", "Control", "Alt", "Meta", "Tab", "Enter", " "].includes(event.key)) return null;
  }
  if (event.target.closest?.("#tour") || !tour.on) return null;
  tour.until = Date.now() + PAUSE_MS;
  return draw();
}

const paused = () => tour.until > Date.now();

function toggle() {
  tour.on = !tour.on || paused();
  Object.assign(tour, { until: 0, next: Date.now() + (tour.on ? 1000 : NEXT_MS) });
  if (!tour.on) card(null);
  draw();
}

function go() {
  if (tour.on && !paused() && Date.now() >= tour.next) step();
  draw();
}

// After the last place the whole city, then from the first again.
function step() {
  tour.next = Date.now() + NEXT_MS;
  tour.at = tour.at + 1 > tour.places.length ? 0 : tour.at + 1;
  const place = tour.places[tour.at];
  if (place) map.show(place.box);
  else map.showAll();
  card(place);
}

function card(place) {
  byId("tour-card").hidden = !place;
  for (const row of byId("hotspots").children) {
    if (place && row.dataset.key === place.key) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  if (place) fill(byId("tour-card"), el("b", {}, nameOf(place)), el("span", { class: "quiet" }, t("wall.tour.place", { nth: tour.at + 1, of: tour.places.length, n: number(place.issues_n) })));
}

function draw() {
  const state = !tour.on ? "off" : paused() ? "paused" : "on";
  const left = Math.max(0, Math.ceil((tour.until - Date.now()) / 1000));
  const said = t(`wall.tour.${state}`, { left: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`, s: NEXT_MS / 1000 });
  // not written anew while it says the same: it would be read out again
  if (byId("tour-said").textContent !== said) byId("tour-said").textContent = said;
  byId("tour-said").parentElement.dataset.tour = state;
  byId("tour").textContent = t(state === "on" ? "wall.tour.stop" : "wall.tour.go");
}
