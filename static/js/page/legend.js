// The legend, drawn with the same pens as the map; and the switches of its layers.

import { boot, levelName, nameOf, t } from "./words.js";
import { byId, el, fill } from "./dom.js";
import { light } from "./lights.js";
import { say, state } from "./state.js";
import { levelsShown, map } from "./map.js";
import * as paint from "./paint.js";

const stroke = ({ color, weight }) => el("span", { class: "stroke", style: { "--colour": color, "--weight": `${Math.max(1, weight).toFixed(1)}px` } });

export function draw() {
  const net = boot.nets.find((each) => each.code === state.net);
  const levels = net ? levelsShown(net) : [];
  const { mark, shades, faultStyle, straddlerStyle, unitStyle } = window.Shaotu;
  const painted = paint.legend();
  const two = [{ key: "a", part: 2 }, { key: "b", part: 1 }];
  fill(byId("legend-body"),
    painted ? el("ul", { class: "plain", data: { legend: state.colour } }, painted) : el("ul", { class: "plain" },
      [[[], "clear"], [["straddles"], "straddles"], [["near_boundary"], "near_boundary"], [["in_gap"], "in_gap"], [["in_overlap"], "in_overlap"], [["exclave"], "exclave"], [["outside"], "outside"]]
        .map(([flags, word]) => el("li", {}, mark(flags, flags.length ? two : []), t(`legend.${word}`)))),
    state.colour === "lights" ? null : el("ul", { class: "plain lights", "aria-label": t("lights") }, boot.lights.map((each) => el("li", {}, light(each.code)))),
    net && el("ul", { class: "plain" },
      net.levels.map((level) => el("li", {}, stroke(unitStyle({ level: level.code }, map.getZoom())), levelName(net.code, level.code),
        !levels.includes(level) && el("span", { class: "quiet" }, t("legend.nearer"))))),
    state.shaded && net && el("ul", { class: "plain shades" },
      shades(`${net.code}:${levels.at(-1).code}`).map(({ colour, from, to }) => el("li", {}, el("span", { class: "swatch", style: { "--colour": colour } }), !Number.isFinite(to) ? `≥ ${from}` : from === to ? String(from) : `${from}–${to}`)), el("li", { class: "quiet" }, t("legend.shade", { level: levelName(net.code, levels.at(-1).code) }))),
    el("ul", { class: "plain" },
      el("li", {}, el("span", { class: "swatch dashed", style: { "--colour": faultStyle({ kind: "gap" }).fillColor } }), t("legend.gap")),
      el("li", {}, el("span", { class: "swatch dashed", style: { "--colour": faultStyle({ kind: "overlap" }).fillColor } }), t("legend.overlap")),
      state.straddlers && el("li", {}, el("span", { class: "swatch", style: { "--colour": straddlerStyle({ kind: "building" }).fillColor } }), t("legend.straddlers"))),
    net && el("p", { class: "quiet" }, t("legend.edition", { net: nameOf(net), edition: net.edition, day: net.valid_from })));
}

export function tools() {
  const choice = el("select", { id: "net", "aria-label": t("net"), onchange: ({ target }) => { state.net = target.value; say("layers"); } },
    boot.nets.map((net) => el("option", { value: net.code, selected: net.code === state.net }, nameOf(net))));
  const toggles = ["shaded", "density", "straddlers"].map((name) => el("label", { class: "toggle" },
    el("input", { type: "checkbox", id: `show-${name}`, checked: state[name], onchange: ({ target }) => { state[name] = target.checked; say("layers"); } }), el("span", {}, t(`layer.${name}`))));
  fill(byId("map-tools"), boot.nets.length ? choice : null, toggles);
}
