// A report in three taps: the photo, what it is, and off. Where it is, the phone knows, or one points at it.

import { boot, nameOf, t } from "../page/words.js";
import { byId, button, el, fill } from "../page/dom.js";
import { on, say, state } from "./bus.js";
import * as here from "./here.js";
import * as map from "./map.js";
import * as photo from "./photo.js";
import * as queue from "./queue.js";
import * as sheet from "./sheet.js";
import * as store from "./store.js";

const PHOTOS_MOST = 6;
const FOUND_MOST = 12;
const dialog = byId("report");
const EMPTY = { id: null, photos: [], category: null, text: "", place: null, search: "", self: false, after: null, other: [], begun_at: null };
let draft = { ...EMPTY };
let categories = [];

const chosen = () => categories.find((each) => each.code === draft.category);
const parentOf = (each) => nameOf({ name_zh: each.parent_name_zh, name_en: each.parent_name_en });
const place = () => draft.place ?? here.fresh();

export function start() {
  // departments hand in no reports
  if (!boot.may_report) return;
  byId("to-report").onclick = () => begin();
  on("data", (data) => { categories = data.categories; if (dialog.open) draw(); });
  on("fix", () => { if (dialog.open) drawPlace(); });
  on("here", () => { if (dialog.open) drawPlace(); });
  store.kept(state.account, "draft").then((kept) => {
    if (!kept) return;
    draft = { ...EMPTY, ...kept };
    byId("to-report").dataset.draft = "";
  }, () => {});
  build();
}

function begin() {
  draft.begun_at ??= new Date().toISOString();
  draw();
  sheet.open(dialog);
  // one tap leads to the camera; without a photo one goes on behind it
  if (!draft.photos.length) byId("report-camera").click();
}

// What was refused comes back here, whole, to be mended and sent under the same number.
export function mend(item) {
  draft = { ...EMPTY, id: item.id, photos: item.photos, category: item.body.category.code, text: item.text, place: item.body.place, self: Boolean(item.after), after: item.after, begun_at: item.made_at };
  changed();
  draw();
  sheet.open(dialog);
}

function build() {
  fill(dialog,
    el("header", { class: "sheet-head" }, el("h2", { id: "report-title" }, t("patch.report.title")), button(t("patch.close"), () => sheet.close(dialog), { class: "close" })),
    el("form", { id: "report-form", onsubmit: (event) => { event.preventDefault(); send(); } },
      el("div", { id: "report-photos", class: "photos" }),
      photo.camera("report-camera", t("patch.report.photo"), (blob) => { draft.photos = [...draft.photos, blob].slice(0, PHOTOS_MOST); changed(); drawPhotos(); here.again(); byId("report-categories").querySelector("input")?.focus({ preventScroll: true }); }, trouble),
      el("fieldset", { id: "report-categories" }),
      el("div", { id: "report-place", class: "place-line" }),
      el("div", { id: "report-alike", class: "alike", role: "alert", hidden: true }),
      el("div", { id: "report-self" }),
      el("label", { for: "report-text" }, t("patch.report.words")),
      el("textarea", { id: "report-text", rows: 2, maxlength: 2000, placeholder: t("patch.report.words_hint"), oninput: (event) => { draft.text = event.target.value; changed(); } }),
      el("p", { id: "report-trouble", class: "refusal", role: "alert", hidden: true }),
      el("div", { class: "send-bar" }, el("button", { type: "submit", class: "main", id: "report-send" }, t("patch.report.send")))));
  dialog.append(photo.camera("report-after", t("patch.report.after"), (blob) => { draft.after = blob; changed(); drawSelf(); }, trouble));
}

function changed() {
  store.keep(state.account, "draft", draft).catch(() => {});
}

function trouble(words) {
  const told = byId("report-trouble");
  told.hidden = !words;
  told.textContent = words || "";
}

function draw() {
  trouble("");
  here.again();
  byId("report-text").value = draft.text;
  drawPhotos();
  drawCategories();
  drawPlace();
  drawSelf();
}

function drawPhotos() {
  fill(byId("report-photos"),
    draft.photos.map((blob, nth) => el("figure", {}, photo.thumbnail(blob, t("patch.photo.nth", { n: nth + 1 })),
      button("×", () => { draft.photos = draft.photos.filter((each) => each !== blob); changed(); drawPhotos(); }, { class: "away", "aria-label": t("patch.photo.remove", { n: nth + 1 }) }))),
    draft.photos.length < PHOTOS_MOST ? button(t(draft.photos.length ? "patch.report.more_photo" : "patch.report.photo"), () => byId("report-camera").click(), { class: "shot" }) : null);
}

function drawCategories() {
  const search = draft.search.trim().toLowerCase();
  const usual = categories.filter((each) => each.usual).sort((a, b) => a.usual - b.usual);
  const found = search
    ? categories.filter((each) => `${each.name_zh} ${each.name_en} ${each.code} ${each.parent_name_zh ?? ""}`.toLowerCase().includes(search)).slice(0, FOUND_MOST)
    : usual;
  const shown = chosen() && !found.includes(chosen()) ? [chosen(), ...found] : found;
  const field = byId("report-categories");
  const box = byId("report-search") ?? el("input", { type: "search", id: "report-search", autocomplete: "off", "aria-label": t("patch.report.search"), placeholder: t("patch.report.search"), oninput: (event) => { draft.search = event.target.value; drawCategories(); } });
  const legend = field.querySelector("legend") ?? el("legend", {}, t("patch.report.category"));
  const list = el("div", { class: "choices" }, shown.map((each) => el("label", { class: "choice" },
    el("input", { type: "radio", name: "category", value: each.code, checked: each.code === draft.category, onchange: () => { draft.category = each.code; draft.other = []; changed(); drawSelf(); drawAlike(); trouble(""); } }),
    el("span", {}, el("b", {}, nameOf(each)), el("small", {}, parentOf(each))))));
  if (!shown.length) list.append(el("p", { class: "quiet" }, t(categories.length ? "patch.report.no_category" : "patch.report.no_categories")));
  // the field that is typed into stays where it is
  if (box.isConnected) field.replaceChild(list, field.querySelector(".choices"));
  else field.replaceChildren(legend, list, box);
}

function drawPlace() {
  const where = place();
  const told = where ? (where.pointed ? t("patch.place.pointed", { m: where.accuracy_m }) : t("patch.place.gps", { m: where.accuracy_m })) : t(`patch.place.${state.here === "found" ? "old" : state.here}`);
  fill(byId("report-place"), el("p", { class: where ? "" : "warned", role: "status" }, told),
    button(t(where ? "patch.place.again" : "patch.place.point"), point, { id: "report-point" }));
  drawAlike();
}

async function point() {
  sheet.close(dialog);
  const found = await map.pick(place() ?? state.fix);
  if (found) { draft.place = found; changed(); }
  draw();
  sheet.open(dialog);
}

// Something of the same family within reach, which nobody said yet that it is something else.
function alike() {
  const where = place();
  const kind = chosen();
  if (!where || !kind || !state.data) return [];
  return state.data.issues
    .filter((issue) => issue.point && sameFamily(issue.category, kind) && !draft.other.includes(issue.code))
    .map((issue) => ({ issue, m: here.distance(where, { lon: issue.point.coordinates[0], lat: issue.point.coordinates[1] }) }))
    .filter((each) => each.m <= boot.similar_m)
    .sort((a, b) => a.m - b.m);
}

function sameFamily(category, kind) {
  if (category.scheme !== kind.scheme) return false;
  const other = categories.find((each) => each.code === category.code);
  return category.code === kind.code || Boolean(kind.parent && other?.parent === kind.parent);
}

function drawAlike() {
  const [first] = alike();
  const box = byId("report-alike");
  box.hidden = !first;
  byId("report-send").hidden = Boolean(first);
  if (!first) return;
  fill(box, el("p", {}, el("b", {}, t("patch.alike", { m: Math.round(first.m), category: nameOf(first.issue.category) })), el("span", { class: "quiet" }, ` ${first.issue.code} · `, first.issue.text.slice(0, 80))),
    el("div", { class: "row-buttons" },
      button(t("patch.alike.other"), () => { draft.other = [...draft.other, first.issue.code]; drawAlike(); }),
      button(t("patch.alike.second"), () => second(first.issue), { class: "main" })));
}

function drawSelf() {
  const may = boot.may_self_handle && chosen()?.minor;
  if (!may) { draft.self = false; fill(byId("report-self")); return; }
  fill(byId("report-self"), el("label", { class: "choice wide-choice" }, el("input", { type: "checkbox", id: "report-fixed", checked: draft.self, onchange: (event) => { draft.self = event.target.checked; changed(); drawSelf(); } }), el("span", {}, t("patch.report.fixed"))),
    draft.self ? el("div", { class: "photos" }, draft.after ? el("figure", {}, photo.thumbnail(draft.after, t("patch.report.after"))) : null, button(t("patch.report.after"), () => byId("report-after").click(), { class: "shot", id: "report-after-take" })) : null);
}

async function send() {
  const kind = chosen();
  if (!kind) return trouble(t("patch.report.choose_category"));
  if (!place()) return point();
  if (draft.self && !draft.photos.length) return trouble(t("patch.report.before_missing"));
  if (draft.self && !draft.after) return trouble(t("patch.report.after_missing"));
  const { lon, lat, accuracy_m } = place();
  const said = { category: { scheme: kind.scheme, version: kind.version, code: kind.code }, text: draft.text.trim() || nameOf(kind), place: { lon, lat, accuracy_m, accuracy_kind: "radius95", datum: "WGS84" } };
  return away({ kind: "report", ...(draft.id ? { id: draft.id } : {}), made_at: draft.begun_at ?? new Date().toISOString(), name: nameOf(kind), text: draft.text, body: said, photos: draft.photos, after: draft.self ? draft.after : null });
}

const second = (issue) => away({ kind: "second", code: issue.code, name: nameOf(issue.category), photos: draft.photos });

// It is on the disk before the sheet closes.
async function away(item) {
  try {
    await queue.add(item);
  } catch {
    return trouble(t("patch.report.disk"));
  }
  draft = { ...EMPTY };
  await store.drop(state.account, "draft");
  delete byId("to-report").dataset.draft;
  sheet.close(dialog);
  return say("toast", { words: t(state.line === "open" ? "patch.report.going" : "patch.report.kept"), kind: "good" });
}
