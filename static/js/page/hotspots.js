// Named places where the listed issues gather, with the departments called there.

import { byId, el, fill, icon } from "./dom.js";
import { ask } from "./doors.js";
import { departmentName, nameOf, number, t } from "./words.js";
import { asQuery } from "./state.js";
import { fly } from "./map.js";

let asked = 0;
let last = [];

// As they are listed: the map numbers them in the same order.
export const found = () => last;

export async function draw() {
  const mine = ++asked;
  const { hotspots } = await ask("/map/hotspots", asQuery());
  if (mine !== asked) return;
  last = hotspots;
  const most = Math.max(1, ...hotspots.map((each) => each.issues_n));
  fill(byId("hotspots"), hotspots.length ? hotspots.map((each) => spot(each, most)) : el("li", { class: "empty" }, t("no_hotspots")));
}

function spot(place, most) {
  const [west, south, east, north] = place.box;
  return el("li", {}, el("button", { type: "button", class: "spot", onclick: () => fly(L.latLngBounds([south, west], [north, east])) },
    icon(place.kind), el("span", { class: "name" }, nameOf(place)), el("b", {}, number(place.issues_n)),
    el("span", { class: "bar", style: { "--part": place.issues_n / most } }),
    el("span", { class: "quiet" }, t(`place.${place.kind}`), " · ", place.departments.slice(0, 2).map((each) => `${departmentName(each.code)} ${number(each.issues_n)}`).join(" · "))));
}
