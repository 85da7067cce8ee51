// The loop in the panel: who is on the issue and how each stands, and a button with a small form for each move one may make.

import { byId, button, el, fill } from "./dom.js";
import { send } from "./doors.js";
import { boot, departmentName, fullTime, nameOf, t } from "./words.js";
import { light } from "./lights.js";
import { pick } from "./sketch.js";
import { say, state } from "./state.js";
import { section as part } from "./unit.js";
import * as quick from "./quick.js";
import * as whistles from "./whistles.js";

let writing = null;

// An open form counts, also before its first word.
export const isBeingWritten = () => Boolean(writing?.isConnected);

export function section(issue, loop, done) {
  const place = el("div", {});
  writing = null;
  shown.open = (move, fields) => { begin(issue, loop, move, place, done, fields); place.scrollIntoView({ block: "center" }); };
  return part(t("loop"),
    loop.parties.length ? el("div", { class: "standings" }, loop.parties.map(standing)) : null,
    loop.request ? el("p", { class: "asked" }, t("loop.asked", { by: loop.request.asked_by, at: fullTime(loop.request.asked_at), what: t(`move.ask_${loop.request.kind}`) }), loop.request.fields.reason ? el("q", {}, loop.request.fields.reason) : null) : null,
    loop.handoffs.map((each) => el("p", { class: "quiet" }, t("loop.handed", { from: departmentName(each.from_department), to: departmentName(each.to_department) }))),
    whistles.section(loop.calls),
    quick.bar(issue, loop, { act: (move, fields) => make(issue, loop, move, fields, {}, done), open: (move, fields) => begin(issue, loop, move, place, done, fields) }),
    loop.moves.length
      ? el("div", { class: "moves", role: "group", "aria-label": t("loop.moves") }, loop.moves.map((move) => button(move.label, () => begin(issue, loop, move, place, done), { data: { move: move.move } })))
      : el("p", { class: "quiet" }, t("loop.none")),
    place);
}

// A press elsewhere that opens the form of a move with fields filled in; null where the move is not to be made.
export const opener = (loop, name) => {
  const move = loop.moves.find((each) => each.move === name);
  return move ? (fields) => shown.open(move, fields) : null;
};
const shown = { open: null };

function standing(party) {
  const times = ["called", "signed", "arrived", "fed_back"].filter((name) => party[`${name}_at`]).map((name) => t(`loop.${name}`, { at: fullTime(party[`${name}_at`]) }));
  return el("div", { class: "standing", data: { department: party.department } },
    el("div", { class: "standing-head" }, light(party.light, { named: false }), el("b", {}, departmentName(party.department)), el("span", { class: "badge" }, t(`party.${party.role}`)), party.mandatory && party.role !== "lead" ? el("span", { class: "badge" }, t("loop.mandatory")) : null, el("span", { class: "stage" }, t(`stage.${party.stage}`))),
    el("span", { class: "quiet times" }, times.map((told) => el("span", {}, told))),
    party.words ? el("q", {}, party.words) : null);
}

function begin(issue, loop, move, place, done, filled = {}) {
  if (!move.needs.length) {
    make(issue, loop, move, {}, {}, done);
    return;
  }
  const form = el("form", { class: "move-form", onsubmit: (event) => { event.preventDefault(); submit(issue, loop, move, form, done); } },
    el("h4", {}, move.label),
    move.needs.map((need) => whistles.field(need) ?? [el("label", { for: `need-${need.name}` }, need.label), field(need)]),
    button(t("loop.send"), null, { class: "main", type: "submit" }));
  writing = form;
  fill(place, form);
  for (const [name, value] of Object.entries(filled)) form.elements[name].value = value;
  [...form.querySelectorAll("textarea, input, select, button")].find((each) => !each.value)?.focus();
}

function field(need) {
  const shared = { id: `need-${need.name}`, name: need.name, required: need.required };
  if (need.kind === "choice") return el("select", shared, el("option", { value: "" }, t("loop.choose")), need.choices.map((each) => el("option", { value: each.value }, each.label)));
  if (need.kind === "department" || need.kind === "departments") return el("select", { ...shared, multiple: need.kind === "departments" }, need.kind === "department" ? el("option", { value: "" }, t("loop.choose")) : null, boot.departments.map((each) => el("option", { value: each.code }, nameOf(each))));
  if (need.kind === "date") return el("input", { ...shared, type: "date" });
  if (need.kind === "photo") return el("input", { ...shared, type: "file", accept: "image/*" });
  if (need.kind === "position") return position(shared);
  if (need.kind === "issue") return el("input", { ...shared, type: "text", maxlength: 64 });
  return el("textarea", { ...shared, maxlength: 2000 });
}

function position(shared) {
  const told = el("input", { ...shared, readonly: true, type: "text" });
  return [told, button(t("loop.point"), async () => {
    const point = await pick(t("click_place"));
    if (!point) return;
    told.dataset.point = JSON.stringify({ lon: point.lng, lat: point.lat });
    told.value = t("loop.pointed", { lon: point.lng.toFixed(5), lat: point.lat.toFixed(5) });
  })];
}

function submit(issue, loop, move, form, done) {
  const fields = {};
  const files = {};
  for (const need of move.needs) {
    const input = form.elements[need.name];
    if (whistles.KINDS.has(need.kind)) { const said = whistles.read(need, form); if (said !== undefined) fields[need.name] = said; }
    else if (need.kind === "photo") { if (input.files[0]) files[need.name] = input.files[0]; }
    else if (need.kind === "position") { if (input.dataset.point) fields[need.name] = JSON.parse(input.dataset.point); }
    else if (need.kind === "departments") fields[need.name] = [...input.selectedOptions].map((each) => each.value);
    else if (input.value) fields[need.name] = input.value;
  }
  make(issue, loop, move, fields, files, done);
}

async function make(issue, loop, move, fields, files, done) {
  try {
    await send(`/api/v1/issues/${encodeURIComponent(issue.code)}/moves`, "move", { move: move.move, version: loop.version, fields }, files);
  } catch (error) {
    say("failed", error);
    return;
  }
  writing = null;
  quick.tell(move.label);
  if (state.issue !== issue.code) {
    say("changed");
    return;
  }
  await done(issue.code);
  byId("panel").focus({ preventScroll: true });
}
