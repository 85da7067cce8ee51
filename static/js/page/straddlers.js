// Buildings, streets and estates across a line, with the part on each side: the list of what the layer shows.

import { byId, button, el, fill, icon } from "./dom.js";
import { ask } from "./doors.js";
import { area, levelName, nameOf, number, percent, t } from "./words.js";
import { say, state } from "./state.js";
import { choose, straddledLevel } from "./map.js";
import { frame } from "./issue.js";
import { fact, section, unitLink } from "./unit.js";

const KINDS = ["building", "street", "estate"];
let kind = "building";

export async function draw() {
  const { net, level, levels } = straddledLevel();
  if (!level) return fill(byId("straddlers"), el("p", { class: "empty" }, t("no_ground")));
  const head = el("div", { class: "bar-tools" },
    el("select", { "aria-label": t("level"), id: "parted-level", onchange: ({ target }) => { state.parted = target.value; say("layers"); draw(); } },
      levels.map((each) => el("option", { value: each.code, selected: each === level }, levelName(net.code, each.code)))),
    el("select", { "aria-label": t("kind"), id: "parted-kind", onchange: ({ target }) => { kind = target.value; draw(); } },
      KINDS.map((each) => el("option", { value: each, selected: each === kind }, t(`place.${each}`)))),
    !state.straddlers && button(t("show_layer"), () => { state.straddlers = true; say("layers"); draw(); }));
  fill(byId("straddlers"), head, el("p", { class: "empty" }, t("loading")));
  const { total, straddlers } = await ask(`/map/straddlers/${net.code}/${level.code}/${kind}`);
  fill(byId("straddlers"), head, el("p", { class: "sum" }, t("straddlers_n", { n: number(total) })),
    el("ol", { class: "plain rows" }, straddlers.map(place)),
    total > straddlers.length && el("p", { class: "quiet" }, t("first_n", { n: number(straddlers.length) })));
}

function place(each) {
  return el("li", {}, el("button", { type: "button", class: "row", onclick: () => say("straddler", each) },
    icon(each.kind), el("span", { class: "row-main" },
      el("span", { class: "row-head" }, el("b", {}, nameOf(each) || t(`place.${each.kind}`)), el("span", { class: "quiet" }, area(each.area_m2))),
      shares(each.parts))));
}

// The card of one, whether it was chosen in the list or on the map.
export async function open({ kind: which, id, keepView = false }) {
  const { net, level } = straddledLevel();
  const each = await ask(`/map/straddlers/${encodeURIComponent(net.code)}/${encodeURIComponent(level.code)}/${which}/${id}`);
  state.issue = state.unit = "";
  say("opened");
  choose({ footprint: each.geometry, box: each.box, keepView });
  frame(nameOf(each) || t(`place.${each.kind}`), t(`place.${each.kind}`),
    el("dl", { class: "facts" }, fact(t("unit.area"), area(each.area_m2)), fact(t("level"), levelName(net.code, level.code))),
    section(t("straddler.parts"), shares(each.parts)),
    section(t("straddler.units"), el("ul", { class: "plain lines" }, each.parts.map((part) => el("li", {}, unitLink(part), el("b", {}, percent(part.part)))))));
}

// Parts as one bar in the colours of the sides, and the same in words.
export function shares(parts) {
  const colours = window.Shaotu.sideColours(parts);
  return [
    el("span", { class: "parts", "aria-hidden": "true" }, parts.map((part, i) => el("span", { style: { "flex-grow": part.part, "background-color": colours[i] } }))),
    el("span", { class: "parts-words" }, parts.map((part, i) => el("span", {}, el("i", { style: { "background-color": colours[i] } }), `${nameOf(part)} ${percent(part.part)}`))),
  ];
}
