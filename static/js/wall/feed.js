// What happened last: each issue once, by its newest word. Kinds, states and departments; never what somebody wrote.

import { byId, el, fill } from "../page/dom.js";
import { boot, nameOf, t } from "../page/words.js";
import { dueOf } from "../page/state.js";
import { minuteOf } from "./clock.js";
import { fit } from "./ranks.js";

const LINES = 14;
const FRESH_MS = 6000;
let lines = [];
const fresh = new Set();

// What was asked for and what the stream told meanwhile are one list: the newer word of an issue holds.
export function begin(told) {
  merge(told);
  draw();
}

export function add(events) {
  for (const event of events) {
    const id = event.feature?.id;
    if (event.kind === "gone") lines = lines.filter((each) => each.feature.id !== event.code);
    if (!id) continue;
    fresh.add(id);
    setTimeout(() => fresh.delete(id), FRESH_MS);
  }
  merge(events.filter((event) => event.feature));
  draw();
}

function merge(told) {
  const newest = new Map();
  for (const each of [...lines, ...told]) {
    const known = newest.get(each.feature.id);
    if (!known || known.seq <= each.seq) newest.set(each.feature.id, each);
  }
  lines = [...newest.values()].sort((a, b) => b.seq - a.seq).slice(0, LINES);
}

function draw() {
  fill(byId("feed"), lines.length ? lines.map(line) : el("li", { class: "empty" }, t("wall.quiet")));
  fit(byId("feed"));
}

function line({ at, feature }) {
  const { code, category, state, lead, flags } = feature.properties;
  const late = boot.open.includes(state) && dueOf(feature.properties) === "overdue";
  return el("li", { class: fresh.has(feature.id) ? "fresh" : null, data: { code }, title: code },
    window.Shaotu.mark(flags, window.Shaotu.store.sides.get(code)),
    el("b", {}, nameOf(category)), el("time", { datetime: at }, minuteOf(at)),
    el("span", { class: "quiet" }, el("span", {}, boot.words[`state.${state}`] || state), late ? [" · ", el("span", { class: "late" }, t("due.overdue"))] : null,
      lead ? ` · ${nameOf(lead)}` : null));
}
