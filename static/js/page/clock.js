// Limits: how much time is left, in words and by a shape, never by colour alone; and the choice of a filing condition.

import { button, el } from "./dom.js";
import { tell } from "./doors.js";
import { boot, fullTime, has, moment, t } from "./words.js";
import { dueOf, say } from "./state.js";

const MINUTE_MS = 60_000;
const SOON_MS = 30_000;
// A disc runs down, a triangle warns, a square is over; a dashed ring has no end, two bars stand still, a tick is done.
const SHAPES = {
  later: [["circle", { cx: 8, cy: 8, r: 6 }], ["path", { d: "M8 4.500V8l2.500 1.500" }]],
  soon: [["path", { d: "M8 1.500L15 14H1Z" }], ["path", { d: "M8 6v4M8 12v.5" }]],
  overdue: [["path", { d: "M2 2h12v12H2Z", class: "full" }], ["path", { d: "M5.500 5.500l5 5M10.500 5.500l-5 5", class: "on-full" }]],
  unset: [["circle", { cx: 8, cy: 8, r: 6, "stroke-dasharray": "2 2.500" }]],
  suspended: [["path", { d: "M5 3v10M11 3v10" }]],
  stopped: [["path", { d: "M2.500 8.500l3.500 4L13.500 4" }]],
};
SHAPES.late = SHAPES.stopped;

// How an issue in a list, or a clock, stands now: the server's words "running" and "later" are one here.
function stateOf({ state, due_at: due, warn_at: warn }) {
  if (state && !["running", "soon", "overdue"].includes(state)) return state;
  return dueOf({ due_at: due, warn_at: warn });
}

function shape(state) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: 16, height: 16, class: "clock-shape", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const [tag, attributes] of SHAPES[state]) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
  }
  return svg;
}

export function length(ms) {
  const minutes = Math.floor(Math.abs(ms) / MINUTE_MS);
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  if (d) return t("clock.days", { d, h });
  return h ? t("clock.hours", { h, m }) : t("clock.minutes", { m });
}

function words(clock, state) {
  if (has(`clock.${state}`)) return t(`clock.${state}`);
  return t(state === "overdue" ? "clock.over" : "clock.left", { time: length(new Date(clock.due_at) - Date.now()) });
}

// A badge that goes on counting while it is on the page.
function countdown(clock) {
  const node = el("span", {});
  node.clock = clock;
  draw(node);
  return node;
}

// The same for an issue: its row has a state of another kind.
export const timeLeft = ({ due_at, warn_at }) => countdown({ due_at, warn_at });

function draw(node) {
  const state = stateOf(node.clock);
  node.className = `clock-badge due-${state}`;
  node.dataset.clock = state;
  if (node.clock.due_at) node.title = t("clock.due_at", { at: fullTime(node.clock.due_at) });
  node.replaceChildren(shape(state), words(node.clock, state));
}

setInterval(() => {
  for (const node of document.querySelectorAll("[data-clock]")) if (node.clock) draw(node);
}, SOON_MS);

export const choiceMark = (state) => shape(state);

// Everything about the limits of an issue, for its panel.
export function limits(issue, clocks, conditions) {
  return [
    el("ul", { class: "plain clocks" }, clocks.map((clock) => el("li", {},
      el("p", { class: "clock-head" }, el("b", {}, clock.title), countdown(clock), clock.limit_said ? el("span", { class: "quiet" }, clock.limit_said) : null),
      clock.due_at ? el("p", {}, t("clock.due_at", { at: fullTime(clock.due_at) }), el("span", { class: "quiet" }, ` · ${t("clock.started_at", { at: moment(clock.started_at) })}`)) : null,
      why(clock),
      clock.history.length > 1 ? past(clock) : null))),
    boot.may_decide && conditions.length ? choose(issue, clocks, conditions) : null,
  ];
}

// The clock for handling, and one that has no end, give their reason at once; of the others it is there to be opened.
function why(clock) {
  const lines = clock.explanation.map((line) => el("p", { class: "quiet" }, line));
  return clock.name === "handle" || !clock.due_at ? lines : el("details", {}, el("summary", { class: "quiet" }, t("clock.why")), lines);
}

function past(clock) {
  return el("details", {}, el("summary", {}, t("clock.history")), el("ol", { class: "plain lines" }, clock.history.map((each) => el("li", {},
    el("time", { datetime: each.at }, moment(each.at)), el("span", {}, each.said), el("span", { class: "quiet" }, each.due_at ? t("clock.due_at", { at: moment(each.due_at) }) : t("clock.unset")), el("span", { class: "quiet" }, each.by)))));
}

function choose(issue, clocks, conditions) {
  const group = `condition-${issue.code}`;
  const chosen = issue.condition;
  const form = el("form", {
    class: "conditions",
    onsubmit: (event) => {
      event.preventDefault();
      const number = Number(new FormData(form).get(group));
      if (number) tell(`/api/v1/issues/${encodeURIComponent(issue.code)}/condition`, { condition: number }).then(() => { say("changed"); say("issue", issue.code); }).catch((error) => say("failed", error));
    },
  },
  el("p", { class: "quiet" }, t("clock.choose_about")),
  conditions.map((each) => el("label", {},
    el("input", { type: "radio", name: group, value: each.number, checked: each.number === chosen }),
    el("span", {}, el("b", {}, boot.locale === "en" && each.text_en ? each.text_en : each.text_zh),
      el("span", { class: "quiet" }, each.limit || t("clock.no_limit", { said: each.limit_said }))))),
  button(t("clock.file"), null, { type: "submit" }));
  return el("details", { open: chosen === null }, el("summary", {}, t("clock.choose")), form);
}
