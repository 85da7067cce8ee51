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

// How far the server counts.
const COUNTED = 10_000;
// The same group as a ledger: there many issues are moved at once.
const OF_GROUP = { asked: "marks=asked", sampled: "marks=sampled", to_sign: "states=dispatched", at_work: "states=handling", waiting: "states=fed_back", refused: "states=returned" };
const ledger = (code) => `/ledger?${OF_GROUP[code] || `states=${code}`}&order=due`;

const group = ({ code, total, rows }) => el("section", { class: "desk-group", data: { group: code } },
  el("h3", {}, t(has(`desk.${code}`) ? `desk.${code}` : `state.${code}`), el("a", { class: "n", href: ledger(code), title: t("to_ledger") }, total > COUNTED ? `${number(COUNTED)}+` : number(total))),
  el("ol", { class: "plain rows" }, rows.map(row)));
