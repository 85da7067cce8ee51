// Coordinates in any of the datums: read off the map, and typed in to go there.

import { button, el, fill } from "./dom.js";
import { t } from "./words.js";
import { choose, map } from "./map.js";
import { DATUMS, fromWgs, read, toWgs } from "./datums.js";

// A tenth of a metre.
const DIGITS = 6;
const NAMES = { WGS84: "WGS 84", CGCS2000: "CGCS2000", GCJ02: "GCJ-02", BD09: "BD-09" };
let datum = "WGS84";

const said = ({ lng, lat }) => fromWgs(lng, lat, datum).map((value) => value.toFixed(DIGITS)).join(", ");

export function open(box) {
  const pointer = el("output", { id: "at-pointer" }, "—");
  const middle = el("output", { id: "at-middle" });
  const wrong = el("p", { class: "wrong", role: "alert" });
  const typed = el("input", { id: "typed-place", type: "text", inputmode: "decimal", autocomplete: "off", maxlength: 60, placeholder: "120.155100, 30.274100" });
  let last = null;
  const tell = () => { middle.value = said(map.getCenter()); if (last) pointer.value = said(last); };
  const moved = (event) => { last = event.latlng; pointer.value = said(last); };
  map.on("mousemove", moved).on("move", tell);
  // the cells have canvases of their own that keep the pointer to themselves
  const over = (event) => moved({ latlng: map.mouseEventToLatLng(event) });
  map.getContainer().addEventListener("pointermove", over);
  fill(box, el("p", { class: "quiet" }, t("place.about")),
    el("label", { for: "datum" }, t("place.datum"), el("select", { id: "datum", onchange: ({ target }) => { datum = target.value; tell(); } }, DATUMS.map((each) => el("option", { value: each, selected: each === datum }, NAMES[each])))),
    el("dl", { class: "facts" }, el("dt", {}, t("place.pointer")), el("dd", {}, pointer), el("dt", {}, t("place.middle")), el("dd", {}, middle)),
    el("form", { class: "go", onsubmit: (event) => { event.preventDefault(); wrong.textContent = go(typed.value, datum) ? "" : t("place.bad"); } },
      el("label", { for: "typed-place" }, `${t("place.lon")}, ${t("place.lat")}`, typed), button(t("place.go"), null, { type: "submit", class: "main" })), wrong);
  tell();
  return () => { map.off("mousemove", moved).off("move", tell); map.getContainer().removeEventListener("pointermove", over); };
}

// Fly to what was typed; false where it is no pair of coordinates.
export function go(words, of = "WGS84") {
  const pair = read(words);
  if (!pair) return false;
  choose({ point: toWgs(...pair, of) });
  return true;
}
