// The list that says the same as the map: every issue can be reached here by keyboard.

import { byId, button, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { age, fullTime, nameOf, number, t } from "./words.js";
import { asQuery, say, state } from "./state.js";
import { timeLeft } from "./clock.js";
import { light, ofIssue } from "./lights.js";

// What comes in pushes the last rows out: a page that was open all day is no longer than one just opened.
const FOLLOWED = 60;
const shown = { rows: [], total: 0, page: 1, fresh: new Set() };

export function draw(rows, total) {
  Object.assign(shown, { rows, total, page: 1 });
  render();
}

// An issue that just came: at the top with the next drawing, with its words when the list is read anew.
export function add(feature) {
  const known = shown.rows.findIndex((row) => row.code === feature.id);
  if (known >= 0) shown.rows[known] = { ...shown.rows[known], ...feature.properties };
  else {
    shown.rows.unshift({ ...feature.properties, text: "" });
    shown.total += 1;
    shown.rows.length = Math.min(shown.rows.length, Math.max(FOLLOWED, shown.page * FOLLOWED));
    shown.fresh.add(feature.id);
    setTimeout(() => shown.fresh.delete(feature.id), 8000);
  }
}

export function remove(code) {
  const before = shown.rows.length;
  shown.rows = shown.rows.filter((row) => row.code !== code);
  shown.total -= before - shown.rows.length;
}

export function render() {
  const focused = document.activeElement?.dataset?.code;
  const ordering = document.activeElement?.id === "order";
  const left = shown.total - shown.rows.length;
  fill(byId("issues"),
    el("div", { class: "sum-bar" }, el("p", { class: "sum", role: "status" }, t("listed", { n: number(shown.total) }), state.text ? el("span", { class: "quiet" }, ` · “${state.text}”`) : null), order()),
    shown.rows.length ? el("ol", { class: "plain rows" }, shown.rows.map(row)) : el("p", { class: "empty" }, t("nothing_listed")),
    left > 0 && button(t("more", { n: number(left) }), more, { class: "wide" }));
  if (ordering) byId("order").focus();
  if (focused) byId("issues").querySelector(`[data-code="${CSS.escape(focused)}"]`)?.focus();
}

function order() {
  return el("select", { id: "order", "aria-label": t("order"), onchange: ({ target }) => { state.order = target.value; say("filters"); } },
    ["reported", "due"].map((each) => el("option", { value: each, selected: state.order === each }, t(`order.${each}`))));
}

async function more() {
  shown.page += 1;
  const { rows } = await ask("/map/rows", { ...asQuery(), page: shown.page });
  const known = new Set(shown.rows.map((each) => each.code));
  shown.rows.push(...rows.filter((each) => !known.has(each.code)));
  render();
}

export function row(issue) {
  const sides = window.Shaotu.store.sides.get(issue.code);
  return el("li", {}, el("button", {
    type: "button", class: `row${shown.fresh.has(issue.code) ? " fresh" : ""}`, data: { code: issue.code },
    "aria-current": state.issue === issue.code ? "true" : null, onclick: () => say("issue", issue.code),
  },
  window.Shaotu.mark(issue.flags, sides),
  el("span", { class: "row-main" },
    el("span", { class: "row-head" }, el("b", {}, nameOf(issue.category)), el("time", { datetime: issue.reported_at, title: fullTime(issue.reported_at) }, age(issue.reported_at))),
    issue.text ? el("span", { class: "row-text" }, issue.text) : null,
    el("span", { class: "row-foot" }, light(ofIssue(issue)), el("span", {}, t(`state.${issue.state}`)), issue.due_at ? timeLeft(issue) : null, issue.lead ? el("span", {}, nameOf(issue.lead)) : null, badges(issue.flags), marks(issue.marks)))));
}

export const marks = (said) => (said || []).map((mark) => el("span", { class: `badge mark-${mark}` }, t(`mark.${mark}`)));
export const badges = (flags) => flags.filter((flag) => flag !== "unlocated").map((flag) => el("span", { class: `badge flag-${flag}` }, t(`flag.${flag}`)));
