// Standing agreements: what neighbours settled for a piece of ground. Entered here, followed by the next issue there.

import { byId, button, el, fill } from "./dom.js";
import { ask, tell } from "./doors.js";
import { boot, categoryName, levelName, nameOf, t } from "./words.js";
import { say } from "./state.js";
import { choose, drawing } from "./map.js";
import { outline, pick } from "./sketch.js";

const pane = byId("agreements");
let draft = null;

export async function draw() {
  const { agreements } = await ask("/map/agreements");
  fill(pane,
    boot.may_decide && !draft ? el("div", { class: "bar-tools" }, button(t("agreement.new"), begin, { class: "main" })) : null,
    draft ? form() : null,
    el("p", { class: "sum" }, t("agreements_n", { n: agreements.length })),
    agreements.length ? el("ol", { class: "plain rows" }, agreements.map(row)) : el("p", { class: "empty" }, t("no_agreements")));
}

function row(each) {
  return el("li", {},
    el("button", { type: "button", class: "row", onclick: () => choose({ footprint: each.geometry, box: each.box }) },
      el("span", { class: "row-main" },
        el("span", { class: "row-head" }, el("b", {}, each.title), el("code", {}, each.code)),
        el("span", { class: "row-text" }, t("agreement.lead_of", { name: nameOf(each.lead) })),
        el("span", { class: "row-foot" }, `${each.valid_from} – ${each.valid_to || ""}`, each.categories.map((code) => el("span", { class: "badge" }, categoryName(code)))))),
    boot.may_decide && each.open && button(t("agreement.withdraw"), () => withdraw(each), { class: "link" }));
}

async function withdraw(each) {
  if (!confirm(t("agreement.sure", { title: each.title }))) return;
  await tell(`/map/agreements/${encodeURIComponent(each.code)}/withdraw`, {}).catch((error) => say("failed", error));
  draw();
}

function begin() {
  draft = { geometry: null, parties: [], lead: "" };
  draw();
}

async function drawArea() {
  const drawn = await outline(t("agreement.draw_area"));
  if (drawn) Object.assign(draft, { geometry: drawn, street: null });
  await touched();
}

async function chooseStreet() {
  const point = await pick(t("agreement.click_street"));
  if (point) await lay({ lon: point.lng, lat: point.lat });
}

async function chooseStretch() {
  const from = await pick(t("agreement.click_from"));
  const to = from && await pick(t("agreement.click_to"));
  if (to) await lay({ lon: from.lng, lat: from.lat, to_lon: to.lng, to_lat: to.lat });
}

// Lay the ground on the street that was pointed at. where: one place for all of it, two for what lies between them.
async function lay(where) {
  const found = await ask("/map/street", where).catch((error) => say("failed", error));
  if (!found) return;
  Object.assign(draft, { geometry: found.geometry, street: { ...found, where } });
  drawing.layer.clearLayers();
  L.geoJSON(found.geometry, { interactive: false, style: { color: "#6b2f90", weight: 3 } }).addTo(drawing.layer);
  await touched();
}

// Who lies under the drawn ground: the server says, the person chooses among them.
async function touched() {
  if (!draft.geometry) return draw();
  const { units } = await tell("/map/agreements/parties", { geometry: draft.geometry });
  draft.parties = units;
  draft.lead = units[0]?.key || "";
  draw();
}

function form() {
  const field = (name, words, input) => el("label", { for: `agreement-${name}` }, words, input);
  const text = (name, more = {}) => el("input", { id: `agreement-${name}`, name, value: draft[name] || "", onchange: ({ target }) => { draft[name] = target.value; }, ...more });
  const groups = Map.groupBy(boot.categories, (each) => nameOf({ name: each.parent_name, name_en: each.parent_name_en }) || "");
  return el("form", { class: "sheet-form", onsubmit: send },
    el("h3", {}, t("agreement.new")),
    field("title", t("agreement.title"), text("title", { required: true, maxlength: 200 })),
    el("fieldset", {}, el("legend", {}, t("agreement.ground")),
      button(t("agreement.area"), drawArea), button(t("agreement.street"), chooseStreet), button(t("agreement.stretch"), chooseStretch),
      el("p", { class: "quiet" }, draft.street ? nameOf(draft.street) : draft.geometry ? t("agreement.drawn") : t("agreement.not_drawn")),
      draft.street && "to_lon" in draft.street.where ? field("width", t("agreement.width"), el("input", {
        id: "agreement-width", type: "number", min: 1, max: 200, step: 0.5, value: draft.street.width_m,
        onchange: ({ target }) => lay({ ...draft.street.where, width_m: target.value || draft.street.width_m }),
      })) : null),
    el("fieldset", {}, el("legend", {}, t("agreement.parties")),
      draft.parties.length ? draft.parties.map((unit) => el("label", {},
        el("input", { type: "checkbox", checked: !unit.left, onchange: ({ target }) => { unit.left = !target.checked; draw(); } }), el("span", {}, `${nameOf(unit)} · ${levelName(unit.net, unit.level)}`))) : el("p", { class: "quiet" }, t("agreement.draw_first"))),
    field("lead", t("agreement.lead"), el("select", { id: "agreement-lead", required: true, onchange: ({ target }) => { draft.lead = target.value; } },
      draft.parties.filter((unit) => !unit.left).map((unit) => el("option", { value: unit.key, selected: unit.key === draft.lead }, nameOf(unit))))),
    field("categories", t("agreement.categories"), el("select", { id: "agreement-categories", multiple: true, size: 6, onchange: ({ target }) => { draft.categories = [...target.selectedOptions].map((each) => each.value); } },
      [...groups].map(([name, members]) => el("optgroup", { label: name }, members.map((each) => el("option", { value: each.code, selected: draft.categories?.includes(each.code) }, nameOf(each))))))),
    el("div", { class: "pair" }, field("valid_from", t("agreement.from"), text("valid_from", { type: "date", required: true })), field("valid_to", t("agreement.to"), text("valid_to", { type: "date" }))),
    field("document", t("agreement.document"), text("document", { maxlength: 300 })),
    el("div", { class: "bar-tools" }, el("button", { type: "submit", class: "main", disabled: !draft.geometry }, t("agreement.save")), button(t("cancel"), () => { draft = null; drawing.layer.clearLayers(); draw(); })));
}

async function send(event) {
  event.preventDefault();
  const { title, geometry, lead, valid_from, valid_to, document: paper, categories = [] } = draft;
  const parties = draft.parties.filter((unit) => !unit.left).map((unit) => unit.key);
  try {
    await tell("/map/agreements", { title, geometry, parties, lead, categories, valid_from, valid_to: valid_to || null, document: paper || "" });
  } catch (error) {
    return say("failed", error);
  }
  draft = null;
  drawing.layer.clearLayers();
  draw();
}
