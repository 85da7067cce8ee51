// Whistles: the list by state with the platform on duty, the part of an issue's panel, and the fields its forms need.

import { byId, button, el, fill } from "./dom.js";
import { ask } from "./doors.js";
import { boot, categoryName, departmentName, fullTime, metres, moment, nameOf, t } from "./words.js";
import { say } from "./state.js";

const STATES = ["blown", "called", "agreed", "returned", "withdrawn"];
const CAME = { arrived: "in", fed_back: "fed_back", passed: "fed_back", refused: "refused", failed: "in" };

// How many pages are shown: what somebody has turned to stays when the list is drawn anew.
let pages = 1;

async function listed() {
  const all = { whistles: [], units: {}, types: {}, later: null };
  for (let nth = 0; nth < pages && (nth === 0 || all.later); nth += 1) {
    const { whistles, units, types, later } = await ask("/api/v1/whistles", all.later ? { place: all.later } : {});
    all.whistles.push(...whistles);
    Object.assign(all.units, units);
    Object.assign(all.types, types);
    all.later = later;
  }
  return all;
}

function more() {
  pages += 1;
  return draw();
}

export async function draw() {
  const [{ whistles, units, types, later }, duty] = await Promise.all([listed(), ask("/api/v1/rosters")]);
  const focused = document.activeElement?.dataset?.whistle;
  const open = byId("whistles").querySelector(".roster-fold")?.open ?? false;
  const groups = STATES.map((state) => ({ state, rows: whistles.filter((each) => each.state === state) })).filter((group) => group.rows.length);
  fill(byId("whistles"),
    groups.length ? groups.map(({ state, rows }) => el("section", { class: "desk-group", data: { state } },
      el("h3", {}, t(`whistle.state.${state}`), el("span", { class: "n" }, String(rows.length))),
      el("ol", { class: "plain rows" }, rows.map((each) => row(each, units, types))))) : el("p", { class: "empty" }, t("whistle.none")),
    later ? button(t("whistle.older"), more, { class: "wide older" }) : null,
    platform(duty, open));
  if (focused) byId("whistles").querySelector(`[data-whistle="${CSS.escape(focused)}"]`)?.focus();
}

function row(each, units, types) {
  return el("li", {}, el("button", { type: "button", class: "row", disabled: !each.issue, data: { whistle: each.code }, onclick: () => say("issue", each.issue) },
    el("span", { class: "row-main" },
      el("span", { class: "row-head" }, el("b", {}, `${nameOf(types[each.type])} · ${t("whistle.nth", { n: each.number })}`), el("time", { datetime: each.blown_at }, moment(each.blown_at))),
      el("span", { class: "row-text" }, `${nameOf(units[each.by_unit])} · ${each.category ? categoryName(each.category) : ""} · ${each.expected}`),
      el("span", { class: "row-foot" }, each.departments.map((code) => el("span", { class: "badge" }, departmentName(code), " ", came(each, code))), deadline(each), each.score === null ? null : el("span", { class: "badge" }, t("whistle.score", { n: each.score }))))));
}

const came = (whistle, code) => (whistle.state === "blown" ? "" : t(`whistle.${CAME[whistle.steps[code]] || "not_in"}`));

function deadline(each) {
  if (each.answer_due_at) return el("span", {}, t("whistle.answer_by", { at: moment(each.answer_due_at) }));
  return each.state === "called" && each.report_by ? el("span", {}, t("whistle.report_by", { at: moment(each.report_by), place: each.place })) : null;
}

function platform({ entries, units }, open) {
  const byUnit = Map.groupBy(entries, (each) => each.unit);
  return el("details", { class: "fold roster-fold", open }, el("summary", {}, el("h2", {}, t("roster.title")), el("span", { class: "n quiet" }, String(entries.filter((each) => each.reachable).length))),
    byUnit.size ? [...byUnit].map(([unit, on]) => el("section", { class: "desk-group" }, el("h3", {}, nameOf(units[unit])), el("ul", { class: "plain lines" }, on.map((each) => el("li", {}, el("span", {}, el("b", {}, departmentName(each.department)), ` ${each.person} ${each.rank}`), duty(each), el("span", { class: "quiet" }, `${each.phone} · ${each.hours}`)))))) : el("p", { class: "empty" }, t("roster.none")));
}

const duty = (each) => [el("span", { class: "badge" }, t(`roster.${each.standing}`)), el("span", { class: `badge duty-${each.reachable ? "on" : "off"}` }, t(each.reachable ? "roster.reachable" : "roster.away"))];

// ---- the panel

export function section(calls) {
  const unit = (key) => nameOf(calls.units[key]) || key;
  return [
    calls.whistles.map((each) => whistle(each, calls, unit)),
    calls.errands.length ? el("div", { class: "errands" }, el("h4", {}, t("errand.title")), calls.errands.map(errand)) : null,
    together(calls, unit),
  ];
}

function whistle(each, { types, items, escalations }, unit) {
  const item = items[each.item];
  const went = escalations.filter((step) => step.number === each.number);
  return el("div", { class: `whistle whistle-${each.state}`, data: { whistle: each.number } },
    el("div", { class: "standing-head" }, el("b", {}, `${nameOf(types[each.type])} · ${t("whistle.nth", { n: each.number })}`), el("span", { class: "badge" }, t(`whistle.state.${each.state}`)), el("code", { class: "quiet" }, each.code)),
    el("p", { class: "quiet" }, t("whistle.by", { unit: unit(each.by_unit), holder: unit(each.held_by) }), each.split_from ? ` · ${t("whistle.split_from", { n: each.split_from })}` : "", item ? ` · ${t("whistle.item", { item: nameOf(item) })}` : ""),
    each.answer_due_at ? el("p", {}, t("whistle.answer_by", { at: fullTime(each.answer_due_at) })) : null,
    el("p", {}, each.report_by ? t("whistle.report_by", { at: fullTime(each.report_by), place: each.place }) : t("whistle.report_at", { place: each.place })),
    el("p", {}, t("whistle.expected", { words: each.expected })),
    el("p", { class: "quiet" }, t("whistle.self", { words: each.done_by_self })),
    el("p", { class: "quiet" }, t("whistle.why", { words: each.why_not })),
    each.answer ? el("p", {}, t("whistle.answer", { words: each.answer })) : null,
    went.map((step) => el("p", { class: "quiet" }, t("whistle.escalated", { at: fullTime(step.at), from: unit(step.from_unit), to: unit(step.to_unit) }))),
    el("ul", { class: "plain lines called" }, each.departments.map((code) => called(each, code))));
}

function called(each, code) {
  const standing = each.standings.find((one) => one.department === code);
  const how = !standing ? null : standing.stage === "fed_back" || standing.stage === "passed" ? "fed_back" : standing.stage === "refused" ? "refused" : standing.arrived_at ? "in" : "not_in";
  return el("li", { data: { called: code } }, el("span", {}, departmentName(code)), how ? el("span", { class: `badge came-${how}` }, t(`whistle.${how}`)) : null,
    standing?.arrived_at ? el("span", { class: "quiet" }, fullTime(standing.arrived_at)) : null, each.scores?.[code] === undefined ? null : el("b", {}, t("whistle.score", { n: each.scores[code] })));
}

function errand(each) {
  return el("div", { class: "errand" },
    el("div", { class: "standing-head" }, el("b", {}, t(`errand.${each.kind}`)), el("span", {}, departmentName(each.department)), el("span", { class: `badge came-${each.done_at ? "in" : "not_in"}` }, each.done_at ? t("errand.done", { at: fullTime(each.done_at) }) : t("errand.waits")), each.late ? el("span", { class: "badge late" }, t("errand.late")) : null),
    el("p", { class: "quiet" }, [each.due_at ? t("errand.due", { at: fullTime(each.due_at) }) : "", each.distance_m === null ? "" : t("errand.distance", { d: metres(each.distance_m) }), each.kind === "make_safe" ? t("errand.note") : ""].filter(Boolean).join(" · ")),
    each.done ? el("q", {}, each.done) : null);
}

function together({ consultations, joint, lines }, unit) {
  if (!consultations.length && !joint.length && !lines.length) return null;
  const result = (line) => (line.result === "on_line" ? t("sides.on_line") : unit(line.result));
  return el("div", { class: "together" }, el("h4", {}, t("sides.title")),
    lines.map((line) => el("p", {}, t("sides.line", { document: line.document, result: result(line) }), el("span", { class: "quiet" }, ` ${departmentName(line.department)}`))),
    consultations.map((each) => el("div", {}, each.minutes === null ? el("p", {}, t(each.late_at ? "sides.late" : "sides.convened", { at: fullTime(each.due_at) })) : [el("p", {}, t("sides.minutes", { document: each.document })), el("q", {}, each.minutes), each.agreement ? el("p", {}, t("sides.agreement", { code: each.agreement })) : null])),
    joint.map((each) => el("div", { data: { joint: each.number } }, el("p", {}, t("sides.joint")), el("q", {}, each.words), el("ul", { class: "plain lines" }, each.sides.map((side) => el("li", {}, each.signed[side] ? t("sides.signed", { side: unit(side), department: departmentName(each.signed[side]) }) : t("sides.unsigned", { side: unit(side) })))))));
}

// ---- the fields of a form

export const KINDS = new Set(["whistle_type", "whistle_item", "number", "side", "roster", "called", "scores", "time", "place"]);

// A field of a whistle's form with its label; null for the kinds of others.
export function field(need) {
  if (!KINDS.has(need.kind)) return null;
  if (need.kind === "number" && need.choices.length < 2) return [];
  const shared = { id: `need-${need.name}`, name: need.name, required: need.required };
  if (need.kind === "roster") return group(need, roster(need));
  if (need.kind === "called") return group(need, need.choices.map((each) => ofWhistle(each, tick(each.value, departmentName(each.value)))));
  if (need.kind === "scores") return group(need, need.choices.map((each) => ofWhistle(each, el("label", { class: "score" }, el("span", {}, departmentName(each.value)), el("input", { type: "number", min: 0, max: 100, step: 1, data: { code: each.value } })))));
  const input = need.kind === "time" ? el("input", { ...shared, type: "datetime-local" })
    : need.kind === "place" ? el("input", { ...shared, type: "text", maxlength: 200 })
      : el("select", { ...shared, onchange: need.kind === "number" ? chosen : null }, need.kind === "number" ? null : el("option", { value: "" }, t("loop.choose")), need.choices.map((each) => el("option", { value: each.value }, each.label)));
  return [el("label", { for: shared.id }, need.label), input];
}

const group = (need, inside) => el("fieldset", { class: "ticks", id: `need-${need.name}`, data: { need: need.name } }, el("legend", {}, need.label), inside);
const tick = (code, ...words) => el("label", { class: "tick" }, el("input", { type: "checkbox", value: code }), el("span", {}, words));

// What belongs to one whistle among several is shown when that one is chosen.
function ofWhistle(choice, label) {
  label.dataset.of = choice.whistle;
  return label;
}

function chosen({ target }) {
  for (const label of target.form.querySelectorAll("[data-of]")) label.hidden = label.dataset.of !== target.value;
}

function roster(need) {
  const seen = new Set(need.choices.map((each) => each.department));
  const on = [...Map.groupBy(need.choices, (each) => each.department)].map(([code, people]) => tick(code, el("b", {}, departmentName(code)), " ", people.map((each) => [duty(each), el("span", { class: "quiet" }, ` ${each.person} ${each.rank} ${each.phone} `)])));
  const others = boot.departments.filter((each) => !seen.has(each.code));
  return [on, el("label", { class: "quiet", for: "need-others" }, t("roster.others")), el("select", { id: "need-others", multiple: true, size: 5 }, others.map((each) => el("option", { value: each.code }, nameOf(each))))];
}

export function read(need, form) {
  const box = form.querySelector(`#need-${need.name}`);
  if (need.kind === "number") return Number(box?.value || need.choices[0]?.value) || undefined;
  const shown = (input) => !input.closest("[hidden]");
  if (need.kind === "roster" || need.kind === "called") {
    const ticked = [...box.querySelectorAll("input:checked")].filter(shown).map((input) => input.value);
    return [...ticked, ...[...(box.querySelector("select")?.selectedOptions || [])].map((each) => each.value)];
  }
  if (need.kind === "scores") {
    const first = form.elements.whistle?.value || need.choices[0]?.whistle;
    return Object.fromEntries([...box.querySelectorAll("input")].filter((input) => input.value !== "" && String(input.closest("[data-of]").dataset.of) === String(first)).map((input) => [input.dataset.code, Number(input.value)]));
  }
  if (need.kind === "time") return box.value ? cityTime(box.value) : undefined;
  return box.value || undefined;
}

// What was written is meant by the city's clock, wherever this browser stands.
function cityTime(local) {
  const asUtc = new Date(`${local}Z`);
  const shown = new Date(`${asUtc.toLocaleString("sv-SE", { timeZone: boot.time_zone }).replace(" ", "T")}Z`);
  return new Date(2 * asUtc - shown).toISOString();
}
