// Patrol: where I walk, as long as this page is open, and how much of my ground that was today.

import { boot, fullTime, number, percent, t } from "../page/words.js";
import { byId, button, el, fill } from "../page/dom.js";
import { on, say, state } from "./bus.js";
import { distance, fresh } from "./here.js";
import * as map from "./map.js";
import { ask } from "./net.js";
import * as queue from "./queue.js";
import * as store from "./store.js";

// A fix is kept when one has moved, or stood a while.
const STEP_M = 8;
const STAND_MS = 30_000;
let told = null;
let last = null;
let awake = null;

export function start() {
  on("fix", walk);
  on("here", draw);
  on("track", take);
  on("waiting", draw);
  on("line", draw);
  store.kept(state.account, "patrol").then((patrol) => {
    state.patrol = patrol && !patrol.ended_at ? patrol : null;
    if (state.patrol) stayAwake();
    draw();
  });
  store.kept(state.account, "track").then((kept) => { if (kept && !told) { told = kept; draw(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && state.patrol) stayAwake(); });
  refresh();
}

export async function refresh() {
  const answer = await ask("/patch/track");
  if (answer.status === 200) take(answer.body);
}

function take(answer) {
  told = answer;
  store.keep(state.account, "track", answer);
  map.drawTracks(answer.tracks);
  draw();
}

function draw() {
  const covered = told?.coverage;
  const can = ["found", "wait", "unknown"].includes(state.here);
  fill(byId("patrol-body"),
    can ? null : el("p", { class: "warned" }, t(`patch.place.${state.here}`)),
    covered?.cells_n ? [
      el("p", { class: "big" }, t("patrol.cells", { n: number(covered.cells_visited_n), of: number(covered.cells_n), share: percent(covered.share) })),
      el("progress", { max: covered.cells_n, value: covered.cells_visited_n, "aria-label": t("patrol.coverage") }),
      covered.streets_n ? el("p", {}, t("patrol.streets", { n: number(covered.streets_walked_n), of: number(covered.streets_n) })) : null,
    ] : el("p", { class: "quiet" }, t(told ? "patrol.no_ground" : "patch.loading")),
    state.patrol ? el("p", { role: "status" }, t("patrol.since", { at: fullTime(state.patrol.started_at) })) : null,
    state.waitingFixes ? el("p", { class: "quiet" }, t("patrol.waiting", { n: number(state.waitingFixes) })) : null,
    state.patrol
      ? button(t("patrol.end"), end, { class: "main wide", id: "patrol-end" })
      : button(t("patrol.begin"), begin, { class: "main wide", id: "patrol-begin", disabled: !can }),
    el("p", { class: "quiet" }, t("patrol.about", { days: boot.track_days })));
}

async function begin() {
  state.patrol = { id: queue.newId(), started_at: new Date().toISOString(), ended_at: null };
  await store.keep(state.account, "patrol", state.patrol);
  last = null;
  stayAwake();
  draw();
  if (fresh()) await walk(state.fix);
}

async function end() {
  await store.keep(state.account, "patrol", { ...state.patrol, ended_at: new Date().toISOString() });
  state.patrol = null;
  awake?.release?.();
  draw();
  await queue.flush(true);
  say("toast", { words: t("patrol.ended"), kind: "good" });
}

async function walk(fix) {
  if (!state.patrol) return;
  if (last && distance(last, fix) < STEP_M && Date.now() - last.kept < STAND_MS) return;
  last = { ...fix, kept: Date.now() };
  await store.put("fixes", { account: state.account, patrol: state.patrol.id, started_at: state.patrol.started_at, at: fix.at, lon: fix.lon, lat: fix.lat, accuracy_m: fix.accuracy_m });
  await queue.look();
}

// A screen that goes dark ends the walk of a page.
async function stayAwake() {
  awake = await navigator.wakeLock?.request("screen").catch(() => null);
}
