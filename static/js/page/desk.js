// What waits for who sits here, in groups: each row opens the same panel as the map does.

import { byId, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { has, number, t } from "./words.js";
import { row } from "./list.js";

export async function draw() {
  const { groups } = await ask("/map/desk");
  const focused = document.activeElement?.dataset?.code;
  const full = groups.filter((group) => group.total);
  fill(byId("desk"), full.length ? full.map(group) : el("p", { class: "empty" }, t("desk.nothing")));
  if (focused) byId("desk").querySelector(`[data-code="${CSS.escape(focused)}"]`)?.focus();
}

const group = ({ code, total, rows }) => el("section", { class: "desk-group", data: { group: code } },
  el("h3", {}, t(has(`desk.${code}`) ? `desk.${code}` : `state.${code}`), el("span", { class: "n" }, number(total))),
  el("ol", { class: "plain rows" }, rows.map(row)));
