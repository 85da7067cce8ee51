// What the map shows, chosen in one place: how issues and the ground are coloured, what lies on top, which base map.

import { boot, nameOf, number, t } from "./words.js";
import { ask } from "./doors.js";
import { button, el, fill } from "./dom.js";
import { say, state } from "./state.js";
import { WAYS } from "./paint.js";
import { map } from "./map.js";

const GROUNDS = ["counts", "grades", "hotspots", "none"];
const chosenPoints = () => new Set(state.points.split(",").filter(Boolean));
const ground = () => state.over || (state.shaded ? "counts" : "none");

export async function open(box) {
  const { kinds } = await ask("/map/points");
  const list = el("div", {});
  fill(box,
    radios("colour", t("layers.pins"), WAYS.map((way) => [way, t(`colour.${way}`)]), state.colour, (way) => { state.colour = way; say("painted"); }),
    radios("ground", t("layers.ground"), GROUNDS.map((way) => [way, t(`ground.${way}`)]), ground(), colourGround),
    el("fieldset", {}, el("legend", {}, t("layers.more")),
      ["density", "straddlers", ...(boot.sees_staff ? ["staff"] : []), "areas"].map((name) => check(name, t(`layer.${name}`), state[name], (on) => { state[name] = on; say("layers"); })),
      el("p", { class: "quiet" }, t("areas.hint"))),
    boot.online.length ? radios("base", t("layers.base"), [["", t("layers.base_own")], ...boot.online.map((each) => [each.code, nameOf(each)])], state.base, (code) => { state.base = code; say("layers"); }) : null,
    kinds.length ? el("fieldset", { class: "point-kinds" }, el("legend", {}, t("layers.points"), map.getZoom() < boot.points_from_z ? el("span", { class: "quiet" }, ` · ${t("layers.points_from")}`) : null),
      kinds.map(({ kind, name, name_en, n }) => check(`kind-${kind}`, nameOf({ name, name_en, code: kind }), chosenPoints().has(kind), (on) => choosePoints(kind, on), number(n))),
      button(t("layers.list_points"), () => listed(list), { class: "wide" }), list) : null);
  return null;
}

function colourGround(way) {
  state.shaded = way === "counts";
  state.over = way === "grades" || way === "hotspots" ? way : "";
  say("layers");
}

function choosePoints(kind, on) {
  const chosen = chosenPoints();
  chosen[on ? "add" : "delete"](kind);
  state.points = [...chosen].join(",");
  say("layers");
}

const radios = (name, words, choices, chosen, change) => el("fieldset", {}, el("legend", {}, words),
  choices.map(([value, said]) => el("label", {}, el("input", { type: "radio", name: `layers-${name}`, id: `${name}-${value || "own"}`, value, checked: value === chosen, onchange: () => change(value) }), el("span", {}, said))));

const check = (name, words, checked, change, count) => el("label", {},
  el("input", { type: "checkbox", id: `layer-${name}`, checked, onchange: ({ target }) => change(target.checked) }), el("span", { class: "name" }, words), count ? el("span", { class: "n quiet" }, count) : null);

// The same as a list, for who cannot press a dot.
async function listed(list) {
  const { points, more } = await ask("/map/points", { bbox: map.getBounds().toBBoxString(), kinds: state.points });
  fill(list, el("p", { class: "sum" }, more ? t("points.more", { n: number(points.length) }) : t("points.n", { n: number(points.length) })),
    el("ol", { class: "plain rows" }, points.map((each) => el("li", {}, button(nameOf(each), () => say("point", each.id), { class: "row" })))));
}
