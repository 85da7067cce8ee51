// One issue: what it is, how far, who is on it, and a button with a small form for each move one may make here.

import { fullTime, has, metres, nameOf, t } from "../page/words.js";
import { byId, button, el, fill } from "../page/dom.js";
import { on, say, state } from "./bus.js";
import * as here from "./here.js";
import * as map from "./map.js";
import { ask } from "./net.js";
import * as photo from "./photo.js";
import * as queue from "./queue.js";
import * as sheet from "./sheet.js";
import * as store from "./store.js";

// What can be said with one hand; moves that need more are made at a desk.
const KINDS = new Set(["text", "choice", "date", "photo", "position"]);
const PREPARED_MOST = 40;
const dialog = byId("issue");
let shown = null;
let form = null;

export function start() {
  on("open", open);
  on("data", prepare);
  on("sent", sent);
}

// The answer to a move says how things stand now: the next one is made knowing of it.
async function sent({ item, answer }) {
  const kept = item.code && answer?.loop === undefined ? await store.kept(state.account, `issue ${item.code}`) : null;
  if (kept && answer?.version !== undefined) await store.keep(state.account, `issue ${item.code}`, { ...kept, loop: answer, issue: { ...kept.issue, version: answer.version, state: answer.state } });
  if (item.code && item.code === shown?.issue.code && dialog.open && !form) open(item.code);
}

// What of mine about an issue is still on its way.
const underWay = (code) => queue.mine().filter((item) => item.kind === "move" && item.code === code && !item.refused);

// Behind a move that is on its way come those that follow from it; where they are not known, none.
function offered({ issue, loop, after }) {
  const going = underWay(issue.code).map((item) => item.move);
  const every = going.length ? (after?.[going[0]] ?? []).filter((move) => !going.includes(move.move)) : loop.moves;
  return every.filter((move) => move.needs.every((need) => !need.required || KINDS.has(need.kind)));
}

// The details of what waits for me are on the phone before the line is gone.
async function prepare(data) {
  const codes = new Set(data.groups.flatMap((group) => group.issues));
  for (const issue of data.issues.filter((each) => codes.has(each.code)).slice(0, PREPARED_MOST)) {
    const kept = await store.kept(state.account, `issue ${issue.code}`);
    if (kept?.issue.version === issue.version && kept.issue.state === issue.state) continue;
    const answer = await ask(`/patch/issues/${encodeURIComponent(issue.code)}`);
    if (answer.status !== 200) return;
    await store.keep(state.account, `issue ${issue.code}`, answer.body);
  }
}

async function open(code) {
  form = null;
  const kept = await store.kept(state.account, `issue ${code}`);
  if (kept) draw(kept, false);
  else fill(dialog, head(code), el("p", { class: "quiet", role: "status" }, t("patch.loading")));
  sheet.open(dialog);
  const answer = await ask(`/patch/issues/${encodeURIComponent(code)}`);
  // who began to write meanwhile is not disturbed
  if (!dialog.open || form) return;
  if (answer.status === 200) {
    await store.keep(state.account, `issue ${code}`, answer.body);
    draw(answer.body, true);
  } else if (!kept) {
    fill(dialog, head(code), el("p", { class: "refusal", role: "alert" }, answer.message));
  }
}

const head = (code) => el("header", { class: "sheet-head" }, el("h2", { id: "issue-title" }, code), button(t("patch.close"), () => sheet.close(dialog), { class: "close" }));

function draw(told, fresh) {
  shown = told;
  const { issue, loop, photos, seconds } = told;
  const point = issue.point && { lon: issue.point.coordinates[0], lat: issue.point.coordinates[1] };
  const away = point && state.fix ? t("patch.away_m", { m: metres(here.distance(state.fix, point)) }) : null;
  const moves = offered(told);
  const going = underWay(issue.code);
  fill(dialog, head(nameOf(issue.category)),
    el("p", { class: "facts" }, el("span", { class: "badge" }, t(`state.${loop.state}`)), loop.marks.map((mark) => (has(`mark.${mark}`) ? el("span", { class: "badge" }, t(`mark.${mark}`)) : null)), el("span", { class: "quiet" }, issue.code)),
    issue.due_at ? el("p", { class: new Date(issue.due_at) < Date.now() ? "late" : "" }, t(new Date(issue.due_at) < Date.now() ? "patch.was_due" : "patch.due", { at: fullTime(issue.due_at) })) : null,
    el("p", { class: "words" }, issue.text),
    seconds ? el("p", { class: "quiet" }, t("patch.seconds_n", { n: seconds })) : null,
    photos.length ? el("div", { class: "photos" }, photos.map((url, nth) => el("a", { href: url, target: "_blank" }, el("img", { src: url, class: "thumb", loading: "lazy", alt: t("patch.photo.nth", { n: nth + 1 }), onerror: (event) => { event.target.closest("a").hidden = true; } })))) : null,
    loop.parties.length ? el("ul", { class: "plain parties" }, loop.parties.map((party) => el("li", {}, el("b", {}, nameOf(told.departments[party.department]) || party.department), " ", el("span", { class: "quiet" }, t(`stage.${party.stage}`)), party.words ? el("q", {}, party.words) : null))) : null,
    el("p", { class: "quiet" }, away, fresh ? null : el("span", { class: "warned" }, " ", t("patch.from_store"))),
    point ? button(t("patch.on_map"), () => { sheet.close(dialog); say("view", "home"); map.look(point); }, { class: "wide" }) : null,
    el("div", { class: "moves", id: "moves", role: "group", "aria-label": t("patch.moves") },
      going.length ? el("p", { class: "warned" }, t("patch.move.on_its_way", { moves: going.map((item) => item.label).join("、") })) : null,
      moves.map((move) => button(move.label, () => begin(move), { data: { move: move.move } })),
      moves.length || going.length ? null : el("p", { class: "quiet" }, t("patch.no_moves"))),
    el("div", { id: "move-place" }));
}

function begin(move) {
  const files = {};
  const fields = {};
  const needs = move.needs.filter((need) => KINDS.has(need.kind));
  form = el("form", { class: "move-form", onsubmit: (event) => { event.preventDefault(); submit(move, needs, fields, files); } },
    el("h3", {}, move.label),
    needs.map((need) => field(need, fields, files)),
    el("p", { id: "move-trouble", class: "refusal", role: "alert", hidden: true }),
    el("button", { type: "submit", class: "main wide", id: "move-send" }, t("patch.send")));
  fill(byId("move-place"), form);
  form.scrollIntoView({ block: "nearest" });
  form.querySelector("textarea, button")?.focus({ preventScroll: true });
}

function field(need, fields, files) {
  const label = need.required ? need.label : t("patch.if_wished", { label: need.label });
  const id = `need-${need.name}`;
  if (need.kind === "photo") return photoField(need, id, label, files);
  if (need.kind === "position") return positionField(need, id, label, fields);
  if (need.kind === "choice") return el("fieldset", {}, el("legend", {}, label), el("div", { class: "choices" }, need.choices.map((each) => el("label", { class: "choice" }, el("input", { type: "radio", name: id, value: each.value, onchange: () => { fields[need.name] = each.value; } }), el("span", {}, each.label)))));
  const attributes = { id, name: need.name, oninput: (event) => { fields[need.name] = event.target.value.trim(); } };
  return [el("label", { for: id }, label), need.kind === "date" ? el("input", { ...attributes, type: "date" }) : el("textarea", { ...attributes, rows: 3, maxlength: 2000 })];
}

function photoField(need, id, label, files) {
  const box = el("div", { class: "photos" });
  const redraw = () => fill(box, files[need.name] ? el("figure", {}, photo.thumbnail(files[need.name], label)) : null, button(label, () => input.click(), { class: "shot", data: { photo: need.name } }));
  const input = photo.camera(id, label, (blob) => { files[need.name] = blob; redraw(); }, trouble);
  redraw();
  return [input, box];
}

function positionField(need, id, label, fields) {
  const told = el("p", { role: "status", id });
  const redraw = () => {
    const at = fields[need.name];
    told.textContent = at ? t("patch.place.gps", { m: at.accuracy_m }) : t(`patch.place.${state.here === "found" ? "old" : state.here}`);
  };
  const fix = here.fresh();
  if (fix) fields[need.name] = { lon: fix.lon, lat: fix.lat, accuracy_m: fix.accuracy_m };
  redraw();
  return el("div", { class: "place-line" }, el("b", {}, label), told, button(t(fix ? "patch.place.again" : "patch.place.point"), async () => {
    sheet.close(dialog);
    const found = await map.pick(fields[need.name] ?? state.fix);
    if (found) fields[need.name] = { lon: found.lon, lat: found.lat, accuracy_m: found.accuracy_m };
    redraw();
    sheet.open(dialog);
  }, { data: { point: need.name } }));
}

function trouble(words) {
  const told = byId("move-trouble");
  told.hidden = !words;
  told.textContent = words || "";
}

async function submit(move, needs, fields, files) {
  const missing = needs.find((need) => need.required && !(need.kind === "photo" ? files[need.name] : fields[need.name]));
  if (missing) return trouble(t("patch.missing", { label: missing.label }));
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
  const { issue, loop } = shown;
  try {
    await queue.add({ kind: "move", code: issue.code, name: nameOf(issue.category), move: move.move, label: move.label, version: underWay(issue.code).length ? null : loop.version, fields: said, files });
  } catch {
    return trouble(t("patch.report.disk"));
  }
  form = null;
  sheet.close(dialog);
  return say("toast", { words: t(state.line === "open" ? "patch.move.going" : "patch.move.kept", { move: move.label }), kind: "good" });
}

