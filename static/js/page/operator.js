// The page put together: what is asked, when it is drawn, and what follows from what.

import { button, byId, el, fill } from "./dom.js";
import { age, boot, clockNow, nameOf, number, t } from "./words.js";
import { asQuery, matches, on, read, say, state, write } from "./state.js";
import { ask, clear, notice } from "./doors.js";
import { follow } from "./live.js";
import * as desk from "./desk.js";
import * as agreements from "./agreements.js";
import * as alarm from "./alarm.js";
import * as keys from "./keys.js";
import * as paint from "./paint.js";
import * as staff from "./staff.js";
import * as tools from "./tools.js";
import * as bell from "./bell.js";
import * as filters from "./filters.js";
import * as hotspots from "./hotspots.js";
import * as issue from "./issue.js";
import * as legend from "./legend.js";
import * as list from "./list.js";
import * as map from "./map.js";
import * as search from "./search.js";
import * as straddlers from "./straddlers.js";
import * as unit from "./unit.js";
import * as whistles from "./whistles.js";

const { store } = window.Shaotu;
// The list follows the first report at once, and a storm of them this often, or so seldom that asking takes a tenth of
// the time.
const SOON_MS = 150;
const SETTLE_MS = 1200;
const REST_MS = 80;
const OFFERED = { desk: boot.desk, whistles: boot.whistles, issues: true };
const TABS = ["desk", "whistles", "issues", "to_locate", "straddlers", "agreements"].filter((tab) => OFFERED[tab] ?? !boot.leader);
const stream = { state: "wait", at: Date.now(), following: false };
let asked = 0;
let settle = 0;
let settled = 0;
let gap = SETTLE_MS;

// Names come once for all pins; here each pin gets its own, as those of the stream have them.
const featuresOf = ({ pins, categories, departments }) => pins.map(({ id, geometry, ...told }) => ({
  type: "Feature",
  id,
  geometry,
  properties: {
    ...told,
    code: id,
    category: categories[told.category] || { code: told.category.split(":").at(-1) },
    lead: departments[told.lead] || null,
    departments: told.departments.map((code) => departments[code]).filter(Boolean),
  },
}));

async function refresh() {
  const mine = ++asked;
  document.body.classList.add("busy");
  let told;
  try {
    told = await ask("/map/state", asQuery());
  } catch (error) {
    if (!stream.following) setTimeout(refresh, 3000);
    return error.status === 400 && notice("failed", error.message);
  } finally {
    document.body.classList.remove("busy");
  }
  if (mine !== asked) return null;
  store.features = featuresOf(told.located);
  store.sides = new Map(Object.entries(told.sides));
  const keys = Object.keys(told.ground);
  map.recount(new Map(Object.entries(told.ground)), new Map(told.units.map((id, nth) => [id, keys[nth]])));
  paint.set(store.features);
  map.drawIssues();
  legend.draw();
  filters.draw.last = () => filters.draw(told.counts);
  filters.draw.last();
  list.draw(told.rows, told.total);
  // what was told while the answer was on its way is newer than the answer
  for (const event of recent.splice(0)) if (event.seq > told.seq) changed(event);
  if (told.total > told.pins_most) notice("many", t("many", { shown: number(told.pins_most), n: number(told.total) }));
  else clear("many");
  hotspots.draw().catch(() => null);
  if (state.tab !== "issues") showTab();
  if (boot.whistles) alarm.check().catch(() => null);
  if (!stream.following) listen(told.seq);
  return null;
}

function listen(seq) {
  stream.following = true;
  follow(seq, { changed, reset: refresh, stateChanged: (now) => {
    if (now === "refused" && stream.state !== "refused") ask("/map/rows", { page: 1 }).catch(() => null);
    if (now === "open" && stream.state !== "open") clear("away");
    Object.assign(stream, { state: now, at: now === "open" ? Date.now() : stream.at });
    tellAge();
  } });
}

const waiting = [];
const recent = [];
let rests = 0;

// What comes at a quiet time is drawn with the next frame. In a storm events are drawn together, and so seldom that four
// fifths of the time are left for who works here.
function changed(event) {
  stream.at = Date.now();
  recent.push(event);
  if (!waiting.length) setTimeout(requestAnimationFrame, rests - performance.now(), applyWaiting);
  waiting.push(event);
}

function applyWaiting() {
  const began = performance.now();
  const shown = new Map();
  for (const event of waiting.splice(0)) apply(event, shown);
  if (shown.size) map.live.update({ type: "FeatureCollection", features: [...shown.values()] });
  settle ||= setTimeout(followList, Math.max(SOON_MS, settled + gap - Date.now()));
  tellAge();
  list.render();
  rests = performance.now() + Math.max(REST_MS, 4 * (performance.now() - began));
}

function followList() {
  bell.look();
  settle = 0;
  settled = Date.now();
  // what comes meanwhile asks for the list once more: the answer may not have it yet
  refresh().then(() => { gap = Math.max(SETTLE_MS, 9 * (Date.now() - settled)); });
}

function apply({ kind, feature, code }, drawn) {
  const id = feature?.id || code;
  if (!id) return;
  const known = store.features.findIndex((each) => each.id === id);
  const shown = kind !== "gone" && feature && matches(feature);
  if (known >= 0) store.features.splice(known, 1);
  if (!shown) {
    drawn.delete(id);
    if (known >= 0) map.live.remove({ id });
    list.remove(id);
    if (kind !== "gone") redrawn(id);
    return;
  }
  list.add(feature);
  if (feature.geometry) {
    store.features.unshift(feature);
    drawn.set(id, feature);
    if (known < 0) map.pulse(feature);
  }
  if (feature.properties.flags.some((flag) => flag === "straddles" || flag === "near_boundary") && !store.sides.has(id)) sidesOf(feature);
  redrawn(id);
}

// What somebody looks at follows, also where the filters leave it out: a link opens any issue.
function redrawn(id) {
  if (id !== state.issue) return;
  issue.open(id, { keepView: true, unasked: true }).catch((error) => say("failed", error));
}

async function sidesOf(feature) {
  const { sides } = await ask("/map/sides", { code: feature.id }).catch(() => ({ sides: {} }));
  if (!sides[feature.id]) return;
  store.sides.set(feature.id, sides[feature.id]);
  if (feature.geometry) map.live.update(feature);
}

function tellAge() {
  const node = byId("live");
  node.dataset.state = stream.state;
  byId("live-text").textContent = stream.state === "open" ? t("live.open", { age: age(stream.at) }) : t(`live.${stream.state}`, { age: age(stream.at) });
}

function tabs() {
  fill(byId("tabs"), TABS.map((tab) => el("button", {
    type: "button", role: "tab", id: `tab-${tab}`, "aria-controls": tab, "aria-selected": String(tab === state.tab), tabindex: tab === state.tab ? 0 : -1,
    onclick: () => { state.tab = tab; tabs(); showTab(); keep(); },
  }, t(`tab.${tab}`))));
}

function showTab() {
  for (const tab of TABS) byId(tab).hidden = tab !== state.tab;
  const draw = { desk: desk.draw, whistles: whistles.draw, to_locate: toLocate, straddlers: straddlers.draw, agreements: agreements.draw }[state.tab];
  draw?.();
}

async function toLocate() {
  const { rows } = await ask("/map/rows", { states: "to_locate", page: 1 });
  fill(byId("to_locate"), el("p", { class: "sum" }, t("to_locate_n", { n: number(rows.length) })),
    rows.length ? el("ol", { class: "plain rows" }, rows.map(list.row)) : el("p", { class: "empty" }, t("all_located")));
}

const keep = () => write(map.map);

byId("tabs").addEventListener("keydown", (event) => {
  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
  const at = TABS.indexOf(state.tab) + (event.key === "ArrowRight" ? 1 : -1);
  byId(`tab-${TABS[(at + TABS.length) % TABS.length]}`).click();
  byId(`tab-${state.tab}`).focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || byId("keys").open || (map.drawing.active && !tools.isOpen("measure"))) return;
  if (tools.isOpen() && !byId("panel").contains(event.target)) tools.close();
  else issue.close();
});
byId("theme").addEventListener("click", () => {
  const theme = window.Shaotu.theme() === "dark" ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try { localStorage.setItem("theme", theme); } catch { /* private window: it holds until the page is left */ }
  map.repaint();
  legend.draw();
});
byId("language").addEventListener("click", (event) => { event.preventDefault(); location.href = `?lang=${boot.locale === "zh" ? "en" : "zh"}${location.hash}`; });

on("filters", () => { keep(); refresh(); });
on("layers", () => { keep(); overlaid(); map.showLayers(); map.repaintUnits(); legend.tools(); legend.draw(); });
// What is laid over the map when somebody asks for it is fetched then.
function overlaid() {
  if (state.staff || overlaid.staff) staff.show();
  overlaid.staff = state.staff;
  if (state.points || state.base || state.areas || state.over || overlaid.more) import("./overlays.js").then((more) => more.show()).catch((error) => say("failed", error));
  overlaid.more ||= Boolean(state.points || state.base || state.areas || state.over);
}
on("painted", () => { keep(); paint.set(store.features); map.drawIssues(); legend.draw(); });
let rested = 0;
// while the map moves the address can wait
on("moved", () => { clearTimeout(rested); rested = setTimeout(keep, 300); });
on("opened", () => { keep(); for (const row of document.querySelectorAll("[data-code]")) { if (row.dataset.code === state.issue) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current"); } });
on("issue", (code) => issue.open(code, { keepView: false }).catch((error) => say("failed", error)));
on("unit", (which) => unit.open(which).catch((error) => say("failed", error)));
on("straddler", (which) => straddlers.open(which).catch((error) => say("failed", error)));
on("point", (id) => import("./point.js").then((card) => card.open(id)).catch((error) => say("failed", error)));
on("nothing", () => issue.close());
on("settled", ({ code, words }) => { notice("settled", words, button(t("close"), () => clear("settled"))); issue.open(code, { keepView: true }).catch((error) => say("failed", error)); });
on("zoomed", legend.draw);
on("changed", refresh);
on("moved_on", () => notice("moved_on", t("loop.moved_on"), button(t("close"), () => clear("moved_on"))));
on("failed", (error) => { notice("failed", error.message, button(t("close"), () => clear("failed"))); });

const view = read();
if (!boot.nets.some((net) => net.code === state.net)) state.net = boot.opens_on;
if (boot.begins_at_desk && boot.desk && !new URLSearchParams(location.hash.slice(1)).has("tab")) state.tab = "desk";
if (!TABS.includes(state.tab)) state.tab = "issues";
map.start(view);
const first = refresh();
window.Shaotu.showBasemap();
map.showLayers();
legend.tools();
legend.draw();
search.start();
tools.start();
keys.start();
overlaid();
if (state.past) tools.toggle("time");
tabs();
showTab();
byId("legend").open = innerWidth >= 1600;
if (innerWidth < 900) byId("filters-fold").open = byId("hotspots-fold").open = false;
setInterval(() => { byId("clock").textContent = clockNow(); tellAge(); }, 1000);
if (!boot.nets.length) notice("empty", t("no_ground"));
first.then(() => {
  if (state.issue) say("issue", state.issue);
  else if (state.unit) { const [net, level, code] = state.unit.split(":"); say("unit", { net, level, code }); }
});
