// What is done most, at one press: dispatch as decided, urge. What the law wants a document for opens its form.

import { button, byId, el } from "./dom.js";
import { t } from "./words.js";
import { length } from "./clock.js";

export const ACTS = ["dispatch", "urge", "supervise"];

// act(move, fields) makes a move, open(move, fields) opens its form with fields filled in.
export function bar(issue, loop, { act, open }) {
  const able = ACTS.map((name) => loop.moves.find((move) => move.move === name)).filter(Boolean);
  if (!able.length) return null;
  const press = { dispatch: (move) => act(move, {}), urge: (move) => act(move, { reason: reason(issue) }), supervise: (move) => open(move, { reason: reason(issue) }) };
  return el("div", { class: "quick", role: "group", "aria-label": t("quick.title") },
    able.map((move) => button(t(`quick.${move.move}`), () => press[move.move](move), { class: move.move === "supervise" ? null : "main", data: { quick: move.move }, title: move.move === "dispatch" ? null : reason(issue) })));
}

export const tell = (what) => { byId("urgent").textContent = t("quick.done", { what }); };

function reason({ due_at: due }) {
  if (!due) return t("quick.urge_open");
  const left = new Date(due) - Date.now();
  return t(left < 0 ? "quick.urge_late" : "quick.urge_left", { time: length(left) });
}
