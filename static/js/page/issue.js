// The panel of an issue: what was said, where it stands by which edition, whose it is and why, who was called.

import { byId, button, el, fill, icon } from "./dom.js";
import { ask, tell } from "./doors.js";
import { boot, categoryName, departmentName, fullTime, has, levelName, metres, nameOf, netName, percent, t } from "./words.js";
import { say, state } from "./state.js";
import { choose, unchoose } from "./map.js";
import { badges, marks } from "./list.js";
import { limits, timeLeft } from "./clock.js";
import { light } from "./lights.js";
import * as moves from "./moves.js";
import * as late from "./late.js";
import * as papers from "./papers.js";
import * as alike from "./alike.js";
import * as border from "./sides.js";
import * as staff from "./staff.js";
import { shares } from "./straddlers.js";
import { fact, section, unitLink } from "./unit.js";
import { pick } from "./sketch.js";

const panel = byId("panel");
let cameFrom = null;
// A whole community or city is no place: taking it would call everybody.
const PLACES = ["building", "house_number", "estate", "crossing", "land", "street"];

export function frame(title, about, ...children) {
  cameFrom ||= document.activeElement;
  fill(panel,
    el("header", { class: "panel-head" }, button(icon("back"), close, { class: "square", "aria-label": t("back"), title: t("back") }),
      el("div", {}, el("h2", {}, title), el("p", { class: "quiet" }, about))),
    el("div", { class: "panel-body" }, ...children));
  panel.hidden = false;
  byId("lists").hidden = true;
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}

export function close() {
  if (panel.hidden) return;
  // the row it came from may have been drawn anew since, or another issue opened by key
  const listed = state.issue && byId(state.tab)?.querySelector(`[data-code="${CSS.escape(state.issue)}"]`);
  panel.hidden = true;
  byId("lists").hidden = false;
  state.issue = state.unit = "";
  unchoose();
  say("opened");
  if (cameFrom?.isConnected && !cameFrom.dataset.code) cameFrom.focus();
  else (listed || byId(state.tab))?.focus();
  cameFrom = null;
}

// unasked: a live message wants it drawn anew; what somebody is writing there is not swept away for that.
export async function open(code, { keepView = false, unasked = false } = {}) {
  const { issue, location, decision, explanation, clocks, conditions, history, outlines, loop, lateness, papers: written } = await ask(`/map/issues/${encodeURIComponent(code)}`);
  if (unasked && state.issue !== code) return;
  if (unasked && (moves.isBeingWritten() || papers.isBeingWritten() || border.isBeingWritten())) {
    say("moved_on");
    return;
  }
  state.issue = code;
  state.unit = "";
  say("opened");
  const sides = (decision?.sides || []).map((side) => ({ ...side }));
  const colours = window.Shaotu.sideColours(sides);
  sides.forEach((side, nth) => { side.colour = colours[nth]; });
  choose({
    point: issue.point?.coordinates, footprint: issue.footprint, accuracy_m: issue.footprint ? null : location?.place.accuracy_m, keepView,
    outlines: (outlines || []).map((each) => ({ geometry: each.geometry, colour: colours[sides.findIndex((side) => side.key === each.key)] })),
  });
  frame(nameOf(issue.category), [`${issue.code} · ${t(`state.${issue.state}`)} `, light(loop.light)],
    el("p", { class: "said" }, issue.text),
    issue.photos?.length ? el("div", { class: "photos" }, issue.photos.map((photo) => el("a", { href: photo.url, target: "_blank", rel: "noopener" }, el("img", { src: photo.url, alt: photo.name, loading: "lazy", width: 120, height: 90 })))) : null,
    el("p", { class: "badges" }, timeLeft(issue), badges(issue.flags), marks(loop.marks)),
    moves.section(issue, loop, (after) => { say("changed"); return open(after, { keepView: true, unasked: true }); }),
    border.section(issue, sides, outlines || []),
    border.lead(issue, { sides, outlines: outlines || [], parties: decision?.parties || [], designate: moves.opener(loop, "designate") }),
    alike.section(issue, loop),
    el("dl", { class: "facts" },
      fact(t("issue.reported"), fullTime(issue.reported_at)),
      fact(t("issue.received"), fullTime(issue.received_at)),
      fact(t("issue.source"), `${issue.source} · ${issue.external_id}`),
      issue.reporter ? fact(t("issue.reporter"), reporter(issue)) : null,
      location?.place.text ? fact(t("issue.address"), location.place.text) : null,
      location ? fact(t("issue.accuracy"), accuracy(location.place)) : null,
      ["building", "street", "estate"].filter((kind) => location?.[kind]).map((kind) => fact(t(`place.${kind}`), near(location[kind])))),
    !issue.located || issue.state === "to_locate" ? toLocate(issue, location) : null,
    staff.section(issue),
    clocks.length ? section(t("clock.title"), limits(issue, clocks, conditions)) : null,
    lateness.facts.length ? section(t("late.title"), late.section(issue, lateness, () => { say("changed"); return open(code, { keepView: true }); })) : null,
    papers.isAny(written) ? section(t("papers.title"), papers.section(issue, written, () => { say("changed"); return open(code, { keepView: true, unasked: true }); })) : null,
    decision ? section(t("issue.whose"), whose(decision, sides)) : null,
    explanation.length ? section(t("issue.why"), el("ol", { class: "why" }, explanation.map((line) => el("li", {}, line)))) : null,
    location && location.located ? section(t("issue.ground"), location.nets.map((net) => ground(net))) : null,
    section(t("issue.history"), el("ol", { class: "plain lines history" }, history.map((entry) => el("li", {}, el("time", { datetime: entry.at }, fullTime(entry.at)), el("span", {}, entry.said), el("span", { class: "quiet" }, entry.department ? `${departmentName(entry.department)} · ${entry.actor}` : entry.actor), entry.words ? el("q", { class: "words" }, entry.words) : null)))));
}

// Masked until it is asked for; that it was asked for is on record.
function reporter(issue) {
  const shown = el("span", {}, said(issue.reporter));
  const unmask = async () => {
    const told = await tell(`/api/v1/issues/${encodeURIComponent(issue.code)}/reporter`, {});
    fill(shown, said(told.reporter));
  };
  return [shown, " ", issue.unmasks ? button(t("issue.unmask"), unmask, { class: "small", title: t("issue.unmask_told") }) : null];
}

const said = (person) => Object.values(person).filter(Boolean).join(" · ");

function accuracy({ accuracy_m: said, accuracy_kind: kind, sigma_m: sigma }) {
  if (said === null || said === undefined) return t("issue.no_accuracy");
  return `${metres(said)}${has(`accuracy.${kind}`) ? ` (${t(`accuracy.${kind}`)})` : ""}${sigma ? ` · σ ${metres(sigma)}` : ""}`;
}

const near = (thing) => `${nameOf(thing) || t("unnamed")} · ${thing.distance_m > 0 ? metres(thing.distance_m) : t("inside")}`;

function whose(decision, sides) {
  return [
    sides.length > 1 ? el("div", { class: "sides" }, shares(sides)) : null,
    el("ul", { class: "plain parties" }, decision.parties.map((party) => el("li", { class: party.role },
      el("span", { class: "role" }, t(`party.${party.role}`)), el("b", {}, departmentName(party.department)),
      el("span", { class: "quiet" }, party.jurisdictions.map((each) => nameOf(each)).join(" · "))))),
    el("p", { class: "quiet" }, t("issue.basis"), t(`basis.${decision.basis}`), decision.superior ? ` · ${t("issue.superior", { name: nameOf(decision.superior) })}` : ""),
  ];
}

function ground(net) {
  return el("div", { class: "net" },
    el("h4", {}, netName(net.net), el("span", { class: "quiet" }, ` ${t("edition")} ${net.edition}`)),
    el("p", { class: "chain" }, net.chain.map((unit) => unitLink(unit))),
    net.levels.filter((level) => level.units.length > 1 || level.probable.length > 1 || level.flags.length).map((level) => el("div", { class: "level" },
      el("p", {}, el("span", {}, levelName(net.net, level.level)), level.boundary_m !== null ? el("span", { class: "quiet" }, ` ${t("boundary_m", { d: metres(level.boundary_m) })}`) : null, " ", badges(level.flags)),
      parts(level))));
}

function parts(level) {
  const standings = level.probable.length > 1 ? level.probable.map((each) => ({ ...each, part: each.probability })) : level.units.map((each) => ({ ...each, part: each.share ?? 1 / level.units.length }));
  // what the odds leave open lies where nobody is in charge
  const nobody = level.uncovered ?? (level.probable.length ? 1 - level.probable.reduce((sum, each) => sum + each.probability, 0) : 0);
  const uncovered = nobody > (level.probable.length ? 0.001 : 1e-6) ? el("p", { class: "quiet" }, t("uncovered", { part: percent(nobody) })) : null;
  const nearest = level.nearest ? el("p", { class: "quiet" }, t("nearest", { name: nameOf(level.nearest), d: metres(level.nearest.distance_m) })) : null;
  return [standings.length > 1 ? shares(standings.map((each) => ({ ...each, key: `${each.net}:${each.level}:${each.code}` }))) : null, uncovered, nearest];
}

function toLocate(issue, location) {
  const candidates = location?.candidates || [];
  const place = (body) => tell(`/api/v1/issues/${encodeURIComponent(issue.code)}/place`, body).then(() => { say("changed"); open(issue.code); }).catch((error) => say("failed", error));
  return section(t("to_locate"),
    el("p", { class: "quiet" }, location?.reason && has(`reason.${location.reason}`) ? t(`reason.${location.reason}`) : t("to_locate_about")),
    candidates.length ? el("ol", { class: "plain rows" }, candidates.map((each) => el("li", {}, el("button", {
      type: "button", class: "row", onclick: () => choose({ footprint: each.geometry, box: boxOf(each.geometry) }),
    }, icon("building"), el("span", { class: "row-main" }, el("b", {}, each.label), el("span", { class: "quiet" }, `${t(`match.${each.match_level}`)} · ${percent(each.confidence)}`))),
    boot.may_place && PLACES.includes(each.match_level) && button(t("take"), () => place({ geometry: each.geometry }))))) : null,
    boot.may_place ? button(t("place_on_map"), async () => {
      const point = await pick(t("click_place"));
      if (point) place({ lon: point.lng, lat: point.lat, accuracy_m: 10, accuracy_kind: "max" });
    }, { class: "main" }) : null);
}

function boxOf(geometry) {
  const bounds = L.geoJSON(geometry).getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}
